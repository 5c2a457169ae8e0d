"""Columns that say of each row whether it is for training, validation or test."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from emolens.blank import is_blank
from emolens.data.checks import Note, agreeing, counted
from emolens.data.composed import only
from emolens.data.readers.columns import is_missing
from emolens.data.readers.table import Chunk, Table
from emolens.data.splitnames import (
    SPLIT_COLUMNS,
    SPLITS,
    TEST,
    TRAIN,
    VALIDATION,
    assigned,
    canonical,
    in_order,
    split_option,
    words_of,
)
from emolens.data.targets.cells import cell_of, is_mark, is_marked
from emolens.errors import DataError, nearest, some_of

# What may stand beside the name of a split where a column marks its rows: 'is_test', 'test_flag'.
_FLAG_WORDS = {"is", "in", "for", "flag", "set", "split"}
_MOST = 50  # different values; a column with more is something else
Values = tuple[Hashable, ...]  # of one row, in the columns that say its split


@dataclass(frozen=True)
class ByColumn:
    """The tables by split, as columns give them, and what is to be said about it."""

    tables: dict[str, list[Table]]
    notes: tuple[Note, ...]


def by_split_column(tables: Sequence[Table], wanted: Mapping[str, str]) -> ByColumn | None:
    """The rows by their split, if a column holds names of splits, or if columns such as 'is_test'
    mark the rows of a split; else None. A column of another name than the usual ones must hold
    nothing else.

    wanted: for a split, its name in the column. The rows that have no other split are for training,
    if they have no split name of their own.
    """
    columns = [c for c in tables[0].columns if all(c in table.columns for table in tables)]
    unused: list[Note] = []
    for column, usual in _candidates(tables[0], columns).items():
        counts = _counts(tables, [column])
        if not counts or not (usual or all(_is_split(*values) for values in counts)):
            continue
        if values := _values_by_split(counts, wanted, column):
            return _divided(tables, [column], counts=counts, values=values)
        if usual and not wanted and len(counts) > 1:
            unused.append(_not_used(column, counts))
    if wanted:
        return None
    marked = _by_marks(tables, columns)
    return marked or (ByColumn({TRAIN: list(tables)}, tuple(unused)) if unused else None)


def _candidates(table: Table, columns: Iterable[str]) -> dict[str, bool]:
    """The columns of a usual name, and those whose first values are names of splits. The value says
    whether the name is a usual one; these come first.
    """
    usual = {name: True for name in columns if not SPLIT_COLUMNS.isdisjoint(words_of(name))}
    rows = next(iter(table.chunks()), Chunk([], [])).rows
    others = (name for name in columns if all(_is_split(row.get(name)) for row in rows))
    return usual | {name: False for name in others if name not in usual}


def _is_split(value: Hashable) -> bool:
    return not _value_name(value) or canonical(_value_name(value)) is not None


def _not_used(column: str, counts: Counter[Values]) -> Note:
    """What is to be said about a column that has a usual name, and no names of splits."""
    text = f"The column '{column}' holds {_names(counts)}. These are not names of splits."
    names = sorted(filter(None, map(_name, counts)), key=in_order)
    test = next((name for name in names if canonical(name) == TEST), names[-1])
    return Note("S01", text, f"To use it: {split_option(TEST, test)}")


def _by_marks(tables: Sequence[Table], columns: Iterable[str]) -> ByColumn | None:
    """The rows by their split, if columns with the name of a split mark its rows with a 1."""
    marking: dict[str, str] = {}
    for column in columns:
        split = _marked_split(column)
        alone = _counts(tables, [column]) if split else None
        cells = [cell_of(value) for (value,) in alone or ()]
        if split and all(map(is_mark, cells)) and len(set(map(is_marked, cells))) > 1:
            marking.setdefault(split, column)
    counts = _counts(tables, list(marking.values())) if marking else None
    if not counts:
        return None
    by_split: dict[str, set[Values]] = {}
    for values in counts:
        marks = {s: is_marked(cell_of(v)) for s, v in zip(marking, values, strict=True)}
        by_split.setdefault(_split_of(marks), set()).add(values)
    if TRAIN not in by_split:
        return None
    in_turn = {split: frozenset(by_split[split]) for split in SPLITS if split in by_split}
    return _divided(tables, list(marking.values()), counts=counts, values=in_turn)


def _marked_split(column: str) -> str | None:
    """The split whose rows a column of this name marks: test for 'is_test', 'isTest', 'test'."""
    words = [word.removeprefix("is") or word for word in words_of(column)]
    splits = {split for word in words if (split := canonical(word))}
    rest = {word for word in words if not canonical(word)}
    return splits.pop() if len(splits) == 1 and rest <= _FLAG_WORDS else None


def _split_of(marks: Mapping[str, bool]) -> str:
    """The split of a row. marks: by split, whether its column marks the row."""
    for split in (TEST, VALIDATION):
        if marks.get(split):
            return split
    if marks.get(TRAIN, True):
        return TRAIN
    return TEST if TEST not in marks else VALIDATION


def _counts(tables: Sequence[Table], columns: Sequence[str]) -> Counter[Values] | None:
    """Rows by their values; None for columns of many different values, or of lists."""
    counts: Counter[Values] = Counter()
    for table in tables:
        for chunk in table.chunks(*columns):
            rows = [tuple(row.get(column) for column in columns) for row in chunk.rows]
            if not all(isinstance(value, Hashable) for row in rows for value in row):
                return None
            counts.update(rows)
            if len(counts) > _MOST:
                return None
    return counts


def _values_by_split(
    counts: Counter[Values], wanted: Mapping[str, str], column: str
) -> dict[str, frozenset[Values]]:
    """The values of each split; empty if the column does not hold splits."""
    named = [values for values in counts if _name(values)]
    taken = {
        split: frozenset(values for values in named if _name(values).lower() == name.lower())
        for split, name in wanted.items()
    }
    if wanted and (absent := [split for split, values in taken.items() if not values]):
        if len(absent) < len(wanted):
            known = sorted({_name(values) for values in named}, key=in_order)
            raise DataError(
                f"No row has '{wanted[absent[0]]}' in the column '{column}', for the"
                f" {absent[0]} split.",
                hint=nearest(wanted[absent[0]], known),
            )
        return {}
    used = frozenset().union(*taken.values())
    rest = [values for values in named if values not in used]
    names = [_name(values) for values in rest]
    loosely = assigned(names).places  # 'PublicTest', if all values are such names
    all_named = sum(map(len, loosely.values())) == len(names)
    for split, places in (loosely if all_named else assigned(names, exact=True).places).items():
        taken.setdefault(split, frozenset(rest[place] for place in places))
    if wanted and TRAIN not in taken:
        taken[TRAIN] = frozenset(rest).difference(*taken.values())
    complete = bool(taken.get(TRAIN)) and len(taken) > 1
    return {split: taken[split] for split in SPLITS if split in taken} if complete else {}


def _name(values: Values) -> str:
    """How a message names the values of a row; '' if all are empty."""
    return " and ".join(filter(None, map(_value_name, values)))


def _value_name(value: Hashable) -> str:
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return "" if is_missing(value) or is_blank(str(value)) else str(value).strip()


def _names(several: Iterable[Values]) -> str:
    names = {_name(values) or "empty" for values in several}
    return some_of(sorted(names, key=in_order))


def _divided(
    tables: Sequence[Table],
    columns: Sequence[str],
    *,
    counts: Counter[Values],
    values: Mapping[str, frozenset[Values]],
) -> ByColumn:
    column = " and ".join(f"'{name}'" for name in columns)
    word, verb = ("column", "says") if len(columns) == 1 else ("columns", "say")
    meaning = ", ".join(f"{split} ({_names(of)})" for split, of in values.items())
    notes = [Note("S01", f"The {word} {column} {verb} the split of each row: {meaning}.")]
    if others := {v: n for v, n in counts.items() if not any(v in of for of in values.values())}:
        n = sum(others.values())
        text = f"{counted(n, 'row', 'have')} another value in the {word} {column}"
        left = f"({_names(others)}), and {agreeing(n, 'are')} left out."
        notes.append(Note("S01", f"{text} {left}", n_rows=n))
    divided = {s: [only(table, columns, of) for table in tables] for s, of in values.items()}
    return ByColumn(divided, tuple(notes))
