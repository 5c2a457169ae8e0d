"""How the text of a new table looks, so that the programs that wrote the old one can read it."""

from __future__ import annotations

import re
from dataclasses import dataclass

from emolens.data.readers.source import Source
from emolens.data.readers.table import Table

_BLOCK = 1 << 20
_SEP_LINE = re.compile(
    rb'[\xef\xbb\xbf\xff\xfe]*"?sep=."?[\r\n]', re.IGNORECASE
)  # perhaps after a mark


@dataclass(frozen=True)
class Form:
    """delimiter: between fields. line_end. mark: whether the text begins with the byte order mark,
    by which Excel knows UTF-8. sep: whether the first line is 'sep=;', which tells Excel the
    delimiter.
    """

    delimiter: str = ","
    line_end: str = "\r\n"
    mark: bool = False
    sep: bool = False


def form_of(source: Source, table: Table, ending: str) -> Form:
    """The form of the new table. ending: '.csv' or '.tsv'.

    It is that of the old table, if this is a text, too. The new table is UTF-8. If the old one
    is not, the new one has the mark: without it, Excel would take its own encoding.
    """
    old = table.delimiter
    keeps = old and (old != "\t" or source.format == "csv")
    delimiter = "\t" if ending == ".tsv" else old if old and keeps else ","
    if source.format not in ("csv", "tsv", "txt"):
        return Form(delimiter)
    with source.path.open("rb") as file:
        block = file.read(_BLOCK)
    return Form(
        delimiter,
        _line_end(block),
        mark=table.needs_mark,
        # For another delimiter than the usual one of a country, Excel needs this line.
        sep=ending == ".csv" and _SEP_LINE.match(block.replace(b"\0", b"")) is not None,
    )


def _line_end(block: bytes) -> str:
    r"""The most frequent one: a field in quotes may hold others. The zeros are those of UTF-16."""
    block = block.replace(b"\0", b"")
    n_newlines, n_both = block.count(b"\n"), block.count(b"\r\n")
    if n_newlines:
        return "\r\n" if 2 * n_both >= n_newlines else "\n"
    return "\r" if b"\r" in block else "\r\n"
