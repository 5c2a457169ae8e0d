"""Which files of a folder emolens wrote: a list of their SHA-256, which is kept in a JSON file.

A list is read from disk, so it is checked before it is used: it can name files inside its folder
only. Knows nothing of what the files hold, or of how they get to their places.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from emolens.output import sha256

_DIGEST = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True)
class Owned:
    """SHA-256 by path within the folder, with '/'.

    files: those that emolens wrote. pending: those that it was about to place. An interrupted
    placing leaves them behind: a file with this SHA-256 is then emolens' own, too.
    """

    files: Mapping[str, str] = field(default_factory=dict)
    pending: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def from_json(cls, plain: Mapping[str, Any]) -> Owned:
        """The lists `files` and `pending` of a JSON object. ValueError if one is no list."""
        return cls(checked_list(plain.get("files", {})), checked_list(plain.get("pending", {})))

    def to_json(self) -> dict[str, Any]:
        """The lists for a JSON object. It has `pending` only while files are being placed."""
        lists = {"files": dict(self.files), "pending": dict(self.pending)}
        return {name: files for name, files in lists.items() if files or name == "files"}

    def expecting(self, new: Mapping[str, str], folder: Path) -> Owned:
        """What to save before the files `new` are placed in `folder`."""
        placed = {n: d for n, d in self.pending.items() if is_file_with(folder / n, d)}
        return Owned({**self.files, **placed}, new)

    def placed(self, *, without: Iterable[str] = ()) -> Owned:
        """What to save after the pending files were placed, and those in `without` deleted."""
        gone = set(without)
        files = {**self.files, **self.pending}
        return Owned({name: files[name] for name in sorted(files) if name not in gone})


def load_object(path: Path) -> dict[str, Any]:
    """The JSON object in a file. OSError or ValueError if it holds none that JSON can hold."""
    if not path.is_file():
        raise ValueError("it is no file")
    try:
        plain = json.loads(path.read_text(encoding="utf-8"))
        # Python also reads what can't be written again: NaN, and half a surrogate pair.
        json.dumps(plain, ensure_ascii=False, allow_nan=False).encode("utf-8")
    except RecursionError as error:
        raise ValueError("it is nested too deeply") from error
    if not isinstance(plain, dict):
        raise ValueError("it holds no JSON object")
    return plain


def is_file_with(path: Path, digest: str) -> bool:
    """Whether the file is there and has this SHA-256."""
    return path.is_file() and sha256(path) == digest


def digests(folder: Path) -> dict[str, str]:
    """The SHA-256 of every file below a folder, by its path within it."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): sha256(path) for path in files}


def _inside(name: str) -> bool:
    """Whether this is a plain path of a file inside a folder, on every system."""
    parts = name.split("/")
    return name.isprintable() and not any(
        part in ("", ".", "..") or "\\" in part or ":" in part for part in parts
    )


def checked_list(value: Any) -> dict[str, str]:
    """The value as a list of files, or ValueError."""
    if not isinstance(value, dict):
        raise ValueError("a list of files is no object")
    for name, digest in value.items():
        if not _inside(name):
            raise ValueError(f"{name!r} is no path inside the folder")
        if not isinstance(digest, str) or not _DIGEST.fullmatch(digest):
            raise ValueError(f"{name!r} has no SHA-256")
    return value
