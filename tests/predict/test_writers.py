"""What is written: every format, names that are taken, the form of a CSV, and cells of Excel."""

from __future__ import annotations

import csv
import datetime
import io
import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import xlsxwriter
from hypothesis import given as hypothesis_given
from hypothesis import settings
from hypothesis import strategies as st

from emolens.data.readers.columns import readable_texts
from emolens.data.readers.open import source_of
from emolens.data.readers.source import Source
from emolens.data.readers.table import Chunk, Table
from emolens.errors import DataError, UsageError
from emolens.predict import tables
from emolens.predict.classifier import Classifier
from emolens.predict.tables import WriteOptions, default_target, predict_table
from emolens.predict.writers import COMPRESSED, WRITERS, ending_of
from emolens.predict.writers.cells import safe
from emolens.predict.writers.excel import MOST_CHARACTERS, Excel
from emolens.predict.writers.form import Form
from emolens.predict.writers.layout import Layout
from tests.conftest import HOSTILE
from tests.predict.formats import ADDED, FIRST, OPENERS, Rows, csv_file, read, sheet, write
from tests.tables import open_table

TEXT_ENDINGS = (".csv", ".tsv", ".jsonl", ".ndjson", ".json")


@pytest.mark.parametrize("ending", [*WRITERS, *(e + c for e in TEXT_ENDINGS for c in OPENERS)])
def test_every_format_holds_all_rows_and_columns(
    classifier: Classifier, tmp_path: Path, ending: str
) -> None:
    lines = "".join(json.dumps({"id": i, "text": t}) + "\n" for i, t in enumerate(HOSTILE))
    source = csv_file(tmp_path / "in.jsonl", lines)
    target = tmp_path / f"out{ending}"
    assert predict_table(classifier, source, target).rows == len(HOSTILE)
    rows = read(target)
    assert list(rows[0]) == ["id", "text", *ADDED]
    assert [(int(row["id"]), row["text"]) for row in rows] == list(enumerate(HOSTILE))
    answers = [answer.label or answer.best_guess for answer in classifier.predict(HOSTILE)]
    assert [row["emotion"] or row["best_guess"] or None for row in rows] == answers


def test_a_second_call_writes_the_same_bytes(classifier: Classifier, tmp_path: Path) -> None:
    source = csv_file(tmp_path / "in.csv", "text\nhappy\n")
    for compression in OPENERS:
        first, second = (tmp_path / n / f"out.csv{compression}" for n in ("one", "two"))
        predict_table(classifier, source, first)
        predict_table(classifier, source, second)
        assert first.read_bytes() == second.read_bytes()


@pytest.mark.parametrize("name", ["out.xls", "out.txt", "out", "out.gz", "out.parquet.gz", ".csv"])
def test_a_format_that_cannot_be_written_is_named_with_the_others(name: str) -> None:
    with pytest.raises(UsageError, match="ending is not known") as caught:
        ending_of(Path(name))
    assert ".xlsx" in caught.value.hint


@pytest.mark.parametrize(
    ("source", "file_format", "target"),
    [
        ("a.csv", "csv", "a-emotions.csv"),
        ("a.CSV", "csv", "a-emotions.csv"),
        ("a.csv.gz", "csv", "a-emotions.csv.gz"),
        ("a.jsonl.zst", "jsonl", "a-emotions.jsonl.zst"),
        ("a.parquet.gz", "parquet", "a-emotions.parquet"),
        ("a.b.ndjson", "jsonl", "a.b-emotions.ndjson"),
        ("a.txt", "txt", "a-emotions.csv"),
        ("a.feather", "arrow", "a-emotions.feather"),
        ("a.log", "csv", "a.log-emotions.csv"),
        ("a", "jsonl", "a-emotions.jsonl"),
        ("a.csv", "jsonl", "a-emotions.jsonl"),
        ("a.csv", "xlsx", "a-emotions.xlsx"),
    ],
)
def test_the_new_table_is_beside_the_old_one_in_its_format(
    source: str, file_format: str, target: str
) -> None:
    given = Path("d") / source
    like = given.with_suffix("") if given.suffix in COMPRESSED else given
    named = Source(given, source, (), given=given, like=like, format=file_format)
    assert default_target(named) == Path("d") / target


