"""Logits to probabilities. The only place that turns a model's outputs into decisions.

NumPy alone, so that predicting stays light.
"""

from __future__ import annotations

import numpy as np


def softmax(logits: np.ndarray) -> np.ndarray:
    """(n, k) logits to probabilities, in float64."""
    shifted = logits.astype(np.float64) - logits.max(axis=1, keepdims=True)
    exponents = np.exp(shifted)
    normalized: np.ndarray = exponents / exponents.sum(axis=1, keepdims=True)
    return normalized
