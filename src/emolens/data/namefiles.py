"""A file that names the classes of a folder's tables: 'mapping.txt', 'emotions.txt'."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from emolens.data.checks import Note
from emolens.data.readers.columns import is_missing, label_columns
from emolens.data.readers.table import Table
from emolens.data.splitnames import TRAIN
from emolens.data.targets.options import LabelOptions
from emolens.errors import UsageError

_NUMBERS = re.compile(r"[\s\[\](){}]*\d+([\s,;|#\[\](){}]+\d+)*[\s\[\](){}]*|\d+\.0")


def names_the_classes(path: Path, tables: Mapping[str, Sequence[Table]], label: str) -> bool:
    """Whether the file holds names, and the first labels are numbers that need them."""
    first = tables[TRAIN][0]
    columns = label_columns(first, label)
    if len(columns) > 1 or first.class_names.get(columns[0]):
        return False
    try:
        names = LabelOptions(class_names=str(path)).names_by_id
    except UsageError:
        return False
    chunk = next(iter(first.chunks(columns[0])), None)
    labels = [row.get(columns[0]) for row in chunk.rows] if chunk else []
    present = [value for value in labels if not is_missing(value) and str(value).strip()]
    return bool(names) and bool(present) and all(map(_is_number, present))


def said_of_names(path: Path) -> Note:
    """What is to be said about class names from a file."""
    return Note(
        "L03",
        f"The classes are numbers, and {path.name} names them.",
        "If these are not their names, give others: --class-names FILE",
    )


def _is_number(value: Any) -> bool:
    """Whether a label is a number, or several of them."""
    if isinstance(value, (list, tuple)):
        return all(map(_is_number, value))
    return _NUMBERS.fullmatch(str(value).strip()) is not None
