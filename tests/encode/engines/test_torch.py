"""torch as an engine: batches side by side on the cores give what one after the other gives."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from emolens.encode.backbone import (
    find_encoder,
    logits_and_embedding_of,
    logits_of,
    sequence_classifier,
    tokenizer_of,
)
from emolens.encode.engines.base import run_batches
from emolens.encode.engines.torch import TorchEngine, set_threads
from emolens.encode.layers import last_layer, layer_inputs_of
from emolens.encode.tokenize import Tokens
from emolens.runtime import Runtime
from tests.conftest import feeling_rows


@pytest.fixture(scope="module")
def classifier(tiny_encoder: Path) -> tuple[Any, Tokens]:
    encoder = find_encoder(tiny_encoder)
    torch.manual_seed(1)
    model = sequence_classifier(encoder, {0: "sadness", 1: "joy", 2: "anger"}).eval()
    texts = [text for text, _ in feeling_rows(900)]
    return model, tokenizer_of(encoder).encode(texts)


def outputs(module: Any, tokens: Tokens, threads: int) -> np.ndarray:
    engine = TorchEngine(module, Runtime("torch", "cpu", "fp32", threads, "a test"))
    return run_batches(engine, tokens, 0, then=lambda both: both)


def head_inputs_of(model: Any) -> Any:
    return layer_inputs_of(model, last_layer(model))


@pytest.mark.parametrize("module", [logits_of, logits_and_embedding_of, head_inputs_of])
def test_the_rows_keep_their_order_with_several_threads(
    classifier: tuple[Any, Tokens], module: Any
) -> None:
    model, tokens = classifier
    one, several = (outputs(module(model), tokens, threads) for threads in (1, 3))
    assert len(one) == 900
    np.testing.assert_allclose(several, one, atol=1e-6)
    assert torch.get_num_threads() == 3


class ChangesItself(torch.nn.Module):
    """Like BigBird: says at the first batch that it has another layer, then puts it in."""

    def __init__(self) -> None:
        super().__init__()
        self.layer: torch.nn.Module = torch.nn.Embedding(30_000, 2)
        self.changed = False

    def forward(self, input_ids: Any, attention_mask: Any) -> Any:
        if not self.changed:
            self.changed = True
            time.sleep(0.05)
            self.layer = torch.nn.Sequential(self.layer, torch.nn.Softmax(2))
        return self.layer(input_ids)[:, 0]


def test_a_thread_never_meets_a_model_that_another_one_is_changing(
    classifier: tuple[Any, Tokens],
) -> None:
    tokens = classifier[1]
    module = ChangesItself()
    several, one = (outputs(module, tokens, threads) for threads in (3, 1))
    np.testing.assert_array_equal(several, one)


def test_a_model_that_can_not_be_copied_runs_on_one_thread(
    classifier: tuple[Any, Tokens],
) -> None:
    class Computed(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.table = torch.nn.Parameter(torch.arange(60_000.0).reshape(30_000, 2))
            self.half = self.table / 2  # not a leaf of the graph

        def forward(self, input_ids: Any, attention_mask: Any) -> Any:
            return self.half[input_ids[:, 0]]

    tokens = classifier[1]
    several, one = (outputs(Computed(), tokens, threads) for threads in (3, 1))
    np.testing.assert_array_equal(several, one)


def test_the_inputs_of_the_head_give_the_logits(classifier: tuple[Any, Tokens]) -> None:
    model, tokens = classifier
    inputs, logits = (outputs(make(model), tokens, 2) for make in (head_inputs_of, logits_of))
    last = last_layer(model)
    by_hand = torch.from_numpy(inputs) @ last.weight.T + last.bias
    np.testing.assert_allclose(by_hand.detach().numpy(), logits, atol=1e-5)
    assert not last._forward_pre_hooks


def test_a_thread_keeps_its_number_whatever_others_set_before_its_first_operation() -> None:
    with ThreadPoolExecutor(1, initializer=set_threads, initargs=(1,)) as pool:
        pool.submit(int).result()
        set_threads(2)
        assert pool.submit(torch.get_num_threads).result() == 1
    assert torch.get_num_threads() == 2
