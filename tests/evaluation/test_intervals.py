"""Intervals hold their own figure always, and the true one as often as they promise."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.stats import binomtest

from emolens.evaluation.intervals import intervals, wilson
from emolens.evaluation.metrics import summary

FIGURES = ("accuracy", "macro_f1", "weighted_f1")


@st.composite
def matrices(draw: st.DrawFn) -> np.ndarray:
    """Confusion matrices with at least one row, of any number of classes."""
    k = draw(st.integers(1, 8))
    cells = st.integers(0, draw(st.sampled_from([1, 5, 1000])))
    return draw(arrays(np.int64, (k, k), elements=cells).filter(np.any))


@settings(max_examples=300, deadline=None)
@given(matrices(), st.sampled_from([0.5, 0.9, 0.95, 0.99]))
def test_every_interval_holds_its_figure_and_has_a_width(matrix: np.ndarray, level: float) -> None:
    bounds = intervals(matrix, level=level)
    assert tuple(bounds) == FIGURES
    for name, value in summary(matrix).items():
        low, high = bounds[name]
        assert 0 <= low <= value <= high <= 1
        assert low < high
    assert intervals(matrix, level=level) == bounds


@pytest.mark.parametrize(
    ("matrix", "lowest"),
    [
        (np.eye(6, dtype=int), 0.75),
        (9 * np.eye(6, dtype=int), 0.95),
        (2 * np.eye(27, dtype=int), 0.95),
        (4 * np.eye(150, dtype=int), 0.995),
    ],
)
def test_all_right_is_no_proof_of_one(matrix: np.ndarray, lowest: float) -> None:
    for low, high in intervals(matrix).values():
        assert low < lowest
        assert high == 1


def test_accuracy_has_wilsons_interval() -> None:
    matrix = np.array([[50, 3], [7, 20]])
    known = binomtest(70, 80).proportion_ci(method="wilson")
    assert intervals(matrix)["accuracy"] == pytest.approx((known.low, known.high))
    assert wilson(70 / 80, 80) == intervals(matrix)["accuracy"]


def test_classes_without_rows_change_nothing() -> None:
    small = np.array([[30, 4], [2, 12]])
    wide = np.zeros((9, 9), dtype=int)
    wide[np.ix_([1, 5], [1, 5])] = small
    for name, bounds in intervals(small).items():
        assert intervals(wide)[name] == pytest.approx(bounds, abs=0.01)


def test_more_rows_and_a_lower_level_make_it_narrower() -> None:
    matrix = np.array([[30, 4, 1], [2, 12, 2], [0, 3, 9]])
    for name, (low, high) in intervals(matrix).items():
        for narrower in (intervals(10 * matrix)[name], intervals(matrix, level=0.8)[name]):
            assert low < narrower[0] < narrower[1] < high


def simulated(sizes: list[int], accuracy: float, n: int) -> tuple[np.ndarray, dict[str, float]]:
    """n confusion matrices, errors evenly over the other classes, and the true figures."""
    k = len(sizes)
    answers = np.full((k, k), (1 - accuracy) / (k - 1))
    np.fill_diagonal(answers, accuracy)
    rng = np.random.default_rng(0)
    rows = [rng.multinomial(size, answers[i], size=n) for i, size in enumerate(sizes)]
    truth = summary(np.array(sizes)[:, None] * answers)
    return np.stack(rows, axis=1), {name: float(value) for name, value in truth.items()}


@pytest.mark.parametrize(
    ("sizes", "accuracy"),
    [([10] * 6, 0.97), ([10] * 27, 0.6), ([300, 100, 30, 10], 0.9), ([3] * 27, 0.97)],
)
def test_the_truth_is_covered_as_often_as_promised(sizes: list[int], accuracy: float) -> None:
    drawn, truth = simulated(sizes, accuracy, 400)
    bounds = [intervals(matrix) for matrix in drawn]
    for name, value in truth.items():
        covered = np.mean([b[name][0] <= value <= b[name][1] for b in bounds])
        assert 0.92 <= covered <= 0.985
