"""Sheets: a few rows of a table, drawn at random, for a person to label.

A sheet shows texts and no answers of a model, because these would change what people write.
"""

from __future__ import annotations

import heapq
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from emolens.blank import is_blank
from emolens.data.checks import Note, counted
from emolens.data.meanings import meanings
from emolens.data.readers.columns import (
    Unread,
    check_column,
    choice_notes,
    choose_column,
    readable_texts,
    spelled,
)
from emolens.data.readers.endings import stem_of
from emolens.data.readers.open import open_table, source_of
from emolens.data.readers.options import AS_FOUND, ReadOptions
from emolens.data.readers.source import Source, path_of
from emolens.data.readers.table import Table
from emolens.errors import DataError, UsageError
from emolens.labels import LabelSet
from emolens.names import user_path
from emolens.output import atomic_file, new_output
from emolens.predict.writers.excel import SETTINGS, Cells
from emolens.shown import one_line, quoted
from emolens.temporary import is_scratch

N_ROWS = 60
_MOST_READ = 10_000  # characters of a text; a cell of Excel holds 32,767 at most
ROW, TEXT, LABEL = COLUMNS = ("row", "text", "your_label")
PAGE = "texts"  # of the workbook
NONE = "none"
_HELP = (
    "Two classes fit? Write both, with a comma between them. No class fits? Write"
    f" {NONE}. You can't say? Leave the cell empty."
)


@dataclass(frozen=True)
class DrawOptions:
    """How many rows are drawn, the seed of the draw, and whether the sheet may exist."""

    rows: int = N_ROWS
    seed: int = 42
    overwrite: bool = False

    def __post_init__(self) -> None:
        if self.rows < 1:
            raise UsageError(
                f"{self.rows} rows can't be drawn.", hint=f"For example: --rows {N_ROWS}"
            )
        if self.seed < 0:
            raise UsageError(f"{self.seed} is no seed.", hint="Give 0 or more to --seed.")


AS_USUAL = DrawOptions()


@dataclass(frozen=True)
class Drawn:
    """A sheet that was written. texts: those drawn. of: how many rows of the table have a text."""

    path: Path
    texts: tuple[str, ...]
    of: int
    notes: tuple[Note, ...]

    @property
    def n(self) -> int:
        """How many rows were drawn."""
        return len(self.texts)

    def __repr__(self) -> str:
        return one_line(self, self.path, f"{self.n:,} of {self.of:,} texts")


def default_sheet(source: Source) -> Path:
    """NAME-check.xlsx beside the source; for a pipe, check.xlsx."""
    if is_scratch(source.like.parent.name):  # a copy of what the pipe gave
        return Path("check.xlsx")
    return source.like.with_name(f"{stem_of(source.like)}-check.xlsx")


def check_sheet(
    target: Path, source: str | Path | Source, *, overwrite: bool = False, options: str = ""
) -> None:
    """Raise what draw_sheet raises for this target, without reading anything.

    options: those with which the command takes a sheet back, for the hint.
    """
    if target.suffix.lower() != ".xlsx":
        raise UsageError(
            f"A sheet to label is a workbook, and the name {target} is for another format.",
            hint="Give it a name that ends with .xlsx: --out check.xlsx",
        )
    try:
        new_output(target, inputs=[path_of(source)], overwrite=overwrite)
    except UsageError as error:
        if path_of(source).resolve() == target.resolve():
            raise
        raise UsageError(  # a new sheet would replace an hour of work
            str(error),
            hint="For a new sheet, choose another file with --out, or add --overwrite, which"
            f" replaces this one. If you have labelled it: emolens check {quoted(target)}{options}",
        ) from error


def is_sheet(table: Table) -> bool:
    """Whether a table has the columns of a sheet."""
    return spelled(table, TEXT) is not None and spelled(table, LABEL) is not None


