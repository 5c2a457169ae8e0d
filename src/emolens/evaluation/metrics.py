"""Figures from labels and predictions. Takes plain arrays; knows nothing of models or intervals."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from emolens.evaluation.gaps import Measured


@dataclass(frozen=True)
class Comparison:
    """Two models on the same rows: McNemar's exact test.

    only_first, only_second: how many rows only that model gets right. p_value: two-sided.
    difference: the accuracy of the second minus that of the first; None if it was not measured.
    """

    first: str
    second: str
    only_first: int
    only_second: int
    p_value: float
    difference: Measured | None = None


def confusion(labels: np.ndarray, predictions: np.ndarray, n_classes: int) -> np.ndarray:
    """(k, k) int64: one row for each true class, one column for each predicted class."""
    return np.bincount(labels * n_classes + predictions, minlength=n_classes**2).reshape(
        n_classes, n_classes
    )


def summary(matrices: np.ndarray) -> dict[str, np.ndarray]:
    """Accuracy, macro-F1 and weighted F1 of (..., k, k) confusion matrices; each (...,).

    The macro average is over the classes that have rows, as scikit-learn's f1_score computes it
    with these classes as `labels`. A row that is answered with another class is still an error.
    """
    hits = np.diagonal(matrices, axis1=-2, axis2=-1).astype(np.float64)
    support, predicted = matrices.sum(axis=-1), matrices.sum(axis=-2)
    f1 = 2 * hits / np.maximum(support + predicted, 1)
    total, present = np.maximum(support.sum(axis=-1), 1), support > 0
    return {
        "accuracy": hits.sum(axis=-1) / total,
        "macro_f1": (f1 * present).sum(axis=-1) / np.maximum(present.sum(axis=-1), 1),
        "weighted_f1": (f1 * support).sum(axis=-1) / total,
    }


def per_class(matrix: np.ndarray, names: tuple[str, ...]) -> dict[str, dict[str, int | float]]:
    """Precision, recall, F1 and support by class name; 0 where the divisor is 0."""
    hits = np.diag(matrix).astype(np.float64)
    support, predicted = matrix.sum(axis=1), matrix.sum(axis=0)
    figures = {
        "precision": hits / np.maximum(predicted, 1),
        "recall": hits / np.maximum(support, 1),
        "f1": 2 * hits / np.maximum(support + predicted, 1),
        "support": support,
    }
    return {
        name: {figure: values[i].item() for figure, values in figures.items()}
        for i, name in enumerate(names)
    }


def mcnemar(
    labels: np.ndarray, first: np.ndarray, second: np.ndarray, *, names: tuple[str, str]
) -> Comparison:
    """Test whether two models' errors on the same rows differ by more than chance (McNemar, 1947).

    The test looks at the rows that only one of them gets right. Without a difference between the
    models, each such row is right with either one as often as a fair coin shows heads.
    """
    from scipy.stats import binomtest

    only_first = int(((first == labels) & (second != labels)).sum())
    only_second = int(((second == labels) & (first != labels)).sum())
    n = only_first + only_second
    p_value = float(binomtest(only_first, n).pvalue) if n else 1.0
    return Comparison(*names, only_first, only_second, p_value)