class TestNames:
    """Columns of the names that the answers need."""

    def test_a_column_of_such_a_name_stays_and_the_hint_works(
        self, classifier: Classifier, tmp_path: Path
    ) -> None:
        source = csv_file(tmp_path / "in.csv", "text,emotion,new_unsure\nhappy,joy,x\n")
        with pytest.raises(DataError, match="already has a column 'emotion'") as caught:
            predict_table(classifier, source, tmp_path / "out.csv")
        prefix = caught.value.hint.split("--prefix ")[1]
        predict_table(classifier, source, tmp_path / "out.csv", write=WriteOptions(prefix=prefix))
        (row,) = read(tmp_path / "out.csv")
        assert list(row) == [
            "text", "emotion", "new_unsure", *(f"{prefix}{name}" for name in ADDED)
        ]  # fmt: skip
        assert (row["emotion"], row["new_unsure"]) == ("joy", "x")

    @pytest.mark.parametrize("ending", [*WRITERS, ".csv.gz", ".jsonl.xz"])
    def test_answers_of_an_earlier_call_are_replaced_and_named(
        self, classifier: Classifier, tmp_path: Path, ending: str
    ) -> None:
        source = csv_file(tmp_path / "in.csv", "id,text\n1,happy\n2,so sad\n")
        once, twice = tmp_path / f"once{ending}", tmp_path / f"twice{ending}"
        predict_table(classifier, source, once)
        (note,) = predict_table(classifier, once, twice).notes
        assert all(name in note.text for name in FIRST)
        assert read(twice) == read(once)
        kept = tmp_path / f"kept{ending}"
        predict_table(classifier, once, kept, write=WriteOptions(prefix="new_"))
        assert list(read(kept)[0]) == ["id", "text", *ADDED, *(f"new_{name}" for name in ADDED)]

    def test_columns_of_classes_that_the_model_lacks_stay(
        self, classifier: Classifier, tmp_path: Path
    ) -> None:
        old = "text,emotion,probability,unsure,p_love,p_joy,error,p_x\nhappy,love,1,False,1,0,,z\n"
        tally = predict_table(classifier, csv_file(tmp_path / "in.csv", old), tmp_path / "out.csv")
        (row,) = read(tmp_path / "out.csv")
        assert list(row) == ["text", "p_love", "p_x", *ADDED]
        assert (row["p_love"], row["p_x"]) == ("1", "z")
        assert "p_love" in tally.notes[1].text

    def test_a_column_called_error_is_only_in_the_way_if_there_are_errors(
        self, classifier: Classifier, tmp_path: Path
    ) -> None:
        source = csv_file(tmp_path / "in.jsonl", '{"text": "happy", "error": 404}\n')
        predict_table(classifier, source, tmp_path / "out.jsonl")
        assert read(tmp_path / "out.jsonl")[0]["error"] == 404
        csv_file(source, source.read_text() + '{"text": ["a", {}], "error": 1}\n')
        with pytest.raises(DataError, match="already has a column 'error'") as caught:
            predict_table(classifier, source, tmp_path / "second.jsonl")
        assert "--prefix new_" in caught.value.hint


class TestTitles:
    """Names of columns that are empty, that stand twice, or that have spaces around them."""

    @pytest.mark.parametrize(
        ("source", "target"), [(".csv", ".csv"), (".csv", ".xlsx"), (".xlsx", ".xlsx")]
    )
    def test_stay_as_they_are(
        self, classifier: Classifier, tmp_path: Path, source: str, target: str
    ) -> None:
        given = tmp_path / f"in{source}"
        if source == ".csv":
            csv_file(given, "text,,n,n,\nhappy,a,b,c,d\n")
        else:
            book = xlsxwriter.Workbook(given)
            for place, cells in enumerate((["text", "", "n", "n", ""], ["happy", *"abcd"])):
                (book.worksheets() or [book.add_worksheet()])[0].write_row(place, 0, cells)
            book.close()
        tally = predict_table(classifier, given, tmp_path / f"out{target}")
        assert not any("are written as" in note.text for note in tally.notes)
        if target == ".xlsx":
            header, row = sheet(tmp_path / "out.xlsx")
        else:
            header, row = csv.reader(io.StringIO((tmp_path / "out.csv").read_text()))
        assert header == ["text", "", "n", "n", "", *ADDED]
        assert row[:5] == ["happy", *"abcd"]

    @pytest.mark.parametrize("target", [".jsonl", ".json", ".parquet", ".arrow"])
    def test_get_a_name_with_a_note_where_they_need_one(
        self, classifier: Classifier, tmp_path: Path, target: str
    ) -> None:
        given = csv_file(tmp_path / "in.csv", "text,,n,n\nhappy,a,b,c\n")
        tally = predict_table(classifier, given, tmp_path / f"out{target}")
        (row,) = read(tmp_path / f"out{target}")
        names = list(row)[:4]
        assert list(row.values())[:4] == ["happy", *"abc"]
        (note,) = [note for note in tally.notes if "are written as" in note.text]
        assert all(name in note.text for name in names[1:])


