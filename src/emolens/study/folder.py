"""The run folder: which stages are done, from what, and with which files.

A stage is done when the manifest says so, for the same inputs, and every file it wrote is still
the one it wrote. The manifest is written after the stage's files, so a kill at any moment leaves
either a finished stage or none.
"""

from __future__ import annotations

import contextlib
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from emolens.errors import StorageError, UsageError, require
from emolens.store import load_json, save_json, sha256, sweep, writing
from emolens.version import __version__

_STATUS, _CLEAR = Path("/proc/self/status"), Path("/proc/self/clear_refs")


@dataclass(frozen=True)
class StageRecord:
    """What the manifest holds of a finished stage.

    key: the fingerprint of everything that went in. outputs: SHA-256 by path within the folder.
    summary: the line that sums the stage up.
    """

    key: str
    summary: str
    outputs: dict[str, str]
    seconds: float
    peak_memory_mb: float


class RunFolder:
    """One run on disk. Use `opened()`, which locks it against a second process."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.records: dict[str, StageRecord] = {}

    @contextlib.contextmanager
    def opened(self, identity: dict[str, str]) -> Iterator[None]:
        """Lock the folder, clear what a killed run left half-written, read the manifest."""
        filelock = require("filelock", "train")
        with writing(self.path):
            self.path.mkdir(parents=True, exist_ok=True)
        lock = filelock.FileLock(self.path / ".lock", timeout=0)
        with writing(self.path):
            try:
                lock.acquire()
            except filelock.Timeout as error:
                raise StorageError(
                    f"Another emolens run is writing to {self.path}.",
                    hint="Wait for it, or choose another folder with --out.",
                ) from error
        try:
            sweep(self.path)
            self._read(identity)
            yield
        finally:
            lock.release()

    def done(self, stage: str, key: str) -> bool:
        """Whether the stage is finished for these inputs and its files are unharmed."""
        record = self.records.get(stage)
        if record is None or record.key != key:
            return False
        return all(
            (self.path / name).is_file() and sha256(self.path / name) == digest
            for name, digest in record.outputs.items()
        )

    def record(self, stage: str, record: StageRecord, identity: dict[str, str]) -> None:
        """Write the manifest with this stage in it."""
        self.records[stage] = record
        stages = {name: asdict(entry) for name, entry in self.records.items()}
        manifest = {"emolens": __version__, **identity, "stages": stages}
        save_json(self.path / "manifest.json", manifest)

    def outputs(self, paths: Sequence[Path]) -> dict[str, str]:
        """SHA-256 by path within the folder."""
        return {path.relative_to(self.path).as_posix(): sha256(path) for path in paths}

    def _read(self, identity: dict[str, str]) -> None:
        file = self.path / "manifest.json"
        if not file.is_file():
            return
        manifest: dict[str, Any] = load_json(file)
        try:
            told = {name: str(manifest[name]) for name in identity}
            records = {name: StageRecord(**entry) for name, entry in manifest["stages"].items()}
        except (KeyError, TypeError, AttributeError) as error:
            raise StorageError(
                f"{file} is no manifest of this version of emolens.",
                hint="Choose another folder with --out, or delete that one.",
            ) from error
        for name, value in identity.items():
            if told[name] != value:
                raise UsageError(
                    f"{self.path} holds a run with another {name} ({told[name]}).",
                    hint="Choose another folder with --out, or delete that one.",
                )
        self.records = records


class Meter:
    """Seconds and peak memory from its making on."""

    def __init__(self) -> None:
        self._started = time.perf_counter()
        with contextlib.suppress(OSError):
            _CLEAR.write_text("5")  # Linux: start the high-water mark anew

    @property
    def seconds(self) -> float:
        """Wall-clock seconds so far."""
        return time.perf_counter() - self._started

    @property
    def peak_memory_mb(self) -> float:
        """The most memory held so far; elsewhere than on Linux, since the process began."""
        with contextlib.suppress(OSError):
            for line in _STATUS.read_text().splitlines():
                if line.startswith("VmHWM"):
                    return int(line.split()[1]) / 1024
        if sys.platform == "win32":  # has no such figure in Python's library
            return 0.0
        import resource

        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return peak / (1024 * 1024 if sys.platform == "darwin" else 1024)
