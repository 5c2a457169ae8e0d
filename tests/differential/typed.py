"""Shapes of JSON, Parquet, Arrow and Excel, whose values have types."""

from __future__ import annotations

import datetime
import io
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.feather
import pyarrow.parquet as pq
import xlsxwriter

from tests.differential.shapes import (
    AB,
    CELLS,
    REFUSES,
    ROWS,
    TITLES,
    Shape,
    duckdb,
    emolens,
    others,
    pandas,
    pyarrow_,
)  # fmt: skip

ARRAY = b'[{"id": 1, "text": "a"}, {"id": 2, "text": "b"}]'
NO_ARRAY = pyarrow_(REFUSES, "json form")


def lines(*objects: str) -> bytes:
    return "".join(f"{{{pairs}}}\n" for pairs in objects).encode()


def of(first: str, second: str, name: str = "id") -> Sequence[Sequence[str]]:
    return ((name, "text"), (first, "a"), (second, "b"))


PLAIN_LINES = lines('"id": 1, "text": "a"', '"id": 2, "text": "b"')
JSON = [
    Shape("a JSON array", ARRAY, AB, NO_ARRAY, "table.json"),
    Shape("JSON lines in .json", PLAIN_LINES, AB, pandas(REFUSES, "json form"), "table.json"),
    Shape(
        "an array of arrays",
        b'[["id", "text"], [1, "a"], [2, "b"]]',
        AB,
        others(ROWS, "json form") | NO_ARRAY,
        "table.json",
    ),
    Shape(
        "columns of pandas",
        b'{"id": {"0": 1, "1": 2}, "text": {"0": "a", "1": "b"}}',
        AB,
        pyarrow_(ROWS, "json form") | duckdb(ROWS, "json form"),
        "table.json",
    ),
    Shape(
        "the split form of pandas",
        b'{"columns": ["id", "text"], "index": [0, 1], "data": [[1, "a"], [2, "b"]]}',
        AB,
        pandas(TITLES, "json form") | pyarrow_(REFUSES, "json form") | duckdb(ROWS, "json form"),
        "table.json",
    ),
    Shape(
        "rows below a name",
        b'{"data": [{"id": 1, "text": "a"}, {"id": 2, "text": "b"}], "version": 1}',
        AB,
        pandas(TITLES, "json form") | pyarrow_(ROWS, "json form") | duckdb(ROWS, "json form"),
        "table.json",
    ),
    Shape(
        "JSON in UTF-16",
        ARRAY.decode().encode("utf-16"),
        AB,
        others(REFUSES, "encoding"),
        "table.json",
    ),
]

JSON_LINES = [
    Shape(name, content, right, differs, "table.jsonl")
    for name, content, right, differs in [
        ("JSON lines", PLAIN_LINES, AB, {}),
        ("JSON lines with blank lines", PLAIN_LINES.replace(b"\n", b"\n\n"), AB, {}),
        ("JSON lines with a mark of UTF-8", b"\xef\xbb\xbf" + PLAIN_LINES, AB,
         pandas(REFUSES, "encoding")),
        ("objects of different names",
         lines('"id": 1, "text": "a"', '"text": "b", "note": "x"'),
         (("id", "text", "note"), ("1", "a", ""), ("", "b", "x")), pandas(CELLS, "kinds")),
        ("objects in objects",
         lines('"id": 1, "data": {"text": "a", "n": [1, 2]}',
               '"id": 2, "data": {"text": "b", "n": []}'),
         (("id", "data"), ("1", '{"text": "a", "n": [1, 2]}'), ("2", '{"text": "b", "n": []}')),
         {}),
        ("23 digits", lines('"id": 12345678901234567890123, "text": "a"', '"id": 2, "text": "b"'),
         of("12345678901234567890123", "2"), others(CELLS, "numbers") | pandas(REFUSES, "numbers")),
        ("more digits than a float has", lines('"id": 9007199254740993, "text": "a"',
         '"id": 2, "text": "b"'), of("9007199254740993", "2"), {}),
        ("a whole number and another one", lines('"id": 1, "text": "a"', '"id": 2.5, "text": "b"'),
         of("1", "2.5"), others(CELLS, "kinds")),
        ("numbers with a zero behind", lines('"id": 1.0, "text": "a"', '"id": 2.0, "text": "b"'),
         of("1.0", "2.0"), pandas(CELLS, "kinds")),
        ("a number and a text", lines('"id": 1, "text": "a"', '"id": "x", "text": "b"'),
         of("1", "x"), pyarrow_(REFUSES, "json mixed") | duckdb(CELLS, "json mixed")),
        ("a number and null", lines('"id": null, "text": "a"', '"id": 2, "text": "b"'),
         of("", "2"), pandas(CELLS, "kinds")),
        ("a number and NaN", lines('"id": NaN, "text": "a"', '"id": 2, "text": "b"'),
         of("", "2"), others(CELLS, "kinds")),
        ("true and false", lines('"id": true, "text": "a"', '"id": false, "text": "b"'),
         of("True", "False"), {}),
        ("texts of digits", lines('"id": "007", "text": "a"', '"id": "012", "text": "b"'),
         of("007", "012"), pandas(CELLS, "numbers")),
        ("words for missing values", lines('"id": "N/A", "text": "a"', '"id": "nan", "text": "b"'),
         of("N/A", "nan"), {}),
        ("dates", lines('"date": "2024-05-01", "text": "a"', '"date": "2024-05-02", "text": "b"'),
         of("2024-05-01", "2024-05-02", "date"), pandas(CELLS, "times") | pyarrow_(CELLS, "times")),
        ("a name twice in an object", lines('"id": 1, "text": "a", "text": "c"'),
         (("id", "text"), ("1", "c")),
         pyarrow_(REFUSES, "json damage") | duckdb(REFUSES, "json damage")),
        ("half of a character", lines('"id": 1, "text": "a\\ud83d"'),
         (("id", "text"), ("1", "a?")),
         pandas(CELLS, "json damage") | pyarrow_(REFUSES, "json damage")
         | duckdb(REFUSES, "json damage")),
    ]
]  # fmt: skip


