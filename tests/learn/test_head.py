"""The head that is fitted before the training: from few rows it must already know something."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import transformers

from emolens.data.sources import load_dataset
from emolens.encode.backbone import (
    Pooling,
    find_encoder,
    logits_of,
    sequence_classifier,
    tokenizer_of,
)
from emolens.encode.engines.base import run_batches
from emolens.encode.engines.torch import TorchEngine
from emolens.encode.layers import tanh_layer
from emolens.learn.finetune.head import fit_head
from emolens.learn.finetune.passes import Examples
from emolens.runtime import Runtime
from tests.encode.families import FAMILIES, SMALL

FP32 = Runtime("torch", "cpu", "fp32", 2, "a test")


def accuracy_with(pooling: Pooling) -> float:
    """Of MiniLM's fitted head on starter: from 100 rows, on 400 others."""
    data, encoder = load_dataset("starter"), find_encoder("minilm")
    train, test = data["train"].take(np.arange(100)), data["test"]
    tokenizer = tokenizer_of(encoder)
    torch.manual_seed(1)
    model = sequence_classifier(encoder, data.labels.id2label)
    examples = Examples(tokenizer.encode(train.texts), train.labels, np.ones(7), tokenizer.pad_id)
    fit_head(model, examples, FP32, pooling=pooling, seed=1)
    tokens = tokenizer.encode(test.texts)
    logits = run_batches(TorchEngine(logits_of(model), FP32), tokens, tokenizer.pad_id)
    return float((logits.argmax(axis=1) == test.labels).mean())


def test_a_head_that_stands_for_the_mean_knows_more_from_few_rows() -> None:
    first_token, mean = (accuracy_with(pooling) for pooling in ("cls", "mean"))
    assert mean > first_token + 0.05, (first_token, mean)


@pytest.mark.parametrize("family", ["bert", "roberta", "mpnet", "distilbert", "electra"])
def test_the_tanh_layer_is_found_where_there_is_one(family: str) -> None:
    config = transformers.AutoConfig.for_model(family, **FAMILIES[family])
    model: Any = transformers.AutoModelForSequenceClassification.from_config(config)
    wanted = {
        "bert": lambda: model.bert.pooler.dense,
        "roberta": lambda: model.classifier.dense,
        "mpnet": lambda: model.classifier.dense,
    }
    assert tanh_layer(model) is (wanted[family]() if family in wanted else None)
    assert not any(layer._forward_hooks for layer in model.modules())


@pytest.mark.parametrize(
    ("stated", "pooling"),
    [
        ({"pooling_mode_mean_tokens": True, "pooling_mode_cls_token": False}, "mean"),
        ({"pooling_mode_mean_tokens": False, "pooling_mode_cls_token": True}, "cls"),
        ({"pooling_mode": "mean"}, "mean"),
        (None, "cls"),
    ],
)
def test_the_pooling_is_that_of_sentence_transformers(
    tmp_path: Path, stated: dict[str, Any] | None, pooling: str
) -> None:
    transformers.BertModel(transformers.BertConfig(**SMALL)).save_pretrained(tmp_path)
    if stated is not None:
        (tmp_path / "1_Pooling").mkdir()
        (tmp_path / "1_Pooling" / "config.json").write_text(json.dumps(stated), encoding="utf-8")
    assert find_encoder(tmp_path).pooling == pooling


def test_texts_of_one_token_and_classes_with_few_rows_or_none_are_no_fault(
    tiny_encoder: Path,
) -> None:
    tokenizer = tokenizer_of(tiny_encoder)
    tokens = tokenizer.encode(["joy", "", "", "joy", "a"])
    cases = (([0, 0, 1, 1, 0], 2), ([0, 0, 1, 1, 0], 3), ([0, 0, 0, 0, 1], 2), ([0, 1, 2, 3, 4], 5))
    for ids, k in cases:
        model = sequence_classifier(find_encoder(tiny_encoder), {i: str(i) for i in range(k)})
        examples = Examples(tokens, np.array(ids), np.ones(k), tokenizer.pad_id)
        fit_head(model, examples, FP32, pooling="mean", seed=1)
        assert all(torch.isfinite(weight).all() for weight in model.parameters())
