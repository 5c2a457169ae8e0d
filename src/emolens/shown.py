"""Prints values as one short line, and in a notebook as a small table. Knows none of them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape

WIDTH = 100  # of a line, in characters
MOST_ROWS = 12  # of a table


def one_line(value: object, *parts: object) -> str:
    """`Class(part, part)` on one line, cut at WIDTH characters, whatever the parts hold."""
    start = type(value).__name__ + "("
    inside = _flat(", ".join(str(part) for part in parts))
    room = WIDTH - len(start) - 1
    if len(inside) > room:
        inside = inside[: room - 1] + "…"
    return f"{start}{inside})"


def html_table(value: object, header: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """The line of `value`, and a table below it. Every text is escaped."""
    lines = [_row("th", header)]
    every = list(rows)
    lines += [_row("td", row) for row in every[:MOST_ROWS]]
    if len(every) > MOST_ROWS:
        lines.append(_row("td", [f"… and {len(every) - MOST_ROWS:,} more rows"]))
    return f"<div><code>{escape(repr(value))}</code><table>{''.join(lines)}</table></div>"


def _row(tag: str, cells: Sequence[object]) -> str:
    return "<tr>" + "".join(f"<{tag}>{escape(_cell(cell))}</{tag}>" for cell in cells) + "</tr>"


def _cell(cell: object) -> str:
    """Whole numbers with separators, others with four digits, texts short and on one line."""
    if isinstance(cell, bool) or not isinstance(cell, (int, float)):
        text = _flat(str(cell))
        return text if len(text) <= WIDTH else text[: WIDTH - 1] + "…"
    return f"{cell:,}" if isinstance(cell, int) else f"{cell:.4f}"


def _flat(text: str) -> str:
    """White space becomes single spaces; a character that can't be printed becomes '?'."""
    return "".join(c if c.isprintable() else "?" for c in " ".join(text.split()))
