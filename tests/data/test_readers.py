"""Learning, encoding and predicting get the same rows of a file, or the same sentence."""

from __future__ import annotations

import json
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.feather
import pyarrow.ipc
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from emolens.data.readers.columns import choose_column, texts_of
from emolens.data.readers.endings import ENDINGS
from emolens.data.readers.table import CHUNK, Table
from emolens.errors import DataError
from tests.conftest import write_csv
from tests.tables import open_table

WORKBOOKS = ("xlsx", "xls", "xlsb", "ods")
STREAMED = [ending for ending, kind in ENDINGS.items() if kind not in WORKBOOKS]
ARROW = (".parquet", ".arrow", ".arrows", ".feather")


def written(path: Path, content: str | bytes) -> Path:
    path.write_bytes(content if isinstance(content, bytes) else content.encode("utf-8"))
    return path


def rows_of(path: Path, *, labelled: bool = True) -> dict[str, dict[str, Any]]:
    """All rows, by their place."""
    table = open_table(path, labelled=labelled)
    return {
        table.where(number).removeprefix(f"{path}, "): row
        for chunk in table.chunks()
        for number, row in zip(chunk.numbers, chunk.rows, strict=True)
    }


def texts(path: Path, *, labelled: bool) -> list[str]:
    table = open_table(path, labelled=labelled)
    column = choose_column(table, "text")
    return [text for chunk in table.chunks(column) for text in texts_of(table, chunk, column)]


def write_arrow(path: Path, table: pa.Table) -> Path:
    if path.suffix == ".parquet":
        pq.write_table(table, path, row_group_size=3_000)
    elif path.suffix == ".feather":
        pyarrow.feather.write_feather(table, path, chunksize=3_000)
    else:
        with pa.ipc.new_stream(str(path), table.schema) as writer:
            writer.write_table(table, max_chunksize=3_000)
    return path


def write_rows(path: Path, n: int) -> Path:
    """n rows of a text and a label in the format of the ending."""
    if path.suffix in ARROW:
        return write_arrow(
            path, pa.table({"text": [f"t{i}" for i in range(n)], "label": ["joy"] * n})
        )
    line = {".csv": "t{},joy", ".tsv": "t{}\tjoy", ".txt": "t{};joy"}.get(
        path.suffix, '{{"text": "t{}", "label": "joy"}}'
    )
    header = {".csv": "text,label\n", ".tsv": "text\tlabel\n"}.get(path.suffix, "")
    return written(path, header + "\n".join(line.format(i) for i in range(n)))


# name, content, what the message must contain
BROKEN = [
    ("rows.csv", b"", ["is empty"]),
    ("rows.txt", b"", ["is empty"]),
    ("rows.jsonl", b"", ["is empty"]),
    ("rows.parquet", b"", ["is empty"]),
    ("rows.csv", b"text,label\n", ["holds no rows"]),
    ("rows.txt", b"text;label\n", ["holds no rows"]),
    ("rows.csv", b"\n\n \n", ["holds no rows"]),
    ("rows.jsonl", b"\n\n", ["holds no rows"]),
    ("rows.csv", b"\x00" * 50 + b"text,label\n", ["50 NUL bytes"]),
    ("rows.txt", b"\x7fELF\x00\x00\xff\xfe" * 9, ["NUL bytes"]),
    ("rows.csv", b"\xef\xbb\xbf", ["holds no rows"]),
    ("rows.txt", "label;label\na;joy\n", ["two columns 'label'"]),
    ("rows.txt", "a\nno label here\n", ["line 1", "';'"]),
    ("rows.jsonl", '{"text": "a"}\n{"text": \n', ["line 2", "not JSON"]),
    ("rows.jsonl", '{"text": "a"}\n["a", "joy"]\n', ["line 2", "not an object"]),
    ("rows.jsonl", "[" * 100_000 + "\n", ["row 1", "not JSON"]),
    ("rows.parquet", b"PAR1 this is no Parquet PAR1", ["rows.parquet"]),
    ("rows.arrow", b"ARROW1\x00\x00 this is no Arrow", ["rows.arrow"]),
    ("rows.pdf", b"%PDF", ["is a PDF document"]),
]


