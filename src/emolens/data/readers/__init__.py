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
# A .txt file without labels is read in another way.
_WITHOUT_LABELS = {".txt": open_texts}


def is_table(path: Path) -> bool:
    """Whether open_table knows the ending."""
    return path.suffix.lower() in FORMATS


def open_table(path: Path, *, labelled: bool) -> Table:
    """Open one file; its ending says the format.

    labelled: whether the rows have labels. Then a .txt file holds 'text;label' lines; otherwise it
    holds one text per line. Raises DataError, also while the rows are read.
    """
    if not is_table(path):
        raise DataError(
            f"emolens can't read {path}: its ending is not known.",
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
    """The error for a path that does not exist; the hint names the files beside it."""
    beside = sorted(p.name for p in path.parent.glob("*")) if path.parent.is_dir() else []
    names = ", ".join(beside[:6]) + (", …" if len(beside) > 6 else "")
    return DataError(
        f"There is no file or folder {path}.",
        hint=f"{path.parent} holds: {names}." if names else "Check the path.",
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
            hint="Check the path and the permissions of the file.",
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
