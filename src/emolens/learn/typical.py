"""Measures what the texts of train are like, with the model that was trained on them.

The limits are set on validation: 1 % of its texts is called unlike those of train. Knows nothing of
files.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from emolens.data.dataset import TRAIN, VALIDATION, Dataset
from emolens.data.languages import main_language
from emolens.encode.engines.base import Engine, run_batches
from emolens.encode.tokenize import Tokenizer, Tokens
from emolens.likeness import Directions, TrainingTexts, log_of, scaled

UNLIKE = 0.01  # of the texts of validation
_SAMPLE = 2000  # texts of train whose embeddings are computed
_NEARLY_ALL = 0.9995  # of the texts of train are within the limits of length and unknown tokens
_FEW_UNKNOWN = 0.2  # no text is called unlike for a smaller share of unknown tokens
_SHRINKAGE = 0.3  # keeps directions in which few texts differ from deciding alone
_AXES = 32  # more tell no more, and take time for each text
_ROUNDING = 1e-3  # other engines round otherwise
_SAME_LENGTH = 0.01  # for texts that all have the same length
_SMALLEST = 1e-12  # for a model that gives all texts the same embedding


def typical(
    engine: Engine,
    dataset: Dataset,
    tokens: Mapping[str, Tokens],
    tokenizer: Tokenizer,
    *,
    of_validation: np.ndarray,
) -> tuple[TrainingTexts, Directions]:
    """What nearly all texts of train are like.

    engine: gives logits and embeddings. of_validation: the embeddings of validation, (n, d).
    """
    train, validation = tokens[TRAIN], tokens[VALIDATION]
    sample = train.take(np.arange(0, len(train), -(-len(train) // _SAMPLE)))
    of_train = run_batches(
        engine, sample, tokenizer.pad_id, then=lambda outputs: outputs[:, -engine.n_more :]
    )
    directions = directions_of(of_train)
    slope = slope_of(directions.distances(of_train), sample.n_whole)
    distances = scaled(directions.distances(of_validation), validation.n_whole, slope)
    edges = np.quantile(train.n_whole, [1 - _NEARLY_ALL, _NEARLY_ALL]).astype(int)
    unknown = np.quantile(tokenizer.unknown_shares(train), _NEARLY_ALL)
    texts = TrainingTexts(
        main_language(dataset[TRAIN].texts),
        length=(int(edges[0]), int(edges[1])),
        unknown=max(float(unknown), _FEW_UNKNOWN),
        distance=np.inf,
        slope=slope,
        rows=len(validation),
        unlike=0,
    )
    shares = tokenizer.unknown_shares(validation)
    others = texts.reasons(validation.n_whole, shares, None) != ""
    within = distances if others.all() else np.sort(distances[~others])
    left = max(int(UNLIKE * len(validation)) - int(others.sum()), 0)
    limit = within[-1 - left] + _ROUNDING
    unlike = int((others | (distances > limit)).sum())
    return replace(texts, distance=float(limit), unlike=unlike), directions


def directions_of(embeddings: np.ndarray) -> Directions:
    """The directions in which embeddings vary most, (n, d), and how much."""
    exact = embeddings.astype(np.float64)
    center, d = exact.mean(axis=0), exact.shape[1]
    variances, axes = np.linalg.eigh((exact - center).T @ (exact - center) / len(exact))
    shrunk = (1 - _SHRINKAGE) * variances + _SHRINKAGE * variances.mean() + _SMALLEST
    others = d - min(_AXES, d // 2)
    scale = 1 / shrunk[:others].mean()
    kept = axes[:, others:] * np.sqrt(scale - 1 / shrunk[others:])
    return Directions(*(values.astype(np.float32) for values in (center, kept, np.array([scale]))))


def slope_of(distances: np.ndarray, lengths: np.ndarray) -> float:
    """How the logarithm of the distance changes with that of the number of tokens."""
    logs = log_of(lengths) - log_of(lengths).mean()
    return float(logs @ log_of(distances) / (logs @ logs + _SAME_LENGTH))