@pytest.mark.parametrize(("name", "content", "named"), BROKEN)
def test_a_broken_file_gives_one_sentence_and_a_hint(
    tmp_path: Path, name: str, content: str | bytes, named: list[str]
) -> None:
    path = written(tmp_path / name, content)
    with pytest.raises(DataError) as caught:
        rows_of(path)
    message = str(caught.value)
    assert str(path) in message
    assert "\n" not in message
    assert all(piece in message for piece in named), message
    assert caught.value.hint


def test_a_missing_file_names_the_files_beside_it(tmp_path: Path) -> None:
    written(tmp_path / "other.csv", "a")
    with pytest.raises(DataError, match="no file or folder") as caught:
        open_table(tmp_path / "rows.csv", labelled=True)
    assert "other.csv" in caught.value.hint


def test_a_folder_with_the_ending_of_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "rows.csv").mkdir()
    with pytest.raises(DataError, match=r"rows\.csv is a folder"):
        open_table(tmp_path / "rows.csv", labelled=True)


# name, content, texts, the place of each
WHOLE = [
    ("bom.csv", b"\xef\xbb\xbftext,label\na,joy\n", ["a"], ["line 2"]),
    ("bom.txt", b"\xef\xbb\xbftext;label\na;joy\n", ["a"], ["line 2"]),
    ("bom.jsonl", b'\xef\xbb\xbf{"text": "a", "label": "joy"}\n', ["a"], ["line 1"]),
    ("semicolons.csv", "text;label\none, two;joy\n", ["one, two"], ["line 2"]),
    ("tabs.csv", "text\tlabel\none, two\tjoy\n", ["one, two"], ["line 2"]),
    ("crlf.csv", "text,label\r\na,joy\r\nb,joy\r\n", ["a", "b"], ["line 2", "line 3"]),
    ("crlf.txt", "a;joy\r\nb;joy\r\n", ["a", "b"], ["line 1", "line 2"]),
    ("cr.csv", "text,label\ra,joy\rb,joy\r", ["a", "b"], ["line 2", "line 3"]),
    ("cr.txt", "a;joy\rb;joy\r", ["a", "b"], ["line 1", "line 2"]),
    (
        "quoted.csv",
        'text,label\n"two\nlines, and ""quotes""",joy\n\nb,joy\n',
        ['two\nlines, and "quotes"', "b"],
        ["line 2", "line 5"],
    ),
    ("quoted-crlf.csv", 'text,label\r\n"two\r\nlines",joy\r\n', ["two\r\nlines"], ["line 2"]),
    ("blank-start.csv", "\n \n,\ntext,label\na,joy\n", ["a"], ["line 5"]),
    ("spaced.csv", " text , label \na,joy\n", ["a"], ["line 2"]),
    ("cased.csv", "Text,text,label\nno,a,joy\n", ["a"], ["line 2"]),
    ("unnamed.csv", ",text,label,\n0,a,joy,x\n", ["a"], ["line 2"]),
    ("texts.txt", "one; two; three;joy\n\nb;joy\n", ["one; two; three", "b"], ["line 1", "line 3"]),
    ("named.txt", "\ntext;label_name\na;joy\n", ["a"], ["line 3"]),
    ("separators.txt", "a\u2028b\x85c;joy\nd;joy\n", ["a\u2028b\x85c", "d"], ["line 1", "line 2"]),
    (
        "separators.csv",
        "text,label\na\u2028b,joy\nd,joy\n",
        ["a\u2028b", "d"],
        ["line 2", "line 3"],
    ),
    (
        "separators.jsonl",
        '{"text": "a\u2028b", "label": "joy"}\n\n{"text": "d", "label": "joy"}\n',
        ["a\u2028b", "d"],
        ["line 1", "line 3"],
    ),
    ("emoji.jsonl", '{"text": "\\ud83d\\ude00", "label": "joy"}', ["😀"], ["line 1"]),
    ("other.ndjson", '{"text": "a", "label": "joy"}', ["a"], ["line 1"]),
    (
        "late.jsonl",
        '{"label": "joy"}\n{"text": "a", "label": "joy"}\n',
        ["", "a"],
        ["line 1", "line 2"],
    ),
    ("huge.csv", f"text,label\n{'x' * 300_000},joy\n", ["x" * 300_000], ["line 2"]),
]


