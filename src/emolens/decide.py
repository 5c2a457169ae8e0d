"""Logits to probabilities to answers: the only place that turns a model's outputs into decisions.

NumPy alone, so that predicting stays light. Knows nothing of models, files or class names.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

Function = Literal["softmax", "sigmoid", "none"]


@dataclass(frozen=True)
class Decision:
    """How the outputs of a model become answers.

    function: what makes probabilities of logits; 'none' where the model gives its scores itself.
    several: a text may have several classes, or none. temperature: what logits are divided by, one
    number or one for each class. thresholds: from which probability on a class is an answer where
    there may be several, one number or one for each class. unsure_below: an answer is unsure where
    the highest probability is lower.
    """

    function: Function = "softmax"
    several: bool = False
    temperature: float | tuple[float, ...] = 1.0
    thresholds: float | tuple[float, ...] = 0.5
    unsure_below: float = 0.5

    def probabilities(self, logits: np.ndarray) -> np.ndarray:
        """(n, k) logits to probabilities, in float64."""
        if self.function == "none":
            return logits.astype(np.float64)
        scaled = logits.astype(np.float64) / np.asarray(self.temperature)
        return _softmax(scaled) if self.function == "softmax" else _sigmoid(scaled)

    def top(self, probabilities: np.ndarray) -> np.ndarray:
        """(n,) int64, the most probable class of each row, the first of equals.

        -1 for a row of NaN: a text that no model was asked about.
        """
        top = probabilities.argmax(axis=1)
        return np.where(np.isnan(probabilities).any(axis=1), -1, top)

    def answers(self, probabilities: np.ndarray) -> np.ndarray:
        """(n, k) bool, the classes that each row is answered with; none for a row of NaN."""
        if self.several:
            reached: np.ndarray = probabilities >= np.asarray(self.thresholds)
            return reached
        classes = np.arange(probabilities.shape[1])
        one: np.ndarray = self.top(probabilities)[:, None] == classes
        return one

    def unsure(self, probabilities: np.ndarray) -> np.ndarray:
        """(n,) bool, rows whose highest probability is too low, and rows without an answer."""
        low = ~(probabilities.max(axis=1, initial=-np.inf) >= self.unsure_below)
        unsure: np.ndarray = low | ~self.answers(probabilities).any(axis=1)
        return unsure


# What is trained here: one class for each text, nothing fitted afterwards.
ONE_CLASS = Decision()


def _softmax(logits: np.ndarray) -> np.ndarray:
    exponents = np.exp(logits - logits.max(axis=1, keepdims=True))
    normalized: np.ndarray = exponents / exponents.sum(axis=1, keepdims=True)
    return normalized


def _sigmoid(logits: np.ndarray) -> np.ndarray:
    # 1 / (1 + exp(-x)), without an overflow where x is far below 0.
    shares: np.ndarray = np.exp(-np.logaddexp(0.0, -logits))
    return shares
