"""Finds the row that names the columns, and names for columns that have none.

Knows no delimiters. Without a header, columns are called by their numbers, from '1' on.
"""

from __future__ import annotations

import re
import statistics
from collections.abc import Sequence
from dataclasses import dataclass

from emolens.data.checks import Note, counted
from emolens.data.readers.columns import any_usual
from emolens.data.readers.options import ReadOptions
from emolens.errors import DataError

# Usual names of other columns than those of texts and labels.
_OTHERS = ("id", "index", "date", "time", "timestamp", "name", "user", "split", "source", "lang")
_LOOKED_AT = 200  # columns
MOST_TITLES = 10  # rows before the header
_NUMBER = re.compile(r"[-+]?[\d.,]+([eE][-+]?\d+)?%?|\[[\d, ]*\]|\d[\d, ]*")
_DECIMAL = re.compile(r"-?\d*\.\d+")
_FEW = 30  # values that a column of classes may have, or a tenth of its rows


@dataclass(frozen=True)
class Header:
    """The names of the columns, and where the data begins.

    titles: empty for a column without a name. before: the data begins behind the row of this
    number. usual: the columns of the texts and the labels, where they are guessed.
    """

    titles: tuple[str, ...]
    before: int
    usual: dict[str, str]
    notes: tuple[Note, ...]


def find_header(
    rows: Sequence[tuple[int, list[str]]], width: int, options: ReadOptions, *, origin: str
) -> Header:
    """The header among the first rows that are not blank, which come with their numbers.

    options.skip_rows: rows that are no data. They stand after the header if the first row has a
    name for each column, and before it otherwise. origin: the table, and what its rows are called,
    such as 'a.csv, line'. Raises DataError if there are fewer rows than are skipped.
    """
    fields = [row for _, row in rows]
    place, first = _places(fields, width, options)
    table = origin.rpartition(",")[0]
    if first > len(rows) > 0:
        raise DataError(
            f"{table} has only {counted(len(rows), 'row')}.",
            hint="Give a smaller number to --skip-rows.",
        )
    before = rows[first - 1][0] if first and rows else 0
    if place is None:
        guessed = options.header is None
        usual, note = without_header(table, fields[first:], width, guessed=guessed)
        return Header(tuple(numbered(width)), before, usual, (note,))
    titles = tuple(fields[place]) if rows else ()
    if (start := _first_number(titles)) is not None:
        usual, note = _numbers_of_pandas(table, titles, fields[first:], start=start)
        return Header(titles, before, usual, (note,))
    notes = (_title(f"{origin} {before}"),) if place and not options.skip_rows else ()
    if not options.skip_rows and _looks_like_names(fields[first:]):
        notes = (*notes, _second(f"{origin} {rows[first][0]}"))
    return Header(titles, before, {}, notes)


def numbered(width: int) -> list[str]:
    """The names of columns that have none."""
    return [str(place + 1) for place in range(width)]


def without_header(
    table: str, rows: Sequence[Sequence[str]], width: int, *, guessed: bool = False
) -> tuple[dict[str, str], Note]:
    """The columns of the texts and the labels of a table without a header, and what is to be said.

    guessed: whether the first line may be a header, which the user has not said.
    """
    usual = _text_and_label(rows, width)
    why = " (its first line looks like data)" if guessed else ""
    names = ", ".join(numbered(width)) if width < 8 else f"1 to {width}"
    parts = [f"the {role}s are in column {name}" for role, name in usual.items()]
    note = Note(
        "R03",
        f"{table} has no header{why}. Its columns are called by their numbers: {names}."
        + (f" By default {' and '.join(parts)}." if parts else ""),
        "If the first line names the columns, add --header." if guessed else "",
    )
    return usual, note


def _first_number(titles: Sequence[str]) -> int | None:
    """The place of '0' in '0,1,2', which pandas writes where columns have no names."""
    start = int(not titles[0].strip()) if titles else 0
    names = [name.strip() for name in titles[start:]]
    return start if names and names == [str(number) for number in range(len(names))] else None


def _numbers_of_pandas(
    table: str, titles: Sequence[str], rows: Sequence[Sequence[str]], *, start: int
) -> tuple[dict[str, str], Note]:
    """The same as without_header, for a header of numbers from 0 on."""
    places = _text_and_label([row[start:] for row in rows], len(titles) - start)
    usual = {role: titles[start + int(place) - 1].strip() for role, place in places.items()}
    parts = [f"the {role}s are in column {name}" for role, name in usual.items()]
    default = f" By default {' and '.join(parts)}." if parts else ""
    return usual, Note("R03", f"The columns of {table} are called by numbers.{default}")


