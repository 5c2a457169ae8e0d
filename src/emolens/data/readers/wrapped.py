"""Takes off what programs put around the whole lines of a table. Knows no file.

Excel may put each line into one cell, and write it in quotes or with empty cells behind it. Other
programs draw borders: '| text | label |'.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Callable, Sequence
from functools import partial

from emolens.data.readers.columns import any_usual
from emolens.data.readers.dialect import USUAL

_BORDER = re.compile(r"[\s|+:=-]*--[\s|+:=-]*")
_WHOLE = re.compile(r'"(?:[^"]|"")*"\s*')  # one field in quotes
_MOST = 0.9  # of the lines
_SURE = 3  # lines among which a border is, if borders are drawn
# Takes a line, and gives what was inside.
Unwrap = Callable[[str], str]


def unwrapping(lines: Sequence[str]) -> tuple[Unwrap, str] | None:
    """What gives the inside of each line, and what is to be said; None for other tables."""
    filled = [line for line in lines if line.strip()]
    if is_drawn(filled):
        return _without_borders, "is a drawn table. Its borders are left out"
    for sign in USUAL:
        unwrap = partial(_only_cell, sign=sign)
        inside = [unwrap(line) != line for line in filled]
        # The header alone may stand as it should.
        are_rows = inside[:1] == [True] or all(map(_WHOLE.fullmatch, filled[1:]))
        are_rows = are_rows and sum(inside[1:]) >= max(1, _MOST * len(inside[1:]))
        if are_rows and _is_header(unwrap(filled[0])):
            return unwrap, "holds whole lines in single cells. Each of them is cut again"
    return None


def is_drawn(filled: Sequence[str]) -> bool:
    """Whether lines, none of them blank, are a table with borders of - and |."""
    rows = [line for line in filled if not _BORDER.fullmatch(line)]
    is_bordered = any(map(_BORDER.fullmatch, filled[:_SURE])) and len(rows) > 0
    return is_bordered and sum("|" in line for line in rows) >= _MOST * len(rows)


def _without_borders(line: str) -> str:
    """The cells of a drawn line with '|' between them; a blank line for a border."""
    if _BORDER.fullmatch(line):
        return "\n"
    cells = line.strip().removeprefix("|").removesuffix("|").split("|")
    return "|".join(map(str.strip, cells)) + "\n"


def _only_cell(line: str, *, sign: str) -> str:
    """The first cell, if the others are empty; otherwise the line itself."""
    bare = line.rstrip("\r\n")
    try:
        cells = next(csv.reader([bare], delimiter=sign, strict=True), [])
    except csv.Error:  # quotes around a part of the line
        return line
    is_only = bool(cells) and not any(map(str.strip, cells[1:]))
    return cells[0] + line.removeprefix(bare) if is_only else line


def _is_header(line: str) -> bool:
    """Whether a line holds several names, and one of them is a usual name of a column."""
    names = [[name.strip(' "') for name in line.split(sign)] for sign in USUAL if sign in line]
    return any(map(any_usual, names))
