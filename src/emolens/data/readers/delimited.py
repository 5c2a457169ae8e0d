"""Tables of fields between delimiters: .csv and .tsv."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator, Sequence

from emolens.data.readers.encoding import text_file
from emolens.data.readers.options import ReadOptions
from emolens.data.readers.source import Source
from emolens.data.readers.table import MOST_BYTES, Chunk, Row, Table, chunked, too_long
from emolens.data.readers.text import TextFile
from emolens.errors import DataError

_DELIMITERS = ",;\t"
# A field in quotes. With '++' and '*+' Python remembers no earlier place, which saves memory.
_QUOTED = re.compile(r'(?<![^,;\t])"(?:[^"]++|"")*+"?')


def open_delimited(source: Source, options: ReadOptions) -> Table:
    """A table whose columns are named by the first row that is not blank."""
    csv.field_size_limit(MOST_BYTES)  # for all readers; the module has no other way
    file = text_file(source, options)
    delimiter = _delimiter_of(file)
    names, __ = _header_and_records(file, delimiter, {})

    def read(_: Sequence[str]) -> Iterator[Chunk]:
        errors: dict[int, str] = {}
        return chunked(_rows(file, delimiter, errors), errors)

    return Table(
        source.name,
        tuple(names),
        read,
        unit="line",
        delimiter=delimiter,
        notes=file.notes,
        bom=file.bom,
    )


def _delimiter_of(file: TextFile) -> str:
    """A tab for .tsv; else the most frequent delimiter in the first line that is not blank.

    Delimiters in quotes are not counted.
    """
    if file.source.format == "tsv":
        return "\t"
    first = next(filter(str.strip, file.lines({})), "")
    return max(_DELIMITERS, key=_QUOTED.sub("", first).count)


def _rows(file: TextFile, delimiter: str, errors: dict[int, str]) -> Iterator[tuple[int, Row]]:
    names, records = _header_and_records(file, delimiter, errors)
    for line, cells in records:
        if not cells and len(names) > 1:
            continue
        fields = cells or [""]  # a table of one column has an empty line for an empty cell
        if len(fields) != len(names):
            raise DataError(
                f"{file.source}, line {line}: the header has {len(names)} fields, and this row has"
                f" {len(fields)}.",
                hint="A text that holds the delimiter must stand in double quotes.",
            )
        yield line, dict(zip(names, fields, strict=True))


def _header_and_records(
    file: TextFile, delimiter: str, errors: dict[int, str]
) -> tuple[list[str], Iterator[tuple[int, list[str]]]]:
    """The column names, and the records after them. A column without a name becomes column_N."""
    records = _records(file, delimiter, errors)
    for _, fields in records:
        names = [name.strip() for name in fields]
        if any(names):
            taken = set(names)
            return [name or _unnamed(i, taken) for i, name in enumerate(names, start=1)], records
    return [], records


def _unnamed(place: int, taken: set[str]) -> str:
    name = f"column_{place}"
    while name in taken:
        name += "_"
    return name


def _records(
    file: TextFile, delimiter: str, errors: dict[int, str]
) -> Iterator[tuple[int, list[str]]]:
    """Each record: the line in which it begins, and its fields (none for an empty line)."""
    lines = file.lines(errors, newline="")  # a field in quotes keeps its line ends
    reader = csv.reader(lines, delimiter=delimiter, strict=True)
    before = 0
    try:
        for fields in reader:
            if errors:  # the error of a later line of the record belongs to its first line
                last = max(errors)
                if last > before + 1:
                    errors[before + 1] = errors.pop(last)
            yield before + 1, fields
            before = reader.line_num
    except csv.Error as error:
        where = f"{file.source}, line {before + 1}"
        if "field limit" in str(error):
            raise too_long(where, "a field") from error
        raise DataError(
            f"{where}: {error}.",
            hint="Check the quotes: a quote inside a quoted field is written twice.",
        ) from error
