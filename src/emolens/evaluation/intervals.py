"""How sure one can be of accuracy, macro-F1 and weighted F1, from a confusion matrix alone.

Closed form: no resampling and no seed. Knows nothing of models, splits or class names.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np

from emolens.evaluation.metrics import summary

# So many rows, answered as rows are on average, join those of each class. Without them a class
# without errors would count as known to be without errors.
_PRIOR_ROWS = 2.0


@dataclass(frozen=True)
class _Uncertainty:
    """Of one figure: the rows that stand for the real ones, its standard error, and how far it is
    off on average, with class sizes that are given or drawn.
    """

    rows: float
    error: float
    bias_given: float
    bias_drawn: float


def intervals(matrix: np.ndarray, *, level: float = 0.95) -> dict[str, tuple[float, float]]:
    """An interval (low, high) for each figure that summary gives of a (k, k) confusion matrix.

    Accuracy has Wilson's score interval (1927). The F1 figures have the same, with an effective
    number of rows: with so many rows, right or wrong independently, a share would vary as much as
    the figure does. Surveys are treated like this (Korn and Graubard, 1998).

    F1 of few rows is also off on average: by one amount if the sizes of the classes are given, by
    another if they are drawn together with the rows. A matrix does not tell which is the case, so
    the interval allows for both. It contains its figure, lies within 0 and 1, and always has a
    width. benchmarks/intervals.py measures how often it contains the true figure.
    """
    figures = {name: float(value) for name, value in summary(matrix).items()}
    bounds = {"accuracy": wilson(figures["accuracy"], float(matrix.sum()), level=level)}
    for name, known in _f1_uncertainty(matrix).items():
        apart = abs(known.bias_given - known.bias_drawn) / known.error
        ends = [figures[name]]
        for bias in (known.bias_given, known.bias_drawn):
            center = min(max(figures[name] - bias, 0.0), 1.0)
            ends += wilson(center, known.rows, level=_level_of_each(level, apart))
        bounds[name] = (min(ends), max(ends))
    return bounds


def _level_of_each(level: float, apart: float) -> float:
    """The level of two intervals, their centers `apart` standard errors, that span one of `level`.

    A truth at one center is hardly ever missed to the side of the other. Half of what is saved
    there is spent on the near side. Imbens and Manski (2004) spend all of it, on centers that are
    known; these are estimates, and then too little was covered (benchmarks/RESULTS.md).
    """
    normal, misses = NormalDist(), 1 - level
    far = normal.cdf(-normal.inv_cdf(1 - misses / 2) - apart)
    return 1 - 2 * (misses / 2 + (misses / 2 - far) / 2)


def wilson(share: float, n_rows: float, *, level: float = 0.95) -> tuple[float, float]:
    """Wilson's score interval (low, high) of a share of n_rows rows; n_rows may be a fraction.

    With Student's quantile for n_rows in place of the normal one: of 6 rows with a true share of
    .97, Wilson's own interval contains it in 83 % of all cases only.
    """
    from scipy.special import stdtrit

    z2 = float(stdtrit(n_rows, (1 + level) / 2)) ** 2
    middle = n_rows * share + z2 / 2
    half = math.sqrt(z2 * (n_rows * share * (1 - share) + z2 / 4))
    low, high = (middle - half) / (n_rows + z2), (middle + half) / (n_rows + z2)
    # For a share of 0 or 1 one bound is the share itself, which rounding may miss.
    return max(min(low, share), 0.0), min(max(high, share), 1.0)


def _f1_uncertainty(matrix: np.ndarray) -> dict[str, _Uncertainty]:
    """By the delta method: the first order gives the rows, the second the biases."""
    answers, support = _smoothed(matrix), matrix.sum(axis=1).astype(np.float64)
    cells, n_rows, present = support[:, None] * answers, support.sum(), support > 0
    recall, predicted = np.diag(answers), cells.sum(axis=0)
    both = support + predicted
    f1 = 2 * support * recall / both
    macro, weighted = present / present.sum(), support / n_rows
    variance = (cells * (1 - answers)).sum(axis=0)  # of predicted, sizes given
    given = f1 * (variance - both * (1 - recall)) / both**2
    return {
        "macro_f1": _Uncertainty(
            *_rows_and_error(cells, macro, f1, np.zeros_like(f1)),
            float(macro @ given),
            -float(macro @ (f1 * (1 - f1) / both)),
        ),
        "weighted_f1": _Uncertainty(
            *_rows_and_error(cells, weighted, f1, f1 / n_rows),
            float(weighted @ given),
            float((f1 * (2 - f1) * (predicted - support) / both).sum() / (2 * n_rows)),
        ),
    }


def _rows_and_error(
    cells: np.ndarray, weight: np.ndarray, f1: np.ndarray, gain: np.ndarray
) -> tuple[float, float]:
    """How many right-or-wrong rows vary as the average of f1 by weight does, and how much that is.

    gain: (k,), what one more row of a class adds to the average by raising the class's weight.
    """
    value = weight @ f1
    if len(cells) == 1:  # one class alone can't be mistaken
        return float(cells.sum()), math.sqrt(value * (1 - value) / cells.sum())
    both = cells.sum(axis=0) + cells.sum(axis=1)
    cost = weight * f1 / both
    adds = np.diag(2 * weight / both) - cost + (gain - cost)[:, None]
    variance = (cells * (adds - np.average(adds, weights=cells)) ** 2).sum()
    return float(value * (1 - value) / variance), math.sqrt(variance)


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
