"""The fit is scikit-learn's own at the C that validation chose."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.sparse import csr_matrix
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import f1_score

from emolens.data.balance import Balance, balance
from emolens.encode.engines import softmax
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


@pytest.mark.parametrize("k", [2, 3, 6])
@pytest.mark.parametrize("sparse", [False, True])
def test_one_strength_is_scikit_learns_fit(k: int, sparse: bool) -> None:
    X, y = made(k)
    given = {name: csr_matrix(x) for name, x in X.items()} if sparse else X
    fit = fit_logistic(given, y, plain(k), strengths=(0.5,))
    theirs = LogisticRegression(C=0.5, max_iter=1000).fit(given["train"], y["train"])
    assert fit.coef.shape == (k, 5)
    found = softmax(logits(fit, given["validation"]))
    np.testing.assert_allclose(found, theirs.predict_proba(given["validation"]), atol=1e-9)


@pytest.mark.parametrize("k", [2, 4])
def test_the_path_of_strengths_ends_where_each_fit_alone_does(k: int) -> None:
    X, y = made(k)
    fit = fit_logistic(X, y, plain(k))
    theirs = LogisticRegression(C=fit.c, max_iter=1000, tol=1e-8).fit(X["train"], y["train"])
    whole = theirs.coef_ if k > 2 else np.vstack([np.zeros((1, 5)), theirs.coef_])
    np.testing.assert_allclose(fit.coef, whole, atol=5e-3)


def test_the_kept_strength_is_the_best_on_validation() -> None:
    X, y = made(3)
    fit = fit_logistic(X, y, plain(3))
    assert list(fit.path) == ["0.001", "0.01", "0.1", "1", "10"]
    best = max(fit.path.values())
    assert fit.path[f"{fit.c:g}"] == best
    guess = logits(fit, X["validation"]).argmax(axis=1)
    assert f1_score(y["validation"], guess, average="macro") == pytest.approx(best)


def test_a_tie_goes_to_the_stronger_regularisation() -> None:
    ids = np.arange(60) % 3
    X = dict.fromkeys(("train", "validation"), np.eye(3)[ids])
    fit = fit_logistic(X, dict.fromkeys(X, ids), plain(3, 60), strengths=(10.0, 0.1, 1.0))
    assert fit.path == {"0.1": 1, "1": 1, "10": 1}
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
    theirs = LogisticRegression(C=1.0, class_weight="balanced").fit(X["train"], ids)
    assert small_class_answers(weighted) > 3 * small_class_answers(unweighted)
    np.testing.assert_allclose(weighted.coef[1], theirs.coef_[0], atol=1e-9)


def test_only_the_rows_of_the_balance_are_learned_from() -> None:
    X, y = made(3)
    rows = np.arange(0, 240, 2)
    fit = fit_logistic(X, y, Balance(rows, np.ones(3)), strengths=(1.0,))
    theirs = LogisticRegression(C=1.0, max_iter=1000).fit(X["train"][rows], y["train"][rows])
    np.testing.assert_allclose(fit.coef, theirs.coef_, atol=1e-9)
