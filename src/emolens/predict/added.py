"""The columns that predicting adds to a table, and what happens if it has such columns already."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import count, takewhile

from emolens.data.checks import Note
from emolens.data.readers.table import Row, Table
from emolens.errors import DataError, some_of
from emolens.labels import LabelSet
from emolens.predict.classifier import Prediction
from emolens.predict.writers.layout import Kind

ERROR = "error"
_FIRST = ("emotion", "probability", "unsure")


@dataclass(frozen=True)
class Added:
    """The new columns of a table.

    names: with the types of their values. replaced: the columns of the table that they replace:
    answers of an earlier call. notes: what is said about these.
    """

    names: dict[str, Kind]
    replaced: tuple[str, ...]
    notes: tuple[Note, ...]


def added_columns(table: Table, labels: LabelSet, *, prefix: str, errors: bool) -> Added:
    """The columns for these classes; DataError if the table has other columns of such names.

    prefix: what each name begins with. errors: whether there is a column for rows that could not be
    read.
    """
    names: dict[str, Kind] = {
        f"{prefix}emotion": str,
        f"{prefix}probability": float,
        f"{prefix}unsure": bool,
        **{f"{prefix}p_{name}": float for name in labels.names},
    }
    earlier = _earlier_answers(table, prefix)
    replaced = [name for name in earlier if name in (*names, f"{prefix}{ERROR}")]
    if errors:
        names[f"{prefix}{ERROR}"] = str
    taken = [name for name in _taken(table, names) if name not in replaced]
    if taken:
        raise DataError(
            f"{table.origin} already has a column '{taken[0]}'; the answers need this name.",
            hint="Let the names of the new columns begin with something else: --prefix"
            f" {_free_prefix(table, names, prefix)}",
        )
    stale = [name for name in earlier if name not in replaced]
    return Added(names, tuple(replaced), tuple(_notes(replaced, stale)))


def values_of(answer: Prediction, prefix: str) -> Row:
    """The values that an answer adds to a row; for a blank text all but `unsure` are None."""
    return {
        f"{prefix}emotion": answer.label,
        f"{prefix}probability": _rounded(answer.probability),
        f"{prefix}unsure": answer.unsure,
        **{f"{prefix}p_{name}": _rounded(p) for name, p in answer.probabilities.items()},
    }


def _rounded(probability: float | None) -> float | None:
    return None if probability is None else round(probability, 4)


def _earlier_answers(table: Table, prefix: str) -> list[str]:
    """The columns that an earlier call has added, if they stand as it has written them."""
    first = [f"{prefix}{name}" for name in _FIRST]
    columns = list(table.columns)
    places = [i for i, name in enumerate(columns) if columns[i : i + len(first)] == first]
    if not places:
        return []
    rest = columns[places[0] + len(first) :]
    by_class = list(takewhile(lambda name: name.startswith(f"{prefix}p_"), rest))
    error = [name for name in rest[len(by_class) :][:1] if name == f"{prefix}{ERROR}"]
    return [*first, *by_class, *error] if by_class else []


def _taken(table: Table, names: Iterable[str]) -> list[str]:
    there = {*table.columns, *(title.strip() for title in table.titles)}
    return [name for name in names if name in there]


def _free_prefix(table: Table, names: Iterable[str], prefix: str) -> str:
    bare = [name.removeprefix(prefix) for name in names]
    candidates = ("new_" if n == 1 else f"new{n}_" for n in count(1))
    return next(c for c in candidates if not _taken(table, [f"{c}{name}" for name in bare]))


def _notes(replaced: list[str], stale: list[str]) -> Iterable[Note]:
    if replaced:
        yield Note(
            "R05",
            "The table has been predicted before; the new answers replace the columns"
            f" {some_of(replaced)}.",
            "To keep both, add --prefix new_.",
        )
    if stale:
        yield Note(
            "R05", f"The model has no such classes, so these columns stay: {some_of(stale)}."
        )
