"""The names of classes that a column gives as numbers. Knows no spellings."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from emolens.data.readers.columns import spelled
from emolens.data.readers.table import Table
from emolens.data.targets.cells import Atom, Cell, number_of
from emolens.data.targets.forms import Atoms, form_of
from emolens.data.targets.missing import is_missing_word
from emolens.data.targets.rows import Part
from emolens.data.targets.spelling import cleaned, folded
from emolens.errors import DataError, nearest

# What a column that names the classes is called, behind the name of the column of the numbers.
_BESIDE = ("{}_text", "{}_name", "{}_names", "{}_str", "{}_string", "text_{}", "name_of_{}")
_ALWAYS = ("label_text", "label_name", "class_name", "emotion_name", "category_name",
           "emotion", "class", "category", "sentiment")  # fmt: skip


@dataclass(frozen=True)
class Names:
    """Class names by number. origin: what they come from, for messages."""

    by_id: Mapping[int, str]
    origin: str = ""

    def __post_init__(self) -> None:
        if twice := [
            name for name, n in Counter(map(cleaned, self.by_id.values())).items() if n > 1
        ]:
            raise DataError(
                f"{self.origin} has two classes called '{twice[0]}'.",
                hint="Give each class a name of its own.",
            )

    @property
    def in_order(self) -> tuple[str, ...]:
        """The names in the order of their numbers."""
        return tuple(cleaned(self.by_id[number]) for number in sorted(self.by_id))

    def of(self, atom: Atom) -> str | None:
        """The class name that a label stands for; None for a number without a name."""
        if not self.by_id:
            return cleaned(str(atom))
        if isinstance(atom, str) and folded(atom) in {folded(name) for name in self.by_id.values()}:
            return cleaned(atom)
        number = number_of(atom)
        if number is None:
            return cleaned(str(atom))
        name = self.by_id.get(number) if isinstance(number, int) else None
        return None if name is None else cleaned(name)


def column_beside(table: Table, label: str) -> str | None:
    """The column that may name the classes of a column of numbers."""
    usual = (*(pattern.format(label) for pattern in _BESIDE), *_ALWAYS)
    columns = (spelled(table, name) for name in usual if name.lower() != label.lower())
    return next((column for column in columns if column), None)


def names_beside(
    parts: Sequence[Part], atoms: Mapping[Cell, Atoms], missing: Collection[Cell]
) -> dict[int, str]:
    """The names in the column beside; {} unless each number has one name, and each name one.

    atoms: the labels in each cell. A list of numbers has a list of names beside it.
    """
    rows = {
        row
        for part in parts
        for row in zip(part.cells, part.names, strict=False)
        if row[0] not in missing and not is_missing_word(row[1])
    }
    written: dict[Cell, Atoms] = {name: (str(name),) for _, name in rows}
    if any(len(of) != 1 for of in atoms.values()):
        written = form_of(Counter(name for _, name in rows)).atoms
    if any(len(atoms[cell]) != len(written[name]) for cell, name in rows):
        return {}
    pairs = {
        (number_of(number), cleaned(str(of_number)))
        for cell, name in rows
        for number, of_number in zip(atoms[cell], written[name], strict=True)
    }
    by_id = {number: name for number, name in pairs if isinstance(number, int)}
    names = {folded(name) for name in by_id.values()}
    one_each = len(pairs) == len(by_id) == len(names)
    return by_id if one_each and any(number_of(name) is None for name in by_id.values()) else {}


def in_use(names: Mapping[int, str], numbers: Collection[int]) -> dict[int, str]:
    """A list of k names for the k numbers of a column, in their order: 1 … k, or 0, 2, 5.

    A list counts from 0. If the column holds k other numbers, they can only be meant in order.
    """
    k = len(names)
    if set(names) == set(range(k)) and len(numbers) == k:
        return {number: names[place] for place, number in enumerate(sorted(numbers))}
    return dict(names)


def outside(where: str, atom: Atom, names: Names) -> DataError:
    """The error for a number that has no name."""
    return DataError(
        f"{where}: label {atom} is outside the {len(names.by_id)} classes.",
        hint=f"Name all classes with --class-names, or leave its rows out: --drop-classes {atom}",
    )


def unnamed(name: str, names: Names) -> DataError:
    """The error for a label that is not one of the class names."""
    return DataError(
        f"{names.origin}: '{name}' is not among the class names.",
        hint=nearest(name, names.in_order),
    )
