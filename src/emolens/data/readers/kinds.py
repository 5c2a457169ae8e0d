"""Finds out the format of a file from its content, and says it where the ending says another.

Knows the first bytes of formats, and opens no table.
"""

from __future__ import annotations

import codecs
import json
import re
import zipfile
from dataclasses import replace
from pathlib import Path

from emolens.data.checks import Note
from emolens.data.readers.columns import any_usual
from emolens.data.readers.dialect import USUAL, find_dialect
from emolens.data.readers.encoding import marked, unmarked
from emolens.data.readers.endings import ENDINGS, PACKED
from emolens.data.readers.source import Source
from emolens.errors import DataError

_HEAD = 1 << 16
_LINES = 20  # lines that are looked at for a delimiter
_CONTROL = re.compile(rb"[\x01-\x08\x0e-\x1a\x1c-\x1f]")
_TEXT_FORMATS = ("csv", "tsv", "txt")
_WORKBOOKS = ("xlsx", "xls", "xlsb", "ods")
_DOCUMENTS = {
    "word": "a document of words",
    "slides": "a document of slides",
    "numbers": "a file of Numbers",
}
_STARTS = {
    b"PAR1": "parquet",
    b"ARROW1": "arrow",
    b"\xff\xff\xff\xff": "arrow",
    b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1": "xls",
    b"\x1f\x8b\x08": "gz",
    b"BZh": "bz2",
    b"\xfd7zXZ\0": "xz",
    b"\x28\xb5\x2f\xfd": "zst",
    b"PK\x03\x04": "zip",
    b"PK\x05\x06": "zip",
}
# What people give by mistake, and what to do about it.
_SAVE = "Save the table in it as .csv, .xlsx, .jsonl or .parquet."
_AGAIN = "Download the file itself."
_PAGE = "Download the file itself; or open it in Excel or LibreOffice, and save it as .xlsx."
_WHOLE_TEXTS = "Write each text as a whole into one row, and its label beside it."
_SAVE_THERE = "Save it as .csv in that program."
_UNSCRIPT = "Delete what stands before the first [, and save the rest as .json."
_UNPACK = "Unpack it, and give the table that is in it."
_FOREIGN = {
    b"%PDF": ("a PDF document", _SAVE),
    b"{\\rtf": ("an RTF document", _SAVE),
    b"SQLite format 3\0": ("an SQLite database", _SAVE),
    b"\x89HDF": ("an HDF5 file", _SAVE),
    b"\x93NUMPY": ("an array of NumPy", _SAVE),
    **dict.fromkeys(
        (b"\x80\x02", b"\x80\x03", b"\x80\x04\x95", b"\x80\x05\x95"),
        ("a pickle of Python, which can run programs", _SAVE),
    ),
    b"FEA1": ("a Feather file of the old version 1", _SAVE),
    b"Obj\x01": ("an Avro file", _SAVE),
    b"Rar!": ("a RAR archive", _UNPACK),
    b"7z\xbc\xaf\x27\x1c": ("a 7z archive", _UNPACK),
    b"\x89PNG": ("a picture", _SAVE),
    b"\xff\xd8\xff": ("a picture", _SAVE),
    b"version https://git-lfs": ("a pointer of Git LFS, not the file itself", _AGAIN),
    **dict.fromkeys((b"<!doctype html", b"<html", b"<head>", b"<table"), ("a web page", _PAGE)),
    b"<?xml": ("an XML file", _SAVE),
    **dict.fromkeys(
        (b"insert into", b"create table", b"drop table", b"-- mysql dump", b"-- postgresql"),
        ("a file of SQL", _SAVE_THERE),
    ),
    **dict.fromkeys((b"$fl2", b"$fl3"), ("a file of SPSS", _SAVE_THERE)),
    b"<stata_dta>": ("a file of Stata", _SAVE_THERE),
    # Until Stata 12: the version, and the order of the bytes in numbers.
    **dict.fromkeys(
        (bytes((version, order, 1)) for version in (113, 114, 115) for order in (1, 2)),
        ("a file of Stata", _SAVE_THERE),
    ),
    b"window.ytd.": ("a script of an archive of Twitter", _UNSCRIPT),
    **dict.fromkeys((b"rdx2\n", b"rdx3\n", b"x\n\0\0\0"), ("a file of R", _SAVE_THERE)),
}
_YAML = re.compile(
    rb"(---\s*\n)?(\w+:\s*\n)?\s*- (\w+): .*\r?\n\s+\w+: .*\r?\n(.*\r?\n)*?\s*- \3: "
)
_XML = re.compile(
    rb"(?>(?:<!--.*?-->\s*)*)<([A-Za-z_][\w.:-]*)(\s[^<>]*)?>.*</[\w.:-]+>", re.DOTALL
)
_CONLL = re.compile(
    rb"(?:#.*\n|[ \t\r]*\n)*(?:\S+[ \t]+(?:\S+[ \t]+)*(?:O|[BI]-\S+)[ \t\r]*\n){2,}[ \t\r]*\n"
)
_ARFF = re.compile(rb"^@relation\b.*^@attribute\b", re.IGNORECASE | re.MULTILINE | re.DOTALL)


