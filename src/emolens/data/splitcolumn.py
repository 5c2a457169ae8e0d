"""A column that says of each row whether it is for training, validation or test."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass

from emolens.blank import is_blank
from emolens.data.checks import Note
from emolens.data.composed import only
from emolens.data.readers.columns import is_missing
from emolens.data.readers.table import Table
from emolens.data.splitnames import SPLITS, TRAIN, assigned, in_order, words_of
from emolens.errors import DataError, nearest, some_of

# The words of its usual names: 'split', 'Set', 'data_split', 'partition'.
_WORDS = {"split", "splits", "set", "subset", "partition", "fold", "folds", "usage", "phase"}
_MOST = 50  # different values; a column with more is something else


@dataclass(frozen=True)
class ByColumn:
    """The tables by split, as a column gives them, and what is to be said about it."""

    tables: dict[str, list[Table]]
    notes: tuple[Note, ...]


def by_split_column(tables: Sequence[Table], wanted: Mapping[str, str]) -> ByColumn | None:
    """The rows by their split, if a column with a usual name holds names of splits; else None.

    wanted: for a split, its name in the column. The rows that have no other split are for training,
    if they have no split name of their own.
    """
    for column in tables[0].columns:
        if _WORDS.isdisjoint(words_of(column)):
            continue
        if any(column not in table.columns for table in tables):
            continue
        counts = _counts(tables, column)
        if counts and (values := _values_by_split(counts, wanted, column)):
            return _divided(tables, column, counts=counts, values=values)
    return None


def _counts(tables: Sequence[Table], column: str) -> Counter[Hashable] | None:
    """Rows by value; None for a column of many values, or of lists."""
    counts: Counter[Hashable] = Counter()
    for table in tables:
        for chunk in table.chunks(column):
            values = [row.get(column) for row in chunk.rows]
            if not all(isinstance(value, Hashable) for value in values):
                return None
            counts.update(values)
            if len(counts) > _MOST:
                return None
    return counts


def _values_by_split(
    counts: Counter[Hashable], wanted: Mapping[str, str], column: str
) -> dict[str, frozenset[Hashable]]:
    """The values of each split; empty if the column does not hold splits."""
    named = [value for value in counts if _name(value)]
    taken = {
        split: frozenset(value for value in named if _name(value).lower() == name.lower())
        for split, name in wanted.items()
    }
    if wanted and (absent := [split for split, values in taken.items() if not values]):
        if len(absent) < len(wanted):
            known = sorted({_name(value) for value in named}, key=in_order)
            raise DataError(
                f"No row has '{wanted[absent[0]]}' in the column '{column}', for the"
                f" {absent[0]} split.",
                hint=nearest(wanted[absent[0]], known),
            )
        return {}
    used = frozenset().union(*taken.values())
    rest = [value for value in named if value not in used]
    for split, places in assigned([_name(value) for value in rest], exact=True).places.items():
        taken.setdefault(split, frozenset(rest[place] for place in places))
    if wanted and TRAIN not in taken:
        taken[TRAIN] = frozenset(rest).difference(*taken.values())
    complete = bool(taken.get(TRAIN)) and len(taken) > 1
    return {split: taken[split] for split in SPLITS if split in taken} if complete else {}


def _name(value: Hashable) -> str:
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return "" if is_missing(value) or is_blank(str(value)) else str(value).strip()


def _divided(
    tables: Sequence[Table],
    column: str,
    *,
    counts: Counter[Hashable],
    values: Mapping[str, frozenset[Hashable]],
) -> ByColumn:
    names = {
        split: sorted(map(_name, of_split), key=in_order) for split, of_split in values.items()
    }
    meaning = ", ".join(
        f"{split} ({some_of(list(dict.fromkeys(names[split])))})" for split in values
    )
    notes = [Note("S01", f"The column '{column}' says the split of each row: {meaning}.")]
    others = {
        v: n for v, n in counts.items() if not any(v in of_split for of_split in values.values())
    }
    if others:
        n = sum(others.values())
        shown = some_of(sorted(dict.fromkeys(_name(v) or "empty" for v in others), key=in_order))
        notes.append(
            Note(
                "S01",
                f"{n:,} {'row has' if n == 1 else 'rows have'} another value in the column"
                f" '{column}' ({shown}), and {'is' if n == 1 else 'are'} left out.",
                n_rows=n,
            )
        )
    divided = {s: [only(table, column, of) for table in tables] for s, of in values.items()}
    return ByColumn(divided, tuple(notes))
