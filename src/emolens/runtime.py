"""Device, precision, threads and seed: chosen once, on call, with a reason that can be printed.

Knows nothing of models or data. Torch is asked only where it is installed.
"""

from __future__ import annotations

import importlib.util
import os
import random
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

import numpy as np

from emolens.errors import UsageError, nearest

Precision = Literal["fp32", "bf16", "int8"]
TRAINING = ("fp32", "bf16")
# What torch calls CUDA: NVIDIA's driver, the same under Windows' Linux, and AMD's.
_DEVICES = ("/dev/nvidiactl", "/dev/dxg", "/dev/kfd")


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


def choose(
    precision: str | None = None,
    *,
    on_cpu: bool = False,
    offered: tuple[str, ...] = get_args(Precision),
) -> Runtime:
    """CUDA where there is a device, else the CPU; bf16 where the hardware has it, else fp32.

    precision: one of those offered overrules the choice; None or 'auto' leaves it. int8 is never
    chosen unasked, and runs on the CPU. on_cpu: stay there without looking for CUDA, which would
    load torch.
    """
    if precision not in (None, "auto", *offered):
        raise UsageError(
            f"There is no precision '{precision}' here.",
            hint=nearest(str(precision), ("auto", *offered)),
        )
    device: Literal["cpu", "cuda"]
    if precision == "int8":
        device, where, bf16 = "cpu", "int8 runs there", cpu_has_bf16()
    elif not on_cpu and _cuda():
        device, (where, bf16) = "cuda", _cuda_facts()
    else:
        where = "exported models run there" if on_cpu else "no CUDA device"
        device, bf16 = "cpu", cpu_has_bf16()
    has = "the processor has bf16" if bf16 else "the processor has no bf16"
    for asked in get_args(Precision):
        if precision == asked:
            return Runtime(device, asked, n_threads(), f"{where}; {asked} as asked")
    return Runtime(device, "bf16" if bf16 else "fp32", n_threads(), f"{where}; {has}")


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
    # Seconds are saved where the system itself says that there is no such device.
    if sys.platform == "linux" and not any(Path(device).exists() for device in _DEVICES):
        return False
    if importlib.util.find_spec("torch") is None:
        return False
    import torch

    return bool(torch.cuda.is_available())


def _cuda_facts() -> tuple[str, bool]:
    """The device's name, and whether it multiplies bf16 itself; older ones emulate it slowly."""
    import torch

    return torch.cuda.get_device_name(), torch.cuda.is_bf16_supported(including_emulation=False)
