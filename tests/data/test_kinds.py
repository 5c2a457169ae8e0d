"""The content of a file says its format, and a file that is no table is named as what it is."""

from __future__ import annotations

import gzip
import zipfile
from pathlib import Path

import pytest

from emolens.data.readers.columns import choose_column
from emolens.data.readers.kinds import recognised
from emolens.data.readers.open import source_of
from emolens.data.readers.options import ReadOptions
from emolens.data.readers.source import Source
from emolens.errors import DataError, UsageError
from tests.tables import open_table


def kind(path: Path) -> str:
    return recognised(Source.of(path), None).format


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ("text,label\nso glad,joy\n", "csv"),
        ("id;words\n1;so glad\n2;so low\n", "csv"),
        ("a|b\n1|2\n", "csv"),
        ("1\tso glad\tjoy\n2\tso low\tsadness\n", "tsv"),
        ('"one, two",joy\n"three\nlines, and more",fear\n', "csv"),
        ("text\nso glad\nso low\n", "csv"),
        ("text;label", "csv"),
        ("so glad\nso low, and tired\nwell, well, well\n", "txt"),
        ("so glad, today", "txt"),
        ("so glad", "txt"),
        ('{"text": "a"}\n{"text": "b"}\n', "jsonl"),
        ('[{"text": "a"}]', "json"),
        ('{"data": [\n', "json"),
        ("\n\n  [1, 2]", "json"),
    ],
)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-32"])
def test_a_file_without_an_ending(
    tmp_path: Path, content: str, expected: str, encoding: str
) -> None:
    path = tmp_path / "file"
    path.write_bytes(content.encode(encoding))
    assert kind(path) == expected


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.csv", "one column\nof, texts; and\tothers\n"),
        ("a.tsv", "a,b\nc,d\n"),
        ("a.txt", "text,label\nso glad,joy\n"),
        ("a.jsonl", '{"text": \n{"text": "a"}\n'),
        ("a.json", "nothing of JSON"),
        ("a.parquet", "PAR"),
        ("a.arrow", "anything"),
    ],
)
def test_the_ending_decides_where_the_content_does_not(
    tmp_path: Path, name: str, content: str
) -> None:
    (tmp_path / name).write_text(content)
    assert f".{kind(tmp_path / name)}" == Path(name).suffix


def test_a_pretty_document_with_the_ending_of_lines(tmp_path: Path) -> None:
    for content in ('[\n  {"text": "a"}\n]', '{\n "text": "a"\n}', '[{"text": "a"}]'):
        (tmp_path / "a.jsonl").write_text(content)
        assert kind(tmp_path / "a.jsonl") == "json"


