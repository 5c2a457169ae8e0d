"""The shares of the classes in a set of texts, from the answers of a model that makes mistakes.

Takes counts; knows nothing of models, texts or class names.
"""

from __future__ import annotations

import numpy as np

from emolens.evaluation.intervals import PRIOR_ROWS, smoothed

_N_DRAWS = 400
_N_STEPS = 400
_CLOSE = 1e-6  # a step that changes no share by more than this is the last one
# Wider than 95 %, because a class of few rows makes the drawn intervals too narrow. With this, 96
# of 100 true shares are inside (benchmarks/shares.py).
_LEVEL = 0.97


def adjusted_shares(counts: np.ndarray, confusion: np.ndarray) -> np.ndarray:
    """(k, 3) float64: for each class its share without the model's mistakes, and a 95 % interval.

    counts: (k,) how many texts have each class as answer. confusion: (k, k) counts of labelled
    rows, label by answer. The most likely shares are looked for, by expectation maximization, that
    explain the answers if each class is mistaken for others as often as on the labelled rows
    (Saerens, Latinne and Decaestecker, 2002, with answers in place of probabilities). The interval
    comes from drawing the answers and the rates of mistakes anew. It holds for texts like the
    labelled ones, with any mix of the classes.
    """
    n = counts.sum()
    if not n:
        return np.zeros((len(counts), 3))
    rates = smoothed(confusion)
    rng = np.random.default_rng(0)
    imagined = confusion.sum(axis=1, keepdims=True) + PRIOR_ROWS
    drawn = _dirichlet(rng, rates * imagined), _dirichlet(rng, counts + 0.5)
    point = _most_likely(rates[None], (counts / n)[None])[0]
    low, high = np.quantile(_most_likely(*drawn), [(1 - _LEVEL) / 2, (1 + _LEVEL) / 2], axis=0)
    return np.column_stack([point, np.minimum(low, point), np.maximum(high, point)])


def _dirichlet(rng: np.random.Generator, weights: np.ndarray) -> np.ndarray:
    """(_N_DRAWS, …, k): shares that sum to 1, around those of `weights`, (…, k)."""
    gammas = rng.standard_gamma(weights, size=(_N_DRAWS, *weights.shape))
    return np.asarray(gammas / gammas.sum(axis=-1, keepdims=True))


def _most_likely(rates: np.ndarray, answers: np.ndarray) -> np.ndarray:
    """(m, k) the shares of the classes. rates: (m, k, k) label by answer. answers: (m, k) shares.

    Each step gives every answer back to the classes that it may come from.
    """
    shares = np.full_like(answers, 1 / answers.shape[1])
    for _ in range(_N_STEPS):
        expected = np.einsum("mi,mij->mj", shares, rates)
        weights = np.divide(answers, expected, out=np.zeros_like(answers), where=expected > 0)
        before, shares = shares, shares * np.einsum("mij,mj->mi", rates, weights)
        if np.abs(shares - before).max() < _CLOSE:
            break
    return shares
