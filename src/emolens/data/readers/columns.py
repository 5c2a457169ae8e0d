"""Which columns hold the texts and the labels, and what a text is. The one rule for every use."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any, Literal

from emolens.data.readers.table import Chunk, Table
from emolens.errors import DataError, nearest

# What the columns are usually called, the likelier first.
TEXT_COLUMNS = (
    "text", "sentence", "content", "comment", "message", "tweet", "review", "body", "post",
)  # fmt: skip
LABEL_COLUMNS = (
    "label", "label_name", "labels", "emotion", "class", "category", "sentiment", "target",
)  # fmt: skip
Role = Literal["text", "label"]


def choose_column(table: Table, role: Role, wanted: str | None = None) -> str:
    """The column that is wanted, or the first that has a usual name, in capitals or not."""
    present = table.columns
    if wanted is not None:
        if wanted in present:
            return wanted
        raise DataError(
            f"{table.origin} has no {role} column '{wanted}'.", hint=nearest(wanted, present)
        )
    for usual in TEXT_COLUMNS if role == "text" else LABEL_COLUMNS:
        if usual in present:  # 'text' before 'Text'
            return usual
        if alike := [name for name in present if name.lower() == usual]:
            return alike[0]
    raise DataError(
        f"{table.origin} has no column that looks like the {role}s.",
        hint=f"Name it with --{role}. Present: {', '.join(present)}.",
    )


def texts_of(table: Table, chunk: Chunk, column: str) -> list[str]:
    """The texts of a chunk; a missing one is the empty text."""
    rows = zip(chunk.numbers, chunk.rows, strict=True)
    return [_text(row.get(column), table, number) for number, row in rows]


def is_missing(value: Any) -> bool:
    """Whether a value is None or not a number."""
    return value is None or (isinstance(value, float) and math.isnan(value))


def _text(value: Any, table: Table, number: int) -> str:
    if isinstance(value, str):
        return _encodable(value, table, number)
    if isinstance(value, bytes):
        raise DataError(
            f"{table.where(number)}: the text is bytes that are not UTF-8.",
            hint="Write the column as strings, or choose another one with --text.",
        )
    if isinstance(value, Iterable):
        raise DataError(
            f"{table.where(number)}: the text is a list of values or an object, and no string.",
            hint="Write the column as strings, or choose another one with --text.",
        )
    return "" if is_missing(value) else str(value)


def _encodable(text: str, table: Table, number: int) -> str:
    try:
        text.isascii() or text.encode("utf-8")
    except UnicodeEncodeError as error:
        half = f"\\u{ord(error.object[error.start]):04x}"
        raise DataError(
            f"{table.where(number)}: the text holds {half}, half of a character.",
            hint="Write the text again as UTF-8; a text cut in the middle of an emoji ends so.",
        ) from error
    return text
