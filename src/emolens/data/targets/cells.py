"""A cell of a label column as a plain value, whatever file it comes from. Knows no columns."""

from __future__ import annotations

import contextlib
import json
import re
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from emolens.blank import is_blank
from emolens.data.readers.columns import decoded, is_missing

Atom = str | int | float
Cell = Atom | tuple[Atom, ...] | None
_NUMBER = re.compile(r"\s*[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?\s*")
_LONGEST = 100  # characters of a number
_YES = {"1", "true", "yes", "y", "x", "\u2713", "\u2714", "wahr", "vrai"}
_NO = {"0", "false", "no", "n", "falsch", "faux"}


def cell_of(value: Any) -> Cell:
    """None for a missing value, a tuple for a list, an int for 2.0, 'True' for True.

    Raises UnicodeDecodeError for bytes that are not UTF-8.
    """
    if isinstance(value, str):
        return value
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, bytes):
        return value.decode("utf-8")
    if isinstance(value, Mapping):
        marks = {str(name): cell_of(mark) for name, mark in value.items()}
        if all(map(is_mark, marks.values())):
            return tuple(name for name in marks if is_marked(marks[name]))
        # The label of {"label": "joy", "score": 0.9} is the one value that is no number.
        names = [name for name, v in marks.items() if len(marks) == 1 or number_of(v) is None]
        return marks[names[0]] if len(names) == 1 else str(value)
    if isinstance(value, Iterable):
        atoms: list[Atom] = []
        for part in value:
            cell = cell_of(part)
            if isinstance(cell, tuple):
                atoms += cell if isinstance(part, Mapping) else [str(part)]
            elif cell is not None and not is_blank(str(cell)):
                atoms.append(cell)
        return tuple(atoms)
    return None if is_missing(value) else _atom(value)


def object_in(value: Any) -> Mapping[str, Any] | None:
    """The object that a label is, or that its text is; of a list of objects the first."""
    if isinstance(value, str):
        value = written_object(value)
    if isinstance(value, (list, tuple)) and value:
        value = value[0]
    return value if isinstance(value, Mapping) else None


def written_object(text: str) -> Any:
    """What a text with an object holds, in JSON or as Python prints it; None for other texts."""
    for written in (text, text.replace("'", '"')) if "{" in text else ():
        with contextlib.suppress(ValueError, RecursionError):
            return json.loads(written)
    return None


def unread_in(value: Any) -> tuple[str, ...]:
    """The names in the object of a label that are not read, such as 'score' beside 'label'."""
    inside = object_in(value) or {}
    cells = {name: cell_of(of) for name, of in inside.items()}
    if len(cells) < 2 or all(map(is_mark, cells.values())):
        return ()
    return tuple(name for name, cell in cells.items() if number_of(cell) is not None)


def _atom(value: Any) -> Atom:
    if isinstance(value, bool):
        return str(value)
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return value if isinstance(value, (int, float)) else str(decoded(value))


def number_of(cell: Cell) -> int | float | None:
    """The number that a cell holds or that its text is; an int for 2.0. None for no number.

    Numbers with zeros before them, such as 007, are names.
    """
    if isinstance(cell, (int, float)):
        return cell
    if not isinstance(cell, str) or len(cell) > _LONGEST or not _NUMBER.fullmatch(cell):
        return None
    if re.match(r"\s*[+-]?0\d", cell):
        return None
    value = float(cell)
    if abs(value) > 2**53:
        return None
    return int(value) if value.is_integer() else value


def is_mark(cell: Cell) -> bool:
    """Whether a cell says yes or no, as 0 and 1 do, or nothing."""
    return mark_word(cell) in {"", *_YES, *_NO}


def is_marked(cell: Cell) -> bool:
    """Whether a cell says yes."""
    return mark_word(cell) in _YES


def mark_word(cell: Cell) -> str | None:
    """A cell in small letters, with '1' for 1.0 and '1,0', and '' for nothing; None for a list."""
    if cell is None or isinstance(cell, tuple):
        return None if cell else ""
    number = number_of(cell.replace(",", ".") if isinstance(cell, str) else cell)
    return str(cell).strip().lower() if number is None else f"{number:g}"