def parquet(**columns: Any) -> bytes:
    return _parquet(pa.table(columns))


def _parquet(table: pa.Table) -> bytes:
    file = io.BytesIO()
    pq.write_table(table, file)
    return file.getvalue()


def arrow(table: pa.Table, *, stream: bool) -> bytes:
    file = io.BytesIO()
    new = pa.ipc.new_stream if stream else pa.ipc.new_file
    with new(file, table.schema) as writer:
        writer.write_table(table)
    return file.getvalue()


TYPES = pa.table(
    {"text": ["a", "b"], "n": [1, None], "x": [1.5, None], "yes": [True, False]},
)
TYPED = (("text", "n", "x", "yes"), ("a", "1", "1.5", "True"), ("b", "", "", "False"))
FRAME = pd.DataFrame({"text": ["a", "b"]}, index=pd.Index([5, 7], name="key"))
DAY = datetime.date(2024, 5, 1)
ARROW = [
    Shape("types of an Arrow file", arrow(TYPES, stream=False), TYPED, pandas(CELLS, "kinds"),
          "table.arrow"),
    Shape("types of an Arrow stream", arrow(TYPES, stream=True), TYPED,
          pandas(REFUSES, "stream") | pyarrow_(REFUSES, "stream"), "table.arrow"),
    Shape("Parquet with the ending .csv", _parquet(TYPES), TYPED, others(REFUSES, "content")),
    *(
        Shape(name, content, right, differs, "table.parquet")
        for name, content, right, differs in [
            ("types of Parquet", _parquet(TYPES), TYPED, pandas(CELLS, "kinds")),
            ("the index of a frame", _parquet(pa.Table.from_pandas(FRAME)),
             (("text", "key"), ("a", "5"), ("b", "7")), pandas(TITLES, "index")),
            ("two columns of one name",
             _parquet(pa.table([pa.array(["a"]), pa.array(["b"])], names=["text", "text"])),
             (("text", "text"), ("a", "b")),
             pandas(REFUSES, "names") | pyarrow_(REFUSES, "names") | duckdb(TITLES, "names")),
            ("names that differ in case", parquet(Text=["a"], text=["b"]),
             (("Text", "text"), ("a", "b")), duckdb(TITLES, "case")),
            ("categories", parquet(text=pa.array(["a", "b"]).dictionary_encode()),
             (("text",), ("a",), ("b",)), {}),
            ("lists and objects",
             parquet(text=["a", "b"], o=[{"n": 1, "x": "z"}, None], n=[[1, 2], []]),
             (("text", "o", "n"), ("a", '{"n": 1, "x": "z"}', "[1, 2]"), ("b", "", "[]")),
             pandas(CELLS, "kinds")),
            ("days and times",
             parquet(text=["a"], day=[DAY], time=[datetime.time(9, 30)],
                     at=pa.array([1_000_000], pa.timestamp("us", tz="UTC"))),
             (("text", "day", "time", "at"),
              ("a", "2024-05-01", "09:30:00", "1970-01-01T00:00:01+00:00")), {}),
            ("nanoseconds", parquet(text=["a"], at=pa.array([1], pa.timestamp("ns"))),
             (("text", "at"), ("a", "1970-01-01 00:00:00.000000001")),
             others(CELLS, "nanoseconds")),
            ("bytes", parquet(text=[b"caf\xc3\xa9"]), (("text",), ("café",)), {}),
            ("decimals", parquet(text=["a"], n=[Decimal("1.10")]), (("text", "n"), ("a", "1.10")),
             {}),
            ("large whole numbers", parquet(text=["a", "b"], n=pa.array([2**63 + 1, None],
                                                                         pa.uint64())),
             (("text", "n"), ("a", "9223372036854775809"), ("b", "")), pandas(CELLS, "kinds")),
            ("a column of nothing", parquet(text=["a"], n=pa.nulls(1)),
             (("text", "n"), ("a", "")), {}),
            ("no rows", parquet(text=pa.array([], pa.string())), (("text",),),
             emolens(REFUSES, "no rows")),
        ]
    ),
]  # fmt: skip

