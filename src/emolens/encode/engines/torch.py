"""torch as an engine: on CUDA, and for models that OpenVINO can't run."""

from __future__ import annotations

import copy
import threading
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from types import ModuleType
from typing import Any

import numpy as np

from emolens.encode.engines.base import Batch, Engine
from emolens.errors import require
from emolens.runtime import Runtime


class TorchEngine(Engine):
    """Runs a torch module of (input_ids, attention_mask) that returns (rows, d), or two of them."""

    def __init__(self, model: Any, runtime: Runtime) -> None:
        self.torch = torch_for(runtime)
        self.runtime = runtime
        self.model = model.to(runtime.device)
        self._own = threading.local()
        if runtime.device == "cuda":
            self.budget = 2**16  # smaller batches leave a GPU idle

    def __call__(self, input_ids: np.ndarray, attention_mask: np.ndarray) -> np.ndarray:
        """(rows, tokens) to (rows, d) float32."""
        ids, mask = (
            self.torch.from_numpy(array).to(self.runtime.device)
            for array in (input_ids, attention_mask)
        )
        device, half = self.runtime.device, self.runtime.precision == "bf16"
        autocast = self.torch.autocast(device, self.torch.bfloat16, enabled=half)
        with self.torch.inference_mode(), autocast:
            outputs = getattr(self._own, "model", self.model)(ids, mask)
            if isinstance(outputs, tuple):
                self.n_more = outputs[1].shape[1]
                outputs = self.torch.cat([output.float() for output in outputs], dim=1)
            return np.asarray(outputs.float().cpu())

    def stream(self, batches: Iterable[Batch]) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """Run all batches, in order; on a CPU one batch on each core at a time.

        Threads that share a batch wait for each other in each of its many small operations.
        """
        n = self.runtime.threads
        models = self._copies(n) if self.runtime.device == "cpu" and n > 1 else None
        if models is None:
            yield from super().stream(batches)
            return
        running: deque[tuple[np.ndarray, Future[np.ndarray]]] = deque()
        with ThreadPoolExecutor(n, initializer=self._start_thread, initargs=(models,)) as pool:
            for rows, input_ids, attention_mask in batches:
                running.append((rows, pool.submit(self, input_ids, attention_mask)))
                if len(running) > n:
                    yield running[0][0], running.popleft()[1].result()
            for rows, outputs in running:
                yield rows, outputs.result()
        set_threads(n)

    def _start_thread(self, models: list[Any]) -> None:
        """Give a thread one core and its own model."""
        set_threads(1)
        self._own.model = models.pop()

    def _copies(self, n: int) -> list[Any] | None:
        """n models around the same weights; None if the model can't be copied.

        Some models change themselves while they run: BigBird puts full attention into its layers
        at the first short batch, and a second thread would meet half of them changed.
        """
        weights = [*self.model.parameters(), *self.model.buffers()]
        try:
            return [copy.deepcopy(self.model, {id(w): w for w in weights}) for _ in range(n)]
        except RuntimeError:  # as with weights that are computed from others
            return None


def torch_for(runtime: Runtime) -> ModuleType:
    """Import torch and set its number of threads to that of the runtime."""
    torch = require("torch", "train")
    set_threads(runtime.threads)
    return torch


def set_threads(n: int) -> None:
    """Let the operations of the calling thread run on n threads.

    In a new thread, torch's first operation sets the number that any thread has set last, unless
    the thread has asked for it before. So it is asked for first: with another number, sums are
    rounded in another way.
    """
    torch = require("torch", "train")
    torch.get_num_threads()
    torch.set_num_threads(n)
