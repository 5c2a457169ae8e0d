"""Tables of fields between delimiters: .csv, .tsv, and text files in such a form."""

from __future__ import annotations

import contextlib
import csv
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import islice

from emolens.data.checks import Note
from emolens.data.readers.dialect import (
    NO_DELIMITER,
    USUAL,
    Found,
    delimiter_option,
    find_dialect,
    sep_line,
    shown,
)
from emolens.data.readers.encoding import text_file
from emolens.data.readers.header import (
    find_header,
    no_header_note,
    text_and_label,
    title_note,
)
from emolens.data.readers.options import ReadOptions
from emolens.data.readers.records import GiantFieldError, Shape
from emolens.data.readers.source import Source
from emolens.data.readers.table import (
    MOST_BYTES,
    Chunk,
    Row,
    Table,
    chunked,
    distinct,
    too_long,
)
from emolens.data.readers.text import TextFile
from emolens.errors import DataError

_SAMPLE = 1_000  # lines
_SAMPLE_SIZE = 1_000_000  # characters


def open_delimited(source: Source, options: ReadOptions) -> Table:
    """A table with a delimiter, quotes and a header that are found out from its first rows."""
    return delimited_table(text_file(source, options), options)


def delimited_table(file: TextFile, options: ReadOptions) -> Table:
    """The same for a file whose encoding is known."""
    csv.field_size_limit(MOST_BYTES)  # for all readers; the module has no other way
    lines = first_lines(file)
    layout = _layout(file, lines, options) if any(map(str.strip, lines)) else None
    if layout is None:
        return Table(file.source.name, (), lambda _: iter(()))
    delimiter = layout.shape.dialect.delimiter
    return Table(
        file.source.name,
        layout.columns,
        partial(_chunks, file, layout),
        unit="line",
        delimiter="," if delimiter == NO_DELIMITER else delimiter,
        titles=layout.titles,
        usual=layout.guessed,
        notes=(*file.notes, *layout.notes),
        bom=file.bom,
    )


def first_lines(file: TextFile) -> list[str]:
    """Enough lines to find out how the table is written."""
    lines: list[str] = []
    size = 0
    for line in islice(file.lines({}, newline=""), _SAMPLE):
        lines.append(line)
        size += len(line)
        if size > _SAMPLE_SIZE:
            break
    return lines


@dataclass(frozen=True)
class _Layout:
    """Where the rows of a table begin, and how they are written.

    titles: the names of the columns as they stand in the file. before: the rows begin behind this
    line. n_hidden: lines at the start that belong to no record. guessed: see Table.
    """

    shape: Shape
    titles: tuple[str, ...]
    before: int
    n_hidden: int
    guessed: dict[str, str]
    notes: tuple[Note, ...]

    @property
    def columns(self) -> tuple[str, ...]:
        """The names by which rows give their values."""
        return distinct([title.strip() for title in self.titles])


def _layout(file: TextFile, lines: list[str], options: ReadOptions) -> _Layout | None:
    """None if there is no row at all."""
    sign = delimiter_option(options.delimiter)
    hidden = sep_line(lines[0])
    lines = lines[1:] if hidden else lines
    found = find_dialect(lines, sign or hidden, tabs=file.source.format == "tsv")
    shape = found.shape(lines, found.width)
    with _giant_fields(file.source):
        rows = [row for row in shape.records(iter(lines)) if any(map(str.strip, row[2]))]
    header = find_header(
        [fields for _, _, fields, _ in rows],
        found.width,
        header=options.header,
        skip=options.skip_rows,
    )
    if header.first > len(rows):
        raise DataError(
            f"{file.source} has only {len(rows)} rows.",
            hint="Give a smaller number to --skip-rows.",
        )
    if not rows:
        return None
    data = [fields for _, _, fields, _ in rows[header.first :]]
    notes = list(_dialect_notes(file.source, found))
    guessed: dict[str, str] = {}
    if header.row is None:
        titles = [str(i) for i in range(1, found.width + 1)]
        guessed = text_and_label(data, found.width)
        notes.append(
            no_header_note(str(file.source), titles, guessed, said=options.header is False)
        )
    else:
        titles = _fitted_titles(rows[header.row][2], found, data)
        first = header.row if options.skip_rows == 0 else 0
        if first and any(map(str.strip, rows[0][2])):
            notes.append(title_note(f"{file.source}, line {rows[header.row][0]}"))
    if len(titles) != found.width:
        shape = found.shape(lines, len(titles))
    return _Layout(
        shape,
        tuple(titles),
        before=(rows[header.first - 1][0] if header.first else 0) + bool(hidden),
        n_hidden=int(bool(hidden)),
        guessed=guessed,
        notes=tuple(notes),
    )


