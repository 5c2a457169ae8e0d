"""How emolens, pandas, pyarrow and DuckDB read a table, in one form that can be compared.

Each of them reads as it does without options: what a person gets who names the file only.
"""

from __future__ import annotations

import datetime
import json
import math
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.csv
import pyarrow.feather
import pyarrow.json
import pyarrow.parquet as pq

from emolens.data.readers.open import open_table, source_of
from emolens.errors import EmolensError


@dataclass(frozen=True)
class Content:
    """The titles of the columns, and each row as one text for each cell.

    An empty cell and a missing one are the same here: "".
    """

    titles: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]

    def difference(self, other: Content) -> str:
        """What is not the same in the other one: 'titles', 'rows' (their number), 'cells', ''."""
        if len(self.rows) != len(other.rows):
            return "rows"
        if self.titles != other.titles:
            return "titles"
        return "" if self.rows == other.rows else "cells"


def cell(value: Any) -> str:
    """A value as a text: a time in ISO form, a list or an object as JSON."""
    if isinstance(value, np.ndarray):
        value = value.tolist()
    if value is None or value is pd.NA or value is pd.NaT:
        return ""
    if isinstance(value, float) and math.isnan(value):
        return ""
    if isinstance(value, (datetime.date, datetime.time)):
        return value.isoformat()
    if isinstance(value, (bytes, bytearray)):
        return bytes(value).decode("utf-8", "backslashreplace")
    if isinstance(value, (list, dict, tuple)):
        return json.dumps(value, ensure_ascii=False, default=_plain)
    return str(value)


def _plain(value: Any) -> Any:
    """What JSON can hold in place of a value inside of a list or an object."""
    return value.tolist() if isinstance(value, np.ndarray) else cell(value)


def _content(titles: Any, rows: Any) -> Content:
    return Content(tuple(map(cell, titles)), tuple(tuple(map(cell, row)) for row in rows))


def by_emolens(path: Path) -> Content:
    with source_of(path) as source:
        table = open_table(source, labelled=False)
        rows = [row for chunk in table.chunks() for row in chunk.rows]
    return _content(table.titles, [[row.get(name) for name in table.columns] for row in rows])


def by_pandas(path: Path) -> Content:
    read: dict[str, Callable[..., pd.DataFrame]] = {
        ".tsv": lambda p: pd.read_csv(p, sep="\t"),
        ".json": pd.read_json,
        ".jsonl": lambda p: pd.read_json(p, lines=True),
        ".parquet": pd.read_parquet,
        ".arrow": pd.read_feather,
        ".xlsx": lambda p: pd.read_excel(p, engine="calamine"),
    }
    with warnings.catch_warnings():  # about mixed types and about dates
        warnings.simplefilter("ignore")
        frame = read.get(_ending(path), pd.read_csv)(path)
    return _content(frame.columns, frame.itertuples(index=False, name=None))


def by_pyarrow(path: Path) -> Content:
    tabs = pyarrow.csv.ParseOptions(delimiter="\t")
    read: dict[str, Callable[..., pa.Table]] = {
        ".tsv": lambda p: pyarrow.csv.read_csv(p, parse_options=tabs),
        ".json": pyarrow.json.read_json,
        ".jsonl": pyarrow.json.read_json,
        ".parquet": pq.read_table,
        ".arrow": pyarrow.feather.read_table,
    }
    table = read.get(_ending(path), pyarrow.csv.read_csv)(path)
    columns = [column.to_pylist() for column in table.columns]
    return _content(table.column_names, zip(*columns, strict=True))


@cache
def database() -> duckdb.DuckDBPyConnection:
    """One for all tables: to open one takes longer than to read a small table."""
    return duckdb.connect()


def by_duckdb(path: Path) -> Content:
    read = {".json": "read_json", ".jsonl": "read_json", ".parquet": "read_parquet"}
    name = str(path).replace("'", "''")
    result = database().sql(f"SELECT * FROM {read.get(_ending(path), 'read_csv')}('{name}')")
    return _content(result.columns, result.fetchall())


def _ending(path: Path) -> str:
    return next((e for e in path.suffixes if e not in (".gz", ".bz2", ".xz", ".zst", ".zip")), "")


OTHERS: dict[str, Callable[[Path], Content]] = {
    "pandas": by_pandas,
    "pyarrow": by_pyarrow,
    "duckdb": by_duckdb,
}
# They have no function for these, or one that loads an extension from the network.
CANNOT = {".xlsx": ("pyarrow", "duckdb"), ".arrow": ("duckdb",)}


def differences(path: Path, right: Content | None) -> dict[str, str]:
    """By reader, how it differs from what is right: see Content.difference, or 'refuses'.

    right: None if the table must be refused; then it is 'accepts' for a reader that reads it.
    """
    readers = {"emolens": by_emolens, **OTHERS}
    asked = [name for name in readers if name not in CANNOT.get(_ending(path), ())]
    outcome = {name: _difference(readers[name], path, right) for name in asked}
    return {name: kind for name, kind in outcome.items() if kind}


def _difference(reader: Callable[[Path], Content], path: Path, right: Content | None) -> str:
    try:
        content = reader(path)
    except (EmolensError, pa.ArrowException, duckdb.Error, ValueError):
        return "refuses" if right else ""
    return right.difference(content) if right else "accepts"
