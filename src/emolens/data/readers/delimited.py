"""Tables of fields between delimiters: .csv, .tsv, and text files in such a form."""

from __future__ import annotations

import contextlib
import csv
import statistics
from collections.abc import Iterator, Sequence
from itertools import dropwhile, islice

from emolens.data.checks import Note, counted
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
from emolens.data.readers.header import Header, find_header
from emolens.data.readers.options import ReadOptions
from emolens.data.readers.records import GiantFieldError, Record
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
from emolens.data.readers.wrapped import unwrapping

_RAGGED = "Put a text that holds the delimiter into double quotes."
_SAMPLE = 1_000  # lines
_SAMPLE_SIZE = 1_000_000  # characters


def open_delimited(source: Source, options: ReadOptions) -> Table:
    """A table with a delimiter, quotes and a header that are found out from its first rows."""
    return delimited_table(text_file(source, options), options)


def delimited_table(file: TextFile, options: ReadOptions) -> Table:
    """The same for a file whose encoding is known."""
    csv.field_size_limit(MOST_BYTES)  # for all readers; the module has no other way
    damages: dict[int, str] = {}
    source, lines = file.source, first_lines(file, damages)
    hidden = sep_line(lines[0]) if lines else None
    if hidden:
        lines = lines[1:]
    wrapped = None if options.delimiter else unwrapping(lines)
    if wrapped:
        lines = list(map(wrapped[0], lines))
    if not any(map(str.strip, lines)):
        return Table(source.name, (), lambda _: iter(()))
    wanted = delimiter_option(options.delimiter) or hidden
    found = find_dialect(lines, wanted, tabs=source.format == "tsv")
    n_hidden = int(hidden is not None)
    with _giant_fields(source):
        records = found.shape(lines, found.width).records(iter(lines), n_hidden)
        rows = [(line, fields) for line, _, fields, _ in records if any(map(str.strip, fields))]
    header = find_header(rows, found.width, options, origin=f"{source}, line")
    data = [fields for line, fields in rows if line > header.before]
    titles, titles_notes = _fitted_titles(source, header, found, data)
    columns = distinct([title.strip() for title in titles])
    shape = found.shape(lines, len(titles))
    delimiter = found.dialect.delimiter

    def read(_: Sequence[str]) -> Iterator[Chunk]:
        errors: dict[int, str] = {}
        lines: Iterator[str] = islice(file.lines(errors, newline=""), n_hidden, None)
        if wrapped:
            lines = map(wrapped[0], lines)
        records = shape.records(lines, n_hidden)
        data = dropwhile(lambda record: record[0] <= header.before, records)
        with _giant_fields(source):
            rows = _rows(file, columns, data, errors, fewest=min(found.width, len(columns)))
            yield from chunked(rows, errors, size=_n_characters)

    return Table(
        source.name,
        columns,
        read,
        unit="line",
        delimiter="," if delimiter == NO_DELIMITER or len(delimiter) > 1 else delimiter,
        titles=titles,
        usual=header.usual,
        notes=(
            *file.notes,
            *(
                Note("R02", f"{source}, {why}. The line stands before the rows, or names columns.")
                for number, why in damages.items()
                if number <= header.before + n_hidden
            ),
            *([Note("R03", f"{source} {wrapped[1]}.")] if wrapped else []),
            *_dialect_notes(source, found, guessed=wanted is None),
            *header.notes,
            *titles_notes,
        ),
        needs_mark=file.needs_mark,
    )


def first_lines(file: TextFile, errors: dict[int, str] | None = None) -> list[str]:
    """Enough lines to find out how the table is written. errors: as in TextFile.lines."""
    lines: list[str] = []
    size = n_quotes = 0
    for line in file.lines({} if errors is None else errors, newline=""):
        lines.append(line)
        size += len(line)
        n_quotes += line.count('"')
        # An odd number of quotes: the sample would end inside a field.
        if size > _SAMPLE_SIZE or (len(lines) >= _SAMPLE and n_quotes % 2 == 0):
            break
    return lines


