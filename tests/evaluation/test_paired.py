"""Differences of two models: the figures are scikit-learn's, the intervals those of drawn rows."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy.stats import binomtest
from sklearn.metrics import accuracy_score, f1_score

from emolens.evaluation.gaps import Measured
from emolens.evaluation.metrics import mcnemar
from emolens.evaluation.paired import Differences, differences

Case = tuple[int, np.ndarray, np.ndarray, np.ndarray]


@st.composite
def two_models(draw: st.DrawFn) -> Case:
    """Number of classes, labels, and two models' answers; a class may be missing in any of them."""
    k = draw(st.integers(1, 5))
    one = st.integers(0, k - 1)
    rows = draw(st.lists(st.tuples(one, one, one), min_size=1, max_size=40))
    labels, first, second = (np.array(column) for column in zip(*rows, strict=True))
    return k, labels, first, second


def measured(found: Differences) -> list[Measured]:
    return [found.accuracy, found.macro_f1, *(f1 for f1 in found.f1 if f1 is not None)]


@settings(max_examples=60, deadline=None)
@given(two_models())
def test_a_difference_is_that_of_scikit_learns_figures_and_lies_in_its_interval(case: Case) -> None:
    k, labels, first, second = case
    found, present = differences(labels, first, second, k), np.unique(labels)
    accuracy = accuracy_score(labels, second) - accuracy_score(labels, first)
    of_first, of_second = (
        f1_score(labels, answers, labels=present, average=None, zero_division=0)
        for answers in (first, second)
    )
    assert found.accuracy.value == pytest.approx(accuracy)
    assert found.macro_f1.value == pytest.approx(of_second.mean() - of_first.mean())
    by_class = dict(enumerate(found.f1))
    assert [c for c, f1 in by_class.items() if f1 is not None] == present.tolist()
    values = [f1.value for f1 in found.f1 if f1 is not None]
    assert values == pytest.approx((of_second - of_first).tolist())
    for figure in measured(found):
        assert -1 <= figure.low <= figure.value <= figure.high <= 1


@settings(max_examples=30, deadline=None)
@given(two_models())
def test_if_the_models_change_places_the_sign_changes(case: Case) -> None:
    k, labels, first, second = case
    assume(not np.array_equal(first, second))
    one = measured(differences(labels, first, second, k))
    other = measured(differences(labels, second, first, k))
    for a, b in zip(one, other, strict=True):
        assert (a.value, a.low, a.high) == (-b.value, -b.high, -b.low)


@settings(max_examples=30, deadline=None)
@given(two_models())
def test_mcnemars_test_is_scipys_for_the_rows_of_one_model(case: Case) -> None:
    _, labels, first, second = case
    only = (first == labels) & (second != labels), (second == labels) & (first != labels)
    n = int(sum(rows.sum() for rows in only))
    test = mcnemar(labels, first, second, names=("A", "B"))
    assert (test.only_first, test.only_second) == tuple(int(rows.sum()) for rows in only)
    wanted = binomtest(test.only_second, n, 0.5).pvalue if n else 1.0
    assert test.p_value == pytest.approx(wanted)


def drawn(n: int, *, seed: int = 0) -> Case:
    """Two models that are often wrong on the same rows; the second is better."""
    rng = np.random.default_rng(seed)
    labels = rng.choice(4, size=n, p=[0.4, 0.3, 0.2, 0.1])
    hard = rng.random(n)
    answers = []
    for share in (0.7, 0.76):
        noise = rng.normal(0, 0.1, n)
        wrong = (labels + rng.integers(1, 4, n)) % 4
        answers.append(np.where(hard + noise < share, labels, wrong))
    return 4, labels, answers[0], answers[1]


def test_the_intervals_are_those_of_rows_drawn_one_by_one() -> None:
    """The slow way: draw rows, and compute both figures anew."""
    k, labels, first, second = drawn(600)
    found = differences(labels, first, second, k)
    rng, figures = np.random.default_rng(1), []
    for _ in range(1000):
        rows = rng.integers(0, len(labels), len(labels))
        pair = [
            (
                accuracy_score(labels[rows], answers[rows]),
                *f1_score(labels[rows], answers[rows], labels=range(k), average=None),
            )
            for answers in (first, second)
        ]
        accuracy, *f1 = np.subtract(pair[1], pair[0])
        figures.append([accuracy, np.mean(f1), *f1])
    wanted = np.quantile(figures, [0.025, 0.975], axis=0).T
    ends = [(figure.low, figure.high) for figure in measured(found)]
    assert np.array(ends) == pytest.approx(wanted, abs=0.012)


def test_what_is_hard_for_both_cancels_out() -> None:
    k, labels, first, second = drawn(600)
    shuffled = np.random.default_rng(2).permutation(len(labels))
    apart = np.empty_like(second)  # as often right on each class, but on other rows
    for c in range(k):
        rows = np.flatnonzero(labels == c)
        apart[rows] = second[shuffled[np.isin(shuffled, rows)]]
    widths = [
        found.accuracy.high - found.accuracy.low
        for found in (differences(labels, first, a, k) for a in (second, apart))
    ]
    assert widths[0] < 0.8 * widths[1]


def test_the_same_seed_gives_the_same_intervals_and_another_one_others() -> None:
    k, labels, first, second = drawn(100)
    assert differences(labels, first, second, k) == differences(labels, first, second, k)
    assert differences(labels, first, second, k) != differences(labels, first, second, k, seed=1)


@pytest.mark.parametrize("n", [1, 10, 400])
def test_models_that_agree_on_a_few_rows_may_still_differ(n: int) -> None:
    labels = np.arange(n) % 3
    for figure in measured(differences(labels, labels, labels, 3)):
        assert figure.value == 0
        assert figure.low < 0 < figure.high
        assert figure.high - figure.low < 3 / np.sqrt(n)


def test_a_class_without_rows_has_no_difference_and_is_not_averaged() -> None:
    labels, first = np.array([0, 0, 1, 1]), np.array([0, 2, 1, 2])
    found = differences(labels, first, labels, 3)
    assert found.f1[2] is None
    assert found.macro_f1.value == pytest.approx(1 - 2 / 3)