FOREIGN = [
    ("a.pdf", b"%PDF-1.7\n", "a PDF document"),
    ("a.yaml", b"- text: so\n  label: joy\n- text: low\n", "a YAML file"),
    ("a.sav", b"$FL2@(#) SPSS DATA FILE", "a file of SPSS"),
    ("a.dta", b"<stata_dta><header>", "a file of Stata"),
    ("a.rds", gzip.compress(b"X\n\0\0\0\3", mtime=0), "a file of R"),
    ("a.arff", b"% so\n@RELATION so\n\n@ATTRIBUTE text string\n", "a file of Weka"),
    ("a.csv", b"<!DOCTYPE html><html><body>Log in</body></html>", "a web page"),
    ("a.xls", b"\xef\xbb\xbf\n<html><table><tr><td>text</td></tr></table>", "a web page"),
    ("a.xls", b'<table border="1"><tr><td>text</td></tr></table>', "a web page"),
    ("a.xls", b'<?xml version="1.0"?><Workbook/>', "an XML file"),
    ("a.sql", b"INSERT INTO t VALUES\n(1,'so glad','joy'),\n(2,'so low','fear');\n", "SQL"),
    ("a.pkl", b"\x80\x02cpandas\n", "a pickle"),
    ("a.dta", b"\x72\x02\x01\0\x02\0", "a file of Stata"),
    ("a.yml", b"version: 3\nnlu:\n- intent: joy\n", "a YAML file"),
    ("tweets.js", b'window.YTD.tweets.part0 = [{"tweet": {}}]', "a script of an archive"),
    ("a.txt", b"I O\nam O\nBob B-PER\n\nso O\nglad O\n", "words with tags"),
    ("a.conll", b"# id 1\n1\tso\tO\n2\tglad\tO\n\n", "words with tags"),
    ("a.xml", b"<data>\n <row>\n  <text>so glad</text>\n </row>\n</data>\n", "an XML file"),
    ("a.txt", b"<!-- mine -->\n<corpus task='x'><i id='1'>so glad</i></corpus>", "an XML file"),
    ("a.parquet", b"version https://git-lfs.github.com/spec/v1\noid sha256:0\n", "Git LFS"),
    ("a.db", b"SQLite format 3\0", "an SQLite database"),
    ("a.sql", b"INSERT INTO t VALUES\n(1,'so glad','joy'),\n(2,'so low','fear');\n", "SQL"),
    ("a.pkl", b"\x80\x04\x95\x10\0\0\0", "a pickle"),
    ("a.npy", b"\x93NUMPY\x01\0", "an array of NumPy"),
    ("a.7z", b"7z\xbc\xaf\x27\x1c", "a 7z archive"),
    ("a.tar", b"a.csv".ljust(257, b"\0") + b"ustar\0", "a tar archive"),
    ("a.feather", b"FEA1\0\0", "old version 1"),
    ("a.png", b"\x89PNG\r\n", "a picture"),
    ("a.bin", b"\0\1\2\3", "neither its ending nor its content is known"),
]


def test_a_file_of_numbers_is_named(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.numbers", "w") as file:
        file.writestr("Index/Document.iwa", b"x")
        file.writestr("preview.jpg", b"x")
    with pytest.raises(DataError, match="a file of Numbers"):
        open_table(tmp_path / "a.numbers", labelled=True)


@pytest.mark.parametrize(("name", "content", "says"), FOREIGN)
def test_what_is_no_table_is_named(tmp_path: Path, name: str, content: bytes, says: str) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(DataError, match=says) as caught:
        open_table(tmp_path / name, labelled=False)
    assert str(tmp_path / name) in str(caught.value)
    assert caught.value.hint


@pytest.mark.parametrize(("folder", "says"), [("word", "of words"), ("ppt", "of slides")])
def test_a_document_of_an_office_program_is_named(tmp_path: Path, folder: str, says: str) -> None:
    with zipfile.ZipFile(tmp_path / "a.docx", "w") as file:
        file.writestr("[Content_Types].xml", "<Types/>")
        file.writestr(f"{folder}/document.xml", "<x/>")
    with pytest.raises(DataError, match=f"a document {says}"):
        open_table(tmp_path / "a.docx", labelled=False)


def test_the_format_of_the_user_comes_before_the_content(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("<html> is a tag\nso glad\n")
    options = ReadOptions(file_format="txt")
    with source_of(tmp_path / "a.txt", options) as source:
        assert source.format == "txt"
        assert len(next(iter(open_table(source, labelled=False, options=options).chunks()))) == 2
    with (
        pytest.raises(UsageError, match="no format 'cvs'"),
        source_of(tmp_path / "a.txt", ReadOptions(file_format="cvs")),
    ):
        pass


@pytest.mark.parametrize(
    ("content", "text", "label"),
    [
        ("id,data,label\n1,so glad,joy\n2,so low,sadness\n", "data", "label"),
        ("annotation_id,id,text,choice\n1,1,so glad,joy\n2,2,so low,sadness\n", "text", "choice"),
    ],
)
def test_columns_of_labelling_tools_in_a_csv(
    tmp_path: Path, content: str, text: str, label: str
) -> None:
    (tmp_path / "a.csv").write_text(content)
    table = open_table(tmp_path / "a.csv", labelled=True)
    assert (choose_column(table, "text"), choose_column(table, "label")) == (text, label)
