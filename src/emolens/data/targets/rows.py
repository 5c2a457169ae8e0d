"""Reads the rows of one split: texts, and the cells of their label columns.

Gives no meaning to the cells.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property

from emolens.blank import is_blank
from emolens.data.readers.columns import (
    check_column,
    choose_column,
    label_columns,
    readable_texts,
)
from emolens.data.readers.table import Row, Table
from emolens.data.targets.cells import Cell, cell_of, is_mark, is_marked
from emolens.errors import DataError


@dataclass(frozen=True, repr=False)
class Part:
    """The rows of one table that have a text.

    cells: what stands in the label column; with one 0/1 column a class, the names of the columns
    with a 1. names: the cells of the column beside it that names the classes, or (). numbers: of
    the rows in the table. unreadable: why rows could not be read, by their number; they are left
    out. joined: the rows whose text is a list of words.
    """

    table: Table
    label: str
    texts: list[str] = field(default_factory=list)
    cells: list[Cell] = field(default_factory=list)
    names: list[Cell] = field(default_factory=list)
    numbers: list[int] = field(default_factory=list)
    blank: list[int] = field(default_factory=list)
    joined: list[int] = field(default_factory=list)
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
    with commas between them, hold a 0 or a 1 for each class. strict: whether a row that can't be
    read is an error.
    """
    text = choose_column(table, "text", columns[0])
    labels = label_columns(table, columns[1])
    named = beside if beside in table.columns else None
    part = Part(table, columns[1])
    check_column(table, text)
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
                if isinstance(row.get(text), (list, tuple)):
                    part.joined.append(number)
                if named:
                    part.names.append(cell_of(row.get(named)))
    return part


def _cell(row: Row, labels: Sequence[str], table: Table, number: int) -> Cell:
    try:
        if len(labels) == 1:
            return cell_of(row.get(labels[0]))
        marks = {name: cell_of(row.get(name)) for name in labels}
    except UnicodeDecodeError as error:
        raise DataError(
            f"{table.where(number)}: the label is bytes that are not UTF-8, not a string.",
            hint="Write the column as strings, or choose another one with --label.",
        ) from error
    for name, mark in marks.items():
        if not is_mark(mark):
            raise DataError(
                f"{table.where(number)}: the column '{name}' holds '{mark}', neither 0 nor 1.",
                hint="With several columns in --label, each one marks its class with 0 or 1.",
            )
    if all(mark is None or mark == "" for mark in marks.values()):
        return None
    return tuple(name for name, mark in marks.items() if is_marked(mark))


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
