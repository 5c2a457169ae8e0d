"""Methods against classes of unequal size, for training rows only. Knows nothing of texts."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal, get_args

import numpy as np

from emolens.errors import UsageError, nearest
from emolens.shown import one_line

Method = Literal["none", "class-weights", "root-weights", "oversample", "undersample"]


@dataclass(frozen=True)
class Balance:
    """Which training rows to learn from, and the weight of each class.

    rows: (m,) indices; a row may occur several times. class_weights: (k,) float64, with mean 1 over
    the training rows.
    """

    rows: np.ndarray
    class_weights: np.ndarray

    def __repr__(self) -> str:
        weights = ", ".join(f"{weight:.3g}" for weight in self.class_weights)
        return one_line(self, f"{len(self.rows):,} rows", f"class weights {weights}")

    @classmethod
    def as_is(cls, n_rows: int, n_classes: int) -> Balance:
        """Every row once, and every class with weight 1."""
        return cls(np.arange(n_rows), np.ones(n_classes))


def balance(labels: np.ndarray, n_classes: int, *, method: str, seed: int) -> Balance:
    """Choose rows and class weights for labels of shape (n,).

    class-weights: n / (k · count), as scikit-learn's 'balanced' (King and Zeng, 2001).
    root-weights: their square roots, so that small classes count more, but not as much as large
    ones.
    oversample: random rows of every class are repeated, up to the size of the largest class.
    undersample: random rows are dropped, down to the size of the smallest. none: every row once.
    UsageError for another name.
    """
    if method not in get_args(Method):
        raise UsageError(
            f"There is no method '{method}' to balance classes.",
            hint=nearest(method, get_args(Method)),
        )
    every_row = Balance.as_is(len(labels), n_classes)
    if method == "none":
        return every_row
    counts = np.bincount(labels, minlength=n_classes)
    present = np.flatnonzero(counts)
    if method in ("class-weights", "root-weights"):
        power = 1.0 if method == "class-weights" else 0.5
        weights = np.zeros(n_classes)
        weights[present] = counts[present] ** -power
        weights *= len(labels) / (weights * counts).sum()
        return replace(every_row, class_weights=weights)
    n = counts.max() if method == "oversample" else counts[present].min()
    rng = np.random.default_rng(seed)
    drawn = [_draw(np.flatnonzero(labels == k), n, rng) for k in present]
    return replace(every_row, rows=np.sort(np.concatenate(drawn)))


def _draw(rows: np.ndarray, target: int, rng: np.random.Generator) -> np.ndarray:
    """`target` of `rows`: no row is repeated before every row is drawn once."""
    whole, rest = divmod(int(target), len(rows))
    return np.concatenate([np.tile(rows, whole), rng.choice(rows, rest, replace=False)])
