"""Columns of pandas frames as Python values. Loads no pandas: the frame brings it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from emolens.data.readers.columns import decoded

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
