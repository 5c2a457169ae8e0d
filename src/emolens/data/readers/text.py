"""The lines of a UTF-8 file, one at a time. Every message names the file and the line."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from emolens.data.readers.source import Source
from emolens.data.readers.table import MOST_BYTES, too_long
from emolens.errors import DataError


def text_lines(source: Source, *, newline: str | None = None) -> Iterator[str]:
    r"""The lines with their ends; a line ends with \n, \r\n or \r.

    newline: as in `open`: None turns every end into \n, '' leaves the ends as they are. A line of
    more than MOST_BYTES is a DataError, before it is read to its end.
    """
    # Bytes that are not UTF-8 become surrogates. A strict decoder would read ahead, and could not
    # say which line has them.
    with source.path.open(encoding="utf-8-sig", errors="surrogateescape", newline=newline) as file:
        next_line = partial(file.readline, MOST_BYTES + 1)
        for number, line in enumerate(iter(next_line, ""), start=1):
            try:
                size = len(line) if line.isascii() else len(line.encode("utf-8"))
            except UnicodeEncodeError as error:
                raise _not_utf8(source, number, bad=line[error.start :]) from error
            if size > MOST_BYTES:
                raise too_long(f"{source}, line {number}", "the line")
            if "\0" in line:
                raise DataError(
                    f"{source}, line {number}: there is a NUL byte; the file is damaged, or it is"
                    " not a text file.",
                    hint="If it is UTF-16 (as some spreadsheets save), save it again as UTF-8.",
                )
            yield line


def _not_utf8(source: Source, number: int, *, bad: str) -> DataError:
    convert = f"Convert it first, for example: iconv -f WINDOWS-1252 -t UTF-8 {source.path.name}"
    utf16 = bad[:2] in ("\udcff\udcfe", "\udcfe\udcff")  # the mark at the start of such a file
    return DataError(
        f"{source}, line {number}: byte 0x{ord(bad[0]) - 0xDC00:02x} is not UTF-8.",
        hint="This is UTF-16. Save it again as UTF-8." if utf16 else convert,
    )


def check_encodable(text: str, where: str) -> None:
    """Raise DataError for a text that UTF-8 can't hold; no tokenizer and no file takes it."""
    try:
        text.encode("utf-8")
    except UnicodeEncodeError as error:
        half = f"\\u{ord(error.object[error.start]):04x}"
        raise DataError(
            f"{where}: {half} is only half of a character.",
            hint="Write the text again as UTF-8. It may have been cut in the middle of an emoji.",
        ) from error