def recognised(source: Source, wanted: str | None) -> Source:
    """The source with its format, a value of ENDINGS or PACKED; a note if the ending says another.

    wanted: the format that the user named; it decides, unless the file holds another one. Raises
    DataError for a file that holds no table, and OSError.
    """
    with source.path.open("rb") as file:
        head = file.read(_HEAD)
    ending = source.like.suffix.lower()
    expected = ENDINGS.get(ending) or PACKED.get(ending)
    kind = _kind(source.path, head, expected)
    if wanted is not None:
        return replace(source, format=kind if kind and kind in PACKED.values() else wanted)
    if kind is None:
        _refuse_foreign(head, source.name)
        text = _text(head)
        if text is None and expected is None:
            raise DataError(
                f"emolens can't read {source}: neither its ending nor its content is known.",
                hint=f"Known endings: {', '.join([*ENDINGS, *PACKED])}.",
            )
        kind = (_kind_of_text(text, expected) if text is not None else None) or expected or "txt"
    if kind in _DOCUMENTS:
        raise _foreign(source.name, _DOCUMENTS[kind], _SAVE)
    notes = () if kind == expected else (_note(source.name, kind, ending),)
    return replace(source, format=kind, notes=(*source.notes, *notes))


def _note(name: str, kind: str, ending: str) -> Note:
    shown = f"its ending {ending}" if ending else "its name, which has no ending"
    return Note(
        "R01",
        f"{name} is read as {kind}, because of its content and not of {shown}.",
        "If that is wrong, name the format, for example: --format csv"
        if kind in ("json", "jsonl", *_TEXT_FORMATS)
        else "",
    )


def _kind(path: Path, head: bytes, expected: str | None) -> str | None:
    kind = next((kind for start, kind in _STARTS.items() if head.startswith(start)), None)
    if kind == "bz2" and head[4:10] != b"1AY&SY":  # a text may begin with BZh
        return None
    return _kind_of_zip(path, expected) if kind == "zip" else kind


def _kind_of_zip(path: Path, expected: str | None) -> str:
    """Workbooks and documents are zip files, too."""
    try:
        with zipfile.ZipFile(path) as file:
            names = set(file.namelist())
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError):
        return expected if expected in _WORKBOOKS else "zip"
    if "[Content_Types].xml" in names:
        folders = {name.partition("/")[0] for name in names}
        if "xl" in folders:
            return "xlsb" if "xl/workbook.bin" in names else "xlsx"
        return "word" if "word" in folders else "slides" if "ppt" in folders else "zip"
    if {"mimetype", "content.xml"} <= names:
        return "ods"
    if any(name.startswith("Index/") and name.endswith(".iwa") for name in names):
        return "numbers"
    return "zip"


