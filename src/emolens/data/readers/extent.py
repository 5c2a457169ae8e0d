"""How many cells the sheets of a workbook span, before a library makes room for them; and errors.

One cell far from the others is enough to fill the memory. Knows the files inside a workbook, and
reads no values.
"""

from __future__ import annotations

import re
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO

MOST_UNPACKED = 2_000_000_000  # bytes
_BLOCK = 1 << 22
# Cells and rows that hold something; an empty one ends with '/>'. The library ignores those.
_PLACE = re.compile(rb"""r=["']([A-Z]{1,3})(\d{1,9})["'][^>]*+(?<!/)>""")
_ROW_PLACE = re.compile(rb"""r=["'](\d{1,9})["'][^>]*+(?<!/)>""")
_ROW = re.compile(rb"[<:]row[\s>]")
_CELL = re.compile(rb"[<:]c[\s>]")
_TAGS = re.compile(rb"<(?:\w+:)?(table|table-row|table-cell|covered-table-cell)(\s[^>]*)?>")
_ERROR = re.compile(rb"""<(?:\w+:)?c [^>]*\bt=["']e["']|calcext:value-type=["']error["']""")
_REPEATED = re.compile(rb'-repeated="(\d{1,9})"')


@dataclass
class Extent:
    """cells: the largest number that a sheet spans, with the empty ones. errors: cells with an
    error, such as #N/A, in all sheets."""

    cells: int = 0
    errors: int = 0


def extent_of(path: Path) -> Extent:
    """The extent of a workbook that is a zip file.

    All files in it are read to their ends, so that zipfile compares their checksums. Raises
    BadZipFile, and OverflowError for files of more than MOST_UNPACKED bytes.
    """
    extent = Extent()
    with zipfile.ZipFile(path) as book:
        entries = book.infolist()
        if sum(entry.file_size for entry in entries) > MOST_UNPACKED:
            raise OverflowError(f"it unpacks to more than {MOST_UNPACKED // 1_000_000:,} MB")
        for entry in entries:
            with book.open(entry) as file:
                if entry.filename.endswith(".bin"):
                    rows, columns = _of_records(file)
                elif entry.filename == "content.xml":
                    rows, columns = _of_repetitions(_counting(file, extent))
                else:
                    rows, columns = _of_places(_counting(file, extent))
                extent.cells = max(extent.cells, rows * columns)
    return extent


def _counting(file: IO[bytes], extent: Extent) -> Iterator[bytes]:
    """The content in pieces; the errors in them are counted."""
    for block in _blocks(file):
        extent.errors += len(_ERROR.findall(block))
        yield block


def _blocks(file: IO[bytes]) -> Iterator[bytes]:
    """The content in pieces, none of which ends inside a tag."""
    rest = b""
    while block := file.read(_BLOCK):
        block = rest + block
        cut = block.rfind(b"<")
        if not 0 < len(block) - cut < _BLOCK:
            cut = len(block)
        yield block[:cut]
        rest = block[cut:]
    yield rest


def _of_places(blocks: Iterator[bytes]) -> tuple[int, int]:
    """.xlsx: a cell names its place, or stands behind the one before it."""
    rows = columns = 0
    for block in blocks:
        places = _PLACE.findall(block)
        numbers = _ROW_PLACE.findall(block)
        columns = max([columns, *map(_column, {letters for letters, _ in places})])
        if len(places) < sum(map(block.count, (b"<c>", b"<c ", b":c>", b":c "))):
            parts = _ROW.split(block)
            columns = max(columns, *(len(_CELL.findall(part)) for part in parts))
            rows += 0 if numbers else len(parts) - 1
        rows = max([rows, *map(int, {number for _, number in places}), *map(int, numbers)])
    return rows, columns


def _column(letters: bytes) -> int:
    number = 0
    for letter in letters:
        number = 26 * number + letter - ord("A") + 1
    return number


def _of_repetitions(blocks: Iterator[bytes]) -> tuple[int, int]:
    """.ods: rows and cells say how often they are repeated. Empty ones at the end don't count."""
    rows = columns = above = across = 0
    height = 1
    for block in blocks:
        for tag, attributes in _TAGS.findall(block):
            repeated = _REPEATED.search(attributes)
            times = int(repeated[1]) if repeated else 1
            if tag == b"table":
                above = across = 0
                height = 0
            elif tag == b"table-row":
                above, height, across = above + height, times, 0
            else:
                across += times
                if not attributes.endswith(b"/") or b"value" in attributes:
                    rows, columns = max(rows, above + height), max(columns, across)
    return rows, columns


def _of_records(file: IO[bytes]) -> tuple[int, int]:
    """.xlsb: a row and a cell begin with their number."""
    rows = columns = place = 0
    content = file.read()
    while place < len(content) - 2:
        kind, place = _number(content, place, 2)
        size, place = _number(content, place, 4)
        number = int.from_bytes(content[place : place + 4], "little") + 1
        if kind == 0:
            rows = max(rows, number)
        elif kind <= 11:
            columns = max(columns, number)
        place += size
    return min(rows, 1 << 20), min(columns, 1 << 14)


def _number(content: bytes, place: int, most: int) -> tuple[int, int]:
    """An integer of at most `most` bytes with seven bits each, and the place after it."""
    value = 0
    for i, byte in enumerate(content[place : place + most]):
        value |= (byte & 0x7F) << (7 * i)
        if byte < 0x80:
            return value, place + i + 1
    return value, place + most
