"""Figures of calibration agree with those of scikit-learn, and their intervals hold the truth."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.calibration import calibration_curve
from sklearn.metrics import brier_score_loss, roc_auc_score

from emolens.calibration import Promise
from emolens.decide import ONE_CLASS, Decision
from emolens.evaluation.calibration import (
    BROKEN,
    KEPT,
    OPEN,
    PromiseKept,
    accuracy_by_share,
    augrc,
    brier_score,
    calibration_figures,
    classwise_calibration_error,
    expected_calibration_error,
    promise_kept,
    reliability,
    uncalibrated,
)
from emolens.evaluation.gaps import Measured


def rows(
    n: int, *, k: int = 4, temperature: float = 1.0, seed: int = 0
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Labels, the probabilities of a model, and the true ones; equal if the temperature is 1."""
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, k, n)
    logits = 1.5 * rng.standard_normal((n, k))
    logits[np.arange(n), labels] += 1.5**2
    wrong = Decision(temperature=temperature)
    return labels, wrong.probabilities(logits), ONE_CLASS.probabilities(logits)


def test_the_expected_calibration_error_by_hand() -> None:
    labels = np.array([0, 0, 1, 2])
    probabilities = np.array(
        [
            [0.91, 0.09, 0.0],  # right
            [0.08, 0.92, 0.0],  # wrong
            [0.3, 0.41, 0.29],  # right
            [0.19, 0.405, 0.405],  # wrong: of equal ones the first is the answer
        ]
    )
    upper, lower = abs((0.91 + 0.92) / 2 - 0.5), abs((0.41 + 0.405) / 2 - 0.5)
    wanted = (2 * upper + 2 * lower) / 4
    assert expected_calibration_error(labels, probabilities).value == pytest.approx(wanted)


def test_certain_and_right_is_calibrated_and_certain_and_wrong_is_not() -> None:
    sure = np.eye(2)[[0, 1, 0]]
    right, wrong = (expected_calibration_error(np.array(y), sure) for y in ([0, 1, 0], [1, 0, 1]))
    assert (right.value, wrong.value) == (0, 1)
    assert wrong.low > 0.3
    assert right.low == 0


def test_reliability_is_scikit_learns() -> None:
    labels, probabilities, _ = rows(500)
    right, top = ONE_CLASS.top(probabilities) == labels, probabilities.max(axis=1)
    accuracy, confidence = calibration_curve(right, top, n_bins=15)
    bins = reliability(labels, probabilities)
    assert [b.accuracy for b in bins] == pytest.approx(accuracy)
    assert [b.confidence for b in bins] == pytest.approx(confidence)
    assert sum(b.rows for b in bins) == 500
    for b in bins:
        assert b.start <= b.confidence <= b.end
        assert b.low <= b.accuracy <= b.high
    error = sum(b.rows * abs(b.accuracy - b.confidence) for b in bins) / 500
    assert expected_calibration_error(labels, probabilities).value == pytest.approx(error)


def test_the_class_wise_error_is_the_mean_of_the_classes() -> None:
    labels, probabilities, _ = rows(500, k=3)
    of_classes = []
    for k in range(3):
        hits, p = labels == k, probabilities[:, k]
        accuracy, confidence = calibration_curve(hits, p, n_bins=15)
        counts = np.histogram(p, bins=15, range=(0, 1))[0]
        of_classes.append(np.average(np.abs(accuracy - confidence), weights=counts[counts > 0]))
    measured = classwise_calibration_error(labels, probabilities)
    assert measured.value == pytest.approx(np.mean(of_classes))
    assert measured.low <= measured.value <= measured.high


@pytest.mark.parametrize("k", [2, 3, 7])
def test_the_brier_score_is_scikit_learns(k: int) -> None:
    labels, probabilities, _ = rows(300, k=k)
    wanted = brier_score_loss(labels, probabilities, labels=list(range(k)), scale_by_half=False)
    assert brier_score(labels, probabilities).value == pytest.approx(wanted)


