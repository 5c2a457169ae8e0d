"""Tables keep their columns and rows and gain the answers; what is broken is named."""

from __future__ import annotations

import csv
import json
from datetime import datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.feather
import pyarrow.parquet as pq
import pytest
from hypothesis import given as hypothesis_given
from hypothesis import settings
from hypothesis import strategies as st

from emolens.data.readers.open import source_of
from emolens.data.readers.options import ReadOptions
from emolens.errors import DataError, EmolensError, UsageError
from emolens.predict.classifier import Classifier
from emolens.predict.tables import WriteOptions, default_target, predict_table
from tests.conftest import HOSTILE, feeling_rows
from tests.predict.formats import ADDED, Rows, read, write

TEXTS = [*HOSTILE, 'a "quoted", text;\twith\nall of it', "", *(t for t, _ in feeling_rows(9))]
OVERWRITE = WriteOptions(overwrite=True)


@pytest.mark.parametrize("target", [".csv", ".tsv", ".jsonl", ".parquet"])
@pytest.mark.parametrize("source", [".csv", ".tsv", ".jsonl", ".parquet"])
def test_columns_and_rows_are_kept_and_the_answers_added(
    classifier: Classifier, tmp_path: Path, source: str, target: str
) -> None:
    rows = [{"id": str(i), "text": text, "note": f"n{i}"} for i, text in enumerate(TEXTS)]
    given = write(tmp_path / f"in{source}", rows)
    n = predict_table(classifier, given, tmp_path / f"out{target}").rows
    rows_out = read(tmp_path / f"out{target}")
    assert n == len(rows) == len(rows_out)
    assert list(rows_out[0]) == ["id", "text", "note", *ADDED]
    assert [{k: row[k] for k in rows[0]} for row in rows_out] == rows
    for row, answer in zip(rows_out, classifier.predict(TEXTS), strict=True):
        nothing = "" if target in (".csv", ".tsv") else None
        assert str(row["unsure"]) == str(answer.unsure)
        assert row["emotion"] == (answer.label or nothing)
        assert row["best_guess"] == (answer.best_guess or nothing)
        assert row["reason"] == (answer.reason or nothing)
        if answer.probability is None:
            assert [row[name] for name in ADDED if name.startswith("p")] == [nothing] * 4
            continue
        assert float(row["probability"]) == pytest.approx(answer.probability, abs=1e-4)
        assert float(row["p_joy"]) == pytest.approx(answer.probabilities["joy"], abs=1e-4)


@pytest.mark.parametrize("target", [".csv", ".jsonl", ".parquet"])
def test_the_first_row_may_be_blank(classifier: Classifier, tmp_path: Path, target: str) -> None:
    given = write(tmp_path / "in.parquet", [{"text": "\u200b"}, {"text": "happy"}])
    tally = predict_table(classifier, given, tmp_path / f"out{target}")
    assert (tally.rows, tally.blank) == (2, 1)
    blank, happy = read(tmp_path / f"out{target}")
    assert (blank["emotion"] or "", blank["best_guess"] or "") == ("", "")
    answer = classifier.predict(["happy"])[0]
    assert (happy["emotion"] or happy["best_guess"]) == (answer.label or answer.best_guess)


def test_lines_of_text_become_a_table(classifier: Classifier, tmp_path: Path) -> None:
    (tmp_path / "in.txt").write_text("\ufeffi am happy\n\nso sad, today\r\n😀", "utf-8")
    tally = predict_table(classifier, tmp_path / "in.txt", tmp_path / "out.csv")
    assert (tally.rows, tally.blank) == (4, 1)
    assert (tmp_path / "out.csv").read_text("utf-8").startswith("\ufefftext")  # as the lines
    rows = read(tmp_path / "out.csv")
    assert [row["text"] for row in rows] == ["i am happy", "", "so sad, today", "😀"]
    assert list(rows[0]) == ["text", *ADDED]
    assert tally.unsure == sum(row["unsure"] == "True" for row in rows if row["text"]) >= 1
    assert rows[1] == dict.fromkeys(rows[1], "") | {"unsure": "True", "reason": "blank"}


