"""A cache on disk for vectors and models. Knows nothing of how they are computed.

The key of an entry is a digest of everything that decides its content, so entries never go out of
date. Vectors and models hold a SHA-256 of their key and their content: a damaged one, or one under
another name, is computed again, with a warning. If an entry can't be written, that is only a
warning, too; of a compiled model, not even that. Each entry is renamed into place as a whole, so
that several processes may write the same one. Entries are not flushed to the disk: after a power
failure the SHA-256 shows the damage.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import stat
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import numpy as np

from emolens.encode.cache.folder import (
    cache_folder,
    is_safe,
    open_trusted,
    trusted_folder,
    warn_if_unusable,
    write_errors,
)
from emolens.encode.cache.size import DIGESTS, MODEL_FILES, cache_limit, place
from emolens.errors import EncoderError, StorageError
from emolens.output import digests, writing
from emolens.temporary import scratch_folder

Loaded = TypeVar("Loaded")
_DIGEST = 32  # bytes of a SHA-256
FORMAT = 2  # of the entries; it is part of each key, so entries of another format are not read


def read_vectors(key: str, n: int) -> np.ndarray | None:
    """The vectors (n, d) float32 of the entry `key`; None if it is missing or damaged."""
    path = _entry("embeddings", f"{key}.safetensors")
    if path is None:
        return None
    content, vectors = _content(path), None
    if content is not None:
        vectors = _vectors_in(content, key, n)
    if vectors is None:
        _discard(path)
    else:
        _mark_used(path)
    return vectors


def keep_vectors(key: str, vectors: np.ndarray) -> None:
    """Write the vectors (n, d) float32 as the entry `key`."""
    if not np.isfinite(vectors).all():
        return  # read_vectors() would call them damaged
    from safetensors.numpy import save

    arrays = {"embeddings": np.ascontiguousarray(vectors), "sha256": _digest(key, vectors)}
    _keep("embeddings", f"{key}.safetensors", save(arrays))


def read_refusal(key: str) -> str | None:
    """Why OpenVINO could not run the model `key`; None if no attempt has failed."""
    path = _entry("refused", f"{key}.json")
    if path is None:
        return None
    try:
        refusal = json.loads(_content(path) or b"{}")
        of_key, cause = refusal["key"], refusal["cause"]
    except (ValueError, KeyError, TypeError, RecursionError):
        return None
    _mark_used(path)
    return cause if of_key == key and isinstance(cause, str) else None


def keep_refusal(key: str, cause: str) -> None:
    """Write down why OpenVINO can't run the model `key`."""
    _keep("refused", f"{key}.json", json.dumps({"key": key, "cause": cause}).encode())


def read_compiled(key: str, room: Callable[[int], memoryview]) -> bool:
    """Read the model `key` as OpenVINO has compiled it; False if it is missing or damaged.

    room: gives the memory for so many bytes, to be filled: there are tens of megabytes, and each
    copy would take a moment of the start. Without a cache that can be used, a start takes a
    moment longer, too, and nothing is said of it.
    """
    if not cache_limit():
        return False
    with contextlib.suppress(StorageError):
        path = trusted_folder("compiled") / f"{key}.blob"
        if _fill(path, key, room):
            _mark_used(path)
            return True
        _discard(path)
    return False


def _fill(path: Path, key: str, room: Callable[[int], memoryview]) -> bool:
    """Whether the content of a compiled model is there and whole; it is in the room then."""
    try:
        with open_trusted(path) as file:
            digest = file.read(_DIGEST)
            size = os.fstat(file.fileno()).st_size - _DIGEST
            compiled = room(max(size, 0))
            return file.readinto(compiled) == size and digest == _of_compiled(key, compiled)
    except OSError:
        return False


def keep_compiled(key: str, compiled: bytes | memoryview) -> None:
    """Write a compiled model as the entry `key`."""
    if not cache_limit():
        return
    with contextlib.suppress(StorageError):
        _write("compiled", f"{key}.blob", _of_compiled(key, compiled), compiled)


def _of_compiled(key: str, compiled: bytes | memoryview) -> bytes:
    digest = hashlib.sha256(key.encode())
    digest.update(compiled)
    return digest.digest()


def cached_model(key: str, build: Callable[[Path], None], load: Callable[[Path], Loaded]) -> Loaded:
    """The result of `load` for the folder of the entry `key`.

    build: fills an empty folder if the cache has no such entry. key: empty for a temporary folder
    that is not kept. Raises StorageError if the model can be written neither to the cache nor to a
    temporary folder.
    """
    with contextlib.ExitStack() as opened:
        folder = _kept_model(key) or _built_in_cache(key, build, opened)
        if folder is not None:
            try:
                return load(folder)
            except EncoderError:
                if all((folder / name).exists() for name in MODEL_FILES):
                    raise
                # Another process has removed the model in the meantime.
        folder = opened.enter_context(scratch_folder())
        with writing(folder):
            build(folder)
        return load(folder)


