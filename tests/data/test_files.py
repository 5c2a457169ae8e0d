from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from emolens.data.files import read_table
from emolens.errors import DataError
from tests.conftest import write_csv


def written(path: Path, content: str | bytes) -> Path:
    path.write_bytes(content if isinstance(content, bytes) else content.encode("utf-8"))
    return path


# name, content, what the sentence must name
BROKEN = [
    ("rows.csv", b"", ["is empty"]),
    ("rows.txt", b"", ["is empty"]),
    ("rows.jsonl", b"", ["is empty"]),
    ("rows.parquet", b"", ["is empty"]),
    ("rows.csv", b"text,label\n", ["holds no rows"]),
    ("rows.txt", b"text;label\n", ["holds no rows"]),
    ("rows.csv", b"\n\n \n", ["holds no rows"]),
    ("rows.jsonl", b"\n\n", ["holds no rows"]),
    ("rows.csv", b"text,label\nfine,joy\ncaf\xe9,joy\n", ["line 3", "0xe9", "UTF-8"]),
    ("rows.tsv", b"text\tlabel\ncaf\xe9\tjoy\n", ["line 2", "0xe9", "UTF-8"]),
    ("rows.txt", b"fine;joy\ncaf\xe9;joy\n", ["line 2", "0xe9", "UTF-8"]),
    ("rows.jsonl", b'{"text": "a"}\n{"text": "caf\xe9"}\n', ["line 2", "0xe9", "UTF-8"]),
    ("rows.csv", b"text,label\na\x00b,joy\n", ["line 2", "NUL"]),
    ("rows.txt", b"a;joy\n\x00;joy\n", ["line 2", "NUL"]),
    ("rows.jsonl", b'{"text": "a\x00"}\n', ["line 1", "NUL"]),
    ("rows.csv", "text,label\na,joy\n".encode("utf-16"), ["line 1", "NUL"]),
    ("rows.csv", "text,label\na,joy\nb,c,joy\n", ["line 3", "3 fields", "2"]),
    ("rows.csv", "text,label\na\n", ["line 2", "1 field"]),
    ("rows.csv", 'text,label\n"two\nlines",joy\nb,c,joy\n', ["line 4", "3 fields"]),
    ("rows.csv", 'text,label\na,joy\n"never closed,joy\nb,joy\n', ["line 3"]),
    ("rows.csv", 'text,label\n"a" b,joy\n', ["line 2"]),
    ("rows.csv", "text,label,text\na,joy,b\n", ["line 1", "two columns 'text'"]),
    ("rows.txt", "a;joy\nno label here\n", ["line 2", "';'"]),
    ("rows.jsonl", '{"text": "a"}\n{"text": \n', ["line 2", "not JSON"]),
    ("rows.jsonl", '{"text": "a"}\n["a", "joy"]\n', ["line 2", "not an object"]),
    ("rows.jsonl", "[" * 100_000 + "\n", ["line 1", "not JSON"]),
    ("rows.jsonl", '{"text": "a"}\n{"text": "cut \\ud83d"}\n', ["line 2", "\\ud83d"]),
    ("rows.jsonl", '{"text": "a", "\\uDC00": 1}\n', ["line 1", "\\udc00"]),
    ("rows.parquet", b"PAR1 this is no Parquet PAR1", ["rows.parquet"]),
    ("rows.arrow", b"ARROW1\x00\x00 this is no Arrow", ["rows.arrow"]),
    ("rows.pdf", b"%PDF", ["of no kind that emolens reads"]),
]


@pytest.mark.parametrize(("name", "content", "named"), BROKEN)
def test_a_broken_file_is_one_sentence_and_a_hint(
    tmp_path: Path, name: str, content: str | bytes, named: list[str]
) -> None:
    path = written(tmp_path / name, content)
    with pytest.raises(DataError) as caught:
        read_table(path)
    message = str(caught.value)
    assert str(path) in message
    assert "\n" not in message
    assert all(piece in message for piece in named), message
    assert caught.value.hint


def test_a_missing_file_names_what_stands_beside_it(tmp_path: Path) -> None:
    written(tmp_path / "other.csv", "a")
    with pytest.raises(DataError, match="no file or folder") as caught:
        read_table(tmp_path / "rows.csv")
    assert "other.csv" in caught.value.hint


def test_a_folder_with_the_ending_of_a_file_is_said(tmp_path: Path) -> None:
    (tmp_path / "rows.csv").mkdir()
    with pytest.raises(DataError, match=r"rows\.csv can't be read"):
        read_table(tmp_path / "rows.csv")


