"""Chooses the columns of the texts and the labels, and turns values into texts.

Learning, encoding and predicting all use this one rule.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import islice
from typing import Any, Literal

from emolens.data.checks import Note, agreeing, counted
from emolens.data.readers.table import Chunk, Table
from emolens.data.readers.text import HALF_HINT, half_character
from emolens.data.splitnames import words_of
from emolens.errors import DataError, nearest, some_of
from emolens.shown import quoted

# What the columns are usually called, the likelier first.
TEXT_COLUMNS = (
    "text", "sentence", "content", "comment", "message", "tweet", "review", "body", "post",
    "data", "full_text", "textOriginal", "textDisplay", "utterance", "essay",
)  # fmt: skip
LABEL_COLUMNS = (
    "label", "label_name", "labels", "emotion", "class", "category", "sentiment", "target",
    "choice", "choices", "emotions", "classes", "categories", "sentiments", "cats",
)  # fmt: skip
Role = Literal["text", "label"]
# The last word of other names: 'Tweet Text', 'gold_label'.
_LAST_WORDS = {
    "text": [["text"], ["sentence"], ["tweet"], ["comment"], ["review"]],
    "label": [["label"], ["labels"], ["emotion"], ["emotions"], ["sentiment"]],
}
_USUAL = {
    "text": frozenset(map(str.casefold, TEXT_COLUMNS)),
    "label": frozenset(map(str.casefold, LABEL_COLUMNS)),
}
_NAMED = 5  # rows that a note names
_WORD = r"""'((?:[^'\\]|\\.)*+)'|"((?:[^"\\]|\\.)*+)\""""
_UNSEEN = re.compile("[\u200b-\u200f\u2060\ufeff]")
_QUOTED = re.compile(_WORD)
_WORDS = re.compile(rf"\[(?:{_WORD})(?:,? (?:{_WORD}))*+\]")  # with ', ' or ' ' between them


def choose_column(table: Table, role: Role, wanted: str | None = None) -> str:
    """The column `wanted`; without it, the first with a usual name, or the only one that ends so.

    Capital letters and spaces around a name do not count, unless two columns differ only by them.
    """
    present = (*table.columns, *table.nested)
    if wanted is not None:
        if (column := spelled(table, wanted)) is not None:
            return column
        _check_single(table, role, wanted)
        raise DataError(
            f"{table.origin} has no {role} column '{wanted}'.", hint=nearest(wanted, present)
        )
    if role in table.usual:
        return table.usual[role]
    for usual in TEXT_COLUMNS if role == "text" else LABEL_COLUMNS:
        if (column := spelled(table, usual)) is not None:
            return column
        _check_single(table, role, usual)
        if len(inner := [name for name in table.nested if name.lower().endswith(f".{usual}")]) == 1:
            return inner[0]
    if role == "text" and len(present) == 1:
        return present[0]
    worded = [name for name in table.columns if words_of(name)[-1:] in _LAST_WORDS[role]]
    if len(worded) == 1:
        return worded[0]
    column = _longest(table) if role == "text" else None
    example = f" {quoted(column)}, for example" if column else ""
    raise DataError(
        f"{table.origin} has no column with a usual name for {role}s.",
        hint=f"Name the column with --{role}{example}. The columns are: {some_of(present)}.",
    )


def any_usual(names: Iterable[str], *roles: Role) -> bool:
    """Whether one of the names is usual for these roles; without roles, for texts or labels."""
    usual = frozenset().union(*(_USUAL[role] for role in roles or ("text", "label")))
    return any(_plain(name) in usual for name in names)


def choice_notes(table: Table, role: Role, column: str) -> list[Note]:
    """What is to be said about a column that was chosen, unless it is the only one of a usual name.

    Another column such as 'label_name' may hold the names of its numbers.
    """
    if role in table.usual or not table.gives(column):
        return []
    names = [name for name in table.columns if any_usual([name], role)]
    others = [
        name
        for name in names
        if name != column
        and (_plain(name) == _plain(column) or not _plain(name).startswith(_plain(column)))
    ]
    text = f"The {role}s are taken from the column '{column}'"
    if others:
        hint = f'To use another column: --{role} "{others[0]}"'
        return [Note("R05", f"{text}, and not from {some_of(others)}.", hint)]
    return [] if column in names else [Note("R05", f"{text}.")]


def _longest(table: Table) -> str | None:
    """The column with the longest texts in the first rows."""
    rows = [row for chunk in islice(table.chunks(), 1) for row in chunk.rows]
    sizes = {
        name: sum(_n_characters(row.get(name)) for row in rows)
        for name in (*table.columns, *table.nested)
    }
    longest = max(sizes, key=lambda name: sizes[name], default=None)
    return longest if longest and sizes[longest] else None


def _n_characters(value: Any) -> int:
    """Of a text, or of a list of texts."""
    return len(value) if isinstance(value, str) else sum(map(len, words_in(value) or ()))


def usual_column(table: Table, role: Role) -> str | None:
    """The first column with a usual name; None if there is none."""
    usual = TEXT_COLUMNS if role == "text" else LABEL_COLUMNS
    columns = (spelled(table, name) for name in usual)
    return next((column for column in columns if column in table.columns), None)


def label_columns(table: Table, label: str) -> tuple[str, ...]:
    """The column `label`, or several columns with commas between their names."""
    if spelled(table, label) is None and "," in label:
        names = filter(None, map(str.strip, label.split(",")))
        return tuple(choose_column(table, "label", name) for name in names)
    return (choose_column(table, "label", label),)


