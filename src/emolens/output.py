"""How emolens writes, replaces and deletes files, so that nothing of the user's is lost.

A file is written under a temporary name in the same folder, flushed, and renamed: a reader sees the
whole old file or the whole new one. What the user made or changed is kept under another name.
Knows nothing of what the files mean.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import shutil
import stat
import warnings
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import BinaryIO

from emolens.errors import StorageError, UsageError
from emolens.temporary import is_scratch, is_temporary, new_file, new_folder, remove_dead

_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
# Some libraries raise errors of their own with these words; OpenVINO has only the last one.
_FULL_DISK_WORDS = ("No space left", "File too large", "iostream error")
_FAILED_WORDS = "I/O error: "  # of safetensors, whose errors are no OSError
_BLOCK = 4 * 2**20  # bytes
_POSIX = os.name == "posix"
_ACCESS_LIST = "system.posix_acl_access"  # Linux: who may read a file beside its mode
STAGED = "staged"  # the name that staged() gives to temporary.py


class SetAside(UserWarning):
    """A file of the user got another name. The command line shows this also with --quiet."""


@contextlib.contextmanager
def writing(path: Path) -> Iterator[None]:
    """Turn the system's error about a failed write to `path` into a StorageError."""
    try:
        yield
    except StorageError:
        raise
    except Exception as error:
        full = getattr(error, "errno", None) in _FULL
        if full or any(words in str(error) for words in _FULL_DISK_WORDS):
            raise _full_disk(path) from error
        if isinstance(error, OSError) or _FAILED_WORDS in str(error):
            why = getattr(error, "strerror", None) or str(error)
            raise StorageError(
                f"{_target(path)} can't be written: {why}.",
                hint="Choose another place with --out, or check the folder and its permissions.",
            ) from error
        raise


def _full_disk(path: Path) -> StorageError:
    for folder in (path, *path.parents):
        if is_scratch(folder.name):
            return StorageError(
                f"The disk is full: no temporary file can be written in {folder.parent}.",
                hint="Free some space there, or set TMPDIR to a folder on another disk.",
            )
    return StorageError(
        f"The disk is full: {_target(path)} was not written.",
        hint="Free some space and run the same command again.",
    )


def _target(path: Path) -> Path:
    """The place of a file that is still in a folder of staged()."""
    return Path(*(part for part in path.parts if not is_temporary(part, STAGED)))


def sha256(*paths: Path) -> str:
    """The SHA-256 of the bytes of files, one file after the other, in hexadecimal."""
    digest = hashlib.sha256()
    for path in paths:
        with path.open("rb", buffering=0) as file:
            # Large blocks: after each one, a thread that only hashes may have to wait for others.
            block = memoryview(bytearray(min(os.fstat(file.fileno()).st_size, _BLOCK) or 1))
            while n := file.readinto(block):
                digest.update(block[:n])
    return digest.hexdigest()


