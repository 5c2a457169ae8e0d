"""Table: named columns whose rows are read a few at a time. Knows no file format."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from emolens.data.checks import Note
from emolens.errors import DataError
from emolens.shown import one_line

if TYPE_CHECKING:
    import pyarrow as pa

CHUNK = 2048  # rows; fewer if they take more than ROOM bytes
ROOM = 16_000_000
CELL_ROOM = 64  # what a cell takes beside its characters
MOST_BYTES = 100_000_000  # of one field, and of one line
_PLACE = re.compile(r"\.\d+(?=\.|$)")  # of one value in a list
Row = dict[str, Any]


@dataclass(frozen=True, repr=False)
class Chunk:
    """Rows that follow each other.

    numbers: the number of each row in its table, from 1. rows: values by column name; a row may
    lack a column. batch: the same rows in Arrow's form, where the file is an Arrow or Parquet file.
    errors: why a row could not be read as it should, by its place in `rows`, from 0. Such a row
    holds what could be read of it: learning leaves it out, predicting marks it.
    """

    numbers: Sequence[int]
    rows: Sequence[Row]
    batch: pa.RecordBatch | None = None
    errors: Mapping[int, str] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.rows)


@dataclass(frozen=True)
class Table:
    """A table that is not held in memory.

    origin: its name in messages, mostly a path. columns: different names, by which rows give their
    values. titles: the names as they stand in the file, where a name may be empty or stand twice;
    the same as `columns` by default. notes: what was found out, guessed or changed when the table
    was opened. read: takes column names and gives the rows, with these columns and perhaps others;
    it can be called again. unit: what row numbers count, 'line' or 'row'. class_names: by column,
    the class names of integer labels, where the source has them. schema: the types of the columns,
    where the file has them. delimiter: what stands between the fields, where the file has one.
    needs_mark: whether a copy of the file in UTF-8 must begin with the mark by which Excel knows
    UTF-8. nested: the names of values inside of other values, which rows also give. lists: the
    columns that hold lists; a number asks for one of their values: 'turns.0'. usual: the columns
    of the texts and the labels, where the format says them.
    """

    origin: Path | str
    columns: tuple[str, ...]
    read: Callable[[Sequence[str]], Iterator[Chunk]]
    unit: str = "row"
    class_names: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    schema: pa.Schema | None = None
    delimiter: str | None = None
    titles: tuple[str, ...] = ()
    notes: tuple[Note, ...] = ()
    needs_mark: bool = False
    nested: tuple[str, ...] = ()
    lists: tuple[str, ...] = ()
    usual: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not self.titles:
            object.__setattr__(self, "titles", self.columns)
        if len(set(self.columns)) < len(self.columns):
            twice = [name for name, count in Counter(self.columns).items() if count > 1]
            raise DataError(
                f"{self.origin} has two columns '{twice[0]}'.", hint="Rename one of them."
            )

    def __repr__(self) -> str:
        return one_line(self, self.origin, f"columns {', '.join(self.columns)}")

    def chunks(self, *columns: str) -> Iterator[Chunk]:
        """All rows, CHUNK at a time. With column names, other columns may be missing."""
        return self.read(columns or self.columns)

    def gives(self, name: str) -> bool:
        """Whether its rows give a value of this name."""
        if name in self.columns or name in self.nested:
            return True
        without = _PLACE.sub("", name)
        return without != name and (without in self.nested or without in self.lists)

    def where(self, number: int) -> str:
        """How a message names a row."""
        return f"{self.origin}, {self.unit} {number}"


def n_characters(row: Row) -> int:
    """The length of all strings of a row."""
    return sum(len(value) for value in row.values() if isinstance(value, str))


def chunked(
    rows: Iterable[tuple[int, Row]],
    errors: dict[int, str] | None = None,
    *,
    size: Callable[[Row], int] = n_characters,
) -> Iterator[Chunk]:
    """Numbered rows in pieces of CHUNK rows; a piece of long rows is shorter, like the last one.

    errors: sentences by row number, which `rows` puts there before it gives the row; they move to
    the chunk of the row. size: counts the characters of a row.
    """
    numbers: list[int] = []
    part: list[Row] = []
    errors = {} if errors is None else errors
    wrong: dict[int, str] = {}
    room = ROOM
    for number, row in rows:
        if errors and number in errors:
            wrong[len(part)] = errors.pop(number)
        numbers.append(number)
        part.append(row)
        room -= CELL_ROOM * len(row) + size(row)
        if len(part) == CHUNK or room <= 0:
            yield Chunk(numbers, part, errors=wrong)
            numbers, part, wrong, room = [], [], {}, ROOM
    if part:
        yield Chunk(numbers, part, errors=wrong)


def distinct(titles: Sequence[str]) -> tuple[str, ...]:
    """A name for each column: 'column_3' if it has none, 'label_2' for the second 'label'."""
    counts, number = Counter(titles), Counter[str]()
    taken = {title for title, n in counts.items() if n == 1 and title}
    names = []
    for place, title in enumerate(titles, start=1):
        name = title
        if not title or counts[title] > 1:
            number[title] += 1
            name = f"{title}_{number[title]}" if title else f"column_{place}"
            while name in taken:
                name += "_"
            taken.add(name)
        names.append(name)
    return tuple(names)


def too_long(where: str, what: str) -> DataError:
    """The error for a field or a line of more than MOST_BYTES."""
    return DataError(
        f"{where}: {what} has more than {MOST_BYTES // 1_000_000} MB.",
        hint="Cut or delete it. If a quote is not closed, all that follows becomes one field.",
    )


def table_of_rows(
    name: str,
    columns: tuple[str, ...],
    rows: Sequence[tuple[int, Row]],
    *,
    class_names: Mapping[str, tuple[str, ...]] | None = None,
) -> Table:
    """A table of numbered rows that are in memory."""
    return Table(name, columns, lambda _: chunked(rows), class_names=class_names or {})
