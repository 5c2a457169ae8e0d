"""Writes tables with typed columns: Parquet, Arrow files and Feather."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any, BinaryIO

from emolens.data.checks import Note
from emolens.data.readers.table import ROOM, Chunk
from emolens.errors import DataError, first_line, some_of
from emolens.predict.writers.cells import as_text
from emolens.predict.writers.layout import Answered, Layout

if TYPE_CHECKING:
    import pyarrow as pa

_ROW_GROUP = 2 * ROOM  # bytes in memory


class Typed:
    """The types of an Arrow or Parquet file stay. For other formats all rows are looked at: a
    column may be empty in the first rows only, or hold numbers first and then texts.
    """

    def __init__(self, layout: Layout) -> None:
        import pyarrow as pa

        self.layout = layout
        self.reads_all = layout.table.schema is None
        self._types = dict.fromkeys(layout.kept, pa.null())
        if layout.table.schema is not None:
            types = zip(layout.table.columns, layout.table.schema.types, strict=True)
            self._types = {name: kind for name, kind in types if name in layout.kept}
        self._mixed: set[str] = set()

    def look(self, chunk: Chunk) -> None:
        """Learn the types of the columns."""
        if not self.reads_all:
            return
        for name in self.layout.kept:
            if name not in self._mixed:
                self._learn(name, [row.get(name) for row in chunk.rows])

    def _learn(self, name: str, values: list[Any]) -> None:
        import pyarrow as pa

        try:
            kind = pa.array(values).type
            fields = [pa.schema({name: self._types[name]}), pa.schema({name: kind})]
            kind = pa.unify_schemas(fields, promote_options="permissive").types[0]
            mixed = "struct<>" in str(kind)  # which Parquet can't hold
        except (pa.ArrowException, OverflowError, UnicodeEncodeError):
            mixed = True
        if mixed:
            self._mixed.add(name)
            kind = pa.string()
        self._types[name] = kind

    @property
    def notes(self) -> list[Note]:
        """The columns that are written in another way than they were read."""
        mixed = [
            Note(
                "R05",
                f"The column '{name}' holds values that have no common type, so it is written as"
                " text.",
                "Write .jsonl to keep them as they are.",
            )
            for name in sorted(self._mixed)
        ]
        return [*self.layout.renamed(), *mixed]

    def _arrow(self, chunk: Chunk) -> pa.Table:
        """The kept columns of the rows. The batch of an Arrow or Parquet file stays as it is."""
        import pyarrow as pa

        layout = self.layout
        if chunk.batch is not None:
            # The metadata of pandas or datasets describes the old columns only.
            whole = pa.Table.from_batches([chunk.batch]).replace_schema_metadata(None)
            return whole.rename_columns(list(layout.table.columns)).select(list(layout.kept))
        columns = {
            name: pa.array(self._values(chunk, name), self._types[name]) for name in layout.kept
        }
        return pa.table(columns)

    def _values(self, chunk: Chunk, name: str) -> list[Any]:
        values = [row.get(name) for row in chunk.rows]
        if name not in self._mixed:
            return values
        texts = map(as_text, values)
        return [t if t is None else t.encode("utf-8", "backslashreplace").decode() for t in texts]

    def _tables(self, answered: Iterable[Answered]) -> Iterator[pa.Table]:
        import pyarrow as pa

        kinds = {str: pa.string(), float: pa.float64(), bool: pa.bool_()}
        for chunk, added in answered:
            whole = self._arrow(chunk)
            for name, kind in self.layout.added.items():
                column = pa.array([row[name] for row in added], kinds[kind])
                whole = whole.append_column(name, column)
            yield whole

    def write(self, answered: Iterable[Answered], file: BinaryIO) -> None:
        """Write all rows with their answers."""
        with contextlib.ExitStack() as opened:
            opened.enter_context(self._fits())
            writer: Any = None
            for whole in self._tables(answered):
                table = self._fitting(whole)
                writer = writer or opened.enter_context(self._writer(file, table.schema))
                writer.write_table(table)

    @contextlib.contextmanager
    def _fits(self) -> Iterator[None]:
        import pyarrow as pa

        try:
            yield
        except (pa.ArrowException, OverflowError) as error:
            raise DataError(
                f"{self.layout.table.origin} does not fit into {self.title} ({first_line(error)}).",
                hint="Write .jsonl instead: --out NAME.jsonl",
            ) from error

    title: str

    def _fitting(self, whole: pa.Table) -> pa.Table:
        return whole

    def _writer(self, file: BinaryIO, schema: pa.Schema) -> Any:
        raise NotImplementedError


class Parquet(Typed):
    """A Parquet file."""

    title = "Parquet"

    @contextlib.contextmanager
    def _writer(self, file: BinaryIO, schema: pa.Schema) -> Iterator[_RowGroups]:
        import pyarrow.parquet as pq

        with pq.ParquetWriter(file, schema) as writer:
            groups = _RowGroups(writer)
            yield groups
            groups.finish()


class _RowGroups:
    """Collects tables for one row group. A group for each of them would take more room in the
    file, and the writer keeps something of every column of every group until the end.
    """

    def __init__(self, writer: Any) -> None:
        self._writer = writer
        self._tables: list[pa.Table] = []
        self._size = 0

    def write_table(self, table: pa.Table) -> None:
        self._tables.append(table)
        self._size += table.nbytes
        if self._size >= _ROW_GROUP:
            self.finish()

    def finish(self) -> None:
        import pyarrow as pa

        if self._tables:
            self._writer.write_table(pa.concat_tables(self._tables))
            self._tables, self._size = [], 0


class Arrow(Typed):
    """An Arrow file. Columns of a dictionary become plain ones: an Arrow file can hold only one
    dictionary per column, and the next rows may have another.
    """

    title = "Arrow"

    @property
    def notes(self) -> list[Note]:
        """Also the columns that lose their dictionary, with which Arrow keeps a value once."""
        import pyarrow as pa

        plain = [name for name, kind in self._types.items() if pa.types.is_dictionary(kind)]
        text = f"Columns of categories are written as plain values: {some_of(plain)}."
        hint = "Write .parquet to keep them as they are."
        return [*super().notes, *([Note("R05", text, hint)] if plain else [])]

    compression: str | None = None

    def _fitting(self, whole: pa.Table) -> pa.Table:
        import pyarrow as pa

        for place, field in enumerate(whole.schema):
            if pa.types.is_dictionary(field.type):
                plain = whole.column(place).cast(field.type.value_type)
                whole = whole.set_column(place, field.name, plain)
        return whole

    def _writer(self, file: BinaryIO, schema: pa.Schema) -> Any:
        import pyarrow as pa

        options = pa.ipc.IpcWriteOptions(compression=self.compression)
        return pa.ipc.new_file(file, schema, options=options)


class Feather(Arrow):
    """An Arrow file with the compression that is usual for Feather."""

    compression = "lz4"
