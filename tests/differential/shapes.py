"""Tables of many shapes: what is right for each, and which reader gives something else, and why.

`differs` names for each reader what is not right ('titles', 'rows', 'cells' or 'refuses') and the
name of the reason in REASONS. A reader that is not named reads the table as is right.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

REASONS = {
    "delimiter": "The file name says nothing about the delimiter. pandas and pyarrow take a comma"
    " until they are told. emolens finds it in the rows.",
    "sep": "'sep=;' is a line for Excel, not the header.",
    "encoding": "pandas, pyarrow and DuckDB read UTF-8 only until they are told. emolens finds the"
    " encoding. pyarrow gives bytes that are not UTF-8 in place of texts, without a word.",
    "bad byte": "One damaged byte is no reason to refuse the other rows. emolens marks the row.",
    "line ends": "Windows programs write CR CR LF or mix line ends. Each of them ends a line.",
    "ragged": "A row with too few or too many fields is one damaged row. emolens keeps it and marks"
    " it. Others refuse the file, or DuckDB reads every row as one field.",
    "one field more": "Rows have one more field than the header. pandas takes the first column for"
    " the names of the rows, so that ids are no column. If the field more is at the end and empty,"
    " emolens leaves it out; else it names the first column ''.",
    "one column": "A header without a delimiter names one column, and its texts may hold commas.",
    "quotes": "A quote or a backslash before a quote is part of the text. pandas and pyarrow know"
    " only doubled quotes.",
    "open quote": "A quote that is never closed must not take all following rows into one text.",
    "plain quotes": "A text may begin with a quote, and a later one end with a quote. If there"
    " are rows between them, they are rows.",
    "single quotes": "Some programs enclose texts in single quotes. If all begin and end with one,"
    " it is no part of them. pandas and pyarrow know only double quotes.",
    "space before a quote": "A space between delimiter and quote does not make the quote a sign of"
    " the text.",
    "names": "A column may have no name, or that of another one. emolens keeps names as they are."
    " pandas and DuckDB make up names that are not in the file; pyarrow can't read Parquet so.",
    "case": "'Text' and 'text' are different names. DuckDB's names differ by more than case.",
    "spaces in names": "The names of the columns stay as they are. DuckDB cuts the spaces.",
    "no header": "The first row is a row as all others, and no label stands in a header.",
    "header of numbers": "The first row holds the only text among numbers, or an empty name over an"
    " index: it is the header. DuckDB takes it for a row.",
    "lines above": "A title or comments above the header are no header.",
    "missing words": "'N/A', 'null', 'None' and 'nan' are words in a text."
    " Only labels look at them. pandas makes them missing: they are lost when the"
    " table is written again.",
    "numbers": "A table is written again with the same cells: '007' and '1.10' are no 7 and 1.1,"
    " and 23 digits don't fit into a float. emolens keeps the signs of a text file.",
    "kinds": "Values of JSON and of Excel keep their kind: a whole number stays one beside missing"
    " or broken ones. Others give each column one type.",
    "truth": "emolens keeps 'true' as it is written; others give back Python's True.",
    "times": "'01.05.2024' and '9:30' stay as they are written. Others give times in ISO form,"
    " pandas only for columns of a usual name, DuckDB even for 'inf'.",
    "day": "A cell of Excel with a date and no time is a date. pandas adds midnight.",
    "nanoseconds": "Python has no nanoseconds. emolens gives them as a text, DuckDB cuts them.",
    "nul": "A NUL byte is damage. emolens shows the sign for it, and marks the row.",
    "packed": "Only emolens and pandas open a zip file with one table.",
    "content": "The first bytes say the format. Others go by the ending.",
    "json form": "People save a table as JSON in several forms: an array, lines, columns, pandas'"
    " 'split', an array of arrays, or an object beside other values. All are tables of rows.",
    "json mixed": "One column may hold numbers and texts. pyarrow refuses, DuckDB gives JSON.",
    "json damage": "Half of a character can't be written as UTF-8. A name that stands twice in an"
    " object leaves one of two values out. emolens refuses both; pandas drops them without a word.",
    "no rows": "There is nothing to learn from and nothing to predict; emolens says so.",
    "index": "The index of a frame is a column of the file. pandas hides it.",
    "stream": "Feather files and Arrow streams have the same ending. Others read the first only.",
    "sheet": "The first visible sheet with rows has the table, and rows and columns around it that"
    " are empty are no part of it. pandas takes the first sheet from its first cell.",
}


@dataclass(frozen=True)
class Shape:
    """A table that people bring.

    right: the titles, then the rows; None if the table must be refused.
    """

    name: str
    content: bytes
    right: Sequence[Sequence[str]] | None
    differs: dict[str, tuple[str, str]] = field(default_factory=dict)
    file: str = "table.csv"

    def __str__(self) -> str:
        return self.name


AB = (("id", "text"), ("1", "a"), ("2", "b"))
COMMAS = (("id", "text"), ("1", "a, b"), ("2", "c, d"))
THREE = (("id", "text", "label"), ("1", "a", "joy"), ("2", "b", "anger"), ("3", "c", "joy"))
REFUSES, ROWS, TITLES, CELLS = "refuses", "rows", "titles", "cells"


def pandas(kind: str, reason: str) -> dict[str, tuple[str, str]]:
    return {"pandas": (kind, reason)}


def pyarrow_(kind: str, reason: str) -> dict[str, tuple[str, str]]:
    return {"pyarrow": (kind, reason)}


def duckdb(kind: str, reason: str) -> dict[str, tuple[str, str]]:
    return {"duckdb": (kind, reason)}


def emolens(kind: str, reason: str) -> dict[str, tuple[str, str]]:
    return {"emolens": (kind, reason)}


def others(kind: str, reason: str) -> dict[str, tuple[str, str]]:
    return dict.fromkeys(("pandas", "pyarrow", "duckdb"), (kind, reason))
