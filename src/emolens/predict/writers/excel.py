"""Writes Excel workbooks with one sheet, without formulas and links, whatever the texts hold."""

from __future__ import annotations

import datetime
import math
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from emolens.data.checks import Note
from emolens.data.readers.table import Chunk
from emolens.errors import DataError
from emolens.predict.writers.cells import as_text
from emolens.predict.writers.layout import Answered, Layout
from emolens.temporary import scratch_folder

if TYPE_CHECKING:
    from xlsxwriter.worksheet import Worksheet

# What a sheet of Excel can hold.
MOST_ROWS = 1_048_576
MOST_COLUMNS = 16_384
MOST_CHARACTERS = 32_767  # of one cell
_MOST_EXACT = 10**15  # Excel keeps 15 digits of a number
_FIRST_DAY = datetime.date(1900, 3, 1)  # Excel counts a day before it that never was
_OTHER = "Write another format, for example --out NAME.csv."
SETTINGS = {
    "constant_memory": True,
    "strings_to_formulas": False,
    "strings_to_urls": False,
    "strings_to_numbers": False,
    "use_zip64": True,
}


class Excel:
    """Texts stay texts, also those that look like numbers: 007 stays 007."""

    reads_all = True
    notes: Sequence[Note] = ()

    def __init__(self, layout: Layout) -> None:
        self.layout = layout
        self._rows = 1
        if len(layout.keys) >= MOST_COLUMNS:  # there may be one more, for errors
            raise DataError(
                f"{layout.table.origin} has {len(layout.keys):,} columns with the answers, and a"
                f" sheet of Excel holds {MOST_COLUMNS - 1:,} and one for errors.",
                hint=_OTHER,
            )

    def look(self, chunk: Chunk) -> None:
        """Raise DataError for more rows, or a longer cell, than a sheet can hold."""
        self._rows += len(chunk)
        if self._rows > MOST_ROWS:
            raise DataError(
                f"{self.layout.table.origin} has more rows than a sheet of Excel, which holds"
                f" {MOST_ROWS:,} with the header.",
                hint=_OTHER,
            )
        for number, row in zip(chunk.numbers, chunk.rows, strict=True):
            for name in self.layout.kept:
                text = _shown(row.get(name))
                if isinstance(text, str) and _characters(text) > MOST_CHARACTERS:
                    raise DataError(
                        f"{self.layout.table.where(number)}: the column '{name}' has"
                        f" {_characters(text):,} characters, and a cell of Excel holds"
                        f" {MOST_CHARACTERS:,}.",
                        hint=_OTHER,
                    )

    def write(self, answered: Iterable[Answered], file: BinaryIO) -> None:
        """Write the workbook; rows that are done are kept in a temporary file, not in memory."""
        with scratch_folder() as folder:
            self._write(answered, file, folder)

    def _write(self, answered: Iterable[Answered], file: BinaryIO, folder: Path) -> None:
        import xlsxwriter

        book = xlsxwriter.Workbook(file, {**SETTINGS, "tmpdir": str(folder)})
        sheet = book.add_worksheet()
        cells = Cells(book, sheet)
        for column, title in enumerate(self.layout.titles):
            cells.put(0, column, title)
        sheet.freeze_panes(1, 0)
        place = 1
        for chunk, added in answered:
            for row, values in zip(chunk.rows, added, strict=True):
                whole = row | values
                for column, key in enumerate(self.layout.keys):
                    cells.put(place, column, whole.get(key))
                place += 1
        book.close()


class Cells:
    """Puts values into a sheet, each as what it is."""

    def __init__(self, book: Any, sheet: Worksheet) -> None:
        self._sheet = sheet
        formats = {
            datetime.datetime: "yyyy-mm-dd hh:mm:ss",
            datetime.date: "yyyy-mm-dd",
            datetime.time: "hh:mm:ss",
            datetime.timedelta: "[h]:mm:ss",
        }
        self._formats = {
            kind: book.add_format({"num_format": form}) for kind, form in formats.items()
        }
        self._plain = book.add_format()

    def put(self, row: int, column: int, value: Any) -> None:
        """Write a value into a cell; nothing for None and the empty text. Both count from 0."""
        value = _shown(value)
        if value is None or value == "":
            return
        if isinstance(value, str):
            self._put_text(row, column, value.encode("utf-8", "backslashreplace").decode())
        elif isinstance(value, bool):
            self._sheet.write_boolean(row, column, value)
        elif isinstance(value, (int, float)):
            self._sheet.write_number(row, column, value)
        else:
            self._sheet.write_datetime(row, column, value, self._formats[type(value)])

    def _put_text(self, row: int, column: int, text: str) -> None:
        if text.startswith("<r>") and text.endswith("</r>"):
            # XlsxWriter takes such a text for its own XML, and would write it as it is.
            self._sheet.write_rich_string(row, column, text[:1], self._plain, text[1:])
        else:
            self._sheet.write_string(row, column, text)


def _shown(value: Any) -> Any:
    """The value, or a text for what a cell of Excel can't hold exactly."""
    if value is None or isinstance(value, (str, bool)):
        return value
    if isinstance(value, float) and math.isnan(value):
        return None
    return value if _is_exact(value) else as_text(value)


def _is_exact(value: Any) -> bool:
    if isinstance(value, int):
        return abs(value) < _MOST_EXACT
    if isinstance(value, float):
        return math.isfinite(value)
    if isinstance(value, datetime.timedelta):
        return value >= datetime.timedelta(0) and value.microseconds % 1000 == 0
    if isinstance(value, datetime.time):
        return value.tzinfo is None and value.microsecond % 1000 == 0
    if isinstance(value, datetime.datetime):
        return value.date() >= _FIRST_DAY and _is_exact(value.timetz())
    return isinstance(value, datetime.date) and value >= _FIRST_DAY


def _characters(text: str) -> int:
    """The length as Excel counts it: most emoji are two characters."""
    if len(text) <= MOST_CHARACTERS // 2:
        return len(text)
    return len(text) + sum(character > "\uffff" for character in text)
