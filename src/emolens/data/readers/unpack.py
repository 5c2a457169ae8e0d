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
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO, Any

from emolens.data.checks import Note
from emolens.data.readers.endings import PACKED, is_table
from emolens.errors import DataError, StorageError, first_line, some_of
from emolens.output import writing
from emolens.shown import quoted, visible
from emolens.temporary import scratch_folder

_BLOCK = 1 << 20
# More than both is a file that was made to fill the disk; and half of its free space is kept.
_MOST_BYTES = 200_000_000
_MOST_TIMES = 200  # as large as it was packed; tables reach 100 if their rows are much alike
# What archives hold beside the user's files.
_UNSEEN = re.compile(r"(^|/)(__MACOSX/|\.(?!\.)|Thumbs\.db$|desktop\.ini$)")


@dataclass(frozen=True)
class Unpacked:
    """A temporary file. name: for messages. like: the path that it would have beside its archive.
    notes: which file of the archive it is."""

    path: Path
    name: str
    like: Path
    notes: tuple[Note, ...] = ()


def split_member(path: Path) -> tuple[Path, str | None]:
    """The archive and the name inside it, of a path such as data.zip/train.csv."""
    for parent in path.parents:
        if parent.suffix.lower() == ".zip" and parent.is_file():
            return parent, path.relative_to(parent).as_posix()
    return path, None


@contextlib.contextmanager
def unpacked(
    path: Path, kind: str, *, name: str, like: Path, member: str | None = None
) -> Iterator[Unpacked]:
    """The file in `path`, removed after the block. Raises DataError, StorageError and OSError.

    kind: one of PACKED's values. like: the path of the packed file, as the user gave it. member:
    the name inside a zip; without it, the one table that it holds.
    """
    with scratch_folder() as folder:
        target = folder / "unpacked"
        if kind == "zip":
            with _unpacking(name, kind):
                inside = _from_zip(path, target, name=name, like=like, member=member)
        else:
            with _unpacking(name, kind), _stream(path, kind) as stream:
                _copy(stream, target, packed=path.stat().st_size, name=name)
            plain = like.with_suffix("") if like.suffix.lower() in PACKED else like
            inside = Unpacked(target, name, plain)
        if not target.stat().st_size:
            raise DataError(f"{inside.name} is empty.", hint="Check how the file was made.")
        yield inside


def _stream(path: Path, kind: str) -> Any:
    if kind == "zst":
        import pyarrow as pa

        return pa.input_stream(str(path), compression="zstd")
    openers: dict[str, Any] = {"gz": gzip.open, "bz2": bz2.open, "xz": lzma.open}
    return openers[kind](path)


@contextlib.contextmanager
def _unpacking(name: str, kind: str) -> Iterator[None]:
    """Turn the errors about a broken archive into a sentence."""
    try:
        yield
    except FileNotFoundError:
        raise
    except (
        *(EOFError, OSError, ValueError, MemoryError, RuntimeError, NotImplementedError),
        *(zlib.error, lzma.LZMAError, zipfile.BadZipFile),
    ) as error:
        raise DataError(
            f"{name} is not a readable {kind} file ({visible(first_line(error))}).",
            hint="Check that it was written completely, or download it again.",
        ) from error


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


def _from_zip(path: Path, target: Path, *, name: str, like: Path, member: str | None) -> Unpacked:
    with zipfile.ZipFile(path) as archive:
        files = [entry for entry in archive.infolist() if not entry.is_dir()]
        seen = [entry for entry in files if not _UNSEEN.search(entry.filename)]
        chosen = _chosen(seen, name=name, member=member)
        shown = visible(f"{name}/{chosen.filename}")
        if chosen.flag_bits & 1:
            raise DataError(
                f"{shown} needs a password.", hint="Unpack it, and give the unpacked file."
            )
        with archive.open(chosen) as stream:
            _copy(stream, target, packed=chosen.compress_size, name=shown)
    own = re.split(r"[/\\]", chosen.filename)[-1]
    if member is not None:
        return Unpacked(target, shown, like.parent / own)
    ending = PurePosixPath(own).suffix
    others = [visible(entry.filename) for entry in seen if entry is not chosen]
    notes = (_not_read(shown, others),) if others else ()
    return Unpacked(target, shown, like.with_suffix(ending) if ending else like, notes)


def _not_read(shown: str, others: list[str]) -> Note:
    return Note("R01", f"{shown} is read; not read is what stands beside it: {some_of(others)}.")


def _chosen(files: list[zipfile.ZipInfo], *, name: str, member: str | None) -> zipfile.ZipInfo:
    """The file of this name; without one, the only table, or the only file."""
    if member is not None:
        wanted = [entry for entry in files if entry.filename.replace("\\", "/") == member]
    else:
        tables = [entry for entry in files if is_table(Path(entry.filename))]
        wanted = tables or files
    if len(wanted) == 1:
        return wanted[0]
    names = [visible(entry.filename) for entry in (wanted or files)]
    if member is not None or not files:
        missing = f"no file '{visible(member)}'" if member is not None else "no file"
        raise DataError(
            f"{name} holds {missing}.",
            hint=f"It holds: {some_of(names)}." if names else "Check how the file was made.",
        )
    raise DataError(
        f"{name} holds several files: {some_of(names)}.",
        hint=f"Give one of them, such as {quoted(Path(name) / names[0])}; or unpack the file, and"
        " give the folder.",
    )
