"""The one reader of tables on disk, for learning, encoding and predicting: a few rows at a time.

A new format is one line in FORMATS, and the function that opens it. Loads nothing heavy.
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
from emolens.data.readers.table import Chunk, Table
from emolens.errors import DataError

FORMATS: dict[str, Callable[[Path], Table]] = {
    ".csv": open_delimited,
    ".tsv": open_delimited,
    ".txt": open_labelled_lines,
    ".jsonl": open_json_lines,
    ".ndjson": open_json_lines,
    ".parquet": open_parquet,
    ".arrow": open_arrow,
    ".feather": open_arrow,
}
# Formats that hold something else where nothing is to be learned from them.
_WITHOUT_LABELS = {".txt": open_texts}


def is_table(path: Path) -> bool:
    """Whether the ending is one that open_table knows."""
    return path.suffix.lower() in FORMATS


def open_table(path: Path, *, labelled: bool) -> Table:
    """Open one file by its ending.

    labelled: rows to learn from; a .txt then holds 'text;label' lines, and else a text per line.
    Raises DataError, now or while the rows are read, that names the file and the row.
    """
    if not is_table(path):
        raise DataError(
            f"{path} is of no kind that emolens reads.",
            hint=f"Known endings: {', '.join(FORMATS)}.",
        )
    _check_there(path)
    openers = FORMATS if labelled else FORMATS | _WITHOUT_LABELS
    with _system_errors(path):
        table = openers[path.suffix.lower()](path)
    if not table.columns:
        raise _no_rows(path)
    return replace(table, read=partial(_some_rows, path, table))


def missing(path: Path) -> DataError:
    """The error for a path where nothing is, with what does stand beside it."""
    beside = sorted(p.name for p in path.parent.glob("*")) if path.parent.is_dir() else []
    names = ", ".join(beside[:6]) + (", …" if len(beside) > 6 else "")
    return DataError(
        f"There is no file or folder {path}.",
        hint=f"In {path.parent} there is: {names}." if names else "Check the path.",
    )


def _check_there(path: Path) -> None:
    with _system_errors(path):
        if not path.stat().st_size:
            raise DataError(f"{path} is empty.", hint="Check how the file was made.")
        path.open("rb").close()


@contextlib.contextmanager
def _system_errors(path: Path) -> Iterator[None]:
    try:
        yield
    except FileNotFoundError as error:
        raise missing(path) from error
    except OSError as error:
        raise DataError(
            f"{path} can't be read: {error.strerror or error}.",
            hint="Check the path and its rights.",
        ) from error


def _some_rows(path: Path, table: Table, columns: Sequence[str]) -> Iterator[Chunk]:
    empty = True
    with _system_errors(path):
        for chunk in table.read(columns):
            empty = False
            yield chunk
    if empty:
        raise _no_rows(path)


def _no_rows(path: Path) -> DataError:
    return DataError(f"{path} holds no rows.", hint="Check how the file was made.")
