"""Columns that are in memory as tables, and columns of pandas frames as Python values.

Knows no files. Loads no pandas: the frame brings it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from emolens.data.readers.columns import decoded
from emolens.data.readers.table import Chunk, Row, Table, chunked, table_of_rows
from emolens.data.splitnames import SPLITS, TRAIN, canonical
from emolens.errors import DataError

if TYPE_CHECKING:
    import pandas as pd


def category_name(value: Any) -> Any:
    """The name of a category; bytes that are not UTF-8 stay, for the message about their row."""
    value = decoded(value)
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return value if isinstance(value, bytes) else str(value)


def category_names(categories: Iterable[Any]) -> list[str]:
    """The names of categories, in their order; two that differ in spaces only are one class."""
    return list(dict.fromkeys(str(category_name(value)).strip() for value in categories))


def values_of(column: pd.Series) -> list[Any]:
    """The values as Python objects; None for a missing one."""
    values: list[Any] = column.astype(object).where(column.notna(), None).tolist()
    return values


def numbered_rows(header: Table, frame: pd.DataFrame) -> Table:
    """The table with the rows of a frame, which are read only when they are asked for."""

    def read(_: Sequence[str]) -> Iterator[Chunk]:
        places = range(len(header.columns))
        values = zip(*(values_of(frame.iloc[:, place]) for place in places), strict=True)
        rows = (dict(zip(header.columns, row, strict=True)) for row in values)
        yield from chunked(enumerate(rows, start=1))

    return replace(header, read=read)


def tables_of(
    name: str,
    columns: Mapping[str, Sequence[Any]],
    *,
    splits: Sequence[Any] | None,
    class_names: Mapping[str, Sequence[str]],
) -> dict[str, list[Table]]:
    """A table of the rows of each split. splits: the split of each row; None if all are in train.

    class_names: by column, the names of classes that are numbers. Raises DataError.
    """
    by_split = _rows_by_split(name, columns, splits)
    if not by_split.get(TRAIN):
        raise DataError(f"{name} has no training rows.", hint="Give rows of the split 'train'.")
    known = {column: tuple(map(str, names)) for column, names in class_names.items()}
    return {
        split: [table_of_rows(name, tuple(columns), by_split[split], class_names=known)]
        for split in SPLITS
        if split in by_split
    }


def _rows_by_split(
    name: str, columns: Mapping[str, Sequence[Any]], splits: Sequence[Any] | None
) -> dict[str, list[tuple[int, Row]]]:
    """Numbered rows by split; without splits, all are in train."""
    lengths = {column: len(values) for column, values in columns.items()}
    if splits is not None:
        lengths["split"] = len(splits)
    if len(set(lengths.values())) > 1:
        sizes = ", ".join(f"{length:,} for {column}" for column, length in lengths.items())
        raise DataError(
            f"{name}: the columns have different lengths ({sizes}).",
            hint="Give one value for each row.",
        )
    by_split: dict[str, list[tuple[int, Row]]] = {}
    for place, values in enumerate(zip(*columns.values(), strict=True)):
        split = TRAIN if splits is None else _split_named(splits[place], f"{name}, row {place + 1}")
        row = dict(zip(columns, values, strict=True))
        by_split.setdefault(split, []).append((place + 1, row))
    return by_split


def _split_named(value: object, where: str) -> str:
    """The split with this name; DataError for a name that no split has."""
    if split := canonical(value):
        return split
    raise DataError(
        f"{where}: '{value}' is not the name of a split.",
        hint="Use train, validation (or dev) and test.",
    )
