"""Signs that a sheet has lost: saving a CSV, Excel writes ? for what its encoding lacks.

An emoji becomes ??, the file does not say so, and the model answers another text.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from emolens.data.checks import Note, agreeing, counted
from emolens.data.readers.columns import spelled, texts_of
from emolens.data.readers.encoding import text_file
from emolens.data.readers.open import open_table, source_of
from emolens.data.readers.options import ReadOptions
from emolens.data.readers.source import Source
from emolens.errors import EmolensError
from emolens.judge.sheet import PAGE, ROW, TEXT

_TEXT_FILES = ("csv", "tsv", "txt")
# Two of them, one behind a space, or one inside a word.
_DOUBTFUL = re.compile(r"\?\?|(?<!\S)\?|\w\?\w")
_ADDRESS = re.compile(r"\S*(?:://|www\.)\S*")  # of the web, where a ? has its place
_REPLACED = re.compile(r"(?:[^\x00-\x7f]|[?_])+")  # Excel for macOS writes _


def with_lost_signs(
    source: Source, read: ReadOptions, rows: Sequence[int | None], texts: Sequence[str]
) -> tuple[list[str], list[Note]]:
    """The texts as they were drawn, and notes about those that have lost signs, or may have.

    rows: their numbers in the table. If NAME.csv is the sheet, the texts of NAME.xlsx beside it are
    taken for those that differ from them by lost signs only.
    """
    if not _may_lack_signs(source, read, texts):
        return list(texts), []
    drawn = _drawn_beside(source)
    whole = [drawn.get(row, "") if row is not None else "" for row in rows]
    lost = [_has_lost(text, before) for text, before in zip(texts, whole, strict=True)]
    n_doubtful = sum(
        _may_have_lost(text) and not gone and text.split() != before.split()
        for text, before, gone in zip(texts, whole, lost, strict=True)
    )
    notes = [*_restored(source, sum(lost)), *_doubtful(n_doubtful)]
    return [w if gone else t for t, w, gone in zip(texts, whole, lost, strict=True)], notes


def _may_have_lost(text: str) -> bool:
    return bool(_DOUBTFUL.search(_ADDRESS.sub("", text)))


def _may_lack_signs(source: Source, read: ReadOptions, texts: Sequence[str]) -> bool:
    """Whether the file may have been saved in an encoding that lacks emoji."""
    if source.format not in _TEXT_FILES:
        return False
    file = text_file(source, read)
    return not file.encoding.startswith("utf") or (
        not file.needs_mark and all(map(str.isascii, texts))
    )


def _drawn_beside(source: Source) -> dict[int, str]:
    """By row, the texts of the workbook from which the file was saved, if it lies beside it."""
    path = source.like.with_suffix(".xlsx")
    if not path.is_file():
        return {}
    texts: dict[int, str] = {}
    try:
        with source_of(path) as workbook:
            table = open_table(workbook, labelled=False, options=ReadOptions(sheet=PAGE))
            row, text = spelled(table, ROW), spelled(table, TEXT)
            if row is None or text is None:
                return {}
            for chunk in table.chunks(row, text):
                numbers = [str(values.get(row)) for values in chunk.rows]
                found = zip(numbers, texts_of(table, chunk, text), strict=True)
                texts |= {int(number): text for number, text in found if number.isdecimal()}
    except EmolensError:  # it is no sheet of emolens
        return {}
    return texts


def _has_lost(text: str, drawn: str) -> bool:
    """Whether a text is the one that was drawn, with ? in place of signs."""
    more = sum(text.count(sign) - drawn.count(sign) for sign in "?_")
    return more > 0 and _skeleton(text) == _skeleton(drawn)


def _skeleton(text: str) -> str:
    return " ".join(_REPLACED.sub("?", text).split())


def _restored(source: Source, n: int) -> list[Note]:
    if not n:
        return []
    text = (
        f"{counted(n, 'text', 'have')} '?' in {source} in place of signs such as emoji, and"
        f" {agreeing(n, 'are')} read as drawn, from {source.like.with_suffix('.xlsx')}."
    )
    return [Note("T02", text, n_rows=n)]


def _doubtful(n: int) -> list[Note]:
    if not n:
        return []
    text = (
        f"{counted(n, 'text', 'hold')} a '?' that may stand for a lost sign, such as an emoji:"
        " Excel writes it when it saves a sheet as CSV. The model reads the texts as they are now."
    )
    hint = (
        "Save a sheet as .xlsx or 'CSV UTF-8'; to get lost signs back, copy your labels into the"
        " sheet that was drawn."
    )
    return [Note("T02", text, hint, n)]