@pytest.mark.parametrize(("name", "content", "wanted", "places"), WHOLE, ids=[w[0] for w in WHOLE])
def test_files_as_people_save_them_are_read(
    tmp_path: Path, name: str, content: str | bytes, wanted: list[str], places: list[str]
) -> None:
    path = written(tmp_path / name, content)
    assert texts(path, labelled=True) == wanted
    rows = rows_of(path)
    assert list(rows) == places
    label = choose_column(open_table(path, labelled=True), "label")
    assert {row[label] for row in rows.values()} == {"joy"}


def test_each_line_of_a_txt_to_predict_is_a_text(tmp_path: Path) -> None:
    path = written(tmp_path / "a.txt", "\ufeffi am glad\r\n\na; b;joy\n  \r😀")
    rows = rows_of(path, labelled=False)
    assert [row["text"] for row in rows.values()] == ["i am glad", "", "a; b;joy", "  ", "😀"]
    assert list(rows)[-1] == "line 5"


def test_an_empty_line_is_an_empty_cell_where_there_is_one_column_only(tmp_path: Path) -> None:
    """Spreadsheets write it so. Skipping it would move the answers to other rows."""
    one = written(tmp_path / "one.csv", "text\na\n\nb\n")
    assert texts(one, labelled=False) == ["a", "", "b"]
    two = written(tmp_path / "two.csv", "text,n\na,1\n\n,2\nb,3\n")
    assert texts(two, labelled=False) == ["a", "", "b"]


def test_a_delimiter_in_quotes_is_part_of_the_name(tmp_path: Path) -> None:
    path = written(tmp_path / "a.csv", 'text,"notes; ""more""; x"\na,b\n')
    assert open_table(path, labelled=False).columns == ("text", 'notes; "more"; x')
    path = written(tmp_path / "b.csv", 'height, 5";"a, b, c";text\n1;2;a\n')
    assert open_table(path, labelled=False).columns == ('height, 5"', "a, b, c", "text")


def test_a_column_without_a_name_is_called_by_its_place(tmp_path: Path) -> None:
    path = written(tmp_path / "a.csv", ",text,,\n0,a,b,c\n")
    assert list(rows_of(path).values()) == [
        {"column_1": "0", "text": "a", "column_3": "b", "column_4": "c"}
    ]
    path = written(tmp_path / "b.csv", "text,,column_2\na,b,c\n")
    assert list(rows_of(path).values()) == [{"text": "a", "column_2_": "b", "column_2": "c"}]


def test_columns_of_json_lines_are_those_of_all_lines(tmp_path: Path) -> None:
    lines = [{"text": "a"}] * (CHUNK + 5) + [{"label": "joy"}]
    path = written(tmp_path / "a.jsonl", "\n".join(map(json.dumps, lines)))
    table = open_table(path, labelled=True)
    assert table.columns == ("text", "label")
    assert list(rows_of(path).values())[-1] == {"label": "joy"}


@pytest.mark.parametrize("ending", STREAMED)
def test_rows_come_a_chunk_at_a_time_and_can_be_read_again(tmp_path: Path, ending: str) -> None:
    n = CHUNK + 10
    path = write_rows(tmp_path / f"a{ending}", n)
    table = open_table(path, labelled=True)
    for _ in range(2):
        assert [len(chunk) for chunk in table.chunks()] == [CHUNK, 10]
    assert texts(path, labelled=True) == [f"t{i}" for i in range(n)]


