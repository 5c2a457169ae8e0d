"""Measures how far the scores of a model can be trusted, on rows that took no part in a choice.

Takes logits and labels of validation; knows nothing of models, epochs or files.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from emolens.calibration import (
    CONFIDENCE,
    FEWEST_ANSWERED,
    N_SHARES,
    PROMISES,
    Calibration,
    Promise,
)
from emolens.data.cut import one_class_each
from emolens.decide import ONE_CLASS, Decision
from emolens.errors import require

# With fewer rows of validation, a part of them would be too small to choose or to calibrate with.
ENOUGH = 1000
N_FOLDS = 5
# Thresholds are found for these; of other promises the next higher one is taken.
_RIGHTS = (*(round(0.5 + 0.01 * i, 2) for i in range(50)), 0.995)
_N_TESTS = 25  # for each level (benchmarks/RESULTS.md)
_LARGEST = 20.0  # temperature, and its inverse: only a damaged model needs more
# Choosing rows, calibrating rows.
Part = tuple[np.ndarray, np.ndarray]


@dataclass(frozen=True)
class HeldOut:
    """Rows of validation with the logits of a candidate that other rows have chosen.

    rows: (m,) their numbers. logits: (m, k). folds: in how many parts they were held out.
    """

    rows: np.ndarray
    logits: np.ndarray
    folds: int


def parts(labels: np.ndarray) -> list[Part]:
    """Which rows of validation choose, and which ones calibrate: the same for every model.

    With 1,000 rows or more, one half of each class chooses and the other half calibrates. With
    fewer, each fifth calibrates once, and the other rows choose. labels: (n,) ids or (n, k) bool.
    """
    # Classes count in the order of their first rows, so that their ids do not decide the parts.
    _, firsts, labels = np.unique(one_class_each(labels), return_index=True, return_inverse=True)
    n_parts = 2 if len(labels) >= ENOUGH else N_FOLDS
    shuffled = np.random.default_rng(0).permutation(len(labels))
    fold = np.empty(len(labels), dtype=np.int64)
    # Rows class by class, dealt out like cards: each part gets its share of each class.
    dealt = shuffled[np.argsort(firsts[labels][shuffled], kind="stable")]
    fold[dealt] = np.arange(len(labels)) % n_parts
    calibrating = [1] if n_parts == 2 else range(N_FOLDS)
    return [(np.flatnonzero(fold != f), np.flatnonzero(fold == f)) for f in calibrating]


def choosing_rows(cut: Sequence[Part]) -> np.ndarray:
    """The rows that choose the model that is kept: the choosing part, or all rows of five folds."""
    return cut[0][0] if len(cut) == 1 else np.sort(np.concatenate([rows for _, rows in cut]))


def held_out(
    candidates: Sequence[np.ndarray],
    cut: Sequence[Part],
    choose: Callable[[np.ndarray], int],
) -> HeldOut:
    """For each calibrating part, the logits of the candidate that its choosing part prefers.

    candidates: (n, k) logits of validation, one array for each epoch, or each strength. choose:
    gives the number of the candidate that these rows prefer.
    """
    n, k = candidates[0].shape
    logits, calibrating = np.full((n, k), np.nan), []
    for choosing, rows in cut:
        if len(choosing) and len(rows):
            logits[rows] = candidates[choose(choosing)][rows]
            calibrating.append(rows)
    every = np.sort(np.concatenate(calibrating)) if calibrating else np.arange(0)
    return HeldOut(every, logits[every], len(cut))


def calibrate(
    held: HeldOut, labels: np.ndarray, *, answerable: np.ndarray | None = None
) -> Calibration:
    """Fit the temperature, and find thresholds for promises, shares and prediction sets.

    labels: of all rows of validation, (n,) ids. answerable: (n,) bool, rows that are not unsure for
    other reasons, such as texts that were cut; the promises are about answers to these.
    """
    labels = labels[held.rows]
    temperature = fit_temperature(held.logits, labels)
    probabilities = Decision(temperature=temperature).probabilities(held.logits)
    answers = ONE_CLASS.top(probabilities)
    top, right = probabilities.max(axis=1, initial=0), answers == labels
    confusion = np.zeros((probabilities.shape[1],) * 2, dtype=int)
    np.add.at(confusion, (labels, answers), 1)
    if answerable is not None:
        top, right = top[answerable[held.rows]], right[answerable[held.rows]]
    promises = find_promises(top, right, n_rows=len(labels))
    kept = [p.right for p in promises if p.answered >= FEWEST_ANSWERED and p.right in PROMISES]
    by_share = _by_share(top, right)
    return Calibration(
        temperature,
        rows=len(labels),
        folds=held.folds,
        confidence=CONFIDENCE,
        promised=max(kept, default=None),
        promises=tuple(promises),
        thresholds=tuple(threshold for threshold, _ in by_share),
        accuracies=tuple(accuracy for _, accuracy in by_share),
        sets=_sets(probabilities, labels),
        confusion=tuple(map(tuple, confusion.tolist())),
    )


def fit_temperature(logits: np.ndarray, labels: np.ndarray) -> float | tuple[float, ...]:
    """The temperature with the lowest log-loss (Guo et al., 2017).

    logits: (n, k). labels: (n,) ids, or (n, k) bool, where each class gets its own temperature. A
    prior as strong as one row keeps few rows from moving it far from 1: without it, rows that are
    all right would ask for probabilities of 1.
    """
    if labels.ndim == 1:
        rows = np.arange(len(labels))
        return _lowest(
            lambda scaled: (np.logaddexp.reduce(scaled, axis=1) - scaled[rows, labels]).sum(),
            logits.astype(np.float64),
        )
    signs = np.where(labels, -1.0, 1.0)
    return tuple(
        _lowest(
            lambda scaled, sign=signs[:, k]: np.logaddexp(0.0, sign * scaled).sum(),
            logits[:, k].astype(np.float64),
        )
        for k in range(logits.shape[1])
    )


def _lowest(loss: Callable[..., float], logits: np.ndarray) -> float:
    minimize = require("scipy.optimize", "train").minimize_scalar
    edge = np.log(_LARGEST)
    outcome = minimize(
        lambda log_t: loss(logits / np.exp(log_t)) + 0.5 * log_t**2,
        bounds=(-edge, edge),
        method="bounded",
        options={"xatol": 1e-8},
    )
    return float(np.exp(outcome.x))


def find_promises(
    top: np.ndarray, right: np.ndarray, *, n_rows: int, levels: Sequence[float] = _RIGHTS
) -> list[Promise]:
    """The promises that can be kept with 90 % confidence, from low to high.

    top: (m,) the highest probability of each row that may be answered. right: (m,) bool. n_rows: of
    how many rows these are a part. levels: from low to high. Risk control as in "Learn then test"
    (Angelopoulos et al., 2022): for each level, thresholds are tested from a high one downwards,
    until one fails.
    """
    promises: list[Promise] = []
    order = np.sort(top)[::-1]
    for level in levels:
        threshold = _lowest_threshold(top, right, level, grid=_grid(order, level))
        if threshold is not None:
            promises.append(Promise(level, threshold, float((top >= threshold).sum() / n_rows)))
    # A threshold that keeps a higher promise keeps the lower ones, too.
    for place in range(len(promises) - 2, -1, -1):
        above = promises[place + 1]
        if above.threshold < promises[place].threshold:
            promises[place] = Promise(promises[place].right, above.threshold, above.answered)
    return promises


def _grid(order: np.ndarray, level: float) -> np.ndarray:
    """The thresholds to test for a promise, from high to low; without a look at the labels.

    order: the highest probabilities, from high to low. The first threshold leaves so many rows that
    an error or two do not decide, and so few that the model itself expects a quarter of the errors
    that the promise allows. A first test that fails ends the search. The last threshold is 0.
    """
    if not len(order):
        return order
    expected = np.cumsum(order) / np.arange(1, len(order) + 1)  # of right answers
    n_expected = int((expected >= 1 - (1 - level) / 4).sum())
    n_needed = int(np.ceil(3 * np.log(1 - CONFIDENCE) / np.log(level)))
    first = min(max(n_expected, n_needed), len(order))
    ranks = np.unique(np.round(np.linspace(first, len(order), _N_TESTS)).astype(int))
    grid: np.ndarray = order[ranks - 1]
    grid[-1] = 0.0  # all rows, those of other tables, too
    return grid


def _lowest_threshold(
    top: np.ndarray, right: np.ndarray, level: float, *, grid: np.ndarray
) -> float | None:
    """The lowest threshold of `grid` at which the promise holds; None if it fails at the first."""
    if not len(grid):
        return None
    controller = require("mapie.risk_control", "train").BinaryClassificationController(
        predict_function=lambda rows: np.column_stack([1 - rows, rows]),
        risk="precision",
        target_level=level,
        confidence_level=CONFIDENCE,
        list_predict_params=grid,
        fwer_method="fixed_sequence",
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # that no threshold is valid, for example
        controller.calibrate(top, right)
    valid = controller.valid_predict_params
    return float(valid.min()) if len(valid) else None


def _by_share(top: np.ndarray, right: np.ndarray) -> list[tuple[float, float]]:
    """For 1 %, 2 %, …, 100 % of the rows: the lowest probability, and the accuracy."""
    if not len(top):
        return [(0.0, 0.0)] * N_SHARES
    order = np.argsort(-top, kind="stable")
    ranks = np.ceil(np.arange(1, N_SHARES + 1) / N_SHARES * len(top) - 1e-9).astype(int)
    accuracies = (np.cumsum(right[order]) / np.arange(1, len(top) + 1))[ranks - 1]
    thresholds = top[order][ranks - 1].astype(np.float64)
    thresholds[-1] = 0.0  # all rows of another table, too
    return list(zip(thresholds.tolist(), accuracies.tolist(), strict=True))


def _sets(probabilities: np.ndarray, labels: np.ndarray) -> tuple[float, ...]:
    """For each coverage of 0 %, 1 %, …, 99 %, the lowest probability of a class in the set.

    Split conformal prediction with the probability of the true class as score (Sadinle et al.,
    2019). Where the rows are too few for a coverage, the set holds all classes.
    """
    of_label = np.sort(probabilities[np.arange(len(labels)), labels])
    ranks = [int(np.floor((len(labels) + 1) * (1 - c / 100) + 1e-9)) for c in range(100)]
    return tuple(
        float(of_label[min(rank, len(labels)) - 1]) if min(rank, len(labels)) > 0 else 0.0
        for rank in ranks
    )
