"""Validation chooses the regularization, and the fit is scikit-learn's with that regularization."""

from __future__ import annotations

import time

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.sparse import csr_matrix
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss

from emolens.data.balance import balance
from emolens.errors import DataError
from emolens.learn.logistic import LogisticFit, Rows, _held_out, fit_logistic


def made(k: int, *, n: int = 240, d: int = 5) -> tuple[Rows, Rows]:
    """Train and validation: normal features around k centers; the classes overlap."""
    rng = np.random.default_rng(k)
    centers = rng.normal(size=(k, d))
    ids = [np.concatenate([np.arange(k), rng.integers(k, size=n - k)]) for _ in range(2)]
    train, validation = ((centers[y] + rng.normal(size=(n, d)), y) for y in ids)
    return train, validation


def exactly(c: float, weights: str | None = None) -> LogisticRegression:
    return LogisticRegression(C=c, max_iter=1000, tol=1e-8, class_weight=weights)


@pytest.mark.parametrize("k", [2, 3, 6])
@pytest.mark.parametrize("sparse", [False, True])
def test_a_fit_in_a_path_of_strengths_is_the_same_as_alone(k: int, sparse: bool) -> None:
    (X, y), (X_validation, y_validation) = made(k)
    if sparse:
        X, X_validation = csr_matrix(X), csr_matrix(X_validation)
    fit = fit_logistic((X, y), (X_validation, y_validation), np.ones(k))
    assert fit.coef.shape == (k, 5)
    wanted = exactly(fit.c).fit(X, y).predict_proba(X_validation)
    np.testing.assert_allclose(fit.probabilities(X_validation), wanted, atol=5e-3)


def test_the_kept_strength_is_the_best_on_validation() -> None:
    train, validation = made(3)
    fit = fit_logistic(train, validation, np.ones(3), strengths=(10.0, 0.001, 0.1))
    assert list(fit.path) == ["0.001", "0.1", "10"]
    best = min(fit.path.values())
    assert fit.path[f"{fit.c:g}"] == best
    assert log_loss(validation[1], fit.probabilities(validation[0])) == pytest.approx(best)


def test_a_tie_goes_to_the_stronger_regularization() -> None:
    rows = np.zeros((60, 3)), np.arange(60) % 3
    fit = fit_logistic(rows, rows, np.ones(3), strengths=(10.0, 0.1, 1.0))
    assert fit.path == dict.fromkeys(("0.1", "1", "10"), pytest.approx(np.log(3)))
    assert fit.c == 0.1


def test_class_weights_move_answers_to_the_small_class() -> None:
    rng = np.random.default_rng(0)
    y = (rng.random(400) < 0.1).astype(int)
    rows = y[:, None] * 1.0 + rng.normal(size=(400, 2)), y

    def small_class_answers(fit: LogisticFit) -> int:
        return int((fit.probabilities(rows[0])[:, 1] > 0.5).sum())

    unweighted = fit_logistic(rows, rows, np.ones(2), strengths=(1.0,))
    weights = balance(y, 2, method="class-weights", seed=0).class_weights
    weighted = fit_logistic(rows, rows, weights, strengths=(1.0,))
    assert small_class_answers(weighted) > 3 * small_class_answers(unweighted)
    wanted = exactly(1.0, "balanced").fit(*rows).predict_proba(rows[0])
    np.testing.assert_allclose(weighted.probabilities(rows[0]), wanted, atol=5e-3)


@pytest.mark.parametrize("absent", [0, 1, 2])
def test_a_class_without_rows_is_a_data_error(absent: int) -> None:
    (X, y), validation = made(3)
    with pytest.raises(DataError, match=f"Class {absent} has no training rows") as caught:
        fit_logistic((X[y != absent], y[y != absent]), validation, np.ones(3))
    assert caught.value.hint


@given(st.lists(st.integers(0, 4), min_size=1).map(np.array))
def test_each_class_keeps_rows_to_learn_from(y: np.ndarray) -> None:
    held = _held_out(y)
    for label in np.unique(y):
        n = int((y == label).sum())
        assert held[y == label].sum() == (n + 3) // 5


def test_without_validation_rows_the_last_fit_is_on_all_rows() -> None:
    train, _ = made(3)
    fit = fit_logistic(train, None, np.ones(3))
    assert len(fit.path) == 5
    wanted = exactly(fit.c).fit(*train).predict_proba(train[0])
    np.testing.assert_allclose(fit.probabilities(train[0]), wanted, atol=5e-3)


def test_one_row_of_each_class_is_enough_for_one_strength_only() -> None:
    rows = np.eye(3), np.arange(3)
    assert fit_logistic(rows, None, np.ones(3), strengths=(1.0,)).c == 1.0
    with pytest.raises(DataError, match="too few rows") as caught:
        fit_logistic(rows, None, np.ones(3))
    assert "strength" in caught.value.hint


def test_many_classes_take_no_more_than_seconds() -> None:
    rng = np.random.default_rng(0)
    train, validation = ((rng.normal(size=(600, 384)), np.arange(600) % 150) for _ in range(2))
    started = time.process_time()
    fit_logistic(train, validation, np.ones(150))
    assert time.process_time() - started < 60  # 3 s on an idle machine; all of its threads count