@pytest.mark.parametrize("ending", STREAMED)
def test_memory_does_not_grow_with_the_rows(tmp_path: Path, ending: str) -> None:
    peaks = []
    for n in (6_000, 60_000):
        path = write_rows(tmp_path / f"a{ending}", n)
        before, most = pa.total_allocated_bytes(), 0
        tracemalloc.start()
        for chunk in open_table(path, labelled=True).chunks("text"):
            most = max(most, pa.total_allocated_bytes() - before)
            assert len(chunk) <= CHUNK
        peaks.append(most + tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < 2 * peaks[0]


@pytest.mark.parametrize("ending", ARROW)
def test_values_of_arrow_are_those_of_python(tmp_path: Path, ending: str) -> None:
    blob = b"\xff\xfe"
    table = pa.table(
        {
            "text": pa.array(["café".encode(), None], pa.binary()),
            "large": pa.array(["a", None], pa.large_string()),
            "label": pa.array(["joy", "fear"]).dictionary_encode(),
            "picture": pa.array([blob, b"ok"], pa.large_binary()),
            "ns": pa.array([1_000, 1], pa.timestamp("ns")),
            "zone": pa.array([1, None], pa.timestamp("us", "Nowhere/Town")),
            "list": [["x"], []],
            "object": [{"a": 1}, None],
        }
    )
    rows = list(rows_of(write_arrow(tmp_path / f"a{ending}", table)).values())
    assert rows[0]["text"] == "café"
    assert rows[1]["text"] is None
    assert [row["picture"] for row in rows] == [blob, "ok"]
    assert [row["label"] for row in rows] == ["joy", "fear"]
    assert [str(row["ns"]) for row in rows] == [
        "1970-01-01 00:00:00.000001000",
        "1970-01-01 00:00:00.000000001",
    ]
    assert [str(row["zone"]) for row in rows] == ["1970-01-01 00:00:00.000001+00:00", "None"]
    assert [row["list"] for row in rows] == [["x"], []]
    assert [row["object"] for row in rows] == [{"a": 1}, None]


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ([b"fine", b"\xff"], "row 2: the text is bytes that are not UTF-8"),
        ([[1, 2], None], "row 1: the text is a list or an object"),
        ([None, {"a": "b"}], "row 2: the text is a list or an object"),
    ],
)
def test_a_value_that_is_no_text_names_its_row(
    tmp_path: Path, values: list[Any], message: str
) -> None:
    path = write_arrow(tmp_path / "a.parquet", pa.table({"text": values}))
    with pytest.raises(DataError, match=message) as caught:
        texts(path, labelled=False)
    assert "--text" in caught.value.hint


def test_a_string_column_that_holds_other_bytes_names_its_row(tmp_path: Path) -> None:
    """Some programs write strings without checking that they are UTF-8."""
    wrong = pa.array([b"fine", b"caf\xe9"], pa.binary())
    strings = pa.Array.from_buffers(pa.string(), 2, wrong.buffers())
    path = write_arrow(tmp_path / "a.parquet", pa.table({"text": strings}))
    with pytest.raises(DataError, match="row 2: the text is bytes that are not UTF-8"):
        texts(path, labelled=False)


