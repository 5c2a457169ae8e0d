"""Shapes of text between delimiters."""

from __future__ import annotations

import gzip
import io
import zipfile

from tests.differential.shapes import (
    AB,
    CELLS,
    COMMAS,
    REFUSES,
    ROWS,
    THREE,
    TITLES,
    Shape,
    duckdb,
    emolens,
    others,
    pandas,
    pyarrow_,
)  # fmt: skip


def text(content: str, encoding: str = "utf-8") -> bytes:
    return content.encode(encoding)


def zipped(content: bytes) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("table.csv", content)
    return file.getvalue()


BY_COMMA = pandas(TITLES, "delimiter") | pyarrow_(REFUSES, "delimiter")
PLAIN = b"id,text\n1,a\n2,b\n"
LONG = "x" * 300_000
LINED = "well\n" * 1_500
WORDS = ("N/A", "null", "None", "nan", "b")
FRENCH = "très déçu de ça", "c'était l’été"
ACCENTS = [(str(i), "naïve été") for i in range(4, 60)]

DELIMITERS = [
    Shape("commas", PLAIN, AB),
    Shape(
        "a comma, quotes and a line end in quotes",
        b'id,text\n1,"a, ""b"" and\nc"\n2,b\n',
        (("id", "text"), ("1", 'a, "b" and\nc'), ("2", "b")),
    ),
    Shape("semicolons", b"id;text\n1;a, b\n2;c, d\n", COMMAS, BY_COMMA),
    Shape("tabs in .csv", b"id\ttext\n1\ta, b\n2\tc, d\n", COMMAS, BY_COMMA),
    Shape("tabs in .tsv", b"id\ttext\n1\ta, b\n2\tc, d\n", COMMAS, {}, "table.tsv"),
    Shape("pipes", b"id|text\n1|a, b\n2|c, d\n", COMMAS, BY_COMMA),
    Shape(
        "decimal commas",
        b"n;text\n1,5;a\n2,25;b\n",
        (("n", "text"), ("1,5", "a"), ("2,25", "b")),
        BY_COMMA,
    ),
    Shape(
        "a sep= line",
        b"sep=;\nid;text\n1;a\n2;b\n",
        AB,
        others(ROWS, "sep"),
    ),
    Shape(
        "a space after each delimiter",
        b'id, text\n1, "a, b"\n2, "c, d"\n',
        COMMAS,
        pandas(TITLES, "space before a quote") | pyarrow_(REFUSES, "space before a quote"),
    ),
    Shape(
        "one column with commas",
        b"text\nwell, yes\nso, so, so\nno\n",
        (("text",), ("well, yes",), ("so, so, so",), ("no",)),
        pandas(REFUSES, "one column") | pyarrow_(REFUSES, "one column"),
    ),
    Shape("one column", b"text\na\nb\n", (("text",), ("a",), ("b",))),
]

ENCODINGS = [
    Shape("a mark of UTF-8", b"\xef\xbb\xbf" + PLAIN, AB),
    Shape(
        "UTF-16",
        text("id,text\n1,café\n2,b\n", "utf-16"),
        (("id", "text"), ("1", "café"), ("2", "b")),
        others(REFUSES, "encoding"),
    ),
    Shape(
        "Windows-1252",
        text(f"id,text\n1,{FRENCH[0]}\n2,{FRENCH[1]}\n", "cp1252"),
        (("id", "text"), ("1", FRENCH[0]), ("2", FRENCH[1])),
        others(REFUSES, "encoding") | pyarrow_(CELLS, "encoding"),
    ),
    Shape(
        "one damaged byte",
        b"id,text\n1,caf\xc3\xa9\n2,b\xff\n"
        + "".join(f"{number},{cell}\n" for number, cell in ACCENTS).encode(),
        (("id", "text"), ("1", "café"), ("2", "b\ufffd"), *ACCENTS),
        others(REFUSES, "bad byte") | pyarrow_(CELLS, "bad byte"),
    ),
    Shape(
        "signs that end lines elsewhere",
        text("id,text\n1,a\u2028b\x85c\n2,d\n"),
        (("id", "text"), ("1", "a\u2028b\x85c"), ("2", "d")),
    ),
    Shape(
        "a NUL byte",
        b"id,text\n1,a\0b\n2,c\n",
        (("id", "text"), ("1", "a\ufffdb"), ("2", "c")),
        others(CELLS, "nul"),
    ),
]

