"""Tables on disk, read a row at a time: .csv, .tsv, .jsonl, .parquet, or .txt with a text a line.

For what is too large to be held whole; loads nothing heavy. Every complaint names the file.
"""

from __future__ import annotations

import contextlib
import csv
import json
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, TextIO

from emolens.errors import DataError, UsageError, first_line, nearest

CHUNK = 2048
# What a column of texts is usually called, the likelier first.
TEXT_COLUMNS = (
    "text", "sentence", "content", "comment", "message", "tweet", "review", "body", "post",
)  # fmt: skip
FORMATS = (".csv", ".tsv", ".jsonl", ".parquet", ".txt")
Row = dict[str, Any]


def check_table(source: Path) -> None:
    """UsageError where the ending is unknown, DataError where there is no file to be read."""
    check_ending(source, "reads", FORMATS)
    if not source.is_file():
        raise DataError(f"There is no file {source}.", hint="Check the path.")
    try:
        source.open("rb").close()
    except OSError as error:
        raise DataError(
            f"{source} can't be read: {error.strerror}.", hint="Check its rights."
        ) from error


def check_ending(path: Path, does: str, known: tuple[str, ...]) -> None:
    """UsageError where `path` ends on none of those known. does: 'reads' or 'writes'."""
    if path.suffix.lower() not in known:
        raise UsageError(
            f"{path} is of no kind that emolens {does}.", hint=f"Known: {', '.join(known)}."
        )


def read_rows(source: Path) -> Iterator[Row]:
    """The rows of a table as dictionaries, read as they are asked for."""
    suffix = source.suffix.lower()
    if suffix == ".parquet":
        yield from _parquet_rows(source)
        return
    try:
        with source.open(
            encoding="utf-8-sig", newline="" if suffix in (".csv", ".tsv") else None
        ) as file:
            yield from _text_rows(file, suffix, source)
    except UnicodeDecodeError as error:
        raise DataError(
            f"{source} is not UTF-8 (byte 0x{error.object[error.start]:02x}).",
            hint=f"Convert it first, for example: iconv -f WINDOWS-1252 -t UTF-8 {source.name}",
        ) from error


def _parquet_rows(source: Path) -> Iterator[Row]:
    import pyarrow.parquet as pq

    with parquet_errors(source), pq.ParquetFile(source) as file:
        for batch in file.iter_batches(CHUNK):
            yield from batch.to_pylist()


@contextlib.contextmanager
def parquet_errors(source: Path) -> Iterator[None]:
    """Turn what Arrow says of a broken file into a DataError that names it."""
    import pyarrow as pa

    try:
        yield
    except (pa.ArrowException, OSError) as error:
        raise DataError(
            f"{source} is no readable parquet file ({first_line(error)}).",
            hint="Check that it was written to its end, or fetch it again.",
        ) from error


def _text_rows(file: TextIO, suffix: str, source: Path) -> Iterator[Row]:
    if suffix == ".txt":
        yield from ({"text": line.rstrip("\n")} for line in file if line.strip())
    elif suffix == ".jsonl":
        for number, line in enumerate(file, start=1):
            if line.strip():
                yield _json_row(line, f"{source}, line {number}")
    else:
        yield from _delimited_rows(file, suffix, source)


def _json_row(line: str, where: str) -> Row:
    try:
        row = json.loads(line)
        if "\\u" in line:  # an escape may stand for half a surrogate pair, which no file can hold
            json.dumps(row, ensure_ascii=False).encode()
    except (ValueError, RecursionError) as error:
        raise DataError(
            f"{where}: this is not JSON ({error}).", hint="Each line is one object."
        ) from error
    if not isinstance(row, dict):
        raise DataError(
            f"{where}: this is no object with named values.", hint='Like: {"text": "So good!"}'
        )
    return row


def delimiter_of(source: Path) -> str:
    """The sign that stands most often in the first line."""
    with source.open(encoding="utf-8-sig", errors="replace") as file:
        head = file.readline()
    return max(",;\t", key=head.count)


def _delimited_rows(file: TextIO, suffix: str, source: Path) -> Iterator[Row]:
    delimiter = "\t" if suffix == ".tsv" else delimiter_of(source)
    csv.field_size_limit(min(sys.maxsize, 2**31 - 1))
    reader = csv.DictReader(file, delimiter=delimiter, strict=True)
    names = list(reader.fieldnames or [])
    if repeated := next((name for name in names if names.count(name) > 1), None):
        raise DataError(
            f"{source} has two columns called '{repeated}'.", hint="Rename one of them first."
        )
    line = 0
    while True:
        try:
            line = reader.line_num
            row = next(reader, None)
        except csv.Error as error:
            raise DataError(
                f"{source}, after line {line}: this is no well-formed table ({error}).",
                hint="A text that holds the delimiter or a quote must stand in double quotes.",
            ) from error
        if row is None:
            return
        if None in row or None in row.values():
            raise DataError(
                f"{source}, line {reader.line_num}: the number of fields is not the header's.",
                hint="A text that holds the delimiter must stand in double quotes.",
            )
        yield row


def chunks(rows: Iterable[Row]) -> Iterator[list[Row]]:
    """The rows in lists of CHUNK, the last one shorter."""
    chunk: list[Row] = []
    for row in rows:
        chunk.append(row)
        if len(chunk) == CHUNK:
            yield chunk
            chunk = []
    if chunk:
        yield chunk


def text_column_of(row: Row, source: Path, wanted: str | None) -> str:
    """The name of the column of texts, by one row: the one wanted, or one that is usual."""
    if wanted is not None:
        if wanted in row:
            return wanted
        raise DataError(f"{source} has no text column '{wanted}'.", hint=nearest(wanted, row))
    by_lower = {name.lower(): name for name in row}
    for name in TEXT_COLUMNS:
        if name in by_lower:
            return by_lower[name]
    raise DataError(
        f"{source} has no column that looks like the texts.",
        hint=f"Name it with --text. Present: {', '.join(row)}.",
    )
