"""The lines of a UTF-8 file, one at a time. Every message names the file and the line."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from emolens.errors import DataError


def text_lines(path: Path, *, newline: str | None = None) -> Iterator[str]:
    r"""The lines with their ends; a line ends with \n, \r\n or \r.

    newline: as `open` has it: None makes every end \n, '' leaves ends as they are.
    """
    try:
        with path.open(encoding="utf-8-sig", newline=newline) as file:
            for number, line in enumerate(file, start=1):
                if "\0" in line:
                    raise DataError(
                        f"{path}, line {number}: there is a NUL byte; this is no text file, or a"
                        " damaged one.",
                        hint="If it is UTF-16 (as some spreadsheets save), save it again as UTF-8.",
                    )
                yield line
    except UnicodeDecodeError as error:
        raise _not_utf8(path) from error


def _not_utf8(path: Path) -> DataError:
    """Look for the first byte that is not UTF-8: the decoder does not know its line."""
    before, bad = 0, b""
    with path.open("rb") as file:
        for raw in file:
            try:
                raw.decode("utf-8")
            except UnicodeDecodeError as error:
                before += _ends(raw[: error.start])
                bad = raw[error.start :]
                break
            before += _ends(raw)
    return DataError(
        f"{path}, line {before + 1}: byte 0x{bad[:1].hex()} is not UTF-8.",
        hint="This is UTF-16. Save it again as UTF-8."
        if bad[:2] in (b"\xff\xfe", b"\xfe\xff")
        else f"Convert it first, for example: iconv -f WINDOWS-1252 -t UTF-8 {path.name}",
    )


def _ends(raw: bytes) -> int:
    return raw.count(b"\n") + raw.count(b"\r") - raw.count(b"\r\n")