def draw_sheet(
    source: str | Path | Source,
    target: str | Path,
    labels: LabelSet,
    *,
    text_column: str | None = None,
    draw: DrawOptions = AS_USUAL,
    read: ReadOptions = AS_FOUND,
) -> Drawn:
    """Write a sheet with rows of a table that are drawn at random, in the order of the table.

    labels: the classes to choose from; a workbook explains them on its second page. Rows without a
    text are not drawn. Memory use does not grow with the number of rows. Raises UsageError for a
    target that can't be written, and DataError for a table without a text.
    """
    target = user_path(target)
    check_sheet(target, source, overwrite=draw.overwrite)
    with source_of(source, read) as given:
        table = open_table(given, labelled=False, options=read)
        column = choose_column(table, "text", text_column)
        notes = [*table.notes, *check_column(table, column)]
        if text_column is None:
            notes += choice_notes(table, "text", column)
        unread = Unread()
        drawn, n = _drawn(table, column, draw, unread, strict=read.strict)
        notes += unread.notes(table, "place in the draw")
    if not drawn:
        raise DataError(
            f"{table.origin} has no text in the column '{column}'.",
            hint="Choose another column with --text.",
        )
    if long := sum(len(text) > _MOST_READ for _, text in drawn):
        what = f"{counted(long, 'text', 'are')} longer than {_MOST_READ:,} characters"
        notes.append(Note("T01", f"{what}; the sheet holds the beginning."))
    with atomic_file(target, overwrite=draw.overwrite) as file:
        _write(file, drawn, labels.names)
    return Drawn(target, tuple(text for _, text in drawn), n, tuple(notes))


def _drawn(
    table: Table, column: str, draw: DrawOptions, unread: Unread, *, strict: bool
) -> tuple[list[tuple[int, str]], int]:
    """Numbers and texts of the rows that are drawn, and how many rows have a text.

    Each row gets a random number, and those with the lowest numbers are drawn. unread: counts the
    rows that can't be read.
    """
    rng, n = np.random.default_rng(draw.seed), 0
    kept: list[tuple[float, int, str]] = []
    for chunk in table.chunks(column):
        texts, errors = readable_texts(table, chunk, column, strict=strict)
        unread.add(chunk, errors)
        known = [(i, t) for i, t in zip(chunk.numbers, texts, strict=True) if not is_blank(t)]
        n += len(known)
        lots = rng.random(len(known)).tolist()
        kept += [(lot, number, text) for lot, (number, text) in zip(lots, known, strict=True)]
        kept = heapq.nsmallest(draw.rows, kept)
    return sorted((number, text) for _, number, text in kept), n


def _write(file: BinaryIO, rows: Sequence[tuple[int, str]], names: Sequence[str]) -> None:
    import xlsxwriter

    book = xlsxwriter.Workbook(file, {**SETTINGS, "constant_memory": False, "in_memory": True})
    bold = book.add_format({"bold": True})
    wrapped = book.add_format({"text_wrap": True, "valign": "top"})
    sheet, classes = book.add_worksheet(PAGE), book.add_worksheet("classes")
    cells = Cells(book, sheet)
    for place, (number, text) in enumerate(rows, start=1):
        cells.put(place, 0, number)
        cells.put(place, 1, text[:_MOST_READ])
    sheet.set_column(0, 0, 8, wrapped)
    sheet.set_column(1, 1, 100, wrapped)
    sheet.set_column(2, 2, 24)
    sheet.write_row(0, 0, COLUMNS, bold)
    sheet.freeze_panes(1, 0)
    _offer(sheet, len(rows), len(names))
    explained = Cells(book, classes)
    for place, (name, meaning) in enumerate(zip(names, meanings(names), strict=True), start=1):
        explained.put(place, 0, name)
        explained.put(place, 1, meaning)
    explained.put(len(names) + 2, 0, _HELP)
    classes.set_column(0, 0, 24)
    classes.set_column(1, 1, 100)
    classes.write_row(0, 0, ("class", "usual meaning"), bold)
    book.close()


def _offer(sheet: Any, n_rows: int, n_classes: int) -> None:
    """Let the cells of the labels offer the classes; other words are allowed, for 'joy, love'."""
    sheet.data_validation(
        *(1, 2, n_rows, 2),
        {
            "validate": "list",
            "source": f"=classes!$A$2:$A${n_classes + 1}",
            "show_error": False,
        },
    )
