"""Large tables: a million rows or hundreds of columns, in memory that does not grow with the rows.

Each table is read and written in a process of its own, which tells the most memory that it took.
"""

from __future__ import annotations

import csv
import json
import subprocess
import sys
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq
import pytest
from python_calamine import CalamineWorkbook

from emolens.errors import DataError
from emolens.predict.classifier import Classifier
from emolens.predict.tables import predict_table
from emolens.study import Run

pytestmark = pytest.mark.soak
pytest.importorskip("resource")  # Windows does not tell the most memory of a process in this way

MORE_MB = 60  # for more rows: what the allocators keep
FEW, MANY = 100_000, 1_000_000
MOST_ROWS = 1_048_575  # of a sheet, without the header
TEXTS = [f"i am {word} today {n}" for n in range(500) for word in ("happy", "sad", "angry")]

# Not ru_maxrss: on Linux, a new process begins with the peak of the one that started it.
PREDICT = """
import sys
from emolens.predict.classifier import Classifier
from emolens.predict.tables import predict_table
from emolens.study.meter import Meter
meter = Meter()
classifier = Classifier(sys.argv[1], precision="fp32")
classifier.predict(["so happy"])
rows = predict_table(classifier, sys.argv[2], sys.argv[3]).rows
print(rows, int(meter.peak_memory_mb))
"""
ENCODE = """
import sys
from emolens.encode.embed import Encoder
from emolens.encode.table import encode_table
from emolens.study.meter import Meter
meter = Meter()
encoder = Encoder(sys.argv[1], precision="fp32", cache=False)
encoder.encode(["so happy"])
rows = encode_table(encoder, sys.argv[2], sys.argv[3]).rows
print(rows, int(meter.peak_memory_mb))
"""


def write(path: Path, rows: int, *, columns: int = 3) -> Path:
    """A table of ids, texts and other columns, written a few rows at a time."""
    names = ["id", "text", *(f"c{i}" for i in range(columns - 2))]
    others = [f"value {i}, of the row" for i in range(columns - 2)]
    cells = ([str(i), TEXTS[i % len(TEXTS)], *others] for i in range(rows))
    if path.suffix == ".parquet":
        schema = pa.schema([(name, pa.string()) for name in names])
        with pq.ParquetWriter(path, schema) as writer:
            while part := list(islice(cells, 10_000)):
                columns_of = [pa.array(values) for values in zip(*part, strict=True)]
                writer.write_table(pa.Table.from_arrays(columns_of, schema=schema))
        return path
    with path.open("w", encoding="utf-8", newline="") as file:
        if path.suffix == ".csv":
            csv.writer(file).writerow(names)
            csv.writer(file).writerows(cells)
        else:
            objects = (dict(zip(names, row, strict=True)) for row in cells)
            file.writelines(json.dumps(row) + "\n" for row in objects)
    return path


def ids_in(path: Path) -> Iterator[int]:
    """The ids of a table, read by others."""
    if path.suffix == ".parquet":
        for batch in pq.ParquetFile(path).iter_batches(columns=["id"]):
            yield from map(int, batch.column(0).to_pylist())
    elif path.suffix == ".csv":
        for batch in pyarrow.csv.open_csv(path):
            yield from batch.column("id").to_pylist()
    elif path.suffix == ".xlsx":
        rows = CalamineWorkbook.from_path(path).get_sheet_by_index(0).iter_rows()
        yield from (int(row[0]) for row in islice(rows, 1, None))
    else:
        with path.open(encoding="utf-8") as file:
            yield from (int(json.loads(line)["id"]) for line in file)


def megabytes(code: str, folder: Path, source: Path, target: Path) -> int:
    """The most memory of a process that reads and writes; all rows must be there, in order."""
    command = [sys.executable, "-c", code, str(folder), str(source), str(target)]
    ran = subprocess.run(command, check=True, capture_output=True, text=True)
    rows, peak = map(int, ran.stdout.split())
    if code == ENCODE:
        assert pq.ParquetFile(target).metadata.num_rows == rows
    else:
        ids = ids_in(target)
        assert all(found == wanted for wanted, found in enumerate(islice(ids, rows)))
        assert next(ids, None) is None
    target.unlink()
    return peak


@pytest.mark.parametrize(
    ("source", "target"),
    [(".csv", ".csv"), (".csv", ".jsonl"), (".jsonl", ".parquet"), (".parquet", ".csv"),
     (".parquet", ".parquet")],
)  # fmt: skip
def test_a_million_rows_are_predicted_in_the_memory_of_a_tenth(
    tiny_run: Run, tmp_path: Path, source: str, target: str
) -> None:
    peaks = []
    for rows in (FEW, MANY):
        given = write(tmp_path / f"in{source}", rows)
        peaks.append(
            megabytes(PREDICT, tiny_run.folder / "model", given, tmp_path / f"out{target}")
        )
    assert peaks[1] < peaks[0] + MORE_MB


@pytest.mark.parametrize("source", [".csv", ".jsonl", ".parquet"])
def test_a_million_rows_are_encoded_in_the_memory_of_a_tenth(
    tiny_encoder: Path, tmp_path: Path, source: str
) -> None:
    peaks = []
    for rows in (FEW, MANY):
        given = write(tmp_path / f"in{source}", rows)
        peaks.append(megabytes(ENCODE, tiny_encoder, given, tmp_path / "out.parquet"))
    assert peaks[1] < peaks[0] + MORE_MB


@pytest.mark.parametrize("source", [".csv", ".jsonl", ".parquet"])
def test_300_columns_take_the_memory_of_a_chunk(tiny_run: Run, tmp_path: Path, source: str) -> None:
    peaks = []
    for rows in (5_000, 30_000):
        given = write(tmp_path / f"in{source}", rows, columns=300)
        peaks.append(
            megabytes(PREDICT, tiny_run.folder / "model", given, tmp_path / f"out{source}")
        )
    assert peaks[1] < peaks[0] + MORE_MB


def test_a_sheet_of_excel_is_filled_to_its_last_row(tiny_run: Run, tmp_path: Path) -> None:
    """To write one takes no memory for its rows. To read one takes that of its cells."""
    given, target = tmp_path / "in.csv", tmp_path / "out.xlsx"
    model = tiny_run.folder / "model"
    few = megabytes(PREDICT, model, write(given, FEW), target)
    assert megabytes(PREDICT, model, write(given, MOST_ROWS), target) < few + MORE_MB
    with pytest.raises(DataError, match="more rows than a sheet of Excel"):
        predict_table(Classifier(model, precision="fp32"), write(given, MOST_ROWS + 1), target)