class TestErrors:
    """Rows that can't be read as they should."""

    LINES = '{"text": "happy"}\n{"text": {"a": 1}}\n{"text": null}\n'

    @pytest.mark.parametrize("ending", [*WRITERS])
    def test_they_keep_their_place_and_say_why(
        self, classifier: Classifier, tmp_path: Path, ending: str
    ) -> None:
        source = csv_file(tmp_path / "in.jsonl", self.LINES)
        tally = predict_table(classifier, source, tmp_path / f"out{ending}")
        assert (tally.rows, tally.errors, tally.blank) == (3, 1, 1)
        (note,) = [note for note in tally.notes if note.code == "R04"]
        assert (note.n_rows, note.rows) == (1, (2,))
        good, bad, blank = read(tmp_path / f"out{ending}")
        assert [bool(row.get("error")) for row in (good, bad, blank)] == [False, True, False]
        assert bad["error"].startswith("the text is")
        assert not bad["emotion"]
        assert not bad["p_joy"]
        assert bad["reason"] == "unreadable"
        answer = classifier.predict(["happy"])[0]
        assert (good["emotion"] or good["best_guess"]) == (answer.label or answer.best_guess)

    def test_strict_stops_before_the_model_answers(
        self, classifier: Classifier, tmp_path: Path
    ) -> None:
        source = csv_file(tmp_path / "in.jsonl", '{"text": "happy"}\n' * 3000 + self.LINES)
        seen: list[int] = []
        with pytest.raises(DataError, match="line 3002: the text is"):
            predict_table(
                classifier,
                source,
                tmp_path / "out.csv",
                read=tables.ReadOptions(strict=True),
                progress=lambda done, _: seen.append(done),
            )
        assert seen == []

    def test_a_column_without_a_single_text_is_an_error(
        self, classifier: Classifier, tmp_path: Path
    ) -> None:
        source = csv_file(tmp_path / "in.jsonl", '{"text": {"a": 1}}\n' * 3)
        with pytest.raises(DataError, match="line 1: the text is"):
            predict_table(classifier, source, tmp_path / "out.csv")

    def test_a_row_that_the_reader_marks_is_not_asked(self) -> None:
        chunk = Chunk([7, 9], [{"text": "cut"}, {"text": "whole"}], errors={0: "2 fields of 3"})
        table = Table("t.csv", ("text",), lambda _: iter([chunk]))
        assert readable_texts(table, chunk, "text") == (["", "whole"], {0: "2 fields of 3"})


