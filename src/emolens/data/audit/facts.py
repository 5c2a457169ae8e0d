"""Facts: the texts and labels of a data set, and what several checks want to know of them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np

from emolens.data.audit.check import Place
from emolens.data.checks import Note
from emolens.data.cut import class_counts
from emolens.data.dataset import TRAIN, Dataset


@dataclass(frozen=True)
class Facts:
    """All that the checks look at.

    texts: by split. labels: by split, (n,) ids or (n, k) bool; empty if there are no labels. names:
    of the classes. blank: by split, how many rows were left out because they have no text.
    n_tokens: by split, (n,) token counts before a text is cut. unknown: by split, (n,) the share of
    tokens of each text that the encoder does not know. max_length: the encoder's limit.
    """

    texts: Mapping[str, Sequence[str]]
    labels: Mapping[str, np.ndarray] = field(default_factory=dict)
    names: tuple[str, ...] = ()
    columns: tuple[str, ...] = ()
    blank: Mapping[str, int] = field(default_factory=dict)
    notes: tuple[Note, ...] = ()
    n_tokens: Mapping[str, np.ndarray] | None = None
    unknown: Mapping[str, np.ndarray] | None = None
    max_length: int | None = None

    @classmethod
    def of(cls, dataset: Dataset, **tokens: Any) -> Facts:
        """The facts of a data set. tokens: `n_tokens`, `unknown` and `max_length`."""
        return cls(
            texts={name: split.texts for name, split in dataset.splits.items()},
            labels=dataset.y,
            names=dataset.labels.names,
            columns=dataset.columns,
            blank=dataset.blank,
            notes=dataset.notes,
            **tokens,
        )

    @property
    def n(self) -> int:
        """Rows with a text, in all splits."""
        return sum(map(len, self.texts.values()))

    @property
    def n_later(self) -> int:
        """Rows with a text in the splits other than train."""
        return self.n - len(self.texts.get(TRAIN, ()))

    @property
    def n_left_out(self) -> int:
        """Rows that were left out: without a text, without a label, or not readable."""
        noted = sum(note.n_rows for note in self.notes if note.code in ("R04", "L01"))
        return noted + sum(self.blank.values())

    def rows(self) -> Iterator[tuple[str, int, str]]:
        """Every row: its split, its number and its text."""
        for split, texts in self.texts.items():
            for row, text in enumerate(texts):
                yield split, row, text

    def classes_of(self, split: str, row: int) -> tuple[str, ...]:
        """The class names of a row: one, or with several labels a row any number."""
        labels = self.labels[split][row]
        if labels.ndim:
            return tuple(self.names[i] for i in np.flatnonzero(labels))
        return (self.names[int(labels)],)

    def label_of(self, split: str, row: int) -> str:
        """The class names of a row as one text."""
        return ", ".join(self.classes_of(split, row))

    def has_class(self, split: str, k: int) -> np.ndarray:
        """(n,) bool, the rows of class k."""
        labels = self.labels[split]
        return np.asarray(labels[:, k] if labels.ndim == 2 else labels == k)

    def counts(self, split: str) -> np.ndarray:
        """(k,) int64, the rows of each class."""
        return class_counts(self.labels[split], len(self.names))

    def token_figures(self, split: str) -> dict[str, Any]:
        """The figures about the tokens of a split, as both kinds of audit hold them."""
        figures: dict[str, Any] = {}
        if self.n_tokens is not None:
            n_tokens = self.n_tokens[split]
            figures["n_tokens"] = quantiles(n_tokens)
            if self.max_length is not None:
                figures["over_limit"] = int((n_tokens > self.max_length).sum())
        if self.unknown is not None and len(self.unknown[split]):
            figures["unknown"] = float(self.unknown[split].mean())
        return figures

    @cached_property
    def repeated(self) -> dict[str, list[Place]]:
        """The places of each text that occurs more than once."""
        places: dict[str, list[Place]] = defaultdict(list)
        for split, row, text in self.rows():
            places[text].append((split, row))
        return {text: rows for text, rows in places.items() if len(rows) > 1}

    @cached_property
    def contradicting(self) -> dict[str, list[Place]]:
        """The places of each text that occurs with different labels."""
        return {
            text: places
            for text, places in self.repeated.items()
            if len({self.labels[split][row].tobytes() for split, row in places}) > 1
        }

    @cached_property
    def leaked(self) -> list[Place]:
        """The rows of other splits whose text also occurs in train."""
        return [
            (split, row)
            for places in self.repeated.values()
            if any(split == TRAIN for split, _ in places)
            for split, row in places
            if split != TRAIN
        ]


def quantiles(values: np.ndarray) -> dict[str, float]:
    """Minimum, median, 95th percentile and maximum; zeros for no values."""
    shares = {"minimum": 0, "median": 50, "p95": 95, "maximum": 100}
    if not len(values):
        return dict.fromkeys(shares, 0.0)
    return dict(zip(shares, np.percentile(values, list(shares.values())).tolist(), strict=True))