def _fitted_titles(
    source: Source, header: Header, found: Found, data: list[list[str]]
) -> tuple[tuple[str, ...], list[Note]]:
    """A title for each column. R gives no title to the names of rows, which come first."""
    titles, notes = header.titles, list[Note]()
    while len(titles) > found.width and not titles[-1].strip():
        titles = titles[:-1]
    n_left = len(header.titles) - len(titles)
    if found.width == 1 and titles:
        bare = titles[0].rstrip("".join(USUAL))
        n_left, titles = n_left + len(titles[0]) - len(bare), (bare, *titles[1:])
    if n_left:
        text = f"The header of {source} ends with {counted(n_left, 'empty name')}. No row has such"
        notes = [Note("R05", f"{text} {'a column' if n_left == 1 else 'columns'}.")]
    longer = [row for row in data if len(row) == len(titles) + 1]
    if len(longer) > 0.9 * len(data) and any(row[-1].strip() for row in longer):
        names = [row[0].strip() for row in longer]
        if len(set(names)) == len(names) and statistics.median(len(n.split()) for n in names) < 3:
            text = f"The rows of {source} have one field more than its header. The first field is"
            return ("", *titles), [*notes, Note("R03", f"{text} taken for the name of the row.")]
    if found.width < len(titles):
        text = f"Most rows of {source} have {counted(found.width, 'field')}, and its header has"
        text += f" {counted(len(titles), 'name')}. The columns behind are empty in these rows."
        notes.append(Note("R05", text))
    return titles, notes


def _dialect_notes(source: Source, found: Found, *, guessed: bool) -> Iterator[Note]:
    delimiter = found.dialect.delimiter
    is_sure = delimiter in (*USUAL, NO_DELIMITER) and not found.other and found.share >= 0.9
    if guessed and not is_sure:
        other = found.other or ("," if delimiter != "," else ";")
        yield Note(
            "R03",
            f"The fields of {source} are taken to be separated by {shown(delimiter)}:"
            f" {found.share:.0%} of the first rows have {found.width} fields then.",
            f"If this is wrong, name the sign, such as --delimiter {shown(other)}.",
        )
    if not found.dialect.quote:
        yield Note("R03", f"Quotes in {source} are read as plain signs: they enclose no fields.")
    if found.dialect.formulas:
        yield Note("R03", f'Fields of {source} are written as ="…"; what stands inside is read.')
    if found.dialect.quote == "'":
        yield Note("R03", f"Single quotes around fields in {source} are no part of the fields.")
    if found.dialect.escapes:
        yield Note("R03", f"A backslash before a quote in {source} is read as a part of its field.")


def _n_characters(row: Row) -> int:
    """The same as of any row, but faster: all values are strings."""
    return sum(map(len, row.values()))


def _rows(
    file: TextFile,
    columns: Sequence[str],
    records: Iterator[Record],
    errors: dict[int, str],
    *,
    fewest: int,
) -> Iterator[tuple[int, Row]]:
    """The rows with their line numbers. fewest: the fields of a row that lacks none."""
    width = len(columns)
    for line, n_lines, fields, wrong in records:
        row, why = fields, wrong
        if len(fields) != width:
            if width > 1 and len(fields) < 2 and not any(map(str.strip, fields)):
                continue
            row, ragged = _kept(fields, width)
            why = wrong or (None if fewest <= len(fields) < width else ragged)
        if why or errors:
            _move_errors(file, errors, range(line, line + n_lines), why)
        yield line, dict(zip(columns, row, strict=False))


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
    if earlier := [errors.pop(line) for line in sorted(errors) if line in lines]:
        errors[lines.start] = "; ".join(earlier)
    if why:
        hint = _RAGGED if "left out" in why else "Correct this line, or leave out --strict."
        file.put(errors, lines.start, why, hint=hint)


@contextlib.contextmanager
def _giant_fields(source: Source) -> Iterator[None]:
    """Name the row with a field of more than MOST_BYTES, the one error that can't be repaired."""
    try:
        yield
    except GiantFieldError as error:
        raise too_long(f"{source}, line {error}", "a field") from error
