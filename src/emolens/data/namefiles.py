"""A file that names the classes of a folder's tables: 'mapping.txt', 'emotions.txt'."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from emolens.data.checks import Note
from emolens.data.readers.columns import has_labels, is_missing, label_columns
from emolens.data.readers.table import Table
from emolens.data.splitnames import TRAIN
from emolens.data.targets.missing import is_missing_word
from emolens.data.targets.names import in_use
from emolens.data.targets.options import LabelOptions
from emolens.errors import UsageError, some_of

# '2', '2.0', '-1', '2,5', '[2, 5]'
_NUMBERS = re.compile(r"[\s\[\](){}]*-?\d+(\.0)?([\s,;|#\[\](){}]+-?\d+(\.0)?)*[\s\[\](){}]*")
_LONGEST = 1_000  # characters of a label
_MOST = 1_000  # numbers; a column of larger or of more ones is no column of classes


@dataclass(frozen=True)
class NamesInFile:
    """The class names of a file, in the order of the numbers from 0. unnamed: numbers without one.

    Such a number stands in the place of its name.
    """

    path: Path
    names: tuple[str, ...]
    unnamed: tuple[int, ...] = ()

    @property
    def note(self) -> Note:
        """What is to be said about it."""
        but = f", but not {some_of(list(map(str, self.unnamed)))}" if self.unnamed else ""
        return Note(
            "L03",
            f"The classes are numbers, and {self.path.name} names them{but}.",
            "If these are not their names, give others: --class-names FILE",
        )


def names_in(path: Path, tables: Mapping[str, Sequence[Table]], label: str) -> NamesInFile | None:
    """The names in a file, if the labels are numbers and the file names most of them; else None."""
    first = tables[TRAIN][0]
    columns = label_columns(first, label)
    if len(columns) > 1 or first.class_names.get(columns[0]):
        return None
    try:
        given = LabelOptions(class_names=str(path)).names_by_id
    except UsageError:
        return None
    several = [table for parts in tables.values() for table in parts if has_labels(table, label)]
    numbers = _numbers(several, label)
    names = in_use(given, numbers)
    unnamed = tuple(sorted(numbers.difference(names)))
    if not numbers or 2 * len(unnamed) > len(numbers) or len(set(names.values())) < len(names):
        return None
    last = max({*numbers, *names})
    if last > _MOST:
        return None
    in_order = (names.get(number, str(number)) for number in range(last + 1))
    return NamesInFile(path, tuple(in_order), unnamed)


def _numbers(tables: Sequence[Table], label: str) -> set[int]:
    """All numbers in the labels; empty if a label is no number."""
    numbers: set[int] = set()
    for table in tables:
        (column,) = label_columns(table, label)
        for chunk in table.chunks(column):
            cells = {str(v) for row in chunk.rows if not is_missing(v := row.get(column))}
            for cell in (cell for cell in cells if not is_missing_word(cell)):
                if len(cell) > _LONGEST or not _NUMBERS.fullmatch(cell):
                    return set()
                numbers.update(map(int, re.findall(r"-?\d+", cell.replace(".0", ""))))
            if len(numbers) > _MOST:
                return set()
    return {number for number in numbers if number >= 0}
