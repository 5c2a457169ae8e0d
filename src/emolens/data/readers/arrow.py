"""Tables with typed columns: .parquet, .arrow and .feather files."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from emolens.data.readers.columns import decoded
from emolens.data.readers.options import ReadOptions
from emolens.data.readers.source import Source
from emolens.data.readers.table import CELL_ROOM, CHUNK, MOST_BYTES, ROOM, Chunk, Table, too_long
from emolens.errors import DataError, first_line

if TYPE_CHECKING:
    import pyarrow as pa


def open_parquet(source: Source, _: ReadOptions) -> Table:
    """A Parquet file. Each row group is read in pieces."""
    import pyarrow.parquet as pq

    with _arrow_errors(source):
        return _table(source, pq.read_schema(source.path), _parquet_batches)


def open_arrow(source: Source, _: ReadOptions) -> Table:
    """An Arrow file or stream; one batch at a time is in memory."""
    with _arrow_errors(source), _ipc_reader(source) as reader:
        return _table(source, reader.schema, _ipc_batches)


def _table(source: Source, schema: pa.Schema, batches: Any) -> Table:
    return Table(
        source.name,
        tuple(schema.names),
        partial(_chunks, source, batches),
        class_names=_class_names(schema.metadata or {}),
        schema=schema.remove_metadata(),
    )


@contextlib.contextmanager
def _arrow_errors(source: Source) -> Iterator[None]:
    """Turn Arrow's errors about a broken file into a DataError that names the file."""
    import pyarrow as pa

    try:
        yield
    except (pa.ArrowException, OSError, ValueError) as error:
        raise DataError(
            f"{source} is not a readable {source.format} file ({first_line(error)}).",
            hint="Check that it was written completely, or download it again.",
        ) from error


def _chunks(source: Source, batches: Any, columns: Sequence[str]) -> Iterator[Chunk]:
    done = 0
    with _arrow_errors(source):
        for batch in batches(source, columns):
            _check_fields(source, batch, done)
            n_rows = _fitting_rows(batch.nbytes + CELL_ROOM * batch.num_columns, len(batch))
            for start in range(0, len(batch), n_rows):
                part = batch.select(columns).slice(start, n_rows)
                yield Chunk(range(done + 1, done + 1 + len(part)), _rows(part), part)
                done += len(part)


def _fitting_rows(size: int, rows: int) -> int:
    """How many rows fit into a chunk, if all `rows` take `size` bytes together."""
    return max(1, min(CHUNK, ROOM * rows // max(size, 1)))


def _check_fields(source: Source, batch: pa.RecordBatch, before: int) -> None:
    """Raise DataError for a string of more than MOST_BYTES. before: the rows before the batch."""
    import pyarrow as pa
    import pyarrow.compute as pc

    if batch.nbytes <= MOST_BYTES:
        return
    for column in batch.columns:
        if column.type in (pa.string(), pa.large_string(), pa.binary(), pa.large_binary()):
            too_many = pc.greater(pc.binary_length(column), MOST_BYTES)
            if (row := pc.index(too_many, True).as_py()) >= 0:
                raise too_long(f"{source}, row {before + row + 1}", "a field")


def _parquet_batches(source: Source, columns: Sequence[str]) -> Iterator[pa.RecordBatch]:
    import pyarrow.parquet as pq

    with pq.ParquetFile(source.path) as file:
        # One iter_batches for all groups would keep every group in memory until the end.
        for group in range(file.num_row_groups):
            facts = file.metadata.row_group(group)
            n_rows = _fitting_rows(facts.total_byte_size, facts.num_rows)
            yield from file.iter_batches(n_rows, row_groups=[group], columns=columns)


def _ipc_batches(source: Source, columns: Sequence[str]) -> Iterator[pa.RecordBatch]:
    import pyarrow as pa

    with _ipc_reader(source, columns) as reader:
        if isinstance(reader, pa.RecordBatchStreamReader):
            batches = iter(reader)
        else:
            batches = map(reader.get_batch, range(reader.num_record_batches))
        for batch in batches:
            batch.validate(full=True)  # the format has no checksums; wrong offsets would crash
            yield batch


@contextlib.contextmanager
def _ipc_reader(source: Source, columns: Sequence[str] = ()) -> Iterator[Any]:
    """A reader of these columns, or of all. The file is not mapped into memory: if a mapped file
    becomes shorter, the system kills the process."""
    import pyarrow as pa

    with pa.OSFile(str(source.path)) as file, _opened(file, None) as reader:
        wanted = [reader.schema.get_field_index(name) for name in columns]
        if len(wanted) in (0, len(reader.schema)):
            yield reader
            return
        with _opened(file, pa.ipc.IpcReadOptions(included_fields=wanted)) as narrow:
            yield narrow


def _opened(file: Any, options: Any) -> Any:
    import pyarrow as pa
    import pyarrow.ipc

    file.seek(0)
    try:
        return pyarrow.ipc.open_file(file, options=options)
    except pa.ArrowInvalid:
        file.seek(0)
        return pyarrow.ipc.open_stream(file, options=options)


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
