"""Says why a label column can't be one, and which classes look like something else."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from emolens.data.targets.cells import Atom, Cell, number_of
from emolens.data.targets.rows import Part
from emolens.errors import DataError, nearest, some_of

_MANY = 20  # different values; a column of classes may have as many in a small table


def check_classes(part: Part, counts: Mapping[Atom, int]) -> None:
    """Raise DataError for a column of measured values, or one with a label of its own in each row.

    part: a table of the training split. counts: rows by label.
    """
    rows, different = sum(counts.values()), len(counts)
    if different < _MANY:
        return
    numbers = [number_of(str(label).replace(",", ".")) for label in counts]
    measured = all(n is not None for n in numbers) and any(isinstance(n, float) for n in numbers)
    if not measured and different <= rows / 2:
        return
    what = "measured values" if measured else "a name or number for each row"
    example = next(iter(counts))
    raise DataError(
        f"{part.table.origin}: the column '{part.label}' holds {different:,} different labels in"
        f" {rows:,} rows (such as '{str(example)[:40]}'). It seems to hold {what}, not classes.",
        hint=f"Name the column of the classes with --label. The columns are:"
        f" {some_of(part.table.columns)}.",
    )


def unknown_class(
    part: Part, classes: Mapping[Cell, Sequence[str]], known: Sequence[str]
) -> DataError:
    """The error for a class that a table of another split has and the training split has not."""
    cells = {cell for cell, names in classes.items() if not set(names) <= set(known)}
    name = next(name for cell in cells for name in classes[cell] if name not in known)
    rows = sum(part.counts[cell] for cell in cells if name in classes[cell])
    where = part.first({cell for cell in cells if name in classes[cell]})
    word = f'"{name}"' if not name.isalnum() else name
    return DataError(
        f"{where}: class '{name}' does not occur in the training split"
        f" ({rows:,} {'row has' if rows == 1 else 'rows have'} it).",
        hint=f"To leave out its rows: --drop-classes {word}. {nearest(name, known)}",
    )


def no_labels(part: Part) -> DataError:
    """The error for a training split without any label. part: its first table."""
    return DataError(
        f"{part.table.origin} has no row with a label in the column '{part.label}'.",
        hint=f"Name another column with --label. The columns are: {some_of(part.table.columns)}.",
    )
