"""Tables with one row per line: plain texts, 'text;label' lines, and JSON lines."""

from __future__ import annotations

import json
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from typing import Any

from emolens.data.readers.columns import LABEL_COLUMNS
from emolens.data.readers.encoding import text_file
from emolens.data.readers.options import ReadOptions
from emolens.data.readers.source import Source
from emolens.data.readers.table import Chunk, Row, Table, chunked
from emolens.data.readers.text import TextFile, check_encodable
from emolens.errors import DataError, first_line

Hook = Callable[[list[tuple[str, Any]]], Row]


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


def open_json_lines(source: Source, options: ReadOptions) -> Table:
    """One object per line. The whole file is read for its names: a late row may have new ones.

    This first pass also looks for names that stand twice, which takes half a pass more.
    """
    file = text_file(source, options)

    def row(line: str, number: int, hook: Hook | None = None) -> Row | None:
        return _object(line, f"{source}, line {number}", hook) if line.strip() else None

    first = (row(line, n, _without_repeats) for n, line in enumerate(file.lines({}), start=1))
    columns = dict.fromkeys(name for values in first if values for name in values)
    return _table(file, tuple(columns), row)


def _object(line: str, where: str, hook: Hook | None) -> Row:
    hint = 'Each line is one object, such as {"text": "…", "label": "joy"}.'
    try:
        row = json.loads(line, object_pairs_hook=hook)
        if "\\u" in line:  # such an escape can stand for half of an emoji
            check_encodable(json.dumps(row, ensure_ascii=False), where)
    except KeyError as error:
        raise DataError(
            f"{where}: the name '{error.args[0]}' stands twice in one object.",
            hint="Rename one of them, or delete it.",
        ) from error
    except (ValueError, RecursionError) as error:
        why = first_line(error)
        if why.startswith("Exceeds the limit"):
            raise DataError(
                f"{where}: a number has more than {sys.get_int_max_str_digits():,} digits.",
                hint="Write it as a string, in double quotes.",
            ) from error
        raise DataError(f"{where}: this is not JSON ({why}).", hint=hint) from error
    if not isinstance(row, dict):
        raise DataError(f"{where}: this is JSON, but not an object.", hint=hint)
    return row


def _without_repeats(pairs: list[tuple[str, Any]]) -> Row:
    """The object of these pairs. json would keep the last value of a name without a word."""
    row = dict(pairs)
    if len(row) < len(pairs):
        counts = Counter(name for name, _ in pairs)
        raise KeyError(counts.most_common(1)[0][0])
    return row