class TestForm:
    """A CSV keeps what the programs that wrote it need."""

    @pytest.mark.parametrize("mark", ["", "\ufeff"])
    @pytest.mark.parametrize("end", ["\n", "\r\n"])
    @pytest.mark.parametrize("delimiter", [",", ";", "\t"])
    def test_of_the_source_is_kept(
        self, classifier: Classifier, tmp_path: Path, delimiter: str, end: str, mark: str
    ) -> None:
        content = f'{mark}id{delimiter}text{end}1{delimiter}"so\r sad"{end}'
        source = csv_file(tmp_path / "in.csv", content)
        predict_table(classifier, source, tmp_path / "out.csv")
        text = (tmp_path / "out.csv").read_bytes().decode("utf-8")
        assert text.startswith(f"{mark}id{delimiter}text{delimiter}emotion{delimiter}")
        assert text.count(end) == 2
        assert '"so\r sad"' in text
        header, row = csv.reader(
            io.StringIO(text.lstrip("\ufeff"), newline=""), delimiter=delimiter
        )
        assert header[:2] == ["id", "text"]
        assert row[:2] == ["1", "so\r sad"]

    @pytest.mark.parametrize(
        ("content", "encoding", "form"),
        [
            ("text\na\n", "utf-8", Form(",", "\n", False)),
            ("text\ncafé\n", "cp1252", Form(",", "\n", True)),
            ("text\r\nb\r\n", "utf-16", Form(",", "\r\n", True)),
            ('"te\nxt"\r\n"a\nb"\r\n"c"\r\n', "utf-8", Form(",", "\r\n", False)),
            ("text\ra\r", "utf-8", Form(",", "\r", False)),
            ("text", "utf-8-sig", Form(",", "\r\n", True)),
            ("text\nso happy\nso\0 sad\n", "utf-8", Form(",", "\n", False)),  # a damaged line
        ],
    )
    def test_is_found_in_the_bytes(
        self, tmp_path: Path, content: str, encoding: str, form: Form
    ) -> None:
        path = csv_file(tmp_path / "in.csv", content, encoding)
        with source_of(path) as source:
            table = open_table(source, labelled=False)
            assert tables.form_of(source, table, ".csv") == form

    @pytest.mark.parametrize(
        ("content", "encoding", "start"),
        [
            ("sep=;\r\ntext;n\r\nhappy;1\r\n", "utf-8", "sep=;\r\ntext;n;emotion;"),
            ('"sep=|"\ntext|n\nhappy|1\n', "utf-8", "sep=|\ntext|n|emotion|"),
            ("sep=;\r\ntext;n\r\nhappy;1\r\n", "utf-16", "\ufeffsep=;\r\ntext;n;emotion;"),
            ("sep=text\nhappy\n", "utf-8", "sep=text,emotion,"),
        ],
    )
    def test_the_line_that_tells_excel_the_delimiter_is_kept(
        self, classifier: Classifier, tmp_path: Path, content: str, encoding: str, start: str
    ) -> None:
        source, first = csv_file(tmp_path / "in.csv", content, encoding), tmp_path / "1.csv"
        named = "sep=text" if "sep=text" in content else "text"
        predict_table(classifier, source, first, text_column=named)
        assert first.read_bytes().decode("utf-8").startswith(start)
        predict_table(classifier, first, tmp_path / "2.csv", text_column=named)
        assert (tmp_path / "2.csv").read_bytes() == first.read_bytes()
        predict_table(classifier, source, tmp_path / "3.jsonl", text_column=named)
        assert read(tmp_path / "3.jsonl")[0][named] == "happy"


def test_lines_of_text_keep_their_ends(classifier: Classifier, tmp_path: Path) -> None:
    for end in ("\n", "\r\n"):
        source = csv_file(tmp_path / "in.txt", f"so happy{end}so sad{end}")
        predict_table(classifier, source, tmp_path / "out.csv", write=WriteOptions(overwrite=True))
        content = (tmp_path / "out.csv").read_bytes().decode()
        assert (content.count(end), content.count("\n")) == (3, 3)


def test_a_row_keeps_the_error_of_an_earlier_call(classifier: Classifier, tmp_path: Path) -> None:
    source = csv_file(tmp_path / "in.csv", "text,n\nhappy,1\nwe lost,the game,2\nsad,3\n")
    first, second = tmp_path / "1.csv", tmp_path / "2.csv"
    for given, target in ((source, first), (first, second)):
        tally = predict_table(classifier, given, target)
        assert (tally.rows, tally.errors) == (3, 1)
    assert second.read_bytes() == first.read_bytes()
    lost = read(second)[1]
    assert (lost["emotion"], "left out: 2" in lost["error"]) == ("", True)
    with pytest.raises(DataError, match=r"line 3 has an error: .*left out: 2") as caught:
        strict = tables.ReadOptions(strict=True)
        predict_table(classifier, first, tmp_path / "3.csv", read=strict)
    assert "'error'" in caught.value.hint
    first.write_text(first.read_text().replace(lost["error"], ""))
    assert predict_table(classifier, first, tmp_path / "4.csv").errors == 0


def test_a_short_number_of_32_bits_stays_short(classifier: Classifier, tmp_path: Path) -> None:
    numbers = pa.array([1.1, None, -0.3, 1e-40], pa.float32())
    source = tmp_path / "in.parquet"
    pq.write_table(pa.table({"text": ["happy"] * 4, "n": numbers}), source)
    for ending in (".csv", ".jsonl", ".xlsx", ".parquet"):
        predict_table(classifier, source, tmp_path / f"out{ending}")
    assert [row["n"] for row in read(tmp_path / "out.csv")] == ["1.1", "", "-0.3", "1e-40"]
    assert [row["n"] for row in read(tmp_path / "out.jsonl")] == [1.1, None, -0.3, 1e-40]
    assert read(tmp_path / "out.xlsx")[0]["n"] == 1.1
    assert pq.read_table(tmp_path / "out.parquet")["n"].chunk(0).equals(numbers)