def has_labels(table: Table, label: str) -> bool:
    """Whether the table has the label column, or all of several ones."""
    names = [label] if spelled(table, label) or "," not in label else label.split(",")
    return all(spelled(table, name) for name in names if name.strip())


def spelled(table: Table, name: str) -> str | None:
    """The column of this name as the table writes it: 'Text' or ' text' for 'text'."""
    if table.gives(name):
        return name
    wanted, present = _plain(name), (*table.columns, *table.nested)
    return next((column for column in present if _plain(column) == wanted), None)


def _plain(name: str) -> str:
    """A name without capital letters, spaces around it, invisible signs, and a '#' before it."""
    return _UNSEEN.sub("", name).strip().removeprefix("#").lstrip().casefold()


def _check_single(table: Table, role: Role, title: str) -> None:
    """Raise DataError if several columns have this title: nobody knows which of them is meant."""
    pairs = zip(table.titles, table.columns, strict=True)
    same = [column for name, column in pairs if name.strip() == title]
    if len(same) > 1:
        raise DataError(
            f"{table.origin} has {len(same)} columns '{title}'.",
            hint=f"Name one of them by its place: --{role} {same[0]} is the first of them.",
        )


def texts_of(table: Table, chunk: Chunk, column: str) -> list[str]:
    """The texts of a chunk; a missing one is the empty text, and a list of words is joined."""
    rows = zip(chunk.numbers, chunk.rows, strict=True)
    return [_text(row.get(column), table, number) for number, row in rows]


def readable_texts(
    table: Table, chunk: Chunk, column: str, *, strict: bool = False
) -> tuple[list[str], dict[int, str]]:
    """The texts of a chunk, and why rows could not be read, by their place from 0.

    The text of such a row is empty, because what was read of it may be wrong. strict: whether such
    a row is a DataError.
    """
    errors = dict(chunk.errors)
    texts = []
    for place, (number, row) in enumerate(zip(chunk.numbers, chunk.rows, strict=True)):
        text = ""
        if place not in errors:
            try:
                text = _text(row.get(column), table, number)
            except DataError as error:
                if strict:
                    raise
                errors[place] = str(error).removeprefix(f"{table.where(number)}: ")
        texts.append(text)
    return texts, errors


@dataclass
class Unread:
    """Rows of a table that could not be read as they should: how many, and the first numbers."""

    n: int = 0
    numbers: list[int] = field(default_factory=list)

    def add(self, chunk: Chunk, errors: Iterable[int]) -> None:
        """Count rows of a chunk. errors: their places from 0."""
        places = sorted(errors)
        self.n += len(places)
        room = _NAMED - len(self.numbers)
        self.numbers += [chunk.numbers[place] for place in places[:room]]

    def notes(self, table: Table, lost: str) -> list[Note]:
        """A note if there are such rows. lost: what they do not get."""
        if not self.n:
            return []
        more = ", …" if self.n > len(self.numbers) else ""
        text = (
            f"{counted(self.n, 'row')} could not be read as written, and {agreeing(self.n, 'get')}"
            f" no {lost}: {table.unit} {', '.join(map(str, self.numbers))}{more}."
        )
        hint = "To stop at such a row, add --strict."
        return [Note("R04", text, hint, self.n, tuple(self.numbers))]


def check_column(table: Table, column: str) -> list[Note]:
    """Look at the first rows of a column; a note if its texts are lists.

    Raises DataError if they say that the column holds no texts, but lists of numbers, for example.
    One such row alone is no error: see readable_texts.
    """
    chunk = next(iter(table.chunks(column)))
    if not chunk.errors and len(readable_texts(table, chunk, column)[1]) == len(chunk):
        readable_texts(table, chunk, column, strict=True)
    if any(words_in(row.get(column)) is not None for row in chunk.rows):
        text = f"The texts of {table.origin} are lists; what they hold is joined with spaces."
        around, _, inner = column.partition(".")
        one = ".".join(filter(None, (around, "0", inner)))
        hint = f"To take only the first of each list: --text {one}" if table.gives(one) else ""
        return [Note("R05", text, hint)]
    return []


def words_in(value: Any) -> list[str] | None:
    """The words of a text that is a list of words, or is written like one; otherwise None."""
    if isinstance(value, str):
        if value[:2] not in ("['", '["') or not _WORDS.fullmatch(value.rstrip()):
            return None
        return [one or other for one, other in _QUOTED.findall(value)]
    if isinstance(value, (list, tuple)) and all(isinstance(word, str) for word in value):
        return list(value)
    return None


def is_missing(value: Any) -> bool:
    """Whether a value is None, NaN, or pandas' sign for a missing one."""
    if isinstance(value, float):
        return math.isnan(value)
    return value is None or type(value).__name__ in ("NAType", "NaTType")


def decoded(value: Any) -> Any:
    """The string for bytes in UTF-8, as some programs write texts; else the value itself."""
    try:
        return value.decode("utf-8") if isinstance(value, bytes) else value
    except UnicodeDecodeError:
        return value


def _text(value: Any, table: Table, number: int) -> str:
    value = decoded(value)
    if (words := words_in(value)) is not None:
        value = " ".join(words)
    if isinstance(value, str):
        if not value.isascii() and (why := half_character(value)):
            raise DataError(f"{table.where(number)}: {why}.", hint=HALF_HINT)
        return value
    if isinstance(value, Iterable):
        kind = "bytes that are not UTF-8" if isinstance(value, bytes) else "a list or an object"
        raise DataError(
            f"{table.where(number)}: the text is {kind}, not a string.",
            hint="Write the column as strings, or choose another one with --text.",
        )
    return "" if is_missing(value) else str(value)
