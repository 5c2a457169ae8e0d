"""How much two models' figures differ on the same rows, with intervals from a paired bootstrap.

Takes plain arrays; knows nothing of models, runs or class names.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from emolens.evaluation.gaps import Measured

_DRAWS = 2000
_AT_ONCE = 200  # draws; all of them together could take gigabytes
_LEVEL = 0.95
# Imagined rows that only one of the models gets right, as many for each model. Without them, two
# models with the same answers on a few rows would count as models that never differ. For accuracy
# they are for all rows together (after Agresti and Min, 2005), for F1 for each class.
# benchmarks/paired.py measures how often the intervals then contain the true difference.
_IMAGINED_IN_ALL = 0.5
_IMAGINED_PER_CLASS = 0.25


@dataclass(frozen=True)
class Differences:
    """The figures of the second model minus those of the first, each with its 95 % interval.

    f1: for each class; None for a class that no row has.
    """

    accuracy: Measured
    macro_f1: Measured
    f1: tuple[Measured | None, ...]


def differences(
    labels: np.ndarray, first: np.ndarray, second: np.ndarray, n_classes: int, *, seed: int = 0
) -> Differences:
    """Compare two models by their answers to the same rows.

    labels, first, second: (n,) class ids, n of 1 or more. Whole rows are drawn, so what is hard for
    both models cancels out. Each interval contains its difference, and the same seed gives the same
    intervals. If the models change places, only the signs change.
    """
    if second.tolist() < first.tolist():
        turned = differences(labels, second, first, n_classes, seed=seed)
        f1 = tuple(None if of_class is None else _minus(of_class) for of_class in turned.f1)
        return Differences(_minus(turned.accuracy), _minus(turned.macro_f1), f1)
    rng = np.random.default_rng(seed)
    cells, counts = np.unique(np.column_stack([labels, first, second]), axis=0, return_counts=True)
    present = np.flatnonzero(np.bincount(labels, minlength=n_classes))
    wrong = np.full_like(present, n_classes)  # an answer that is no class
    # Rows with the same label and answers are one cell: drawing its count is drawing its rows.
    imagined = [
        np.column_stack([present, present, wrong]),
        np.column_stack([present, wrong, present]),
    ]
    every = np.concatenate([cells, *imagined])
    more = np.full(2 * len(present), _IMAGINED_PER_CLASS)
    weights = np.concatenate([counts, more])
    shares = weights / weights.sum()
    drawn = np.concatenate(
        [
            _f1_gaps(rng.multinomial(len(labels), shares, size=_AT_ONCE), every, n_classes)
            for _ in range(_DRAWS // _AT_ONCE)
        ]
    )
    gaps = _f1_gaps(counts[None], cells, n_classes)[0]
    by_class = {c: _measured(gaps[c], drawn[:, c]) for c in present.tolist()}
    return Differences(
        accuracy=_accuracy(labels, first, second, rng),
        macro_f1=_measured(gaps[present].mean(), drawn[:, present].mean(axis=1)),
        f1=tuple(by_class.get(c) for c in range(n_classes)),
    )


def accuracy_difference(
    labels: np.ndarray, first: np.ndarray, second: np.ndarray, *, seed: int = 0
) -> Measured:
    """The accuracy of the second model minus that of the first, as `differences` measures it."""
    return _accuracy(labels, first, second, np.random.default_rng(seed))


def _minus(figure: Measured) -> Measured:
    return Measured(-figure.value, -figure.high, -figure.low)


def _accuracy(
    labels: np.ndarray, first: np.ndarray, second: np.ndarray, rng: np.random.Generator
) -> Measured:
    n, right = len(labels), (first == labels, second == labels)
    only = np.array([(right[0] & ~right[1]).sum(), (right[1] & ~right[0]).sum()])
    cells = np.append(only + _IMAGINED_IN_ALL, n - only.sum())
    drawn = rng.multinomial(n, cells / cells.sum(), size=_DRAWS)
    return _measured((only[1] - only[0]) / n, (drawn[:, 1] - drawn[:, 0]) / n)


def _f1_gaps(counts: np.ndarray, cells: np.ndarray, n_classes: int) -> np.ndarray:
    """(b, k): F1 of the second model minus that of the first; 0 for a class without rows.

    counts: (b, m) rows in each cell. cells: (m, 3) label, first and second answer; an answer of k
    is none of the classes.
    """
    label, *answers = np.eye(n_classes + 1)[cells.T][:, :, :n_classes]
    counts = counts.astype(np.float64)
    support = counts @ label
    first, second = (
        2 * (counts @ (label * answer)) / np.maximum(support + counts @ answer, 1)
        for answer in answers
    )
    return np.asarray(second - first)


def _measured(value: float, drawn: np.ndarray) -> Measured:
    low, high = np.quantile(drawn, [(1 - _LEVEL) / 2, (1 + _LEVEL) / 2])
    return Measured(float(value), min(float(low), float(value)), max(float(high), float(value)))
