"""A cache on disk for vectors and traced models. Knows nothing of how they are computed.

The key of an entry is a digest of everything that decides its content, so entries never go out of
date. Each entry holds a SHA-256 of its content: a damaged one is computed again, with a warning.
If an entry can't be written, that is only a warning, too. Each entry is renamed into place as a
whole, so that two processes may write the same one.
"""

from __future__ import annotations

import contextlib
import hashlib
import warnings
from collections.abc import Callable, Iterator
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
    """The vectors (n, d) of the entry `key`; None if it is missing or damaged."""
    path = _vectors_path(key)
    if not path.is_file():
        return None
    with contextlib.suppress(StorageError, KeyError):
        entry = load_arrays(path)
        if np.array_equal(entry["sha256"], _digest(entry["embeddings"])):
            return entry["embeddings"]
    _warn_damaged(path)
    return None


def keep_vectors(key: str, vectors: np.ndarray) -> None:
    """Write the vectors (n, d) as the entry `key`."""
    with _warn_if_not_written():
        save_arrays(_vectors_path(key), {"embeddings": vectors, "sha256": _digest(vectors)})


def read_refusal(key: str) -> str | None:
    """Why OpenVINO could not run the model `key`; None if no attempt has failed."""
    try:
        return str(load_json(_refusal_path(key))["cause"])
    except (StorageError, KeyError, TypeError):
        return None


def keep_refusal(key: str, cause: str) -> None:
    """Write down why OpenVINO can't run the model `key`."""
    with _warn_if_not_written():
        save_json(_refusal_path(key), {"cause": cause})


def cached_model(key: str, build: Callable[[Path], None], fallback: Path) -> Path:
    """The folder of the entry `key`; if it is missing or damaged, `build` fills it first.

    fallback: an empty folder, which `build` fills if the cache can't be written.
    """
    folder = cache_folder() / "models" / key
    if folder.is_dir():
        if _is_intact(folder):
            return folder
        _warn_damaged(folder)
    with _warn_if_not_written():
        with atomic_folder(folder) as fresh:
            build(fresh)
            digests = {path.name: sha256(path) for path in sorted(fresh.iterdir())}
            save_json(fresh / _DIGESTS, digests)
        return folder
    build(fallback)
    return fallback


_DIGESTS = "sha256.json"


def _vectors_path(key: str) -> Path:
    return cache_folder() / "embeddings" / f"{key}.safetensors"


def _refusal_path(key: str) -> Path:
    return cache_folder() / "refused" / f"{key}.json"


def _is_intact(folder: Path) -> bool:
    try:
        digests = load_json(folder / _DIGESTS)
        return bool(digests) and all(
            sha256(folder / name) == digest for name, digest in digests.items()
        )
    except (StorageError, OSError, AttributeError):
        return False


def _digest(vectors: np.ndarray) -> np.ndarray:
    """The SHA-256 of the shape and the bytes, (32,) uint8."""
    content = str(vectors.shape).encode() + np.ascontiguousarray(vectors).tobytes()
    return np.frombuffer(hashlib.sha256(content).digest(), dtype=np.uint8)


def _warn_damaged(path: Path) -> None:
    message = f"{path} in the cache is damaged; emolens computes it again."
    warnings.warn(message, UserWarning, stacklevel=4)


@contextlib.contextmanager
def _warn_if_not_written() -> Iterator[None]:
    try:
        yield
    except StorageError as error:
        message = f"The result is not kept in the cache: {error}"
        warnings.warn(message, UserWarning, stacklevel=5)
