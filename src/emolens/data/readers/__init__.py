"""The one reader of table files, for learning, encoding and predicting: a few rows at a time.

A new format needs a function that opens it, and one line in FORMATS. Loads nothing heavy.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

from emolens.data.readers.arrow import open_arrow, open_parquet
from emolens.data.readers.delimited import open_delimited
from emolens.data.readers.lines import open_json_lines, open_labelled_lines, open_texts
from emolens.data.readers.options import ReadOptions
from emolens.data.readers.source import STDIN, Source, copy_of, is_stream
from emolens.data.readers.table import Chunk, Table
from emolens.errors import DataError, EmolensError, UsageError, nearest, some_of
from emolens.names import user_path

FORMATS: dict[str, Callable[[Source, ReadOptions], Table]] = {
    "csv": open_delimited,
    "tsv": open_delimited,
    "txt": open_labelled_lines,
    "jsonl": open_json_lines,
    "parquet": open_parquet,
    "arrow": open_arrow,
}
# A .txt file without labels is read in another way.
_WITHOUT_LABELS = {"txt": open_texts}
ENDINGS = {
    ".csv": "csv",
    ".tsv": "tsv",
    ".txt": "txt",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".parquet": "parquet",
    ".arrow": "arrow",
    ".feather": "arrow",
}
AS_FOUND = ReadOptions()


def is_table(path: Path) -> bool:
    """Whether the ending says that this is a table."""
    return path.suffix.lower() in ENDINGS


@contextlib.contextmanager
def source_of(given: str | Path | Source, options: ReadOptions = AS_FOUND) -> Iterator[Source]:
    """The file to read for what a user gave: a path, or '-' for stdin.

    What can be read only once (stdin, a pipe) is copied to a temporary file first; it is removed
    after the block. Raises UsageError and DataError.
    """
    if isinstance(given, Source):
        yield given
        return
    path = user_path(given)
    if not is_stream(given) and path.is_dir():
        raise _folder(path)
    ending = options.file_format or path.suffix
    file_format = ENDINGS.get(f".{ending.lower().lstrip('.')}")
    if file_format is None:
        raise _unknown_format(str(given), options.file_format)
    if is_stream(given):
        with copy_of(given, file_format=file_format) as source:
            yield source
    else:
        with _system_errors(path):
            source = Source.of(path, file_format=file_format)
        yield source


def open_table(given: Path | Source, *, labelled: bool, options: ReadOptions = AS_FOUND) -> Table:
    """Open one file; its ending says the format.

    labelled: whether the rows have labels. Then a .txt file holds 'text;label' lines; otherwise it
    holds one text per line. Raises DataError, also later, while the rows are read. A file that has
    changed since then is an error, too.
    """
    path = given.path if isinstance(given, Source) else given
    if not isinstance(given, Source) and not is_table(given):
        raise _unknown_ending(given)
    openers = FORMATS if labelled else FORMATS | _WITHOUT_LABELS
    with _system_errors(path):
        if isinstance(given, Source):
            source = given
        else:
            source = Source.of(given, file_format=ENDINGS[given.suffix.lower()])
        with source.unchanged():
            table = openers[source.format](source, options)
    if not table.columns:
        raise _no_rows(source)
    return replace(table, read=partial(_some_rows, source, table))


def missing(path: Path) -> DataError:
    """The error for a path that does not exist; the hint names the files beside it."""
    beside = sorted(p.name for p in path.parent.glob("*")) if path.parent.is_dir() else []
    names = ", ".join(beside[:6]) + (", …" if len(beside) > 6 else "")
    return DataError(
        f"There is no file or folder {path}.",
        hint=f"{path.parent} holds: {names}." if names else "Check the path.",
    )


def _folder(path: Path) -> DataError:
    names = sorted(str(file) for file in path.glob("*") if is_table(file) and file.is_file())
    return DataError(
        f"{path} is a folder, and a table is a file.",
        hint=f"Give one of its tables: {some_of(names)}"
        if names
        else f"It holds no table. Give a file whose name ends with {', '.join(ENDINGS)}.",
    )


def _unknown_format(given: str, file_format: str | None) -> EmolensError:
    if file_format:
        return UsageError(
            f"There is no format '{file_format}'.",
            hint=nearest(file_format, [e[1:] for e in ENDINGS]),
        )
    if is_stream(given):
        return UsageError(
            f"{'stdin' if given == STDIN else given} has no ending that says its format.",
            hint=f"Add --format csv, or another format: {', '.join(e[1:] for e in ENDINGS)}.",
        )
    return _unknown_ending(given, "; another name needs --format csv, or another format")


def _unknown_ending(given: object, more: str = "") -> DataError:
    return DataError(
        f"emolens can't read {given}: its ending is not known.",
        hint=f"Known endings: {', '.join(ENDINGS)}{more}.",
    )


@contextlib.contextmanager
def _system_errors(path: Path) -> Iterator[None]:
    try:
        yield
    except FileNotFoundError as error:
        raise missing(path) from error
    except OSError as error:
        raise DataError(
            f"{path} can't be read: {error.strerror or error}.",
            hint="Check the path and the permissions of the file.",
        ) from error


def _some_rows(source: Source, table: Table, columns: Sequence[str]) -> Iterator[Chunk]:
    empty = True
    with _system_errors(source.path), source.unchanged():
        for chunk in table.read(columns):
            source.check()  # before the caller uses rows of a file that has changed
            empty = False
            yield chunk
    if empty:
        raise _no_rows(source)


def _no_rows(source: Source) -> DataError:
    return DataError(f"{source} holds no rows.", hint="Check how the file was made.")
