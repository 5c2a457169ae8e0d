"""TrainingTexts: what the texts are like that a model was trained on, and which are unlike them.

It is measured once, after the training, and the model folder keeps it. Knows nothing of models.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

# Why a text is unlike the training texts. If several hold, the first one is given.
LANGUAGE, UNKNOWN, LONGER, SHORTER, CONTENT = REASONS = (
    *("language", "unknown words", "longer", "shorter", "content"),
)
ARRAYS_FILE = "training_texts.safetensors"
_CHANCE = 0.01  # the largest probability that a table of like texts is called unlike


@dataclass(frozen=True)
class Directions:
    """How the embeddings of the training texts vary, for the distance of Mahalanobis.

    center: (d,) their mean. axes: (d, r) the directions in which they vary most; along one of
    length a, the distance is shorter by a². scale: (1,) of the distance in all other directions.
    """

    center: np.ndarray
    axes: np.ndarray
    scale: np.ndarray

    def distances(self, embeddings: np.ndarray) -> np.ndarray:
        """(n, d) to (n,) float32, how far each text is from the center, squared."""
        gaps = embeddings - self.center
        whole, along = (np.square(values).sum(axis=1) for values in (gaps, gaps @ self.axes))
        return np.asarray((whole * self.scale - along) / len(self.center))

    def after_logits(self, outputs: np.ndarray) -> np.ndarray:
        """(n, k + d) logits and embeddings to (n, k + 1) logits and distances."""
        logits, embeddings = np.split(outputs, [-len(self.center)], axis=1)
        return np.column_stack([logits, self.distances(embeddings)])

    @classmethod
    def of(cls, arrays: Mapping[str, np.ndarray], width: int) -> Directions:
        """From the arrays of a file; ValueError if they don't go with embeddings of this width."""
        names = ("center", "axes", "scale")
        center, axes, scale = (arrays.get(name, np.empty(0)) for name in names)
        if (center.shape, axes.shape[:1], axes.ndim, scale.shape) != ((width,), (width,), 2, (1,)):
            raise ValueError(f"{ARRAYS_FILE} is not of this model")
        return cls(center, axes, scale)


@dataclass(frozen=True)
class TrainingTexts:
    """What nearly all texts of train are like; a text beyond one of the limits is unlike them.

    language: the code of their language; None if they have several, or if that is not sure. length:
    the fewest and the most tokens. unknown: the largest share of unknown tokens. distance, slope:
    the largest distance of an embedding is exp(distance) · tokens ** slope. The slope is below 0,
    because the mean over more tokens varies less. rows, unlike: how many texts of validation there
    were, and how many of them are beyond a limit: about 1 %.
    """

    language: str | None
    length: tuple[int, int]
    unknown: float
    distance: float
    slope: float
    rows: int
    unlike: int

    def reasons(
        self, lengths: np.ndarray, unknown: np.ndarray, distances: np.ndarray | None
    ) -> np.ndarray:
        """(n,) str, why each text is unlike the training texts; empty if it is like them.

        lengths: tokens before the text was cut. unknown: shares of unknown tokens. distances: of
        the embeddings; None if the model gives none.
        """
        shortest, longest = self.length
        beyond = {
            UNKNOWN: unknown > self.unknown,
            LONGER: lengths > longest,
            SHORTER: lengths < shortest,
            CONTENT: np.zeros(len(lengths), dtype=bool),
        }
        if distances is not None:
            beyond[CONTENT] = scaled(distances, lengths, self.slope) > self.distance
        return np.select(list(beyond.values()), list(beyond), default="")

    def is_chance(self, rows: int, unlike: int) -> bool:
        """Whether a table of texts like those of train could well have so many unlike ones."""
        return _chance_of(rows, unlike, of=self.rows, were=self.unlike) >= _CHANCE

    def to_json(self) -> dict[str, Any]:
        """Plain values for a JSON object."""
        return {**vars(self), "length": list(self.length)}

    @classmethod
    def from_json(cls, plain: Any) -> TrainingTexts | None:
        """The inverse of to_json; None if there are no limits. ValueError for other values."""
        if not isinstance(plain, Mapping):
            raise ValueError("its training_texts are not a JSON object")
        if "length" not in plain:
            return None
        try:
            shortest, longest = plain["length"]
            texts = cls(
                plain["language"],
                length=(int(_number(shortest)), int(_number(longest))),
                unknown=_number(plain["unknown"]),
                distance=_number(plain["distance"], least=-math.inf),
                slope=_number(plain["slope"], least=-math.inf),
                rows=int(_number(plain["rows"])),
                unlike=int(_number(plain["unlike"])),
            )
        except (KeyError, TypeError, ValueError) as error:
            raise ValueError("its training_texts are not complete") from error
        if not isinstance(texts.language, str | None) or texts.unlike > texts.rows:
            raise ValueError("its training_texts contradict each other")
        return texts


def scaled(distances: np.ndarray, lengths: np.ndarray, slope: float) -> np.ndarray:
    """The logarithms of distances, minus slope times those of the numbers of tokens."""
    return np.asarray(log_of(distances) - slope * log_of(lengths))


def log_of(values: np.ndarray) -> np.ndarray:
    """The logarithms of numbers from 0 on; of 0 a very low one."""
    return np.asarray(np.log(np.maximum(values, 1e-30, dtype=np.float64)))


def _number(value: Any, *, least: float = 0.0) -> float:
    number = isinstance(value, int | float) and not isinstance(value, bool)
    if not number or not least <= value < math.inf:
        raise ValueError(f"{value!r} is no number from {least} on")
    return float(value)


def _chance_of(rows: int, unlike: int, *, of: int, were: int) -> float:
    """The probability of `unlike` or more among `rows`, if `were` of `of` others were unlike.

    A beta-binomial distribution: the share is not known, but estimated from the other rows.
    """
    a, b = were + 1.0, of - were + 1.0
    i = np.arange(rows, dtype=np.float64)
    steps = (rows - i) * (a + i) / ((i + 1) * (b + rows - i - 1))  # of P(i + 1) to P(i)
    none = math.lgamma(b + rows) + math.lgamma(a + b) - math.lgamma(a + b + rows) - math.lgamma(b)
    logs = np.concatenate([[none], none + np.cumsum(np.log(steps))])
    return float(np.exp(logs[unlike:]).sum())
