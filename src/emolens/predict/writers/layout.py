"""Layout: which columns a new table has, and how its text looks. Writes nothing."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import BinaryIO, Protocol

from emolens.data.checks import Note
from emolens.data.readers.table import Chunk, Row, Table
from emolens.errors import some_of
from emolens.predict.writers.form import Form

# Rows of a table, and the values that are added to each of them.
Answered = tuple[Chunk, Sequence[Row]]
Kind = type[str] | type[float] | type[bool]


@dataclass(frozen=True)
class Layout:
    """What a writer must know before the first row.

    table: the table that is read. kept: the columns of it that are written, by their keys. added:
    the new columns in their order, with the type of their values, any of which may be None. form:
    how a text looks. safe: whether cells that a spreadsheet would run are escaped.
    """

    table: Table
    kept: tuple[str, ...]
    added: Mapping[str, Kind]
    form: Form
    safe: bool

    @cached_property
    def _kept(self) -> frozenset[str]:
        return frozenset(self.kept)  # to find one of a million columns fast

    @property
    def keys(self) -> tuple[str, ...]:
        """All columns by different names, for formats where a name can't stand twice."""
        return (*self.kept, *self.added)

    @property
    def titles(self) -> tuple[str, ...]:
        """All columns by the names that they have in the file that is read."""
        titles = dict(zip(self.table.columns, self.table.titles, strict=True))
        return (*(titles[name] for name in self.kept), *self.added)

    def renamed(self) -> Sequence[Note]:
        """What is said where each column needs a name of its own: in JSON, Arrow and Parquet."""
        titles = zip(self.kept, self.titles, strict=False)
        new = [name for name, title in titles if name != title.strip()]
        if not new:
            return ()
        text = f"Columns whose names are empty or stand twice are written as {some_of(new)}."
        return (Note("R05", text, "In .csv and .xlsx they keep their names."),)

    def whole(self, row: Row, values: Row) -> Row:
        """The columns that a row has, which may be fewer, and the new ones."""
        kept = {name: value for name, value in row.items() if name in self._kept}
        return kept | {name: values[name] for name in self.added}


class Writer(Protocol):
    """Writes one format.

    layout: what to write. reads_all: whether `look` needs all columns, and not only the texts.
    """

    layout: Layout
    reads_all: bool

    @property
    def notes(self) -> Sequence[Note]:
        """What is written in another way than it was read, after all rows were looked at."""

    def look(self, chunk: Chunk) -> None:
        """Look at rows before anything is computed. Raises DataError if they can't be written."""

    def write(self, answered: Iterable[Answered], file: BinaryIO) -> None:
        """Write all rows with their answers."""
