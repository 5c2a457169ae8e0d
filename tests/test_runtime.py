from __future__ import annotations

import os
import random

import numpy as np
import torch

from emolens import runtime


def test_the_choice_reads_as_one_line() -> None:
    line = str(runtime.Runtime("openvino", "cpu", "fp32", 2, "no CUDA device"))
    assert line == "cpu, fp32, 2 threads, openvino (no CUDA device)"
    assert "threads" not in str(runtime.Runtime("torch", "cuda", "bf16", 2, "an H100"))


def test_threads_are_the_cores_this_process_may_use() -> None:
    assert 1 <= runtime.n_threads() <= (os.cpu_count() or 1)


def test_a_seed_repeats_all_three_generators() -> None:
    def draw(seed: int) -> tuple[float, float, float]:
        runtime.seed_everything(seed)
        return random.random(), float(np.random.random()), float(torch.rand(1))

    assert draw(5) == draw(5)
    assert all(one != other for one, other in zip(draw(5), draw(6), strict=True))
