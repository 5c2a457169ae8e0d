"""Archives and workbooks that were made to harm, or that lie about what they hold."""

from __future__ import annotations

import bz2
import contextlib
import gzip
import io
import lzma
import re
import struct
import time
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
import xlsxwriter
from hypothesis import given, settings
from hypothesis import strategies as st

from emolens.data.readers import extent as extent_module
from emolens.data.readers import unpack as unpack_module
from emolens.data.readers.open import source_of
from emolens.errors import DataError, EmolensError
from tests.data.test_excel import write, write_ods
from tests.tables import open_table


def read(path: Path) -> int:
    with source_of(path) as source:
        return sum(len(chunk) for chunk in open_table(source, labelled=False).chunks())


def bomb_in_zip(content: bytes) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.csv", content)
    return packed.getvalue()


@pytest.mark.parametrize(
    ("ending", "pack"),
    [
        (".csv.gz", gzip.compress),
        (".csv.bz2", bz2.compress),
        (".csv.xz", lzma.compress),
        (".zip", bomb_in_zip),
    ],
)
def test_a_file_that_grows_without_end_is_stopped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, ending: str, pack: Callable[[bytes], bytes]
) -> None:
    monkeypatch.setattr(unpack_module, "_MOST_BYTES", 3_000_000)
    path = tmp_path / f"data{ending}"
    path.write_bytes(pack(b"text\n" + b"a\n" * 10_000_000))
    with pytest.raises(DataError, match=r"grows to more than .* this was stopped"):
        read(path)


def test_a_gz_of_a_gigabyte_is_stopped_in_time(tmp_path: Path) -> None:
    path = tmp_path / "data.csv.gz"
    with gzip.open(path, "wb", compresslevel=1) as file:
        for _ in range(300):
            file.write(b"\0" * 1_000_000)
    start = time.monotonic()
    with pytest.raises(DataError, match=r"grows to more than [23]\d\d MB"):
        read(path)
    assert time.monotonic() - start < 20


@pytest.mark.parametrize(
    "name",
    ["../../up.csv", "/tmp/root.csv", "..\\..\\up.csv", "C:\\up.csv", "a\n\x1b[31m.csv", "n" * 300],
)
def test_the_names_inside_a_zip_lead_nowhere(tmp_path: Path, name: str) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    path = folder / "data.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(name, b"text\na\nb\n")
        archive.writestr("notes.md", b"x")
    before = sorted(tmp_path.rglob("*"))
    try:
        assert read(path) == 2
        with source_of(path) as source:
            assert source.like.parent == folder
            assert "\n" not in source.name
            assert "\x1b" not in "".join(note.text for note in source.notes)
    except EmolensError as error:
        assert len(name) == 300, error  # with two files and no table, one must be named
    assert sorted(tmp_path.rglob("*")) == before


def test_a_zip_with_a_password_is_a_sentence(tmp_path: Path) -> None:
    path = tmp_path / "data.zip"
    content = bytearray(bomb_in_zip(b"text\na\n"))
    for sign in (b"PK\x03\x04", b"PK\x01\x02"):
        place = content.index(sign) + (6 if sign == b"PK\x03\x04" else 8)
        content[place : place + 2] = struct.pack("<H", 1)
    path.write_bytes(content)
    with pytest.raises(DataError, match="needs a password"):
        read(path)


def test_a_zip_that_lies_about_its_size_is_a_sentence(tmp_path: Path) -> None:
    path = tmp_path / "data.zip"
    content = bytearray(bomb_in_zip(b"text\n" + b"a\n" * 1000))
    place = content.index(b"PK\x01\x02") + 24
    content[place : place + 4] = struct.pack("<I", 10)
    path.write_bytes(content)
    with pytest.raises(DataError, match="is not a readable zip file"):
        read(path)


def far_cell(path: Path) -> Path:
    with xlsxwriter.Workbook(str(path)) as book:
        sheet = book.add_worksheet()
        sheet.write(0, 0, "text")
        sheet.write(1, 0, "a")
        sheet.write(1_048_575, 16_383, "z")
    return path


def test_a_cell_far_from_the_others_does_not_fill_the_memory(tmp_path: Path) -> None:
    start = time.monotonic()
    with pytest.raises(DataError, match="spans 17,179,869,184 cells"):
        read(far_cell(tmp_path / "a.xlsx"))
    assert time.monotonic() - start < 5


