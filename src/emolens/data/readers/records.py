"""Cuts lines into fields between delimiters, and repairs rows whose quotes are wrong.

Knows no header and no file. A row that can't be repaired does not spoil the rows after it.
"""

from __future__ import annotations

import csv
import re
from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import chain
from typing import Protocol

QUOTES = "the quotes in this row do not match"
_MARK = re.compile(r"""["'\\]""")  # what may hide a delimiter
_SIGN = "\x1f"  # stands for a delimiter of several signs; no text holds it
# Its first line, how many lines it has, its fields, and what is wrong with it.
Record = tuple[int, int, list[str], str | None]


class GiantFieldError(Exception):
    """A field is longer than csv allows. Its argument is the first line of the record."""


@dataclass(frozen=True)
class Dialect:
    r"""How fields are written.

    delimiter: one sign or several. quote: the sign around fields; if it is "", quotes are plain
    signs. escapes: whether \" is a quote, and a backslash hides a delimiter. spaced: whether spaces
    around fields are no part of them. formulas: whether fields are written ="so", by which Excel
    leaves them as they are.
    """

    delimiter: str = ","
    quote: str = '"'
    escapes: bool = False
    spaced: bool = False
    formulas: bool = False

    def read(self, lines: Iterable[str], *, strict: bool = True) -> Fields:
        """The fields of each record. strict: whether a wrong quote is a csv.Error."""
        if self.formulas:
            lines = (self.formula.sub('"', line) for line in lines)
        if self.escapes:
            lines = map(self._escaped, lines)
        if self.spaced:
            lines = map(self._closed_at_once, lines)
        long = len(self.delimiter) > 1
        if long:
            lines = (line.replace(self.delimiter, _SIGN) for line in lines)
        reader = csv.reader(
            lines,
            delimiter=_SIGN if long else self.delimiter,
            quotechar=self.quote or None,
            quoting=csv.QUOTE_MINIMAL if self.quote else csv.QUOTE_NONE,
            escapechar="\\" if self.escapes else None,
            skipinitialspace=self.spaced,
            strict=strict,
        )
        return _Restored(reader, self.delimiter) if long else reader

    def _escaped(self, line: str) -> str:
        """Double the backslashes that hide nothing: csv would drop them."""
        special = {self.quote, "\\", "\n", "\r", self.delimiter[0]}
        return re.sub(
            r"\\(.)", lambda m: m[0] if m[1] in special else rf"\{m[0]}", line, flags=re.DOTALL
        )

    def _closed_at_once(self, line: str) -> str:
        return self._late_close.sub(self.quote, line)

    @cached_property
    def _late_close(self) -> re.Pattern[str]:
        """Spaces between the end of a quoted field and the delimiter."""
        return re.compile(rf"(?<=[^ {re.escape(self.delimiter)}]){self.quote} +(?={self._end})")

    @cached_property
    def _end(self) -> str:
        return rf"{re.escape(self.delimiter)}|[\r\n]|$"

    @cached_property
    def formula(self) -> re.Pattern[str]:
        """The start of a field such as ="so"."""
        return re.compile(rf'(?:^|(?<={re.escape(self.delimiter)}))="', re.MULTILINE)

    @cached_property
    def quoted_field(self) -> re.Pattern[str]:
        """A field in quotes."""
        start = rf"(?:^|(?<={re.escape(self.delimiter)}))"
        return re.compile(rf"{start}{self.quote}[^\r\n]*?{self.quote}(?={self._end})")

    @cached_property
    def inner_quote(self) -> re.Pattern[str]:
        """A quote that neither begins nor ends a field, and is not doubled."""
        edge = rf"{re.escape(self.delimiter)}{self.quote}\r\n"
        return re.compile(rf"(?<![{edge}])(?<!^){self.quote}(?!{self.quote}|{self._end})")


class Fields(Protocol):
    """What csv.reader gives."""

    @property
    def line_num(self) -> int:
        """How many lines were read."""

    def __iter__(self) -> Iterator[list[str]]:
        """The fields of each record."""

    def __next__(self) -> list[str]:
        """The fields of the next record."""


