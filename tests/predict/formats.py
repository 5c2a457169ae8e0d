"""Writes and reads tables of every format, by other libraries than emolens uses itself."""

from __future__ import annotations

import bz2
import csv
import gzip
import io
import json
import lzma
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.feather
import pyarrow.parquet as pq
import xlsxwriter
from python_calamine import CalamineWorkbook

from emolens.predict.writers import ending_of


def _unzipped(data: bytes) -> bytes:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        (name,) = archive.namelist()
        return archive.read(name)


OPENERS: dict[str, Callable[[bytes], bytes]] = {
    ".gz": gzip.decompress,
    ".bz2": bz2.decompress,
    ".xz": lzma.decompress,
    ".zst": lambda data: pa.input_stream(io.BytesIO(data), compression="zstd").read(),
    ".zip": _unzipped,
}
# The columns of answers: without --answer-all, with it, and those of the classes.
FIRST = ["emotion", "best_guess", "probability", "unsure", "reason"]
OF_ALL = ["emotion", "probability", "unsure"]
BY_CLASS = ["p_sadness", "p_joy", "p_anger"]
ADDED = [*FIRST, *BY_CLASS]
Rows = list[dict[str, Any]]


def write(path: Path, rows: Rows) -> Path:
    if path.suffix == ".parquet":
        pq.write_table(pa.Table.from_pylist(rows), path)
    elif path.suffix == ".arrow":
        pyarrow.feather.write_feather(pa.Table.from_pylist(rows), path)
    elif path.suffix == ".jsonl":
        csv_file(path, "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows))
    elif path.suffix == ".json":
        csv_file(path, json.dumps(rows, ensure_ascii=False))
    elif path.suffix == ".xlsx":
        book = xlsxwriter.Workbook(path)
        sheet = book.add_worksheet()
        for place, cells in enumerate([list(rows[0]), *(list(row.values()) for row in rows)]):
            for column, cell in enumerate(cells):
                sheet.write_string(place, column, cell)
        book.close()
    else:
        text = io.StringIO(newline="")
        delimiter = "\t" if path.suffix == ".tsv" else ","
        writer = csv.writer(text, delimiter=delimiter, quoting=csv.QUOTE_ALL)
        writer.writerows([list(rows[0]), *(list(row.values()) for row in rows)])
        content = text.getvalue().encode("utf-16" if ".utf16" in path.suffixes else "utf-8")
        path.write_bytes(gzip.compress(content) if path.suffix == ".gz" else content)
    return path


def read(path: Path) -> Rows:
    """The rows of any table that predict writes, by other readers than those of emolens."""
    if path.suffix == ".parquet":
        rows: Rows = pq.read_table(path).to_pylist()
        return rows
    if path.suffix in (".arrow", ".feather"):
        arrow: Rows = pyarrow.feather.read_table(path).to_pylist()
        return arrow
    if path.suffix == ".xlsx":
        header, *cells = sheet(path)
        return [dict(zip(map(str, header), row, strict=True)) for row in cells]
    ending, compression = ending_of(path)
    content = path.read_bytes()
    text = (OPENERS[compression](content) if compression else content).decode("utf-8")
    if ending == ".json":
        array: Rows = json.loads(text)
        return array
    if ending in (".jsonl", ".ndjson"):
        return [json.loads(line) for line in text.split("\n")[:-1]]
    delimiter = "\t" if ending == ".tsv" else ","
    return list(
        csv.DictReader(io.StringIO(text.removeprefix("\ufeff"), newline=""), delimiter=delimiter)
    )


def sheet(path: Path) -> list[list[Any]]:
    cells: list[list[Any]] = (
        CalamineWorkbook.from_path(path).get_sheet_by_index(0).to_python(skip_empty_area=False)
    )
    return cells


def csv_file(path: Path, content: str, encoding: str = "utf-8") -> Path:
    path.write_bytes(content.encode(encoding))
    return path