def test_augrc_follows_from_accuracy_and_the_roc_curve_of_errors() -> None:
    # Equation 7 of Traub et al. (2024): errors below right answers, and pairs of errors.
    labels, probabilities, _ = rows(400)
    probabilities = probabilities.round(1)  # many rows of equal probability
    right = ONE_CLASS.top(probabilities) == labels
    ranking = roc_auc_score(right, probabilities.max(axis=1))
    accuracy = right.mean()
    wanted = (1 - ranking) * accuracy * (1 - accuracy) + (1 - accuracy) ** 2 / 2
    assert augrc(labels, probabilities) == pytest.approx(wanted)


def test_with_random_probabilities_augrc_is_half_of_the_errors() -> None:
    labels = np.array([0] * 60 + [1] * 40)
    same = np.tile([0.7, 0.3], (100, 1))
    assert augrc(labels, same) == pytest.approx(0.2)
    assert [p.answered for p in accuracy_by_share(labels, same)] == [1.0]


def test_the_curve_answers_the_rows_with_the_highest_probabilities_first() -> None:
    labels, probabilities, _ = rows(1000)
    curve = accuracy_by_share(labels, probabilities)
    right = ONE_CLASS.top(probabilities) == labels
    first = np.argsort(-probabilities.max(axis=1), kind="stable")
    assert len(curve) == 100
    assert curve[-1].accuracy == right.mean()
    for point in curve:
        assert point.accuracy == pytest.approx(right[first[: round(point.answered * 1000)]].mean())
        assert point.low <= point.accuracy <= point.high


def covered(measure: object, n: int, k: int, temperature: float) -> float:
    """The share of data sets whose interval holds the figure of very many rows."""
    _, many, true = rows(20_000, k=k, temperature=temperature, seed=999)
    # The labels of many rows are replaced by their true probabilities: no noise of labels.
    truth = truth_of(measure, many, true)
    inside = []
    for seed in range(60):
        labels, probabilities, _ = rows(n, k=k, temperature=temperature, seed=seed)
        measured: Measured = measure(labels, probabilities)  # type: ignore[operator]
        inside.append(measured.low - 1e-3 <= truth <= measured.high + 1e-3)
    return float(np.mean(inside))


def truth_of(measure: object, probabilities: np.ndarray, true: np.ndarray) -> float:
    """The figure if the true probabilities are known."""
    if measure is brier_score:
        return float((true * (1 - true) + (probabilities - true) ** 2).sum(axis=1).mean())
    if measure is expected_calibration_error:
        answers = ONE_CLASS.top(probabilities)[:, None]
        probabilities, true = (
            np.take_along_axis(p, answers, axis=1) for p in (probabilities, true)
        )
    errors = []
    for p, q in zip(probabilities.T, true.T, strict=True):
        bins = np.minimum((p * 15).astype(int), 14)
        errors.append(np.abs(np.bincount(bins, weights=p - q)).sum() / len(p))
    return float(np.mean(errors))


@pytest.mark.parametrize(("n", "k", "temperature"), [(100, 2, 1.0), (400, 5, 0.5), (300, 3, 1.5)])
@pytest.mark.parametrize(
    "measure", [expected_calibration_error, classwise_calibration_error, brier_score]
)
def test_the_truth_is_covered_as_often_as_the_level_says(
    measure: object, n: int, k: int, temperature: float
) -> None:
    assert covered(measure, n, k, temperature) >= 0.88


def test_a_model_that_promises_too_much_is_found_with_enough_rows() -> None:
    labels, probabilities, _ = rows(2000, temperature=0.5)
    assert expected_calibration_error(labels, probabilities).low > 0.05
    before, after = (
        calibration_figures(labels, uncalibrated(probabilities, t)) for t in (1.0, 0.5)
    )
    assert after.expected.value < before.expected.value
    assert after.brier.value < before.brier.value
    assert after.confidence < before.confidence
    assert after.augrc == pytest.approx(before.augrc, abs=0.01)


def test_uncalibrated_takes_the_temperature_back() -> None:
    logits = np.random.default_rng(0).standard_normal((50, 3)) * 9
    calibrated = Decision(temperature=1.7).probabilities(logits)
    assert uncalibrated(calibrated, 1.7) == pytest.approx(ONE_CLASS.probabilities(logits))
    temperatures = (1.7, 0.6, 2.5)
    several = Decision("sigmoid", several=True)
    warm = Decision("sigmoid", several=True, temperature=temperatures).probabilities(logits)
    back = uncalibrated(warm, temperatures, several=True)
    assert back == pytest.approx(several.probabilities(logits))