def test_categories_that_become_plain_are_said(classifier: Classifier, tmp_path: Path) -> None:
    source = tmp_path / "in.parquet"
    groups = pa.array(["a", "b"]).dictionary_encode()
    pq.write_table(pa.table({"text": ["happy", "sad"], "group": groups}), source)
    for ending, said in ((".arrow", True), (".parquet", False)):
        notes = predict_table(classifier, source, tmp_path / f"out{ending}").notes
        assert any("plain values: group" in note.text for note in notes) == said


@pytest.mark.parametrize(("size", "n_groups"), [(1, 1), (100_000, 2)])
def test_groups_of_rows_have_a_size_in_bytes(
    classifier: Classifier, tmp_path: Path, size: int, n_groups: int
) -> None:
    """Not one for each part of the table that is read: the file would be larger."""
    kinds = pa.array(["a", "b", "c", "d"] * 125).dictionary_encode()
    table = pa.table({"text": ["happy"] * 500, "kind": kinds, "more": ["x" * size] * 500})
    pq.write_table(table, tmp_path / "in.parquet", row_group_size=100)
    predict_table(classifier, tmp_path / "in.parquet", tmp_path / "out.parquet")
    assert pq.read_table(tmp_path / "out.parquet").select(table.column_names).equals(table)
    assert pq.read_metadata(tmp_path / "out.parquet").num_row_groups == n_groups


class TestSafeCsv:
    """Cells that a spreadsheet would run."""

    @pytest.mark.parametrize(
        "cell",
        [
            "=1+1",
            "+cmd|' /C calc'!A0",
            "-2+3",
            "@SUM(1)",
            "\t=1",
            "\r=1",
            "\n=1",
            "＝1",
            "-",
            "--5",
        ],
    )
    def test_get_an_apostrophe(self, cell: str) -> None:
        assert safe(cell) == f"'{cell}"

    @pytest.mark.parametrize(
        "cell", ["-5", "+3.25", "-.5", "-1,5", "-1e-3", "a=1", "", " =1", -5, None]
    )
    def test_others_stay(self, cell: Any) -> None:
        assert safe(cell) == cell

    def test_in_cells_and_header(self, classifier: Classifier, tmp_path: Path) -> None:
        source = csv_file(tmp_path / "in.csv", "text,=n\n=1+1,-5\n")
        for ending in (".csv", ".tsv"):
            target = tmp_path / f"out{ending}"
            predict_table(classifier, source, target, write=WriteOptions(safe_csv=True))
            (row,) = read(target)
            assert (row["text"], row["'=n"]) == ("'=1+1", "-5")
        predict_table(classifier, source, tmp_path / "as-it-is.csv")
        assert read(tmp_path / "as-it-is.csv")[0]["text"] == "=1+1"
        with pytest.raises(UsageError, match="--safe-csv is for"):
            predict_table(
                classifier, source, tmp_path / "out.xlsx", write=WriteOptions(safe_csv=True)
            )


