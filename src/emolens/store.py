"""Saves and loads arrays, tables and JSON, and makes fingerprints of what they hold.

Knows nothing of what the arrays and tables mean.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from emolens.errors import StorageError, UsageError, first_line
from emolens.output import atomic_file
from emolens.shown import escaped

if TYPE_CHECKING:
    import pyarrow as pa

Value = TypeVar("Value")


def check_ending(path: Path, known: Iterable[str]) -> None:
    """Raise UsageError for a file to write whose ending is not among those known."""
    if path.suffix.lower() not in known:
        raise UsageError(
            f"emolens can't write {path}: its ending is not known here.",
            hint=f"Known endings: {', '.join(known)}.",
        )


def save_text(path: Path, text: str) -> None:
    """Write UTF-8 text."""
    with atomic_file(path) as file:
        file.write(text.encode("utf-8"))


def save_json(path: Path, value: Any) -> None:
    """Write `value` as json_text gives it."""
    save_text(path, json_text(value))


def json_text(value: Any) -> str:
    """Indented JSON that a terminal can show; ValueError for NaN."""
    return escaped(json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False)) + "\n"


def load_json(path: Path) -> Any:
    """Read what save_json wrote."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise unreadable(path, error) from error


def load_object(path: Path, *, largest: int = 64 * 2**20) -> dict[str, Any]:
    """The JSON object in a file that others may have written.

    largest: the most bytes that it may have. OSError or ValueError if it holds no JSON object.
    """
    if not path.is_file():
        raise ValueError("it is no file")
    if path.stat().st_size > largest:
        raise ValueError(f"it is larger than {largest >> 20} MiB")
    try:
        plain = json.loads(path.read_text(encoding="utf-8"))
    except RecursionError as error:
        raise ValueError("it is nested too deeply") from error
    if not isinstance(plain, dict):
        raise ValueError("it holds no JSON object")
    return plain


def save_arrays(path: Path, arrays: dict[str, np.ndarray], **metadata: str) -> None:
    """Write named arrays, and text that describes them, as safetensors."""
    from safetensors.numpy import save

    whole = {name: np.asarray(array, order="C") for name, array in arrays.items()}
    with atomic_file(path) as file:
        file.write(save(whole, metadata=metadata or None))


def load_arrays(path: Path) -> dict[str, np.ndarray]:
    """Read what save_arrays wrote; a damaged file is a StorageError."""
    from safetensors import SafetensorError
    from safetensors.numpy import load_file

    try:
        return load_file(path)
    except (OSError, ValueError, SafetensorError) as error:
        raise unreadable(path, error) from error


def save_table(path: Path, table: pa.Table) -> None:
    """Write an Arrow table as Parquet."""
    import pyarrow.parquet as pq

    with atomic_file(path) as file:
        pq.write_table(table, file)


def load_table(path: Path) -> pa.Table:
    """Read what save_table wrote."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        return pq.read_table(path)
    except (OSError, pa.ArrowException) as error:
        raise unreadable(path, error) from error


def fingerprint(*values: Any) -> str:
    """A short name for the content of JSON values, strings and arrays, in their order."""
    digest = hashlib.sha256()
    for value in values:
        if isinstance(value, np.ndarray):
            piece = f"{value.dtype}{value.shape}".encode() + np.ascontiguousarray(value).tobytes()
        else:
            piece = json.dumps(value, sort_keys=True, ensure_ascii=True, default=str).encode()
        digest.update(len(piece).to_bytes(8, "little"))
        digest.update(piece)
    return digest.hexdigest()[:16]


def load_value(kind: type[Value], path: Path) -> Value:
    """A value of this dataclass from the JSON of its fields.

    Raises StorageError where the file holds anything else.
    """
    from pydantic import TypeAdapter

    plain = load_json(path)
    try:
        value: Value = TypeAdapter(kind).validate_python(plain)
    except ValueError as error:
        raise unreadable(path, error) from error
    return value


def unreadable(path: Path, error: Exception) -> StorageError:
    """The error for a file of emolens that is damaged or holds something else."""
    return StorageError(
        f"{path} can't be read: {first_line(error)}.",
        hint="Delete it and run the command that makes it again.",
    )