LINES = [
    Shape("CR LF", b"id,text\r\n1,a\r\n2,b\r\n", AB),
    Shape("CR", b"id,text\r1,a\r2,b\r", AB),
    Shape(
        "CR CR LF",
        b"id,text\r\r\n1,a\r\r\n2,b\r\r\n",
        AB,
        duckdb(REFUSES, "line ends"),
    ),
    Shape(
        "mixed line ends",
        b"id,text\n1,a\r\n2,b\n",
        AB,
        duckdb(REFUSES, "line ends"),
    ),
    Shape(
        "CR LF in quotes",
        b'id,text\r\n1,"a\r\nb"\r\n2,c\r\n',
        (("id", "text"), ("1", "a\r\nb"), ("2", "c")),
    ),
    Shape("no last line end", b"id,text\n1,a\n2,b", AB),
    Shape("blank lines", b"\n\nid,text\n\n1,a\n\n\n2,b\n", AB),
    Shape(
        "rows of commas, as Excel writes them",
        b"id,text\n1,a\n2,b\n,\n,\n",
        (*AB, ("", ""), ("", "")),
        pandas(CELLS, "numbers"),
    ),
]

FIELDS = [
    Shape(
        "a row with one field less",
        b"id,text,note\n1,a,x\n2,b\n3,c,z\n",
        (("id", "text", "note"), ("1", "a", "x"), ("2", "b", ""), ("3", "c", "z")),
        pyarrow_(REFUSES, "ragged") | duckdb(TITLES, "ragged"),
    ),
    Shape(
        "a row with one field more",
        b"id,text\n1,a\n2,b,more\n3,c\n",
        (*AB, ("3", "c")),
        pandas(REFUSES, "ragged") | pyarrow_(REFUSES, "ragged") | duckdb(TITLES, "ragged"),
    ),
    Shape(
        "a comma at the end of each row",
        b"id,text\n1,a,\n2,b,\n",
        AB,
        pandas(CELLS, "one field more") | pyarrow_(REFUSES, "one field more"),
    ),
    Shape(
        "a comma at the end of each line",
        b"id,text,\n1,a,\n2,b,\n",
        (("id", "text", ""), ("1", "a", ""), ("2", "b", "")),
        pandas(TITLES, "names") | duckdb(TITLES, "names"),
    ),
    Shape(
        "quotes in the middle of a text",
        b'id,text\n1,a 5" nail\n2,a 6" nail\n',
        (("id", "text"), ("1", 'a 5" nail'), ("2", 'a 6" nail')),
    ),
    Shape(
        "backslashes before quotes",
        b'id,text\n1,"he said \\"no, never\\" twice"\n2,b\n3,"and \\"so, on\\""\n',
        (("id", "text"), ("1", 'he said "no, never" twice'), ("2", "b"), ("3", 'and "so, on"')),
        pandas(CELLS, "quotes") | pyarrow_(REFUSES, "quotes"),
    ),
    Shape(
        "a quote that is never closed",
        b'id,text\n1,"a\n2,b\n3,c\n',
        (("id", "text"), ("1", '"a'), ("2", "b"), ("3", "c")),
        pandas(REFUSES, "open quote") | pyarrow_(ROWS, "open quote"),
    ),
    Shape(
        "single quotes around texts",
        b"id,text\n1,'a, b'\n2,'c, d'\n",
        COMMAS,
        pandas(CELLS, "single quotes") | pyarrow_(REFUSES, "single quotes"),
    ),
    Shape(
        "a text of 1,500 lines",
        text(f'id,text\n1,"{LINED}"\n2,b\n'),
        (("id", "text"), ("1", LINED), ("2", "b")),
    ),
    Shape(
        "plain quotes around rows",
        b'id\ttext\n1\t"so it goes\n2\tb\n3\tc"\n4\td\n',
        (("id", "text"), ("1", '"so it goes'), ("2", "b"), ("3", 'c"'), ("4", "d")),
        others(ROWS, "plain quotes"),
        "table.tsv",
    ),
    Shape("an empty text in quotes", b'id,text\n1,""\n2,b\n', (AB[0], ("1", ""), AB[2])),
    Shape(
        "spaces around texts",
        b"id,text\n1,  a \n2, b\n",
        (("id", "text"), ("1", "  a "), ("2", " b")),
    ),
    Shape(
        "a text of 300,000 signs",
        text(f"id,text\n1,{LONG}\n2,b\n"),
        (("id", "text"), ("1", LONG), ("2", "b")),
    ),
]