def digests(folder: Path) -> dict[str, str]:
    """The SHA-256 of every file below a folder, by its path within it, with '/'."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): sha256(path) for path in files}


def is_file_with(path: Path, *digests: str | None) -> bool:
    """Whether the file is there and has one of these SHA-256."""
    return path.is_file() and sha256(path) in digests


def new_output(path: Path, *, inputs: Iterable[Path] = (), overwrite: bool = False) -> None:
    """Check a file that the user wants written. Changes nothing.

    Raises UsageError if it is one of the inputs, or if it exists and `overwrite` is not set, and
    StorageError if it can't be replaced or its folder can't be written to.
    """
    with writing(path):
        status = _status(path)
        if status is not None:
            if not stat.S_ISCHR(status.st_mode) and any(_is_file(status, file) for file in inputs):
                raise UsageError(
                    f"{path} is the input, and would be replaced by the output.",
                    hint="Choose another file with --out.",
                )
            if stat.S_ISREG(status.st_mode) and not overwrite:
                raise _exists_already(path)
            _check_replaceable(path, status)
        if status is None or stat.S_ISREG(status.st_mode):
            _check_folder(path)


@contextlib.contextmanager
def atomic_file(path: Path, *, overwrite: bool = True) -> Iterator[BinaryIO]:
    """Open a file for writing; it replaces `path` when the block ends without an error.

    A link stays, and the file that it names is replaced. The new file has the rights of the old
    one, or those that the umask allows. Devices and pipes are written to directly. overwrite: if
    false, a file that appeared at `path` in the meantime stays, and this is a UsageError. Raises
    StorageError for a folder, a read-only file, or a file with several hard links.
    """
    with writing(path):
        before = _status(path)
        if before is not None:
            _check_replaceable(path, before)
            if not stat.S_ISREG(before.st_mode):
                with path.open("wb") as file:
                    yield file
                return
        target = Path(os.path.realpath(path))
        target.parent.mkdir(parents=True, exist_ok=True)
        remove_dead(target.parent, target.name)
        mode = 0o666 if before is None else stat.S_IMODE(before.st_mode) & 0o700
        descriptor, fresh = new_file(target.parent, target.name, mode)
        try:
            with os.fdopen(descriptor, "wb") as file:
                yield file
                file.flush()
                os.fsync(descriptor)
                _take_rights(fresh, path, overwrite=overwrite)
                if _POSIX:  # renamed before it is closed, because that ends its lock
                    fresh.replace(target)
            if not _POSIX:  # where an open file can't be renamed
                fresh.replace(target)
        except BaseException:
            fresh.unlink(missing_ok=True)
            raise
        _sync_folder(target.parent)


@contextlib.contextmanager
def staged(folder: Path) -> Iterator[Path]:
    """Give an empty temporary folder inside `folder`, for place(); it is removed at the end.

    Raises StorageError if another process does the same: each would take the other's new files for
    those of the user.
    """
    with writing(folder):
        is_new = not folder.exists()
        folder.mkdir(parents=True, exist_ok=True)
        try:
            with new_folder(folder, STAGED) as fresh:
                if any(path != fresh for path in remove_dead(folder, STAGED)):
                    raise StorageError(
                        f"Another emolens command is writing to {folder}.",
                        hint="Wait until it has ended, then run the same command again.",
                    )
                yield fresh
        finally:
            if is_new:
                with contextlib.suppress(OSError):  # only if it is still empty
                    folder.rmdir()


def place(
    staged_folder: Path, folder: Path, *, new: Mapping[str, str], owned: Mapping[str, str]
) -> list[Path]:
    """Move every file of `staged_folder` to the same place below `folder`; their new paths.

    new: the digests of `staged_folder`. owned: those of the files in `folder` that emolens wrote.
    Another file in one of these places, or one that was changed, is first renamed to NAME.yours,
    with a warning. The rules of atomic_file hold; they are checked for all files before the first
    one is moved.
    """
    with writing(folder):
        mode = _usual_mode(staged_folder)
        ours = [name for name in new if is_file_with(folder / name, owned.get(name), new[name])]
        for name in ours:
            _check_replaceable(folder / name, (folder / name).stat())
    for name in new:
        with writing(folder / name):
            if name not in ours:
                _set_aside(folder, name)
            _move(staged_folder / name, folder / name, mode)
    return [folder / name for name in new]


def place_folder(fresh: Path, folder: Path) -> None:
    """Rename `fresh`, a folder inside one of staged(), to `folder`: all of its files come at once.

    What has this place is first renamed to NAME.yours, with a warning.
    """
    with writing(folder):
        mode = _usual_mode(fresh.parent)
        for file in fresh.iterdir():
            file.chmod(mode)
            _sync(file)
        _sync_folder(fresh)
        if os.path.lexists(folder):
            _rename_aside(folder)
        fresh.replace(folder)
        _sync_folder(folder.parent)


def remove_owned(folder: Path, names: Iterable[str], owned: Mapping[str, str]) -> set[str]:
    """Delete the files `names` of `folder` that emolens wrote and nobody has changed since.

    owned: as in place(). A name that leads out of the folder, also through a link, is left alone,
    with a warning: these names are returned.
    """
    root, left = folder.resolve(), set()
    for name in names:
        path = folder / name
        if not is_file_with(path, owned.get(name)):
            continue
        if not path.parent.resolve().is_relative_to(root):
            message = f"{path} is an old file, but was not deleted: its folder is a link."
            warnings.warn(message, UserWarning, stacklevel=3)
            left.add(name)
            continue
        with writing(path):
            path.unlink(missing_ok=True)
    return left


def _status(path: Path) -> os.stat_result | None:
    """The status of a file, or of the file that a link names; None if there is none."""
    try:
        return path.stat()
    except FileNotFoundError:
        return None


def _is_file(status: os.stat_result, path: Path) -> bool:
    """Whether `path` names the file with this status, by any spelling or link."""
    try:
        return os.path.samestat(status, path.stat())
    except OSError:
        return False  # the code that reads it reports the error


def _exists_already(path: Path) -> UsageError:
    return UsageError(
        f"{path} exists already.", hint="Choose another file with --out, or add --overwrite."
    )


def _check_replaceable(path: Path, status: os.stat_result) -> None:
    if stat.S_ISDIR(status.st_mode):
        raise StorageError(f"{path} is a folder.", hint="Choose another file with --out.")
    # For root, access() allows writing to a read-only file. So the mode is looked at, too.
    if not status.st_mode & stat.S_IWUSR or not os.access(path, os.W_OK):
        raise StorageError(
            f"{path} is read-only.", hint="Allow writing to it, or choose another place with --out."
        )
    if stat.S_ISREG(status.st_mode) and status.st_nlink > 1:
        raise StorageError(
            f"{path} has {status.st_nlink} hard links, and only one of them would be replaced.",
            hint="Delete this one first, or choose another place with --out.",
        )


def _check_folder(path: Path) -> None:
    """Raise PermissionError if no file can be created beside `path`."""
    folder = Path(os.path.realpath(path)).parent
    while not folder.exists():
        folder = folder.parent
    if not os.access(folder, os.W_OK | os.X_OK):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))


def _take_rights(fresh: Path, path: Path, *, overwrite: bool) -> None:
    """Give the new file the rights of the old one. Refuses an old one that must stay.

    This is done at the end, because the old file may have changed while the new one was written.
    """
    old = _status(path)
    if old is None:
        return
    if not overwrite:
        # A file that appears after this line is replaced: few systems can rename without this risk.
        raise _exists_already(path)
    _check_replaceable(path, old)
    if _POSIX:
        _copy_rights(fresh, path, old)


def _copy_rights(fresh: Path, path: Path, old: os.stat_result) -> None:
    mode = stat.S_IMODE(old.st_mode) & 0o777
    new = fresh.stat()
    if (old.st_uid, old.st_gid) != (new.st_uid, new.st_gid):
        try:
            os.chown(fresh, old.st_uid if os.geteuid() == 0 else -1, old.st_gid)
        except PermissionError:
            mode &= ~0o070  # the rights of one group are not for another group
    if hasattr(os, "setxattr"):
        try:
            os.setxattr(fresh, _ACCESS_LIST, os.getxattr(path, _ACCESS_LIST))
        except OSError:  # The old file has no list. The new one must not keep its folder's list.
            with contextlib.suppress(OSError):
                os.removexattr(fresh, _ACCESS_LIST)
    fresh.chmod(mode)


def _usual_mode(folder: Path) -> int:
    """The mode of new files. Python can only ask for the umask by changing it for all threads."""
    descriptor, probe = new_file(folder, "mode", 0o666)
    os.close(descriptor)
    mode = stat.S_IMODE(probe.stat().st_mode)
    probe.unlink()
    return mode


def _set_aside(folder: Path, name: str) -> None:
    """Rename what has the place of `folder/name`, or a file that has the place of its folder."""
    path = folder / name
    for there in (path, *(folder / parent for parent in Path(name).parents)):
        if there.is_file() or (there == path and path.exists()):
            _rename_aside(there)


def _rename_aside(path: Path) -> None:
    yours = _free_name(path)
    path.replace(yours)
    message = f"{path} is not as emolens wrote it; it is now called {yours.name}."
    warnings.warn(message, SetAside, stacklevel=4)


def _free_name(path: Path) -> Path:
    yours = path.with_name(f"{path.name}.yours")
    number = 1
    while os.path.lexists(yours):
        number += 1
        yours = path.with_name(f"{path.name}.yours-{number}")
    return yours


def _move(file: Path, path: Path, mode: int) -> None:
    """Rename `file` to `path`, with the rights of a file that is there."""
    target = Path(os.path.realpath(path))
    target.parent.mkdir(parents=True, exist_ok=True)
    file.chmod(mode)
    _take_rights(file, path, overwrite=True)
    _sync(file)
    try:
        file.replace(target)
    except OSError as error:
        if error.errno != errno.EXDEV:  # a linked folder on another disk
            raise
        with file.open("rb") as source, atomic_file(target) as copy:
            shutil.copyfileobj(source, copy)
    _sync_folder(target.parent)


def _sync(path: Path) -> None:
    # Windows flushes only files that are open for writing.
    with path.open("rb+" if os.access(path, os.W_OK) else "rb") as file:
        os.fsync(file.fileno())


def _sync_folder(folder: Path) -> None:
    """Make a rename last through a power failure, where the system can."""
    if _POSIX:
        with contextlib.suppress(OSError):
            descriptor = os.open(folder, os.O_RDONLY)
            try:
                os.fsync(descriptor)
            finally:
                os.close(descriptor)
