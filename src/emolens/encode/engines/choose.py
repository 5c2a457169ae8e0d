"""Chooses the engine, device and precision that run a model, and gives the reason.

To add an engine, change this module: `choose` decides, `start` loads the engine. torch is loaded
only if there may be a CUDA device, or if torch runs the model.
"""

from __future__ import annotations

import importlib.util
import sys
import warnings
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal, cast, get_args

from emolens.encode.cache import (
    FORMAT,
    keep_compiled,
    keep_refusal,
    read_compiled,
    read_refusal,
)
from emolens.encode.engines.base import Engine
from emolens.encode.engines.openvino import (
    INT8_MODEL,
    MODEL,
    ONNX_INT8_MODEL,
    ONNX_MODEL,
    CompiledCache,
    OpenVinoEngine,
    damaged,
)
from emolens.encode.engines.torch import TorchEngine
from emolens.errors import EncoderError, StorageError, UsageError, first_line, nearest
from emolens.modelfolder import ONNX, OPENVINO, export_hint, is_bundled
from emolens.runtime import Precision, Runtime, cpu_has_bf16, n_threads
from emolens.stopped import check_not_stopped
from emolens.store import fingerprint
from emolens.version import __version__

# encode: vectors from a frozen encoder. serve: answers from an exported model, without torch.
# train: the training of a model. score: its probabilities after the training.
Use = Literal["encode", "serve", "score", "train"]
_TRAINING = ("fp32", "bf16")
# torch's "CUDA" devices: NVIDIA, NVIDIA under WSL, AMD.
_DEVICES = ("/dev/nvidiactl", "/dev/dxg", "/dev/kfd")


def choose(precision: str | None = None, *, use: Use = "encode", model: str = "") -> Runtime:
    """CUDA if there is a device, else the CPU; bf16 if the hardware has it, else fp32.

    precision: None or 'auto' for that rule, or the precision to use. int8 runs on the CPU only and
    can't train. torch runs everything on CUDA, and training and scoring on the CPU; OpenVINO runs
    the rest. model: the key of a model in the cache; if OpenVINO has failed to run it before, torch
    is chosen.
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
    if precision in get_args(Precision):
        reason = f"{where}; {precision} as asked"
    else:
        precision = "bf16" if bf16 else "fp32"
    runtime = Runtime(engine, device, cast(Precision, precision), n_threads(), reason)
    cause = read_refusal(model) if model and engine == "openvino" else None
    return runtime if cause is None else _on_torch(runtime, cause)


def start(
    runtime: Runtime,
    module: Callable[[], Any],
    *,
    traced: Callable[[Callable[[Path], Engine]], Engine] | None = None,
    model: str = "",
) -> tuple[Engine, Runtime]:
    """Load the engine of a runtime; returns the engine and the runtime that it really has.

    module: returns the torch module. traced: calls its argument with a folder that holds the same
    model for OpenVINO, and returns the engine. model: its key in the cache; empty without a cache.
    If OpenVINO can't run the model, torch does, with a warning that names the cause. The cache
    keeps the cause, so that the next start does not try again, unless the cause is a full disk.
    torch has no int8: there, an EncoderError or a StorageError is raised.
    """
    if runtime.engine == "torch" or traced is None:
        return TorchEngine(module(), runtime), runtime
    try:
        return traced(lambda folder: OpenVinoEngine(folder / MODEL, runtime)), runtime
    except StorageError as error:  # no disk has room for the model
        cause = first_line(error).removesuffix(".")
        if runtime.precision == "int8":
            raise
    except RuntimeError as error:  # tracing fails, or OpenVINO lacks an operation
        check_not_stopped()
        cause = first_line(error)
        if runtime.precision == "int8":
            raise EncoderError(
                f"OpenVINO can't run the encoder, which int8 needs: {cause}.",
                hint="Choose bf16 or fp32.",
            ) from error
        if model:
            keep_refusal(model, cause)
    runtime = _on_torch(runtime, cause)
    warnings.warn(f"The encoder runs on torch: {runtime.reason}.", UserWarning, stacklevel=5)
    return TorchEngine(module(), runtime), runtime


def exported_names(precision: str) -> tuple[str, ...]:
    """Where an exported model may be in a model folder; the first one that is there is used."""
    if precision == "int8":
        return OPENVINO + INT8_MODEL, ONNX + ONNX_INT8_MODEL
    return OPENVINO + MODEL, ONNX + ONNX_MODEL


def choose_exported(folder: Path, precision: str | None = None) -> tuple[Path, Runtime]:
    """The exported model in a model folder, and the runtime for it. Raises EncoderError.

    precision: None or 'auto' is the rule of `choose`; where only int8 was exported, it is int8.
    """
    runtime = choose(precision, use="serve")
    if path := _exported(folder, runtime.precision):
        return path, runtime
    int8 = _exported(folder, "int8")
    if int8 and precision in (None, "auto"):
        runtime = choose("int8", use="serve")
        return int8, replace(
            runtime, reason="exported models run on the CPU; only int8 was exported"
        )
    if is_bundled(folder) and int8:
        raise EncoderError(
            f"The model that comes with emolens runs in int8, not in {runtime.precision}.",
            hint="Leave out the precision.",
        )
    names = exported_names(runtime.precision)
    raise EncoderError(
        f"There is no exported model in {folder}: neither {' nor '.join(names)}.",
        hint=export_hint(folder, int8=runtime.precision == "int8"),
    )


def _exported(folder: Path, precision: str) -> Path | None:
    paths = [folder / name for name in exported_names(precision)]
    return next((path for path in paths if path.is_file()), None)


def open_exported(path: Path, runtime: Runtime, *, key: str = "") -> OpenVinoEngine:
    """The engine of an exported model. Loads no torch.

    key: decides its content. With it, the compiled model is kept in the cache.
    """
    cache = None
    if key:
        cache = CompiledCache(fingerprint(FORMAT, __version__, key), read_compiled, keep_compiled)
    try:
        return OpenVinoEngine(path, runtime, cache=cache)
    except RuntimeError as error:
        raise damaged(path) from error


def _on_torch(runtime: Runtime, cause: str) -> Runtime:
    reason = f"{runtime.reason}; OpenVINO can't run the model: {cause}"
    return replace(runtime, engine="torch", reason=reason)


def _device(precision: str | None, use: Use) -> tuple[Literal["cpu", "cuda"], str, bool]:
    """The device, the reason for it, and whether it has bf16."""
    if precision == "int8":
        return "cpu", "int8 runs on the CPU", cpu_has_bf16()
    if use == "serve":
        return "cpu", "exported models run on the CPU", cpu_has_bf16()
    if not _has_cuda():
        return "cpu", "no CUDA device", cpu_has_bf16()
    import torch

    # Older devices emulate bf16, which is slow.
    bf16 = torch.cuda.is_bf16_supported(including_emulation=False)
    return "cuda", torch.cuda.get_device_name(), bf16


def _has_cuda() -> bool:
    # Importing torch takes seconds; without a device file there is no need to ask it.
    if sys.platform == "linux" and not any(Path(device).exists() for device in _DEVICES):
        return False
    if importlib.util.find_spec("torch") is None:
        return False
    import torch

    return bool(torch.cuda.is_available())