def _entry(kind: str, name: str) -> Path | None:
    """The path of an entry; None if there is no cache, with a warning if it can't be used."""
    if cache_limit():
        with warn_if_unusable():
            return trusted_folder(kind) / name
    return None


def _keep(kind: str, name: str, content: bytes) -> None:
    if not cache_limit():
        return
    with warn_if_unusable():
        _write(kind, name, content)


def _write(kind: str, name: str, *parts: bytes | memoryview) -> None:
    path = trusted_folder(kind, create=True) / name
    with write_errors(), scratch_folder(cache_folder()) as scratch:
        with (scratch / name).open("wb") as file:
            file.writelines(parts)
        place(scratch / name, path)


def _kept_model(key: str) -> Path | None:
    folder = _entry("models", key) if key else None
    if folder is None or not os.path.lexists(folder):
        return None
    if _is_intact(folder):
        _mark_used(folder)
        return folder
    _discard(folder)
    return None


def _built_in_cache(
    key: str, build: Callable[[Path], None], opened: contextlib.ExitStack
) -> Path | None:
    """The folder of a new model; None if nothing can be written to the cache.

    A model that has no place in the cache, because it is too large, is deleted when `opened` ends.
    """
    if not key or not cache_limit():
        return None
    with warn_if_unusable():
        path = trusted_folder("models", create=True) / key
        with write_errors():
            fresh = opened.enter_context(scratch_folder(cache_folder())) / key
            fresh.mkdir(mode=stat.S_IRWXU)
            build(fresh)
            content = json.dumps({"key": key, **digests(fresh)}, indent=2) + "\n"
            (fresh / DIGESTS).write_text(content, encoding="utf-8")
        with warn_if_unusable():
            place(fresh, path)
        # If the new model could not be moved, the path may hold another one.
        return path if _is_intact(path) else fresh
    return None


def _content(path: Path) -> bytes | None:
    """The bytes of an entry; None if it is missing or can't be trusted."""
    try:
        with open_trusted(path) as file:
            return file.read()
    except OSError:
        return None


def _vectors_in(content: bytes, key: str, n: int) -> np.ndarray | None:
    """The vectors (n, d) in an entry; None if they are damaged."""
    from safetensors import SafetensorError
    from safetensors.numpy import load

    try:
        arrays = load(content)
        vectors, digest = arrays["embeddings"], arrays["sha256"]
    except (SafetensorError, ValueError, KeyError, TypeError, AttributeError):
        return None
    fits = vectors.dtype == np.float32 and vectors.ndim == 2 and len(vectors) == n
    if fits and np.array_equal(digest, _digest(key, vectors)) and np.isfinite(vectors).all():
        return vectors
    return None


def _is_intact(folder: Path) -> bool:
    """Whether a model folder and its files can be trusted, and hold what was written."""
    *names, listed = MODEL_FILES
    try:
        state = folder.lstat()
        if not (stat.S_ISDIR(state.st_mode) and is_safe(state)):
            return False
        with open_trusted(folder / listed) as file:
            wanted = json.loads(file.read())
        files = all(wanted[name] == _sha256_of(folder / name) for name in names)
        return files and bool(wanted["key"] == folder.name)
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return False


def _sha256_of(path: Path) -> str:
    with open_trusted(path) as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _digest(key: str, vectors: np.ndarray) -> np.ndarray:
    """The SHA-256 of the key, the shape and the bytes, (32,) uint8."""
    head = f"{key} {vectors.shape}".encode()
    content = head + np.ascontiguousarray(vectors).tobytes()
    return np.frombuffer(hashlib.sha256(content).digest(), dtype=np.uint8)


def _mark_used(path: Path) -> None:
    """Set the time of the last use; the entries with the oldest one are removed first."""
    with contextlib.suppress(OSError):  # a read-only cache
        os.utime(path)


def _discard(path: Path) -> None:
    """Remove a damaged entry, with a warning; do nothing if there is none."""
    if not os.path.lexists(path):
        return
    message = f"{path} in the cache is damaged; emolens computes it again."
    warnings.warn(message, UserWarning, stacklevel=5)
    missing = contextlib.suppress(FileNotFoundError)  # another process has removed it
    with warn_if_unusable(), write_errors(), scratch_folder(cache_folder()) as scratch, missing:
        path.replace(scratch / path.name)
