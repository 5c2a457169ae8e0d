"""Prints values as one short line, and in a notebook as a small table. Replaces the characters of a
text that control a terminal or reorder a line. Knows none of the values.
"""

from __future__ import annotations

import os
import re
import shlex
import unicodedata
from collections.abc import Iterable, Sequence
from html import escape
from pathlib import Path

WIDTH = 100  # of a line, in characters
MOST_ROWS = 12  # of a table
# Letters of Hebrew, Arabic, Syriac and others, with the spaces between such words.
_LETTER = "[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc\U00010800-\U00010fff\U0001e800-\U0001efff]"
_RIGHT_TO_LEFT = re.compile(f"{_LETTER}+(?: +{_LETTER}+)*")


def visible(text: str) -> str:
    """The text on one line, with a dot for each character that is no letter, sign or space.

    These are control characters (C0 and C1), those that change the direction of writing, other
    invisible ones, and halves of character pairs.
    """
    if text.isprintable():  # a hundred times as fast for a giant text
        return text
    return "".join(c if _harmless(c) else "·" for c in text)


def visible_lines(text: str) -> str:
    """The text with each line as visible() gives it. Line ends stay."""
    return "\n".join(map(visible, text.split("\n")))


def isolated(text: str) -> str:
    """The text with each part in right-to-left letters kept apart from what stands around it.

    Without the two signs around it, the number behind a Hebrew name would move to its other side.
    """
    return _RIGHT_TO_LEFT.sub("\u2068\\g<0>\u2069", text)


def escaped(text: str) -> str:
    """The text with these characters written as in JSON (\\u202e). Line ends stay as they are."""
    return "".join(c if c == "\n" or _harmless(c) else _as_json(c) for c in text)


def _harmless(character: str) -> bool:
    """Whether the character can be shown. U+200C and U+200D join letters and emoji: they stay."""
    if character.isprintable() or character in "\u200c\u200d":
        return True
    return unicodedata.category(character) == "Zs"


def _as_json(character: str) -> str:
    units = character.encode("utf-16-be", "surrogatepass")
    return "".join(f"\\u{units[i : i + 2].hex()}" for i in range(0, len(units), 2))


def one_line(value: object, *parts: object) -> str:
    """`Class(part, part)` on one line, cut at WIDTH characters, whatever the parts hold."""
    start = type(value).__name__ + "("
    inside = _flat(", ".join(str(part) for part in parts))
    room = WIDTH - len(start) - 1
    if len(inside) > room:
        inside = inside[: room - 1] + "…"
    return f"{start}{inside})"


def quoted(path: Path | str) -> str:
    """A path or a name as part of a command to type, in quotes if it needs them."""
    if os.name == "posix":
        return shlex.quote(str(path))
    return f'"{path}"' if set(str(path)) & set(" &()^;,=!'`") else str(path)


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
    """White space becomes single spaces."""
    return visible(" ".join(text.split()))
