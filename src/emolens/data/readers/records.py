"""Cuts lines into fields between delimiters, and repairs rows whose quotes are wrong.

Knows no header and no file. A row that can't be repaired does not spoil the rows after it.
"""

from __future__ import annotations

import csv
import re
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

QUOTES = "the quotes in this row do not match"
_MARK = re.compile(r'["\\]')  # what may hide a delimiter
# Its first line, how many lines it has, its fields, and what is wrong with it.
Record = tuple[int, int, list[str], str | None]


class GiantFieldError(Exception):
    """A field is longer than csv allows. Its argument is the first line of the record."""


@dataclass(frozen=True)
class Dialect:
    r"""How fields are written.

    quotes: whether a field may stand in double quotes; otherwise they are plain signs. escapes:
    whether \" is a quote, and a backslash hides a delimiter. spaced: whether spaces around fields
    are no part of them.
    """

    delimiter: str = ","
    quotes: bool = True
    escapes: bool = False
    spaced: bool = False

    def read(self, lines: Iterable[str], *, strict: bool = True) -> Iterator[list[str]]:
        """The fields of each record. strict: whether a wrong quote is a csv.Error."""
        if self.escapes:
            lines = map(self._escaped, lines)
        if self.spaced:
            lines = map(self._closed_at_once, lines)
        return csv.reader(
            lines,
            delimiter=self.delimiter,
            quoting=csv.QUOTE_MINIMAL if self.quotes else csv.QUOTE_NONE,
            escapechar="\\" if self.escapes else None,
            skipinitialspace=self.spaced,
            strict=strict,
        )

    def _escaped(self, line: str) -> str:
        """Double the backslashes that hide nothing: csv would drop them."""
        special = {'"', "\\", "\n", "\r", self.delimiter}
        return re.sub(
            r"\\(.)", lambda m: m[0] if m[1] in special else rf"\{m[0]}", line, flags=re.DOTALL
        )

    def _closed_at_once(self, line: str) -> str:
        return self._late_close.sub('"', line)

    @cached_property
    def _late_close(self) -> re.Pattern[str]:
        """Spaces between the end of a quoted field and the delimiter."""
        return re.compile(rf'(?<=[^ {re.escape(self.delimiter)}])" +(?={self._end})')

    @cached_property
    def _end(self) -> str:
        return rf"{re.escape(self.delimiter)}|[\r\n]|$"

    @cached_property
    def inner_quote(self) -> re.Pattern[str]:
        """A quote that neither begins nor ends a field, and is not doubled."""
        delimiter = re.escape(self.delimiter)
        return re.compile(rf'(?<![{delimiter}"\r\n])(?<!^)"(?!"|{self._end})')


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

        A field of several lines seldom has the delimiters of whole rows in each of them.
        """
        n_delimiters = self.width - 1
        if not n_delimiters or any(
            line.count(self.dialect.delimiter) != n_delimiters for line in lines
        ):
            return False
        if (len(lines) - 1) * n_delimiters >= 4:
            return True
        rows = [self._plain(line) for line in lines]
        return any(all(row[i] in values for row in rows) for i, values in self.known.items())

    def _plain(self, line: str) -> list[str]:
        """The fields of a line whose quotes are plain signs."""
        return next(replace(self.dialect, quotes=False).read([line], strict=False), [])

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
        ways: list[Callable[[], Iterator[list[str]]]] = [
            lambda: replace(dialect, escapes=True).read(lines),
            lambda: replace(dialect, spaced=True).read(lines),
            lambda: iter([self._plain(lines[0])]),
            lambda: dialect.read(dialect.inner_quote.sub('""', line) for line in lines),
            lambda: dialect.read(lines, strict=False),
        ]
        for way in ways:
            reader = way()
            try:
                fields = next(reader, [])
            except csv.Error:
                continue
            if len(fields) == self.width:
                return getattr(reader, "line_num", 1), fields, None
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
