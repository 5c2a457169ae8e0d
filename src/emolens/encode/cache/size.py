"""The size of the cache: its entries, its limit, and which entries are removed first.

The entry whose last use is longest ago is removed first; reading counts as use. Only files that
emolens has written are counted and removed. Knows nothing of what the entries hold.
"""

from __future__ import annotations

import contextlib
import os
import re
import stat
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from emolens.encode.cache.folder import (
    KINDS,
    cache_folder,
    read_errors,
    trusted_folder,
    write_errors,
)
from emolens.encode.engines.openvino import MODEL
from emolens.errors import StorageError, UsageError
from emolens.temporary import is_scratch, scratch_folder

# A traced encoder takes 90 to 500 MB, and a million vectors 1.5 to 3 GB: room for a few of each.
DEFAULT_LIMIT = 10 * 10**9
LIMIT_VARIABLE = "EMOLENS_CACHE_LIMIT"
DIGESTS = "sha256.json"
MODEL_FILES = (MODEL, Path(MODEL).with_suffix(".bin").name, DIGESTS)
_NAMES = {
    "embeddings": re.compile(r"[0-9a-f]{16}\.safetensors"),
    "models": re.compile(r"[0-9a-f]{16}"),
    "compiled": re.compile(r"[0-9a-f]{16}\.blob"),
    "refused": re.compile(r"[0-9a-f]{16}\.json"),
}
_SIZE = re.compile(r"([0-9]{1,15}(?:\.[0-9]{1,6})?)\s*(?:([KMGT])(i?))?B?", re.IGNORECASE)
_UNITS = "KMGT"
_MOST_ENTRIES = 100_000  # it takes half a second to list them
# A full cache is reduced to this share of its limit, so that not every write has to make room.
_GOAL = 0.9
# After writing this share of the limit, a process counts again what all processes have written.
_UNSEEN = 1 / 16


class Entry(NamedTuple):
    """One entry, ordered by the time of its last use (in nanoseconds). size: in bytes."""

    used: int
    size: int
    path: str
    kind: str


@dataclass
class Listing:
    """What a cache holds. foreign: files and folders in it that emolens has not written."""

    entries: list[Entry] = field(default_factory=list)
    foreign: int = 0

    def of(self, kind: str) -> list[Entry]:
        """The entries of one kind."""
        return [entry for entry in self.entries if entry.kind == kind]


def bytes_in(entries: list[Entry]) -> int:
    """The sum of the sizes, in bytes."""
    return sum(entry.size for entry in entries)


def cache_limit() -> int:
    """The limit of the cache in bytes, from $EMOLENS_CACHE_LIMIT; 0 means no cache."""
    given = os.environ.get(LIMIT_VARIABLE, "").strip()
    return parse_size(given, LIMIT_VARIABLE) if given else DEFAULT_LIMIT


def parse_size(text: str, name: str) -> int:
    """Bytes from '500MB', '1.5 GB', '2GiB' or '0'. name: of the option, for the UsageError."""
    match = _SIZE.fullmatch(text.strip())
    if match is None:
        raise UsageError(
            f"{name} is '{text}', which is not a size.", hint="For example: 500MB, 2GB, or 0."
        )
    number, unit, binary = match.groups()
    power = _UNITS.index(unit.upper()) + 1 if unit else 0
    return int(float(number) * (1024 if binary else 1000) ** power)


def size_text(size: int) -> str:
    """'1.5 GB' from a number of bytes; parse_size reads it."""
    number, unit = float(size), "B"
    for letter in _UNITS:
        if number < 1000:
            break
        number, unit = number / 1000, f"{letter}B"
    return f"{number:.1f}".removesuffix(".0") + f" {unit}"


def listed() -> Listing:
    """The entries of the cache. Raises StorageError if the cache can't be trusted or read."""
    listing = Listing()
    root = trusted_folder()
    with read_errors():
        for item in _items(root):
            listing.foreign += item.name not in KINDS and not is_scratch(item.name)
        for kind in KINDS:
            for item in _items(trusted_folder(kind)):
                with contextlib.suppress(FileNotFoundError):  # removed by another process
                    _add(listing, kind, item)
    return listing


