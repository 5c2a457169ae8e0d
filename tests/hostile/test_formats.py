"""Archives and workbooks that were made to harm, or that lie about what they hold."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import struct
import time
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from emolens.data.readers import open_table, source_of
from emolens.data.readers import unpack as unpack_module
from emolens.errors import DataError, EmolensError


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
