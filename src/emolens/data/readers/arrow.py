"""Tables with typed columns: .parquet, .arrow and .feather files."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from itertools import islice
from typing import TYPE_CHECKING, Any

from emolens.data.readers.columns import decoded
from emolens.data.readers.nested import NestedRow
from emolens.data.readers.options import ReadOptions
from emolens.data.readers.source import Source, readable
from emolens.data.readers.table import (
    CELL_ROOM,
    CHUNK,
    MOST_BYTES,
    ROOM,
    Chunk,
    Table,
    distinct,
    too_long,
)

if TYPE_CHECKING:
    import pyarrow as pa

_BUFFER = 1 << 16  # bytes that are read of a column of Parquet at once
_MOST_OF_A_BATCH = 4 * ROOM  # if each of its rows has the longest values

# Takes a source and the places of the wanted columns, in their order.
Batches = Callable[[Source, Sequence[int]], Iterator["pa.RecordBatch"]]


def open_parquet(source: Source, _: ReadOptions) -> Table:
    """A Parquet file. Each row group is read in pieces."""
    import pyarrow.parquet as pq

    with _arrow_errors(source):
        return _table(source, pq.read_schema(source.path), _parquet_batches)


def open_arrow(source: Source, _: ReadOptions) -> Table:
    """An Arrow file or stream; one batch at a time is in memory."""
    with _arrow_errors(source), _ipc_reader(source) as reader:
        return _table(source, reader.schema, _ipc_batches)


def _table(source: Source, schema: pa.Schema, batches: Batches) -> Table:
    """The table of a schema. Columns of one name get numbers, and are read by their places."""
    import pyarrow as pa

    titles = tuple(schema.names)
    fields = [field.with_name(key) for field, key in zip(schema, distinct(titles), strict=True)]
    keyed = pa.schema(fields)
    return Table(
        source.name,
        tuple(keyed.names),
        partial(_chunks, source, keyed, batches),
        titles=titles,
        class_names=class_names(_features(schema.metadata or {})),
        schema=keyed,
        nested=tuple(name for field in fields for name in _inner(field.type, field.name)),
        lists=tuple(field.name for field in fields if _is_list(field.type)),
    )


def _inner(kind: pa.DataType, above: str) -> Iterator[str]:
    """The dotted names of the values inside of a column."""
    import pyarrow as pa

    if _is_list(kind):
        kind = kind.value_type
    if pa.types.is_struct(kind):
        for field in kind:
            inner = tuple(_inner(field.type, f"{above}.{field.name}"))
            yield from inner or (f"{above}.{field.name}",)


def _is_list(kind: pa.DataType) -> bool:
    import pyarrow as pa

    return bool(pa.types.is_list(kind) or pa.types.is_large_list(kind))


def _arrow_errors(source: Source) -> contextlib.AbstractContextManager[None]:
    import pyarrow as pa

    return readable(source, (pa.ArrowException, OSError, ValueError))


def _chunks(
    source: Source, schema: pa.Schema, batches: Batches, columns: Sequence[str]
) -> Iterator[Chunk]:
    places = _places(schema.names, columns)
    names = [schema.names[place] for place in places]
    done = 0
    with _arrow_errors(source):
        for batch in batches(source, places):
            _check_fields(source, batch, done)
            cells = len(batch) * batch.num_columns
            n_rows = _fitting_rows(_size(batch) + CELL_ROOM * cells, len(batch))
            whole = batch.rename_columns(names)
            for start in range(0, len(batch), n_rows):
                part = whole.slice(start, n_rows)
                yield Chunk(range(done + 1, done + 1 + len(part)), _rows(part), part)
                done += len(part)


def _places(names: Sequence[str], columns: Sequence[str]) -> list[int]:
    """The places of the columns; of the column around it for a dotted name."""
    around = [name for name in columns if name not in names]
    return [
        place
        for place, name in enumerate(names)
        if name in columns or any(inner.startswith(f"{name}.") for inner in around)
    ]


def _size(batch: pa.RecordBatch) -> int:
    """The bytes of the values, where each of a dictionary counts as often as it is used."""
    import pyarrow as pa
    import pyarrow.compute as pc

    size: int = batch.nbytes
    for column in batch.columns:
        if pa.types.is_dictionary(column.type) and column.type.value_type in _texts():
            lengths = pc.take(pc.binary_length(column.dictionary), column.indices)
            size += pc.sum(pc.cast(lengths, pa.int64())).as_py() or 0
    return size


def _texts() -> tuple[pa.DataType, ...]:
    import pyarrow as pa

    return pa.string(), pa.large_string(), pa.binary(), pa.large_binary()


def _fitting_rows(size: int, rows: int) -> int:
    """How many rows fit into a chunk, if all `rows` take `size` bytes together."""
    return max(1, min(CHUNK, ROOM * rows // max(size, 1)))


def _check_fields(source: Source, batch: pa.RecordBatch, before: int) -> None:
    """Raise DataError for a string of more than MOST_BYTES. before: the rows before the batch."""
    import pyarrow as pa
    import pyarrow.compute as pc

    if batch.nbytes <= MOST_BYTES:
        return
    for values in batch.columns:
        column = values.dictionary if pa.types.is_dictionary(values.type) else values
        if column.type in _texts():
            too_many = pc.greater(pc.binary_length(column), MOST_BYTES)
            if (row := pc.index(too_many, True).as_py()) >= 0:
                raise too_long(f"{source}, row {before + row + 1}", "a field")


def _parquet_batches(source: Source, places: Sequence[int]) -> Iterator[pa.RecordBatch]:
    import pyarrow.parquet as pq

    schema = pq.read_schema(source.path)
    names, texts = schema.names, [field.name for field in schema if field.type in _texts()]
    alone = len(set(names)) == len(names)  # otherwise the library can't choose among them
    wanted = [names[place] for place in places]
    # Without these two options, the bytes of a whole row group would be in memory.
    opened = partial(pq.ParquetFile, source.path, buffer_size=_BUFFER, pre_buffer=False)
    with opened() as file, opened(read_dictionary=texts) as dictionaries:
        # One iter_batches for all groups would keep every group in memory until the end.
        for group in range(file.num_row_groups):
            facts = file.metadata.row_group(group)
            n_rows = _fitting_rows(facts.total_byte_size, facts.num_rows)
            small = facts.total_byte_size <= ROOM
            longest = _longest(dictionaries, group, [wanted] if small else [[n] for n in wanted])
            n_rows = max(1, min(n_rows, _MOST_OF_A_BATCH // max(1, longest)))
            columns = wanted if alone else None
            for batch in file.iter_batches(n_rows, row_groups=[group], columns=columns):
                yield batch.select(wanted if alone else places)


def _longest(file: Any, group: int, parts: Sequence[Sequence[str]]) -> int:
    """The bytes of the longest values of all columns together, in a group of rows.

    A Parquet file may hold a long value once for many rows; the size of the group does not show
    this. file: gives its dictionaries. parts: the columns to look at together.
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    longest = 0
    for columns in parts:
        for batch in islice(file.iter_batches(1, row_groups=[group], columns=columns), 1):
            for column in batch.columns:
                if pa.types.is_dictionary(column.type) and column.type.value_type in _texts():
                    longest += pc.max(pc.binary_length(column.dictionary)).as_py() or 0
    return longest