def shrink(listing: Listing, goal: int, *, keep: Path | None = None) -> Listing:
    """Remove entries, the longest unused ones first, until the others have at most `goal` bytes.

    keep: an entry that stays. Returns the entries that were removed.
    """
    removed = Listing(foreign=listing.foreign)
    size, most = bytes_in(listing.entries), int(_GOAL * _MOST_ENTRIES)
    root = trusted_folder()
    if not root.is_dir():
        return removed
    with write_errors("The cache can't be changed"), scratch_folder(root) as trash:
        for entry in sorted(listing.entries):
            if size <= goal and len(listing.entries) - len(removed.entries) <= most:
                break
            if entry.path != str(keep) and _remove(entry, trash):
                removed.entries.append(entry)
                size -= entry.size
    return removed


def place(fresh: Path, path: Path) -> None:
    """Move a finished entry to its place, readable by its owner alone, and make room for it.

    Raises StorageError if it is larger than the limit, or can't be moved.
    """
    size, limit = _closed_to_others(fresh), cache_limit()
    if size > limit:
        raise StorageError(
            f"Results larger than the cache's limit of {size_text(limit)} are not kept.",
            hint=f"Set {LIMIT_VARIABLE} to more, for example {LIMIT_VARIABLE}=10GB.",
        )
    with write_errors():
        try:
            fresh.replace(path)
        except OSError:
            if not (fresh.is_dir() and path.is_dir()):  # another process made the same model
                raise
    _make_room(path, size)


def _make_room(written: Path, size: int) -> None:
    """Remove entries if the cache is above its limit. size: of the new entry `written`.

    To list the entries is slow. So each listing also decides how much may be written before the
    next one.
    """
    limit = cache_limit()
    cache = (cache_folder(), limit)
    free, count = _free.get(cache, (0, 0))
    if free < size or not count:
        listing = listed()
        total = bytes_in(listing.entries)
        if total > limit or len(listing.entries) > _MOST_ENTRIES:
            removed = shrink(listing, int(_GOAL * limit), keep=written)
            total -= bytes_in(removed.entries)
        room = _MOST_ENTRIES - len(listing.entries)
        free, count = min(limit - total, int(_UNSEEN * limit)), max(room, 1_000)
        size = 0  # the listing has counted the new entry
    _free[cache] = (free - size, count - 1)


# By cache and limit: the bytes and entries that this process may write before it counts again.
_free: dict[tuple[Path, int], tuple[int, int]] = {}


def _items(folder: Path) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as items:
            return list(items)
    except (FileNotFoundError, NotADirectoryError):
        return []


def _add(listing: Listing, kind: str, item: os.DirEntry[str]) -> None:
    """Add an entry, or count it as foreign if emolens has not written it."""
    state = item.stat(follow_symlinks=False)
    is_folder = kind == "models"
    fits = stat.S_ISDIR(state.st_mode) if is_folder else stat.S_ISREG(state.st_mode)
    if not (fits and _NAMES[kind].fullmatch(item.name)):
        listing.foreign += 1
        return
    files, sizes = [], [state.st_size]
    if is_folder:
        files = _items(Path(item.path))
        sizes = [f.stat(follow_symlinks=False).st_size for f in files if f.name in MODEL_FILES]
        listing.foreign += len(files) - len(sizes)
    if sizes or not files:
        listing.entries.append(Entry(state.st_mtime_ns, sum(sizes), item.path, kind))


def _remove(entry: Entry, trash: Path) -> bool:
    """Whether the entry is gone. Windows does not delete a file that is open: it stays."""
    path = Path(entry.path)
    try:
        if entry.kind != "models":
            path.unlink(missing_ok=True)
        elif {item.name for item in _items(path)} <= set(MODEL_FILES):
            path.replace(trash / path.name)  # at once, so that a reader gets all files or none
        else:
            for name in MODEL_FILES:
                (path / name).unlink(missing_ok=True)
    except FileNotFoundError:
        return True
    except OSError:
        return False
    return True


def _closed_to_others(fresh: Path) -> int:
    """Take the rights of others from a file, or from a folder and its files; returns the size."""
    files = [fresh]
    if fresh.is_dir():
        fresh.chmod(stat.S_IRWXU)
        files = list(fresh.iterdir())
    for file in files:
        file.chmod(stat.S_IRUSR | stat.S_IWUSR)
    return sum(file.stat().st_size for file in files)