Cells = Sequence[Sequence[Any]]


def workbook(*sheets: Cells, hidden: int = 0) -> bytes:
    """A workbook with these sheets, of which the first ones are hidden."""
    file = io.BytesIO()
    book = xlsxwriter.Workbook(file, {"in_memory": True})
    day, time = (book.add_format({"num_format": f}) for f in ("yyyy-mm-dd", "yyyy-mm-dd hh:mm"))
    for number, rows in enumerate(sheets):
        sheet = book.add_worksheet()
        for place, row in enumerate(rows):
            for column, value in enumerate(row):
                if isinstance(value, datetime.date):
                    form = time if isinstance(value, datetime.datetime) else day
                    sheet.write_datetime(place, column, value, form)
                elif isinstance(value, str) and not value.startswith("="):
                    sheet.write_string(place, column, value)
                elif value is not None:
                    sheet.write(place, column, value)
        if number == hidden:
            sheet.activate()
            sheet.set_first_sheet()
        elif number < hidden:
            sheet.hide()
    book.close()
    return file.getvalue()


HEADER, A, B = ("id", "text"), (1, "a"), (2, "b")
AT = datetime.datetime(2024, 5, 1, 9, 30)
OTHER = (("x",), ("y",))
SURVEY = (("id", "text", "label"), ("1", "a", "joy"), ("2", "b", "anger"))
EXCEL = [
    *(
        Shape(name, content, right, differs, "table.xlsx")
        for name, content, right, differs in [
            ("a sheet", workbook((HEADER, A, B)), AB, {}),
            ("a whole number and another one", workbook((HEADER, (1.5, "a"), B)), of("1.5", "2"),
             pandas(CELLS, "kinds")),
            ("a number that is missing", workbook((HEADER, A, (None, "b"))), of("1", ""),
             pandas(CELLS, "kinds")),
            ("true and false", workbook((HEADER, (True, "a"), (False, "b"))), of("True", "False"),
             {}),
            ("zeros in front", workbook((HEADER, ("007", "a"), ("012", "b"))), of("007", "012"),
             pandas(CELLS, "numbers")),
            ("words for missing values", workbook((HEADER, ("N/A", "a"), ("null", "b"))),
             of("N/A", "null"), pandas(CELLS, "missing words")),
            ("a date and a date with a time", workbook((HEADER, (DAY, "a"), (AT, "b"))),
             of("2024-05-01", "2024-05-01T09:30:00"), pandas(CELLS, "day")),
            ("a formula", workbook((HEADER, ("=1+2", "a"), B)), of("0", "2"), {}),
            ("spaces and line ends", workbook((HEADER, (1, "  a "), (2, "b\nc"))),
             (HEADER, ("1", "  a "), ("2", "b\nc")), {}),
            ("empty rows above", workbook(((), (), HEADER, A, B)), AB, pandas(ROWS, "sheet")),
            ("an empty column in front",
             workbook(tuple((None, *row) for row in (HEADER, A, B))), AB, pandas(TITLES, "sheet")),
            ("a title above",
             workbook((("Survey of May",), (), (*HEADER, "label"), (*A, "joy"), (*B, "anger"))),
             SURVEY, pandas(ROWS, "lines above")),
            ("a hidden first sheet", workbook(OTHER, (HEADER, A, B), hidden=1), AB,
             pandas(ROWS, "sheet")),
            ("an empty first sheet", workbook((), (HEADER, A, B)), AB, pandas(ROWS, "sheet")),
            ("two columns of one name", workbook(((*HEADER, "text"), (*A, "c"), (*B, "d"))),
             ((*HEADER, "text"), ("1", "a", "c"), ("2", "b", "d")), pandas(TITLES, "names")),
            ("a column without a name", workbook(((*HEADER, ""), (*A, "c"), (*B, "d"))),
             ((*HEADER, ""), ("1", "a", "c"), ("2", "b", "d")), pandas(TITLES, "names")),
            ("a header only", workbook((HEADER,)), (HEADER,), emolens(REFUSES, "no rows")),
        ]
    ),
    Shape("a workbook with the ending .csv", workbook((HEADER, A, B)), AB,
          others(REFUSES, "content")),
]  # fmt: skip

SHAPES = [*JSON, *JSON_LINES, *ARROW, *EXCEL]
