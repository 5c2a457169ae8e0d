"""Workbooks: .xlsx, .xls, .xlsb and .ods files, one sheet at a time. Runs no formula."""

from __future__ import annotations

import contextlib
import zipfile
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import TYPE_CHECKING, Any

from emolens.data.checks import Note, counted
from emolens.data.readers.columns import any_usual
from emolens.data.readers.extent import extent_of
from emolens.data.readers.header import MOST_TITLES, find_header
from emolens.data.readers.options import ReadOptions
from emolens.data.readers.source import Source, readable
from emolens.data.readers.table import Chunk, Row, Table, chunked, distinct
from emolens.errors import DataError, nearest, some_of
from emolens.shown import visible

if TYPE_CHECKING:
    from python_calamine import CalamineSheet, CalamineWorkbook

# The library holds a whole sheet in memory, with its empty cells.
_SAMPLE = 200  # rows that are looked at for the header
_MOST_CELLS = 20_000_000


def open_workbook(source: Source, options: ReadOptions) -> Table:
    """One sheet. Empty rows are skipped, and so is a title before the names of the columns.

    Without `options.sheet` it is the first visible one that holds rows, or a longer one with a
    usual name for texts; a note names the others.
    """
    with _workbook_errors(source):
        n_errors = _check_size(source)
        sheet, notes = _read_sheet(source, options)
    if n_errors:
        notes.append(
            Note(
                "R04",
                f"{source} has {counted(n_errors, 'cell')} with an error of Excel, such as #N/A or"
                " #DIV/0!; such cells are read as empty.",
                n_rows=n_errors,
            )
        )
    origin = f"{source.name}, sheet {visible(sheet.name)}"
    if n_merged := sum(map(len, _merged(sheet).values())):
        over = f"{counted(n_merged, 'cell', 'are')} merged over several rows"
        notes.append(
            Note("R05", f"{origin}: {over}. Each of these rows has the value of the cell.")
        )
    first = [
        (number, ["" if cell is None else str(cell) for cell in cells])
        for number, cells in islice(_filled(sheet), _SAMPLE)
    ]
    width = len(first[0][1]) if first else 0
    header = find_header(first, width, options, origin=f"{origin}, row")
    columns = distinct([title.strip() for title in header.titles])

    def read(_: Sequence[str]) -> Iterator[Chunk]:
        return chunked(_rows(sheet, columns, header.before))

    return Table(
        origin,
        columns,
        read,
        titles=header.titles,
        notes=(*notes, *header.notes),
        usual=header.usual,
    )


def _rows(sheet: CalamineSheet, columns: Sequence[str], before: int) -> Iterator[tuple[int, Row]]:
    """The rows behind the row `before`, with the empty ones between others."""
    after = 0
    for number, cells in _filled(sheet):
        if number > before:
            yield from (
                (empty, dict.fromkeys(columns))
                for empty in range(after + 1, number if after else 0)
            )
            yield number, dict(zip(columns, cells, strict=True))
            after = number


def _filled(sheet: CalamineSheet) -> Iterator[tuple[int, list[Any]]]:
    """The rows that are not empty, with their numbers in the sheet.

    A cell that is merged over several rows gives each of them its value.
    """
    merged = _merged(sheet)
    inside: dict[int, tuple[int, Any]] = {}  # by column, the last row of a cell and its value
    for number, cells in enumerate(sheet.iter_rows(), start=1):
        if any(map(_is_filled, cells)):
            row = list(map(_value, cells))
            for column, bottom in merged.get(number, ()):
                inside[column] = bottom, row[column]
            for column, (bottom, value) in inside.items():
                if number <= bottom:
                    row[column] = value
            yield number, row


def _merged(sheet: CalamineSheet) -> dict[int, list[tuple[int, int]]]:
    """The cells that are merged over several rows: by first row, their columns and last rows."""
    merged: dict[int, list[tuple[int, int]]] = {}
    left, width = sheet.start[1] if sheet.start else 0, sheet.width
    for (top, column), (bottom, _) in sheet.merged_cell_ranges or ():
        if bottom > top and 0 <= column - left < width:
            merged.setdefault(top + 1, []).append((column - left, bottom + 1))
    return merged