HEADERS = [
    Shape(
        "two columns of one name",
        b"text,label,label\na,joy,x\nb,anger,y\n",
        (("text", "label", "label"), ("a", "joy", "x"), ("b", "anger", "y")),
        pandas(TITLES, "names") | duckdb(TITLES, "names"),
    ),
    Shape(
        "columns without a name",
        b"id,text,,\n1,a,x,y\n2,b,z,w\n",
        (("id", "text", "", ""), ("1", "a", "x", "y"), ("2", "b", "z", "w")),
        pandas(TITLES, "names") | duckdb(TITLES, "names"),
    ),
    Shape(
        "an index without a name",
        b",text,label\n0,a,joy\n1,b,anger\n",
        (("", "text", "label"), ("0", "a", "joy"), ("1", "b", "anger")),
        pandas(TITLES, "names") | duckdb(ROWS, "header of numbers"),
    ),
    Shape(
        "names that are numbers",
        b"text,2023,2024\na,1,2\nb,3,4\n",
        (("text", "2023", "2024"), ("a", "1", "2"), ("b", "3", "4")),
        duckdb(ROWS, "header of numbers"),
    ),
    Shape(
        "names that differ in case",
        b"Text,text\na,b\nc,d\n",
        (("Text", "text"), ("a", "b"), ("c", "d")),
        duckdb(TITLES, "case"),
    ),
    Shape(
        "spaces around names",
        b" id , text \n1,a\n2,b\n",
        ((" id ", " text "), *AB[1:]),
        duckdb(TITLES, "spaces in names"),
    ),
    Shape(
        "no header",
        b"so happy today,joy\nso very sad,sadness\nno way at all,anger\n",
        (("1", "2"), ("so happy today", "joy"), ("so very sad", "sadness"),
         ("no way at all", "anger")),
        others(ROWS, "no header"),
    ),
    Shape(
        "a title above",
        b"Survey of May\n\nid,text,label\n1,a,joy\n2,b,anger\n3,c,joy\n",
        THREE,
        pandas(ROWS, "lines above") | pyarrow_(REFUSES, "lines above"),
    ),
    Shape(
        "comments above",
        b"# made by hand\n# in May\nid,text,label\n1,a,joy\n2,b,anger\n3,c,joy\n",
        THREE,
        pandas(REFUSES, "lines above") | pyarrow_(REFUSES, "lines above"),
    ),
    Shape("a header only", b"id,text\n", AB[:1], emolens(REFUSES, "no rows")),
]  # fmt: skip


def two(first: str, second: str, name: str = "id") -> bytes:
    return f"{name},text\n{first},a\n{second},b\n".encode()


def right_two(first: str, second: str, name: str = "id") -> tuple[tuple[str, str], ...]:
    return ((name, "text"), (first, "a"), (second, "b"))


BOTH = pandas(CELLS, "numbers") | pyarrow_(CELLS, "numbers")
VALUES = [
    Shape(
        "words for missing values",
        "".join(["id,text\n", *(f"x{i},{word}\n" for i, word in enumerate(WORDS))]).encode(),
        (("id", "text"), *((f"x{i}", word) for i, word in enumerate(WORDS))),
        pandas(CELLS, "missing words"),
    ),
    Shape("zeros in front", two("007", "012"), right_two("007", "012"), BOTH),
    Shape("numbers in quotes", two('"01"', '"02"'), right_two("01", "02"), BOTH),
    Shape(
        "23 digits",
        two("12345678901234567890123", "2"),
        right_two("12345678901234567890123", "2"),
        pyarrow_(CELLS, "numbers"),
    ),
    Shape(
        "zeros behind", two("1.10", "2.0"), right_two("1.10", "2.0"), others(CELLS, "numbers")
    ),
    Shape("exponents", two("1e5", "12E3"), right_two("1e5", "12E3"), others(CELLS, "numbers")),
    Shape(
        "more digits than a float has",
        two("0.10000000000000000555", "2.5"),
        right_two("0.10000000000000000555", "2.5"),
        others(CELLS, "numbers"),
    ),
    Shape("a number that is missing", two("1", ""), right_two("1", ""), pandas(CELLS, "numbers")),
    Shape("true and false", two("true", "false"), right_two("true", "false"),
          others(CELLS, "truth")),
    Shape("dates in ISO form", two("2024-05-01", "2024-05-02"),
          right_two("2024-05-01", "2024-05-02")),
    Shape("other dates", two("01.05.2024", "31.05.2024"), right_two("01.05.2024", "31.05.2024"),
          duckdb(CELLS, "times")),
    Shape("times", two("9:30", "10:05"), right_two("9:30", "10:05"), duckdb(CELLS, "times")),
    Shape("dates with a time", two("2024-05-01T10:00:00Z", "2024-05-01 11:00"),
          right_two("2024-05-01T10:00:00Z", "2024-05-01 11:00"), duckdb(CELLS, "times")),
    Shape("infinity", two("inf", "-inf"), right_two("inf", "-inf"), duckdb(CELLS, "times")),
    Shape("percent", two("5%", "10%"), right_two("5%", "10%")),
    Shape("thousands", two('"1,234"', '"2,500"'), right_two("1,234", "2,500")),
]  # fmt: skip

PACKED = [
    Shape("gz", gzip.compress(PLAIN), AB, {}, "table.csv.gz"),
    Shape(
        "zip",
        zipped(PLAIN),
        AB,
        pyarrow_(REFUSES, "packed") | duckdb(REFUSES, "packed"),
        "table.csv.zip",
    ),
    Shape("gz with the ending .csv", gzip.compress(PLAIN), AB, others(REFUSES, "content")),
    Shape(
        "JSON with the ending .csv",
        b'[{"id": 1, "text": "a"}, {"id": 2, "text": "b"}]',
        AB,
        others(ROWS, "content") | pyarrow_(REFUSES, "content"),
    ),
]

SHAPES = [*DELIMITERS, *ENCODINGS, *LINES, *FIELDS, *HEADERS, *VALUES, *PACKED]
