"""Tables of fields between delimiters: .csv and .tsv."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from pathlib import Path

from emolens.data.readers.table import Row, Table, chunked
from emolens.data.readers.text import text_lines
from emolens.errors import DataError

_DELIMITERS = ",;\t"
_QUOTED = re.compile(r'(?<![^,;\t])"(?:[^"]|"")*"?')  # a field in quotes


def open_delimited(path: Path) -> Table:
    """A table whose columns are named by the first row that is not blank."""
    names, _ = _header_and_records(path)
    return Table(path, tuple(names), lambda _: chunked(_rows(path)), unit="line")


def delimiter_of(path: Path) -> str:
    """A tab for .tsv; else the delimiter that the first line with any text has most often.

    Those in quotes are not counted.
    """
    if path.suffix.lower() == ".tsv":
        return "\t"
    first = next(filter(str.strip, text_lines(path)), "")
    return max(_DELIMITERS, key=_QUOTED.sub("", first).count)


def _rows(path: Path) -> Iterator[tuple[int, Row]]:
    names, records = _header_and_records(path)
    for line, cells in records:
        if not cells and len(names) > 1:
            continue
        fields = cells or [""]  # a table of one column has an empty line for an empty cell
        if len(fields) != len(names):
            raise DataError(
                f"{path}, line {line}: the header has {len(names)} fields, and this row has"
                f" {len(fields)}.",
                hint="A text that holds the delimiter must stand in double quotes.",
            )
        yield line, dict(zip(names, fields, strict=True))


def _header_and_records(path: Path) -> tuple[list[str], Iterator[tuple[int, list[str]]]]:
    """The column names, and the records after them. A column without a name becomes column_N."""
    records = _records(path)
    for _, fields in records:
        names = [name.strip() for name in fields]
        if any(names):
            return [name or _unnamed(i, names) for i, name in enumerate(names, start=1)], records
    return [], records


def _unnamed(place: int, taken: list[str]) -> str:
    name = f"column_{place}"
    while name in taken:
        name += "_"
    return name


def _records(path: Path) -> Iterator[tuple[int, list[str]]]:
    """Each record: the line in which it begins, and its fields (none for an empty line)."""
    csv.field_size_limit(2**31 - 1)
    lines = text_lines(path, newline="")  # a field in quotes keeps its line ends
    reader = csv.reader(lines, delimiter=delimiter_of(path), strict=True)
    before = 0
    try:
        for fields in reader:
            yield before + 1, fields
            before = reader.line_num
    except csv.Error as error:
        raise DataError(
            f"{path}, line {before + 1}: {error}.",
            hint="Check the quotes: a quote inside a quoted field is written twice.",
        ) from error