def _value(cell: Any) -> Any:
    """None for an empty cell, and an integer for a whole number: a workbook knows floats only."""
    if isinstance(cell, float) and cell.is_integer() and abs(cell) < 2**53:
        return int(cell)
    return None if cell == "" else cell


def _is_filled(cell: Any) -> bool:
    return cell is not None and bool(str(cell).strip())


def sheet_names(source: Source) -> list[str]:
    """The names of the sheets that are seen when the workbook is opened."""
    import python_calamine as calamine

    with _workbook_errors(source):
        _check_size(source)
        with source.path.open("rb") as file, calamine.CalamineWorkbook.from_filelike(file) as book:
            return _seen(book)


def _read_sheet(source: Source, options: ReadOptions) -> tuple[CalamineSheet, list[Note]]:
    import python_calamine as calamine

    # By its path, the library would open the kind that the ending says.
    with source.path.open("rb") as file, calamine.CalamineWorkbook.from_filelike(file) as book:
        return _sheet(source, book, options)


def _sheet(
    source: Source, book: CalamineWorkbook, options: ReadOptions
) -> tuple[CalamineSheet, list[Note]]:
    from python_calamine import SheetTypeEnum

    names = [meta.name for meta in book.sheets_metadata if meta.typ == SheetTypeEnum.WorkSheet]
    if options.sheet is not None:
        return book.get_sheet_by_name(_named(source, names, options.sheet)), []
    seen = _seen(book)
    first = None  # perhaps a page about the table, which stands behind it
    for name in [*seen, *(n for n in names if n not in seen)]:
        if first and name not in seen:
            break
        sheet = book.get_sheet_by_name(name)
        if next(_filled(sheet), None) is None:
            continue
        first = first or sheet
        if _names_texts(sheet) and (sheet is first or sheet.height > first.height):
            first = sheet
            break
    if first is None:
        raise DataError(f"{source} holds no rows.", hint="Check how the file was made.")
    return first, _others(source, first.name, names)


def _names_texts(sheet: CalamineSheet) -> bool:
    """Whether one of the first rows has a usual name for texts."""
    rows = islice(_filled(sheet), MOST_TITLES)
    return any(any_usual(map(str, row), "text") for _, row in rows)


def _seen(book: CalamineWorkbook) -> list[str]:
    from python_calamine import SheetTypeEnum, SheetVisibleEnum

    return [
        meta.name
        for meta in book.sheets_metadata
        if meta.typ == SheetTypeEnum.WorkSheet and meta.visible == SheetVisibleEnum.Visible
    ]


def _named(source: Source, names: list[str], wanted: str) -> str:
    if wanted in names:
        return wanted
    if wanted.isdecimal() and 0 < int(wanted) <= len(names):
        return names[int(wanted) - 1]
    raise DataError(f"{source} has no sheet '{wanted}'.", hint=nearest(wanted, names))


def _others(source: Source, name: str, names: list[str]) -> list[Note]:
    others = [visible(other) for other in names if other != name]
    text = f"{source}: the sheet '{visible(name)}' is read, and these are not: {some_of(others)}."
    hint = "Another one can be named with --sheet."
    return [Note("R01", text, hint)] if others else []


@contextlib.contextmanager
def _workbook_errors(source: Source) -> Iterator[None]:
    import python_calamine as calamine

    errors = (calamine.CalamineError, zipfile.BadZipFile, ValueError, OverflowError)
    hint = "Check that it was written completely, or save it again as .xlsx."
    with readable(source, errors, kind="workbook", hint=hint):
        try:
            yield
        except calamine.PasswordError as error:
            raise DataError(
                f"{source} needs a password.", hint="Save it without a password, or as .csv."
            ) from error


def _check_size(source: Source) -> int:
    """The number of errors in cells. Raises DataError for a workbook that would fill the memory:
    the library does not look."""
    if source.format == "xls":  # can't have more than 65,536 rows of 256 cells
        return 0
    try:
        extent = extent_of(source.path)
    except OverflowError as error:
        raise _too_large(source, str(error)) from error
    if extent.cells > _MOST_CELLS:
        raise _too_large(source, f"a sheet spans {extent.cells:,} cells, with the empty ones")
    return extent.errors


def _too_large(source: Source, why: str) -> DataError:
    return DataError(
        f"{source} is too large: {why}.",
        hint="Delete the cells that are far from the table, or save the sheet as .csv.",
    )
