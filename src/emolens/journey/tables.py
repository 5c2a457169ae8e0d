"""Reads the tables that values show in notebooks, so that a terminal can show them, too.

Knows the few tags that tables have; everything else of HTML is left out.
"""

from __future__ import annotations

from dataclasses import dataclass
from html.parser import HTMLParser


@dataclass(frozen=True)
class Table:
    """A line above the table, its titles, and rows as long as the titles."""

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


def read_table(html: str) -> Table | None:
    """The first table of a text in HTML, with what stands before it; None without a table."""
    reader = _Reader()
    reader.feed(html)
    reader.close()
    if not reader.rows:
        return None
    header, *rows = reader.rows if reader.has_header else [[], *reader.rows]
    width = max(map(len, reader.rows))
    full = [(*row, *[""] * (width - len(row))) for row in (header, *rows)]
    return Table(" ".join(reader.before.split()), full[0], tuple(full[1:]))


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.before, self.rows, self.has_header = "", list[list[str]](), False
        self._cell, self._tables = False, 0

    def handle_starttag(self, tag: str, attrs: object) -> None:
        self._tables += tag == "table"
        if self._tables != 1:
            return
        if tag == "tr":
            self.rows.append([])
        elif tag in ("th", "td") and self.rows:
            self.has_header |= tag == "th" and len(self.rows) == 1
            self.rows[-1].append("")
            self._cell = True

    def handle_endtag(self, tag: str) -> None:
        if tag in ("th", "td", "tr", "table"):
            self._cell = False

    def handle_data(self, data: str) -> None:
        if not self._tables:
            self.before += data
        elif self._cell and self._tables == 1:
            self.rows[-1][-1] += data
