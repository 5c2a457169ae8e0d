"""Whole states of a training on disk, so that it continues after it was killed.

A state is a folder of arrays and JSON. It is written aside, flushed and renamed, so it is there as
a whole or not at all. Digests show later damage. Knows nothing of models.
"""

from __future__ import annotations

import contextlib
import re
import warnings
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from filelock import FileLock, Timeout

from emolens.errors import StorageError
from emolens.output import (
    STAGED,
    is_file_with,
    place_folder,
    sha256,
    staged,
    writing,
)
from emolens.store import fingerprint, load_arrays, load_object, save_json
from emolens.temporary import discard, remove_dead

_ARRAYS, _ABOUT = "arrays.safetensors", "state.json"
_LOCK = ".lock"
_WRITER = "emolens"  # the entry `written_by` of the JSON
_NAME = re.compile(r"(step|best)-([0-9]+)")
_KEPT = 2  # states


@dataclass(frozen=True)
class State:
    """A training after `step` steps.

    arrays: by name. facts: JSON, without NaN. best: the epoch whose arrays keep_best() wrote, if
    the state needs them.
    """

    step: int
    arrays: dict[str, np.ndarray]
    facts: dict[str, Any]
    best: int | None = None


class Checkpoints:
    """The newest states in a folder, and the best arrays so far: step-00001200, best-3.

    Whatever else is in the folder stays as it is. One training at a time uses it: see alone().
    """

    def __init__(self, folder: Path, key: str) -> None:
        """key: all that decides the result of the training. States with another key are not used.

        Nothing is written yet.
        """
        self._folder, self._key = folder, key

    @contextlib.contextmanager
    def alone(self) -> Iterator[None]:
        """Keep other trainings away from the folder, and make it if it is missing.

        Raises StorageError if another one uses it.
        """
        lock = FileLock(self._folder / _LOCK, timeout=0)
        with writing(self._folder):
            self._folder.mkdir(parents=True, exist_ok=True)
            try:
                held = lock.acquire()
            except Timeout as error:
                raise StorageError(
                    f"Another training keeps its checkpoints in {self._folder}.",
                    hint="Wait until it has ended, or write the model to another folder.",
                ) from error
        try:
            with held:
                try:
                    yield
                finally:
                    with contextlib.suppress(OSError):  # on Windows, where the release removes it
                        (self._folder / _LOCK).unlink(missing_ok=True)
        finally:
            self._remove_if_empty()

    def save(self, state: State) -> None:
        """Write a state, and delete all but the last two.

        Raises StorageError if it can't be written, or if another process is writing to the folder.
        The older states stay then.
        """
        content: dict[str, Any] = {"step": state.step, "facts": state.facts, "best": None}
        if state.best is not None:
            digest = self._whole_best(state.best).content["sha256"]
            content["best"] = {"epoch": state.best, "sha256": digest}
        self._write(f"step-{state.step:08d}", content, state.arrays)
        self._delete_old(state.step)

    def keep_best(self, epoch: int, arrays: Mapping[str, np.ndarray]) -> None:
        """Write the arrays of an epoch. They stay as long as one of the last two states needs them.

        Raises StorageError as save() does.
        """
        self._write(_best_name(epoch), {}, arrays)

    def best(self, epoch: int) -> dict[str, np.ndarray]:
        """The arrays of keep_best(). Raises StorageError if they are damaged."""
        return load_arrays(self._whole_best(epoch).path / _ARRAYS)

    def newest(self) -> State | None:
        """The newest whole state with this key, whose best arrays are whole, too.

        Newer ones that are damaged are passed over, with a warning.
        """
        damaged: list[Path] = []
        state = None
        for entry in sorted(self._entries("step"), key=lambda entry: entry.number, reverse=True):
            if entry.is_intact and entry.content["key"] != self._key:
                continue
            if bad := self._damage(entry):
                damaged.append(bad)
                continue
            content, best = entry.content, entry.content["best"]
            arrays = load_arrays(entry.path / _ARRAYS)
            state = State(content["step"], arrays, content["facts"], best and best["epoch"])
            break
        if damaged:
            _warn_of(damaged, state)
        return state

    def remove(self) -> None:
        """Delete all that emolens wrote into the folder, and the folder if it is empty then."""
        if not self._folder.is_dir():
            return
        for entry in (*self._entries("step"), *self._entries("best")):
            entry.delete()
        remove_dead(self._folder, STAGED)
        self._remove_if_empty()

    def _remove_if_empty(self) -> None:
        if not self._folder.is_symlink():
            with contextlib.suppress(OSError):
                self._folder.rmdir()

    def _entries(self, kind: str) -> Iterator[_Entry]:
        paths = list(self._folder.iterdir()) if self._folder.is_dir() else []
        for path in paths:
            name = _NAME.fullmatch(path.name)
            if name and name[1] == kind and (entry := _Entry(path)).is_there:
                yield entry

    def _write(self, name: str, content: dict[str, Any], arrays: Mapping[str, np.ndarray]) -> None:
        from safetensors.numpy import save_file

        # store.save_arrays would first copy all of them.
        whole = {key: np.asarray(array, order="C") for key, array in arrays.items()}
        target = self._folder / name
        with staged(self._folder) as fresh, writing(target):
            folder = fresh / name
            folder.mkdir()
            save_file(whole, folder / _ARRAYS)
            digest = sha256(folder / _ARRAYS)
            content = {"written_by": _WRITER, "key": self._key, "sha256": digest, **content}
            save_json(folder / _ABOUT, {**content, "check": fingerprint(content)})
            _Entry(target).delete()
            place_folder(folder, target)

    def _delete_old(self, step: int) -> None:
        """Delete all but this state, the last one before it, and the best arrays of these two.

        A later state is left from before a damage, so the training does not come from it.
        """
        states = [
            entry
            for entry in self._entries("step")
            if entry.is_intact and entry.content["key"] == self._key and entry.number <= step
        ]
        kept = sorted(states, key=lambda entry: entry.number)[-_KEPT:]
        bests = (entry.content["best"] for entry in kept)
        names = {entry.path.name for entry in kept}
        names |= {_best_name(best["epoch"]) for best in bests if best}
        for entry in (*self._entries("step"), *self._entries("best")):
            if entry.path.name not in names:
                entry.delete()

    def _damage(self, state: _Entry) -> Path | None:
        """The folder that is damaged: of the state, or of the best arrays that it needs."""
        if not state.is_whole():
            return state.path
        if needed := state.content["best"]:
            best = _Entry(self._folder / _best_name(needed["epoch"]))
            if not (best.is_whole() and best.content["sha256"] == needed["sha256"]):
                return best.path
        return None

    def _whole_best(self, epoch: int) -> _Entry:
        entry = _Entry(self._folder / _best_name(epoch))
        if not entry.is_whole():
            raise StorageError(
                f"{entry.path} is damaged.",
                hint="Run the same command again: it continues from an older checkpoint.",
            )
        return entry