def test_lines_with_labels_are_refused_and_both_ways_of_the_hint_work(
    classifier: Classifier, tmp_path: Path
) -> None:
    given, target = tmp_path / "in.txt", tmp_path / "out.csv"
    given.write_text("so happy;joy\nso sad;sadness\n")
    with pytest.raises(DataError, match="holds 'text;label' lines") as caught:
        predict_table(classifier, given, target)
    assert "--delimiter none" in caught.value.hint
    whole = ReadOptions(delimiter="none")
    predict_table(classifier, given, target, read=whole, write=OVERWRITE)
    assert [row["text"] for row in read(target)] == ["so happy;joy", "so sad;sadness"]
    assert "--format csv --delimiter semicolon --no-header" in caught.value.hint
    parts = ReadOptions(file_format="csv", delimiter="semicolon", header=False)
    predict_table(classifier, given, target, read=parts, write=OVERWRITE)
    assert target.read_text().splitlines()[1].startswith("so happy;joy;")


@pytest.mark.parametrize("suffix", [".csv", ".jsonl", ".parquet"])
def test_more_rows_than_a_chunk_keep_their_order(
    classifier: Classifier, tmp_path: Path, suffix: str
) -> None:
    rows = [{"n": str(i), "text": ("happy", "so sad", "angry cat")[i % 3]} for i in range(5000)]
    seen: list[tuple[int, int | None]] = []
    given, target = write(tmp_path / f"in{suffix}", rows), tmp_path / f"out{suffix}"
    assert predict_table(classifier, given, target, progress=lambda *n: seen.append(n)).rows == 5000
    rows_out = read(target)
    assert [row["n"] for row in rows_out] == [row["n"] for row in rows]
    emotions = [
        a.label or a.best_guess for a in classifier.predict(["happy", "so sad", "angry cat"])
    ]
    assert [row["emotion"] or row["best_guess"] for row in rows_out] == [
        emotions[i % 3] for i in range(5000)
    ]
    assert seen == [(2048, 5000), (4096, 5000), (5000, 5000)]


def test_a_file_is_never_its_own_target(classifier: Classifier, tmp_path: Path) -> None:
    given = write(tmp_path / "in.csv", [{"text": "happy"}])
    before = given.read_bytes()
    for overwrite in (False, True):
        with pytest.raises(UsageError, match="is the input"):
            predict_table(classifier, given, given, write=WriteOptions(overwrite=overwrite))
    assert given.read_bytes() == before


def test_a_target_that_exists_needs_overwrite(classifier: Classifier, tmp_path: Path) -> None:
    given, target = write(tmp_path / "in.csv", [{"text": "happy"}]), tmp_path / "out.csv"
    target.write_text("mine")
    with pytest.raises(UsageError, match="exists already"):
        predict_table(classifier, given, target)
    assert target.read_text() == "mine"
    predict_table(classifier, given, target, write=OVERWRITE)
    assert list(read(target)[0]) == ["text", *ADDED]


def test_a_target_that_appears_in_the_meantime_stays(
    classifier: Classifier, tmp_path: Path
) -> None:
    given, target = write(tmp_path / "in.csv", [{"text": "happy"}]), tmp_path / "out.csv"
    with pytest.raises(UsageError, match="exists already"):
        predict_table(classifier, given, target, progress=lambda *_: target.write_text("mine"))
    assert target.read_text() == "mine"


def test_a_named_column_is_taken(classifier: Classifier, tmp_path: Path) -> None:
    given = write(tmp_path / "in.csv", [{"text": "so sad", "reply": "happy"}])
    predict_table(classifier, given, tmp_path / "out.csv", text_column="reply")
    answer = classifier.predict(["happy"])[0]
    assert float(read(tmp_path / "out.csv")[0]["p_joy"]) == pytest.approx(
        answer.probabilities["joy"], abs=1e-4
    )


