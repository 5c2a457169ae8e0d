"""Table: named columns whose rows are read a few at a time. Knows no file format."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from emolens.errors import DataError
from emolens.shown import one_line

if TYPE_CHECKING:
    import pyarrow as pa

CHUNK = 2048
Row = dict[str, Any]


@dataclass(frozen=True, repr=False)
class Chunk:
    """Rows that follow each other.

    numbers: where each stands in its table, counted from 1. rows: by column name; a row may lack a
    name. batch: the same rows as Arrow holds them, where the file is one of Arrow's.
    """

    numbers: Sequence[int]
    rows: Sequence[Row]
    batch: pa.RecordBatch | None = None

    def __len__(self) -> int:
        return len(self.rows)


@dataclass(frozen=True)
class Table:
    """A table that is not held in memory.

    origin: how messages name it, a path mostly. read: gives the rows of the columns that it is
    handed, and may give other columns too; it can be called again. unit: what a row's number
    counts, 'line' or 'row'. class_names: by column, the names behind integer labels, where the
    source has them. schema: the types of the columns, where the file has them.
    """

    origin: Path | str
    columns: tuple[str, ...]
    read: Callable[[Sequence[str]], Iterator[Chunk]]
    unit: str = "row"
    class_names: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    schema: pa.Schema | None = None

    def __post_init__(self) -> None:
        name, count = next(iter(Counter(self.columns).most_common(1)), ("", 0))
        if count > 1:
            raise DataError(f"{self.origin} has two columns '{name}'.", hint="Rename one of them.")

    def __repr__(self) -> str:
        return one_line(self, self.origin, f"columns {', '.join(self.columns)}")

    def chunks(self, *columns: str) -> Iterator[Chunk]:
        """All rows, CHUNK at a time; only the named columns are sure to be there, or all."""
        return self.read(columns or self.columns)

    def where(self, number: int) -> str:
        """How a message names a row."""
        return f"{self.origin}, {self.unit} {number}"


def chunked(rows: Iterable[tuple[int, Row]]) -> Iterator[Chunk]:
    """Numbered rows in Chunks of CHUNK, the last one shorter."""
    iterator = iter(rows)
    while part := list(islice(iterator, CHUNK)):
        yield Chunk([number for number, _ in part], [row for _, row in part])


def table_of_rows(
    name: str,
    columns: tuple[str, ...],
    rows: Sequence[tuple[int, Row]],
    *,
    class_names: Mapping[str, tuple[str, ...]] | None = None,
) -> Table:
    """A table of numbered rows that are in memory."""
    return Table(name, columns, lambda _: chunked(rows), class_names=class_names or {})
