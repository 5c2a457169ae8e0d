"""Tables with one row per line: plain texts, and 'text;label' lines."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import islice

from emolens.data.readers.columns import LABEL_COLUMNS, TEXT_COLUMNS
from emolens.data.readers.delimited import delimited_table, first_lines
from emolens.data.readers.dialect import NO_DELIMITER, delimiter_option, find_dialect
from emolens.data.readers.encoding import text_file
from emolens.data.readers.options import ReadOptions
from emolens.data.readers.source import Source
from emolens.data.readers.table import Chunk, Row, Table, chunked
from emolens.data.readers.text import TextFile
from emolens.errors import DataError


def open_unlabelled_text(source: Source, options: ReadOptions) -> Table:
    """A table with tabs or with a header; otherwise one text per line."""
    file = text_file(source, options)
    if (table := _as_table(file, options)) or (table := _labelled_by_header(file, options)):
        return table
    return _texts(file, options)


def open_labelled_text(source: Source, options: ReadOptions) -> Table:
    """`text;label` lines, or a table."""
    file = text_file(source, options)
    table = _as_table(file, options) or _labelled_by_header(file, options)
    return table or _without_semicolons(file, options) or _labelled_lines(file, options, None)


def open_texts(source: Source, options: ReadOptions) -> Table:
    """One text per line. An empty line is an empty text, so that rows keep their line numbers."""
    return _texts(text_file(source, options), options)


def _texts(file: TextFile, options: ReadOptions) -> Table:
    skipped = options.skip_rows + (options.header is True)
    return _table(
        file, ("text",), lambda line, *_: {"text": line.removesuffix("\n")}, skipped=skipped
    )


def _as_table(file: TextFile, options: ReadOptions) -> Table | None:
    """The table of a file whose lines have tabs, or a header with usual names."""
    if options.delimiter:
        sign = delimiter_option(options.delimiter)
        return None if sign == NO_DELIMITER else delimited_table(file, options)
    lines = [line for line in first_lines(file) if line.strip()]
    n_tabs = {line.count("\t") for line in lines}
    tabs = len(lines) > 1 and len(n_tabs) == 1 and n_tabs != {0}
    if tabs or any(_names_texts(lines[0], sign) for sign in "\t,|" if lines):
        return delimited_table(file, options)
    return None


def _names_texts(line: str, sign: str) -> bool:
    """Whether a line is a header: more than one name, and one of them is usual for texts."""
    names = [name.strip().strip('"').lower() for name in line.split(sign)]
    return len(names) > 1 and all(names) and not set(names).isdisjoint(TEXT_COLUMNS)


def _labelled_by_header(file: TextFile, options: ReadOptions) -> Table | None:
    """The `text;label` lines of a file whose first line is a header that says so."""
    header = _header(next(filter(str.strip, file.lines({})), ""))
    if header and options.header is not False:
        return _labelled_lines(file, options, header)
    return None


def _without_semicolons(file: TextFile, options: ReadOptions) -> Table | None:
    """The table of lines that have another delimiter, each as many, in place of semicolons."""
    lines = [line for line in first_lines(file) if line.strip()]
    if all(";" in line for line in lines):
        return None
    found = find_dialect(lines, None)
    table = delimited_table(file, options) if found.share == 1 and found.width > 1 else None
    if table is None and not any(";" in line for line in lines):
        raise DataError(
            f"{file.source}, line 1: there is no ';' between a text and its label.",
            hint="Each line is 'text;label'. For another sign: --delimiter tab.",
        )
    return table


def _labelled_lines(file: TextFile, options: ReadOptions, header: tuple[str, str] | None) -> Table:
    """Each line is cut at its last semicolon, because a text may hold others. Blank lines are
    skipped."""
    columns = header or ("text", "label")

    def row(line: str, number: int, errors: dict[int, str]) -> Row | None:
        if not line.strip():
            return None
        text, semicolon, label = line.rpartition(";")
        if not semicolon:
            _put_error(file, errors, number, "there is no ';' between a text and its label")
            text = line.removesuffix("\n")
            label = ""
        return {columns[0]: text, columns[1]: label.strip()}

    skipped = options.skip_rows + (header is not None or options.header is True)
    return _table(file, columns, row, skipped=skipped)


def _table(
    file: TextFile,
    columns: Sequence[str],
    row: Callable[[str, int, dict[int, str]], Row | None],
    *,
    skipped: int = 0,
) -> Table:
    """A table with a row per line.

    row: takes a line, its number and the errors, and gives None for no row. skipped: how many
    rows are left out at the start.
    """

    def read(_: Sequence[str]) -> Iterator[Chunk]:
        errors: dict[int, str] = {}
        numbered = enumerate(file.lines(errors), start=1)
        rows = ((n, values) for n, line in numbered if (values := row(line, n, errors)) is not None)
        return chunked(islice(rows, skipped, None), errors)

    return Table(
        file.source.name,
        tuple(columns),
        read,
        unit="line",
        notes=file.notes,
        needs_mark=file.needs_mark,
    )


def _header(line: str) -> tuple[str, str] | None:
    text, _, label = (part.strip() for part in line.rpartition(";"))
    return (text or "text", label) if label.lower() in LABEL_COLUMNS else None


def _put_error(file: TextFile, errors: dict[int, str], number: int, why: str) -> None:
    if file.strict:
        raise DataError(
            f"{file.source}, line {number}: {why}.",
            hint="Correct this line, or leave out --strict.",
        )
    errors[number] = "; ".join(filter(None, [errors.get(number), f"line {number}: {why}"]))