class TestTypes:
    """Parquet keeps the types of its source; JSON lines are read through for theirs."""

    def test_a_column_that_is_empty_in_the_first_chunk_only(
        self, classifier: Classifier, tmp_path: Path
    ) -> None:
        rows: Rows = [{"text": "happy", "note": None} for _ in range(2500)]
        rows[2400]["note"] = "late"
        for suffix in (".parquet", ".jsonl"):
            given = write(tmp_path / f"in{suffix}", rows)
            predict_table(classifier, given, tmp_path / "out.parquet", write=OVERWRITE)
            assert [row["note"] for row in read(tmp_path / "out.parquet")] == [
                row["note"] for row in rows
            ]

    def test_types_of_parquet_are_kept(self, classifier: Classifier, tmp_path: Path) -> None:
        schema = pa.schema(
            {
                "text": pa.large_string(),
                "n": pa.int8(),
                "at": pa.timestamp("ms", tz="UTC"),
                "kind": pa.dictionary(pa.int8(), pa.string()),
                "tags": pa.list_(pa.string()),
                "nothing": pa.null(),
            }
        )
        row = {
            "text": "happy",
            "n": 3,
            "at": datetime.fromisoformat("2024-05-01T10:00:00+00:00"),
            "kind": "a",
            "tags": ["x", "y"],
            "nothing": None,
        }
        pq.write_table(pa.Table.from_pylist([row], schema=schema), tmp_path / "in.parquet")
        predict_table(classifier, tmp_path / "in.parquet", tmp_path / "out.parquet")
        rows_out = pq.read_table(tmp_path / "out.parquet")
        assert rows_out.schema.names == [*schema.names, *ADDED]
        for field in schema:
            assert rows_out.schema.field(field.name).type == field.type
        assert {k: rows_out.to_pylist()[0][k] for k in row} == row
        assert str(rows_out.schema.field("unsure").type) == "bool"

    def test_json_lines_of_different_columns_all_fit_into_parquet(
        self, classifier: Classifier, tmp_path: Path
    ) -> None:
        rows: Rows = [{"text": "happy", "n": 1}, {"text": "sad", "n": 2.5, "late": "x"}]
        given = write(tmp_path / "in.jsonl", rows)
        predict_table(classifier, given, tmp_path / "out.parquet")
        rows_out = read(tmp_path / "out.parquet")
        assert [(r["text"], r["n"], r["late"]) for r in rows_out] == [
            ("happy", 1.0, None),
            ("sad", 2.5, "x"),
        ]

    @pytest.mark.parametrize("values", [(1, "x"), ({}, None), (2**70, 1), ([1], {"a": 2})])
    @pytest.mark.parametrize("ending", [".parquet", ".arrow", ".feather"])
    def test_values_without_a_common_type_are_written_as_text_with_a_note(
        self, classifier: Classifier, tmp_path: Path, values: tuple[Any, Any], ending: str
    ) -> None:
        given = write(tmp_path / "in.jsonl", [{"text": "happy", "n": value} for value in values])
        tally = predict_table(classifier, given, tmp_path / f"out{ending}")
        texts = [v if v is None or isinstance(v, str) else json.dumps(v) for v in values]
        assert [row["n"] for row in read(tmp_path / f"out{ending}")] == texts
        (note,) = tally.notes
        assert "'n'" in note.text
        assert ".jsonl" in note.hint

    def test_a_type_that_parquet_cannot_hold_is_named(
        self, classifier: Classifier, tmp_path: Path
    ) -> None:
        interval = pa.array([pa.MonthDayNano([1, 2, 3])])
        table = pa.table({"text": ["happy"], "gap": interval})
        pyarrow.feather.write_feather(table, tmp_path / "in.arrow")
        with pytest.raises(DataError, match="does not fit into Parquet") as caught:
            predict_table(classifier, tmp_path / "in.arrow", tmp_path / "out.parquet")
        assert "--out NAME.jsonl" in caught.value.hint
        predict_table(classifier, tmp_path / "in.arrow", tmp_path / "out.arrow")
        assert read(tmp_path / "out.arrow")[0]["gap"] == interval[0].as_py()

    @pytest.mark.parametrize("ending", [".arrow", ".feather"])
    def test_dictionaries_that_change_become_plain_columns_of_an_arrow_file(
        self, classifier: Classifier, tmp_path: Path, ending: str
    ) -> None:
        parts = [pa.array(part).dictionary_encode() for part in (["a", "b"], ["c", "a"])]
        with pa.OSFile(str(tmp_path / "in.arrow"), "wb") as file:
            schema = pa.schema({"text": pa.string(), "kind": parts[0].type})
            with pa.ipc.new_stream(file, schema) as writer:
                for part in parts:
                    writer.write_batch(pa.record_batch([["happy", "sad"], part], schema=schema))
        predict_table(classifier, tmp_path / "in.arrow", tmp_path / f"out{ending}")
        assert [row["kind"] for row in read(tmp_path / f"out{ending}")] == ["a", "b", "c", "a"]

    def test_a_column_that_is_blank_in_the_first_row_has_its_type(
        self, classifier: Classifier, tmp_path: Path
    ) -> None:
        given = write(tmp_path / "in.csv", [{"text": ""}, {"text": "happy"}])
        predict_table(classifier, given, tmp_path / "out.parquet")
        rows_out = pq.read_table(tmp_path / "out.parquet")
        types = [str(rows_out.schema.field(name).type) for name in ADDED]
        assert types == ["string", "string", "double", "bool", "string", *["double"] * 3]
        blank, happy = rows_out.to_pylist()
        assert blank == dict.fromkeys(blank) | {"text": "", "unsure": True, "reason": "blank"}
        assert happy["probability"] is not None

    def test_bytes_and_what_is_nested_come_out_of_parquet_in_every_format(
        self, classifier: Classifier, tmp_path: Path
    ) -> None:
        table = pa.table(
            {
                "text": pa.array(["happy café".encode(), None], pa.binary()),
                "picture": [b"\xff", None],
                "ns": pa.array([1, None], pa.timestamp("ns")),
                "tags": [["a", "é"], []],
                "object": [{"a": float("nan")}, None],
                "score": [float("inf"), 1.5],
            }
        )
        pq.write_table(table, tmp_path / "in.parquet")
        outs = {ending: tmp_path / f"out{ending}" for ending in (".csv", ".jsonl", ".parquet")}
        for out in outs.values():
            predict_table(classifier, tmp_path / "in.parquet", out)
        first, second = read(outs[".csv"])
        assert [first[name] for name in ("text", "picture", "tags", "object", "score")] == [
            "happy café", "/w==", '["a", "é"]', '{"a": null}', "inf",
        ]  # fmt: skip
        assert first["ns"].endswith("00.000000001")
        assert (second["text"], second["object"], second["emotion"]) == ("", "", "")
        first, second = read(outs[".jsonl"])
        assert [first[name] for name in ("text", "picture", "tags", "object", "score")] == [
            "happy café", "/w==", ["a", "é"], {"a": None}, None,
        ]  # fmt: skip
        assert (second["text"], second["emotion"], second["p_joy"]) == (None, None, None)
        rows_out = pq.read_table(outs[".parquet"])
        assert rows_out.select(table.column_names).schema.equals(table.schema)
        assert rows_out.select(table.column_names).to_pydict()["ns"] == table["ns"].to_pylist()


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.csv", "id,words\n1,happy\n", "no column with a usual name for texts"),
        ("a.csv", "text\n", "holds no rows"),
        ("a.txt", "", "is empty"),
        ("a.parquet", "PAR1 happy PAR1", "not a readable parquet"),
        ("a.jsonl", '{"text": "happy"}\n{"text": \n', "line 2: this is not JSON"),
        ("a.csv", "text,emotion\nhappy,joy\n", "already has a column 'emotion'"),
    ],
)
@pytest.mark.parametrize("suffix", [".csv", ".parquet"])
def test_bad_input_is_named_and_an_earlier_output_is_left_alone(
    classifier: Classifier,
    tmp_path: Path,
    name: str,
    content: str | bytes,
    message: str,
    suffix: str,
) -> None:
    (tmp_path / name).write_bytes(content.encode() if isinstance(content, str) else content)
    target = tmp_path / f"out{suffix}"
    target.write_text("what was there")
    with pytest.raises(DataError, match=message) as caught:
        predict_table(classifier, tmp_path / name, target, write=OVERWRITE)
    assert name in str(caught.value)
    assert caught.value.hint
    assert target.read_text() == "what was there"
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted([name, target.name])


