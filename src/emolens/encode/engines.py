"""What turns a padded batch into vectors: torch for any encoder, OpenVINO for exported models.

Both are called with input_ids and attention_mask, (rows, tokens) int64, and return float32.
"""

from __future__ import annotations

import contextlib
import importlib
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any, Literal, Protocol

import numpy as np

from emolens.encode.batches import pad, token_budget_batches
from emolens.encode.tokenise import Tokens
from emolens.errors import EncoderError, UsageError, require
from emolens.runtime import Runtime

Pooling = Literal["cls", "mean"]
Progress = Callable[[int, int], None]
# Large enough to keep two cores busy, small enough that activations stay near the caches.
TOKEN_BUDGET = 2048


class Engine(Protocol):
    """A model that is ready to run: (rows, tokens) ids and mask to (rows, d) float32."""

    def __call__(self, input_ids: np.ndarray, attention_mask: np.ndarray) -> np.ndarray:
        """Run one batch."""
        ...


def run_batches(
    engine: Engine, tokens: Tokens, pad_id: int, *, progress: Progress | None = None
) -> np.ndarray:
    """Run an engine over all rows, similar lengths together; (n, d) float32 in input order.

    Raises EncoderError where the model gives a number that is not finite.
    """
    result: np.ndarray | None = None
    done = 0
    for rows in token_budget_batches(tokens.lengths, budget=TOKEN_BUDGET):
        vectors = engine(*pad(tokens, rows, pad_id=pad_id))
        if not np.isfinite(vectors).all():
            raise EncoderError(
                "The model gives numbers that are not finite.",
                hint="Its weights are damaged, or overflow in bf16: ask for precision fp32.",
            )
        if result is None:
            result = np.empty((len(tokens), vectors.shape[1]), dtype=np.float32)
        result[rows] = vectors
        done += len(rows)
        if progress:
            progress(done, len(tokens))
    return result if result is not None else np.empty((0, 0), dtype=np.float32)


def softmax(logits: np.ndarray) -> np.ndarray:
    """(n, k) logits to probabilities, in float64."""
    shifted = logits.astype(np.float64) - logits.max(axis=1, keepdims=True)
    exponents = np.exp(shifted)
    normalised: np.ndarray = exponents / exponents.sum(axis=1, keepdims=True)
    return normalised


class TorchEngine:
    """Hidden states of one layer, pooled to a vector a row.

    model: a bare transformers model. layer: which hidden state, -1 the last, 0 the input
    embeddings. cls takes the first token's state, mean the average over the text's own tokens.
    """

    def __init__(self, model: Any, runtime: Runtime, *, pooling: Pooling, layer: int = -1) -> None:
        self.torch = torch_for(runtime)
        self.runtime = runtime
        self.pooling = pooling
        self.layer = layer
        self.model = model.to(runtime.device)
        n_states = int(model.config.num_hidden_layers) + 1
        if not -n_states <= layer < n_states:
            raise UsageError(
                f"The encoder has no layer {layer}.",
                hint=f"Choose one of {-n_states} to {n_states - 1}.",
            )

    def __call__(self, input_ids: np.ndarray, attention_mask: np.ndarray) -> np.ndarray:
        """(rows, tokens) to (rows, d) float32."""
        last = self.layer == -1
        with _inference(self.torch, self.runtime):
            mask = self.torch.from_numpy(attention_mask).to(self.runtime.device)
            output = self.model(
                self.torch.from_numpy(input_ids).to(self.runtime.device),
                attention_mask=mask,
                output_hidden_states=not last,
            )
            states = (
                output.last_hidden_state if last else output.hidden_states[self.layer]
            ).float()
            if self.pooling == "cls":
                vectors = states[:, 0]
            else:
                weights = mask.unsqueeze(-1).float()
                vectors = (states * weights).sum(1) / weights.sum(1).clamp(min=1)
        pooled: np.ndarray = vectors.float().cpu().numpy()
        return pooled


class TorchClassifierEngine:
    """Logits of a sequence classifier as it is in torch."""

    def __init__(self, model: Any, runtime: Runtime) -> None:
        self.torch = torch_for(runtime)
        self.runtime = runtime
        self.model = model.to(runtime.device)

    def __call__(self, input_ids: np.ndarray, attention_mask: np.ndarray) -> np.ndarray:
        """(rows, tokens) to (rows, k) float32."""
        ids, mask = (
            self.torch.from_numpy(array).to(self.runtime.device)
            for array in (input_ids, attention_mask)
        )
        with _inference(self.torch, self.runtime):
            logits: np.ndarray = self.model(ids, attention_mask=mask).logits.float().cpu().numpy()
        return logits


def torch_for(runtime: Runtime) -> ModuleType:
    """Import torch and give it the threads of the runtime."""
    torch = require("torch", "train")
    torch.set_num_threads(runtime.threads)
    return torch


def silent_openvino() -> ModuleType:
    """Import OpenVINO without its telemetry, which would report the import to a server.

    emolens sends nothing anywhere. A None in sys.modules is Python's own way to say that a module
    is not to be had; OpenVINO then uses the stub that it keeps for that case.
    """
    sys.modules.setdefault("openvino_telemetry", None)  # type: ignore[arg-type]
    return importlib.import_module("openvino")


@contextlib.contextmanager
def _inference(torch: Any, runtime: Runtime) -> Iterator[None]:
    """No gradients, and bf16 matrix products where the runtime says so."""
    half = runtime.precision == "bf16"
    with torch.inference_mode(), torch.autocast(runtime.device, torch.bfloat16, enabled=half):
        yield


class OpenVinoEngine:
    """An exported model (`openvino_model.xml`) on the CPU; its first output, (rows, d)."""

    def __init__(self, model: Path, runtime: Runtime) -> None:
        ov = silent_openvino()

        if not model.is_file():
            raise EncoderError(
                f"There is no exported model {model}.",
                hint="Export it: emolens export MODEL_FOLDER (needs emolens[train]).",
            )
        core = ov.Core()
        options = {
            "INFERENCE_PRECISION_HINT": "bf16" if runtime.precision == "bf16" else "f32",
            "INFERENCE_NUM_THREADS": runtime.threads,
            "PERFORMANCE_HINT": "LATENCY",
        }
        try:
            self._compiled = core.compile_model(core.read_model(model), "CPU", options)
        except RuntimeError as error:
            raise EncoderError(
                f"{model} can't be loaded; it or its .bin is damaged.",
                hint="Export it again: emolens export MODEL_FOLDER (needs emolens[train]).",
            ) from error

    def __call__(self, input_ids: np.ndarray, attention_mask: np.ndarray) -> np.ndarray:
        """(rows, tokens) to (rows, d) float32."""
        outputs = self._compiled({"input_ids": input_ids, "attention_mask": attention_mask})
        return np.asarray(outputs[0], dtype=np.float32)