def _places(rows: Sequence[list[str]], width: int, options: ReadOptions) -> tuple[int | None, int]:
    """The place of the header, None if there is none, and that of the first row of data."""
    skip = options.skip_rows
    if options.header is False:
        return None, skip
    if skip:
        return 0 if _names_all(rows, skip, width) else skip, skip + 1
    place = 0 if options.header else _below_groups(rows, _after_title(rows, width))
    if options.header is None and rows and _looks_like_data(rows[place], rows[place + 1 :]):
        return None, place
    return place, place + 1


def _names_all(rows: Sequence[list[str]], after: int, width: int) -> bool:
    """Whether the first row names the columns, and not the row that comes `after` the skipped."""
    names = [name.strip() for name in rows[0]] if rows else []
    if len(names) != width or not all(names) or any(map(_NUMBER.fullmatch, names)):
        return False
    later = rows[after] if after < len(rows) else []
    return _is_usual(names) or not _is_usual(later)


def _is_usual(row: Sequence[str]) -> bool:
    return any_usual(row) or any(name.strip().lower() in _OTHERS for name in row)


def _after_title(rows: Sequence[list[str]], width: int) -> int:
    """The place of the first row that is more than a title, which has one field."""
    first = rows[:10] if width > 1 else ()
    for place, row in enumerate(first):
        n_filled = sum(bool(field.strip()) for field in row)
        if n_filled < width:  # perhaps a title with the commas of the table behind it
            for later in range(place + 1, len(first)):
                if all(map(str.strip, rows[later])) and len(rows[later]) == width:
                    if _is_usual(rows[later]) and not _is_usual(row):
                        return later
                    break
        if n_filled > 1 or _is_usual(row):
            return place
    return 0


def _below_groups(rows: Sequence[list[str]], place: int) -> int:
    """The place of the header, where the row at `place` may name groups of columns."""
    row, *later = rows[place : place + 2] or [[]]
    if not later or not any_usual(later[0]):
        return place
    gaps = sum(
        not group.strip() and bool(name.strip()) for group, name in zip(row, *later, strict=False)
    )
    is_groups = gaps > 1 or not _is_usual(row)
    return place + 1 if is_groups and _looks_like_names(rows[place + 1 :]) else place


def _looks_like_data(first: Sequence[str], rest: Sequence[Sequence[str]]) -> bool:
    """Whether the first row is more like the other rows than like names of columns."""
    names = [name.strip() for name in first]
    if _is_usual(names) or not rest or names == [str(i) for i in range(len(names))]:
        return False
    return sum(_evidence(name, _filled(rest, i)) for i, name in enumerate(names[:_LOOKED_AT])) > 0


def _looks_like_names(rows: Sequence[Sequence[str]]) -> bool:
    """Whether the first of the rows of data is more like another header."""
    if len(rows) < 4:
        return False
    if any(field.startswith('{"ImportId"') for row in rows[:2] for field in row):  # of Qualtrics
        return True
    if "Open-Ended Response" in rows[0]:  # of SurveyMonkey
        return True
    evidence = [
        _evidence(name.strip(), _filled(rows[1:], i)) for i, name in enumerate(rows[0][:_LOOKED_AT])
    ]
    return max(evidence, default=0) <= 0 and sum(evidence) <= -2


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
    if _is_classes(values):
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


def _is_classes(values: Sequence[str]) -> bool:
    """Whether a column has few values, and several rows of most of them."""
    few = min(max(_FEW, len(values) // 10), len(values) // 2)
    return len(set(values)) <= few and not all(map(_DECIMAL.fullmatch, values))


def _text_and_label(rows: Sequence[Sequence[str]], width: int) -> dict[str, str]:
    """The numbers of the columns that hold texts and classes, where there is no header."""
    columns = {str(i + 1): _filled(rows, i) for i in range(min(width, _LOOKED_AT))}
    words = {
        name: statistics.fmean(len(value.split()) for value in values)
        for name, values in columns.items()
        if values
    }
    if not words:
        return {}
    usual = {"text": max(words, key=words.__getitem__)}
    classes = [n for n in words if n != usual["text"] and _is_classes(columns[n])]
    return usual | ({"label": classes[0]} if len(classes) == 1 else {})


def _filled(rows: Sequence[Sequence[str]], column: int) -> list[str]:
    """The values of a column that are not empty."""
    return [row[column].strip() for row in rows if column < len(row) and row[column].strip()]


def _title(where: str) -> Note:
    """That other rows stand before the header. where: the place of the header."""
    return Note(
        "R03",
        f"There is a title before the columns, which are named in {where}.",
        "If they are not, name the number of rows to leave out with --skip-rows.",
    )


def _second(where: str) -> Note:
    """That a row looks like another header. where: its place."""
    return Note(
        "R03",
        f"{where} looks like a second header, and is read as data.",
        "If it is one, leave it out with --skip-rows 1, or more if others follow.",
    )
