"""The tables that a command reads and writes: files, pipes, or '-' for stdin and stdout."""

from __future__ import annotations

import contextlib
import os
import shutil
import stat
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

from emolens.console import Console
from emolens.data.readers.endings import is_table
from emolens.data.readers.options import ReadOptions
from emolens.data.readers.source import STDIN, Source, is_stream, path_of
from emolens.errors import UsageError
from emolens.temporary import scratch_folder

STDOUT = ("-", "/dev/stdout", "/dev/fd/1")
_BINARY = (".parquet", ".arrow", ".feather", ".xlsx")


def table_among(
    texts: list[str], console: Console, *, file_format: str | None = None
) -> Path | None:
    """The table that a user gave instead of a text; None if these are texts.

    A pipe is a table, and an existing file whose format is known. Any other name of a file is a
    text, and a note says so.
    """
    texts_only = [text for text in texts if text != STDIN]
    there = [text for text in texts_only if _is_there(text)]
    tables = [n for n in there if file_format or is_stream(n) or _is_file_of_a_table(n)]
    if not tables:
        for name in there:
            console.note(
                f"There is a file or folder {name}, but this is read as a text. For a table:"
                " emolens predict --input FILE --format csv"
            )
        for name in texts_only:
            if name not in there and is_table(Path(name)):
                console.note(f"There is no file {name}, so this is read as a text.")
        return None
    if len(texts) > 1:
        raise UsageError(
            f"{tables[0]} is a table, and there are other arguments beside it.",
            hint=f'Give one table alone: emolens predict --input "{tables[0]}"',
        )
    console.note(
        f"{tables[0]} is read as a table. To classify its name: echo NAME | emolens predict -"
    )
    return Path(tables[0])


def _is_file_of_a_table(name: str) -> bool:
    return is_table(Path(name)) and Path(name).is_file()


def _is_there(name: str) -> bool:
    try:
        return bool(name) and Path(name).exists()
    except (OSError, ValueError):  # longer than a path may be, or with a NUL
        return False


@contextlib.contextmanager
def tables(
    source: Path,
    out: Path | None,
    *,
    read: ReadOptions,
    default: Callable[[Source], Path],
    check: Callable[[Path, Path | Source], None],
) -> Iterator[tuple[Source, Path]]:
    """The table to read, and the file to write, whose path is printed after the block.

    default: gives the path of the new file. check: raises an error for a file that may not be
    written. If `out` is stdout, or if the source is a pipe and there is no `out`, the block writes
    to a temporary file, which is then copied to stdout.
    """
    from emolens.data.readers.open import source_of

    to_stdout = str(out) in STDOUT or (out is None and is_stream(source))
    if to_stdout:
        _check_stdout(source)
    elif out is not None:
        check(out, source)  # before a pipe is read
    with source_of(source, read) as given:
        if to_stdout:
            ending = default(replace(given, given=given.like)).suffix  # not compressed
            with _stdout(ending) as target:
                yield given, target
        else:
            target = out or default(given)
            check(target, given)  # before a model is loaded
            yield given, target
            Console().line(str(target))


def _check_stdout(source: Path) -> None:
    """Raise UsageError if the shell made stdout the input, as `>> FILE` does."""
    with contextlib.suppress(OSError):  # whoever uses them reports it
        status = os.fstat(sys.stdout.fileno())
        if stat.S_ISREG(status.st_mode) and os.path.samestat(status, path_of(source).stat()):
            raise UsageError(
                f"stdout is the input {source}, and the output would be written into it.",
                hint="Choose another file after > or >>, or name one with --out.",
            )


@contextlib.contextmanager
def _stdout(ending: str) -> Iterator[Path]:
    if ending in _BINARY and sys.stdout.isatty():
        raise UsageError(
            f"A {ending} table can't be shown on a terminal.",
            hint="Write it to a file with --out, or send it on with | or >.",
        )
    with scratch_folder() as folder:
        path = folder / f"table{ending}"
        yield path
        with path.open("rb") as file:
            shutil.copyfileobj(file, sys.stdout.buffer)
        sys.stdout.buffer.flush()
