"""Which files of a folder emolens wrote: a list of their SHA-256, stored in a JSON file.

The list is read from disk, and others may have changed it. So it is checked: it may only name files
inside its folder. Knows nothing of what the files hold, or of how they get to their places.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from emolens.output import is_file_with

_DIGEST = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True)
class Owned:
    """SHA-256 by path within the folder, with '/'.

    files: those that emolens wrote. pending: those that it is about to place. If it is killed then,
    they stay in the list: a file with this SHA-256 is emolens' own, too.
    """

    files: Mapping[str, str] = field(default_factory=dict)
    pending: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def from_json(cls, plain: Mapping[str, Any]) -> Owned:
        """The lists `files` and `pending` of a JSON object, which will be written again.

        ValueError if one is no list, or if the object can't be written.
        """
        # Python also reads what is not JSON: NaN, "\ud800".
        json.dumps(plain, ensure_ascii=False, allow_nan=False).encode("utf-8")
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


def checked_list(value: Any) -> dict[str, str]:
    """The value as a list of files, or ValueError."""
    if not isinstance(value, dict):
        raise ValueError("its list of files is not a JSON object")
    for name, digest in value.items():
        if not _inside(name):
            raise ValueError(f"{name!r} is no path inside the folder")
        if not isinstance(digest, str) or not _DIGEST.fullmatch(digest):
            raise ValueError(f"{name!r} has no SHA-256")
    return value


def _inside(name: str) -> bool:
    """Whether this is a plain path of a file inside a folder, on every system."""
    return name.isprintable() and not any(
        part in ("", ".", "..") or "\\" in part or ":" in part for part in name.split("/")
    )
