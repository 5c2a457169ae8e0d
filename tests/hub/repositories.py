"""Repositories as folders, with their commits: what the stand-in for the Hub keeps.

A repository is a folder with a folder for each revision, which is a branch or a tag. A commit keeps
the state before it in a folder that is named by its 40 digits. A file `private` beside them makes
the repository private. Knows nothing of requests.
"""

from __future__ import annotations

import base64
import hashlib
import re
import shutil
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

# The Hub keeps these, and whatever is binary or large, in LFS.
LARGE = (".bin", ".onnx", ".safetensors", ".npz", ".npy", ".parquet", ".zip", ".gz", ".pt", ".h5")
LARGE_SIZE = 10 * 1024 * 1024


class Refused(Exception):  # noqa: N818 - it names what happened
    """An answer that is an error: its status, the Hub's code for it, and its message."""

    def __init__(self, status: int, code: str = "", message: str = "", **more: str) -> None:
        self.status, self.code, self.message, self.more = status, code, message, more


@dataclass(frozen=True)
class Blob:
    """What git and LFS know of a file."""

    size: int
    oid: str
    sha256: str | None = None  # only of a file in LFS

    def entry(self, path: str) -> dict[str, Any]:
        entry: dict[str, Any] = {"type": "file", "path": path, "oid": self.oid, "size": self.size}
        if self.sha256:
            pointer = len(_pointer(self.sha256, self.size))
            entry["lfs"] = {"oid": self.sha256, "size": self.size, "pointerSize": pointer}
        return entry


def in_lfs(path: str, size: int, sample: bytes) -> bool:
    """Whether a file is kept in LFS. An empty one never is."""
    return size > 0 and (path.endswith(LARGE) or size > LARGE_SIZE or b"\0" in sample)


def _pointer(sha256: str, size: int) -> bytes:
    version = "https://git-lfs.github.com/spec/v1"
    return f"version {version}\noid sha256:{sha256}\nsize {size}\n".encode()


def _git_oid(content: bytes) -> str:
    return hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest()


def blob_of(path: Path) -> Blob:
    state = path.stat()
    return _blob(path, state.st_size, state.st_mtime_ns)


@lru_cache(maxsize=10_000)
def _blob(path: Path, size: int, changed: int) -> Blob:
    content = path.read_bytes()
    if not in_lfs(path.name, size, content[:512]):
        return Blob(size, _git_oid(content))
    sha256 = hashlib.sha256(content).hexdigest()
    return Blob(size, _git_oid(_pointer(sha256, size)), sha256)


class Repository:
    """The folder of a repository, with a folder for each revision."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.name = "/".join(folder.parts[-2:])
        self.private = (folder / "private").exists()

    def revision(self, name: str) -> tuple[Path, str]:
        """The folder of a revision (a name or a commit), and its commit."""
        folders = sorted(path for path in self.folder.glob("[!.]*") if path.is_dir())
        earlier = [path for path in folders if _is_commit(path.name)]
        for folder in earlier:
            if folder.name == name:
                return folder, name
        for folder in folders:
            # Two commits with the same files differ by the number of commits before them.
            commit = _commit_id(self.name, folder, len(earlier) if folder.name == "main" else 0)
            if name in (folder.name, commit):
                return folder, commit
        raise Refused(404, "RevisionNotFound", f"Invalid rev id: {name}")

    def commit(self, name: str, parent: str | None, lines: list[Any], lfs: Path) -> str:
        """Apply the lines of a commit to a branch. Nothing changes if one of them is refused."""
        folder, before = self.revision(name)
        if parent and not before.startswith(parent):
            raise Refused(412, message="A commit has happened since. Please refresh and try again.")
        after = self.folder / ".next"
        shutil.rmtree(after, ignore_errors=True)
        shutil.copytree(folder, after)
        for line in lines:
            _apply(line["key"], line["value"], after, lfs)
        for path in sorted((path for path in after.rglob("*") if path.is_dir()), reverse=True):
            if not any(path.iterdir()):
                path.rmdir()
        folder.rename(self.folder / before)
        after.rename(folder)
        return self.revision(name)[1]


def _is_commit(name: str) -> bool:
    return re.fullmatch(r"[0-9a-f]{40}", name) is not None


def _commit_id(name: str, folder: Path, earlier: int) -> str:
    files = [(str(path.relative_to(folder)), blob_of(path).oid) for path in files_in(folder)]
    return hashlib.sha1(repr((name, folder.name, earlier, files)).encode()).hexdigest()


def files_in(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file())


def _apply(key: str, value: dict[str, Any], folder: Path, lfs: Path) -> None:
    path = inside(folder, value["path"])
    if key in ("deletedFile", "deletedFolder"):
        if not (path.is_file() if key == "deletedFile" else path.is_dir()):
            raise Refused(404, "EntryNotFound", "A file with this name doesn't exist")
        path.unlink() if path.is_file() else shutil.rmtree(path)
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    if key == "file":
        path.write_bytes(base64.b64decode(value["content"]))
    elif key == "lfsFile":
        if not (lfs / value["oid"]).exists():
            why = "an LFS pointer pointed to a file that does not exist"
            raise Refused(400, message=f"Your push was rejected because {why}: {value['path']}")
        shutil.copyfile(lfs / value["oid"], path)
    else:
        raise Refused(400, message=f"Unknown operation: {key}")


def inside(folder: Path, path: str) -> Path:
    if ".." in Path(path).parts or Path(path).is_absolute():
        raise Refused(400, message=f"Invalid path: {path}")
    return folder / path


def entry_of(path: Path, folder: Path) -> dict[str, Any]:
    name = path.relative_to(folder).as_posix()
    if path.is_dir():
        return {"type": "directory", "path": name, "oid": _tree_oid(path.rglob("*")), "size": 0}
    return blob_of(path).entry(name)


def _tree_oid(paths: Iterable[Path]) -> str:
    return hashlib.sha1(repr(sorted(map(str, paths))).encode()).hexdigest()
