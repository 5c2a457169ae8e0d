"""Which engine runs a model, where and how exactly: chosen once, on call, with its reason.

The one room to open for another engine: `choose` says when it is taken, `start` makes it. Loads
torch only where there may be a CUDA device, or where torch is what runs the model.
"""

from __future__ import annotations

import importlib.util
import sys
import warnings
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal, get_args

import numpy as np

from emolens.encode.cache import keep_refusal, read_refusal
from emolens.encode.engines.base import Engine
from emolens.encode.engines.openvino import INT8_MODEL, MODEL, OpenVinoEngine, damaged
from emolens.encode.engines.torch import TorchEngine
from emolens.errors import EncoderError, UsageError, first_line, nearest
from emolens.runtime import Precision, Runtime, cpu_has_bf16, n_threads

# encode: vectors of a frozen encoder. serve: an exported model, without torch. score: a model that
# was just trained. train: the training itself.
Use = Literal["encode", "serve", "score", "train"]
_TRAINING = ("fp32", "bf16")
# What torch calls CUDA: NVIDIA's driver, the same under Windows' Linux, and AMD's.
_DEVICES = ("/dev/nvidiactl", "/dev/dxg", "/dev/kfd")


def choose(precision: str | None = None, *, use: Use = "encode", model: str = "") -> Runtime:
    """CUDA where there is a device, else the CPU; bf16 where the hardware has it, else fp32.

    precision: overrules the choice; None or 'auto' leaves it. int8 is never chosen unasked, runs on
    the CPU, and trains nothing. OpenVINO computes on the CPU, torch on CUDA, and on either where a
    model is trained or scored. model: the key of a model; one that OpenVINO could not run before
    goes to torch at once.
    """
    offered = _TRAINING if use == "train" else get_args(Precision)
    if precision not in (None, "auto", *offered):
        raise UsageError(
            f"There is no precision '{precision}' here.",
            hint=nearest(str(precision), ("auto", *offered)),
        )
    device, where, bf16 = _device(precision, use)
    engine: Literal["openvino", "torch"] = "openvino"
    if device == "cuda" or use in ("score", "train"):
        engine = "torch"
    reason = f"{where}; the processor has {'bf16' if bf16 else 'no bf16'}"
    taken: Precision = "bf16" if bf16 else "fp32"
    for asked in get_args(Precision):
        if precision == asked:
            taken, reason = asked, f"{where}; {asked} as asked"
    runtime = Runtime(engine, device, taken, n_threads(), reason)
    cause = read_refusal(model) if model and engine == "openvino" else None
    return runtime if cause is None else _on_torch(runtime, cause)


def start(
    runtime: Runtime,
    module: Callable[[], Any],
    *,
    traced: Callable[[], Path] | None = None,
    model: str = "",
) -> tuple[Engine, Runtime]:
    """The engine of a runtime, and the runtime that it became.

    module: gives the torch module. traced: gives the .xml of the same model for OpenVINO. model:
    its key. What OpenVINO can't run, torch runs, with a warning that names the cause; the cause is
    kept, so that the next start does not try again. Raises EncoderError for int8, which torch does
    not have.
    """
    if runtime.engine == "torch" or traced is None:
        return TorchEngine(module(), runtime), runtime
    try:
        return OpenVinoEngine(traced(), runtime), runtime
    except RuntimeError as error:  # can't be traced, or has an operation that OpenVINO hasn't
        cause = first_line(error)
        if runtime.precision == "int8":
            raise EncoderError(
                f"OpenVINO can't run the encoder, which int8 needs: {cause}.",
                hint="Choose bf16 or fp32.",
            ) from error
    keep_refusal(model, cause)
    runtime = _on_torch(runtime, cause)
    warnings.warn(f"The encoder runs on torch: {runtime.reason}.", UserWarning, stacklevel=5)
    return TorchEngine(module(), runtime), runtime


def open_exported(folder: Path, *, precision: str | None = None) -> tuple[Engine, Runtime]:
    """The engine and the runtime of a model folder with `openvino/`. Loads no torch."""
    runtime = choose(precision, use="serve")
    path = folder / "openvino" / (INT8_MODEL if runtime.precision == "int8" else MODEL)
    try:
        return OpenVinoEngine(path, runtime), runtime
    except RuntimeError as error:
        raise damaged(path) from error


def try_out(path: Path) -> None:
    """Run a traced model once, on another shape than it was traced with.

    Raises RuntimeError where that fails: tracing fixes what some models compute from the shape.
    """
    one_text = np.ones((1, 5), dtype=np.int64)
    OpenVinoEngine(path, choose("fp32", use="serve"))(one_text, one_text)


def _on_torch(runtime: Runtime, cause: str) -> Runtime:
    reason = f"{runtime.reason}; OpenVINO can't run the model: {cause}"
    return replace(runtime, engine="torch", reason=reason)


def _device(precision: str | None, use: Use) -> tuple[Literal["cpu", "cuda"], str, bool]:
    """Where the work is done, why, and whether it has bf16 there."""
    if precision == "int8":
        return "cpu", "int8 runs there", cpu_has_bf16()
    if use == "serve":
        return "cpu", "exported models run there", cpu_has_bf16()
    if not _has_cuda():
        return "cpu", "no CUDA device", cpu_has_bf16()
    import torch

    # Older devices emulate bf16, which is slow.
    return (
        "cuda",
        torch.cuda.get_device_name(),
        torch.cuda.is_bf16_supported(including_emulation=False),
    )


def _has_cuda() -> bool:
    # Seconds are saved where the system itself says that there is no such device.
    if sys.platform == "linux" and not any(Path(device).exists() for device in _DEVICES):
        return False
    if importlib.util.find_spec("torch") is None:
        return False
    import torch

    return bool(torch.cuda.is_available())
