"""How well probabilities say how often answers are right, and what it costs to leave rows unsure.

Takes labels and probabilities; knows nothing of models, and measures promises without making them.
Labels are (n,) class ids, or (n, k) bool where a row may have several classes.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from emolens.calibration import Promise
from emolens.decide import ONE_CLASS, Decision
from emolens.evaluation.gaps import Gaps, Measured, mean_gap
from emolens.evaluation.intervals import wilson
from emolens.shown import one_line

KEPT, BROKEN, OPEN = "kept", "broken", "too few rows to say"
# Of a curve.
_MOST_POINTS = 100


@dataclass(frozen=True)
class CalibrationFigures:
    """The calibration of one model on one split.

    expected: the expected calibration error. classwise: the class-wise one. brier: the Brier score.
    confidence: the mean of the highest probabilities; it is the accuracy that the model expects.
    half: the accuracy of the half of the rows with the highest probabilities. augrc: see `augrc`.
    """

    expected: Measured
    classwise: Measured
    brier: Measured
    confidence: float
    half: float
    augrc: float


@dataclass(frozen=True)
class Bin:
    """Rows whose highest probability is from `start` to `end`.

    confidence: its mean. accuracy: the share of right answers. low, high: its 95 % interval.
    """

    start: float
    end: float
    rows: int
    confidence: float
    accuracy: float
    low: float
    high: float


@dataclass(frozen=True)
class Point:
    """If the rows with the highest probabilities are answered: their share, and their accuracy.

    low, high: the 95 % interval of the accuracy.
    """

    answered: float
    accuracy: float
    low: float
    high: float


@dataclass(frozen=True)
class PromiseKept:
    """A promise, and what came of it on `rows` rows.

    promised: at least this share of the answered rows should be right. answered, right: how many
    are. low, high: the 95 % interval of the share of right ones. threshold: the lowest probability
    of a row that is answered; None in files of an earlier emolens.
    """

    promised: float
    rows: int
    answered: int
    right: int
    low: float
    high: float
    threshold: float | None = None

    def __repr__(self) -> str:
        counts = f"{self.right:,} of {self.answered:,} answers right"
        return one_line(self, f"{self.promised:.3g} promised", counts, self.outcome)

    @property
    def share(self) -> float:
        """The share of rows that are answered."""
        return self.answered / max(self.rows, 1)

    @property
    def accuracy(self) -> float | None:
        """The share of answered rows that are right; None without an answered row."""
        return self.right / self.answered if self.answered else None

    @property
    def outcome(self) -> str:
        """KEPT, BROKEN, or OPEN.

        It is OPEN if fewer are right than promised and this may be chance, and where the rows are
        so few that a single error would break the promise.
        """
        if self.answered * (1 - self.promised) < 1 - 1e-9:
            return OPEN
        if self.right >= self.promised * self.answered - 1e-9:
            return KEPT
        return BROKEN if self.high < self.promised else OPEN


def calibration_figures(labels: np.ndarray, probabilities: np.ndarray) -> CalibrationFigures:
    """All figures of one model on one split."""
    return CalibrationFigures(
        expected=expected_calibration_error(labels, probabilities),
        classwise=classwise_calibration_error(labels, probabilities),
        brier=brier_score(labels, probabilities),
        confidence=float(probabilities.max(axis=1).mean()),
        half=_accuracy_of(labels, probabilities, share=0.5),
        augrc=augrc(labels, probabilities),
    )


def expected_calibration_error(labels: np.ndarray, probabilities: np.ndarray) -> Measured:
    """The expected calibration error (Guo et al., 2017).

    Rows are put into 15 bins of equal width by their highest probability. The error is the gap
    between mean probability and accuracy of a bin, averaged over the bins, weighted by their rows.
    """
    top, right = _top_and_right(labels, probabilities)
    return mean_gap(top[:, None], right[:, None])


def classwise_calibration_error(labels: np.ndarray, probabilities: np.ndarray) -> Measured:
    """The class-wise calibration error (Kull et al., 2019): the mean over the classes.

    For each class, all rows are put into 15 bins by the probability of this class, and the gap is
    between its mean and the share of rows of this class.
    """
    return mean_gap(probabilities, _hits(labels, probabilities), one_each=labels.ndim == 1)


def brier_score(labels: np.ndarray, probabilities: np.ndarray) -> Measured:
    """The Brier score (1950), from 0 to 2: the squared distance of probabilities and labels.

    With several classes per row it is the mean over the classes, from 0 to 1. The interval is
    Wilson's, with the number of rows with which a share would vary as much as the score does.
    """
    several = labels.ndim == 2
    losses = ((probabilities - _hits(labels, probabilities)) ** 2).sum(axis=1)
    largest = probabilities.shape[1] if several else 2.0
    score, n = float(losses.mean()) / largest, len(losses)
    # As many imagined rows as in intervals.py, with the variance that a right model would expect.
    by_class = probabilities * (1 - probabilities)
    expected = float((by_class * (1 - 2 * probabilities) ** 2).sum(axis=1).mean()) / largest**2
    variance = (losses.var() / largest**2 * n + 2 * expected) / (n + 2)
    rows = max(score * (1 - score) / variance * n, n) if variance > 0 else n
    low, high = wilson(score, float(rows))
    scale = 1.0 if several else largest
    return Measured(score * scale, low * scale, high * scale)


def reliability(labels: np.ndarray, probabilities: np.ndarray) -> tuple[Bin, ...]:
    """The bins of the expected calibration error, without those that have no rows."""
    top, right = _top_and_right(labels, probabilities)
    gaps = Gaps.of(top[:, None], right[:, None])
    bins = []
    columns = (of.tolist() for of in (gaps.cells, gaps.counts, gaps.mean, gaps.hits))
    for cell, n, mean, hits in zip(*columns, strict=True):
        bins.append(Bin(*gaps.edges(cell), n, mean, hits / n, *wilson(hits / n, n)))
    return tuple(bins)


def accuracy_by_share(labels: np.ndarray, probabilities: np.ndarray) -> tuple[Point, ...]:
    """The accuracy against the share of rows answered, from few rows to all; 100 points at most.

    Rows of equal probability are answered together.
    """
    answered, right = _by_threshold(labels, probabilities)
    n = int(answered[-1])
    wanted = np.arange(1, _MOST_POINTS + 1) / _MOST_POINTS * n
    places = np.unique(np.searchsorted(answered, np.ceil(wanted - 1e-9)))
    return tuple(
        Point(m / n, r / m, *wilson(r / m, m))
        for m, r in zip(answered[places].tolist(), right[places].tolist(), strict=True)
    )


def augrc(labels: np.ndarray, probabilities: np.ndarray) -> float:
    """The area under the generalized risk coverage curve (Traub et al., 2024); lower is better.

    It is the share of rows that are answered and wrong, averaged over all shares of answered rows:
    the errors that are not noticed. With random probabilities it is half of the share of errors.
    """
    answered, right = (np.append(0, of) for of in _by_threshold(labels, probabilities))
    risk, share = (answered - right) / answered[-1], answered / answered[-1]
    return float(np.trapezoid(risk, share))


def promise_kept(
    labels: np.ndarray,
    probabilities: np.ndarray,
    promise: Promise,
    *,
    answerable: np.ndarray | None = None,
) -> PromiseKept:
    """Answer the rows as the promise asks, and count the right answers.

    answerable: (n,) bool, rows that are not unsure for other reasons, such as texts that were cut.
    """
    answered = ~Decision(unsure_below=promise.threshold).unsure(probabilities)
    if answerable is not None:
        answered &= answerable
    _, right = _top_and_right(labels, probabilities)
    n, n_right = int(answered.sum()), int(right[answered].sum())
    low, high = wilson(n_right / n, n) if n else (0.0, 1.0)
    return PromiseKept(promise.right, len(answered), n, n_right, low, high, promise.threshold)


def uncalibrated(
    probabilities: np.ndarray, temperature: float | tuple[float, ...], *, several: bool = False
) -> np.ndarray:
    """The probabilities that the model gave before its logits were divided by the temperature."""
    logits = np.log(np.maximum(probabilities, 1e-300))
    if several:
        logits -= np.log(np.maximum(1 - probabilities, 1e-300))
    if isinstance(temperature, tuple):
        back: float | tuple[float, ...] = tuple(1 / of_class for of_class in temperature)
    else:
        back = 1 / temperature
    return Decision("sigmoid" if several else "softmax", temperature=back).probabilities(logits)


def _hits(labels: np.ndarray, probabilities: np.ndarray) -> np.ndarray:
    """(n, k) float: 1 for each class that a row has."""
    if labels.ndim == 2:
        return labels.astype(np.float64)
    return np.asarray(labels[:, None] == np.arange(probabilities.shape[1]), dtype=np.float64)


def _top_and_right(labels: np.ndarray, probabilities: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(n,) the highest probability of each row, and (n,) bool, whether its class is right."""
    rows, answers = np.arange(len(labels)), ONE_CLASS.top(probabilities)
    right = labels[rows, answers] if labels.ndim == 2 else answers == labels
    return probabilities[rows, answers], np.asarray(right)


def _accuracy_of(labels: np.ndarray, probabilities: np.ndarray, *, share: float) -> float:
    """The accuracy of this share of the rows, or of a few more if probabilities are equal."""
    answered, right = _by_threshold(labels, probabilities)
    place = np.searchsorted(answered, share * answered[-1])
    return float(right[place] / answered[place])


def _by_threshold(labels: np.ndarray, probabilities: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """For each threshold from high to low, how many rows are answered, and how many are right."""
    top, right = _top_and_right(labels, probabilities)
    order = np.argsort(-top, kind="stable")
    last = np.append(np.flatnonzero(np.diff(top[order])), len(order) - 1)
    return last + 1, np.cumsum(right[order])[last]
