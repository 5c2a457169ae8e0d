"""Intervals always contain their own figure, and the true one as often as their level says."""

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
def test_every_interval_contains_its_figure_and_has_a_width(
    matrix: np.ndarray, level: float
) -> None:
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
def test_without_errors_the_interval_still_goes_below_one(
    matrix: np.ndarray, lowest: float
) -> None:
    for low, high in intervals(matrix).values():
        assert low < lowest
        assert high == 1


def test_accuracy_has_wilsons_interval() -> None:
    matrix = np.array([[500, 30], [70, 200]])
    known = binomtest(700, 800).proportion_ci(method="wilson")
    assert intervals(matrix)["accuracy"] == pytest.approx((known.low, known.high), abs=1e-4)
    assert wilson(700 / 800, 800) == intervals(matrix)["accuracy"]


def test_few_rows_get_a_wider_interval_than_wilsons() -> None:
    known = binomtest(5, 6).proportion_ci(method="wilson")
    low, high = wilson(5 / 6, 6)
    assert low < known.low
    assert high > 0.97 > known.high


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


def answers_of(n_classes: int, accuracy: float) -> np.ndarray:
    """(k, k): the share of each answer in each true class, with errors spread evenly."""
    answers = np.full((n_classes, n_classes), (1 - accuracy) / (n_classes - 1))
    np.fill_diagonal(answers, accuracy)
    return answers


def covered(drawn: np.ndarray, cells: np.ndarray) -> np.ndarray:
    """(3,): the share of matrices `drawn` whose intervals contain the figures of the true cells."""
    truth = summary(cells)
    bounds = [intervals(matrix) for matrix in drawn]
    return np.array([np.mean([b[f][0] <= truth[f] <= b[f][1] for b in bounds]) for f in FIGURES])


@pytest.mark.parametrize("accuracy", [0.6, 0.9, 0.97])
@pytest.mark.parametrize("sizes", [[10] * 6, [30] * 2, [10] * 27, [300, 150, 100, 75, 60, 50]])
def test_the_truth_is_covered_as_often_as_the_level_says(sizes: list[int], accuracy: float) -> None:
    answers, rng = answers_of(len(sizes), accuracy), np.random.default_rng(0)
    rows = [rng.multinomial(size, answers[i], size=1000) for i, size in enumerate(sizes)]
    shares = covered(np.stack(rows, axis=1), np.array(sizes)[:, None] * answers)
    assert np.all((shares >= 0.93) & (shares <= 0.98)), shares


def test_the_truth_is_covered_where_class_sizes_are_drawn_too() -> None:
    cells = np.array([300, 100, 30, 10])[:, None] * answers_of(4, 0.9)
    drawn = np.random.default_rng(0).multinomial(440, cells.ravel() / 440, size=1000)
    shares = covered(drawn.reshape(-1, 4, 4), cells)
    assert np.all((shares >= 0.93) & (shares <= 0.98)), shares


@pytest.mark.parametrize("sizes", [[3] * 2, [3] * 27, [300, 30, 3]])
def test_the_truth_is_covered_where_classes_have_three_rows(sizes: list[int]) -> None:
    answers, rng = answers_of(len(sizes), 0.97), np.random.default_rng(0)
    rows = [rng.multinomial(size, answers[i], size=1000) for i, size in enumerate(sizes)]
    assert min(covered(np.stack(rows, axis=1), np.array(sizes)[:, None] * answers)) >= 0.88
