"""Tables with one row per line: plain texts, 'text;label' lines, and JSON lines."""

from __future__ import annotations

import json
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from itertools import islice
from typing import Any

from emolens.data.readers.columns import LABEL_COLUMNS
from emolens.data.readers.options import ReadOptions
from emolens.data.readers.source import Source
from emolens.data.readers.table import Row, Table, chunked
from emolens.data.readers.text import check_encodable, text_lines
from emolens.errors import DataError, first_line

Hook = Callable[[list[tuple[str, Any]]], Row]


def open_texts(source: Source, _: ReadOptions) -> Table:
    """One text per line. An empty line is an empty text, so that rows keep their line numbers."""

    def rows() -> Iterator[tuple[int, Row]]:
        for number, line in enumerate(text_lines(source), start=1):
            yield number, {"text": line.removesuffix("\n")}

    return Table(source.name, ("text",), lambda _: chunked(rows()), unit="line")


def open_labelled_lines(source: Source, _: ReadOptions) -> Table:
    """`text;label` lines. The first one may name the columns. Blank lines are skipped."""
    header = _header(next(filter(str.strip, text_lines(source)), ""))
    columns = header or ("text", "label")

    def rows() -> Iterator[tuple[int, Row]]:
        lines = ((n, line) for n, line in enumerate(text_lines(source), start=1) if line.strip())
        for number, line in islice(lines, 1 if header else 0, None):
            text, label = _text_and_label(source, number, line)
            yield number, {columns[0]: text, columns[1]: label}

    return Table(source.name, columns, lambda _: chunked(rows()), unit="line")


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


def open_json_lines(source: Source, _: ReadOptions) -> Table:
    """One object per line. The whole file is read for its names: a late row may have new ones.

    This first pass also looks for names that stand twice, which takes half a pass more.
    """
    first = _objects(source, hook=_without_repeats)
    columns = dict.fromkeys(name for _, row in first for name in row)
    return Table(source.name, tuple(columns), lambda _: chunked(_objects(source)), unit="line")


def _objects(source: Source, hook: Hook | None = None) -> Iterator[tuple[int, Row]]:
    for number, line in enumerate(text_lines(source), start=1):
        if line.strip():
            yield number, _object(line, f"{source}, line {number}", hook)


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
