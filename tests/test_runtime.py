from __future__ import annotations

import os
import random

import numpy as np
import pytest
import torch

from emolens import runtime
from emolens.errors import UsageError


@pytest.mark.parametrize("precision", ["fp32", "bf16", "int8"])
def test_the_precision_that_was_asked_for_is_taken(precision: str) -> None:
    chosen = runtime.choose(precision)
    assert chosen.precision == precision
    assert f"{precision} as asked" in chosen.reason


@pytest.mark.parametrize("precision", [None, "auto"])
def test_the_device_and_precision_follow_the_machine(precision: str | None) -> None:
    chosen = runtime.choose(precision)
    cuda = torch.cuda.is_available()
    assert chosen.device == ("cuda" if cuda else "cpu")
    assert chosen.precision == ("bf16" if cuda or runtime.cpu_has_bf16() else "fp32")
    assert chosen == runtime.choose()


def test_the_choice_reads_as_one_line() -> None:
    said = str(runtime.Runtime("cpu", "fp32", 2, "no CUDA device; the processor has no bf16"))
    assert said == "cpu, fp32, 2 threads (no CUDA device; the processor has no bf16)"
    assert "threads" not in str(runtime.Runtime("cuda", "bf16", 2, "a CUDA device is present"))


def test_an_unknown_precision_is_misuse() -> None:
    with pytest.raises(UsageError, match="no precision 'fp23' here") as caught:
        runtime.choose("fp23")
    assert "Did you mean 'fp32'?" in caught.value.hint


def test_int8_is_misuse_where_it_is_not_offered() -> None:
    assert runtime.choose("int8").device == "cpu"
    with pytest.raises(UsageError, match="no precision 'int8' here"):
        runtime.choose("int8", offered=runtime.TRAINING)


def test_threads_are_the_cores_this_process_may_use() -> None:
    assert 1 <= runtime.n_threads() <= (os.cpu_count() or 1)


def test_a_seed_repeats_all_three_generators() -> None:
    def draw(seed: int) -> tuple[float, float, float]:
        runtime.seed_everything(seed)
        return random.random(), float(np.random.random()), float(torch.rand(1))

    assert draw(5) == draw(5)
    assert all(one != other for one, other in zip(draw(5), draw(6), strict=True))
