"""OpenVINO: models traced out of torch, and run on the CPU, in fp32 or bf16.

The only module that knows OpenVINO. Loads no torch unless a model is traced.
"""

from __future__ import annotations

import importlib
import sys
import warnings
from collections import deque
from collections.abc import Iterable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

from emolens.encode.engines import Batch, Engine
from emolens.errors import EncoderError, require
from emolens.runtime import Runtime

INPUTS = ("input_ids", "attention_mask")


class OpenVinoEngine(Engine):
    """A traced model on the CPU; gives its first output, (rows, d).

    model: an `openvino_model.xml`, or what traced() gave. One stream a thread: two batches on a
    core each are done sooner than one after the other on both (benchmarks/RESULTS.md).
    """

    def __init__(self, model: Path | Any, runtime: Runtime) -> None:
        self._ov = silent_openvino()
        core = self._ov.Core()
        options = {
            "INFERENCE_PRECISION_HINT": "bf16" if runtime.precision == "bf16" else "f32",
            "INFERENCE_NUM_THREADS": runtime.threads,
            "NUM_STREAMS": runtime.threads,
        }
        if isinstance(model, Path):
            if not model.is_file():
                raise EncoderError(
                    f"There is no exported model {model}.",
                    hint="Export it: emolens export MODEL_FOLDER (needs emolens[train]).",
                )
            try:
                model = core.read_model(model)
                self._compiled = core.compile_model(model, "CPU", options)
            except RuntimeError as error:
                raise EncoderError(
                    f"{model} can't be loaded; it or its .bin is damaged.",
                    hint="Export it again: emolens export MODEL_FOLDER (needs emolens[train]).",
                ) from error
        else:
            self._compiled = core.compile_model(model, "CPU", options)
        self._in_flight = runtime.threads

    def __call__(self, input_ids: np.ndarray, attention_mask: np.ndarray) -> np.ndarray:
        """(rows, tokens) to (rows, d) float32."""
        outputs = self._compiled(dict(zip(INPUTS, (input_ids, attention_mask), strict=True)))
        return np.asarray(outputs[0], dtype=np.float32)

    def stream(self, batches: Iterable[Batch]) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """As many batches at once as there are threads, answered in their order."""
        free = [self._compiled.create_infer_request() for _ in range(self._in_flight)]
        running: deque[tuple[np.ndarray, Any]] = deque()
        for rows, *arrays in batches:
            if not free:
                answer, request = _finished(*running.popleft())
                yield answer
                free.append(request)
            request = free.pop()
            request.start_async(dict(zip(INPUTS, arrays, strict=True)))
            running.append((rows, request))
        while running:
            yield _finished(*running.popleft())[0]


def traced(model: Any, output: str) -> Any:
    """A torch module of (input_ids, attention_mask) as an OpenVINO model with one named output."""
    torch = require("torch", "train")
    ov = silent_openvino()
    example = {name: torch.ones((2, 8), dtype=torch.int64) for name in INPUTS}
    example["attention_mask"][1, 6:] = 0  # a mask of ones alone may be traced away
    with warnings.catch_warnings(), torch.no_grad():
        warnings.simplefilter("ignore")  # the tracer's advice is for those who write models
        converted = ov.convert_model(model, example_input=example)
    for port, name in zip(converted.inputs, INPUTS, strict=True):
        port.get_tensor().set_names({name})
    converted.outputs[0].get_tensor().set_names({output})
    return converted


def save_traced(model: Any, path: Path) -> None:
    """Write the .xml and, beside it, the .bin in fp32."""
    silent_openvino().save_model(model, path, compress_to_fp16=False)


def _finished(rows: np.ndarray, request: Any) -> tuple[tuple[np.ndarray, np.ndarray], Any]:
    request.wait()
    # The request overwrites its output with the next batch.
    return (rows, np.array(request.get_output_tensor(0).data, dtype=np.float32)), request


def silent_openvino() -> ModuleType:
    """Import OpenVINO without its telemetry, which would report the import to a server.

    emolens sends nothing anywhere. A None in sys.modules is Python's own way to say that a module
    is not to be had; OpenVINO then uses the stub that it keeps for that case.
    """
    sys.modules.setdefault("openvino_telemetry", None)  # type: ignore[arg-type]
    return importlib.import_module("openvino")
