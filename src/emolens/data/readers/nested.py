"""Rows whose values hold other values, asked for by names with dots: 'data.text', 'turns.0'."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from emolens.data.readers.table import Row

_DEEPEST = 8  # names in a dotted name


class NestedRow(dict[str, Any]):
    """A row as it stands in the file. Asked for 'data.text', it gives the 'text' inside of 'data'.

    Of a list it gives the values of all its objects, as one list; 'turns.0.text' is one of them.
    """

    def get(self, name: str, default: Any = None) -> Any:
        """The value of this name, which may have dots."""
        if name in self:
            return self[name]
        value = _inside(self, name.split("."))
        return default if value is None else value


def nested(row: Row) -> Row:
    """The row, as a NestedRow if one of its values holds others."""
    holds = any(isinstance(value, (dict, list)) for value in row.values())
    return NestedRow(row) if holds else row


def inner_names(row: Mapping[str, Any]) -> Iterator[str]:
    """The dotted names of the values inside of other values."""
    for name, value in row.items():
        yield from _names(value, name, depth=1)


def _holds_others(value: Any) -> bool:
    if isinstance(value, list):
        return any(isinstance(item, dict) for item in value)
    return isinstance(value, dict)


def _names(value: Any, above: str, *, depth: int) -> Iterator[str]:
    if isinstance(value, list):
        for item in value:
            if isinstance(item, dict):
                yield from _names(item, above, depth=depth)
    elif isinstance(value, dict) and depth < _DEEPEST:
        for name, inner in value.items():
            if _holds_others(inner):
                if isinstance(inner, dict) and all(
                    isinstance(v, (int, float)) for v in inner.values()
                ):
                    yield f"{above}.{name}"  # a mark for each class
                yield from _names(inner, f"{above}.{name}", depth=depth + 1)
            else:
                yield f"{above}.{name}"


def _inside(value: Any, names: list[str]) -> Any:
    """The value behind these names. A name may hold dots itself, so longer ones come first."""
    if not names:
        return value
    if isinstance(value, list) and names[0].isdecimal():
        place = int(names[0])
        return _inside(value[place], names[1:]) if place < len(value) else None
    if isinstance(value, list):
        found = [inner for item in value if (inner := _inside(item, names)) is not None]
        flat = [v for inner in found for v in (inner if isinstance(inner, list) else [inner])]
        return list(dict.fromkeys(flat)) if all(_is_plain(v) for v in flat) else flat
    if not isinstance(value, dict):
        return None
    for end in range(len(names), 0, -1):
        name = ".".join(names[:end])
        if name in value:
            return _inside(value[name], names[end:])
    return None


def _is_plain(value: Any) -> bool:
    return isinstance(value, (str, int, float, bool))
