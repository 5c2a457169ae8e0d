"""Finds out in which encoding a text file is written. Knows no table format.

The whole file decides: its first lines may have no letter beyond ASCII.
"""

from __future__ import annotations

import codecs
import io
import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

from emolens.data.checks import Note
from emolens.data.readers.codepages import PAGES, guess_page
from emolens.data.readers.options import ReadOptions
from emolens.data.readers.source import Source
from emolens.data.readers.text import UTF8, TextFile
from emolens.errors import DataError, UsageError, nearest

_BLOCK = 1 << 16
_SAMPLE = 100_000  # bytes of lines that are not ASCII
# The longer marks come first: the one of UTF-32 begins like the one of UTF-16.
_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_JAPANESE = re.compile(rb"\x1b\$[@B].*?\x1b\([BJ]", re.DOTALL)  # mails have this encoding
_UNICODE = ("utf-8", "utf-16", "utf-16-le", "utf-16-be", "utf-32")
_ALIASES = ("latin-1", "windows-1252", "shift_jis", "gbk", "euc_kr", "ascii")
_IS_UTF8 = 0.7  # of the sequences beyond ASCII; Russian in gb18030 has 0.54, others have less
_MOST_NULS = 0.1  # of the bytes


def text_file(source: Source, options: ReadOptions) -> TextFile:
    """The file with its encoding, and the kind of its line ends.

    options.encoding comes first, then a mark at the start, then UTF-8, then the likeliest code
    page. Raises UsageError for an unknown encoding, and DataError if this is not a text file.
    """
    with source.path.open("rb") as file:
        start = file.read(_BLOCK)
    bom = marked(start)
    if options.encoding is not None:
        encoding, note = _given(options.encoding), None
    elif wide := bom or unmarked(start):
        encoding, note = wide, _unicode_note(source, wide)
    elif _JAPANESE.search(start) and start.isascii():
        encoding, note = "iso2022_jp", _unicode_note(source, "iso-2022-jp")
    else:
        encoding, note = _by_all_bytes(source)
    text = start.decode(encoding, "ignore")
    ends = text.count("\n")
    return TextFile(
        source,
        encoding,
        bom=bom is not None,
        doubled_ends=0 < ends <= 2 * text.count("\r\r\n"),
        strict=options.strict,
        notes=(note,) if note else (),
    )


def _given(encoding: str) -> str:
    try:
        io.TextIOWrapper(io.BytesIO(), encoding)  # only this refuses 'hex' and 'rot13'
        name = codecs.lookup(encoding).name
    except (LookupError, UnicodeError, ValueError) as error:
        raise UsageError(
            f"There is no encoding '{encoding}'.",
            hint=nearest(encoding, {*_UNICODE, *_ALIASES, *PAGES}),
        ) from error
    return UTF8 if name == "utf-8" else name


def _unicode_note(source: Source, encoding: str) -> Note | None:
    """None for UTF-8, which is what all files should be."""
    name = encoding.upper().removesuffix("-LE").removesuffix("-BE")
    return None if encoding == UTF8 else Note("R02", f"{source} has the encoding {name}.")


def _by_all_bytes(source: Source) -> tuple[str, Note | None]:
    """The encoding of a file without a mark, and a note if it is not UTF-8."""
    counts = _counts(source)
    if counts.nuls > _MOST_NULS * counts.size or (counts.nuls and counts.utf8 < _IS_UTF8):
        raise DataError(
            f"{source} is not a text file: it has {counts.nuls:,} NUL bytes.",
            hint="If it is a workbook or another table, give it the ending of its format.",
        )
    if counts.utf8 >= _IS_UTF8:
        return UTF8, None
    guess = guess_page(_sample(source, counts.size))
    note = Note(
        "R02",
        f"{source} is not UTF-8; it is read as {guess.page} ({guess.language} letters).",
        f"If letters are wrong, name another encoding, such as --encoding {guess.other}.",
    )
    return guess.page, note


def marked(start: bytes) -> str | None:
    """The encoding whose mark stands at the start of a file."""
    return next((encoding for mark, encoding in _MARKS if start.startswith(mark)), None)


def unmarked(start: bytes) -> str | None:
    """UTF-16 or UTF-32 without a mark. Where they hold Latin letters or line ends, there are NULs.

    A file of one byte per character would hardly be a text in them.
    """
    if b"\0" not in start:
        return None
    for encoding, width in (("utf-32-le", 4), ("utf-32-be", 4), ("utf-16-le", 2), ("utf-16-be", 2)):
        try:
            text = codecs.getincrementaldecoder(encoding)().decode(start)
        except UnicodeDecodeError:
            continue
        n_latin = len(text.encode("latin-1", "ignore"))
        enough = 0.1 if "\n" in text or "\r" in text else 0.8
        if "\0" not in text and n_latin >= max(enough * len(start) / width, 1):
            return encoding
    return None


@dataclass(frozen=True)
class _Counts:
    """Of a file: its bytes, its NUL bytes, and the share of valid UTF-8 beyond ASCII."""

    size: int
    nuls: int
    utf8: float


def _counts(source: Source) -> _Counts:
    try:
        return _counted(source, "strict")  # most files are UTF-8, and need no more
    except UnicodeDecodeError:
        return _counted(source, "surrogateescape")


def _counted(source: Source, errors: str) -> _Counts:
    size = nuls = valid = wrong = 0
    decoder = codecs.getincrementaldecoder("utf-8")(errors)
    for block in _blocks(source):
        size += len(block)
        nuls += block.count(0)
        text = decoder.decode(block)
        if errors != "strict" and not text.isascii():
            # An encoder that leaves out what is not valid tells how much of it there is.
            n_wrong = len(text) - len(text.encode("utf-16-le", "ignore").decode("utf-16-le"))
            wrong += n_wrong
            valid += len(text) - n_wrong - len(text.encode("ascii", "ignore"))
    wrong += len(decoder.decode(b"", final=True))
    return _Counts(size, nuls, valid / (valid + wrong) if valid + wrong else 1.0)


def _sample(source: Source, size: int) -> bytes:
    """Lines with bytes above 127 from the whole file, some _SAMPLE bytes."""
    n_blocks = size // _BLOCK + 1
    room = _SAMPLE // n_blocks
    lines = []
    for block in islice(_blocks(source), None, None, n_blocks // 500 + 1):
        left = room
        for line in block.splitlines():
            if not line.isascii():
                lines.append(line)
                left -= len(line)
            if left <= 0:
                break
    return b"\n".join(lines)


def _blocks(source: Source) -> Iterator[bytes]:
    with source.path.open("rb") as file:
        while block := file.read(_BLOCK):
            yield block
