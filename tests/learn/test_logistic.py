"""The fit is scikit-learn's at the C that validation chose: its own for sparse features."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.sparse import csr_matrix
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss

from emolens.data.balance import Balance, Method, balance
from emolens.decide import ONE_CLASS
from emolens.errors import DataError
from emolens.learn.logistic import LogisticFit, fit_logistic, logits


def made(
    k: int, *, n: int = 240, d: int = 5
) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
    """Standard features around k centres that overlap, by split."""
    rng = np.random.default_rng(k)
    centres = rng.normal(size=(k, d))
    y = {name: rng.integers(k, size=n) for name in ("train", "validation")}
    return {name: centres[ids] + rng.normal(size=(n, d)) for name, ids in y.items()}, y


def plain(k: int, n: int = 240) -> Balance:
    return Balance(np.arange(n), np.ones(k))


def exactly(c: float, weights: str | None = None) -> LogisticRegression:
    return LogisticRegression(C=c, max_iter=1000, tol=1e-8, class_weight=weights)


def same_as(theirs: LogisticRegression, fit: LogisticFit, atol: float = 5e-3) -> None:
    """The same differences between classes: scikit-learn keeps one row for two of them."""
    coef, intercept = fit.coef - fit.coef[0], fit.intercept - fit.intercept[0]
    if len(coef) == 2:
        wanted, shift = theirs.coef_, theirs.intercept_
    else:
        wanted, shift = (a[1:] - a[0] for a in (theirs.coef_, theirs.intercept_))
    np.testing.assert_allclose(coef[1:], wanted, atol=atol)
    np.testing.assert_allclose(intercept[1:], shift, atol=atol)


@pytest.mark.parametrize("k", [2, 3, 6])
@pytest.mark.parametrize("sparse", [False, True])
def test_one_strength_is_scikit_learns_fit(k: int, sparse: bool) -> None:
    X, y = made(k)
    given = {name: csr_matrix(x) for name, x in X.items()} if sparse else X
    fit = fit_logistic(given, y, plain(k), strengths=(0.5,))
    theirs = exactly(0.5).fit(X["train"], y["train"])
    assert fit.coef.shape == (k, 5)
    found = ONE_CLASS.probabilities(logits(fit, given["validation"]))
    wanted = theirs.predict_proba(X["validation"])
    np.testing.assert_allclose(found, wanted, atol=2e-3)
    assert (found.argmax(axis=1) == wanted.argmax(axis=1)).mean() > 0.99


@pytest.mark.parametrize("k", [2, 4])
def test_the_path_of_strengths_ends_where_each_fit_alone_does(k: int) -> None:
    X, y = made(k)
    fit = fit_logistic(X, y, plain(k))
    theirs = exactly(fit.c).fit(X["train"], y["train"])
    same_as(theirs, fit)
    alone = fit_logistic(X, y, plain(k), strengths=(fit.c,))
    np.testing.assert_allclose(fit.coef, alone.coef, atol=1e-4)


def test_the_kept_strength_is_the_best_on_validation() -> None:
    X, y = made(3)
    fit = fit_logistic(X, y, plain(3))
    assert list(fit.path) == ["0.001", "0.01", "0.1", "1", "10"]
    best = min(fit.path.values())
    assert fit.path[f"{fit.c:g}"] == best
    found = ONE_CLASS.probabilities(logits(fit, X["validation"]))
    assert log_loss(y["validation"], found) == pytest.approx(best)


def test_a_tie_goes_to_the_stronger_regularization() -> None:
    ids = np.arange(60) % 3
    X = dict.fromkeys(("train", "validation"), np.zeros((60, 3)))
    fit = fit_logistic(X, dict.fromkeys(X, ids), plain(3, 60), strengths=(10.0, 0.1, 1.0))
    assert fit.path == dict.fromkeys(("0.1", "1", "10"), pytest.approx(np.log(3)))
    assert fit.c == 0.1


def test_class_weights_move_answers_to_the_small_class() -> None:
    rng = np.random.default_rng(0)
    ids = (rng.random(400) < 0.1).astype(int)
    X = {s: ids[:, None] * 1.0 + rng.normal(size=(400, 2)) for s in ("train", "validation")}
    y = dict.fromkeys(X, ids)

    def small_class_answers(fit: LogisticFit) -> int:
        return int(logits(fit, X["validation"]).argmax(axis=1).sum())

    unweighted = fit_logistic(X, y, plain(2, 400), strengths=(1.0,))
    weights = balance(ids, 2, method="class-weights", seed=0)
    weighted = fit_logistic(X, y, weights, strengths=(1.0,))
    assert small_class_answers(weighted) > 3 * small_class_answers(unweighted)
    same_as(exactly(1.0, "balanced").fit(X["train"], ids), weighted)


@pytest.mark.parametrize("shares", [(0.985, 0.015), (0.9, 0.08, 0.02), (0.5, 0.49, 0.005, 0.005)])
@pytest.mark.parametrize("method", ["none", "class-weights"])
def test_classes_of_very_unequal_size_are_fitted_as_scikit_learn_does(
    shares: tuple[float, ...], method: Method
) -> None:
    k, rng = len(shares), np.random.default_rng(5)
    ids = np.concatenate([np.arange(k), rng.choice(k, 2000 - k, p=shares)])
    X = dict.fromkeys(("train", "validation"), rng.normal(size=(k, 4))[ids])
    X = {name: x + rng.normal(size=(2000, 4)) for name, x in X.items()}
    weights = balance(ids, k, method=method, seed=0)
    fit = fit_logistic(X, dict.fromkeys(X, ids), weights, strengths=(0.01, 10.0))
    kind = None if method == "none" else "balanced"
    same_as(exactly(fit.c, kind).fit(X["train"], ids), fit, atol=0.02)


def test_more_features_than_rows_are_fitted_as_scikit_learn_does() -> None:
    X, y = made(3, n=40, d=100)
    fit = fit_logistic(X, y, plain(3, 40), strengths=(1.0,))
    wanted = exactly(1.0).fit(X["train"], y["train"]).predict_proba(X["validation"])
    np.testing.assert_allclose(
        ONE_CLASS.probabilities(logits(fit, X["validation"])), wanted, atol=0.02
    )


def test_the_dense_fit_is_the_same_each_time() -> None:
    X, y = made(3)
    first, second = (fit_logistic(X, y, plain(3)) for _ in range(2))
    assert first.coef.tobytes() == second.coef.tobytes()


@pytest.mark.parametrize("split", ["train", "validation"])
def test_a_feature_that_is_not_finite_is_a_data_error_that_names_the_row(split: str) -> None:
    X, y = made(3)
    X[split][6, 1] = np.nan
    with pytest.raises(DataError, match=f"Row 7 of {split}") as caught:
        fit_logistic(X, y, plain(3))
    assert caught.value.hint


def test_only_the_rows_of_the_balance_are_learned_from() -> None:
    X, y = made(3)
    rows = np.arange(0, 240, 2)
    fit = fit_logistic(X, y, Balance(rows, np.ones(3)), strengths=(1.0,))
    same_as(exactly(1.0).fit(X["train"][rows], y["train"][rows]), fit)
