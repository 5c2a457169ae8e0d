"""Reads the rows of one split: texts, and the cells of their label columns.

Gives no meaning to the cells.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from emolens.blank import is_blank
from emolens.data.checks import Note
from emolens.data.readers.columns import (
    check_column,
    choose_column,
    label_columns,
    readable_texts,
)
from emolens.data.readers.table import Row, Table
from emolens.data.targets.cells import Cell, cell_of, is_mark, is_marked, number_of
from emolens.data.targets.missing import is_missing_word
from emolens.errors import DataError


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


def _cell(row: Row, labels: Sequence[str], table: Table, number: int) -> Cell:
    """The cell of one label column, or those of several columns as a tuple."""
    try:
        if len(labels) == 1:
            return cell_of(row.get(labels[0]))
        return tuple(str(_or_empty(cell_of(row.get(name)))) for name in labels)
    except UnicodeDecodeError as error:
        raise DataError(
            f"{table.where(number)}: the label is bytes that are not UTF-8, not a string.",
            hint="Write the column as strings, or choose another one with --label.",
        ) from error


def _or_empty(cell: Cell) -> Cell:
    return "" if cell is None else cell


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
        names = [tuple(value for value in row if not is_missing_word(value)) for row in rows]
    return [of_row if any(row) else None for of_row, row in zip(names, rows, strict=True)]


def _check_marks(where: str, marks: Mapping[str, str]) -> None:
    for name, mark in marks.items():
        if not is_mark(mark):
            raise DataError(
                f"{where}: the column '{name}' holds '{mark}', neither 0 nor 1.",
                hint="With several columns in --label, each one marks its class with 0 or 1, or"
                " each one holds names.",
            )


def marking_columns(table: Table) -> tuple[str, ...]:
    """The columns that stand side by side and each mark a class with 0 or 1; () if there are none.

    Of several such groups the longest is taken. A column with only zeros or only ones marks no
    class.
    """
    seen: dict[str, set[Cell]] = {name: set() for name in table.columns}
    for chunk in table.chunks():
        for row in chunk.rows:
            for name in list(seen):
                seen[name].add(cell_of(row.get(name)))
                if not seen[name] <= _ZERO_AND_ONE:
                    del seen[name]
    groups: list[list[str]] = [[]]
    for name in table.columns:
        if name in seen:
            groups[-1].append(name)
        else:
            groups.append([])
    groups = [[name for name in group if _both(seen[name])] for group in groups]
    longest = max(groups, key=len)
    return tuple(longest) if len(longest) >= _FEWEST else ()


# Columns that say True or False are more often about the row than about its class.
_ZERO_AND_ONE: set[Cell] = {0, 1, "0", "1", "0.0", "1.0", None, ""}
_FEWEST = 3  # columns; two may be anything


def _both(cells: set[Cell]) -> bool:
    return any(map(is_marked, cells)) and not all(map(is_marked, cells))