@pytest.mark.parametrize("suffix", [".csv", ".jsonl", ".parquet"])
def test_a_failure_midway_leaves_the_earlier_output(
    classifier: Classifier, tmp_path: Path, suffix: str
) -> None:
    lines = ["id,text", *(f"{i},happy" for i in range(3000)), "3000,one,too many"]
    (tmp_path / "in.csv").write_text("\n".join(lines))
    target = tmp_path / f"out{suffix}"
    target.write_text("what was there")
    strict = ReadOptions(strict=True)
    with pytest.raises(DataError, match="line 3002"):
        predict_table(classifier, tmp_path / "in.csv", target, read=strict, write=OVERWRITE)
    assert target.read_text() == "what was there"
    assert len(list(tmp_path.iterdir())) == 2


def test_rows_of_different_columns_become_one_table(classifier: Classifier, tmp_path: Path) -> None:
    given = write(tmp_path / "in.jsonl", [{"text": "a"}, {"new": 1, "text": None}])
    predict_table(classifier, given, tmp_path / "out.csv")
    rows_out = read(tmp_path / "out.csv")
    assert list(rows_out[0]) == ["text", "new", *ADDED]
    assert [(row["text"], row["new"]) for row in rows_out] == [("a", ""), ("", "1")]
    predict_table(classifier, given, tmp_path / "out.jsonl")
    assert "new" not in read(tmp_path / "out.jsonl")[0]


