"""The run folder: which stages are done, from what, and with which files.

A stage is done when the manifest says so, for the same key, and every file it wrote is still the
one it wrote. The manifest is written after the stage's files, so a kill at any moment leaves either
a finished stage or none. A folder that is refused stays as it is, to the byte.
"""

from __future__ import annotations

import contextlib
import os
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from emolens.errors import StorageError, UsageError, require
from emolens.store import load_json, save_json, sha256, sweep, writing
from emolens.study.keys import StageKey
from emolens.study.settings import Study
from emolens.version import __version__

MANIFEST = "manifest.json"
FORMAT = 2  # of the manifest; runs of another format are not continued
_WAY_OUT = "Choose another folder with --out, or delete that one."
_TOLD = 3  # reasons that are named
_STATUS, _CLEAR = Path("/proc/self/status"), Path("/proc/self/clear_refs")


@dataclass(frozen=True)
class Identity:
    """What a run folder is of; a study of anything else gets a folder of its own."""

    dataset: str
    encoder: str

    @classmethod
    def of(cls, study: Study) -> Identity:
        """The data and the encoder that a study names; './x' is the same place as 'x'."""
        named = (study.data.dataset, study.encoder.name)
        return cls(*(Path(os.path.normpath(name)).as_posix() for name in named))


@dataclass(frozen=True)
class StageRecord:
    """What the manifest holds of a finished stage.

    key: all that decided the result. summary: the line that sums the stage up. outputs: SHA-256
    by path within the folder.
    """

    key: StageKey
    summary: str
    outputs: dict[str, str]
    seconds: float
    peak_memory_mb: float

    @classmethod
    def from_dict(cls, plain: dict[str, Any]) -> StageRecord:
        """As the manifest holds it."""
        return cls(**{**plain, "key": StageKey(**plain["key"])})


class RunFolder:
    """One run on disk. Use `opened()`, which locks it against a second process."""

    def __init__(self, path: Path, identity: Identity) -> None:
        self.path = path
        self.identity = identity
        self.records: dict[str, StageRecord] = {}

    @contextlib.contextmanager
    def opened(self) -> Iterator[None]:
        """Lock the folder, clear what a killed run left half-written, read the manifest."""
        filelock = require("filelock", "train")
        self._records()  # refuses before anything in the folder is touched
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
            self.records = self._records()
            yield
        finally:
            lock.release()

    def to_do(self, stage: str, key: StageKey) -> str | None:
        """None where the stage is done. Else why it is done again; empty for the first time."""
        record = self.records.get(stage)
        if record is None:
            return ""
        reasons = key.changes(record.key) + self._harmed(record)
        more = f" and {len(reasons) - _TOLD} more" if len(reasons) > _TOLD else ""
        return ", ".join(reasons[:_TOLD]) + more or None

    def record(self, stage: str, record: StageRecord) -> None:
        """Write the manifest with this stage in it."""
        self.records[stage] = record
        stages = {name: asdict(entry) for name, entry in self.records.items()}
        head = {"emolens": __version__, "format": FORMAT, **asdict(self.identity)}
        save_json(self.path / MANIFEST, {**head, "stages": stages})

    def outputs(self, paths: Sequence[Path]) -> dict[str, str]:
        """SHA-256 by path within the folder."""
        return {path.relative_to(self.path).as_posix(): sha256(path) for path in paths}

    def _harmed(self, record: StageRecord) -> list[str]:
        """The stage's files that are no longer what it wrote."""
        harmed = []
        for name, digest in record.outputs.items():
            if not (self.path / name).is_file():
                harmed.append(f"{name} is missing")
            elif sha256(self.path / name) != digest:
                harmed.append(f"{name} was changed")
        return harmed

    def _records(self) -> dict[str, StageRecord]:
        """What the manifest holds. Raises where it is of another version, data or encoder."""
        file = self.path / MANIFEST
        if not file.is_file():
            return {}
        manifest = load_json(file)
        if not isinstance(manifest, dict) or "emolens" not in manifest:
            raise StorageError(f"{file} is no manifest of a run.", hint=_WAY_OUT)
        if (manifest["emolens"], manifest.get("format")) != (__version__, FORMAT):
            raise StorageError(
                f"{self.path} holds a run of another version of emolens ({manifest['emolens']}),"
                " which this one can't continue.",
                hint=f"It was left as it is. {_WAY_OUT}",
            )
        try:
            stored = Identity(manifest["dataset"], manifest["encoder"])
            stages = manifest["stages"].items()
            records = {name: StageRecord.from_dict(entry) for name, entry in stages}
        except (KeyError, TypeError, AttributeError) as error:
            raise StorageError(f"{file} is no manifest of a run.", hint=_WAY_OUT) from error
        for name, value in asdict(stored).items():
            if value != getattr(self.identity, name):
                raise UsageError(
                    f"{self.path} holds a run with another {name} ({value}).", hint=_WAY_OUT
                )
        return records


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
