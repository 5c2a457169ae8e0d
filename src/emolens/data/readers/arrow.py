"""Tables with typed columns: .parquet, .arrow and .feather files."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from emolens.data.readers.columns import decoded
from emolens.data.readers.table import CHUNK, Chunk, Table
from emolens.errors import DataError, first_line

if TYPE_CHECKING:
    import pyarrow as pa


def open_parquet(path: Path) -> Table:
    """A Parquet file. Each row group is read in pieces."""
    import pyarrow.parquet as pq

    with _arrow_errors(path):
        return _table(path, pq.read_schema(path), _parquet_batches)


def open_arrow(path: Path) -> Table:
    """An Arrow file or stream; batches are mapped into memory one at a time."""
    with _arrow_errors(path), _ipc_reader(path) as reader:
        return _table(path, reader.schema, _ipc_batches)


def _table(path: Path, schema: pa.Schema, batches: Any) -> Table:
    return Table(
        path,
        tuple(schema.names),
        partial(_chunks, path, batches),
        class_names=_class_names(schema.metadata or {}),
        schema=schema.remove_metadata(),
    )


@contextlib.contextmanager
def _arrow_errors(path: Path) -> Iterator[None]:
    """Turn Arrow's errors about a broken file into a DataError that names the file."""
    import pyarrow as pa

    try:
        yield
    except (pa.ArrowException, OSError, ValueError) as error:
        raise DataError(
            f"{path} is not a readable {path.suffix[1:].lower()} file ({first_line(error)}).",
            hint="Check that it was written completely, or download it again.",
        ) from error


def _chunks(path: Path, batches: Any, columns: Sequence[str]) -> Iterator[Chunk]:
    done = 0
    with _arrow_errors(path):
        for batch in batches(path, columns):
            for start in range(0, len(batch), CHUNK):
                part = batch.select(columns).slice(start, CHUNK)
                yield Chunk(range(done + 1, done + 1 + len(part)), _rows(part), part)
                done += len(part)


def _parquet_batches(path: Path, columns: Sequence[str]) -> Iterator[pa.RecordBatch]:
    import pyarrow.parquet as pq

    with pq.ParquetFile(path) as file:
        # One iter_batches for all groups would keep every group in memory until the end.
        for group in range(file.num_row_groups):
            yield from file.iter_batches(CHUNK, row_groups=[group], columns=columns)


def _ipc_batches(path: Path, _: Sequence[str]) -> Iterator[pa.RecordBatch]:
    import pyarrow as pa

    with _ipc_reader(path) as reader:
        if isinstance(reader, pa.RecordBatchStreamReader):
            batches = iter(reader)
        else:
            batches = map(reader.get_batch, range(reader.num_record_batches))
        for batch in batches:
            batch.validate(full=True)  # the format has no checksums; wrong offsets would crash
            yield batch


@contextlib.contextmanager
def _ipc_reader(path: Path) -> Iterator[Any]:
    import pyarrow as pa
    import pyarrow.ipc

    with pa.memory_map(str(path)) as file:
        try:
            reader = pyarrow.ipc.open_file(file)
        except pa.ArrowInvalid:
            file.seek(0)
            reader = pyarrow.ipc.open_stream(file)
        with reader:
            yield reader


def _rows(batch: pa.RecordBatch) -> list[dict[str, Any]]:
    values = [_values(column) for column in batch.columns]
    return [dict(zip(batch.schema.names, row, strict=True)) for row in zip(*values, strict=True)]


def _values(column: pa.Array) -> list[Any]:
    """The values as Python objects; a value that Python can't hold becomes a string."""
    import pyarrow as pa

    if getattr(column.type, "unit", None) == "ns":  # for these, to_pylist would load pandas
        column = _without_nanoseconds(column)
    try:
        values: list[Any] = column.to_pylist()
    except UnicodeDecodeError:  # not every writer checks its strings
        values = column.cast(pa.large_binary()).to_pylist()
    except (ValueError, OverflowError):  # a time zone that is not known here, a year after 9999
        if getattr(column.type, "tz", None) not in (None, "UTC"):
            return _values(column.cast(pa.timestamp(column.type.unit, "UTC")))
        values = column.cast(pa.string()).to_pylist()
    return [decoded(value) for value in values]


def _without_nanoseconds(column: pa.Array) -> pa.Array:
    import pyarrow as pa

    kind = column.type
    if pa.types.is_timestamp(kind):
        kind = pa.timestamp("us", kind.tz)
    else:
        kind = pa.duration("us") if pa.types.is_duration(kind) else pa.time64("us")
    try:
        return column.cast(kind)
    except pa.ArrowInvalid:  # it would lose digits
        return column.cast(pa.string())


def _class_names(metadata: dict[bytes, bytes]) -> dict[str, tuple[str, ...]]:
    """The ClassLabel names that `datasets` leaves in an Arrow schema."""
    try:
        features = json.loads(metadata.get(b"huggingface", b"{}"))["info"]["features"]
        return {
            column: tuple(feature["names"])
            for column, feature in features.items()
            if isinstance(feature, dict) and feature.get("_type") == "ClassLabel"
        }
    except (ValueError, KeyError, TypeError):
        return {}
