"""The folder of the cache: where it is, and whether it and its files can be trusted.

Its vectors come from private texts, and its models are run. So only its owner can read it. Files
that another user (except root) owns or can change are not used. On Windows, rights are not checked.
Knows nothing of what the entries hold.
"""

from __future__ import annotations

import contextlib
import errno
import os
import shlex
import stat
import sys
import warnings
from collections.abc import Iterator
from io import BufferedReader
from pathlib import Path

from emolens.errors import StorageError
from emolens.output import writing
from emolens.temporary import OPEN_FLAGS, is_scratch

# The folders of the cache, and what they hold.
KINDS = {
    "embeddings": "vectors",
    "models": "models",
    "compiled": "compiled",
    "refused": "refusals",
}
ELSEWHERE = "Set EMOLENS_CACHE to another folder."
_BY_OTHERS = stat.S_IWGRP | stat.S_IWOTH
_FOR_OTHERS = stat.S_IRWXG | stat.S_IRWXO


def cache_folder() -> Path:
    """$EMOLENS_CACHE, or emolens in the user's folder for caches.

    Raises StorageError if there is no home folder.
    """
    with contextlib.suppress(RuntimeError):  # raised if the system does not know the user
        if given := os.environ.get("EMOLENS_CACHE"):
            return Path(given).expanduser()  # in a settings file, no shell has replaced the ~
        if (caches := Path(os.environ.get("XDG_CACHE_HOME", ""))).is_absolute():
            return caches / "emolens"
        if (home := Path.home()).is_dir():
            return home / ".cache" / "emolens"
    raise StorageError("No cache is used, because there is no home folder.", hint=ELSEWHERE)


def trusted_folder(kind: str | None = None, *, create: bool = False) -> Path:
    """The folder of a kind of entries, or the cache's own folder.

    create: make missing folders. Raises StorageError, with the reason, if a folder can't be read or
    made, or if another user owns it or can write to it.
    """
    root = cache_folder()
    folders = [root, root / kind] if kind else [root]
    for folder in folders:
        if create and not os.path.lexists(folder):
            with write_errors():
                folder.parent.mkdir(parents=True, exist_ok=True)
                folder.mkdir(mode=stat.S_IRWXU, exist_ok=True)
        with read_errors():
            _check(folder, root)
    return folders[-1]


def open_trusted(path: Path) -> BufferedReader:
    """Open a file in the cache for reading.

    Raises OSError, also if it is a link or no file, or if others own it or can change it.
    """
    file = os.fdopen(os.open(path, os.O_RDONLY | OPEN_FLAGS), "rb")
    state = os.fstat(file.fileno())
    if stat.S_ISREG(state.st_mode) and is_safe(state):
        return file
    file.close()
    raise PermissionError(errno.EPERM, "it is not a file of this user alone", str(path))


def is_safe(state: os.stat_result) -> bool:
    """Whether this user or root owns a file or folder, and no other user can change it."""
    return sys.platform == "win32" or (_owned(state) and not state.st_mode & _BY_OTHERS)


@contextlib.contextmanager
def read_errors() -> Iterator[None]:
    """Turn the system's error about a failed read into a StorageError about the cache."""
    try:
        yield
    except OSError as error:
        reason = error.strerror or error
        message = f"The cache {cache_folder()} can't be read: {reason}."
        raise StorageError(message, hint=ELSEWHERE) from error


@contextlib.contextmanager
def write_errors(consequence: str = "Results are not kept in the cache") -> Iterator[None]:
    """Turn the system's error about a failed write into a StorageError about the cache."""
    try:
        with writing(cache_folder()):
            yield
    except StorageError as error:
        if error.__cause__ is None:  # not from the system
            raise
        raise StorageError(f"{consequence}: {error}", hint=ELSEWHERE) from error.__cause__


@contextlib.contextmanager
def warn_if_unusable() -> Iterator[None]:
    """Turn a StorageError into a warning; each kind is shown once per process and cache."""
    try:
        yield
    except StorageError as error:
        kind = (os.environ.get("EMOLENS_CACHE", ""), error.hint)
        if kind not in _warned:
            warnings.warn(f"{error} {error.hint}", UserWarning, stacklevel=5)
            _warned.add(kind)


_warned: set[tuple[str, str]] = set()


def _check(folder: Path, root: Path) -> None:
    """Raise StorageError if the cache can't be trusted; close a folder of ours to others."""
    try:
        link, state = folder.lstat(), folder.stat()
    except (FileNotFoundError, NotADirectoryError):
        return
    refused = f"The cache {root} is not used, because"
    if not stat.S_ISDIR(state.st_mode):
        raise StorageError(f"{refused} {folder} is not a folder.", hint=ELSEWHERE)
    if sys.platform == "win32":
        return
    if not (_owned(link) and _owned(state)):
        raise StorageError(f"{refused} it belongs to another user.", hint=ELSEWHERE)
    if state.st_mode & _BY_OTHERS:
        command = shlex.join(["chmod", "go-w", *_open_to_others(root)])
        raise StorageError(
            f"{refused} other users can write to it.",
            hint=f"If only you have used it: {command}. Otherwise: {ELSEWHERE}",
        )
    too_open = state.st_uid == os.geteuid() and state.st_mode & _FOR_OTHERS
    if too_open and (folder != root or _holds_nothing_else(root)):
        with contextlib.suppress(OSError):  # a read-only disk
            folder.chmod(stat.S_IRWXU)


def _open_to_others(root: Path) -> list[str]:
    folders = [root, *(root / kind for kind in KINDS)]
    return [str(f) for f in folders if f.is_dir() and f.stat().st_mode & _BY_OTHERS]


def _holds_nothing_else(root: Path) -> bool:
    """Whether the folder holds only the cache. If not, its rights are left as they are."""
    return all(item.name in KINDS or is_scratch(item.name) for item in root.iterdir())


def _owned(state: os.stat_result) -> bool:
    # Root can change every file anyway, so files of root are trusted.
    return state.st_uid in (0, os.geteuid())
