"""Temporary files and folders: their names, their locks, and the removal of dead ones.

The name holds check digits, so a user's file with a similar name is never taken for one of emolens.
A process locks its temporary files while it runs. So a file that nobody locks is dead.
Knows nothing of what is written.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import secrets
import shutil
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from emolens.errors import StorageError

if sys.platform != "win32":
    import fcntl

_MARK = ".emolens-"
_DIGITS = 8  # random ones, and as many check digits
_SCRATCH = "scratch"
_MAX_NAME_BYTES = 255
# Follow no link, and don't wait for a pipe. Windows has O_BINARY, the others the other two.
OPEN_FLAGS = sum(getattr(os, name, 0) for name in ("O_BINARY", "O_NOFOLLOW", "O_NONBLOCK"))


def temporary_name(name: str) -> str:
    """A new name for what will be called `name`, of 255 bytes at most."""
    digits = secrets.token_hex(_DIGITS // 2)
    return f"{_start(name)}{digits}{_check_digits(name, digits)}"


def is_temporary(candidate: str, name: str) -> bool:
    """Whether temporary_name(name) made the name `candidate`."""
    start = _start(name)
    digits = candidate.removeprefix(start)
    if not candidate.startswith(start) or len(digits) != 2 * _DIGITS:
        return False
    return digits[_DIGITS:] == _check_digits(name, digits[:_DIGITS])


def new_file(folder: Path, name: str, mode: int) -> tuple[int, Path]:
    """Create and lock a temporary file for `folder/name`; its descriptor, and its path.

    mode: the rights of the file, before the system takes those of the umask away.
    """
    while True:
        path = folder / temporary_name(name)
        with _removed_if_stopped(path):
            descriptor = os.open(path, OPEN_FLAGS | os.O_RDWR | os.O_CREAT | os.O_EXCL, mode)
            if _hold(descriptor, path):
                return descriptor, path
        os.close(descriptor)


@contextlib.contextmanager
def new_folder(folder: Path, name: str) -> Iterator[Path]:
    """Create and lock a temporary folder for `folder/name`, for this user alone.

    It is removed at the end, unless it was renamed.
    """
    path, descriptor = _locked_folder(folder, name)
    try:
        yield path
    finally:
        _remove_tree(path)
        if descriptor is not None:
            os.close(descriptor)


def discard(folder: Path, name: str) -> None:
    """Remove a folder. After a kill, what is left of it is a dead one for `folder.parent/name`."""
    dead = folder.with_name(temporary_name(name))
    try:
        folder.replace(dead)
    finally:
        _remove_tree(dead)


def remove_dead(folder: Path, name: str) -> list[Path]:
    """Remove the temporary files and folders for `folder/name` that no running process uses.

    Returns those that are in use, where the system can say so.
    """
    try:
        paths = [path for path in folder.iterdir() if is_temporary(path.name, name)]
    except OSError:  # in a folder that can't be listed they stay
        return []
    return [path for path in paths if _is_used(path)]


@contextlib.contextmanager
def scratch_folder(place: Path | None = None) -> Iterator[Path]:
    """Give an empty folder in `place`, for this user alone; it is removed at the end.

    place: the system's folder for temporary files by default; StorageError if it can't be written.
    Dead scratch folders in `place` are removed first.
    """
    with contextlib.ExitStack() as opened:
        try:
            where = place or Path(tempfile.gettempdir())
            remove_dead(where, _SCRATCH)
            folder = opened.enter_context(new_folder(where, _SCRATCH))
        except OSError as error:
            if place is not None:
                raise
            raise StorageError(
                f"No temporary folder can be made: {error.strerror or error}.",
                hint="Set TMPDIR to a folder that can be written to.",
            ) from error
        yield folder


def is_scratch(name: str) -> bool:
    """Whether scratch_folder made this name."""
    return is_temporary(name, _SCRATCH)


def _remove_tree(path: Path) -> None:
    try:
        shutil.rmtree(path, ignore_errors=True)
    except OSError as error:
        # A signal came while it closed a folder, so it closed the folder twice.
        if isinstance(error.__context__, KeyboardInterrupt):
            raise error.__context__ from None
    finally:  # again, because a signal may have stopped it
        shutil.rmtree(path, ignore_errors=True)


def _start(name: str) -> str:
    room = _MAX_NAME_BYTES - len(f".{_MARK}") - 2 * _DIGITS
    if len(os.fsencode(name)) > room:
        name = os.fsencode(name)[:room].decode("utf-8", "ignore")
    return f".{name}{_MARK}"


def _check_digits(name: str, digits: str) -> str:
    content = os.fsencode(name) + b"\0" + os.fsencode(digits)
    return hashlib.sha256(content).hexdigest()[:_DIGITS]


def _locked_folder(folder: Path, name: str) -> tuple[Path, int | None]:
    while True:
        path = folder / temporary_name(name)
        with _removed_if_stopped(path):
            path.mkdir(0o700)
            if sys.platform == "win32":  # where folders can't be opened
                return path, None
            with contextlib.suppress(FileNotFoundError):  # another process took it for dead
                descriptor = os.open(path, OPEN_FLAGS | os.O_RDONLY)
                if _hold(descriptor, path):
                    return path, descriptor
                os.close(descriptor)


@contextlib.contextmanager
def _removed_if_stopped(path: Path) -> Iterator[None]:
    """Remove a new file or folder if a signal comes before the caller gets its name."""
    try:
        yield
    except Exception:
        raise
    except BaseException:
        with contextlib.suppress(OSError):
            path.rmdir() if path.is_dir() else path.unlink()
        raise


def _hold(descriptor: int, path: Path) -> bool:
    """Lock a new file or folder. False if another process took it for dead in the meantime."""
    if sys.platform == "win32":  # where an open file can't be removed
        return True
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        pass  # a file system without locks; _is_used() removes nothing there
    try:
        return os.path.samestat(os.fstat(descriptor), path.stat())
    except FileNotFoundError:
        return False


def _is_used(path: Path) -> bool:
    """Whether a process has locked it. If not, it is removed."""
    with contextlib.suppress(OSError):  # of another user, or on a file system without locks
        if sys.platform == "win32":
            path.unlink()  # fails for a folder, of which nothing shows whether it is in use
            return False
        is_folder = path.is_dir()
        descriptor = os.open(path, OPEN_FLAGS | (os.O_RDONLY if is_folder else os.O_RDWR))
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if is_folder:
                shutil.rmtree(path)
            else:
                path.unlink()
        except BlockingIOError:
            return True
        finally:
            os.close(descriptor)
    return False
