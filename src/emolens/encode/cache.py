"""Vectors and traced models that were computed before, kept under the name of what went in.

An entry carries the SHA-256 of what it holds. One that is damaged is noticed and made again; one
that can't be written costs a warning. Entries are renamed into place whole, so that two processes
may write the same one.
"""

from __future__ import annotations

import hashlib
import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np

from emolens.errors import StorageError
from emolens.store import (
    atomic_folder,
    cache_folder,
    load_arrays,
    load_json,
    save_arrays,
    save_json,
    sha256,
)


def read_vectors(key: str) -> np.ndarray | None:
    """The vectors (n, d) of the entry `key`, where there is a sound one."""
    path = _vectors_path(key)
    if not path.is_file():
        return None
    vectors = _sound_vectors(path)
    if vectors is None:
        _damaged(path)
    return vectors


def keep_vectors(key: str, vectors: np.ndarray) -> None:
    """Write the vectors (n, d) as the entry `key`."""
    try:
        save_arrays(_vectors_path(key), {"embeddings": vectors, "sha256": _digest(vectors)})
    except StorageError as error:
        _not_kept(error)


def read_refusal(key: str) -> str | None:
    """Why OpenVINO could not run the model `key`, where that is known."""
    try:
        return str(load_json(_refusal_path(key))["cause"])
    except (StorageError, KeyError, TypeError):
        return None


def keep_refusal(key: str, cause: str) -> None:
    """Write down why OpenVINO can't run the model `key`."""
    try:
        save_json(_refusal_path(key), {"cause": cause})
    except StorageError as error:
        _not_kept(error)


def cached_model(key: str, build: Callable[[Path], None], fallback: Path) -> Path:
    """The folder that `build` filled, from the entry `key` where there is a sound one.

    fallback: an empty folder to be filled where the cache can't be written.
    """
    folder = cache_folder() / "models" / key
    if folder.is_dir():
        if _sound(folder):
            return folder
        _damaged(folder)
    try:
        with atomic_folder(folder) as fresh:
            build(fresh)
            digests = {path.name: sha256(path) for path in sorted(fresh.iterdir())}
            save_json(fresh / _DIGESTS, digests)
    except StorageError as error:
        _not_kept(error)
        build(fallback)
        return fallback
    return folder


_DIGESTS = "sha256.json"


def _vectors_path(key: str) -> Path:
    return cache_folder() / "embeddings" / f"{key}.safetensors"


def _refusal_path(key: str) -> Path:
    return cache_folder() / "refused" / f"{key}.json"


def _sound_vectors(path: Path) -> np.ndarray | None:
    try:
        entry = load_arrays(path)
    except StorageError:
        return None
    vectors, digest = entry.get("embeddings"), entry.get("sha256")
    if vectors is None or digest is None or not np.array_equal(digest, _digest(vectors)):
        return None
    return vectors


def _sound(folder: Path) -> bool:
    try:
        digests = load_json(folder / _DIGESTS)
        return bool(digests) and all(
            sha256(folder / name) == digest for name, digest in digests.items()
        )
    except (StorageError, OSError, AttributeError):
        return False


def _digest(vectors: np.ndarray) -> np.ndarray:
    """(32,) uint8 of the shape and the bytes."""
    content = str(vectors.shape).encode() + np.ascontiguousarray(vectors).tobytes()
    return np.frombuffer(hashlib.sha256(content).digest(), dtype=np.uint8)


def _damaged(path: Path) -> None:
    warnings.warn(f"{path} is damaged; it is made again.", UserWarning, stacklevel=4)


def _not_kept(error: StorageError) -> None:
    warnings.warn(f"Nothing was kept for the next time: {error}", UserWarning, stacklevel=4)
