"""Multinomial logistic regression whose regularization is chosen on validation rows.

Shared by the TF-IDF baseline and the probe; knows nothing of where the features come from.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from emolens.data.balance import Balance
from emolens.data.dataset import TRAIN, VALIDATION
from emolens.decide import ONE_CLASS
from emolens.encode.engines.base import check_finite
from emolens.errors import DataError, require

STRENGTHS = (0.001, 0.01, 0.1, 1.0, 10.0)
# The dense fit stops at slopes below this times √n, near scikit-learn's 1e-4 of the mean loss:
# of the order of a thousandth (few rows) to hundredths (many) of a coefficient's standard error.
TOLERANCE = 2.5e-4
MAX_STEPS = 300


@dataclass(frozen=True)
class LogisticFit:
    """coef: (k, d), intercept: (k,) float64, for k classes also where k is 2.

    path: by regularization C, the log-loss on validation that decided.
    """

    coef: np.ndarray
    intercept: np.ndarray
    c: float
    path: dict[str, float]


def fit_logistic(
    X: dict[str, Any],
    y: dict[str, np.ndarray],
    balance: Balance,
    *,
    strengths: tuple[float, ...] = STRENGTHS,
) -> LogisticFit:
    """Fit once for each C on train, keep the one with the least log-loss on validation.

    Log-loss, because accuracy and F1 of so similar fits differ by chance alone. It weights the
    classes as the fit does. X: by split, (n, d) features: sparse, or dense, standardized and finite
    (DataError otherwise). Ties go to the stronger regularization.
    """
    metrics = require("sklearn.metrics", "train")
    classes = np.arange(len(balance.class_weights))
    features, labels = X[TRAIN][balance.rows], y[TRAIN][balance.rows]
    if absent := sorted(set(classes.tolist()) - set(labels.tolist())):
        # scikit-learn would leave it out, and every id behind it would shift.
        raise DataError(
            f"The training rows have none of class {absent[0]}.",
            hint="Add rows of it, or leave the class out.",
        )
    dense = isinstance(features, np.ndarray)
    if dense:
        for name in (TRAIN, VALIDATION):
            check_finite(name, X[name])
    fitted = (_dense if dense else _sparse)(
        features, labels, balance.class_weights, sorted(strengths)
    )
    best: LogisticFit | None = None
    path: dict[str, float] = {}
    for c, coef, intercept in fitted:
        fit = LogisticFit(coef, intercept, c, path)
        loss = float(
            metrics.log_loss(
                y[VALIDATION],
                ONE_CLASS.probabilities(logits(fit, X[VALIDATION])),
                labels=classes,
                sample_weight=balance.class_weights[y[VALIDATION]],
            )
        )
        if not path or loss < min(path.values()):
            best = fit
        path[f"{c:g}"] = loss
    assert best is not None  # noqa: S101 - strengths is never empty
    return best


Fitted = Iterator[tuple[float, np.ndarray, np.ndarray]]


def _sparse(X: Any, y: np.ndarray, class_weights: np.ndarray, strengths: list[float]) -> Fitted:
    """C, coefficients and intercepts of scikit-learn's fits, one after the other."""
    linear = require("sklearn.linear_model", "train")
    exceptions = require("sklearn.exceptions", "train")
    weights = dict(enumerate(class_weights.tolist()))
    # From strong to weak, each starting where the last ended: most of the path is already walked.
    model = linear.LogisticRegression(max_iter=1000, warm_start=True, class_weight=weights)
    for c in strengths:
        with warnings.catch_warnings():
            # A weakly regularized fit that is not quite there yet is judged on validation as it is.
            warnings.simplefilter("ignore", exceptions.ConvergenceWarning)
            model.set_params(C=c).fit(X, y)
        yield c, *_both_classes(model.coef_, model.intercept_)