@pytest.mark.parametrize(
    ("source", "target", "kind"),
    [
        ("a.csv", "b.xls", UsageError),
        ("a.csv", "b.txt", UsageError),
    ],
)
def test_unknown_endings_are_named_with_the_known_ones(
    classifier: Classifier, tmp_path: Path, source: str, target: str, kind: type[EmolensError]
) -> None:
    (tmp_path / source).write_text("text\nhappy\n")
    with pytest.raises(kind, match="ending is not known") as caught:
        predict_table(classifier, tmp_path / source, tmp_path / target)
    assert ".csv" in caught.value.hint


@pytest.mark.parametrize("ending", [".arrow", ".feather", ".ndjson"])
def test_every_format_of_studies_gets_answers(
    classifier: Classifier, tmp_path: Path, ending: str
) -> None:
    given = tmp_path / f"in{ending}"
    if ending == ".ndjson":
        given.write_text('{"text": "happy"}\n', "utf-8")
    else:
        pyarrow.feather.write_feather(pa.table({"text": ["happy"]}), given)
    with source_of(given) as source:
        target = default_target(source)
    predict_table(classifier, str(given), str(target))
    assert target.name == f"in-emotions{ending}"
    answer = classifier.predict(["happy"])[0]
    if ending == ".ndjson":
        rows_out = json.loads(target.read_text("utf-8"))
    else:
        rows_out = read(target)[0]
    given_answer = (rows_out["emotion"], rows_out["best_guess"])
    assert (rows_out["text"], given_answer) == ("happy", (answer.label, answer.best_guess))


