"""Confidence intervals of accuracy, macro-F1 and weighted F1, from a confusion matrix alone.

By formula: no resampling and no seed. Knows nothing of models, splits or class names.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np

from emolens.evaluation.metrics import summary
from emolens.evaluation.student import student_quantile

# The number of imagined rows, with the average rate of errors, that are added to each class.
# Without them, a class of a few rows without errors would count as a class that never has errors.
PRIOR_ROWS = 2.0


@dataclass(frozen=True)
class _Uncertainty:
    """The uncertainty of one figure. rows: the effective number of rows. error: the standard error.

    bias_given, bias_drawn: how far the figure is off on average, if class sizes are given or drawn.
    """

    rows: float
    error: float
    bias_given: float
    bias_drawn: float


def intervals(matrix: np.ndarray, *, level: float = 0.95) -> dict[str, tuple[float, float]]:
    """An interval (low, high) for each figure that summary gives of a (k, k) confusion matrix.

    Accuracy has Wilson's score interval (1927). An F1 figure has the same interval with an
    effective number of rows: the number with which a share of right rows would vary as much as the
    figure does. Surveys use the same idea (Korn and Graubard, 1998).

    F1 of few rows also has a bias. It is one if the class sizes are given, and another if they are
    drawn together with the rows. A matrix does not show which is the case, so the interval covers
    both. It contains its figure, lies within 0 and 1, and is always wider than 0.
    benchmarks/intervals.py measures how often it contains the true figure.
    """
    figures = {name: float(value) for name, value in summary(matrix).items()}
    bounds = {"accuracy": wilson(figures["accuracy"], float(matrix.sum()), level=level)}
    for name, of_f1 in _f1_uncertainty(matrix).items():
        distance = abs(of_f1.bias_given - of_f1.bias_drawn) / of_f1.error
        ends = [figures[name]]
        for bias in (of_f1.bias_given, of_f1.bias_drawn):
            center = min(max(figures[name] - bias, 0.0), 1.0)
            ends += wilson(center, of_f1.rows, level=_level_of_each(level, distance))
        bounds[name] = (min(ends), max(ends))
    return bounds


def _level_of_each(level: float, distance: float) -> float:
    """The level of each of two intervals that together span an interval of `level`.

    distance: between their centers, in standard errors. If the truth is one center, the end beyond
    the other center hardly ever misses it. The near end may therefore miss more often: by half of
    what the far end misses less. All of it (Imbens and Manski, 2004) is for known centers; these
    are estimates.
    """
    normal, misses = NormalDist(), 1 - level
    far = normal.cdf(-normal.inv_cdf(1 - misses / 2) - distance)
    return 1 - 2 * (misses / 2 + (misses / 2 - far) / 2)


def wilson(share: float, n_rows: float, *, level: float = 0.95) -> tuple[float, float]:
    """Wilson's score interval (low, high) of a share of n_rows rows; n_rows may be a fraction.

    It uses Student's quantile for n_rows in place of the normal one. With the normal one, and 6
    rows with a true share of .97, the interval contains that share in only 83 % of all cases.
    """
    z2 = student_quantile((1 + level) / 2, n_rows) ** 2
    middle = n_rows * share + z2 / 2
    half = math.sqrt(z2 * (n_rows * share * (1 - share) + z2 / 4))
    low, high = (middle - half) / (n_rows + z2), (middle + half) / (n_rows + z2)
    # For a share of 0 or 1, one bound is the share itself; rounding could put it beside the share.
    return max(min(low, share), 0.0), min(max(high, share), 1.0)


def _f1_uncertainty(matrix: np.ndarray) -> dict[str, _Uncertainty]:
    """By the delta method: the first order gives rows and error, the second order the biases."""
    answers, support = smoothed(matrix), matrix.sum(axis=1).astype(np.float64)
    cells, n_rows, present = support[:, None] * answers, support.sum(), support > 0
    recall, predicted = np.diag(answers), cells.sum(axis=0)
    both = support + predicted
    f1 = 2 * support * recall / both
    macro, weighted = present / present.sum(), support / n_rows
    variance = (cells * (1 - answers)).sum(axis=0)  # of predicted, if sizes are given
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
    """The effective number of rows, and the standard error, of the average of f1 with `weight`.

    gain: (k,), what one more row of a class adds to the average because the class weighs more.
    """
    value = weight @ f1
    if len(cells) == 1:  # one class alone can't be confused with another
        return float(cells.sum()), math.sqrt(value * (1 - value) / cells.sum())
    both = cells.sum(axis=0) + cells.sum(axis=1)
    cost = weight * f1 / both
    adds = np.diag(2 * weight / both) - cost + (gain - cost)[:, None]
    variance = (cells * (adds - np.average(adds, weights=cells)) ** 2).sum()
    return float(value * (1 - value) / variance), math.sqrt(variance)


def smoothed(matrix: np.ndarray) -> np.ndarray:
    """(k, k): the share of each answer among the rows of each class, with PRIOR_ROWS added.

    The added rows are wrong as often as all rows together. Their wrong answers are spread over the
    classes as the wrong answers of all rows are.
    """
    hits, support, n_rows = np.diag(matrix), matrix.sum(axis=1), matrix.sum()
    error = (n_rows - hits.sum() + 1) / (n_rows + 2)
    mistaken = matrix.sum(axis=0) - hits + 1 / len(matrix)
    mistaken = mistaken / mistaken.sum()
    pooled = error * mistaken / np.maximum(1 - mistaken, 1e-9)[:, None]
    np.fill_diagonal(pooled, 1 - error)
    return np.asarray((matrix + PRIOR_ROWS * pooled) / (support + PRIOR_ROWS)[:, None])
