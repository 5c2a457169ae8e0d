"""Reads the rows of one split: texts, and the cells of their label columns.

Gives no meaning to the cells.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import groupby

from emolens.blank import is_blank
from emolens.data.checks import Note, agreeing, counted
from emolens.data.readers.columns import (
    check_column,
    choose_column,
    label_columns,
    readable_texts,
)
from emolens.data.readers.table import Row, Table
from emolens.data.targets.cells import Cell, cell_of, is_mark, is_marked, mark_word, number_of
from emolens.data.targets.missing import USUAL, is_missing_word
from emolens.errors import DataError, some_of

NUMBERED = 10  # row numbers in a note


@dataclass(frozen=True, repr=False)
class Part:
    """The rows of one table that have a text.

    cells: what stands in the label column; with several columns, the classes that they give the
    row. names: the cells of the column beside it that names the classes, or (). numbers: of
    the rows in the table. unreadable: why rows could not be read, by their number; they are left
    out. notes: about the texts.
    """

    table: Table
    label: str
    texts: list[str] = field(default_factory=list)
    cells: list[Cell] = field(default_factory=list)
    names: list[Cell] = field(default_factory=list)
    numbers: list[int] = field(default_factory=list)
    blank: list[int] = field(default_factory=list)
    notes: list[Note] = field(default_factory=list)
    unreadable: dict[int, str] = field(default_factory=dict)

    @cached_property
    def counts(self) -> Counter[Cell]:
        """Rows by cell."""
        return Counter(self.cells)

    def first(self, cells: set[Cell]) -> str:
        """How a message names the first row with one of these cells."""
        return self.table.where(
            next(n for n, cell in zip(self.numbers, self.cells, strict=True) if cell in cells)
        )


def read_part(table: Table, columns: tuple[str, str], beside: str | None, *, strict: bool) -> Part:
    """The rows of one table. columns: of the texts and of the labels. beside: of class names.

    A name may be written in capital letters or not, as the table has it. Several label columns,
    with commas between them, hold a 0 or a 1 for each class, or names. strict: whether a row that
    can't be read is an error.
    """
    text = choose_column(table, "text", columns[0])
    labels = label_columns(table, columns[1])
    named = beside if beside in table.columns else None
    part = Part(table, columns[1])
    part.notes.extend(check_column(table, text))
    for chunk in table.chunks(text, *labels, *([named] if named else [])):
        texts, errors = readable_texts(table, chunk, text, strict=strict)
        for place, (number, row) in enumerate(zip(chunk.numbers, chunk.rows, strict=True)):
            if place in errors:
                part.unreadable[number] = errors[place]
            elif texts[place] == text and labels == (str(row.get(labels[0])),):
                part.unreadable[number] = "the row repeats the names of the columns."
            elif is_blank(texts[place]):
                part.blank.append(number)
            else:
                part.texts.append(texts[place])
                part.numbers.append(number)
                part.cells.append(_cell(row, labels, table, number))
                if named:
                    part.names.append(cell_of(row.get(named)))
    if len(labels) > 1:
        part.cells[:] = _joined(part, labels)
    return part


def unreadable_note(table: Table, rows: Mapping[int, str], split: str = "") -> Note:
    """What is to be said about rows that could not be read. rows: why, by their number."""
    rows = {n: why.removeprefix(f"{table.unit} {n}: ") for n, why in rows.items()}
    numbers = sorted(rows)
    of_split = f"{counted(len(rows), 'row')}{f' of {split}' if split else ''}"
    are = agreeing(len(rows), "are")
    return Note(
        "R04",
        f"{of_split} can't be read and {are} left out; the first is {table.where(numbers[0])}:"
        f" {rows[numbers[0]]}",
        "With --strict, such a row is an error.",
        n_rows=len(rows),
        rows=tuple(numbers[:NUMBERED]),
        reasons=tuple(rows[number] for number in numbers[:NUMBERED]),
    )


def _cell(row: Row, labels: Sequence[str], table: Table, number: int) -> Cell:
    """The cell of one label column, or those of several columns as a tuple."""
    try:
        if len(labels) == 1:
            return cell_of(row.get(labels[0]))
        cells = [cell_of(row.get(name)) for name in labels]
        return tuple("" if cell is None else str(cell) for cell in cells)
    except UnicodeDecodeError as error:
        raise DataError(
            f"{table.where(number)}: the label is bytes that are not UTF-8, not a string.",
            hint="Write the column as strings, or choose another one with --label.",
        ) from error


def _joined(part: Part, labels: Sequence[str]) -> list[Cell]:
    """The classes of each row, from the cells of several columns.

    Each column marks one class with 0 or 1, or each holds names: the first, second, … of the row.
    """
    rows = [[str(value) for value in cell] for cell in part.cells if isinstance(cell, tuple)]
    values = {value for row in rows for value in row}
    if any(map(is_marked, values)) or not any(number_of(v) is None and v for v in values):
        for number, row in zip(part.numbers, rows, strict=True):
            _check_marks(part.table.where(number), dict(zip(labels, row, strict=True)))
        names = [
            tuple(name for name, mark in zip(labels, row, strict=True) if is_marked(mark))
            for row in rows
        ]
    else:
        # Where others mark classes, the rows of a test split may all hold 'NONE'.
        no_label = USUAL | {"none"}
        names = [tuple(v for v in row if not is_missing_word(v, no_label)) for row in rows]
        return [of_row or None for of_row in names]
    return [of_row if any(row) else None for of_row, row in zip(names, rows, strict=True)]


def _check_marks(where: str, marks: Mapping[str, str]) -> None:
    for name, mark in marks.items():
        if not is_mark(mark):
            raise DataError(
                f"{where}: the column '{name}' holds '{mark}', neither 0 nor 1.",
                hint="With several columns in --label, each one marks its class with 0 or 1, or"
                " each one holds names. If they hold scores or votes, write the class of the"
                " highest one into a column of its own.",
            )


# How columns mark the rows of a class.
_MARKS: tuple[set[str | None], ...] = (
    {"0", "1", ""},
    {"true", "false", ""},
    {"yes", "no", ""},
    {"y", "n", ""},
    {"x", ""},
)
_ABOUT_ROWS = re.compile(r"(is|has)([_\W]|(?=[A-Z]))")  # 'is_verified' is no class
_FEWEST = 3  # columns; two may be anything


def chosen_labels(table: Table, text: str) -> tuple[str, list[Note]]:
    """The column of labels with a usual name; else those that mark a class each, and a note.

    text: the column of the texts. Raises DataError if there are none of both.
    """
    try:
        return choose_column(table, "label"), []
    except DataError:
        marking, others = marking_columns(table, text)
        if not marking:
            raise
    sentence = (
        "No column has a usual name for labels. So the columns that mark rows with 0 and 1,"
        " true and false, yes and no, or x are taken as one class each:"
        f" {some_of(marking)}."
    )
    if others:
        sentence += f" These beside them are no classes: {some_of(others)}."
    return ",".join(marking), [
        Note("L03", sentence, "To use another column, name it with --label.")
    ]


def marking_columns(table: Table, text: str) -> tuple[list[str], list[str]]:
    """The columns that stand side by side and mark a class each, all in the same way: with 0 or 1,
    with words such as true and false, or with x or nothing; and those among them that do not.

    Of several such groups the longest is taken. A column with only zeros or only ones marks no
    class. text: the column of the texts, which may stand between them. Two empty lists if there are
    no such columns.
    """
    columns = [name for name in table.columns if name != text]
    seen: dict[str, set[str | None]] = {name: set() for name in columns}
    for chunk in table.chunks():
        for row in chunk.rows:
            for name in list(seen):
                seen[name].add(mark_word(cell_of(row.get(name))))
                if not any(seen[name] <= marks for marks in _MARKS):
                    del seen[name]
    kinds = {
        name: next(kind for kind, marks in enumerate(_MARKS) if cells <= marks)
        for name, cells in seen.items()
    }
    marking = {
        name
        for name, cells in seen.items()
        if any(map(is_marked, cells)) and len(cells) > 1 and not _ABOUT_ROWS.match(name)
    }
    groups = [list(of) for kind, of in groupby(columns, kinds.get) if kind is not None]
    longest = max(groups, key=lambda group: len(marking.intersection(group)), default=[])
    if len(marking.intersection(longest)) < _FEWEST:
        return [], []
    return [n for n in longest if n in marking], [n for n in longest if n not in marking]
