"""The run folder: which stages are finished, what decided their results, and their files.

A stage is finished if the manifest has it with the same key, and all its files are unchanged. The
manifest is written after the files of a stage, so a run that is killed leaves no stage that only
looks finished. No byte of a refused folder is changed. Knows nothing of what the stages do.
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

from filelock import FileLock, Timeout

from emolens.errors import StorageError, UsageError
from emolens.store import load_json, save_json, sha256, sweep, writing
from emolens.study.keys import StageKey
from emolens.study.settings import Study
from emolens.version import __version__

MANIFEST = "manifest.json"
FORMAT = 2  # of the manifest; a run of another format is not continued
_OTHER_FOLDER = "Choose another folder with --out, or delete that one."
_MAX_REASONS = 3
_STATUS, _CLEAR = Path("/proc/self/status"), Path("/proc/self/clear_refs")


@dataclass(frozen=True)
class Identity:
    """The data and the encoder of a run folder. A study with others needs another folder."""

    dataset: str
    encoder: str

    @classmethod
    def of(cls, study: Study) -> Identity:
        """As the study names them, but './x' is the same as 'x'."""
        named = (study.data.dataset, study.encoder.name)
        return cls(*(Path(os.path.normpath(name)).as_posix() for name in named))


@dataclass(frozen=True)
class StageRecord:
    """What the manifest holds about a finished stage.

    key: all that decided the result. summary: the result in one line. outputs: SHA-256 by path
    within the folder.
    """

    key: StageKey
    summary: str
    outputs: dict[str, str]
    seconds: float
    peak_memory_mb: float

    @classmethod
    def from_dict(cls, plain: dict[str, Any]) -> StageRecord:
        """The record from its JSON form."""
        return cls(**{**plain, "key": StageKey(**plain["key"])})


class RunFolder:
    """One run on disk. `opened()` locks it against a second process."""

    def __init__(self, path: Path, identity: Identity) -> None:
        self.path = path
        self.identity = identity
        self.records: dict[str, StageRecord] = {}

    @contextlib.contextmanager
    def opened(self) -> Iterator[None]:
        """Lock the folder, delete half-written files of a killed run, read the manifest."""
        self._records()  # refuses before anything in the folder is touched
        lock = FileLock(self.path / ".lock", timeout=0)
        with writing(self.path):
            self.path.mkdir(parents=True, exist_ok=True)
            try:
                lock.acquire()
            except Timeout as error:
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
        """None if the stage is finished. Else the reason to do it again; empty the first time."""
        record = self.records.get(stage)
        if record is None:
            return ""
        reasons = key.changes(record.key) + self._damages(record)
        more = f" and {len(reasons) - _MAX_REASONS} more" if len(reasons) > _MAX_REASONS else ""
        return ", ".join(reasons[:_MAX_REASONS]) + more or None

    def record(self, stage: str, record: StageRecord) -> None:
        """Write the manifest with this stage in it; remove what only its last run wrote."""
        before = self.records.get(stage)
        self.records[stage] = record
        stages = {name: asdict(entry) for name, entry in self.records.items()}
        head = {"emolens": __version__, "format": FORMAT, **asdict(self.identity)}
        save_json(self.path / MANIFEST, {**head, "stages": stages})
        current = {name for entry in self.records.values() for name in entry.outputs}
        for name, digest in before.outputs.items() if before else ():
            file = self.path / name
            if name not in current and file.is_file() and sha256(file) == digest:
                file.unlink()

    def outputs(self, paths: Sequence[Path]) -> dict[str, str]:
        """SHA-256 by path within the folder."""
        return {path.relative_to(self.path).as_posix(): sha256(path) for path in paths}

    def _damages(self, record: StageRecord) -> list[str]:
        """Which files of the stage are missing or were changed."""
        damages = []
        for name, digest in record.outputs.items():
            if not (self.path / name).is_file():
                damages.append(f"{name} is missing")
            elif sha256(self.path / name) != digest:
                damages.append(f"{name} was changed")
        return damages

    def _records(self) -> dict[str, StageRecord]:
        """The manifest's records. Raises if its version, data or encoder is another."""
        file = self.path / MANIFEST
        if not file.is_file():
            return {}
        manifest = load_json(file)
        if not isinstance(manifest, dict) or "emolens" not in manifest:
            raise StorageError(f"{file} is not the manifest of a run.", hint=_OTHER_FOLDER)
        if (manifest["emolens"], manifest.get("format")) != (__version__, FORMAT):
            raise StorageError(
                f"{self.path} holds a run of another version of emolens ({manifest['emolens']}).",
                hint=f"This version can't continue it. {_OTHER_FOLDER}",
            )
        try:
            stored = Identity(manifest["dataset"], manifest["encoder"])
            stages = manifest["stages"].items()
            records = {name: StageRecord.from_dict(entry) for name, entry in stages}
        except (KeyError, TypeError, AttributeError) as error:
            raise StorageError(
                f"{file} is not the manifest of a run.", hint=_OTHER_FOLDER
            ) from error
        for name, value in asdict(stored).items():
            if value != getattr(self.identity, name):
                raise UsageError(
                    f"{self.path} holds a run with another {name} ({value}).", hint=_OTHER_FOLDER
                )
        return records


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
