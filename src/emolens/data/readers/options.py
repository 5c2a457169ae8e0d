"""How a user wants a file to be read. Everything else is found out from the file."""

from __future__ import annotations

from dataclasses import dataclass

from emolens.errors import UsageError


@dataclass(frozen=True)
class ReadOptions:
    """What the user says about a file; None means that the file decides.

    file_format: an ending, such as 'csv'. encoding: a name that Python knows, such as
    'cp1252'. delimiter: one character, or 'tab'. header: whether the first row names the columns.
    skip_rows: rows to leave out before the header, or after it if the first row is the header (see
    --skip-rows). sheet: the name or the number (from 1) of the sheet of a workbook. strict: whether
    a row that can't be read is an error; otherwise it is left out or marked, and counted.
    """

    file_format: str | None = None
    encoding: str | None = None
    delimiter: str | None = None
    header: bool | None = None
    skip_rows: int = 0
    sheet: str | None = None
    strict: bool = False

    def __post_init__(self) -> None:
        if self.skip_rows < 0:
            raise UsageError(
                f"{self.skip_rows} rows can't be skipped.", hint="Give 0 or more to --skip-rows."
            )


AS_FOUND = ReadOptions()