class TestExcel:
    """A cell shows what was read; nothing in it runs."""

    VALUES = (
        "=1+1", "https://a.b/c", "007", "<r>x</r>", "<r></is></c><c><f>1+1</f></c></r>", "_x0041_",
        "a\r\nb", "\x01", " both ", "😀", "{=1}", "mailto:a@b.c", 3, 2.5, True, -7, 10**15, None,
        datetime.datetime(2024, 5, 1, 10, 30), datetime.date(2024, 5, 1), datetime.time(1, 2, 3),
        datetime.timedelta(hours=30), datetime.date(1800, 1, 1), float("inf"), float("nan"),
        datetime.datetime(2024, 1, 1, tzinfo=datetime.UTC), [1, "a"], b"\xff",
    )  # fmt: skip

    def test_holds_each_kind_of_value(self, tmp_path: Path) -> None:
        table = Table("t", ("text",), lambda _: iter([]))
        writer = Excel(Layout(table, ("text",), {}, Form(), safe=False))
        chunk = Chunk(range(len(self.VALUES)), [{"text": value} for value in self.VALUES])
        writer.look(chunk)
        with (tmp_path / "out.xlsx").open("wb") as file:
            writer.write([(chunk, [{} for _ in self.VALUES])], file)
        cells = [row[0] for row in sheet(tmp_path / "out.xlsx")[1:]]
        as_text = {10**15: "1000000000000000", float("inf"): "inf"}
        wanted: list[Any] = [as_text.get(v, v) for v in self.VALUES[:-4]]
        wanted = ["" if v is None else v for v in wanted]
        wanted[22] = "1800-01-01"
        wanted += ["", "2024-01-01 00:00:00+00:00", '[1, "a"]', "/w=="]
        assert cells == wanted

    def test_the_sheet_has_no_formula_and_no_link(
        self, classifier: Classifier, tmp_path: Path
    ) -> None:
        import zipfile

        lines = "".join(json.dumps({"text": v}) + "\n" for v in self.VALUES[:12])
        predict_table(classifier, csv_file(tmp_path / "in.jsonl", lines), tmp_path / "out.xlsx")
        with zipfile.ZipFile(tmp_path / "out.xlsx") as book:
            parts = {name: book.read(name) for name in book.namelist()}
        assert not any(b"<f>" in part or b"hyperlink" in part for part in parts.values())

    def test_a_longer_cell_is_named_before_the_model_answers(
        self, classifier: Classifier, tmp_path: Path
    ) -> None:
        seen: list[int] = []
        for text, fits in (("a" * MOST_CHARACTERS, True), ("😀" * 16_384, False)):
            source = csv_file(tmp_path / "in.csv", f"text\nhappy\n{text}\n")
            target = tmp_path / f"{fits}.xlsx"
            if fits:
                predict_table(classifier, source, target)
                assert read(target)[1]["text"] == text
                continue
            with pytest.raises(DataError, match=r"line 3: .*'text' has 32,768 char") as caught:
                predict_table(
                    classifier, source, target, progress=lambda done, _: seen.append(done)
                )
            assert "--out NAME.csv" in caught.value.hint
            assert seen == []
            assert not target.exists()

    def test_more_rows_or_columns_than_a_sheet_are_an_error(self) -> None:
        table = Table("t.csv", tuple(f"c{i}" for i in range(16_383)), lambda _: iter([]))
        with pytest.raises(DataError, match="16,384 columns"):
            Excel(Layout(table, table.columns, {"emotion": str}, Form(), safe=False))
        writer = Excel(Layout(table, (), {"emotion": str}, Form(), safe=False))
        writer.look(Chunk(range(1_048_575), [{}] * 1_048_575))
        with pytest.raises(DataError, match="more rows than a sheet of Excel"):
            writer.look(Chunk([1], [{}]))


TITLES = st.lists(
    st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Cs", "Zs", "Zl", "Zp", "Cf")))
    .map(str.strip)
    .filter(lambda name: name and name not in (*ADDED, "text", "error")),
    max_size=3,
    unique=True,
)
CELLS = st.text(
    st.characters(codec="utf-8", exclude_characters="\0\ufffe\uffff\r\x85"), max_size=12
)
SOURCES = (
    ".csv",
    ".utf16.csv",
    ".tsv",
    ".csv.gz",
    ".jsonl",
    ".json",
    ".parquet",
    ".arrow",
    ".xlsx",
)


@st.composite
def generated(draw: st.DrawFn) -> Rows:
    """Rows of strings under any names; each has a text that is not blank."""
    names = ["text", *draw(TITLES)]
    n_rows = draw(st.integers(1, 6))
    cells = [[f"x{draw(CELLS)}", *(draw(CELLS) for _ in names[1:])] for _ in range(n_rows)]
    return [dict(zip(names, row, strict=True)) for row in cells]


@pytest.mark.parametrize("target", [*WRITERS, ".csv.gz", ".jsonl.zst", ".csv.zip"])
@pytest.mark.parametrize("source", SOURCES)
@settings(max_examples=5, deadline=None)
@hypothesis_given(rows=generated())
def test_rows_columns_and_cells_come_out_as_they_went_in(
    tmp_path_factory: pytest.TempPathFactory,
    classifier: Classifier,
    source: str,
    target: str,
    rows: Rows,
) -> None:
    folder = tmp_path_factory.getbasetemp()
    given, out = write(folder / f"pair{source}", rows), folder / f"pair-out{target}"
    tally = predict_table(classifier, given, out, write=WriteOptions(overwrite=True))
    assert (tally.rows, tally.errors) == (len(rows), 0)
    by_others = read(out)
    assert [name.removeprefix("\ufeff") for name in by_others[0]] == [*rows[0], *ADDED]
    with source_of(out) as again:
        table = open_table(again, labelled=False)
        by_emolens = [row for chunk in table.chunks() for row in chunk.rows]
    assert table.titles == (*rows[0], *ADDED)
    for rows_out in (by_others, by_emolens):
        cells = [[row[key] or "" for key in row][: len(rows[0])] for row in rows_out]
        assert cells == [list(row.values()) for row in rows]
