"""Logits to probabilities to answers: the only place that turns a model's outputs into decisions.

NumPy alone, so that predicting stays light. Knows nothing of models, files or class names.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

Function = Literal["softmax", "sigmoid", "none"]
_MOSTLY = 0.5  # of the tokens of a text


@dataclass(frozen=True)
class Decision:
    """How the outputs of a model become answers.

    function: turns logits into probabilities; 'none' if the outputs are scores already. several: a
    text may have several classes, or none. temperature: the logits are divided by it; one number,
    or one per class. thresholds: with `several`, a class is an answer if its probability is at
    least this; one number, or one per class. unsure_below: an answer is unsure if the highest
    probability is lower.
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
        if self.function == "sigmoid":
            # 1 / (1 + exp(-x)), without an overflow for an x far below 0.
            return np.asarray(np.exp(-np.logaddexp(0.0, -scaled)))
        shares = np.exp(scaled - scaled.max(axis=1, keepdims=True))
        return np.asarray(shares / shares.sum(axis=1, keepdims=True))

    def top(self, probabilities: np.ndarray) -> np.ndarray:
        """(n,) int64, the most probable class of each row; of equal ones the first.

        -1 for a row of NaN, which stands for a text that the model did not get.
        """
        top = probabilities.argmax(axis=1)
        return np.where(np.isnan(probabilities).any(axis=1), -1, top)

    def answers(self, probabilities: np.ndarray) -> np.ndarray:
        """(n, k) bool, which classes are the answer for each row; none for a row of NaN."""
        if self.several:
            return np.asarray(probabilities >= np.asarray(self.thresholds))
        return np.asarray(self.top(probabilities)[:, None] == np.arange(probabilities.shape[1]))

    def in_set(self, probabilities: np.ndarray, lowest: float) -> np.ndarray:
        """(n, k) bool, the prediction set of each row: the classes with this probability or more.

        The most probable class is always one of them. A row of NaN has none.
        """
        top = self.top(probabilities)[:, None] == np.arange(probabilities.shape[1])
        return np.asarray((probabilities >= lowest) | top)

    def unsure(self, probabilities: np.ndarray) -> np.ndarray:
        """(n,) bool, rows whose highest probability is too low, and rows without an answer."""
        low = ~(probabilities.max(axis=1, initial=-np.inf) >= self.unsure_below)
        return np.asarray(low | ~self.answers(probabilities).any(axis=1))


def mostly_unknown(unknown_shares: np.ndarray) -> np.ndarray:
    """(n,) bool, texts of whose tokens the model knows less than half.

    Their answers are unsure, whatever the probabilities are; so are those for texts that were cut.
    """
    return np.asarray(unknown_shares > _MOSTLY)


# The models that emolens trains: one class per text.
ONE_CLASS = Decision()
