"""Turns columns of texts and labels into texts and class ids. Knows nothing of file formats."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from emolens.blank import is_blank
from emolens.data.readers.columns import decoded, is_missing, texts_of
from emolens.data.readers.table import Table
from emolens.errors import DataError, nearest
from emolens.labels import LabelSet


@dataclass(frozen=True, repr=False)
class Labelled:
    """The texts and class names of one split. blank: how many rows without a text it left out."""

    texts: tuple[str, ...]
    names: tuple[str, ...]
    blank: int


def labelled_rows(
    tables: Sequence[Table], text: str, *, label: str, known: LabelSet | None = None
) -> Labelled:
    """Read the rows of one split from one or more tables; text, label: the columns.

    Raises DataError for a row without a label, and for a class that is not among those known.
    """
    rows: list[tuple[str, str]] = []
    blank = 0
    for table in tables:
        for chunk in table.chunks(text, label):
            texts = texts_of(table, chunk, text)
            for number, words, row in zip(chunk.numbers, texts, chunk.rows, strict=True):
                if is_blank(words):
                    blank += 1
                    continue
                name = _class_of(row.get(label), table, number, label)
                if known and name not in known.names:
                    raise DataError(
                        f"{table.where(number)}: class '{name}' does not occur in the training"
                        " split.",
                        hint=nearest(name, known.names),
                    )
                rows.append((words, name))
    return Labelled(tuple(words for words, _ in rows), tuple(name for _, name in rows), blank)


def label_set(train: Labelled, tables: Sequence[Table], column: str) -> LabelSet:
    """The classes of the training split, in the order of their ids if the source has ids.

    Raises DataError for a class that is not among the class names of the source.
    """
    names = set(train.names)
    for table in tables:
        if known := [name.strip() for name in table.class_names.get(column, ())]:
            if twice := [name for name, count in Counter(known).items() if count > 1]:
                raise DataError(
                    f"{table.origin} has two classes called '{twice[0]}'.",
                    hint="Give each class a name of its own.",
                )
            if unknown := sorted(names.difference(known)):
                raise DataError(
                    f"{table.origin}: '{unknown[0]}' is not among the class names.",
                    hint=nearest(unknown[0], known),
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
    value = decoded(value)
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
            return names[value].strip()
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
