"""The run folder: which stages are finished, what decided their results, and their files.

A stage is finished if the manifest has it with the same key, and all its files are unchanged. It is
recorded after its files are placed, so after a kill no unfinished stage looks finished. Only files
that the manifest lists are replaced or deleted, and a folder that is refused is not changed. Knows
nothing of what the stages do.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, ClassVar

from filelock import FileLock, Timeout
from pydantic import ConfigDict, TypeAdapter

from emolens.errors import EmolensError, StorageError, UsageError
from emolens.modelfolder import EMOLENS_JSON, OPENVINO, owned_in
from emolens.output import digests, place, remove_owned, sha256, staged, writing
from emolens.owned import Owned, checked_list
from emolens.shown import quoted
from emolens.store import load_object, save_json, save_text
from emolens.study.keys import StageKey
from emolens.study.settings import Study, load_study
from emolens.temporary import is_temporary, remove_dead
from emolens.version import __version__

MANIFEST, LOCK, STUDY, MODEL = "manifest.json", ".lock", "study.toml", "model"
TENSORBOARD, REPORT = "tensorboard", "report.html"
FORMAT = 4  # of the manifest; a run of another format is not continued
_STARTED = (MANIFEST, "staged")  # a start that is killed may leave temporary files for these
_MAX_REASONS = 3


@dataclass(frozen=True)
class Identity:
    """The data and the encoder of a run folder. A study with others needs another folder."""

    dataset: str
    encoder: str

    @classmethod
    def of(cls, study: Study) -> Identity:
        """The names in the study; './x' is the same as 'x'."""
        named = (study.data.dataset, study.encoder.name)
        return cls(*(Path(os.path.normpath(name)).as_posix() for name in named))


@dataclass(frozen=True)
class StageRecord:
    """What the manifest holds about a finished stage.

    key: all settings and files that decided the result. summary: the result in one line. outputs:
    SHA-256 by path within the folder.
    """

    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(extra="forbid")

    key: StageKey
    summary: str
    outputs: dict[str, str]
    seconds: float
    peak_memory_mb: float

    @classmethod
    def from_dict(cls, plain: dict[str, Any]) -> StageRecord:
        """The record from its JSON form. ValueError if it is no such record."""
        record = TypeAdapter(cls).validate_python(plain)
        checked_list(record.outputs)
        return record


class RunFolder:
    """One run on disk. `opened()` locks it against a second process.

    stays: the command has no --out, so no hint may name it.
    """

    def __init__(self, path: Path, identity: Identity, *, stays: bool = False) -> None:
        self.path = path
        self.identity = identity
        self._stays = stays
        self.records: dict[str, StageRecord] = {}
        self._owned = Owned()

    @contextlib.contextmanager
    def opened(self) -> Iterator[None]:
        """Lock the folder and read the manifest. Raises before anything in the folder changes."""
        with writing(self.path):
            self._read()
        lock = FileLock(self.path / LOCK, timeout=0)
        with writing(self.path):
            self.path.mkdir(parents=True, exist_ok=True)
            try:
                lock.acquire()
            except Timeout as error:
                raise StorageError(
                    f"Another emolens run is writing to {self.path}.",
                    hint="Wait until it has ended."
                    if self._stays
                    else "Wait for it, or choose another folder with --out.",
                ) from error
        try:
            self._read()
            for name in _STARTED:
                remove_dead(self.path, name)
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

    @contextlib.contextmanager
    def placing(self, renewed: Mapping[str, str] | None = None) -> Iterator[Path]:
        """Give an empty folder for new files; they are placed if the block ends without an error.

        renewed: more files that may be replaced, with their SHA-256; read after the block. Call
        record() or placed() then. Raises before the block if the files can't be placed.
        """
        self._check_links()
        with staged(self.path) as out:
            yield out
            self._owned = self._owned.expecting(digests(out), self.path)
            self._save()
            replaceable = {**self._owned.files, **(renewed or {})}
            place(out, self.path, new=self._owned.pending, owned=replaceable)

    def outputs(self, *, model_part: str | None = None) -> dict[str, str]:
        """SHA-256 by path of the files that were placed last.

        model_part: also of the files in this part of the model folder, which has its own list.
        """
        outputs = dict(self._owned.pending)
        if model_part is not None:
            outputs |= self._model_files(model_part)
        return outputs

    def record(self, stage: str, record: StageRecord) -> None:
        """Write the manifest with this stage in it; delete what only its last run wrote."""
        before = self.records.get(stage)
        self.records[stage] = record
        current = {name for entry in self.records.values() for name in entry.outputs}
        gone = before.outputs.keys() - current if before else set()
        gone -= remove_owned(self.path, sorted(gone), self._owned.files)
        self.placed(without=gone)

    def placed(self, *, without: Iterable[str] = ()) -> None:
        """Write the manifest with the pending files among the files of emolens."""
        self._owned = self._owned.placed(without=without)
        self._save()

    def keep_study(self, study: Study) -> None:
        """Write study.toml, if the file there does not give the same study."""
        with contextlib.suppress(EmolensError):
            if (self.path / STUDY).is_file() and load_study(self.path / STUDY) == study:
                return
        with self.placing() as out:
            save_text(out / STUDY, study.to_toml())
        self.placed()

    def _save(self) -> None:
        stages = {name: asdict(entry) for name, entry in self.records.items()}
        head = {"emolens": __version__, "format": FORMAT, **asdict(self.identity)}
        save_json(self.path / MANIFEST, {**head, "stages": stages, **self._owned.to_json()})

    def _damages(self, record: StageRecord) -> list[str]:
        """Which files of the stage are missing or were changed."""
        # `emolens export` may have written the files in openvino/ again, after this stage. So their
        # SHA-256 in emolens.json are newer than those in the record.
        exported = self._model_files(OPENVINO)
        # After an export that was killed, a file that it should have replaced counts as changed.
        pending = {f"{MODEL}/{name}": d for name, d in owned_in(self.path / MODEL).pending.items()}
        damages = []
        for name, digest in record.outputs.items():
            file = self.path / name
            if not file.is_file():
                damages.append(f"{name} is missing")
            elif file.name != EMOLENS_JSON:
                there = sha256(file)
                if there != exported.get(name, digest) or there != pending.get(name, there):
                    damages.append(f"{name} was changed")
        return damages

    def _model_files(self, part: str) -> dict[str, str]:
        """The files of the model folder that emolens wrote and whose path begins with `part`."""
        model = self.path / MODEL
        owned = owned_in(model)
        files = {**owned.files, **owned.pending}
        if not part and files:
            files[EMOLENS_JSON] = sha256(model / EMOLENS_JSON)
        return {f"{MODEL}/{name}": files[name] for name in files if name.startswith(part)}

    def _check_links(self) -> None:
        """Raise if files of the run have hard links, before a stage begins to compute."""
        files = (self.path / name for name in (MANIFEST, *self._owned.files))
        for file in files:
            if file.is_file() and file.stat().st_nlink > 1:
                copy = "robocopy {} {} /E" if os.name == "nt" else "cp -r {} {}"
                raise StorageError(
                    f"{file} has hard links, and a run would replace only one of them.",
                    hint=f"Run with --out {self._free()}, after you have made this copy without"
                    f" links: {copy.format(quoted(self.path), self._free())}",
                )

    def _check_lock(self) -> None:
        """Raise if another file has the name of the lock: a lock is an empty file."""
        file = self.path / LOCK
        if file.is_symlink() or (file.exists() and (not file.is_file() or file.stat().st_size)):
            raise self._refusal(f"{file} is not the lock of a run.")

    def _check_empty(self) -> None:
        """Raise if a folder without a manifest holds files that emolens did not make."""
        if not self.path.is_dir():
            return
        names = (path.name for path in self.path.iterdir() if path.name != LOCK)
        foreign = [n for n in names if not any(is_temporary(n, name) for name in _STARTED)]
        if foreign:
            raise self._refusal(
                f"{self.path} is not empty and not the folder of a run: it holds {min(foreign)}."
            )

    def _refusal(self, message: str) -> StorageError:
        hint = f"Choose an empty folder or a new one, for example: --out {self._free()}"
        return StorageError(message, hint=self._again if self._stays else hint)

    @property
    def _again(self) -> str:
        return f"Run it again: emolens run {quoted(self.path / STUDY)} --out {self._free()}"

    def _free(self) -> str:
        """A folder that does not exist, beside this one if it has a name."""
        inside = self.path.name in ("", "..")
        start, number = self.path / "run" if inside else self.path, 1 if inside else 2
        while os.path.lexists(folder := start.with_name(f"{start.name}-{number}")):
            number += 1
        return quoted(folder)

    def _read(self) -> None:
        """Read the manifest. Raises if the folder is not that of a run with this identity."""
        self._check_lock()
        file = self.path / MANIFEST
        if not os.path.lexists(file):
            self._check_empty()
            return
        try:
            manifest = load_object(file)
            self._owned = Owned.from_json(manifest)
            version, form = manifest["emolens"], manifest.get("format")
        except OSError as error:
            raise self._refusal(f"{file} can't be read: {error.strerror or error}.") from error
        except (ValueError, KeyError) as error:
            raise self._refusal(f"{file} is not the manifest of a run.") from error
        if (version, form) != (__version__, FORMAT):
            raise self._refusal(
                f"{self.path} holds a run of another version of emolens ({version}), which this"
                " version can't continue."
            )
        try:
            stored = Identity(manifest["dataset"], manifest["encoder"])
            stages = manifest["stages"].items()
            self.records = {name: StageRecord.from_dict(entry) for name, entry in stages}
        except (KeyError, AttributeError, ValueError) as error:
            raise self._refusal(f"{file} is not the manifest of a run.") from error
        for name, value in asdict(stored).items():
            if value != getattr(self.identity, name):
                raise UsageError(
                    f"{self.path} holds a run with another {name} ({value}).",
                    hint=self._again
                    if self._stays
                    else f"Choose another folder, for example: --out {self._free()}",
                )
