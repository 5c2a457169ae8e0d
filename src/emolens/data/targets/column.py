"""The label column over all splits: what its cells mean, in steps that each look at all rows.

First the missing labels, then the form, then the names of numbers, then the spellings.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

from emolens.data.readers.columns import label_columns
from emolens.data.targets.causes import check_classes, check_names, no_labels
from emolens.data.targets.cells import Atom, Cell, number_of
from emolens.data.targets.forms import Atoms, Form, form_of
from emolens.data.targets.missing import USUAL, is_missing_word, missing_cells, unlabelled_numbers
from emolens.data.targets.names import Names, in_use, names_beside, outside, unnamed
from emolens.data.targets.options import LabelOptions
from emolens.data.targets.rows import Part
from emolens.data.targets.spelling import folded, spellings, unquoted
from emolens.labels import LabelSet

Classes = tuple[str, ...]
_NUMBER = re.compile(r"-?\d+(\.\d+)?")


@dataclass(frozen=True, repr=False)
class Column:
    """The cells of a label column in the training split and in the others.

    beside: the column that may name the classes of numbers.
    """

    train: Sequence[Part]
    others: Sequence[Part]
    options: LabelOptions
    beside: str | None = None

    @property
    def parts(self) -> tuple[Part, ...]:
        """The tables of all splits, those of the training split first."""
        return (*self.train, *self.others)

    @cached_property
    def missing(self) -> set[Cell]:
        """The cells that hold no label."""
        missing = missing_cells(_sum(self.parts), self.options.missing_words)
        if self.options.missing_words is None:
            named = any(self._given(part).by_id for part in self.parts)
            counts = _sum(self.train), [part.counts for part in self.others]
            missing |= unlabelled_numbers(*counts, missing=missing, named=named)
        return missing

    @cached_property
    def form(self) -> Form:
        """How the cells are written. Raises DataError for a column that holds no classes."""
        first = self.train[0]
        counts = {cell: n for cell, n in _sum(self.parts).items() if cell not in self.missing}
        names = self._given(first).in_order
        form = form_of(counts, separator=self.options.separator, names=names)
        if len(label_columns(first.table, first.label)) > 1:
            return Form(form.atoms, "in several columns")
        check_names(first, self._atoms(self.train, form))
        if not any(len(atoms) != 1 for atoms in form.atoms.values()):
            check_classes(first, self._atoms(self.train, form))
        return form

    @cached_property
    def names_beside(self) -> dict[int, str]:
        """The names of numbers in the column beside; {} if it names nothing."""
        return names_beside(self.parts, self.form.atoms, self.missing) if self.beside else {}

    @cached_property
    def labels(self) -> LabelSet:
        """The classes of the training split; in the order of their numbers, if they have any."""
        names = self.names(self.train[0])
        if all(cell in self.missing for part in self.train for cell in part.counts):
            raise no_labels(self.train[0])
        present = {
            name
            for part in self.train
            for classes in self.classes(part).values()
            for name in classes
        }
        if names.by_id:
            known = dict.fromkeys(self._spelled(name) for name in names.in_order)
            if unknown := sorted(present.difference(known)):
                raise unnamed(unknown[0], names)
            # A source may name classes that no row has; a model can't learn them.
            return LabelSet(tuple(name for name in known if name in present))
        if all(map(_NUMBER.fullmatch, present)):
            return LabelSet(tuple(sorted(present, key=float)))
        return LabelSet.ordered(present)

    @property
    def given_names(self) -> dict[int, str]:
        """The names of numbers that the user or the file gives, as they are given."""
        return dict(self._given(self.train[0]).by_id)

    def names(self, part: Part) -> Names:
        """The names of the numbers in one table."""
        given = self._given(part)
        if self.options.names_by_id:
            numbers = {number_of(atom) for atom in self._atoms(self.parts, self.form)}
            whole = {number for number in numbers if isinstance(number, int)}
            return Names(in_use(given.by_id, whole), given.origin)
        if given.by_id or not self.names_beside:
            return given
        return Names(self.names_beside, f"The column '{self.beside}'")

    def classes(self, part: Part) -> dict[Cell, Classes]:
        """What each cell of a table stands for. A cell without a label is not there."""
        named = self._named(part)
        return {
            cell: tuple(dict.fromkeys(map(self._spelled, names))) for cell, names in named.items()
        }

    def merged(self) -> dict[str, Counter[str]]:
        """The spellings of each class that has several, with their rows."""
        groups: dict[str, Counter[str]] = {}
        for part in self.parts:
            for atom, n in self._atoms([part], self.form).items():
                if isinstance(atom, str) and (name := self._spelling.get(folded(atom))):
                    groups.setdefault(name, Counter())[atom] += n
        return {name: counts for name, counts in groups.items() if len(counts) > 1}

    @property
    def quoted(self) -> list[str]:
        """The labels that stand in quotes, as they are written."""
        names = [str(atom).strip() for atom in self._atoms(self.parts, self.form)]
        return [name for name in names if unquoted(name) != name]

    @property
    def never_dropped(self) -> list[str]:
        """The classes to leave out that no row has, in small letters."""
        known = {folded(str(atom)) for atom in self._atoms(self.parts, self.form)}
        known |= {folded(name) for name in self.names(self.train[0]).by_id.values()}
        whole = {name for name in self.options.dropped if "," in name}
        return [] if whole & known else sorted(self.options.dropped - known - whole)

    @property
    def never_missing(self) -> list[str]:
        """The words for a missing label that no row has, in small letters."""
        labels = {*self._atoms(self.parts, self.form), *self.missing}
        known = {"", *(folded(str(label)) for label in labels if label is not None)}
        return sorted((self.options.missing_words or frozenset()) - known)

    @cached_property
    def _spelling(self) -> dict[str, str]:
        """The class name by its folded form: the most frequent spelling in train."""
        counts: Counter[str] = Counter()
        for part in self.train:
            for cell, names in self._named(part).items():
                for name in names:
                    counts[name] += part.counts[cell]
        return spellings(counts, self.names(self.train[0]).in_order)

    def _spelled(self, name: str) -> str:
        return self._spelling.get(folded(name), name)

    def _given(self, part: Part) -> Names:
        """The names that the user or the file gives."""
        if self.options.names_by_id:
            return Names(self.options.names_by_id, "The option --class-names")
        column, *_ = label_columns(part.table, part.label)
        return Names(
            dict(enumerate(part.table.class_names.get(column, ()))), str(part.table.origin)
        )

    def _named(self, part: Part) -> dict[Cell, Classes]:
        """The class names of each cell, as they are spelled; without those to leave out."""
        names, named = self.names(part), {}
        for cell in part.counts:
            if cell in self.missing:
                continue
            atoms = self._kept(self.form.atoms[cell])
            classes = [(atom, names.of(atom)) for atom in atoms]
            for atom, name in classes:
                if name is None:
                    raise outside(part.first({cell}), atom, names)
            kept = [name for _, name in classes if name and not self._dropped(name)]
            if kept or not self.form.atoms[cell]:
                named[cell] = tuple(kept)
        return named

    def _kept(self, atoms: Atoms) -> list[Atom]:
        words = self.options.missing_words or USUAL
        several = len(atoms) > 1
        return [
            atom
            for atom in atoms
            if not self._dropped(str(atom)) and not (several and is_missing_word(atom, words))
        ]

    def _dropped(self, name: str) -> bool:
        return folded(name) in self.options.dropped

    def _atoms(self, parts: Iterable[Part], form: Form) -> Counter[Atom]:
        """Rows by label."""
        counts: Counter[Atom] = Counter()
        for part in parts:
            for cell, n in part.counts.items():
                for atom in form.atoms.get(cell, ()):
                    counts[atom] += n
        return counts


def _sum(parts: Iterable[Part]) -> Counter[Cell]:
    counts: Counter[Cell] = Counter()
    for part in parts:
        counts.update(part.counts)
    return counts
