"""Gaps between probabilities and the share of right answers, in bins, and their interval.

Takes plain arrays; knows nothing of models, labels or promises.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

N_BINS = 15
_DRAWS = 400
_LARGEST_SCALE, _HALVINGS = 1024.0, 14
# Rows without a gap that are imagined in each bin.
_PRIOR_ROWS = 2.0


@dataclass(frozen=True)
class Measured:
    """A figure with its 95 % interval."""

    value: float
    low: float
    high: float

    @property
    def is_at_most(self) -> bool:
        """Whether only the high end says something: a mean gap that noise alone could make.

        Noise makes a measured gap too wide, so it can be as wide as the widest gap that is likely.
        """
        return self.low == 0 < self.high <= self.value

    def __str__(self) -> str:
        if self.is_at_most:
            return f"at most {self.high:.3f}"
        return f"{self.value:.3f} ({self.low:.3f}–{self.high:.3f})"


@dataclass(frozen=True)
class Gaps:
    """Rows in 15 bins of equal width, by their probability; only bins with rows.

    n_rows: all rows. n_columns: how many probabilities each row has, each with bins of its own.
    cells: numbers of the bins, which count on from column to column. counts, mean: rows in each
    bin, and their mean probability. hits: how many of the rows are what the probability is about.
    """

    n_rows: int
    n_columns: int
    cells: np.ndarray
    counts: np.ndarray
    mean: np.ndarray
    hits: np.ndarray

    @classmethod
    def of(cls, probabilities: np.ndarray, hits: np.ndarray) -> Gaps:
        """probabilities, hits: (n, m)."""
        n, m = probabilities.shape
        cell = _cell_of(probabilities)
        counts = np.bincount(cell.ravel(), minlength=m * N_BINS)
        sums = np.bincount(cell.ravel(), weights=probabilities.ravel(), minlength=m * N_BINS)
        right = np.bincount(cell.ravel(), weights=hits.ravel(), minlength=m * N_BINS)
        cells = np.flatnonzero(counts)
        counts = counts[cells]
        mean = np.clip(sums[cells] / counts, 0, 1)  # rounding may put it beyond 1
        return cls(n, m, cells, counts, mean, right[cells])

    @property
    def error(self) -> float:
        """The mean gap: of each column, weighted by the rows of the bins; then of all columns."""
        return self.mean_of(self.mean - self.hits / self.counts)

    def mean_of(self, gaps: np.ndarray) -> float:
        """The mean of these gaps in place of the measured ones."""
        return float(np.abs(gaps * self.counts).sum() / self.n_rows / self.n_columns)

    def edges(self, cell: int) -> tuple[float, float]:
        """Where a bin starts and ends."""
        return cell % N_BINS / N_BINS, (cell % N_BINS + 1) / N_BINS

    def shrunk(self, errors: float) -> np.ndarray:
        """The gaps, closer to 0 by a few imagined rows and by this number of standard errors.

        A gap that noise alone could make is then 0. If all gaps are, they stay as they are.
        """
        gaps = (self.mean * self.counts - self.hits) / (self.counts + _PRIOR_ROWS)
        deviation = np.sqrt(self.mean * (1 - self.mean) / self.counts)
        left = np.sign(gaps) * np.maximum(np.abs(gaps) - errors * deviation, 0)
        return np.asarray(left if left.any() else gaps)

    def possible(self, gaps: np.ndarray) -> np.ndarray:
        """These gaps, cut where a share of right rows would be below 0 or above 1."""
        return np.asarray(self.mean - np.clip(self.mean - gaps, 0, 1))

    def drawn(self, gaps: np.ndarray, noise: np.ndarray) -> np.ndarray:
        """What `error` is in data whose true gaps are these. noise: (draws, bins), standardized."""
        shares, right = self.counts / self.n_rows, self.mean - gaps
        variance = right * (1 - right) * shares + gaps**2 * shares * (1 - shares)
        deviation = np.sqrt(np.maximum(variance, 0) / self.n_rows)
        drawn = np.abs(gaps * shares + noise * deviation)
        return np.asarray(drawn.sum(axis=1) / self.n_columns)


def mean_gap(
    probabilities: np.ndarray, hits: np.ndarray, *, one_each: bool = True, level: float = 0.95
) -> Measured:
    """The mean gap between probability and share of hits, with its interval.

    probabilities, hits: (n, m). one_each: each row has one hit at most, so its hits depend on each
    other. The measured gap is never below 0, so noise makes it too wide, most with few rows; what
    resamples the rows adds the noise once more. So the interval is found the other way round: it
    holds the true gaps that would often give a measured gap like this one. They are assumed to be
    the measured ones times one number; for the low end those that stand out from the noise, because
    a few wide gaps show more than many small ones. benchmarks/calibration.py measures how often the
    interval holds the true gap.
    """
    gaps = Gaps.of(probabilities, hits)
    noise = np.random.default_rng(0).standard_normal((_DRAWS, len(gaps.cells)))
    if one_each and gaps.n_columns > 1:
        noise = noise @ _root(probabilities, gaps).T
    low = _true_error(gaps, gaps.shrunk(1.0), noise, quantile=(1 + level) / 2)
    high = _true_error(gaps, gaps.shrunk(0.0), noise, quantile=(1 - level) / 2)
    return Measured(gaps.error, low=min(low, gaps.error), high=max(high, gaps.error))


def _cell_of(probabilities: np.ndarray) -> np.ndarray:
    """(n, m): the number of the bin of each probability."""
    bins = np.minimum((probabilities * N_BINS).astype(int), N_BINS - 1)
    return np.asarray(bins + N_BINS * np.arange(probabilities.shape[1]))


def _true_error(gaps: Gaps, shape: np.ndarray, noise: np.ndarray, *, quantile: float) -> float:
    """The true error with which the measured one is this quantile of what is measured; or 0.

    shape: the true gaps are these, times one number, which is found here.
    """

    def is_below(scale: float) -> bool:
        drawn = gaps.drawn(gaps.possible(scale * shape), noise)
        return bool(np.quantile(drawn, quantile) < gaps.error)

    if not is_below(0.0):
        return 0.0
    low, high = 0.0, 1.0
    while is_below(high) and high < _LARGEST_SCALE:
        high *= 2
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        low, high = (middle, high) if is_below(middle) else (low, middle)
    return gaps.mean_of(gaps.possible(high * shape))


def _root(probabilities: np.ndarray, gaps: Gaps) -> np.ndarray:
    """(bins, bins): turns independent noise into noise as dependent as the hits of a row are."""
    cell = _cell_of(probabilities)
    m = probabilities.shape[1]
    together = np.zeros((m * N_BINS, m * N_BINS))  # sums over the rows that are in both bins
    for column in range(m):
        pair = cell[:, [column]] % N_BINS * m * N_BINS + cell
        products = probabilities[:, [column]] * probabilities
        sums = np.bincount(pair.ravel(), products.ravel(), minlength=N_BINS * m * N_BINS)
        together[column * N_BINS : (column + 1) * N_BINS] = sums.reshape(N_BINS, -1)
    covariance = -together[np.ix_(gaps.cells, gaps.cells)]
    covariance[np.diag_indices_from(covariance)] += gaps.mean * gaps.counts
    # Of probabilities that are nearly 0 or 1, only rounding is left: too little to be divided by.
    deviation = np.sqrt(np.maximum(np.diag(covariance), 1e-8 * gaps.counts))
    correlation = covariance / deviation / deviation[:, None]
    # A row's hits sum to 1, so the matrix has no full rank; Cholesky asks for one.
    correlation[np.diag_indices_from(correlation)] = 1 + 1e-6
    return np.asarray(np.linalg.cholesky(correlation))
