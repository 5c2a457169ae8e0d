"""The figures agree with those of scikit-learn, and the tests with the arithmetic by hand."""

from __future__ import annotations

from dataclasses import astuple

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
    confusion,
    mcnemar,
    per_class,
    summary,
)


@st.composite
def answers(draw: st.DrawFn) -> tuple[int, np.ndarray, np.ndarray]:
    """Number of classes, labels, predictions; a class may be missing in either."""
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
    present = np.unique(labels)
    figures = summary(matrix)
    assert figures["accuracy"] == pytest.approx(accuracy_score(labels, guess))
    for average in ("macro", "weighted"):
        wanted = f1_score(labels, guess, labels=present, average=average, zero_division=0)
        assert figures[f"{average}_f1"] == pytest.approx(wanted)
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


def test_a_class_without_rows_is_not_averaged() -> None:
    # Two of three joys are answered by fear, which has no rows here.
    matrix = np.array([[1, 0, 2], [0, 4, 0], [0, 0, 0]])
    assert summary(matrix)["macro_f1"] == pytest.approx((0.5 + 1) / 2)
    assert summary(np.diag([3, 0, 0]))["macro_f1"] == 1


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
def test_mcnemar_compares_the_rows_that_only_one_gets_right_with_a_fair_coin(
    only_first: int, only_second: int, p_value: float
) -> None:
    both, neither = 4, 3
    n = only_first + only_second + both + neither
    labels = np.zeros(n, dtype=np.int64)
    first = np.array([0] * only_first + [1] * only_second + [0] * both + [1] * neither)
    second = np.array([1] * only_first + [0] * only_second + [0] * both + [2] * neither)
    comparison = mcnemar(labels, first, second, names=("probe", "finetune"))
    *counts, p, difference = astuple(comparison)
    assert difference is None
    assert counts == ["probe", "finetune", only_first, only_second]
    assert p == pytest.approx(p_value)