def _ipc_batches(source: Source, places: Sequence[int]) -> Iterator[pa.RecordBatch]:
    import pyarrow as pa

    with _ipc_reader(source, places) as reader:
        if isinstance(reader, pa.RecordBatchStreamReader):
            batches = iter(reader)
        else:
            batches = map(reader.get_batch, range(reader.num_record_batches))
        for batch in batches:
            batch.validate(full=True)  # the format has no checksums; wrong offsets would crash
            yield batch


@contextlib.contextmanager
def _ipc_reader(source: Source, places: Sequence[int] = ()) -> Iterator[Any]:
    """A reader of the columns at these places, or of all. The file is not mapped into memory: if a
    mapped file becomes shorter, the system kills the process."""
    import pyarrow as pa

    with pa.OSFile(str(source.path)) as file, _opened(file, None) as reader:
        if len(places) in (0, len(reader.schema)):
            yield reader
            return
        with _opened(file, pa.ipc.IpcReadOptions(included_fields=list(places))) as narrow:
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
    names = batch.schema.names
    holds = any(_is_list(f.type) or any(_inner(f.type, "")) for f in batch.schema)
    kind = NestedRow if holds else dict
    return [kind(zip(names, row, strict=True)) for row in zip(*values, strict=True)]


def _values(column: pa.Array) -> list[Any]:
    """The values as Python objects; a value that Python can't hold becomes a string."""
    import pyarrow as pa

    if pa.types.is_dictionary(column.type):  # a value that is used often is one object
        each = _values(column.dictionary)
        return [None if i is None else each[i] for i in column.indices.to_pylist()]
    if pa.types.is_float32(column.type):  # 1.1, where its exact value is 1.100000023841858
        column = column.cast(pa.string()).cast(pa.float64())
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


def _features(metadata: dict[bytes, bytes]) -> Any:
    """What `datasets` leaves about the columns in an Arrow schema."""
    try:
        return json.loads(metadata.get(b"huggingface", b"{}"))["info"]["features"]
    except (ValueError, KeyError, TypeError, RecursionError):
        return None


def class_names(features: Any) -> dict[str, tuple[str, ...]]:
    """The names of ClassLabel columns, of one class per row or of lists of classes."""
    names = {}
    for column, feature in features.items() if isinstance(features, dict) else ():
        inner = feature.get("feature", feature) if isinstance(feature, dict) else feature
        inner = inner[0] if isinstance(inner, list) and inner else inner
        if isinstance(inner, dict) and inner.get("_type") == "ClassLabel":
            given = inner.get("names")
            if isinstance(given, list) and all(isinstance(name, str) for name in given):
                names[column] = tuple(given)
    return names
