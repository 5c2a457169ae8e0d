"""Multinomial logistic regression whose regularization is chosen on validation rows.

scikit-learn fits. Shared by the TF-IDF baseline and the probe; knows nothing of where the features
come from.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from emolens.calibration import Calibration
from emolens.decide import ONE_CLASS
from emolens.errors import DataError, require
from emolens.learn.calibrate import calibrate, choosing_rows, held_out, parts

STRENGTHS = (0.001, 0.01, 0.1, 1.0, 10.0)
Rows = tuple[Any, np.ndarray]


@dataclass(frozen=True)
class LogisticFit:
    """coef: (k, d), intercept: (k,), float64, also if k is 2. path: the log-loss by C, on the rows
    that chose C. calibration: if other rows of validation measured one.
    """

    coef: np.ndarray
    intercept: np.ndarray
    c: float
    path: dict[str, float]
    calibration: Calibration | None = None

    def logits(self, X: Any) -> np.ndarray:
        """(n, k) of features (n, d), dense or sparse."""
        return np.asarray(X @ self.coef.T + self.intercept)

    def probabilities(self, X: Any) -> np.ndarray:
        """(n, k) of features (n, d), dense or sparse."""
        return ONE_CLASS.probabilities(self.logits(X))

    def calibrated(self) -> LogisticFit:
        """The same fit with its weights divided by the temperature of its calibration."""
        if self.calibration is None:
            return self
        t = self.calibration.temperature
        return replace(self, coef=self.coef / t, intercept=self.intercept / t)


def fit_logistic(
    train: Rows,
    validation: Rows | None,
    class_weights: np.ndarray,
    *,
    strengths: Sequence[float] = STRENGTHS,
) -> LogisticFit:
    """Fit train once for each C of `strengths`, and keep the fit with the lowest validation loss.

    The loss is the log-loss with class weights: accuracy and F1 of such similar fits differ by
    chance alone. Of equal losses the stronger regularization wins. train, validation: (n, d)
    features, sparse or dense, and (n,) ids from 0 to k - 1. The fit is not divided by its
    temperature yet. Without validation, C is chosen on rows of train that are held out, the final
    fit uses all of train, and there is no calibration. Raises DataError where a class has no rows,
    or where C can't be chosen.
    """
    counts = np.bincount(train[1], minlength=len(class_weights))
    if not counts.all():
        # scikit-learn would leave the class out and shift the ids after it.
        raise DataError(
            f"Class {counts.argmin()} has no training rows.",
            hint="Add rows of it, or leave the class out.",
        )
    if validation is not None:
        every = list(_path(train, class_weights, strengths))
        return _best_and_calibrated(every, validation, class_weights)
    if len(strengths) == 1:
        return next(_path(train, class_weights, strengths))
    held = _held_out(train[1])
    if not held.any():
        raise DataError(
            "There are too few rows to choose the regularization with.",
            hint="Give validation rows, or only one strength.",
        )
    X, y = train
    fits = _path((X[~held], y[~held]), class_weights, strengths)
    best = _best(fits, (X[held], y[held]), class_weights)
    return replace(next(_path(train, class_weights, [best.c])), path=best.path)


def _path(
    train: Rows, class_weights: np.ndarray, strengths: Sequence[float]
) -> Iterator[LogisticFit]:
    """The fits from strong to weak regularization; each starts where the last one ended."""
    linear = require("sklearn.linear_model", "train")
    exceptions = require("sklearn.exceptions", "train")
    weights = dict(enumerate(class_weights.tolist()))
    model = linear.LogisticRegression(max_iter=1000, warm_start=True, class_weight=weights)
    # Products of dense features are small. On a busy machine, threads that wait for each other took
    # ten times as long as one thread.
    threads = 1 if isinstance(train[0], np.ndarray) else None
    limits = require("threadpoolctl", "train").threadpool_limits
    for c in sorted(strengths):
        with limits(threads), warnings.catch_warnings():
            # A fit that has not converged competes on validation like the others.
            warnings.simplefilter("ignore", exceptions.ConvergenceWarning)
            model.set_params(C=c).fit(*train)
        yield LogisticFit(*_both_classes(model.coef_, model.intercept_), c, {})


def _best(fits: Iterable[LogisticFit], validation: Rows, class_weights: np.ndarray) -> LogisticFit:
    """The fit with the lowest loss on these rows."""
    X, y = validation
    losses = [(_loss(fit.logits(X), y, class_weights), fit) for fit in fits]
    _, best = min(losses, key=lambda pair: pair[0])
    return replace(best, path={f"{fit.c:g}": loss for loss, fit in losses})


def _best_and_calibrated(
    fits: Sequence[LogisticFit], validation: Rows, class_weights: np.ndarray
) -> LogisticFit:
    """The best fit on the choosing part of validation, with a calibration on the other part."""
    X, y = validation
    cut, logits = parts(y), [fit.logits(X) for fit in fits]
    rows = choosing_rows(cut)
    best = _best(fits, (X[rows], y[rows]), class_weights)

    def choose(rows: np.ndarray) -> int:
        losses = [_loss(of_fit[rows], y[rows], class_weights) for of_fit in logits]
        return losses.index(min(losses))

    return replace(best, calibration=calibrate(held_out(logits, cut, choose), y))


def _loss(logits: np.ndarray, y: np.ndarray, class_weights: np.ndarray) -> float:
    log_loss = require("sklearn.metrics", "train").log_loss
    options = {"labels": range(len(class_weights)), "sample_weight": class_weights[y]}
    return float(log_loss(y, ONE_CLASS.probabilities(logits), **options))


def _held_out(y: np.ndarray) -> np.ndarray:
    """(n,) bool: the 2nd row of each class and every 5th after it. The 1st is always left in."""
    order = np.argsort(y, kind="stable")
    counts = np.bincount(y)
    rank = np.empty(len(y), dtype=np.int64)
    rank[order] = np.arange(len(y)) - np.repeat(np.cumsum(counts) - counts, counts)
    held: np.ndarray = rank % 5 == 1
    return held


def _both_classes(coef: np.ndarray, intercept: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """scikit-learn has one row for two classes: sigmoid(z), which equals softmax([0, z])."""
    if len(coef) > 1:
        return coef.copy(), intercept.copy()
    return np.vstack([np.zeros_like(coef), coef]), np.concatenate([[0.0], intercept])