def _refuse_foreign(head: bytes, name: str) -> None:
    text = head.removeprefix(codecs.BOM_UTF8).lstrip()
    for sign, (what, hint) in _FOREIGN.items():
        if text[:40].lower().startswith(sign) or head.startswith(sign):
            raise _foreign(name, what, hint)
    if _XML.match(text) and _are_tags(text):
        raise _foreign(name, *_FOREIGN[b"<?xml"])
    if _ARFF.search(head):
        raise _foreign(name, "a file of Weka (ARFF)", _SAVE_THERE)
    if _CONLL.match(text):
        raise _foreign(name, "a file of words with tags (CoNLL)", _WHOLE_TEXTS)
    if _YAML.match(head) or (name.lower().endswith((".yaml", ".yml")) and head[:1] not in b"{["):
        raise _foreign(name, "a YAML file", _SAVE)
    if head[257:262] == b"ustar":
        raise _foreign(name, "a tar archive", _UNPACK)


def _are_tags(text: bytes) -> bool:
    """Whether most lines begin with a tag. In texts, single words may stand in such brackets."""
    lines = [line.lstrip() for line in text.splitlines()[:_LINES] if line.strip()]
    return sum(line.startswith(b"<") for line in lines) > 0.5 * len(lines)


def _foreign(name: str, what: str, hint: str) -> DataError:
    return DataError(f"{name} is {what}, and no table that emolens reads.", hint=hint)


def _text(head: bytes) -> str | None:
    """The characters at the start of a text file; None for other files."""
    if encoding := marked(head) or unmarked(head):
        return head.decode(encoding, "ignore").lstrip("\ufeff")
    if b"\0" in head or _CONTROL.search(head):
        return None
    return head.decode("utf-8", "replace")


def _kind_of_text(text: str, expected: str | None) -> str | None:
    """json or jsonl if the text begins so; csv, tsv or txt where the ending says nothing."""
    lines = [line for line in text.splitlines() if line.strip()]
    if not lines:
        return None
    first = lines[0].strip()
    if first[0] in "{[":
        return _kind_of_json(first, lines, expected)
    if all(line.startswith("__label__") for line in lines[:_LINES]):  # of fastText
        return "txt"
    if expected in _TEXT_FORMATS:
        return expected
    if expected in ("json", "jsonl") and any(line.strip()[0] in "{[" for line in lines):
        return expected  # a broken line at the start
    return _kind_of_lines(text)


def _kind_of_json(first: str, lines: list[str], expected: str | None) -> str | None:
    whole = _parsed(first)
    if isinstance(whole, dict):
        return "json" if expected == "json" and len(lines) == 1 else "jsonl"
    if expected == "jsonl":
        pretty = first in ("{", "[", "[{")
        return "json" if pretty or (first[0] == "[" and len(lines) == 1) else "jsonl"
    if expected in ("json", None):
        return "json"
    # A text or a header may begin with a bracket.
    start = "".join("".join(lines[:3]).split())[:3]
    if start.startswith("{'"):  # lines as Python prints them: the reader says what is wrong
        return "jsonl"
    return "json" if start.startswith(('{"', '[{"')) else expected


def _parsed(line: str) -> object:
    try:
        return json.loads(line)
    except (ValueError, RecursionError):
        return None


def _kind_of_lines(text: str) -> str | None:
    """csv or tsv if the first rows have the same number of fields, or a usual name."""
    whole = text[: text.rfind("\n") + 1] or text
    lines = whole.splitlines(keepends=True)[:_LINES]
    found = find_dialect(lines, None)
    named = any_usual(next(found.dialect.read(lines, strict=False)))
    alike = found.width > 1 and found.share == 1 and len(lines) > 1
    if named or (alike and found.dialect.delimiter in USUAL):
        return "tsv" if found.dialect.delimiter == "\t" else "csv"
    return None