def _dense(
    X: np.ndarray, y: np.ndarray, class_weights: np.ndarray, strengths: list[float]
) -> Fitted:
    """C, coefficients and intercepts, all strengths solved together in float32.

    What a step costs is reading X; 30 columns of coefficients cost little more than 6. The loss is
    scikit-learn's (a penalty on the coefficients, none on the intercept), in coordinates in which
    the curvature at the start is close to 1: there it is the features' X'X times the classes'
    diag(p) - pp', for shares p, and the eigenvectors of both are cheap.
    """
    X = np.ascontiguousarray(X, dtype=np.float32)
    (n, d), k, c = X.shape, len(class_weights), len(strengths)
    weights = class_weights[y].astype(np.float32)
    target = (np.arange(k)[:, None] == y) * weights
    # The loss is linear in these two, so no step needs to look at the labels again.
    wanted, counts = (target @ X).astype(np.float64), target.sum(axis=1, dtype=np.float64)
    share = counts / counts.sum()
    # Two classes have one difference, which scikit-learn penalises once; here it stands twice.
    penalty = (2 if k == 2 else 1) / np.array(strengths)[:, None, None]
    spread, basis = np.linalg.eigh((X.T @ X).astype(np.float64) * weights.mean())
    curvature, mix = np.linalg.eigh(np.diag(share) - np.outer(share, share))
    # The smallest is 0: a constant on all classes changes nothing.
    curvature = np.maximum(curvature, 1e-3 * curvature[-1])[:, None]
    scale = np.empty((c, k, d + 1))
    scale[..., :d] = 1 / np.sqrt(curvature * spread.clip(0) + penalty)
    scale[..., d:] = 1 / np.sqrt(curvature * counts.sum())

    # A product of matrices takes less time with 32 columns than with 30; the others stay 0.
    width = -(-c * k // 16) * 16
    padded, room = np.zeros((d, width), np.float32), np.zeros((width, n), np.float32)

    def unpacked(theta: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        mixed = mix @ (theta.reshape(c, k, d + 1) * scale)
        coef = mixed[..., :d].reshape(c * k, d) @ basis.T
        return coef.reshape(c, k, d), mixed[..., d:]

    def loss(theta: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        coef, intercept = unpacked(theta)
        padded[:, : c * k] = coef.reshape(c * k, d).T
        room[:] = (X @ padded).T
        z = room[: c * k].reshape(c, k, n)
        z += intercept.astype(np.float32)
        top = z.max(axis=1, keepdims=True)
        z -= top
        np.exp(z, out=z)
        sums = z.sum(axis=1, keepdims=True)
        total = ((np.log(sums) + top) * weights).sum(axis=(1, 2), dtype=np.float64)
        total += (coef * (penalty * coef / 2 - wanted)).sum(axis=(1, 2))
        total -= (intercept[..., 0] * counts).sum(axis=1)
        z *= weights / sums
        by_feature = (room @ X)[: c * k].reshape(c, k, d) - wanted + penalty * coef
        slope = np.empty((c, k, d + 1))
        slope[..., :d] = (by_feature.reshape(c * k, d) @ basis).reshape(c, k, d)
        slope[..., d] = z.sum(axis=2) - counts
        return total, ((mix.T @ slope) * scale).reshape(c, -1)

    start, log_share = np.zeros((c, k, d + 1)), np.log(share)[:, None]
    start[..., d:] = (mix.T @ (log_share - log_share.mean())) / scale[..., d:]
    coef, intercept = unpacked(_minimised(loss, start.reshape(c, -1), TOLERANCE * np.sqrt(n)))
    yield from zip(strengths, coef, intercept[..., 0], strict=True)


Loss = Callable[[np.ndarray], tuple[np.ndarray, np.ndarray]]


def _minimised(loss: Loss, theta: np.ndarray, tolerance: float) -> np.ndarray:
    """(c, p) where each row is at the least of its own convex loss, which does not see the others.

    loss gives the (c,) values and their (c, p) slopes. L-BFGS, all rows in step (Nocedal, 1980).
    """
    past: list[tuple[np.ndarray, np.ndarray, np.ndarray]] = []
    value, slope = loss(theta)
    going = np.ones(len(theta), dtype=bool)
    for _ in range(MAX_STEPS):
        going &= np.abs(slope).max(axis=1) > tolerance
        if not going.any():
            break
        step = np.where(going[:, None], -_preconditioned(slope, past), 0)
        descent, length = (step * slope).sum(axis=1), np.ones(len(theta))
        for _ in range(20):
            there, slope_there = loss(theta + length[:, None] * step)
            # The last term is what float32 leaves of a loss.
            far = there > value + 1e-4 * length * descent + 1e-6 * np.abs(value)
            if not far.any():
                break
            length[far] /= 2
        going &= ~far  # nothing lower to be found in float32
        moved, turned = length[:, None] * step, slope_there - slope
        bend = (moved * turned).sum(axis=1)
        past = [*past[-9:], (moved, turned, np.where(bend > 0, bend, np.inf))]
        theta, value, slope = theta + moved, there, slope_there
    return theta


def _preconditioned(
    slope: np.ndarray, past: list[tuple[np.ndarray, np.ndarray, np.ndarray]]
) -> np.ndarray:
    """The inverse of the curvature that the past steps met, times the slope."""
    out, shares = slope.copy(), []
    for moved, turned, bend in reversed(past):
        shares.append((moved * out).sum(axis=1) / bend)
        out -= shares[-1][:, None] * turned
    if past:
        _, turned, bend = past[-1]
        square = (turned**2).sum(axis=1)
        known = np.isfinite(bend) & (square > 0)
        out *= np.divide(bend, square, out=np.ones(len(out)), where=known)[:, None]
    for (moved, turned, bend), share in zip(past, reversed(shares), strict=True):
        out += (share - (turned * out).sum(axis=1) / bend)[:, None] * moved
    return out


def logits(fit: LogisticFit, features: Any) -> np.ndarray:
    """(n, k) of features (n, d), dense or sparse."""
    return np.asarray(features @ fit.coef.T + fit.intercept)


def _both_classes(coef: np.ndarray, intercept: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """scikit-learn keeps one row for two classes; softmax([0, z]) is the same as sigmoid(z)."""
    if len(coef) > 1:
        return coef.copy(), intercept.copy()
    return np.vstack([np.zeros_like(coef), coef]), np.concatenate([[0.0], intercept])
