"""What a computation runs on, as a value, and what the machine has: cores, bf16, random seeds.

Knows nothing of models or data; which engine is taken, encode/engines/choose.py decides.
"""

from __future__ import annotations

import contextlib
import ctypes
import importlib.util
import os
import random
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np

Precision = Literal["fp32", "bf16", "int8"]


@dataclass(frozen=True)
class Runtime:
    """The engine, device, precision and threads of a computation; `reason` says why these."""

    engine: Literal["openvino", "torch"]
    device: Literal["cpu", "cuda"]
    precision: Precision
    threads: int
    reason: str

    def __str__(self) -> str:
        threads = f", {self.threads} threads" if self.device == "cpu" else ""
        return f"{self.device}, {self.precision}{threads}, {self.engine} ({self.reason})"


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


def return_freed_memory() -> None:
    """Give the system the memory back that this process has freed.

    Batches of different sizes leave the heap of glibc full of holes, and it keeps them: without
    this, a training of some minutes holds 600 MB that nothing uses. Elsewhere it does nothing.
    """
    if sys.platform == "linux":
        with contextlib.suppress(OSError, AttributeError):  # musl has no such function
            ctypes.CDLL(None).malloc_trim(0)