def test_rows_with_several_labels_have_their_figures_too() -> None:
    rng = np.random.default_rng(0)
    probabilities = rng.random((2000, 3))
    labels = rng.random((2000, 3)) < probabilities
    figures = calibration_figures(labels, probabilities)
    assert figures.classwise.low < 0.01
    assert figures.classwise.value < 0.05
    assert figures.brier.value == pytest.approx(((probabilities - labels) ** 2).mean() * 1)
    top = probabilities.argmax(axis=1)
    assert reliability(labels, probabilities)[-1].accuracy == pytest.approx(
        labels[np.arange(2000), top][probabilities.max(axis=1) >= 14 / 15].mean()
    )


def test_a_promise_counts_the_rows_at_or_above_its_threshold() -> None:
    labels = np.array([0, 0, 1, 1])
    probabilities = np.array([[0.9, 0.1], [0.8, 0.2], [0.8, 0.2], [0.3, 0.7]])
    kept = promise_kept(labels, probabilities, Promise(0.5, 0.8, 0.75))
    assert (kept.rows, kept.answered, kept.right) == (4, 3, 2)
    assert (kept.share, kept.accuracy) == (0.75, pytest.approx(2 / 3))
    fewer = promise_kept(
        labels,
        probabilities,
        Promise(0.5, 0.8, 0.75),
        answerable=np.array([True, False, True, True]),
    )
    assert (fewer.rows, fewer.answered, fewer.right) == (4, 2, 1)
    none = promise_kept(labels, probabilities, Promise(0.9, 0.99, 0.1))
    assert (none.accuracy, none.outcome) == (None, OPEN)


@pytest.mark.parametrize(
    ("promised", "answered", "right", "outcome"),
    [
        (0.9, 200, 180, KEPT),
        (0.9, 200, 178, OPEN),  # fewer, and it may be chance
        (0.9, 200, 160, BROKEN),
        (0.9, 9, 9, OPEN),  # one error would break it
        (0.9, 10, 10, KEPT),
        (0.97, 33, 33, OPEN),
    ],
)
def test_a_promise_is_kept_broken_or_open(
    promised: float, answered: int, right: int, outcome: str
) -> None:
    # Only `promised` matters above the threshold of 0.6; other rows are not answered.
    labels = np.array([0] * right + [1] * (answered - right) + [0] * 50)
    probabilities = np.array([[0.8, 0.2]] * answered + [[0.55, 0.45]] * 50)
    kept = promise_kept(labels, probabilities, Promise(promised, 0.6, 0.5))
    assert isinstance(kept, PromiseKept)
    assert kept.outcome == outcome


@pytest.mark.parametrize("k", [2, 3, 7])
@pytest.mark.parametrize("power", range(-16, -5))
def test_a_model_that_is_nearly_certain_has_figures(k: int, power: int) -> None:
    rng = np.random.default_rng(0)
    labels = rng.integers(0, k, 200)
    for answers in (labels, np.zeros_like(labels)):
        probabilities = 10.0**power * rng.random((200, k))
        probabilities[np.arange(200), answers] = 0
        probabilities[np.arange(200), answers] = 1 - probabilities.sum(axis=1)
        figures = calibration_figures(labels, probabilities)
        assert figures.expected.low <= figures.expected.value <= figures.expected.high


def test_an_error_that_noise_alone_could_make_is_said_as_a_bound() -> None:
    rng, rows = np.random.default_rng(0), 2000
    probabilities = rng.dirichlet(np.ones(27), rows)
    labels = np.array([rng.choice(27, p=row) for row in probabilities])
    error = classwise_calibration_error(labels, probabilities)
    assert error.low == 0
    assert error.value >= error.high
    assert str(error) == f"at most {error.high:.3f}"
    assert str(Measured(0.011, 0.0, 0.016)) == "0.011 (0.000–0.016)"
    assert str(Measured(0.02, 0.01, 0.02)) == "0.020 (0.010–0.020)"
    assert str(Measured(0.0, 0.0, 0.0)) == "0.000 (0.000–0.000)"
