from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.utils.class_weight import compute_class_weight

from emolens.data.balance import Method, balance
from emolens.errors import UsageError

LABELS = st.lists(st.integers(0, 4), min_size=1, max_size=80).map(np.array)


@settings(max_examples=50, deadline=None)
@given(labels=LABELS)
def test_class_weights_are_those_of_scikit_learn(labels: np.ndarray) -> None:
    result = balance(labels, 5, method="class-weights", seed=1)
    present = np.unique(labels)
    expected = compute_class_weight("balanced", classes=present, y=labels)
    np.testing.assert_allclose(result.class_weights[present], expected)
    assert result.class_weights[np.setdiff1d(np.arange(5), present)].sum() == 0
    assert result.class_weights[labels].mean() == pytest.approx(1)
    assert result.rows.tolist() == list(range(len(labels)))


@settings(max_examples=50, deadline=None)
@given(labels=LABELS)
def test_root_weights_are_square_roots_of_class_weights(labels: np.ndarray) -> None:
    result = balance(labels, 5, method="root-weights", seed=1)
    whole = balance(labels, 5, method="class-weights", seed=1).class_weights
    roots = np.sqrt(whole)
    np.testing.assert_allclose(result.class_weights, roots / roots[labels].mean())
    assert result.rows.tolist() == list(range(len(labels)))


@settings(max_examples=50, deadline=None)
@given(labels=LABELS, seed=st.integers(0, 3))
def test_oversampling_uses_every_row_before_it_repeats_one(labels: np.ndarray, seed: int) -> None:
    result = balance(labels, 5, method="oversample", seed=seed)
    counts = np.bincount(labels, minlength=5)
    after = np.bincount(labels[result.rows], minlength=5)
    assert set(after[counts > 0].tolist()) == {counts.max()}
    uses = np.bincount(result.rows, minlength=len(labels))
    assert uses.min() >= 1
    for label in np.unique(labels):
        of_class = uses[labels == label]
        assert of_class.max() - of_class.min() <= 1
    assert result.class_weights.tolist() == [1.0] * 5


@settings(max_examples=50, deadline=None)
@given(labels=LABELS, seed=st.integers(0, 3))
def test_undersampling_repeats_no_row(labels: np.ndarray, seed: int) -> None:
    result = balance(labels, 5, method="undersample", seed=seed)
    counts = np.bincount(labels, minlength=5)
    after = np.bincount(labels[result.rows], minlength=5)
    assert set(after[counts > 0].tolist()) == {counts[counts > 0].min()}
    assert len(set(result.rows.tolist())) == len(result.rows)


def test_the_method_none_takes_every_row_once_with_equal_weights() -> None:
    result = balance(np.array([0, 0, 1]), 2, method="none", seed=1)
    assert result.rows.tolist() == [0, 1, 2]
    assert result.class_weights.tolist() == [1.0, 1.0]


@pytest.mark.parametrize("method", ["oversample", "undersample"])
def test_the_draw_is_seeded(method: Method) -> None:
    labels = np.array([0] * 40 + [1] * 15)
    one, same, other = (balance(labels, 2, method=method, seed=seed).rows for seed in (1, 1, 2))
    assert one.tolist() == same.tolist()
    assert one.tolist() != other.tolist()


def test_an_unknown_method_is_refused() -> None:
    with pytest.raises(UsageError, match="no method 'oversampling'") as caught:
        balance(np.arange(4) % 2, 2, method="oversampling", seed=0)
    assert "'oversample'" in caught.value.hint
