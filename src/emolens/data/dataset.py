"""Dataset: labelled texts by split. Knows nothing of where they come from."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from emolens.errors import DataError, UsageError
from emolens.labels import LabelSet
from emolens.shown import html_table, one_line
from emolens.store import fingerprint

if TYPE_CHECKING:
    import pandas as pd

TRAIN, VALIDATION, TEST = "train", "validation", "test"
SPLITS = (TRAIN, VALIDATION, TEST)


@dataclass(frozen=True)
class Split:
    """The rows of one split: `texts` and, as ids of the LabelSet, `labels` of shape (n,) int64."""

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

    columns: the column names of the source, the texts' and labels' first.
    """

    name: str
    labels: LabelSet
    splits: dict[str, Split]
    columns: tuple[str, ...] = ("text", "label")

    def __post_init__(self) -> None:
        if len(self.labels) < 2:
            only = ", ".join(self.labels.names) or "none"
            raise DataError(
                f"{self.name} has one class only ({only}); there is nothing to tell apart.",
                hint="Choose another label column with --label, or add rows of another class.",
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
    def y(self) -> dict[str, np.ndarray]:
        """Class ids by split, each (n,) int64."""
        return {name: split.labels for name, split in self.splits.items()}

    @property
    def features(self) -> dict[str, str]:
        """What the two columns that are used hold, written as `datasets` does."""
        names = ", ".join(repr(name) for name in self.labels.names)
        text, label = self.columns[:2]
        return {text: "Value('string')", label: f"ClassLabel(names=[{names}])"}

    @cached_property
    def fingerprint(self) -> str:
        """A name for the content: the same texts, labels and splits give the same one."""
        parts: list[object] = [list(self.labels.names)]
        for name, split in self.splits.items():
            parts += [name, list(split.texts), split.labels]
        return fingerprint(*parts)

    def counts(self, split: str) -> np.ndarray:
        """Rows by class in one split: (k,) int64."""
        return np.bincount(self.splits[split].labels, minlength=len(self.labels))

    def to_pandas(self, split: str | None = None) -> pd.DataFrame:
        """A frame of `text` and `label`, a categorical of the class names in their order.

        split: the rows of this one only; without it, all rows and a column `split`.
        """
        import pandas as pd

        names = [split] if split is not None else list(self.splits)
        rows = [self.splits[name] for name in names]
        ids = np.concatenate([part.labels for part in rows])
        frame = pd.DataFrame({"text": [text for part in rows for text in part.texts]}, dtype=object)
        frame["label"] = pd.Categorical.from_codes(ids, categories=list(self.labels.names))
        if split is None:
            frame["split"] = np.repeat(names, [len(part) for part in rows]).astype(object)
        return frame

    def head(self, n: int = 5, *, split: str = TRAIN) -> list[dict[str, object]]:
        """The first rows with `text`, `label` and the readable `label_name`."""
        return self._shown(split, range(min(n, len(self.splits[split]))))

    def one_of_each(self, *, split: str = TRAIN) -> list[dict[str, object]]:
        """The first row of each class, in the order of the classes, as head gives them."""
        _, first = np.unique(self.splits[split].labels, return_index=True)
        return self._shown(split, first)

    def _shown(self, split: str, rows: Iterable[int]) -> list[dict[str, object]]:
        texts, labels = self.splits[split].texts, self.splits[split].labels.tolist()
        return [
            {
                "text": texts[row],
                "label": labels[row],
                "label_name": self.labels.names[labels[row]],
            }
            for row in rows
        ]

    def limited(self, limit: int, *, seed: int) -> Dataset:
        """At most `limit` rows a split, drawn by class share with every class kept in train."""
        if limit < len(self.labels):
            raise UsageError(
                f"A limit of {limit} rows a split can't keep the {len(self.labels)} classes.",
                hint=f"Give a limit of {len(self.labels)} or more.",
            )
        rng = np.random.default_rng(seed)
        splits = {
            name: split.take(_stratified_rows(split.labels, limit, rng))
            for name, split in self.splits.items()
        }
        return replace(self, splits=splits)


def split_by_label(
    rows: Split, shares: tuple[float, float, float], *, seed: int
) -> dict[str, Split]:
    """Cut one table into train, validation and test by class share, seeded.

    Rows with equal texts go to the same side, with the label of the first of them deciding the
    class they are counted under; otherwise a repeated text would be trained on and tested on.
    """
    rng = np.random.default_rng(seed)
    groups: dict[str, list[int]] = {}
    for row, text in enumerate(rows.texts):
        groups.setdefault(text, []).append(row)
    members = list(groups.values())
    group_labels = np.array([rows.labels[group[0]] for group in members])
    side = np.zeros(len(members), dtype=np.int64)
    for label in np.unique(group_labels):
        of_class = rng.permutation(np.flatnonzero(group_labels == label))
        edges = np.round(np.cumsum(shares)[:2] / sum(shares) * len(of_class)).astype(int)
        # At least one row of every class is there to learn from.
        first, second = max(int(edges[0]), 1), max(int(edges[1]), 1)
        side[of_class[first:second]] = 1
        side[of_class[second:]] = 2
    taken = [
        np.array(sorted(r for g in np.flatnonzero(side == s) for r in members[g]), dtype=np.int64)
        for s in range(3)
    ]
    return {name: rows.take(indices) for name, indices in zip(SPLITS, taken, strict=True)}


def _stratified_rows(labels: np.ndarray, limit: int, rng: np.random.Generator) -> np.ndarray:
    if len(labels) <= limit:
        return np.arange(len(labels))
    shuffled = rng.permutation(len(labels))
    # Ranks within a class, as shares of it: taking the smallest keeps the shares of the classes
    # and takes the first row of each class before the second of any.
    share = np.empty(len(labels))
    for label in np.unique(labels):
        of_class = shuffled[labels[shuffled] == label]
        share[of_class] = np.arange(len(of_class)) / len(of_class)
    return np.sort(np.lexsort((shuffled, share))[:limit])