def _fitted_titles(titles: list[str], found: Found, data: list[list[str]]) -> list[str]:
    """A title for each column. R gives no title to the names of rows, which come first."""
    while len(titles) > found.width and not titles[-1].strip():
        titles = titles[:-1]
    longer = [row for row in data if len(row) == len(titles) + 1]
    if len(longer) > 0.9 * len(data) and any(row[-1].strip() for row in longer):
        return ["", *titles]
    return titles


def _dialect_notes(source: Source, found: Found) -> Iterator[Note]:
    delimiter = found.dialect.delimiter
    if found.other or delimiter not in USUAL + NO_DELIMITER or found.share < 0.9:
        other = found.other or ("," if delimiter != "," else ";")
        yield Note(
            "R03",
            f"The fields of {source} are taken to be separated by {shown(delimiter)}:"
            f" {found.share:.0%} of the first rows have {found.width} fields then.",
            f"If this is wrong, name the sign, such as --delimiter {shown(other)}.",
        )
    if found.n_plain:
        yield Note("R03", f"Quotes in {source} are read as plain signs: they enclose no fields.")
    if found.dialect.escapes:
        yield Note("R03", f"A backslash before a quote in {source} is read as a part of its field.")


def _chunks(file: TextFile, layout: _Layout, _: Sequence[str]) -> Iterator[Chunk]:
    errors: dict[int, str] = {}
    with _giant_fields(file.source):
        yield from chunked(_rows(file, layout, errors), errors, size=_n_characters)


def _n_characters(row: Row) -> int:
    """The same as of any row, but faster: all values are strings."""
    return sum(map(len, row.values()))


def _rows(file: TextFile, layout: _Layout, errors: dict[int, str]) -> Iterator[tuple[int, Row]]:
    names, hidden = layout.columns, layout.n_hidden
    width = len(names)
    lines = islice(file.lines(errors, newline=""), hidden, None)
    for first, n_lines, fields, wrong in layout.shape.records(lines):
        line = first + hidden
        if line <= layout.before:
            continue
        row, why = fields, wrong
        if len(fields) != width:
            if width > 1 and len(fields) < 2 and not any(map(str.strip, fields)):
                continue
            row, ragged = _kept(fields, width)
            why = wrong or ragged
        if why or errors:
            _move_errors(file, errors, range(line, line + n_lines), why)
        yield line, dict(zip(names, row, strict=False))


def _kept(fields: list[str], width: int) -> tuple[list[str], str | None]:
    """As many fields as there are columns, and what is lost or absent."""
    if not fields and width == 1:
        return [""], None  # a table of one column has an empty line for an empty cell
    surplus = fields[width:]
    why = f"{len(fields)} field{'s' * (len(fields) != 1)} where the header has {width}"
    if surplus:
        lost = " | ".join(surplus).strip()
        why += f"; left out: {lost[:100]}"
        return fields[:width], why if any(map(str.strip, surplus)) else None
    return fields + [""] * (width - len(fields)), why


def _move_errors(file: TextFile, errors: dict[int, str], lines: range, why: str | None) -> None:
    """Give the errors of all lines of a record to its first line."""
    sentences = [errors.pop(line) for line in sorted(errors) if line in lines]
    if why:
        if file.strict:
            raise DataError(
                f"{file.source}, line {lines.start}: {why}.",
                hint="Put a text that holds the delimiter into double quotes.",
            )
        sentences.append(f"line {lines.start}: {why}")
    if sentences:
        errors[lines.start] = "; ".join(sentences)


@contextlib.contextmanager
def _giant_fields(source: Source) -> Iterator[None]:
    """Name the row with a field of more than MOST_BYTES, the one error that can't be repaired."""
    try:
        yield
    except GiantFieldError as error:
        raise too_long(f"{source}, line {error}", "a field") from error