@pytest.mark.parametrize("ending", ARROW)
def test_a_file_that_was_cut_off_anywhere_is_a_data_error(tmp_path: Path, ending: str) -> None:
    table = pa.table({"text": ["one text"] * 50, "label": ["joy"] * 50})
    path = write_arrow(tmp_path / f"rows{ending}", table)
    whole = path.read_bytes()
    for size in range(1, len(whole) - 8, max(1, len(whole) // 40)):
        path.write_bytes(whole[:size])
        with pytest.raises(DataError) as caught:
            rows_of(path)
        assert str(path) in str(caught.value)
        assert "\n" not in str(caught.value)


PIECES = (
    b"text", b"label", b"joy", b",", b";", b"\t", b"\n", b"\r\n", b"\r", b'"', b" ",
    b"\xef\xbb\xbf", b"\x00", b"\xff", b"\xe9", "é\u2028".encode(), b"{", b"}", b'"text":', b'"a"',
    b"null", b"NaN", b'"\\ud83d"', b"[", b"]", b"1e999", b"text,label\n", b'{"text":"a"}\n',
    b"9" * 5000,
)  # fmt: skip
HOSTILE_BYTES = st.one_of(
    st.binary(max_size=80), st.lists(st.sampled_from(PIECES), max_size=14).map(b"".join)
)


def outcome(read: Callable[[], list[str]]) -> list[str] | str:
    """The texts, or the message of the error."""
    try:
        return read()
    except DataError as error:
        assert "\n" not in str(error)
        assert error.hint
        return str(error)


@settings(max_examples=200, deadline=None)
@given(content=HOSTILE_BYTES, ending=st.sampled_from([e for e in ENDINGS if e not in ARROW]))
def test_any_bytes_give_the_same_rows_or_the_same_sentence_to_both_uses(
    tmp_path_factory: pytest.TempPathFactory, content: bytes, ending: str
) -> None:
    path = written(tmp_path_factory.getbasetemp() / f"any{ending}", content)
    learned = outcome(lambda: texts(path, labelled=True))
    predicted = outcome(lambda: texts(path, labelled=False))
    if ENDINGS[ending] != "txt":  # lines with labels, and lines without
        assert learned == predicted


@settings(max_examples=150, deadline=None)
@given(
    ending=st.sampled_from(ARROW),
    place=st.floats(0, 1, exclude_max=True),
    put=st.binary(max_size=4),
    cut=st.integers(0, 6),
)
def test_a_damaged_arrow_file_gives_the_same_rows_or_the_same_sentence_to_both_uses(
    tmp_path_factory: pytest.TempPathFactory, ending: str, place: float, put: bytes, cut: int
) -> None:
    path = tmp_path_factory.getbasetemp() / f"any{ending}"
    table = pa.table({"text": ["one", "two", None], "n": [1, 2, 3], "tags": [["a"], [], None]})
    raw = write_arrow(path, table).read_bytes()
    start = int(place * len(raw))
    written(path, raw[:start] + put + raw[start + cut :])
    learned = outcome(lambda: texts(path, labelled=True))
    assert learned == outcome(lambda: texts(path, labelled=False))


def test_class_names_that_datasets_leaves_in_a_schema_are_kept(tmp_path: Path) -> None:
    features = {
        "label": {"names": ["no", "yes"], "_type": "ClassLabel"},
        "text": {"_type": "Value"},
    }
    schema = {"huggingface": json.dumps({"info": {"features": features}})}
    table = pa.table({"text": ["a"], "label": [1]}).replace_schema_metadata(schema)
    path = write_arrow(tmp_path / "a.parquet", table)
    assert open_table(path, labelled=True).class_names == {"label": ("no", "yes")}


def test_damaged_schema_metadata_is_no_reason_to_fail(tmp_path: Path) -> None:
    table = pa.table({"text": ["a"]}).replace_schema_metadata({"huggingface": "{not json"})
    path = write_arrow(tmp_path / "a.parquet", table)
    assert open_table(path, labelled=True).class_names == {}


def test_a_csv_that_python_wrote_is_read_back(tmp_path: Path) -> None:
    wanted = ['he said "no"', "a,b;c", "two\nlines", " spaces ", ""]
    path = write_csv(tmp_path / "a.csv", [(text, "joy") for text in wanted])
    assert texts(path, labelled=True) == wanted


def test_a_table_prints_as_one_line() -> None:
    table = Table("here", ("text", "label"), lambda _: iter(()))
    assert repr(table) == "Table(here, columns text, label)"
