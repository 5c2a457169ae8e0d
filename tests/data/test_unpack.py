"""A table that is compressed gives the same rows, or one sentence."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import zipfile
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pytest

from emolens.data.readers.columns import choose_column, texts_of
from emolens.data.readers.endings import is_table, stem_of
from emolens.data.readers.open import source_of
from emolens.data.sources import load_dataset
from emolens.errors import DataError
from tests.tables import open_table

CSV = b"text,label\nso glad,joy\nso low,sadness\n"


def zst(content: bytes) -> bytes:
    return bytes(pa.Codec("zstd").compress(content))


def zipped(**files: bytes) -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, inside in files.items():
            archive.writestr(name, inside)
    return content.getvalue()


PACK: dict[str, Callable[[bytes], bytes]] = {
    ".csv.gz": gzip.compress,
    ".csv.bz2": bz2.compress,
    ".csv.xz": lzma.compress,
    ".csv.zst": zst,
    ".zip": lambda content: zipped(**{"a.csv": content}),
}


def texts(path: Path) -> list[str]:
    with source_of(path) as source:
        table = open_table(source, labelled=True)
        column = choose_column(table, "text")
        return [text for chunk in table.chunks() for text in texts_of(table, chunk, column)]


def notes(path: Path) -> list[str]:
    with source_of(path) as source:
        return [str(note) for note in open_table(source, labelled=True).notes]


@pytest.mark.parametrize("ending", PACK)
def test_a_packed_table_gives_its_rows(tmp_path: Path, ending: str) -> None:
    path = tmp_path / f"data{ending}"
    path.write_bytes(PACK[ending](CSV))
    assert texts(path) == ["so glad", "so low"]
    assert notes(path) == []
    bare = path.rename(tmp_path / "data.csv")
    assert texts(bare) == ["so glad", "so low"]
    assert "because of its content" in notes(bare)[0]


@pytest.mark.parametrize("ending", PACK)
def test_the_copy_is_gone_afterwards(tmp_path: Path, ending: str) -> None:
    path = tmp_path / f"data{ending}"
    path.write_bytes(PACK[ending](CSV))
    with source_of(path) as source:
        copy = source.path
        assert copy.exists()
        assert source.given == path
        assert (source.like.parent, source.like.name) == (tmp_path, "data.csv")
    assert not copy.exists()


@pytest.mark.parametrize("ending", PACK)
def test_a_file_that_was_cut_off_is_a_sentence(tmp_path: Path, ending: str) -> None:
    path = tmp_path / f"data{ending}"
    whole = PACK[ending](CSV * 200)
    for size in (5, len(whole) // 2, len(whole) - 3):
        path.write_bytes(whole[:size])
        with pytest.raises(DataError) as caught:
            texts(path)
        assert str(path) in str(caught.value)
        assert "\n" not in str(caught.value)


@pytest.mark.parametrize("ending", PACK)
def test_a_changed_byte_is_noticed(tmp_path: Path, ending: str) -> None:
    if ending == ".csv.zst":
        pytest.skip("pyarrow writes zst without a checksum")
    path = tmp_path / f"data{ending}"
    whole = bytearray(PACK[ending](bytes(range(65, 91)) * 40))
    whole[len(whole) // 2] ^= 0xFF
    path.write_bytes(whole)
    with pytest.raises(DataError, match="is not a readable"):
        texts(path)


def test_several_parts_of_a_gz_are_one_file(tmp_path: Path) -> None:
    path = tmp_path / "data.csv.gz"
    path.write_bytes(gzip.compress(CSV) + gzip.compress(b"so cross,anger\n"))
    assert texts(path) == ["so glad", "so low", "so cross"]


@pytest.mark.parametrize("ending", [".gz", ".bz2", ".xz", ".zst"])
def test_what_is_packed_twice_is_a_sentence(tmp_path: Path, ending: str) -> None:
    path = tmp_path / f"data.csv{ending}{ending}"
    pack = PACK[f".csv{ending}"]
    path.write_bytes(pack(pack(CSV)))
    with pytest.raises(DataError, match="compressed twice"):
        texts(path)


def test_an_empty_table_in_a_packed_file_is_a_sentence(tmp_path: Path) -> None:
    path = tmp_path / "data.csv.gz"
    path.write_bytes(gzip.compress(b""))
    with pytest.raises(DataError, match="is empty"):
        texts(path)


def test_what_a_system_adds_to_a_zip_is_not_a_table(tmp_path: Path) -> None:
    path = tmp_path / "data.zip"
    extra = {"__MACOSX/._a.csv": b"\0", "d/.DS_Store": b"\0", "Thumbs.db": b"\0"}
    path.write_bytes(zipped(**{"d/": b"", "d/a.csv": CSV}, **extra))
    assert texts(path) == ["so glad", "so low"]
    assert notes(path) == []


def test_what_else_stands_in_a_zip_is_named(tmp_path: Path) -> None:
    path = tmp_path / "data.zip"
    path.write_bytes(zipped(**{"README.md": b"hello", "a.csv": CSV}))
    assert texts(path) == ["so glad", "so low"]
    (note,) = notes(path)
    assert "data.zip/a.csv is read" in note
    assert "README.md" in note


def test_the_one_file_of_a_zip_needs_no_known_ending(tmp_path: Path) -> None:
    path = tmp_path / "data.zip"
    path.write_bytes(zipped(export=CSV))
    assert texts(path) == ["so glad", "so low"]


@pytest.mark.parametrize(
    ("name", "like"), [("t.csv.zip", "t.csv"), ("t.zip", "t.csv"), ("t.v2.zip", "t.v2.csv")]
)
def test_what_is_made_of_a_zip_is_named_after_it(tmp_path: Path, name: str, like: str) -> None:
    with zipfile.ZipFile(tmp_path / name, "w") as archive:
        archive.writestr("t.csv", "text,label\nhappy,joy\n")
    with source_of(tmp_path / name) as source:
        assert source.like == tmp_path / like


def test_tables_in_a_zip_with_the_names_of_splits_are_splits(tmp_path: Path) -> None:
    names = {"emo/train.csv": b"a", "emo/dev.csv": b"b", "emo/test.csv": b"c"}
    tables = {
        name: b"text,label\n"
        + b"".join(b"%s %d,joy\n%s x%d,fear\n" % (w, i, w, i) for i in range(9))
        for name, w in names.items()
    }
    (tmp_path / "a.zip").write_bytes(zipped(**tables, **{"emo/README.txt": b"so"}))
    dataset = load_dataset(tmp_path / "a.zip")
    assert [part.texts[0] for part in dataset.splits.values()] == ["a 0", "b 0", "c 0"]


def test_one_of_several_tables_in_a_zip_can_be_named(tmp_path: Path) -> None:
    path = tmp_path / "data.zip"
    path.write_bytes(zipped(**{"d/train.csv": CSV, "d/test.csv": b"text,label\nother,joy\n"}))
    with pytest.raises(DataError, match="several files") as caught:
        texts(path)
    assert str(path / "d" / "train.csv") in caught.value.hint  # what the hint says, works
    assert texts(path / "d" / "train.csv") == ["so glad", "so low"]
    assert texts(path / "d" / "test.csv") == ["other"]
    with source_of(path / "d" / "test.csv") as source:
        assert source.like == tmp_path / "test.csv"
    with pytest.raises(DataError, match=r"no file 'd/valid\.csv'") as caught:
        texts(path / "d" / "valid.csv")
    assert "d/train.csv" in caught.value.hint


@pytest.mark.parametrize("files", [{}, {"folder/": b""}, {"a.py": b"x", "b.md": b"y"}])
def test_a_zip_without_a_table_is_a_sentence(tmp_path: Path, files: dict[str, bytes]) -> None:
    path = tmp_path / "data.zip"
    path.write_bytes(zipped(**files))
    with pytest.raises(DataError, match=r"data\.zip holds"):
        texts(path)


def test_a_path_into_a_file_that_is_no_zip_does_not_exist(tmp_path: Path) -> None:
    (tmp_path / "data.zip").write_bytes(CSV)
    with pytest.raises(DataError, match="no file or folder"):
        texts(tmp_path / "data.zip" / "a.csv")


@pytest.mark.parametrize(
    ("name", "table", "stem"),
    [
        ("train.csv", True, "train"),
        ("Train.CSV.GZ", True, "Train"),
        ("v1.2.jsonl.zst", True, "v1.2"),
        ("data.zip", True, "data"),
        ("model.tar.gz", False, "model.tar"),
        ("notes.md", False, "notes.md"),
        ("train", False, "train"),
    ],
)
def test_names_of_tables(name: str, table: bool, stem: str) -> None:
    assert is_table(Path(name)) is table
    assert stem_of(Path(name)) == stem


def test_a_text_beside_a_table_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "a.zip"
    path.write_bytes(zipped(**{"data.csv": CSV, "README.txt": b"see data.csv", "LICENSE": b"MIT"}))
    assert texts(path) == ["so glad", "so low"]
    assert "README.txt" in notes(path)[0]
