"""Logits become probabilities as scipy makes them, and answers by the thresholds alone."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.special
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from emolens.decide import ONE_CLASS, Decision, Function

LOGITS = arrays(
    np.float64, st.tuples(st.integers(0, 6), st.integers(1, 5)), elements=st.floats(-1e4, 1e4)
)
SEVERAL = Decision("sigmoid", several=True)
NAN = np.full((1, 3), np.nan)


@settings(max_examples=50, deadline=None)
@given(LOGITS)
def test_softmax_is_scipys(logits: np.ndarray) -> None:
    probabilities = ONE_CLASS.probabilities(logits)
    np.testing.assert_allclose(probabilities, scipy.special.softmax(logits, axis=1), atol=1e-12)


@settings(max_examples=50, deadline=None)
@given(LOGITS)
def test_sigmoid_is_scipys_also_far_below_zero(logits: np.ndarray) -> None:
    wanted = scipy.special.expit(logits)
    smallest = np.finfo(np.float64).tiny  # SciPy gives 0 below it
    np.testing.assert_allclose(SEVERAL.probabilities(logits), wanted, rtol=1e-12, atol=smallest)


@given(LOGITS)
def test_scores_of_the_model_itself_stay_as_they_are(logits: np.ndarray) -> None:
    assert np.array_equal(Decision("none").probabilities(logits), logits)


@pytest.mark.parametrize("function", ["softmax", "sigmoid"])
@settings(max_examples=30, deadline=None)
@given(logits=LOGITS, temperature=st.floats(0.05, 20))
def test_a_temperature_divides_the_logits(
    function: Function, logits: np.ndarray, temperature: float
) -> None:
    plain, warm = Decision(function), Decision(function, temperature=temperature)
    assert np.array_equal(warm.probabilities(logits), plain.probabilities(logits / temperature))
    each = Decision(function, temperature=(temperature,) * logits.shape[1])
    assert np.array_equal(each.probabilities(logits), warm.probabilities(logits))


@given(LOGITS)
def test_one_class_answers_with_the_top_alone(logits: np.ndarray) -> None:
    probabilities = ONE_CLASS.probabilities(logits)
    answers = ONE_CLASS.answers(probabilities)
    assert (answers.sum(axis=1) == 1).all()
    assert np.array_equal(answers.argmax(axis=1), ONE_CLASS.top(probabilities))
    assert (probabilities[answers] == probabilities.max(axis=1)).all()


def test_the_first_of_equals_is_the_top() -> None:
    assert ONE_CLASS.top(np.array([[0.2, 0.4, 0.4]])).tolist() == [1]


def test_several_classes_are_those_that_reach_their_threshold() -> None:
    probabilities = np.array([[0.5, 0.6, 0.1], [0.49, 0.2, 0.3], [0.9, 0.8, 0.7]])
    assert SEVERAL.answers(probabilities).tolist() == [
        [True, True, False],
        [False, False, False],
        [True, True, True],
    ]
    fitted = Decision("sigmoid", several=True, thresholds=(0.45, 0.7, 0.3))
    assert fitted.answers(probabilities).tolist() == [
        [True, False, False],
        [True, False, True],
        [True, True, True],
    ]


def test_unsure_is_a_low_probability_or_no_answer() -> None:
    probabilities = np.array([[0.5, 0.3, 0.2], [0.45, 0.35, 0.2]])
    assert ONE_CLASS.unsure(probabilities).tolist() == [False, True]
    assert Decision(unsure_below=0.4).unsure(probabilities).tolist() == [False, False]
    nothing_reached = Decision("sigmoid", several=True, unsure_below=0.1, thresholds=0.48)
    assert nothing_reached.unsure(probabilities).tolist() == [False, True]


@pytest.mark.parametrize(
    "decision", [ONE_CLASS, SEVERAL, Decision("none"), Decision(unsure_below=0)]
)
def test_a_row_of_nan_has_no_answer(decision: Decision) -> None:
    assert decision.top(NAN).tolist() == [-1]
    assert not decision.answers(NAN).any()
    assert decision.unsure(NAN).tolist() == [True]
