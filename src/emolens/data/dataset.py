"""Dataset: labelled texts by split. Knows nothing of files or the Hub."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from emolens.data.checks import Note, agreeing
from emolens.data.cut import class_counts, rows_by_side, stratified_rows
from emolens.data.frames import category_name, category_names, numbered_rows, tables_of, values_of
from emolens.data.readers.columns import choose_column, label_columns
from emolens.data.readers.table import Table, distinct, table_of_rows
from emolens.data.splitnames import SPLIT_COLUMNS, words_of
from emolens.data.splitnames import SPLITS as SPLITS  # noqa: PLC0414 - for users of Dataset
from emolens.data.splitnames import TEST as TEST  # noqa: PLC0414
from emolens.data.splitnames import TRAIN as TRAIN  # noqa: PLC0414
from emolens.data.splitnames import VALIDATION as VALIDATION  # noqa: PLC0414
from emolens.data.targets.names import column_beside
from emolens.data.targets.options import AS_WRITTEN, LabelOptions
from emolens.data.targets.read import read_targets
from emolens.data.targets.rows import chosen_labels
from emolens.errors import DataError, UsageError, nearest
from emolens.labels import LabelSet
from emolens.shown import html_table, one_line
from emolens.store import fingerprint

if TYPE_CHECKING:
    import pandas as pd

SHARES = (0.8, 0.1, 0.1)  # of the splits that one table is cut into
SEED = 42


@dataclass(frozen=True)
class Split:
    """The rows of one split: `texts`, and `labels`, their class ids as (n,) int64.

    With several labels per row, `labels` is (n, k) bool: whether the row has the class.
    """

    texts: tuple[str, ...]
    labels: np.ndarray

    def __repr__(self) -> str:
        return one_line(self, f"{len(self):,} texts")

    def _repr_html_(self) -> str:
        rows = zip(self.texts, self.labels.tolist(), strict=True)
        return html_table(self, ("text", "label"), rows)

    def __len__(self) -> int:
        return len(self.texts)

    def take(self, rows: np.ndarray) -> Split:
        """The rows at these indices, in this order."""
        return Split(tuple(self.texts[row] for row in rows), self.labels[rows])


@dataclass(frozen=True)
class Dataset:
    """Labelled texts by split, in the order train, validation, test.

    columns: the column names of the source, beginning with those of the texts and the labels.
    blank: by split of the source, the number of rows that were left out because they have no text.
    notes: what was found out, guessed, changed or left out while the data was read. commit: which
    state of a data set on the Hub this is.
    """

    name: str
    labels: LabelSet
    splits: dict[str, Split]
    columns: tuple[str, ...] = ("text", "label")
    blank: dict[str, int] = field(default_factory=dict)
    notes: tuple[Note, ...] = ()
    commit: str | None = None

    def __post_init__(self) -> None:
        if len(self.labels) < 2:
            only = ", ".join(self.labels.names) or "none"
            raise DataError(
                f"{self.name} has one class only ({only}); a classifier needs two or more.",
                hint="Choose another label column with --label, or add rows of another class.",
            )

    @classmethod
    def from_tables(
        cls,
        name: str,
        tables: Mapping[str, Sequence[Table]],
        *,
        columns: tuple[str, str] = ("text", "label"),
        options: LabelOptions = AS_WRITTEN,
        shares: tuple[float, float, float] = SHARES,
        seed: int = SEED,
    ) -> Dataset:
        """The rows of tables, by split. Missing splits are cut out of train by `shares`.

        columns: of the texts and of the labels; with commas between them, several columns that
        hold a 0 or a 1 for each class. options: how to read the labels.

        Rows without a text or a label are left out. Raises DataError that names the table and the
        row.
        """
        targets = read_targets(tables, columns, options)
        labels = targets.classes
        splits = {s: Split(texts, targets.labels[s]) for s, texts in targets.texts.items()}
        splits = _completed(name, splits, shares, seed, notes=targets.notes)
        if absent := np.flatnonzero(class_counts(splits[TRAIN].labels, len(labels)) == 0).tolist():
            names = ", ".join(labels.names[i] for i in absent)
            raise DataError(
                f"{name}: the training split has no row of: {names}.",
                hint="Add rows of it, or leave the class out.",
            )
        first, of_labels = tables[TRAIN][0], label_columns(tables[TRAIN][0], columns[1])
        own = (choose_column(first, "text", columns[0]), ",".join(of_labels))
        others = (column for column in first.columns if column not in (own[0], *of_labels))
        read = [note for parts in tables.values() for table in parts for note in table.notes]
        absent_splits = [split for split in SPLITS if split not in targets.texts]
        notes = tuple(dict.fromkeys((*read, *targets.notes, *_cut(absent_splits, seed))))
        return cls(name, labels, splits, (*own, *others), targets.blank, notes)

    @classmethod
    def from_texts(
        cls,
        texts: Sequence[str | None],
        labels: Sequence[Any],
        *,
        splits: Sequence[str] | None = None,
        class_names: Sequence[str] | None = None,
        name: str = "texts",
        seed: int = SEED,
        **options: Any,
    ) -> Dataset:
        """n texts and their n labels: class names, or ids that count the `class_names` from 0.

        A label may be written in any form that a file may have, such as a list of names for several
        labels per row. Rows without a label are left out, and `notes` counts them. options: how to
        read labels, as in load_dataset: missing, drop_classes, label_separator, strict.

        splits: the split of each row (train, validation or dev, test). Missing splits are cut out
        of train, as in load_dataset. Raises DataError.
        """
        columns = {"text": texts, "label": labels}
        names = {"label": class_names} if class_names is not None else {}
        tables = tables_of(name, columns, splits=splits, class_names=names)
        return cls.from_tables(name, tables, options=LabelOptions(**options), seed=seed)

    @classmethod
    def from_pandas(
        cls,
        frame: pd.DataFrame,
        *,
        text: str | int | None = None,
        label: str | int | Sequence[str | int] | None = None,
        split: str | None = None,
        name: str = "frame",
        seed: int = SEED,
        **options: Any,
    ) -> Dataset:
        """The rows of a frame.

        text, label: column names; without them, columns with the usual names are used, as in files.
        label may be several names, each for a column of 0 and 1. split:
        the column with the split of each row. Without it, the frame is cut at random, even if it
        has such a column: for a frame of to_pandas, give split="split". A categorical label
        column keeps the order of its categories. options: how to read labels, as in load_dataset.
        Raises DataError.
        """
        titles = tuple(map(str, frame.columns))
        header = replace(table_of_rows(name, distinct(titles), []), titles=titles)
        text = choose_column(header, "text", None if text is None else str(text))
        if label is not None and not isinstance(label, str):
            label = ",".join(map(str, label if isinstance(label, Sequence) else [label]))
        marked: list[Note] = []
        if not label:
            label, marked = chosen_labels(numbered_rows(header, frame), text)
        labels = label_columns(header, label)
        if split is not None and split not in header.columns:
            raise DataError(f"{name} has no column '{split}'.", hint=nearest(split, header.columns))
        column = {key: frame.iloc[:, place] for place, key in enumerate(header.columns)}
        names: dict[str, Sequence[str]] = {}
        for key in labels:
            categories = getattr(column[key].dtype, "categories", None)
            if categories is not None:  # a category 2 is the name "2", not the third class
                column[key] = column[key].astype(object).map(category_name, na_action="ignore")
                names[key] = category_names(categories)
        beside = filter(None, [column_beside(header, key) for key in labels])
        tables = tables_of(
            name,
            {key: values_of(column[key]) for key in dict.fromkeys((text, *labels, *beside))},
            splits=None if split is None else values_of(column[split]),
            class_names=names,
        )
        dataset = cls.from_tables(
            name,
            tables,
            columns=(text, ",".join(labels)),
            options=LabelOptions(**options),
            seed=seed,
        )
        others = (column for column in header.columns if column not in (text, *labels))
        notes = (*marked, *(() if split else _unused_splits(header.columns)))
        return replace(
            dataset, columns=(*dataset.columns[:2], *others), notes=(*notes, *dataset.notes)
        )

    def check_one_class(self) -> None:
        """Raise DataError if a row may have several labels: models learn one class per row."""
        if self.multi_label:
            several = sum(int((y.sum(axis=1) > 1).sum()) for y in self.y.values())
            raise DataError(
                f"{self.name} has several labels in {several:,} of {len(self):,} rows, and emolens"
                " can't learn several labels per row yet.",
                hint="emolens inspect shows the data. To learn from it, name a column with one"
                " class per row: --label COLUMN",
            )

    def __repr__(self) -> str:
        sizes = (f"{split} {size:,}" for split, size in self.sizes.items())
        return one_line(self, repr(self.name), f"{len(self.labels)} classes", *sizes)

    def _repr_html_(self) -> str:
        counts = [self.counts(split).tolist() for split in self.splits]
        rows = zip(self.labels.names, *counts, strict=True)
        return html_table(self, ("class", *self.splits), rows)

    def __getitem__(self, split: str) -> Split:
        return self.splits[split]

    def __len__(self) -> int:
        return sum(len(split) for split in self.splits.values())

    @property
    def sizes(self) -> dict[str, int]:
        """Rows by split."""
        return {name: len(split) for name, split in self.splits.items()}

    @property
    def multi_label(self) -> bool:
        """Whether a row may have several labels."""
        return any(split.labels.ndim > 1 for split in self.splits.values())

    @property
    def y(self) -> dict[str, np.ndarray]:
        """Class ids by split, each (n,) int64; with several labels per row, each (n, k) bool."""
        return {name: split.labels for name, split in self.splits.items()}

    @property
    def features(self) -> dict[str, str]:
        """The types of the text and label columns, in the notation of `datasets`."""
        names = ", ".join(repr(name) for name in self.labels.names)
        text, label = self.columns[:2]
        one = f"ClassLabel(names=[{names}])"
        return {text: "Value('string')", label: f"List({one})" if self.multi_label else one}

    @cached_property
    def fingerprint(self) -> str:
        """A short hash of the content: the same texts, labels and splits give the same one."""
        parts: list[object] = [list(self.labels.names)]
        for name, split in self.splits.items():
            parts += [name, list(split.texts), split.labels]
        if self.blank:  # the audit counts them
            parts.append(self.blank)
        return fingerprint(*parts)

    def counts(self, split: str) -> np.ndarray:
        """Rows by class in one split: (k,) int64. A row with several labels counts for each."""
        return class_counts(self.splits[split].labels, len(self.labels))

    def to_pandas(self, split: str | None = None) -> pd.DataFrame:
        """A frame with the columns `text` and `label`.

        `label` holds class names, as a categorical; with several labels per row, lists of names.
        split: only the rows of this split. Without it: all rows, and a column `split`.
        """
        import pandas as pd

        names = [split] if split is not None else list(self.splits)
        rows = [self.splits[name] for name in names]
        ids = np.concatenate([part.labels for part in rows])
        frame = pd.DataFrame({"text": [text for part in rows for text in part.texts]}, dtype=object)
        if self.multi_label:
            frame["label"] = pd.Series(list(map(self.names_of, ids)), dtype=object)
        else:
            frame["label"] = pd.Categorical.from_codes(ids, categories=list(self.labels.names))
        if split is None:
            frame["split"] = np.repeat(names, [len(part) for part in rows]).astype(object)
        return frame

    def names_of(self, marks: np.ndarray) -> list[str]:
        """The class names of one row with several labels. marks: (k,) bool."""
        return [self.labels.names[i] for i in np.flatnonzero(marks)]

    def head(self, n: int = 5, *, split: str = TRAIN) -> list[dict[str, object]]:
        """The first rows, each with `text`, `label` (the class id) and `label_name`.

        With several labels per row, `label` is a list of ids and `label_name` their names.
        """
        return self._rows(split, range(min(n, len(self.splits[split]))))

    def one_of_each(self) -> list[dict[str, object]]:
        """The first row of each class in train, in the order of the classes, as in head."""
        labels = self.splits[TRAIN].labels
        if self.multi_label:
            return self._rows(TRAIN, [int(np.flatnonzero(marks)[0]) for marks in labels.T])
        _, first = np.unique(labels, return_index=True)
        return self._rows(TRAIN, first)

    def _rows(self, split: str, rows: Iterable[int]) -> list[dict[str, object]]:
        part = self.splits[split]
        return [{"text": part.texts[i], **self._label(part.labels[i])} for i in rows]

    def _label(self, label: np.ndarray) -> dict[str, object]:
        if label.ndim:
            ids, names = np.flatnonzero(label).tolist(), ", ".join(self.names_of(label))
            return {"label": ids, "label_name": names}
        return {"label": int(label), "label_name": self.labels.names[int(label)]}

    def limited(self, limit: int, *, seed: int = SEED, splits: Sequence[str] = SPLITS) -> Dataset:
        """At most `limit` rows of each of `splits`, with all classes and the shares of each."""
        if limit < len(self.labels):
            raise UsageError(
                f"A limit of {limit} rows per split can't keep the {len(self.labels)} classes.",
                hint=f"Give a limit of {len(self.labels)} or more.",
            )
        rng = np.random.default_rng(seed)
        whole = {name: part for name, part in self.splits.items() if name in splits}
        parts = {n: p.take(stratified_rows(p.labels, limit, rng)) for n, p in whole.items()}
        return replace(self, splits=self.splits | parts)


def split_by_label(rows: Split, shares: Sequence[float], *, seed: int) -> dict[str, Split]:
    """Cut the rows into train, validation and test, with these shares of every class."""
    taken = rows_by_side(rows.texts, rows.labels, shares, seed=seed)
    return {name: rows.take(indices) for name, indices in zip(SPLITS, taken, strict=True)}


def _unused_splits(columns: Iterable[str]) -> tuple[Note, ...]:
    """What is to be said about columns of a frame that seem to hold the split of each row."""
    names = (name for name in columns if not SPLIT_COLUMNS.isdisjoint(words_of(name)))
    hint = 'To take the splits from it: split="{}"'
    return tuple(
        Note("S01", f"The column '{name}' is not used.", hint.format(name)) for name in names
    )


def _cut(absent: Sequence[str], seed: int) -> list[Note]:
    """What is to be said about the splits that are cut out of train."""
    verb = agreeing(len(absent), "are")
    text = f"{' and '.join(absent)} {verb} cut out of train at random, with seed {seed}."
    return [Note("S01", text)] if absent else []


def _completed(
    name: str,
    splits: dict[str, Split],
    shares: tuple[float, float, float],
    seed: int,
    *,
    notes: Sequence[Note],
) -> dict[str, Split]:
    """Cut the splits that are absent out of the training rows."""
    absent = [split for split in (VALIDATION, TEST) if split not in splits]
    if absent:
        new = (TRAIN, *absent)
        wanted = [share * (name in new) for name, share in zip(SPLITS, shares, strict=True)]
        cut = split_by_label(splits[TRAIN], wanted, seed=seed)
        splits = splits | {split: cut[split] for split in new}
    for split in SPLITS:
        if not len(splits[split]):
            raise _too_few(name, split, splits, notes)
    return {split: splits[split] for split in SPLITS}


def _too_few(name: str, empty: str, splits: dict[str, Split], notes: Sequence[Note]) -> DataError:
    texts = [text for split in splits.values() for text in split.texts]
    different = len(set(texts))
    if different <= len(texts) / 2:
        return DataError(
            f"{name} has {len(texts):,} rows, but only {different} different"
            f" {'text' if different == 1 else 'texts'}, and equal texts stay in the same split.",
            hint="Give rows with different texts, or name the column of the texts with --text.",
        )
    without = [note for note in notes if note.code == "L01"]
    if sum(note.n_rows for note in without) > len(texts):
        return DataError(
            f"{name} has too few rows for a {empty} split: {without[0].text}",
            hint="Write a label into each row, also where only the first row of a group has one,"
            " as in merged cells.",
        )
    return DataError(
        f"{name} has too few rows for a {empty} split.",
        hint="Give more rows: ten or more of every class.",
    )
