"""Folders that `save_to_disk` of the library `datasets` wrote: one data set, or one per split.

Their Arrow files are read here as any others: the library would map them into memory, and if a
mapped file becomes shorter, the system kills the process.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from emolens.data.readers.arrow import class_names
from emolens.data.readers.table import Table
from emolens.errors import DataError, first_line
from emolens.store import load_object

_SPLITS = "dataset_dict.json"
_STATE = "state.json"
_INFO = "dataset_info.json"


def is_saved(folder: Path) -> bool:
    """Whether the library wrote this folder."""
    return (folder / _SPLITS).is_file() or (folder / _STATE).is_file()


def saved_tables(folder: Path, opened: Callable[[Path], Table]) -> dict[str, list[Table]]:
    """The tables by split; a folder of one data set is for training. opened: opens a file."""
    if not (folder / _SPLITS).is_file():
        return {"train": _parts(folder, opened)}
    splits = _loaded(folder / _SPLITS).get("splits")
    if not isinstance(splits, list) or not splits or not all(map(_is_name, splits)):
        raise _damaged(folder, f"{_SPLITS} names no splits")
    return {split: _parts(folder / split, opened) for split in splits}


def _parts(folder: Path, opened: Callable[[Path], Table]) -> list[Table]:
    """The files of a data set, which are parts of one table."""
    state = _loaded(folder / _STATE)
    if state.get("_indices_data_files"):
        raise DataError(
            f"{folder} was saved by an old version of datasets, with its rows in another order.",
            hint="Load it, call flatten_indices(), and save it again with save_to_disk.",
        )
    listed = state.get("_data_files")
    files = [e for e in listed if isinstance(e, dict)] if isinstance(listed, list) else []
    names: list[Any] = [entry.get("filename") for entry in files]
    if not names or not all(map(_is_name, names)):
        raise _damaged(folder, f"{_STATE} names no files")
    tables = [opened(folder / name) for name in names]
    features = _loaded(folder / _INFO).get("features") if (folder / _INFO).is_file() else None
    classes = class_names(features)
    return [replace(table, class_names={**classes, **table.class_names}) for table in tables]


def _is_name(name: Any) -> bool:
    """Whether it names something inside the folder, and nowhere else."""
    return isinstance(name, str) and name not in ("", ".", "..") and not set(name) & set("/\\:")


def _loaded(path: Path) -> dict[str, Any]:
    try:
        return load_object(path)
    except (OSError, ValueError) as error:
        raise _damaged(path.parent, f"{path.name} can't be read ({first_line(error)})") from error


def _damaged(folder: Path, why: str) -> DataError:
    return DataError(
        f"{folder} is not a readable data set folder: {why}.",
        hint="Save it again with save_to_disk, or give a folder of CSV or Parquet files.",
    )
