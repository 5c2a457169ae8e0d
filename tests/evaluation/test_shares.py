"""Shares of classes without the model's known mistakes."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from emolens.evaluation.shares import adjusted_shares

MANY = 1_000_000


@given(st.integers(2, 8), st.integers(0, 10**6))
def test_known_mistakes_are_taken_out(k: int, seed: int) -> None:
    """The inverse: shares, answered with known mistakes, are found again."""
    rng = np.random.default_rng(seed)
    rates = 0.7 * np.eye(k) + 0.3 * rng.dirichlet(np.ones(k), size=k)
    true = rng.dirichlet(np.ones(k))
    found = adjusted_shares(
        np.round(MANY * true @ rates).astype(int), np.round(MANY * rates).astype(int)
    )
    np.testing.assert_allclose(found[:, 0], true, atol=0.01)


@given(
    st.integers(1, 6).flatmap(
        lambda k: st.tuples(
            st.lists(st.integers(0, 50), min_size=k, max_size=k),
            st.lists(st.integers(0, 50), min_size=k * k, max_size=k * k),
        )
    )
)
def test_shares_are_shares_and_lie_within_their_intervals(
    given_counts: tuple[list[int], list[int]],
) -> None:
    counts, cells = given_counts
    k = len(counts)
    point, low, high = adjusted_shares(np.array(counts), np.array(cells).reshape(k, k)).T
    assert point.sum() == pytest.approx(1 if sum(counts) else 0)
    assert (low >= 0).all()
    assert (low <= point).all()
    assert (point <= high).all()
    assert (high <= 1 + 1e-9).all()


def test_a_class_that_is_mostly_mistaken_for_another_is_found() -> None:
    confusion = np.array([[30, 70], [0, 100]])
    found = adjusted_shares(np.array([300, 700]), confusion)
    assert found[0, 0] > 0.9


def test_the_interval_holds_the_true_share_in_about_95_of_100_cases() -> None:
    rng, inside = np.random.default_rng(0), []
    rates = np.array([[0.8, 0.1, 0.1], [0.2, 0.7, 0.1], [0.05, 0.25, 0.7]])
    for _ in range(200):
        true = rng.dirichlet(np.ones(3))
        confusion = np.stack([rng.multinomial(80, row) for row in rates])
        counts = rng.multinomial(500, true @ rates)
        _, low, high = adjusted_shares(counts, confusion).T
        inside += ((low <= true) & (true <= high)).tolist()
    assert 0.92 < np.mean(inside) < 0.99


def test_the_same_counts_give_the_same_interval() -> None:
    counts, confusion = np.array([3, 4]), np.array([[5, 1], [2, 9]])
    np.testing.assert_array_equal(
        adjusted_shares(counts, confusion), adjusted_shares(counts, confusion)
    )