class _Restored:
    """The fields of a reader that got one sign in place of a long delimiter."""

    def __init__(self, reader: Fields, delimiter: str) -> None:
        self._reader, self._delimiter = reader, delimiter

    @property
    def line_num(self) -> int:
        return self._reader.line_num

    def __iter__(self) -> Iterator[list[str]]:
        return self

    def __next__(self) -> list[str]:
        return [field.replace(_SIGN, self._delimiter) for field in next(self._reader)]


@dataclass(frozen=True)
class Shape:
    """What is known of the rows of a table: their dialect, and how many fields they have.

    known: by column, the values that many rows have, such as the classes.
    """

    dialect: Dialect
    width: int
    known: Mapping[int, frozenset[str]] = field(default_factory=dict)

    def records(self, lines: Iterator[str], before: int = 0) -> Iterator[Record]:
        """The records of a file. An empty line has no fields. before: the lines before these."""
        taken: list[str] = []  # the lines of one record
        waiting: deque[str] = deque()  # lines that were taken for a part of an earlier record
        while True:
            reader = self.dialect.read(_fed(lines, waiting, taken))
            try:
                for fields in reader:
                    n_lines, row = 1, fields
                    if len(taken) > 1 or len(fields) != self.width:
                        n_lines, row = self._checked(fields, taken)
                        waiting.extendleft(reversed(taken[n_lines:]))
                    yield before + 1, n_lines, row, None
                    before += n_lines
                    taken.clear()
            except csv.Error as error:
                if "field limit" in str(error):
                    raise GiantFieldError(before + 1) from error
                n_lines, fields, why = self._repaired(taken)
                waiting.extendleft(reversed(taken[n_lines:]))
                yield before + 1, n_lines, fields, why
                before += n_lines
                taken.clear()
            else:
                if not waiting:
                    return

    def has_swallowed(self, lines: Sequence[str]) -> bool:
        """Whether a quote that opens no field made one record of lines that are rows themselves.

        A field of several lines seldom has the delimiters of whole rows in each of them, and very
        seldom if these are tabs. If the quote that ends it stands alone between delimiters, it does
        end a field: as a row, that line would have a value that is one quote.
        """
        n_delimiters = self.width - 1
        if not n_delimiters or any(
            line.count(self.dialect.delimiter) != n_delimiters for line in lines
        ):
            return False
        rows = [self._plain(line) for line in lines]
        if any(value.strip() == self.dialect.quote for row in rows[1:] for value in row):
            return False
        if (len(lines) - 1) * n_delimiters >= 4:
            return True
        if self.dialect.delimiter == "\t" and len(lines) > 2:
            return all(map(str.strip, chain.from_iterable(rows)))
        return any(all(row[i] in values for row in rows) for i, values in self.known.items())

    def _plain(self, line: str) -> list[str]:
        """The fields of a line whose quotes are plain signs."""
        return next(replace(self.dialect, quote="").read([line], strict=False), [])

    def _checked(self, fields: list[str], lines: list[str]) -> tuple[int, list[str]]:
        """How many of these lines are the record, and its fields, if a quote was misread."""
        if len(lines) > 1 and self.has_swallowed(lines):
            return 1, self._plain(lines[0])
        if len(fields) != self.width and any(map(_MARK.search, lines)):
            n_lines, others, why = self._repaired(lines)
            if not why:
                return n_lines, others
        return len(lines), fields

    def _repaired(self, lines: list[str]) -> tuple[int, list[str], str | None]:
        """How many lines the broken record has, its fields, and what is still wrong with it."""
        dialect = self.dialect
        doubled = (dialect.inner_quote.sub(2 * dialect.quote, line) for line in lines)
        for reader in (
            replace(dialect, escapes=True).read(lines),
            replace(dialect, spaced=True).read(lines),
            replace(dialect, quote="").read(lines[:1], strict=False),
            dialect.read(doubled),
            dialect.read(lines, strict=False),
        ):
            try:
                fields = next(reader, [])
            except csv.Error:
                continue
            if len(fields) == self.width:
                return reader.line_num, fields, None
        return 1, self._plain(lines[0]), QUOTES


def _fed(lines: Iterator[str], waiting: deque[str], taken: list[str]) -> Iterator[str]:
    """The lines, first those that wait; `taken` keeps them."""
    while waiting:
        again = waiting.popleft()
        taken.append(again)
        yield again
    for line in lines:
        taken.append(line)
        yield line
        if waiting:
            yield from _fed(iter(()), waiting, taken)
