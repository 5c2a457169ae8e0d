"""Calibration on validation: the temperature, the promises and the prediction sets."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.calibration import _TemperatureScaling

from emolens.calibration import PROMISES
from emolens.decide import Decision
from emolens.learn.calibrate import (
    ENOUGH,
    HeldOut,
    calibrate,
    choosing_rows,
    find_promises,
    fit_temperature,
    held_out,
    parts,
)


def drawn(n: int, *, sharpness: float = 2.0, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Logits that are `sharpness` times too sure, and labels drawn from what they mean."""
    rng = np.random.default_rng(seed)
    logits = rng.normal(size=(n, 4)) * 2.5
    shares = Decision().probabilities(logits)
    labels = (rng.random((n, 1)) > shares.cumsum(axis=1)).sum(axis=1)
    return logits * sharpness, np.minimum(labels, 3)


@pytest.mark.parametrize("n", [999, 1000, 37, 5, 3])
def test_each_part_is_a_split_of_all_rows_and_has_its_share_of_each_class(n: int) -> None:
    labels = np.arange(n) % 3
    cut = parts(labels)
    assert len(cut) == (1 if n >= ENOUGH else 5)
    for choosing, calibrating in cut:
        assert sorted([*choosing, *calibrating]) == list(range(n))
        counts = np.bincount(labels[calibrating], minlength=3)
        assert counts.max() - counts.min() <= 2
    if n < ENOUGH:
        assert sorted(np.concatenate([rows for _, rows in cut])) == list(range(n))
        assert choosing_rows(cut).tolist() == list(range(n))
    else:
        assert len(choosing_rows(cut)) == n / 2


def test_a_row_never_takes_part_in_the_choice_of_its_own_logits() -> None:
    """Each candidate is right for one row only, and chosen by who looks at that row."""
    n = 25
    candidates = [np.eye(n) * 0 + i for i in range(n)]
    cut = parts(np.zeros(n, dtype=np.int64))
    held = held_out(candidates, cut, lambda rows: int(rows[0]))
    for row, logits in zip(held.rows, held.logits, strict=True):
        assert logits[0] != row


@pytest.mark.parametrize("sharpness", [0.5, 1.0, 3.0])
def test_the_temperature_is_that_of_scikit_learn(sharpness: float) -> None:
    logits, labels = drawn(4000, sharpness=sharpness)
    oracle = 1 / _TemperatureScaling().fit(logits, labels).beta_
    assert fit_temperature(logits, labels) == pytest.approx(oracle, rel=1e-3)
    assert oracle == pytest.approx(sharpness, rel=0.1)


def test_each_class_gets_its_own_temperature_where_rows_have_several() -> None:
    rng = np.random.default_rng(1)
    logits = rng.normal(size=(20_000, 2)) * 2
    labels = rng.random((20_000, 2)) < 1 / (1 + np.exp(-logits))
    fitted = fit_temperature(logits * [3.0, 0.5], labels)
    assert fitted == pytest.approx((3.0, 0.5), rel=0.1)


def test_a_few_rows_that_are_all_right_do_not_make_the_model_sure_of_everything() -> None:
    logits = np.eye(3)[np.arange(12) % 3] * 4
    temperature = fit_temperature(logits, np.arange(12) % 3)
    assert isinstance(temperature, float)
    assert 0.3 < temperature < 1


def test_thresholds_keep_their_promises_on_other_rows() -> None:
    logits, labels = drawn(2000)
    calibration = calibrate(HeldOut(np.arange(2000), logits, 1), labels)
    others, their_labels = drawn(200_000, seed=1)
    probabilities = Decision(temperature=calibration.temperature).probabilities(others)
    top, right = probabilities.max(axis=1), probabilities.argmax(axis=1) == their_labels
    assert calibration.promised in PROMISES
    for promise in calibration.promises:
        answered = top >= promise.threshold
        # With 90 % confidence: one of ten may be broken, by the chance that 2,000 rows leave.
        assert right[answered].mean() >= promise.right - 0.02
        assert answered.mean() == pytest.approx(promise.answered, abs=0.05)
    for coverage in (0.5, 0.8, 0.95):
        covers = probabilities[np.arange(200_000), their_labels] >= calibration.set_threshold(
            coverage
        )
        assert covers.mean() == pytest.approx(coverage, abs=0.03)
    assert calibration.threshold_for(1.0)[0] == 0
    assert (top >= calibration.threshold_for(0.8)[0]).mean() == pytest.approx(0.8, abs=0.03)


def test_a_promise_is_broken_as_rarely_as_it_says() -> None:
    """The one promise of .9, over 300 draws of 400 rows."""
    others, their_labels = drawn(100_000, seed=1)
    probabilities = Decision(temperature=2.0).probabilities(others)
    top, right = probabilities.max(axis=1), probabilities.argmax(axis=1) == their_labels
    rng, broken, kept = np.random.default_rng(5), 0, 0
    for _ in range(300):
        rows = rng.integers(0, 100_000, 400)
        for promise in find_promises(top[rows], right[rows], n_rows=400, levels=[0.9]):
            kept += 1
            broken += right[top >= promise.threshold].mean() < 0.9
    assert kept > 150
    assert broken / 300 <= 0.1 + 2 * np.sqrt(0.1 * 0.9 / 300)


def test_a_model_that_guesses_makes_no_promise() -> None:
    rng = np.random.default_rng(0)
    logits, labels = rng.normal(size=(500, 4)), rng.integers(0, 4, 500)
    calibration = calibrate(HeldOut(np.arange(500), logits, 1), labels)
    assert calibration.promised is None
    assert calibration.default is None


def test_no_rows_give_a_calibration_that_promises_nothing() -> None:
    calibration = calibrate(HeldOut(np.arange(0), np.empty((0, 3)), 5), np.empty(0, dtype=np.int64))
    assert calibration.temperature == pytest.approx(1, abs=1e-3)
    assert calibration.promises == ()
    assert calibration.set_threshold(0.9) == 0


def test_rows_that_are_unsure_for_other_reasons_count_as_not_answered() -> None:
    logits, labels = drawn(2000)
    every = HeldOut(np.arange(2000), logits, 1)
    half = calibrate(every, labels, answerable=np.arange(2000) % 2 == 0)
    assert max(promise.answered for promise in half.promises) <= 0.5