@pytest.mark.parametrize("change", ["quotes", "prefix", "no places", "spaces"])
def test_a_far_cell_is_noticed_however_it_is_written(tmp_path: Path, change: str) -> None:
    path = far_cell(tmp_path / "a.xlsx")
    with zipfile.ZipFile(path) as book:
        files = {entry.filename: book.read(entry) for entry in book.infolist()}
    name = "xl/worksheets/sheet1.xml"
    xml = files[name]
    if change == "quotes":
        xml = xml.replace(b'r="', b"r='").replace(b'" t=', b"' t=").replace(b'" s', b"' s")
        xml = re.sub(rb"r='(\d+)\"", rb"r='\1'", xml)
    elif change == "prefix":
        xml = re.sub(rb"<(/?)(row|c|v|sheetData)\b", rb"<\1x:\2", xml)
        xml = xml.replace(
            b"xmlns=", b'xmlns:x="http://schemas.openxmlformats.org/spreadsheetml/2006/main" xmlns='
        )
    elif change == "no places":
        cells = b"<c t='str'><v>z</v></c>" * 16_384
        xml = re.sub(rb"<row r=\"1048576\".*?</row>", b"<row r='1048576'>" + cells + b"</row>", xml)
    else:
        xml = xml.replace(b"<c r=", b"<c\n\tr=")
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as book:
        for other, content in files.items():
            book.writestr(other, xml if other == name else content)
    with pytest.raises(DataError, match="spans 17,1"):
        read(path)


def test_repeated_cells_of_an_ods_file_do_not_fill_the_memory(tmp_path: Path) -> None:
    cell = (
        '<table:table-cell table:number-columns-repeated="10000" office:value-type="string">'
        "<text:p>a</text:p></table:table-cell>"
    )
    below = f'<table:table-row table:number-rows-repeated="1000000">{cell}</table:table-row>'
    path = write_ods(tmp_path / "a.ods", [["text"]], below=below)
    with pytest.raises(DataError, match="spans 10,000,010,000 cells"):
        read(path)


def test_an_xlsb_file_with_a_far_cell_does_not_fill_the_memory(tmp_path: Path) -> None:
    record = struct.pack("<BBI", 0, 4, 1_048_575) + struct.pack("<BBII", 4, 8, 16_383, 0)
    path = tmp_path / "a.xlsb"
    with zipfile.ZipFile(path, "w") as book:
        book.writestr("[Content_Types].xml", "<Types/>")
        book.writestr("xl/workbook.bin", b"")
        book.writestr("xl/worksheets/sheet1.bin", record)
    with pytest.raises(DataError, match="spans 17,179,869,184 cells"):
        read(path)


def test_a_workbook_that_unpacks_to_gigabytes_is_a_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(extent_module, "MOST_UNPACKED", 10_000_000)
    path = far_cell(tmp_path / "a.xlsx")
    with zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED) as book:
        book.writestr("xl/media/more.xml", b" " * 10_000_000)
    with pytest.raises(DataError, match="unpacks to more than 10 MB"):
        read(path)


def inside(path: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(path) as book:
        return {entry.filename: book.read(entry) for entry in book.infolist()}


@settings(max_examples=120, deadline=None)
@given(data=st.data(), ending=st.sampled_from([".xlsx", ".ods"]))
def test_a_workbook_with_changed_files_gives_rows_or_a_sentence(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject, ending: str
) -> None:
    path = tmp_path_factory.getbasetemp() / f"any{ending}"
    rows = [["text", "label"], ["so glad", "joy"]]
    files = inside(write_ods(path, rows) if ending == ".ods" else write(path, {"S": rows}))
    name = data.draw(st.sampled_from(sorted(files.keys() - {"mimetype"})))
    content = bytearray(files[name])
    for _ in range(data.draw(st.integers(1, 4))):
        start = data.draw(st.integers(0, len(content)))
        end = start + data.draw(st.integers(0, 30))
        numbers = st.sampled_from([b"1048577", b"-1", b"99999999999", b"<", b'"', b"&"])
        content[start:end] = data.draw(st.binary(max_size=4) | numbers)
    with zipfile.ZipFile(path, "w") as book:
        for other, whole in files.items():
            book.writestr(other, bytes(content) if other == name else whole)
    with contextlib.suppress(EmolensError):
        assert read(path) >= 1
