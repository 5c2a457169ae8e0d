"""Remedies for classes of unequal size, for training rows only. Knows nothing of texts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np

from emolens.errors import UsageError, nearest
from emolens.shown import one_line

Method = Literal["none", "class-weights", "oversample", "undersample"]


@dataclass(frozen=True)
class Balance:
    """Which training rows to learn from, and how much each class weighs.

    rows: (m,) indices, repeated ones included. class_weights: (k,) float64, of mean 1 over the
    training rows.
    """

    rows: np.ndarray
    class_weights: np.ndarray

    def __repr__(self) -> str:
        weights = ", ".join(f"{weight:.3g}" for weight in self.class_weights)
        return one_line(self, f"{len(self.rows):,} rows", f"class weights {weights}")

    @classmethod
    def as_is(cls, n_rows: int, n_classes: int) -> Balance:
        """Every row once, every class at the same weight."""
        return cls(np.arange(n_rows), np.ones(n_classes))


def balance(labels: np.ndarray, n_classes: int, *, method: str, seed: int) -> Balance:
    """Choose rows and class weights for labels of shape (n,).

    class-weights: n / (k · count), as scikit-learn's 'balanced' (King and Zeng, 2001).
    oversample: every class is repeated at random up to the largest; undersample: cut at random
    down to the smallest. none: every row once. UsageError for another name.
    """
    if method not in get_args(Method):
        raise UsageError(
            f"There is no remedy '{method}' for classes of unequal size.",
            hint=nearest(method, get_args(Method)),
        )
    n = len(labels)
    as_is = Balance.as_is(n, n_classes)
    rows, weights = as_is.rows, as_is.class_weights
    counts = np.bincount(labels, minlength=n_classes)
    present = counts > 0
    if method == "class-weights":
        weights = np.where(present, n / (present.sum() * np.maximum(counts, 1)), 0.0)
    elif method in ("oversample", "undersample"):
        rng = np.random.default_rng(seed)
        target = counts.max() if method == "oversample" else counts[present].min()
        rows = np.sort(
            np.concatenate(
                [_draw(np.flatnonzero(labels == k), target, rng) for k in np.flatnonzero(present)]
            )
        )
    return Balance(rows, weights)


def _draw(rows: np.ndarray, target: int, rng: np.random.Generator) -> np.ndarray:
    """`target` of `rows`: each row once before any is repeated."""
    whole, rest = divmod(int(target), len(rows))
    return np.concatenate([np.tile(rows, whole), rng.choice(rows, rest, replace=False)])
