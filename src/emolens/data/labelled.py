"""Labelled: rows with labels, to measure a model with. Nothing is cut out of them for training.

Knows nothing of files, or of models.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from emolens.data.checks import Note, agreeing, counted
from emolens.data.dataset import TEST, Dataset, Split
from emolens.data.frames import tables_of
from emolens.data.readers.table import Table
from emolens.data.splitnames import SPLITS, canonical
from emolens.data.targets.options import AS_WRITTEN, LabelOptions
from emolens.data.targets.read import read_targets
from emolens.errors import DataError, UsageError, nearest
from emolens.labels import LabelSet
from emolens.shown import one_line

# The name of the rows where they are no split, or those of all splits.
WHOLE = "table"


@dataclass(frozen=True)
class Labelled:
    """Labelled rows.

    split: which of the splits they are, or 'table' for all rows. labels: their classes. numbers: of
    the rows in their file; () if they come from several files. unit: what the numbers count, 'row'
    or 'line'. notes: what was found out, guessed or left out while they were read.
    """

    name: str
    split: str
    labels: LabelSet
    rows: Split
    numbers: tuple[int, ...] = ()
    unit: str = "row"
    notes: tuple[Note, ...] = ()

    def __repr__(self) -> str:
        rows = f"{len(self.rows):,} rows of {self.split}"
        return one_line(self, repr(self.name), rows, f"{len(self.labels)} classes")

    def __len__(self) -> int:
        return len(self.rows)

    @classmethod
    def from_tables(
        cls,
        name: str,
        tables: Sequence[Table],
        *,
        columns: tuple[str, str],
        options: LabelOptions = AS_WRITTEN,
        split: str = WHOLE,
    ) -> Labelled:
        """The rows of tables. columns: of the texts, and of the labels, as in Dataset.

        Rows without a text or a label are left out and counted. Raises DataError.
        """
        targets = read_targets({split: tables}, columns, options, main=split)
        if not targets.texts[split]:
            raise DataError(
                f"{name} has no row with a text and a label of a class that is not left out.",
                hint="Name fewer classes with --drop-classes.",
            )
        read = [note for table in tables for note in table.notes]
        if n := targets.blank.get(split, 0):
            are = agreeing(n, "are")
            text = f"{counted(n, 'row', 'have')} no text and {are} left out."
            read.append(Note("T01", text, n_rows=n))
        return cls(
            name,
            split,
            targets.classes,
            Split(targets.texts[split], targets.labels[split]),
            targets.numbers[split] if len(tables) == 1 else (),
            tables[0].unit,
            tuple(dict.fromkeys((*read, *targets.notes))),
        )

    @classmethod
    def from_texts(
        cls,
        texts: Sequence[str | None],
        labels: Sequence[Any],
        *,
        class_names: Sequence[str] | None = None,
        name: str = "texts",
        **options: Any,
    ) -> Labelled:
        """n texts and their n labels, in any form that Dataset.from_texts takes."""
        names = {"label": class_names} if class_names is not None else {}
        tables = tables_of(name, {"text": texts, "label": labels}, splits=None, class_names=names)
        (rows,) = tables.values()
        return cls.from_tables(
            name, rows, columns=("text", "label"), options=LabelOptions(**options)
        )

    @classmethod
    def from_dataset(cls, dataset: Dataset, split: str = TEST) -> Labelled:
        """The rows of one split."""
        return cls(dataset.name, split, dataset.labels, dataset[split], notes=dataset.notes)


def chosen_split(
    name: str, tables: Mapping[str, Sequence[Table]], wanted: str | None
) -> tuple[str, Sequence[Table], list[Note]]:
    """The rows to measure with: those of the wanted split, else of test, else all; and a note.

    wanted: the name of a split, or 'all'. Raises UsageError for a split that is not there.
    """
    if wanted is not None and wanted != "all":
        split = canonical(wanted) or wanted
        if split not in tables:
            raise UsageError(
                f"{name} has no split '{wanted}'.", hint=nearest(wanted, [*tables, "all"])
            )
        return split, tables[split], []
    alone = wanted is not None or len(tables) == 1
    if wanted is None and TEST in tables:
        return TEST, tables[TEST], [] if alone else [_only_test(tables)]
    every = [table for split in SPLITS for table in tables.get(split, ())]
    text = f"The rows of {' and '.join(tables)} are used together: there is no test split."
    return WHOLE, every, [] if alone else [Note("S01", text, "For one of them: --split NAME")]


def _only_test(tables: Mapping[str, Sequence[Table]]) -> Note:
    others = [name for name in tables if name != TEST]
    return Note(
        "S01",
        f"Only the rows of test are used, not those of {' and '.join(others)}.",
        f"For others: --split {others[0]}, or --split all.",
    )
