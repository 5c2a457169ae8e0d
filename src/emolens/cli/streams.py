"""stdin, stdout and stderr of the process: in UTF-8, and with a rule for every failed write.

If stdout is full or closed, this is an error. If the reader of stdout has ended, the command ends
without a message. Failed writes to stderr are ignored. Knows nothing of commands.
"""

from __future__ import annotations

import contextlib
import errno
import faulthandler
import io
import os
import sys
from collections.abc import Iterator
from typing import Any, TextIO

from emolens.errors import StorageError

READER_GONE = 141  # what a shell reports for a program that SIGPIPE ended


class _Stdout(io.FileIO):
    """Raises a StorageError once. Later writes (Python's last flush) are ignored."""

    _failed = False

    def write(self, data: Any, /) -> int:
        if self._failed:
            return len(data)
        try:
            return super().write(data) or 0
        except BrokenPipeError:
            self._failed = True
            raise SystemExit(READER_GONE) from None
        except OSError as error:
            self._failed = True
            closed = error.errno == errno.EBADF
            raise StorageError(
                f"stdout can't be written: {'it is closed' if closed else error.strerror}.",
                hint="Send the output to another place, or free some space on that disk.",
            ) from error


class _Stderr(io.FileIO):
    """Ignores failed writes: there is no other place to report them."""

    def write(self, data: Any, /) -> int:
        with contextlib.suppress(OSError):
            super().write(data)
        return len(data)


@contextlib.contextmanager
def standard_streams(*, show_libraries: bool) -> Iterator[None]:
    """Replace sys.stdin, stdout and stderr while the block runs.

    show_libraries: also show what libraries in Rust and C++ write to stderr without Python.
    """
    before = sys.stdin, sys.stdout, sys.stderr
    _fill_closed()
    hidden = None
    try:
        sys.stdin, sys.stdout = _input(sys.stdin), _output(sys.stdout, _Stdout)
        if not show_libraries and _descriptor(sys.stderr) == 2 and os.name == "posix":
            hidden = os.dup(2)
        sys.stderr = _output(sys.stderr, _Stderr, hidden)
        if hidden is not None:
            _to_nowhere(2)
            faulthandler.enable(sys.stderr, all_threads=False)  # a crash in C must not be silent
        yield
    finally:
        for stream in (sys.stdout, sys.stderr):
            with contextlib.suppress(StorageError, SystemExit, ValueError):
                stream.flush()
        if hidden is not None:
            faulthandler.disable()
            os.dup2(hidden, 2)
        sys.stdin, sys.stdout, sys.stderr = before


def _fill_closed() -> None:
    """Open something for each closed stream. Its number, 0 to 2, would else go to the next file
    that is opened, and a library that prints would write into that file.
    """
    for descriptor in (0, 1, 2):
        try:
            os.fstat(descriptor)
        except OSError:
            # The system takes the lowest free number. In this mode every use fails, as it should.
            os.open(os.devnull, os.O_WRONLY if descriptor == 0 else os.O_RDONLY)


def _input(stream: TextIO | None) -> TextIO:
    """stdin as UTF-8; a stream that can't be read if it is closed."""
    if stream is None:
        return os.fdopen(os.open(os.devnull, os.O_WRONLY), "r", encoding="utf-8", closefd=False)
    if isinstance(stream, io.TextIOWrapper):
        stream.reconfigure(encoding="utf-8")
    return stream


def _output(stream: TextIO | None, kind: type[io.FileIO], moved: int | None = None) -> TextIO:
    """stdout or stderr as UTF-8. kind: how it writes. moved: its new number, if it has one."""
    descriptor = _descriptor(stream)
    if stream is None:
        descriptor = os.open(os.devnull, os.O_RDONLY)
    if descriptor is None:  # a console of Windows, or a stream of the caller
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(encoding="utf-8")
        return stream  # type: ignore[return-value]
    raw = kind(descriptor if moved is None else moved, "wb", closefd=False)
    return io.TextIOWrapper(
        io.BufferedWriter(raw),
        encoding="utf-8",
        errors="backslashreplace",  # half of a character pair, as in a file name that is no UTF-8
        line_buffering=kind is _Stderr or raw.isatty(),
    )


def _descriptor(stream: TextIO | None) -> int | None:
    """The number of a file, pipe or terminal of Unix behind the stream; None for anything else."""
    buffer = getattr(stream, "buffer", None)
    raw = getattr(buffer, "raw", buffer)  # with PYTHONUNBUFFERED there is no buffer
    return raw.fileno() if isinstance(raw, io.FileIO) else None


def _to_nowhere(descriptor: int) -> None:
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, descriptor)
    os.close(nowhere)
