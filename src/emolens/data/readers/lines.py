"""Tables with one row per line: plain texts, and 'text;label' lines."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import islice

from emolens.data.readers.columns import LABEL_COLUMNS
from emolens.data.readers.encoding import text_file
from emolens.data.readers.options import ReadOptions
from emolens.data.readers.source import Source
from emolens.data.readers.table import Chunk, Row, Table, chunked
from emolens.data.readers.text import TextFile
from emolens.errors import DataError


def open_texts(source: Source, options: ReadOptions) -> Table:
    """One text per line. An empty line is an empty text, so that rows keep their line numbers."""
    file = text_file(source, options)
    return _table(file, ("text",), lambda line, _: {"text": line.removesuffix("\n")})


def open_labelled_lines(source: Source, options: ReadOptions) -> Table:
    """`text;label` lines. The first one may name the columns. Blank lines are skipped."""
    file = text_file(source, options)
    header = _header(next(filter(str.strip, file.lines({})), ""))
    columns = header or ("text", "label")

    def row(line: str, number: int) -> Row | None:
        if not line.strip():
            return None
        return dict(zip(columns, _text_and_label(source, number, line), strict=True))

    return _table(file, columns, row, skipped=1 if header else 0)


def _table(
    file: TextFile,
    columns: Sequence[str],
    row: Callable[[str, int], Row | None],
    *,
    skipped: int = 0,
) -> Table:
    """A table with a row per line. row: takes a line and its number, and gives None for no row.

    skipped: how many rows are left out at the start.
    """

    def read(_: Sequence[str]) -> Iterator[Chunk]:
        errors: dict[int, str] = {}
        numbered = enumerate(file.lines(errors), start=1)
        rows = ((n, values) for n, line in numbered if (values := row(line, n)) is not None)
        return chunked(islice(rows, skipped, None), errors)

    return Table(
        file.source.name, tuple(columns), read, unit="line", notes=file.notes, bom=file.bom
    )


def _header(line: str) -> tuple[str, str] | None:
    text, _, label = (part.strip() for part in line.rpartition(";"))
    return (text or "text", label) if label.lower() in LABEL_COLUMNS else None


def _text_and_label(source: Source, number: int, line: str) -> tuple[str, str]:
    """Split at the last semicolon, because a text may hold others."""
    text, semicolon, label = line.rpartition(";")
    if not semicolon:
        raise DataError(
            f"{source}, line {number}: there is no ';' between a text and its label.",
            hint="Each line is 'text;label'. For a table of columns use .csv or .tsv.",
        )
    return text, label.strip()
