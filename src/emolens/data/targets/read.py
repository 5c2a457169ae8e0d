"""Turns columns of texts and labels into texts and class ids. Knows nothing of file formats.

The form of a label column is recognized over all rows of all splits, before any label is read.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from emolens.data.checks import Note
from emolens.data.readers.table import Table
from emolens.data.targets.causes import unknown_class
from emolens.data.targets.column import Classes, Column
from emolens.data.targets.names import column_beside
from emolens.data.targets.notes import notes_of, strictly
from emolens.data.targets.options import LabelOptions
from emolens.data.targets.rows import Part, read_part
from emolens.labels import LabelSet

TRAIN = "train"


@dataclass(frozen=True, repr=False)
class Targets:
    """What was read: the classes, and by split the texts and labels.

    labels: by split, (n,) int64, or (n, k) bool if some row has several labels. numbers: by split,
    those of the rows in their tables. blank: by split, the rows that were left out because they
    have no text.
    """

    classes: LabelSet
    texts: dict[str, tuple[str, ...]]
    labels: dict[str, np.ndarray]
    numbers: dict[str, tuple[int, ...]]
    blank: dict[str, int]
    notes: tuple[Note, ...]


def read_targets(
    tables: Mapping[str, Sequence[Table]],
    columns: tuple[str, str],
    options: LabelOptions,
    *,
    main: str = TRAIN,
) -> Targets:
    """Read the rows of all splits. columns: of the texts, and of the labels.

    main: the split that says which classes there are. Another split is left out if none of its rows
    has a label. Raises DataError for labels that can't be read, with the place of the first one.
    """
    beside = column_beside(tables[main][0], columns[1])
    parts = {
        split: [read_part(table, columns, beside, strict=options.strict) for table in several]
        for split, several in tables.items()
    }
    others = [part for split in parts if split != main for part in parts[split]]
    column = Column(parts[main], others, options, beside)
    if options.strict:
        strictly(parts, column)
    rows = {split: _rows(parts[split], column) for split in parts}
    several = any(len(row.classes) > 1 for of_split in rows.values() for row in of_split)
    if not several:
        rows = {split: [row for row in rows[split] if row.classes] for split in rows}
    unlabelled = [s for s in parts if s != main and not rows[s] and any(p.texts for p in parts[s])]
    kept = {split: of_split for split, of_split in rows.items() if split not in unlabelled}
    return Targets(
        column.labels,
        {split: tuple(row.text for row in of_split) for split, of_split in kept.items()},
        {split: _ids((r.classes for r in kept[split]), column.labels, several) for split in kept},
        {split: tuple(row.number for row in of_split) for split, of_split in kept.items()},
        {split: n for split in parts if (n := sum(len(part.blank) for part in parts[split]))},
        tuple(notes_of(parts, column, several=several, unlabelled=unlabelled)),
    )


class _Row(NamedTuple):
    text: str
    classes: Classes
    number: int


def _rows(parts: Sequence[Part], column: Column) -> list[_Row]:
    """The rows that have a label."""
    rows: list[_Row] = []
    known = column.labels.names
    by_part = [(part, column.classes(part)) for part in parts]
    present = {name for _, classes in by_part for names in classes.values() for name in names}
    for part, classes in by_part:
        if not {name for names in classes.values() for name in names} <= set(known):
            raise unknown_class(part, classes, split=present, known=known)
        given = zip(part.texts, part.cells, part.numbers, strict=True)
        rows += [_Row(text, classes[cell], n) for text, cell, n in given if cell in classes]
    return rows


def _ids(rows: Iterable[Classes], labels: LabelSet, several: bool) -> np.ndarray:
    ids = {name: i for i, name in enumerate(labels.names)}
    if not several:
        return np.array([ids[name] for (name,) in rows], dtype=np.int64)
    marks = [[name in classes for name in labels.names] for classes in rows]
    return np.array(marks, dtype=bool).reshape(-1, len(labels))
