"""Figures with intervals, from which classes rows have and which classes are answered.

Takes plain arrays; knows nothing of models or texts.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from emolens.evaluation.gaps import Measured
from emolens.evaluation.intervals import intervals, wilson
from emolens.evaluation.metrics import summary
from emolens.judge.report import ClassFigures


def share(n_right: int, n: int) -> Measured:
    """n_right of n rows, with Wilson's interval. n: 1 or more."""
    return Measured(n_right / n, *wilson(n_right / n, n))


def one_class_figures(matrix: np.ndarray) -> dict[str, Measured]:
    """Accuracy, macro-F1 and weighted F1 of a (k, k) confusion matrix."""
    ends = intervals(matrix)
    return {name: Measured(float(value), *ends[name]) for name, value in summary(matrix).items()}


def several_class_figures(truth: np.ndarray, answers: np.ndarray) -> dict[str, Measured]:
    """Exact matches, and micro-, macro- and weighted F1. Both arrays are (n, k) bool.

    The averages are over the classes that have rows. Each row moves an average a little; the sum of
    the squares of these moves is the variance of the average. The interval is Wilson's, for the
    number of rows with which a share would vary as much.
    """
    n = len(truth)
    both, either = (truth & answers).astype(float), truth.astype(float) + answers
    support, sizes = truth.sum(axis=0), either.sum(axis=0)
    f1 = 2 * both.sum(axis=0) / np.maximum(sizes, 1)
    moves = (2 * both - f1 * either) / np.maximum(sizes, 1)
    present = support > 0
    averages = {
        "micro_f1": sizes / max(sizes.sum(), 1),
        "macro_f1": present / max(present.sum(), 1),
        "weighted_f1": support / max(support.sum(), 1),
    }
    figures = {"exact_match": share(int((truth == answers).all(axis=1).sum()), n)}
    for name, weights in averages.items():
        value, spread = float(f1 @ weights), float(((moves @ weights) ** 2).sum())
        rows = value * (1 - value) / spread if spread > 0 else n
        figures[name] = Measured(value, *wilson(value, min(max(rows, 1.0), n)))
    return figures


def class_figures(
    truth: np.ndarray, answers: np.ndarray, names: Sequence[str]
) -> dict[str, ClassFigures]:
    """The figures of each class. Both arrays are (n, k) bool."""
    both, support, given = ((a).sum(axis=0).tolist() for a in (truth & answers, truth, answers))
    return {
        name: ClassFigures(
            precision=both[i] / max(given[i], 1),
            recall=both[i] / max(support[i], 1),
            f1=_f1(both[i], support[i] + given[i] - both[i]),
            n=support[i],
            answers=given[i],
        )
        for i, name in enumerate(names)
    }


def _f1(n_both: int, n_either: int) -> Measured:
    """F1 of one class, with an interval.

    n_both: rows that have the class and are answered with it. n_either: rows of which one is true.
    F1 is 2 s / (1 + s) of the share s = n_both / n_either, so the ends of its interval follow from
    those of the share.
    """
    if not n_either:
        return Measured(0.0, 0.0, 1.0)
    of_rows = share(n_both, n_either)
    return Measured(*(2 * s / (1 + s) for s in (of_rows.value, of_rows.low, of_rows.high)))
