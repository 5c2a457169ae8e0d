"""The folder of the cache: where it is, and whether it and its files can be trusted.

Its vectors come from private texts, and its models are run. So it is for its owner alone, and what
another user owns or can change is not used; root may own it. Windows has rights of another kind,
which are not looked at. Knows nothing of what the entries hold.
"""

from __future__ import annotations

import contextlib
import errno
import functools
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
from emolens.temporary import is_scratch

# The folders of the cache, and what they hold.
KINDS = {"embeddings": "vectors", "models": "models", "refused": "refusals"}
ELSEWHERE = "Set EMOLENS_CACHE to another folder."
_BY_OTHERS = stat.S_IWGRP | stat.S_IWOTH
_FOR_OTHERS = stat.S_IRWXG | stat.S_IRWXO


def cache_folder() -> Path:
    """$EMOLENS_CACHE, or emolens in the user's folder for caches.

    Raises StorageError if there is no home folder.
    """
    if given := os.environ.get("EMOLENS_CACHE"):
        return Path(given)
    if Path(caches := os.environ.get("XDG_CACHE_HOME", "")).is_absolute():
        return Path(caches) / "emolens"
    with contextlib.suppress(RuntimeError):  # raised if the system does not know the user
        if (home := Path.home()).is_dir():
            return home / ".cache" / "emolens"
    raise StorageError("No cache is used, because there is no home folder.", hint=ELSEWHERE)


def trusted_folder(kind: str | None = None, *, create: bool = False) -> Path:
    """The folder of a kind of entries, or the cache's own folder.

    create: make what is missing. Raises StorageError, with the reason, if it can't be read or made,
    or if another user owns a folder on the way or can write to it.
    """
    root = cache_folder()
    folders = [root, root / kind] if kind else [root]
    for folder in folders:
        if create:
            with write_errors():
                _make(folder)
        with read_errors():
            _check(folder, folders)
    return folders[-1]


def open_trusted(path: Path) -> BufferedReader:
    """Open a file in the cache for reading.

    Raises OSError, also if it is a link or no file, or if others own it or can change it.
    """
    # Without O_NONBLOCK, opening a named pipe would wait for ever.
    flags = sum(getattr(os, name, 0) for name in ("O_NOFOLLOW", "O_NONBLOCK", "O_BINARY"))
    file = os.fdopen(os.open(path, os.O_RDONLY | flags), "rb")
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
    """Turn a StorageError into a warning. A process gives each warning once, not per entry."""
    try:
        yield
    except StorageError as error:
        _warn_once(f"{error} {error.hint}")


@functools.cache
def _warn_once(message: str) -> None:
    warnings.warn(message, UserWarning, stacklevel=6)


def _make(folder: Path) -> None:
    if folder.is_dir():
        return
    folder.parent.mkdir(parents=True, exist_ok=True)
    folder.mkdir(mode=stat.S_IRWXU, exist_ok=True)


def _check(folder: Path, folders: list[Path]) -> None:
    """Raise StorageError if others own the folder or can write to it; close our own to others."""
    if sys.platform == "win32":
        return
    try:
        link, state = folder.lstat(), folder.stat()
    except (FileNotFoundError, NotADirectoryError):
        return
    if not stat.S_ISDIR(state.st_mode):
        return
    if not (_owned(link) and _owned(state)):
        raise StorageError(
            f"The cache is not used, because {folder} belongs to another user.", hint=ELSEWHERE
        )
    if state.st_mode & _BY_OTHERS:
        open_ones = [str(f) for f in folders if f.is_dir() and f.stat().st_mode & _BY_OTHERS]
        raise StorageError(
            f"The cache is not used, because other users can write to {folder}.",
            hint=f"If only you have used it: {shlex.join(['chmod', 'go-w', *open_ones])}."
            f" Or: {ELSEWHERE}",
        )
    mine = state.st_uid == os.geteuid()
    if (
        mine
        and state.st_mode & _FOR_OTHERS
        and (folder != folders[0] or _holds_nothing_else(folder))
    ):
        with contextlib.suppress(OSError):  # a disk that can only be read
            folder.chmod(stat.S_IRWXU)


def _holds_nothing_else(root: Path) -> bool:
    """Whether the cache is all that the folder holds; else its rights are the user's matter."""
    return all(item.name in KINDS or is_scratch(item.name) for item in root.iterdir())


def _owned(state: os.stat_result) -> bool:
    # Root can change every file anyway. So a cache that root has filled can be read by all.
    return state.st_uid in (0, os.geteuid())
