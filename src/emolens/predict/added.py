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
_SETS = "prediction_set"
_LAST = (_SETS, ERROR)
# The columns before those of the classes, with --answer-all and without.
_ALL: dict[str, Kind] = {"emotion": str, "probability": float, "unsure": bool}
_SURE: dict[str, Kind] = {
    **{"emotion": str, "best_guess": str, "probability": float, "unsure": bool, "reason": str}
}


@dataclass(frozen=True)
class Added:
    """The new columns of a table.

    prefix: what each name begins with. names: with the types of their values. replaced: the columns
    of the table that they replace: answers of an earlier call. notes: what is said about these.
    """

    prefix: str
    names: dict[str, Kind]
    replaced: tuple[str, ...]
    notes: tuple[Note, ...]


def added_columns(
    table: Table, labels: LabelSet, *, prefix: str, answer_all: bool, sets: bool, errors: bool
) -> Added:
    """The columns for these classes; DataError if the table has other columns of such names.

    prefix: what each name begins with. answer_all: whether unsure texts get an answer like all
    others. sets: whether there are prediction sets. errors: whether there is a column for rows that
    could not be read.
    """
    bare = {**(_ALL if answer_all else _SURE), **{f"p_{name}": float for name in labels.names}}
    if sets:
        bare[_SETS] = str
    names = {f"{prefix}{name}": kind for name, kind in bare.items()}
    earlier = _earlier_answers(table, prefix)
    of_answers = [f"{prefix}{name}" for name in (*_SURE, *_LAST)]
    replaced = [name for name in earlier if name in (*names, *of_answers)]
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
    return Added(prefix, names, tuple(replaced), tuple(_notes(replaced, stale)))


def values_of(answer: Prediction, added: Added, error: str | None) -> Row:
    """The values of the new columns for an answer. error: why the row could not be read."""
    values = {
        "emotion": answer.label,
        "best_guess": answer.best_guess,
        "probability": _rounded(answer.probability),
        "unsure": answer.unsure,
        "reason": answer.reason,
        **{f"p_{name}": _rounded(p) for name, p in answer.probabilities.items()},
        _SETS: ", ".join(answer.prediction_set or ()) or None,
        ERROR: error,
    }
    return {name: values[name.removeprefix(added.prefix)] for name in added.names}


def _rounded(probability: float | None) -> float | None:
    return None if probability is None else round(probability, 4)


def _earlier_answers(table: Table, prefix: str) -> list[str]:
    """The columns that an earlier call has added, if they stand as it has written them."""
    columns = list(table.columns)
    last = [f"{prefix}{name}" for name in _LAST]
    for first in ([f"{prefix}{name}" for name in names] for names in (_SURE, _ALL)):
        places = [i for i in range(len(columns)) if columns[i : i + len(first)] == first]
        rest = columns[places[0] + len(first) :] if places else []
        by_class = list(takewhile(lambda name: name.startswith(f"{prefix}p_"), rest))
        if by_class:
            after = takewhile(lambda name: name in last, rest[len(by_class) :])
            return [*first, *by_class, *after]
    return []


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
