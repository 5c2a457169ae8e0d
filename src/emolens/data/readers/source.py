"""Source: the file behind a table, which must not change while it is read. Knows no file format."""

from __future__ import annotations

import contextlib
import errno
import shutil
import stat
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from emolens.data.checks import Note
from emolens.errors import DataError, first_line
from emolens.output import writing
from emolens.shown import visible
from emolens.temporary import scratch_folder

STDIN = "-"
_AGAIN = "Check that it was written completely, or download it again."
_BLOCK = 1 << 20
MOST_COPIED = 10_000_000_000  # bytes of a stream; it may have no end
_DESCRIPTORS = ("/dev/stdin", "/dev/fd/", "/proc/self/fd/")


@dataclass(frozen=True)
class Source:
    """A file, and how to see that it has changed since it was opened first.

    path: what is read, perhaps a temporary copy. name: for messages. format: a key of FORMATS, such
    as 'csv'. stamp: its identity, size and time. given: the user's own file. like: the path after
    which an output is named. notes: what was found out about its format.
    """

    path: Path
    name: str
    stamp: tuple[int, ...]
    given: Path
    like: Path
    format: str = ""
    notes: tuple[Note, ...] = ()

    @classmethod
    def of(cls, path: Path, *, name: str | None = None) -> Source:
        """The file at `path`. Raises DataError if it is empty or is not a file, and OSError."""
        name = name or str(path)
        status = path.stat()
        if not stat.S_ISREG(status.st_mode) and not stat.S_ISDIR(status.st_mode):
            raise DataError(
                f"{name} is a pipe or a device, which can't be read here.",
                hint="Save what comes out of it as a file, and give that file.",
            )
        if not status.st_size:
            raise DataError(f"{name} is empty.", hint="Check how the file was made.")
        path.open("rb").close()
        return cls(path, name, _stamp(path), given=path, like=path)

    def __str__(self) -> str:
        return self.name

    def check(self) -> None:
        """Raise DataError if the file has changed, or another file has its name now."""
        try:
            same = _stamp(self.path) == self.stamp
        except OSError:
            same = False
        if not same:
            raise DataError(
                f"{self.name} changed while it was read.",
                hint="Wait until the file is complete, or read a copy of it.",
            )

    @contextlib.contextmanager
    def unchanged(self) -> Iterator[None]:
        """Check the file after the block, and report a change before an error of the block."""
        try:
            yield
        except Exception:
            self.check()
            raise
        self.check()


@contextlib.contextmanager
def readable(
    source: Source, errors: tuple[type[Exception], ...], *, kind: str = "", hint: str = _AGAIN
) -> Iterator[None]:
    """Turn the errors of a library about a broken file into a sentence that names the file."""
    try:
        yield
    except FileNotFoundError:
        raise
    except errors as error:
        kind = kind or f"{source.format} file"
        why = visible(first_line(error))
        raise DataError(f"{source} is not a readable {kind} ({why}).", hint=hint) from error


def _stamp(path: Path) -> tuple[int, ...]:
    status = path.stat()
    return status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns


def is_stream(path: str | Path) -> bool:
    """Whether it can be read only once: '-' for stdin, an open descriptor, a pipe, or a device."""
    if str(path) == STDIN or str(path).startswith(_DESCRIPTORS):
        return True
    try:
        mode = Path(path).stat().st_mode
    except (OSError, ValueError):
        return False
    return not stat.S_ISREG(mode) and not stat.S_ISDIR(mode)


def path_of(given: str | Path | Source) -> Path:
    """The path of an input, which must not become an output."""
    if isinstance(given, Source):
        return given.given
    return Path("/dev/stdin" if str(given) == STDIN else given)


@contextlib.contextmanager
def copy_of(stream: str | Path) -> Iterator[Source]:
    """A temporary file with all that a stream gives; removed after the block.

    It takes at most half of the free space. Raises DataError for a stream that gives more.
    """
    name = "stdin" if str(stream) == STDIN else str(stream)
    with scratch_folder() as folder:
        half = shutil.disk_usage(folder).free // 2
        room = min(MOST_COPIED, half)
        path = folder / "copy"
        with _opened(stream) as file, path.open("wb") as copy:
            while block := _block(file, name):
                room -= len(block)
                if room < 0:
                    limit = f"{MOST_COPIED // 1_000_000:,} MB"
                    if half < MOST_COPIED:
                        limit = f"half of the free space in {folder.parent}"
                    raise DataError(
                        f"{name} gives more than {limit}, which is the most that is copied.",
                        hint="If it has an end, save it as a file, and give that file.",
                    )
                with writing(path):
                    copy.write(block)
        yield Source.of(path, name=name)


def _opened(stream: str | Path) -> contextlib.AbstractContextManager[BinaryIO]:
    if str(stream) == STDIN:
        return contextlib.nullcontext(sys.stdin.buffer)
    return Path(stream).open("rb")


def _block(file: BinaryIO, name: str) -> bytes:
    try:
        return file.read(_BLOCK)
    except OSError as error:
        why = "it is closed" if error.errno == errno.EBADF else error.strerror or error
        raise DataError(
            f"{name} can't be read: {why}.", hint="Give the table as a file: --input FILE"
        ) from error
