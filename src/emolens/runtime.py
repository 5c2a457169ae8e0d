"""Device, precision, threads and seed: chosen once, on call, with a reason that can be printed.

Knows nothing of models or data. Torch is asked only where it is installed.
"""

from __future__ import annotations

import importlib.util
import os
import random
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

import numpy as np

from emolens.errors import UsageError, nearest

Precision = Literal["fp32", "bf16"]


@dataclass(frozen=True)
class Runtime:
    """Where the work is done and how exactly; `reason` says why it was chosen so."""

    device: Literal["cpu", "cuda"]
    precision: Precision
    threads: int
    reason: str

    def __str__(self) -> str:
        threads = f", {self.threads} threads" if self.device == "cpu" else ""
        return f"{self.device}, {self.precision}{threads} ({self.reason})"


def choose(precision: str | None = None, *, on_cpu: bool = False) -> Runtime:
    """CUDA where there is a device, else the CPU; bf16 where the hardware has it, else fp32.

    precision: 'fp32' or 'bf16' overrules the choice; None or 'auto' leaves it.
    on_cpu: stay there without looking for CUDA, which would load torch.
    """
    if precision not in (None, "auto", *get_args(Precision)):
        raise UsageError(
            f"There is no precision '{precision}'.",
            hint=nearest(str(precision), ("auto", *get_args(Precision))),
        )
    device: Literal["cpu", "cuda"]
    if not on_cpu and _cuda():
        device, (where, bf16) = "cuda", _cuda_facts()
    else:
        where = "exported models run there" if on_cpu else "no CUDA device"
        device, bf16 = "cpu", cpu_has_bf16()
    has = "the processor has bf16" if bf16 else "the processor has no bf16"
    chosen: Precision
    if precision in get_args(Precision):
        chosen, why = ("bf16" if precision == "bf16" else "fp32"), f"{precision} as asked"
    else:
        chosen, why = ("bf16" if bf16 else "fp32"), has
    return Runtime(device, chosen, n_threads(), f"{where}; {why}")


def n_threads() -> int:
    """The cores that this process may use; OMP_NUM_THREADS overrules."""
    if (asked := os.environ.get("OMP_NUM_THREADS", "")).isdecimal() and int(asked) > 0:
        return int(asked)
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def cpu_has_bf16() -> bool:
    """Whether the processor multiplies bf16 matrices itself (AVX512-BF16 or AMX-BF16)."""
    try:
        flags = Path("/proc/cpuinfo").read_text(encoding="ascii", errors="replace")
    except OSError:
        return False
    return "avx512_bf16" in flags or "amx_bf16" in flags


def seed_everything(seed: int) -> None:
    """Seed the generators of Python, NumPy and, where it is installed, torch."""
    random.seed(seed)
    np.random.seed(seed)
    if importlib.util.find_spec("torch"):
        import torch

        torch.manual_seed(seed)


def _cuda() -> bool:
    if importlib.util.find_spec("torch") is None:
        return False
    import torch

    return bool(torch.cuda.is_available())


def _cuda_facts() -> tuple[str, bool]:
    """The device's name, and whether it multiplies bf16 itself; older ones emulate it slowly."""
    import torch

    return torch.cuda.get_device_name(), torch.cuda.is_bf16_supported(including_emulation=False)
