"""How sure one can be of accuracy, macro-F1 and weighted F1, from a confusion matrix alone.

Closed form: no resampling and no seed. Knows nothing of models, splits or class names.
"""

from __future__ import annotations

import math
from statistics import NormalDist

import numpy as np

from emolens.evaluation.metrics import summary

# So many rows, answered as rows are on average, join those of each class. Without them a class
# without errors would count as known to be without errors.
_PRIOR_ROWS = 1.0


def intervals(matrix: np.ndarray, *, level: float = 0.95) -> dict[str, tuple[float, float]]:
    """An interval (low, high) for each figure that summary gives of a (k, k) confusion matrix.

    The class sizes count as fixed, and what the model answers for a row as random. Accuracy has
    Wilson's score interval (1927). The F1 figures have the same, with an effective number of rows
    in place of the real one: with so many rows, right or wrong independently, a share would vary
    as much as the figure does. Surveys are treated like this (Korn and Graubard, 1998). An
    interval contains its figure, lies within 0 and 1 and is never of width 0.
    """
    n_rows = {"accuracy": float(matrix.sum()), **_effective_rows(matrix)}
    return {
        name: wilson(float(value), n_rows[name], level=level)
        for name, value in summary(matrix).items()
    }


def wilson(share: float, n_rows: float, *, level: float = 0.95) -> tuple[float, float]:
    """Wilson's score interval (low, high) of a share of n_rows rows; n_rows may be a fraction."""
    z = NormalDist().inv_cdf((1 + level) / 2)
    middle = n_rows * share + z**2 / 2
    half = z * math.sqrt(n_rows * share * (1 - share) + z**2 / 4)
    low, high = (middle - half) / (n_rows + z**2), (middle + half) / (n_rows + z**2)
    # For a share of 0 or 1 one bound is the share itself, which rounding may miss.
    return max(min(low, share), 0.0), min(max(high, share), 1.0)


def _effective_rows(matrix: np.ndarray) -> dict[str, float]:
    """The number of rows that stands for the real one, for both F1 figures."""
    support = matrix.sum(axis=1)
    present, share = support > 0, support / support.sum()
    answers = _smoothed(matrix)
    both = share + share @ answers  # of a class: true plus predicted, as a share of all rows
    f1 = 2 * share * np.diag(answers) / both
    rows = {}
    for name, weight in (("macro_f1", present / present.sum()), ("weighted_f1", share)):
        # Delta method: what one more answer j to a row of class i adds to the figure.
        adds = np.diag(2 * weight / both) - weight * f1 / both
        mean, square = (answers * adds).sum(axis=1), (answers * adds**2).sum(axis=1)
        variance, value = share @ (square - mean**2), weight @ f1
        rows[name] = float(support.sum() * value * (1 - value) / variance)
    return rows


def _smoothed(matrix: np.ndarray) -> np.ndarray:
    """(k, k): how often each answer follows each class, drawn a little towards all classes' way.

    That way is: as often wrong as all rows together, and then with the answers that are wrong
    most often.
    """
    hits, support, n_rows = np.diag(matrix), matrix.sum(axis=1), matrix.sum()
    error = (n_rows - hits.sum() + 1) / (n_rows + 2)
    mistaken = matrix.sum(axis=0) - hits + 1 / len(matrix)
    mistaken = mistaken / mistaken.sum()
    pooled = error * mistaken / np.maximum(1 - mistaken, 1e-9)[:, None]
    np.fill_diagonal(pooled, 1 - error)
    return np.asarray((matrix + _PRIOR_ROWS * pooled) / (support + _PRIOR_ROWS)[:, None])
