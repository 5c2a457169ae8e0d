"""Meter: how long a stage takes and how much memory it needs. Knows nothing of stages."""

from __future__ import annotations

import contextlib
import sys
import time
from pathlib import Path

_STATUS, _CLEAR = Path("/proc/self/status"), Path("/proc/self/clear_refs")


class Meter:
    """Seconds and peak memory since the meter was made."""

    def __init__(self) -> None:
        self._started = time.perf_counter()
        with contextlib.suppress(OSError):
            _CLEAR.write_text("5")  # Linux: reset the recorded peak

    @property
    def seconds(self) -> float:
        """Wall-clock seconds so far."""
        return time.perf_counter() - self._started

    @property
    def peak_memory_mb(self) -> float:
        """The peak so far; on other systems than Linux, since the process began."""
        with contextlib.suppress(OSError):
            for line in _STATUS.read_text().splitlines():
                if line.startswith("VmHWM"):
                    return int(line.split()[1]) / 1024
        if sys.platform == "win32":  # Python's library can't read it there
            return 0.0
        import resource

        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return peak / (1024 * 1024 if sys.platform == "darwin" else 1024)