@dataclass(frozen=True)
class _Entry:
    """A folder that may be a state, or hold the best arrays. Links are not followed."""

    path: Path

    @property
    def number(self) -> int:
        """The step or the epoch in the name."""
        return int(self.path.name.split("-")[1])

    @property
    def is_there(self) -> bool:
        """Whether this is a folder with one of the two files. The user's own have neither."""
        names = (_ARRAYS, _ABOUT)
        return not self.path.is_symlink() and any((self.path / name).exists() for name in names)

    @cached_property
    def content(self) -> dict[str, Any]:
        """Of the JSON; empty if emolens did not write it, or if it is damaged beyond reading."""
        about = self.path / _ABOUT
        if self.path.is_symlink() or about.is_symlink():
            return {}
        try:
            content = load_object(about)
        except (OSError, ValueError):
            return {}
        return content if content.get("written_by") == _WRITER else {}

    @property
    def is_intact(self) -> bool:
        """Whether the JSON is as emolens wrote it."""
        content = {name: value for name, value in self.content.items() if name != "check"}
        return bool(content) and self.content.get("check") == fingerprint(content)

    def is_whole(self) -> bool:
        """Whether both files are as emolens wrote them."""
        arrays = self.path / _ARRAYS
        if not self.is_intact or arrays.is_symlink():
            return False
        try:
            return is_file_with(arrays, self.content["sha256"])
        except OSError:
            return False

    def delete(self) -> None:
        """Delete what emolens wrote. Files that the user has put there stay."""
        if not self.content:
            return
        with writing(self.path):
            if {path.name for path in self.path.iterdir()} <= {_ARRAYS, _ABOUT}:
                discard(self.path, STAGED)
                return
            for name in (_ARRAYS, _ABOUT):  # in this order: without the JSON, it would stay
                (self.path / name).unlink(missing_ok=True)


def _best_name(epoch: int) -> str:
    return f"best-{epoch}"


def _warn_of(damaged: list[Path], state: State | None) -> None:
    paths = " and ".join(str(path) for path in damaged)
    verb = "is" if len(damaged) == 1 else "are"
    rest = f"goes on from step {state.step:,}" if state else "starts anew"
    message = f"{paths} {verb} damaged, so the training {rest}."
    warnings.warn(message, UserWarning, stacklevel=3)
