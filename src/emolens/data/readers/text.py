"""The lines of a text file, one at a time. Every message names the file and the line."""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial

from emolens.data.checks import Note
from emolens.data.readers.source import Source
from emolens.data.readers.table import MOST_BYTES, too_long
from emolens.errors import DataError

UTF8 = "utf-8-sig"  # with a mark at the start, or without
_KEEP_BYTES = "emolens.keep_bytes"
_DOS_END = "\x1a"  # as the whole last line, the mark by which DOS ended a file
_PIECE = 1 << 16
_ENCODING_HINT = "Correct this line, or name the encoding of the file with --encoding."
HALF_HINT = "Write the text again as UTF-8. It may have been cut in the middle of an emoji."
_KEPT = re.compile("[\0\ud800-\udfff]")


@dataclass(frozen=True)
class TextFile:
    r"""A file whose bytes become lines.

    encoding: a name that Python knows. bom: whether the file begins with a mark of its encoding.
    doubled_ends: whether lines end with \r\r\n, as a program writes that turns \n into \r\n twice.
    strict: whether a damaged line is an error. notes: what was guessed.
    """

    source: Source
    encoding: str = UTF8
    bom: bool = False
    doubled_ends: bool = False
    strict: bool = False
    notes: tuple[Note, ...] = ()

    @property
    def needs_mark(self) -> bool:
        """Whether a copy in UTF-8 must begin with a mark, so that Excel reads it as this file."""
        return self.bom or self.encoding != UTF8

    def lines(self, errors: dict[int, str], newline: str | None = None) -> Iterator[str]:
        r"""The lines with their ends; a line ends with \n, \r\n or \r.

        errors: gets a sentence for the number of each damaged line, which holds a NUL byte or a
        byte of another encoding; the byte becomes U+FFFD. A line of more than MOST_BYTES is a
        DataError, before it is read to its end. newline: as in `open`: None turns every end into
        \n, '' leaves the ends as they are.
        """
        for number, line in enumerate(self._raw_lines(newline), start=1):
            if line == _DOS_END:
                continue
            if line.isascii() and len(line) <= MOST_BYTES and "\0" not in line:
                yield line
                continue
            try:
                size = len(line.encode("utf-8"))
            except UnicodeEncodeError:
                size = 0 if len(line) < MOST_BYTES else len(line)
            if size > MOST_BYTES:
                raise too_long(f"{self.source}, line {number}", "the line")
            if size and "\0" not in line:
                yield line
            else:
                self.put(errors, number, self._damage(line), hint=_ENCODING_HINT)
                yield _KEPT.sub("\ufffd", line)

    def pieces(self, damages: list[str]) -> Iterator[str]:
        """The characters in pieces, for a format in which line ends do not matter.

        damages: gets a sentence for each damaged piece, in which U+FFFD stands for such bytes.
        """
        line = 1
        for piece in self._raw_lines(None, most=_PIECE):
            if damaged := _KEPT.search(piece):
                errors: dict[int, str] = {}
                number = line + piece.count("\n", 0, damaged.start())
                self.put(errors, number, self._damage(piece), hint=_ENCODING_HINT)
                damages += errors.values()
            yield _KEPT.sub("\ufffd", piece) if damaged else piece
            line += piece.count("\n")

    def put(
        self, errors: dict[int, str], number: int, why: str, *, hint: str, unit: str = "line"
    ) -> None:
        """Keep why a line or a row can't be read as it should; an error if the user is strict."""
        if self.strict:
            raise self.error(number, why, hint=hint, unit=unit)
        errors[number] = "; ".join(filter(None, [errors.get(number), f"{unit} {number}: {why}"]))

    def error(self, number: int, why: str, *, hint: str, unit: str = "line") -> DataError:
        """The error about a line or a row."""
        return DataError(f"{self.source}, {unit} {number}: {why}.", hint=hint)

    def _raw_lines(self, newline: str | None, *, most: int = MOST_BYTES) -> Iterator[str]:
        """The lines, in which a surrogate stands for each byte of another encoding."""
        codecs.register_error(_KEEP_BYTES, _keep_bytes)
        path = self.source.path
        with path.open(encoding=self.encoding, errors=_KEEP_BYTES, newline=newline) as file:
            lines = iter(partial(file.readline, most + 1), "")
            lines = _without_mark(lines)
            if self.doubled_ends:
                lines = _joined_ends(lines, "\n" if newline is None else "\r")
            yield from lines

    def _damage(self, line: str) -> str:
        """What is wrong with a line, such as a byte in it that is not UTF-8."""
        kept = _KEPT.findall(line)[0]
        if kept == "\0":
            return "there is a NUL byte; the line is damaged"
        encoding = self.encoding.removesuffix("-sig").upper()
        return f"byte 0x{ord(kept) & 0xFF:02x} is not {encoding}"


def _without_mark(lines: Iterator[str]) -> Iterator[str]:
    if first := next(lines, "").lstrip("\ufeff"):
        yield first
    yield from lines


def _joined_ends(lines: Iterator[str], end: str) -> Iterator[str]:
    r"""The lines of a file with \r\r\n at their ends: each is followed by one that is empty."""
    ended = False
    for line in lines:
        if ended and line in ("\n", "\r\n"):
            ended = False
            continue
        ended = line.endswith(end)
        yield line


def _keep_bytes(error: UnicodeError) -> tuple[str, int]:
    """Turn each byte that can't be decoded into a surrogate, from which it can be named."""
    if not isinstance(error, UnicodeDecodeError):
        raise error
    wrong = error.object[error.start : error.end]
    return "".join(chr(0xDC00 + byte) for byte in wrong), error.end


def half_character(text: str) -> str | None:
    """What is wrong with a text that UTF-8 can't hold: no tokenizer and no file takes it."""
    try:
        text.encode("utf-8")
    except UnicodeEncodeError as error:
        return f"\\u{ord(error.object[error.start]):04x} is only half of a character"
    return None
