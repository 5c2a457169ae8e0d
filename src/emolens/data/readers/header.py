"""Finds the row that names the columns, and names for columns that have none.

Knows no delimiters. Without a header, columns are called by their numbers, from '1' on.
"""

from __future__ import annotations

import re
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from emolens.data.checks import Note
from emolens.data.readers.columns import LABEL_COLUMNS, TEXT_COLUMNS

_USUAL = {
    *TEXT_COLUMNS, *LABEL_COLUMNS,
    *("id", "index", "date", "time", "timestamp", "name", "user", "split", "source", "lang"),
}  # fmt: skip
_LOOKED_AT = 200  # columns
_NUMBER = re.compile(r"[-+]?[\d.,]+([eE][-+]?\d+)?%?|\[[\d, ]*\]|\d[\d, ]*")
_FEW = 30  # values that a column of classes may have, or a tenth of its rows


@dataclass(frozen=True)
class Header:
    """Where the names of the columns stand.

    row: the place of the header among the rows that are not blank; None if there is none. first:
    the place of the first row of data.
    """

    row: int | None
    first: int


def find_header(rows: Sequence[list[str]], width: int, *, header: bool | None, skip: int) -> Header:
    """The header among the first rows. header: whether there is one, if it is known.

    skip: rows that are no data. They stand after the header if the first row has a name for each
    column, and before it otherwise.
    """
    if header is False:
        return Header(None, skip)
    start = next((i for i, row in enumerate(rows) if any(map(str.strip, row))), 0)
    if skip:
        place = start if _names_all(rows, start, start + skip, width) else start + skip
        return Header(place, start + skip + 1)
    if header is None:
        start = _after_title(rows, start, width)
        if start < len(rows) and looks_like_data(rows[start], rows[start + 1 :]):
            return Header(None, start)
    return Header(start, start + 1)


def _names_all(rows: Sequence[list[str]], first: int, after: int, width: int) -> bool:
    """Whether the row `first` names the columns, and not the row that comes `after` the skipped."""
    names = [name.strip() for name in rows[first]] if first < len(rows) else []
    if len(names) != width or not all(names) or any(map(_NUMBER.fullmatch, names)):
        return False
    later = rows[after] if after < len(rows) else []
    return _is_usual(names) or not _is_usual(later)


def _is_usual(row: Sequence[str]) -> bool:
    return any(name.strip().lower() in _USUAL for name in row)


def _after_title(rows: Sequence[list[str]], start: int, width: int) -> int:
    """The place of the first row that is more than a title, which has one field."""
    for place in range(start, min(start + 10, len(rows))):
        if sum(bool(field.strip()) for field in rows[place]) > 1 or _is_usual(rows[place]):
            return place if width > 1 else start
    return start


def looks_like_data(first: Sequence[str], rest: Sequence[Sequence[str]]) -> bool:
    """Whether the first row is more like the other rows than like names of columns."""
    names = [name.strip() for name in first]
    if _is_usual(names) or not rest or names == [str(i) for i in range(len(names))]:
        return False
    columns = [
        [row[i].strip() for row in rest if i < len(row) and row[i].strip()]
        for i in range(min(len(names), _LOOKED_AT))
    ]
    evidence = (_evidence(name, values) for name, values in zip(names, columns, strict=False))
    return sum(evidence) > 0


def _evidence(name: str, values: list[str]) -> float:
    """Above 0 if a field of the first row is a value like those below it, below 0 if a name."""
    if not values or not name:
        return 0
    numbers = sum(map(bool, map(_NUMBER.fullmatch, values))) / len(values)
    if numbers > 0.9:
        return 2 if _NUMBER.fullmatch(name) else -2
    forms = set(map(_form, values))
    if len(forms) == 1 and "9" in min(forms) and len(values) > 2:
        return 2 if {_form(name)} == forms else -2
    if is_classes(values):
        return 2 if name in values else -1
    words = len(name.split())
    usual = statistics.median(len(value.split()) for value in values)
    if usual < 3:
        return 0
    asks = name[-1] in "?:" and sum(value[-1] in "?:" for value in values) < len(values) / 4
    return 1 if words >= max(3, usual / 3) and not asks else -1


def _form(value: str) -> str:
    """The kinds of signs in a value: 'ed00001' and 'ed00002' are alike."""
    return re.sub(r"[^\W\d_]+", "a", re.sub(r"\d+", "9", value))


def is_classes(values: Sequence[str]) -> bool:
    """Whether a column has few values, and several rows of most of them."""
    few = min(max(_FEW, len(values) // 10), len(values) // 2)
    return len(set(values)) <= few and not _all_decimal(values)


def _all_decimal(values: Sequence[str]) -> bool:
    return all(re.fullmatch(r"-?\d*\.\d+", value) for value in values)


def text_and_label(rows: Sequence[Sequence[str]], width: int) -> dict[str, str]:
    """The numbers of the columns that hold texts and classes, where there is no header."""
    columns = {
        str(i + 1): [row[i].strip() for row in rows if i < len(row) and row[i].strip()]
        for i in range(min(width, _LOOKED_AT))
    }
    columns = {name: values for name, values in columns.items() if values}
    chosen = {}
    words = {n: statistics.fmean(len(v.split()) for v in values) for n, values in columns.items()}
    if words:
        chosen["text"] = max(words, key=words.__getitem__)
    classes = [n for n, v in columns.items() if n != chosen.get("text") and is_classes(v)]
    if len(classes) == 1:
        chosen["label"] = classes[0]
    return chosen


def no_header_note(
    origin: str, titles: Sequence[str], guessed: Mapping[str, str], *, said: bool
) -> Note:
    """That columns are called by numbers. said: whether the user said that there is no header."""
    why = "" if said else " (its first line looks like data)"
    names = ", ".join(titles) if len(titles) < 8 else f"1 to {len(titles)}"
    parts = [f"the {role}s are in column {name}" for role, name in guessed.items()]
    return Note(
        "R03",
        f"{origin} has no header{why}. Its columns are called by their numbers: {names}."
        + (f" By default {' and '.join(parts)}." if parts else ""),
        "" if said else "If the first line names the columns, add --header.",
    )


def title_note(where: str) -> Note:
    """That other rows stand before the header. where: the place of the header."""
    return Note(
        "R03",
        f"There is a title before the columns, which are named in {where}.",
        "If they are not, name the number of rows to leave out with --skip-rows.",
    )
