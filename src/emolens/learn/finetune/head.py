"""Gives a new classifier a head that fits the frozen encoder, before the training begins.

A random head first sends random gradients into the encoder, and takes a third of an epoch to learn
what logistic regression finds in seconds. With a fitted head, training starts where a probe ends
(Kumar et al., 2022: linear probing, then fine-tuning).
"""

from __future__ import annotations

from typing import Any

import numpy as np

from emolens.encode.backbone import head_inputs_of, last_layer
from emolens.encode.engines.base import run_batches
from emolens.encode.engines.torch import TorchEngine
from emolens.errors import require
from emolens.learn.finetune.passes import Examples
from emolens.learn.logistic import fit_logistic
from emolens.runtime import Runtime

_ROWS = 2000  # more of them fit no better head


def fit_head(model: Any, examples: Examples, runtime: Runtime, *, seed: int) -> None:
    """Put the weights of a logistic regression into the last layer of a classifier."""
    torch, last = require("torch", "train"), last_layer(model)
    rows = _sample(examples.labels, seed)
    engine = TorchEngine(head_inputs_of(model.eval()), runtime)
    features = run_batches(engine, examples.tokens.take(rows), examples.pad_id)
    labels, places = np.unique(examples.labels[rows], return_inverse=True)
    if len(labels) < len(examples.class_weights):
        return  # a class without rows: the regression could not place it
    fit = fit_logistic((features, places), None, examples.class_weights)
    with torch.no_grad():
        last.weight.copy_(torch.from_numpy(fit.coef))
        if last.bias is not None:
            last.bias.copy_(torch.from_numpy(fit.intercept))


def _sample(labels: np.ndarray, seed: int) -> np.ndarray:
    """At most 2,000 rows at random, with the first of each class among them."""
    rows = np.random.default_rng(seed).permutation(len(labels))
    _, firsts = np.unique(labels, return_index=True)
    chosen: np.ndarray = np.unique(np.concatenate([firsts, rows[:_ROWS]]))
    return chosen