def test_a_difficult_header_is_read_as_in_studies(classifier: Classifier, tmp_path: Path) -> None:
    (tmp_path / "in.csv").write_text("Text, text ,,\nno,happy,1,2\n", "utf-8")
    predict_table(classifier, tmp_path / "in.csv", tmp_path / "out.csv")
    header, row = csv.reader((tmp_path / "out.csv").read_text("utf-8").splitlines())
    assert header[: 4 + len(ADDED)] == ["Text", " text ", "", "", *ADDED]
    assert row[:4] == ["no", "happy", "1", "2"]
    answer = classifier.predict(["happy"])[0]
    p_joy = float(row[header.index("p_joy")])
    assert p_joy == pytest.approx(answer.probabilities["joy"], abs=1e-4)


@pytest.mark.parametrize("ending", [".csv", ".tsv", ".xlsx", ".jsonl"])
def test_a_header_inside_the_table_gets_no_answer(
    classifier: Classifier, tmp_path: Path, ending: str
) -> None:
    rows = [{"id": "1", "text": "happy"}, {"id": "id", "text": "text"}, {"id": "2", "text": "sad"}]
    given = write(tmp_path / f"in{ending}", rows)
    tally = predict_table(classifier, given, tmp_path / "out.csv")
    assert (tally.rows, tally.errors) == (3, 1)
    happy, header, sad = read(tmp_path / "out.csv")
    assert header["error"].endswith("the row repeats the names of the columns")
    assert (header["text"], header["emotion"]) == ("text", "")
    assert happy["emotion"] or happy["best_guess"]
    assert sad["emotion"] or sad["best_guess"]
    with pytest.raises(DataError, match="the row repeats"):
        predict_table(classifier, given, tmp_path / "strict.csv", read=ReadOptions(strict=True))


@settings(max_examples=60, deadline=None)
@hypothesis_given(
    content=st.one_of(
        st.binary(max_size=60),
        st.text(max_size=40).map(lambda text: text.encode("utf-8", "replace")),
    ),
    ending=st.sampled_from([".csv", ".tsv", ".txt", ".jsonl", ".parquet"]),
)
def test_any_bytes_give_answers_for_each_row_or_an_error_that_names_the_file(
    tmp_path_factory: pytest.TempPathFactory,
    classifier: Classifier,
    content: bytes,
    ending: str,
) -> None:
    folder = tmp_path_factory.getbasetemp()
    (folder / f"any{ending}").write_bytes(b"text\n" + content)
    try:
        tally = predict_table(classifier, folder / f"any{ending}", folder / "any-out.jsonl")
    except EmolensError as error:
        assert "\n" not in str(error)
        assert str(folder) in str(error)
    else:
        lines = (folder / "any-out.jsonl").read_text("utf-8").split("\n")
        assert tally.rows == len(lines) - 1


def test_a_text_that_is_a_list_of_words_is_joined_and_said(
    classifier: Classifier, tmp_path: Path
) -> None:
    texts = [text for text, _ in feeling_rows(6)]
    whole = write(tmp_path / "whole.jsonl", [{"text": text} for text in texts])
    words = write(tmp_path / "words.jsonl", [{"text": text.split()} for text in texts])
    predict_table(classifier, whole, tmp_path / "a.jsonl")
    tally = predict_table(classifier, words, tmp_path / "b.jsonl")
    assert [note.code for note in tally.notes] == ["R05"]
    given, wanted = read(tmp_path / "b.jsonl"), read(tmp_path / "a.jsonl")
    assert [row["text"] for row in given] == [text.split() for text in texts]
    assert [row["p_joy"] for row in given] == [row["p_joy"] for row in wanted]
