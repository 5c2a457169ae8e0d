"""Unpacks a compressed file into a temporary one: gz, bz2, xz, zst, and zip with one table.

It stops at a file that grows without end. The names inside a zip are never used as paths.
"""

from __future__ import annotations

import bz2
import contextlib
import gzip
import lzma
import re
import shutil
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path, PurePosixPath
from typing import IO, Any

from emolens.data.checks import Note
from emolens.data.readers.endings import PACKED, is_table
from emolens.data.readers.source import Source, readable
from emolens.errors import DataError, StorageError, some_of
from emolens.output import writing
from emolens.shown import quoted, visible
from emolens.temporary import scratch_folder

_BLOCK = 1 << 20
# More than both is a file that was made to fill the disk; and half of its free space is kept.
_MOST_BYTES = 200_000_000
_MOST_TIMES = 200  # as large as it was packed; tables reach 100 if their rows are much alike
# What archives hold beside the user's files.
_UNSEEN = re.compile(r"(^|/)(__MACOSX/|\.(?!\.)|Thumbs\.db$|desktop\.ini$)")


def split_member(path: Path) -> tuple[Path, str | None]:
    """The archive and the name inside it, of a path such as data.zip/train.csv."""
    for parent in path.parents:
        if parent.suffix.lower() == ".zip" and parent.is_file():
            return parent, path.relative_to(parent).as_posix()
    return path, None


@contextlib.contextmanager
def unpacked(packed: Source, member: str | None) -> Iterator[Source]:
    """The file in a compressed one, removed after the block.

    member: the name inside a zip; without it, the one table that it holds. Raises DataError,
    StorageError and OSError.
    """
    kind, path = packed.format, packed.path
    with scratch_folder() as folder:
        target = folder / "unpacked"
        name, like, notes = packed.name, packed.like, packed.notes
        with _unpacking(packed):
            if kind == "zip":
                with zipfile.ZipFile(path) as archive:
                    chosen, others = _chosen(archive, name, member)
                    name = visible(f"{name}/{chosen.filename}")
                    _copy_member(archive, chosen, target, name=name)
                own = PurePosixPath(chosen.filename.replace("\\", "/"))
                if member is not None:
                    like = like.parent / own.name
                elif own.suffix:
                    bare = like.with_suffix("")
                    twice = bare.suffix == own.suffix  # t.csv.zip holds t.csv
                    like = bare if twice else bare.with_name(bare.name + own.suffix)
                if others:
                    notes = (*notes, _not_read(name, others))
            else:
                with _stream(path, kind) as stream:
                    _copy(stream, target, packed=path.stat().st_size, name=name)
                if like.suffix.lower() in PACKED:
                    like = like.with_suffix("")
        plain = Source.of(target, name=name)
        yield replace(plain, given=packed.given, like=like, notes=notes)


def _stream(path: Path, kind: str) -> Any:
    if kind == "zst":
        import pyarrow as pa

        return pa.input_stream(str(path), compression="zstd")
    openers: dict[str, Any] = {"gz": gzip.open, "bz2": bz2.open, "xz": lzma.open}
    return openers[kind](path)


def _unpacking(packed: Source) -> contextlib.AbstractContextManager[None]:
    of_python = (EOFError, OSError, ValueError, MemoryError, RuntimeError, NotImplementedError)
    return readable(packed, (*of_python, zlib.error, lzma.LZMAError, zipfile.BadZipFile))


def _copy(stream: IO[bytes], target: Path, *, packed: int, name: str) -> None:
    size, most = 0, max(_MOST_BYTES, _MOST_TIMES * packed)
    room = shutil.disk_usage(target.parent).free // 2
    with target.open("wb") as copy:
        while block := stream.read(_BLOCK):
            size += len(block)
            if size > most:
                raise DataError(
                    f"{name} grows to more than {most // 1_000_000:,} MB,"
                    f" over {size // max(packed, 1):,} times its size; this was stopped.",
                    hint="If the file is right, unpack it, and give the unpacked file.",
                )
            if size > room:
                raise StorageError(
                    f"{name} grows to more than half of the free space in {target.parent.parent}.",
                    hint="Free some space, or set TMPDIR to a folder with more.",
                )
            with writing(target):
                copy.write(block)


def _copy_member(
    archive: zipfile.ZipFile, chosen: zipfile.ZipInfo, target: Path, *, name: str
) -> None:
    if chosen.flag_bits & 1:
        raise DataError(f"{name} needs a password.", hint="Unpack it, and give the unpacked file.")
    with archive.open(chosen) as stream:
        _copy(stream, target, packed=chosen.compress_size, name=name)


def _not_read(shown: str, others: list[str]) -> Note:
    return Note("R01", f"{shown} is read; not read is what stands beside it: {some_of(others)}.")


def tables_in_zip(packed: Source) -> list[str]:
    """The names of the tables in a zip, with '/' between folders."""
    with _unpacking(packed), zipfile.ZipFile(packed.path) as archive:
        names = [name.replace("\\", "/") for name in archive.namelist()]
    return [name for name in names if is_table(Path(name)) and not _UNSEEN.search(name)]


def _chosen(
    archive: zipfile.ZipFile, name: str, member: str | None
) -> tuple[zipfile.ZipInfo, list[str]]:
    """The file of this name; without one, the only table, or the only file, and the others."""
    entries = [entry for entry in archive.infolist() if not entry.is_dir()]
    files = {visible(e.filename): e for e in entries if not _UNSEEN.search(e.filename)}
    if member is not None:
        for entry in files.values():
            if entry.filename.replace("\\", "/") == member:
                return entry, []
    tables = [shown for shown, entry in files.items() if is_table(Path(entry.filename))]
    # A text beside a table, such as README.txt, mostly describes it.
    wanted = [shown for shown in tables if not shown.lower().endswith(".txt")] or tables
    wanted = wanted or list(files)
    if member is not None or not files:
        missing = f"no file '{visible(member)}'" if member is not None else "no file"
        raise DataError(
            f"{name} holds {missing}.",
            hint=f"It holds: {some_of(list(files))}." if files else "Check how the file was made.",
        )
    if len(wanted) > 1:
        raise DataError(
            f"{name} holds several files: {some_of(wanted)}.",
            hint=f"Give one of them, such as {quoted(Path(name) / wanted[0])}; or unpack the file,"
            " and give the folder.",
        )
    return files.pop(wanted[0]), list(files)
