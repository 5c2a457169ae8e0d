"""Turns columns of texts and labels into texts and class ids. Knows nothing of file formats."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from emolens.blank import is_blank
from emolens.data.readers.columns import is_missing, texts_of
from emolens.data.readers.table import Table
from emolens.errors import DataError, nearest
from emolens.labels import LabelSet


@dataclass(frozen=True)
class Columns:
    """The names of the two columns that are used."""

    text: str = "text"
    label: str = "label"


@dataclass(frozen=True, repr=False)
class Labelled:
    """The rows of one split that have a text.

    names: the class names. places: the table and row number of each row. blank: how many rows were
    left out because they have no text.
    """

    texts: tuple[str, ...]
    names: list[str]
    places: list[tuple[Table, int]]
    blank: int

    def ids(self, labels: LabelSet) -> np.ndarray:
        """The class ids, (n,) int64; DataError for a class that is not in `labels`."""
        ids = {name: number for number, name in enumerate(labels.names)}
        for name, (table, number) in zip(self.names, self.places, strict=True):
            if name not in ids:
                raise DataError(
                    f"{table.where(number)}: class '{name}' does not occur in the training split.",
                    hint=nearest(name, labels.names),
                )
        return np.array([ids[name] for name in self.names], dtype=np.int64)


def labelled_rows(tables: Sequence[Table], columns: Columns) -> Labelled:
    """Read the rows of one split, from one or more tables."""
    texts: list[str] = []
    names: list[str] = []
    places: list[tuple[Table, int]] = []
    blank = 0
    for table in tables:
        for chunk in table.chunks(columns.text, columns.label):
            rows = zip(chunk.numbers, texts_of(table, chunk, columns.text), chunk.rows, strict=True)
            for number, text, row in rows:
                if is_blank(text):
                    blank += 1
                    continue
                texts.append(text)
                names.append(_class_of(row.get(columns.label), table, number, columns.label))
                places.append((table, number))
    return Labelled(tuple(texts), names, places, blank)


def label_set(train: Labelled, tables: Sequence[Table], column: str) -> LabelSet:
    """The classes of the training split, in the order of their ids if the source has ids."""
    names = set(train.names)
    for table in tables:
        if known := table.class_names.get(column):
            if twice := [name for name, count in Counter(known).items() if count > 1]:
                raise DataError(
                    f"{table.origin} has two classes called '{twice[0]}'.",
                    hint="Give each class a name of its own.",
                )
            # A source may name classes that no row has; a model can't learn them.
            return LabelSet(tuple(name for name in known if name in names))
    if all(re.fullmatch(r"\d+", name) for name in names):
        return LabelSet(tuple(sorted(names, key=int)))
    return LabelSet.ordered(names)


def _class_of(value: Any, table: Table, number: int, column: str) -> str:
    """The class name of a row; DataError for a row with no label or with several."""
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if is_missing(value) or not str(value).strip():
        raise DataError(
            f"{table.where(number)}: the row has no label.",
            hint=f"Fill the column '{column}' or delete the row.",
        )
    names = table.class_names.get(column)
    if names and isinstance(value, int):
        if 0 <= value < len(names):
            return names[value]
        raise DataError(
            f"{table.where(number)}: label {value} is outside the {len(names)} classes.",
            hint="A test split without labels has -1 there: remove its rows or its file.",
        )
    if isinstance(value, Iterable) and not isinstance(value, (str, bytes)):
        raise DataError(
            f"{table.where(number)}: the row has several labels.",
            hint="emolens learns one class per row; choose another column with --label.",
        )
    if isinstance(value, bytes):
        raise DataError(
            f"{table.where(number)}: the label is bytes that are not UTF-8, not a string.",
            hint="Write the column as strings, or choose another one with --label.",
        )
    return str(value).strip()
