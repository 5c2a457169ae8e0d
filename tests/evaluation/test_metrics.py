"""Figures are scikit-learn's, intervals those of a bootstrap over rows."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import (
    accuracy_score,
    confusion_matrix,
    f1_score,
    precision_recall_fscore_support,
)

from emolens.evaluation.metrics import (
    bootstrap_intervals,
    calibration_error,
    confusion,
    mcnemar,
    per_class,
    summary,
)


@st.composite
def answers(draw: st.DrawFn) -> tuple[int, np.ndarray, np.ndarray]:
    """Classes, labels, predictions; classes may be absent from either."""
    k = draw(st.integers(2, 7))
    pairs = st.tuples(st.integers(0, k - 1), st.integers(0, k - 1))
    labels, guess = zip(*draw(st.lists(pairs, min_size=1, max_size=60)), strict=True)
    return k, np.array(labels), np.array(guess)


@settings(max_examples=60, deadline=None)
@given(answers())
def test_figures_are_scikit_learns(case: tuple[int, np.ndarray, np.ndarray]) -> None:
    k, labels, guess = case
    classes = list(range(k))
    matrix = confusion(labels, guess, k)
    assert np.array_equal(matrix, confusion_matrix(labels, guess, labels=classes))
    found = summary(matrix)
    assert found["accuracy"] == pytest.approx(accuracy_score(labels, guess))
    for average in ("macro", "weighted"):
        wanted = f1_score(labels, guess, labels=classes, average=average, zero_division=0)
        assert found[f"{average}_f1"] == pytest.approx(wanted)
    by_class = per_class(matrix, tuple("abcdefg"[:k]))
    columns = precision_recall_fscore_support(labels, guess, labels=classes, zero_division=0)
    for name, *wanted_row in zip("abcdefg"[:k], *columns, strict=True):
        assert list(by_class[name].values()) == pytest.approx(wanted_row)
        assert list(by_class[name]) == ["precision", "recall", "f1", "support"]


def test_figures_of_many_matrices_are_those_of_each() -> None:
    matrices = np.random.default_rng(0).integers(0, 9, size=(5, 3, 3))
    together = summary(matrices)
    for i, matrix in enumerate(matrices):
        for name, value in summary(matrix).items():
            assert together[name][i] == value


def some_answers(n: int, right: float, seed: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    labels = rng.choice(3, size=n, p=(0.6, 0.3, 0.1))
    return labels, np.where(rng.random(n) < right, labels, (labels + 1) % 3)


def test_drawing_cells_is_the_bootstrap_over_rows() -> None:
    labels, guess = some_answers(200, 0.8, seed=1)
    rng = np.random.default_rng(5)
    draws = rng.integers(200, size=(3000, 200))
    by_row = summary(np.array([confusion(labels[rows], guess[rows], 3) for rows in draws]))
    found = bootstrap_intervals(confusion(labels, guess, 3), seed=2)
    assert set(found) == {"accuracy", "macro_f1", "weighted_f1"}
    for name, values in by_row.items():
        np.testing.assert_allclose(found[name], np.quantile(values, [0.025, 0.975]), atol=0.015)


def test_intervals_cover_the_truth_about_as_often_as_they_say() -> None:
    covered = 0
    for seed in range(200):
        matrix = confusion(*some_answers(300, 0.8, seed), 3)
        low, high = bootstrap_intervals(matrix, seed=seed, n_resamples=400)["accuracy"]
        covered += low <= 0.8 <= high
    assert 180 <= covered <= 199


def test_intervals_are_seeded_and_widen_with_their_level() -> None:
    matrix = confusion(*some_answers(100, 0.7, seed=3), 3)
    again = bootstrap_intervals(matrix, seed=1)
    assert bootstrap_intervals(matrix, seed=1) == again
    low, high = bootstrap_intervals(matrix, seed=1, level=0.99)["accuracy"]
    assert low < again["accuracy"][0] < again["accuracy"][1] < high


def test_a_flawless_model_has_no_interval_to_speak_of() -> None:
    assert bootstrap_intervals(np.diag([5, 5]), seed=0)["accuracy"] == (1.0, 1.0)


@pytest.mark.parametrize(
    ("only_first", "only_second", "p_value"),
    [
        (1, 6, 2 * (1 + 7) / 2**7),
        (0, 5, 2 / 2**5),
        (3, 3, 1.0),
        (0, 0, 1.0),
        (2, 8, 2 * (1 + 10 + 45) / 2**10),
    ],
)
def test_mcnemar_is_a_fair_coin_over_the_rows_they_differ_on(
    only_first: int, only_second: int, p_value: float
) -> None:
    both, neither = 4, 3
    n = only_first + only_second + both + neither
    labels = np.zeros(n, dtype=np.int64)
    first = np.array([0] * only_first + [1] * only_second + [0] * both + [1] * neither)
    second = np.array([1] * only_first + [0] * only_second + [0] * both + [2] * neither)
    found = mcnemar(labels, first, second, names=("probe", "finetune"))
    assert (found.first, found.second) == ("probe", "finetune")
    assert (found.only_first, found.only_second) == (only_first, only_second)
    assert found.p_value == pytest.approx(p_value)


def test_calibration_error_by_hand() -> None:
    labels = np.array([0, 0, 1, 2])
    probabilities = np.array(
        [
            [0.9, 0.1, 0.0],  # upper bin, right
            [0.3, 0.7, 0.0],  # upper bin, wrong
            [0.3, 0.4, 0.3],  # lower bin, right
            [0.2, 0.4, 0.4],  # lower bin, wrong: argmax takes the first of equals
        ]
    )
    upper, lower = abs((0.9 + 0.7) / 2 - 0.5), abs((0.4 + 0.4) / 2 - 0.5)
    wanted = (2 * upper + 2 * lower) / 4
    assert calibration_error(labels, probabilities, n_bins=2) == pytest.approx(wanted)


def test_certain_and_right_is_calibrated_and_certain_and_wrong_is_not() -> None:
    sure = np.eye(2)[[0, 1, 0]]
    assert calibration_error(np.array([0, 1, 0]), sure) == 0
    assert calibration_error(np.array([1, 0, 1]), sure) == 1