# name, content, texts, lines
WHOLE = [
    ("bom.csv", b"\xef\xbb\xbftext,label\na,joy\n", ["a"], ["line 2"]),
    ("bom.txt", b"\xef\xbb\xbftext;label\na;joy\n", ["a"], ["line 2"]),
    ("bom.jsonl", b'\xef\xbb\xbf{"text": "a", "label": "joy"}\n', ["a"], ["line 1"]),
    ("semicolons.csv", "text;label\none, two;joy\n", ["one, two"], ["line 2"]),
    ("tabs.csv", "text\tlabel\none, two\tjoy\n", ["one, two"], ["line 2"]),
    ("crlf.csv", "text,label\r\na,joy\r\nb,joy\r\n", ["a", "b"], ["line 2", "line 3"]),
    ("crlf.txt", "a;joy\r\nb;joy\r\n", ["a", "b"], ["line 1", "line 2"]),
    (
        "quoted.csv",
        'text,label\n"two\nlines, and ""quotes""",joy\n\nb,joy\n',
        ['two\nlines, and "quotes"', "b"],
        ["line 2", "line 5"],
    ),
    ("blank-start.csv", "\n\ntext,label\na,joy\n", ["a"], ["line 4"]),
    ("spaced.csv", " text , label \na,joy\n", ["a"], ["line 2"]),
    ("texts.txt", "one; two; three;joy\n\nb;joy\n", ["one; two; three", "b"], ["line 1", "line 3"]),
    ("named.txt", "text;label_name\na;joy\n", ["a"], ["line 2"]),
    ("separators.txt", "a\u2028b\x85c;joy\nd;joy\n", ["a\u2028b\x85c", "d"], ["line 1", "line 2"]),
    (
        "separators.csv",
        "text,label\na\u2028b,joy\nd,joy\n",
        ["a\u2028b", "d"],
        ["line 2", "line 3"],
    ),
    (
        "separators.jsonl",
        '{"text": "a\u2028b", "label": "joy"}\n{"text": "d", "label": "joy"}\n',
        ["a\u2028b", "d"],
        ["line 1", "line 2"],
    ),
    ("emoji.jsonl", '{"text": "\\ud83d\\ude00", "label": "joy"}', ["😀"], ["line 1"]),
    ("huge.csv", f"text,label\n{'x' * 300_000},joy\n", ["x" * 300_000], ["line 2"]),
]


@pytest.mark.parametrize(("name", "content", "texts", "lines"), WHOLE, ids=[w[0] for w in WHOLE])
def test_what_people_save_is_read_as_it_stands(
    tmp_path: Path, name: str, content: str | bytes, texts: list[str], lines: list[str]
) -> None:
    table = read_table(written(tmp_path / name, content))
    assert table.columns["text"] == texts
    assert list(table.lines) == lines
    label = next(column for column in table.columns if column != "text")
    assert set(table.columns[label]) == {"joy"}


def test_a_json_line_without_a_key_has_none_there(tmp_path: Path) -> None:
    table = read_table(written(tmp_path / "a.jsonl", '{"text": "a"}\n{"label": "joy"}\n'))
    assert table.columns == {"text": ["a", None], "label": [None, "joy"]}


def test_text_that_parquet_holds_as_bytes_is_text(tmp_path: Path) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    blob = b"\xff\xfe"
    pq.write_table(
        pa.table({"text": ["café".encode()], "label": ["joy"], "picture": [blob]}),
        tmp_path / "a.parquet",
    )
    columns = read_table(tmp_path / "a.parquet").columns
    assert columns == {"text": ["café"], "label": ["joy"], "picture": [blob]}


@pytest.mark.parametrize("ending", [".parquet", ".arrow"])
def test_a_file_that_was_cut_off_anywhere_is_a_data_error(tmp_path: Path, ending: str) -> None:
    import pyarrow as pa
    import pyarrow.feather
    import pyarrow.parquet as pq

    path = tmp_path / f"rows{ending}"
    table = pa.table({"text": ["one text"] * 50, "label": ["joy"] * 50})
    if ending == ".parquet":
        pq.write_table(table, path)
    else:
        pyarrow.feather.write_feather(table, path)
    whole = path.read_bytes()
    for size in range(1, len(whole), max(1, len(whole) // 40)):
        path.write_bytes(whole[:size])
        with pytest.raises(DataError) as caught:
            read_table(path)
        assert str(path) in str(caught.value)
        assert "\n" not in str(caught.value)


@settings(max_examples=60, deadline=None)
@given(content=st.binary(max_size=80), ending=st.sampled_from(["csv", "tsv", "txt", "jsonl"]))
def test_no_bytes_raise_anything_but_a_data_error(
    tmp_path_factory: pytest.TempPathFactory, content: bytes, ending: str
) -> None:
    path = written(tmp_path_factory.getbasetemp() / f"any.{ending}", content)
    try:
        table = read_table(path)
    except DataError as error:
        assert str(path) in str(error)
        assert "\n" not in str(error)
    else:
        assert {len(column) for column in table.columns.values()} <= {len(table.lines)}


def test_class_names_that_datasets_leaves_in_a_schema_are_found(tmp_path: Path) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    features = {
        "label": {"names": ["no", "yes"], "_type": "ClassLabel"},
        "text": {"_type": "Value"},
    }
    schema = {"huggingface": json.dumps({"info": {"features": features}})}
    table = pa.table({"text": ["a"], "label": [1]}).replace_schema_metadata(schema)
    pq.write_table(table, tmp_path / "a.parquet")
    assert read_table(tmp_path / "a.parquet").class_names == {"label": ("no", "yes")}


def test_damaged_schema_metadata_is_no_reason_to_fail(tmp_path: Path) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    table = pa.table({"text": ["a"]}).replace_schema_metadata({"huggingface": "{not json"})
    pq.write_table(table, tmp_path / "a.parquet")
    assert read_table(tmp_path / "a.parquet").class_names == {}


def test_a_csv_that_python_wrote_is_read_back(tmp_path: Path) -> None:
    texts = ['he said "no"', "a,b;c", "two\nlines", " spaces ", ""]
    path = write_csv(tmp_path / "a.csv", [(text, "joy") for text in texts])
    assert read_table(path).columns["text"] == texts
