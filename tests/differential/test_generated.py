"""Any cells, written by one library, are the same cells for emolens and for the others.

emolens gets the name of the file only. The others are told that every cell is a text: what they
make of numbers and of missing values is in test_shapes.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.csv
import pyarrow.feather
import pyarrow.json
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.differential.tools import Content, by_emolens, database

TITLES = ("id", "text", "note")
TEXTS = pa.schema([(title, pa.string()) for title in TITLES])
# No NUL, which is damage, and no half of a character, which UTF-8 can't hold.
ANY = st.characters(codec="utf-8", exclude_characters="\0")
CELLS = st.text(ANY | st.sampled_from(",;\t|\"'\\ \n\r\u00a0\u2028#=:{[é"), max_size=12)
ROWS = st.lists(st.tuples(CELLS.map("x{}".format), CELLS), min_size=1, max_size=6)
Writer = Callable[[pd.DataFrame, Path], object]


def _by_python(frame: pd.DataFrame, path: Path) -> None:
    rows = frame.to_dict("records")
    if path.suffix in (".csv", ".tsv"):
        file = io.StringIO(newline="")
        delimiter = "\t" if path.suffix == ".tsv" else ","
        writer = csv.writer(file, delimiter=delimiter)
        writer.writerows([TITLES, *(row.values() for row in rows)])
        content = file.getvalue()
    elif path.suffix == ".json":
        content = json.dumps(rows, ensure_ascii=False, indent=1)
    else:
        content = "".join(json.dumps(row) + "\n" for row in rows)
    path.write_bytes(content.encode())


def _by_pandas(frame: pd.DataFrame, path: Path) -> None:
    # With its usual line end, pandas writes a bare CR without quotes: nobody can read it back.
    frame.to_csv(path, index=False, sep=_delimiter(path), lineterminator="\r\n")


def _table(frame: pd.DataFrame) -> pa.Table:
    return pa.Table.from_pandas(frame, TEXTS, preserve_index=False)


def _by_duckdb(form: str) -> Writer:
    def write(frame: pd.DataFrame, path: Path) -> None:
        database().register("cells", _table(frame))
        database().execute(f"COPY cells TO '{path}' ({form})")

    return write


WRITERS: dict[tuple[str, str], Writer] = {
    **{("python", ending): _by_python for ending in (".csv", ".tsv", ".json", ".jsonl")},
    ("pandas", ".csv"): _by_pandas,
    ("pandas", ".tsv"): _by_pandas,
    ("pandas", ".json"): lambda frame, path: frame.to_json(path, orient="records"),
    ("pandas", ".jsonl"): lambda frame, path: frame.to_json(path, orient="records", lines=True),
    ("pandas", ".parquet"): lambda frame, path: frame.to_parquet(path),
    ("pandas", ".arrow"): lambda frame, path: frame.to_feather(path),
    ("pyarrow", ".csv"): lambda frame, path: pyarrow.csv.write_csv(_table(frame), path),
    ("pyarrow", ".parquet"): lambda frame, path: pq.write_table(_table(frame), path),
    ("pyarrow", ".arrow"): lambda frame, path: pyarrow.feather.write_feather(_table(frame), path),
    ("duckdb", ".csv"): _by_duckdb("FORMAT csv, HEADER"),
    ("duckdb", ".tsv"): _by_duckdb("FORMAT csv, HEADER, DELIMITER '\t'"),
    ("duckdb", ".json"): _by_duckdb("FORMAT json, ARRAY true"),
    ("duckdb", ".jsonl"): _by_duckdb("FORMAT json"),
    ("duckdb", ".parquet"): _by_duckdb("FORMAT parquet"),
}


def _delimiter(path: Path) -> str:
    return "\t" if path.suffix == ".tsv" else ","


def _with_pandas(path: Path) -> pd.DataFrame:
    if path.suffix in (".json", ".jsonl"):
        lines = path.suffix == ".jsonl"
        return pd.read_json(path, lines=lines, dtype=False)
    if path.suffix in (".parquet", ".arrow"):
        return pd.read_parquet(path) if path.suffix == ".parquet" else pd.read_feather(path)
    return pd.read_csv(path, sep=_delimiter(path), dtype=str, keep_default_na=False)


def _with_pyarrow(path: Path) -> pd.DataFrame:
    if path.suffix == ".jsonl":
        parse = pyarrow.json.ParseOptions(explicit_schema=TEXTS, newlines_in_values=True)
        return pyarrow.json.read_json(path, parse_options=parse).to_pandas()
    if path.suffix in (".parquet", ".arrow"):
        read = pq.read_table if path.suffix == ".parquet" else pyarrow.feather.read_table
        return read(path).to_pandas()
    delimited = pyarrow.csv.ParseOptions(delimiter=_delimiter(path), newlines_in_values=True)
    convert = pyarrow.csv.ConvertOptions(column_types=TEXTS, strings_can_be_null=False)
    return pyarrow.csv.read_csv(path, parse_options=delimited, convert_options=convert).to_pandas()


def _with_duckdb(path: Path) -> pd.DataFrame:
    types = "{" + ", ".join(f"{title}: 'VARCHAR'" for title in TITLES) + "}"
    call = {
        ".parquet": f"read_parquet('{path}')",
        ".json": f"read_json('{path}', columns = {types}, format = 'array')",
        ".jsonl": f"read_json('{path}', columns = {types}, format = 'newline_delimited')",
    }.get(
        path.suffix,
        f"read_csv('{path}', all_varchar = true, header = true, delim = '{_delimiter(path)}',"
        " quote = '\"', escape = '\"', auto_detect = false, strict_mode = false,"
        f" columns = {types})",
    )
    return database().sql(f"SELECT * FROM {call}").df()


READERS = {"pandas": _with_pandas, "pyarrow": _with_pyarrow, "duckdb": _with_duckdb}
CANNOT = {("pyarrow", ".json"), ("duckdb", ".arrow")}


@pytest.mark.parametrize(("writer", "ending"), [*WRITERS], ids=["".join(w) for w in WRITERS])
@settings(max_examples=25, deadline=None)
@given(rows=ROWS)
def test_all_readers_agree_on_any_cells(
    tmp_path_factory: pytest.TempPathFactory,
    writer: str,
    ending: str,
    rows: list[tuple[str, str]],
) -> None:
    path = tmp_path_factory.getbasetemp() / f"generated{ending}"
    whole = [(f"n{number}", *cells) for number, cells in enumerate(rows)]
    WRITERS[writer, ending](pd.DataFrame(whole, columns=list(TITLES), dtype=str), path)
    right = Content(TITLES, tuple(whole))
    assert by_emolens(path) == right
    for name, read in READERS.items():
        if (name, ending) not in CANNOT:
            frame = read(path).fillna("")
            content = Content(tuple(frame.columns), tuple(frame.itertuples(index=False, name=None)))
            assert content == right, name
