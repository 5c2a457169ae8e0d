"""Gives a new classifier a head that fits the frozen encoder, before the training begins.

A random head first sends random gradients into the encoder, and takes a third of an epoch to learn
what logistic regression finds in seconds. With a fitted head, training starts where a probe ends
(Kumar et al., 2022: linear probing, then fine-tuning).
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from emolens.encode.backbone import Pooling, pooled
from emolens.encode.engines.base import run_batches
from emolens.encode.engines.torch import TorchEngine
from emolens.encode.layers import last_layer, layer_inputs_of, tanh_layer
from emolens.encode.tokenize import Tokens
from emolens.errors import require
from emolens.learn.finetune.passes import Examples
from emolens.learn.logistic import STRENGTHS, fit_logistic
from emolens.runtime import Runtime

_ROWS = 2000  # more of them fit no better head
_RIDGE = 0.001  # of the penalty for large weights, per row
_MOST = 0.95  # tanh never reaches 1


def fit_head(
    model: Any, examples: Examples, runtime: Runtime, *, pooling: Pooling, seed: int
) -> None:
    """Put the weights of a logistic regression into the last layer of a classifier.

    pooling: of the encoder. With 'mean', the layer before the last one is fitted first.
    """
    model.eval()
    rows = _sample(examples.labels, seed)
    labels, places = np.unique(examples.labels[rows], return_inverse=True)
    if len(labels) < len(examples.class_weights):
        return  # a class without rows: the regression could not place it
    tokens, last = examples.tokens.take(rows), last_layer(model)
    layer = tanh_layer(model) if pooling == "mean" else None
    if layer is not None and layer.out_features == model.config.hidden_size:
        features = _fit_pooler(model, layer, tokens, examples.pad_id, runtime, seed=seed)
    else:
        engine = TorchEngine(layer_inputs_of(model, last), runtime)
        features = run_batches(engine, tokens, examples.pad_id)
    one_each = len(rows) == len(labels)  # no row could be held out to choose the strength
    strengths = (1.0,) if one_each else STRENGTHS
    fit = fit_logistic((features, places), None, examples.class_weights, strengths=strengths)
    _put(last, fit.coef, fit.intercept)


def _fit_pooler(
    model: Any, layer: Any, texts: Tokens, pad_id: int, runtime: Runtime, *, seed: int
) -> np.ndarray:
    """Make the layer before the last one give, of the first token, the mean over all tokens.

    The classifiers of transformers read the first token. An encoder that was trained with the mean
    knows more there: with a few dozen rows, that decides (benchmarks/RESULTS.md). Returns what
    enters the last layer then, (n, d), for each text.
    """
    tokens = _with_spans(texts, seed)
    before = layer_inputs_of(model, layer)
    mean = pooled(model.base_model, pooling="mean", layer=-1, normalize=True)
    inputs, means = (
        run_batches(TorchEngine(module, runtime), tokens, pad_id) for module in (before, mean)
    )
    # Numbers of about 0.5, where tanh is neither flat nor a straight line.
    wanted = np.arctanh(np.clip(means * math.sqrt(means.shape[1]) / 2, -_MOST, _MOST))
    ridge = require("sklearn.linear_model", "train").Ridge(alpha=_RIDGE * len(inputs))
    ridge.fit(inputs, wanted)
    _put(layer, ridge.coef_, ridge.intercept_)
    features: np.ndarray = np.tanh(ridge.predict(inputs[: len(texts)]))
    return features


def _with_spans(tokens: Tokens, seed: int) -> Tokens:
    """These texts and, if they are fewer than 2,000, random parts of them, up to that number."""
    rng = np.random.default_rng(seed)
    spans = []
    for row in rng.integers(0, len(tokens), max(_ROWS - len(tokens), 0)):
        ids = tokens[row]
        start, end = np.sort(rng.integers(1, max(len(ids), 2), 2))
        spans.append(np.concatenate([ids[:1], ids[start:end], ids[-1:]]))
    every = [*tokens, *spans]
    return Tokens.of(every, np.array([len(ids) for ids in every]))


def _put(layer: Any, weight: np.ndarray, bias: np.ndarray) -> None:
    torch = require("torch", "train")
    with torch.no_grad():
        layer.weight.copy_(torch.from_numpy(weight))
        if layer.bias is not None:
            layer.bias.copy_(torch.from_numpy(bias))


def _sample(labels: np.ndarray, seed: int) -> np.ndarray:
    """At most 2,000 rows at random, with the first of each class among them."""
    rows = np.random.default_rng(seed).permutation(len(labels))
    _, firsts = np.unique(labels, return_index=True)
    chosen: np.ndarray = np.unique(np.concatenate([firsts, rows[:_ROWS]]))
    return chosen
