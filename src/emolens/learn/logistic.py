"""Multinomial logistic regression whose regularisation is chosen on validation rows.

Shared by the TF-IDF baseline and the probe; knows nothing of where the features come from.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np

from emolens.data.balance import Balance
from emolens.data.dataset import TRAIN, VALIDATION
from emolens.errors import DataError, require

STRENGTHS = (0.001, 0.01, 0.1, 1.0, 10.0)


@dataclass(frozen=True)
class LogisticFit:
    """coef: (k, d), intercept: (k,) float64, for k classes also where k is 2.

    path: by regularisation C, the macro-F1 on validation that decided.
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
    """Fit once for each C on train, keep the one with the best macro-F1 on validation.

    X: by split, (n, d) features, dense or sparse. Ties go to the stronger regularisation.
    """
    linear = require("sklearn.linear_model", "train")
    metrics = require("sklearn.metrics", "train")
    exceptions = require("sklearn.exceptions", "train")
    features, labels = X[TRAIN][balance.rows], y[TRAIN][balance.rows]
    weights = dict(enumerate(balance.class_weights.tolist()))
    # From strong to weak, each starting where the last ended: most of the path is already walked.
    model = linear.LogisticRegression(max_iter=1000, warm_start=True, class_weight=weights)
    classes = np.arange(len(balance.class_weights))
    if absent := sorted(set(classes.tolist()) - set(labels.tolist())):
        # scikit-learn would leave it out, and every id behind it would shift.
        raise DataError(
            f"The training rows have none of class {absent[0]}.",
            hint="Add rows of it, or leave the class out.",
        )
    best: LogisticFit | None = None
    path: dict[str, float] = {}
    for c in sorted(strengths):
        with warnings.catch_warnings():
            # A weakly regularised fit that is not quite there yet is judged on validation as it is.
            warnings.simplefilter("ignore", exceptions.ConvergenceWarning)
            model.set_params(C=c).fit(features, labels)
        guess = model.predict(X[VALIDATION])
        score = float(
            metrics.f1_score(y[VALIDATION], guess, labels=classes, average="macro", zero_division=0)
        )
        if not path or score > max(path.values()):
            best = LogisticFit(*_both_classes(model.coef_, model.intercept_), c, path)
        path[f"{c:g}"] = score
    assert best is not None  # noqa: S101 - strengths is never empty
    return best


def logits(fit: LogisticFit, features: Any) -> np.ndarray:
    """(n, k) of features (n, d), dense or sparse."""
    return np.asarray(features @ fit.coef.T + fit.intercept)


def _both_classes(coef: np.ndarray, intercept: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """scikit-learn keeps one row for two classes; softmax([0, z]) is the same as sigmoid(z)."""
    if len(coef) > 1:
        return coef.copy(), intercept.copy()
    return np.vstack([np.zeros_like(coef), coef]), np.concatenate([[0.0], intercept])
