"""The errors about columns of texts and labels, each with its true cause."""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from operator import eq

from emolens.data.checks import counted
from emolens.data.targets.cells import Atom, Cell, number_of
from emolens.data.targets.options import typed
from emolens.data.targets.rows import Part, unreadable_note
from emolens.data.targets.spelling import folded
from emolens.errors import DataError, nearest, some_of

_MANY = 20  # different values; a column of classes may have as many in a small table


def check_names(part: Part, counts: Mapping[Atom, int]) -> None:
    """Raise DataError for a column of objects and lists that give no names. Arguments as below."""
    rows = sum(counts.values())
    others = {str(label): n for label, n in counts.items() if str(label).startswith(("{", "["))}
    if sum(others.values()) > rows / 2:
        example = next(iter(others))
        what = "objects" if example[0] == "{" else "lists inside of lists"
        raise DataError(
            f"{part.table.origin}: the column '{part.label}' holds {what}, such as"
            f" {example[:80]}. They are not classes.",
            hint="Write the names of the classes into a column of their own, and name it with"
            " --label.",
        )


def check_classes(part: Part, counts: Mapping[Atom, int]) -> None:
    """Raise DataError for a column of measured values, or one with a label of its own in each row.

    part: a table of the training split. counts: rows by label.
    """
    rows, different = sum(counts.values()), len({folded(str(label)) for label in counts})
    if different < _MANY:
        return
    numbers = [number_of(str(label).replace(",", ".")) for label in counts]
    measured = all(n is not None for n in numbers) and any(isinstance(n, float) for n in numbers)
    if not measured and different <= rows / 2:
        return
    what = "measured values" if measured else "a name or number for each row"
    if sum(map(eq, part.texts, part.cells)) > rows / 2:
        what = "the texts"
    example = next(iter(counts))
    raise DataError(
        f"{part.table.origin}: the column '{part.label}' holds {different:,} different labels in"
        f" {rows:,} rows (such as '{str(example)[:40]}'). It seems to hold {what}, not classes.",
        hint=f"Name the column of the classes with --label. The columns are:"
        f" {some_of(part.table.columns)}.",
    )


def unknown_class(
    part: Part, classes: Mapping[Cell, Sequence[str]], *, split: Set[str], known: Sequence[str]
) -> DataError:
    """The error for classes that another split has and the training split has not.

    part: the first table with such a class. classes: of its cells. split: all classes of its split.
    """
    unknown = sorted(split - set(known))
    cells = {cell for cell, names in classes.items() if not set(names) <= set(known)}
    rows = sum(part.counts[cell] for cell in cells)
    where = part.first(cells)
    if split.isdisjoint(known):
        return DataError(
            f"{where}: the training split has none of the classes of this split: it has"
            f" {some_of(known)}, and here are {some_of(unknown)}.",
            hint="Write the same labels into both. If one has names and the other numbers, name"
            " the numbers in their order: --class-names FILE, with one name per line.",
        )
    dropped = typed(unknown)
    one = len(unknown) == 1
    what = f"class '{unknown[0]}' does" if one else f"the classes {some_of(unknown)} do"
    return DataError(
        f"{where}: {what} not occur in the training split ({counted(rows, 'row', 'have')}"
        f" {'it' if one else 'one of them'}).",
        hint=f"To leave out {'its' if one else 'their'} rows: --drop-classes {dropped}."
        f" {nearest(unknown[0], known)}"
        if dropped
        else f"Give these rows other labels. {nearest(unknown[0], known)}",
    )


class NoTextError(DataError):
    """A column of texts that holds none."""


def no_texts(name: object) -> NoTextError:
    """The error for a table without any text. name: of the table."""
    return NoTextError(f"{name} has no row with a text.", hint="Check the column with --text.")


class NoLabelError(DataError):
    """Rows with texts of which none has a label."""


def no_labels(part: Part) -> DataError:
    """The error for a split without any label. part: its first table."""
    if part.unreadable and not part.texts:
        return DataError(
            unreadable_note(part.table, part.unreadable).text,
            hint="Put a text that holds the delimiter into double quotes.",
        )
    if not part.texts:
        return no_texts(part.table.origin)
    return NoLabelError(
        f"{part.table.origin} has no row with a label in the column '{part.label}'.",
        hint=f"Name another column with --label. The columns are: {some_of(part.table.columns)}.",
    )
