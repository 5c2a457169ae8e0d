"""torch as an engine: for CUDA, and for what OpenVINO can't run."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from types import ModuleType
from typing import Any

import numpy as np

from emolens.encode.engines.base import Engine
from emolens.errors import require
from emolens.runtime import Runtime


class TorchEngine(Engine):
    """A torch module of (input_ids, attention_mask) that gives one array, (rows, d)."""

    def __init__(self, model: Any, runtime: Runtime) -> None:
        self.torch = torch_for(runtime)
        self.runtime = runtime
        self.model = model.to(runtime.device)
        if runtime.device == "cuda":
            self.budget = 2**16  # a GPU is idle on less

    def __call__(self, input_ids: np.ndarray, attention_mask: np.ndarray) -> np.ndarray:
        """(rows, tokens) to (rows, d) float32."""
        ids, mask = (
            self.torch.from_numpy(array).to(self.runtime.device)
            for array in (input_ids, attention_mask)
        )
        with _inference(self.torch, self.runtime):
            vectors: np.ndarray = self.model(ids, mask).float().cpu().numpy()
        return vectors


def torch_for(runtime: Runtime) -> ModuleType:
    """Import torch and give it the threads of the runtime."""
    torch = require("torch", "train")
    torch.set_num_threads(runtime.threads)
    return torch


@contextlib.contextmanager
def _inference(torch: Any, runtime: Runtime) -> Iterator[None]:
    """No gradients, and bf16 matrix products where the runtime says so."""
    half = runtime.precision == "bf16"
    with torch.inference_mode(), torch.autocast(runtime.device, torch.bfloat16, enabled=half):
        yield
