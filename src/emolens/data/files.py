"""Tables on disk, read whole: CSV, TSV, `text;label` lines, JSON lines, Parquet and Arrow.

Every complaint names the file and the line. Knows nothing of splits or classes.
"""

from __future__ import annotations

import contextlib
import csv
import io
import json
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from emolens.errors import DataError, first_line

LABEL_COLUMNS = (
    "label",
    "label_name",
    "labels",
    "emotion",
    "class",
    "category",
    "sentiment",
    "target",
)


@dataclass(frozen=True)
class RawTable:
    """Columns of equal length as they stand in a file.

    lines: for each row, where it stands in its file ('line 7', or 'row 7' where there are none).
    class_names: by column, the names behind integer labels, where the file tells them.
    """

    path: Path
    columns: dict[str, list[Any]]
    lines: tuple[str, ...]
    class_names: dict[str, tuple[str, ...]]

    def where(self, row: int) -> str:
        """How a complaint names a row."""
        return f"{self.path}, {self.lines[row]}"


def read_table(path: Path) -> RawTable:
    """Read one file by its ending; DataError where it is missing, empty or broken."""
    reader = _READERS.get(path.suffix.lower())
    if reader is None:
        raise DataError(
            f"{path} is of no kind that emolens reads.",
            hint=f"Known endings: {', '.join(sorted(_READERS))}.",
        )
    try:
        if not path.stat().st_size:
            raise DataError(f"{path} is empty.", hint="Check how the file was made.")
        table = reader(path)
    except FileNotFoundError as error:
        raise missing(path) from error
    except OSError as error:
        raise DataError(
            f"{path} can't be read: {error.strerror or error}.",
            hint="Check the path and its rights.",
        ) from error
    if not table.lines:
        raise DataError(f"{path} holds no rows.", hint="Check how the file was made.")
    return table


def is_table(path: Path) -> bool:
    """Whether the ending is one that read_table knows."""
    return path.suffix.lower() in _READERS


def missing(path: Path) -> DataError:
    """The error for a path where nothing is, with what does stand beside it."""
    beside = sorted(p.name for p in path.parent.glob("*")) if path.parent.is_dir() else []
    names = ", ".join(beside[:6]) + (", …" if len(beside) > 6 else "")
    return DataError(
        f"There is no file or folder {path}.",
        hint=f"In {path.parent} there is: {names}." if names else "Check the path.",
    )


def _decoded(path: Path) -> str:
    raw = path.read_bytes()
    if b"\x00" in raw:
        line = raw.count(b"\n", 0, raw.index(b"\x00")) + 1
        raise DataError(
            f"{path}, line {line}: there is a NUL byte; this is no text file, or a damaged one.",
            hint="If it is UTF-16 (as some spreadsheets save), save it again as UTF-8.",
        )
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise DataError(
            f"{path}, line {line}: byte 0x{raw[error.start]:02x} is not UTF-8.",
            hint=f"Convert it first, for example: iconv -f WINDOWS-1252 -t UTF-8 {path.name}",
        ) from error


def _read_delimited(path: Path) -> RawTable:
    text = _decoded(path)
    first = next((line for line in text.splitlines() if line.strip()), "")
    delimiter = "\t" if path.suffix.lower() == ".tsv" else max(",;\t", key=first.count)
    csv.field_size_limit(min(sys.maxsize, 2**31 - 1))
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    rows: list[list[str]] = []
    lines: list[str] = []
    before = 0
    try:
        header = [name.strip() for name in next(filter(None, reader), [])]
        _check_header(path, reader.line_num, header)
        before = reader.line_num
        for row in reader:
            if row:
                _check_width(path, before + 1, row, header)
                rows.append(row)
                lines.append(f"line {before + 1}")
            before = reader.line_num
    except csv.Error as error:
        raise DataError(
            f"{path}, line {before + 1}: {error}.",
            hint="Check the quotes: a quote inside a quoted field is written twice.",
        ) from error
    columns = {name: [row[i] for row in rows] for i, name in enumerate(header)}
    return RawTable(path, columns, tuple(lines), {})


def _check_header(path: Path, line: int, header: list[str]) -> None:
    twice = [name for name in header if name and header.count(name) > 1]
    if twice:
        raise DataError(
            f"{path}, line {line}: the header has two columns '{twice[0]}'.",
            hint="Rename one of them.",
        )


def _check_width(path: Path, line: int, row: list[str], header: list[str]) -> None:
    if len(row) != len(header):
        raise DataError(
            f"{path}, line {line}: {len(row)} fields where the header has {len(header)}.",
            hint="A text that holds the delimiter must stand in double quotes.",
        )


def _read_lines(path: Path) -> RawTable:
    """`text;label` lines: the last semicolon divides, so a text may hold others."""
    columns: tuple[str, str] = ("text", "label")
    texts: list[str] = []
    labels: list[str] = []
    lines: list[str] = []
    # Not splitlines(): a text may hold U+2028 and other signs that it takes for a line's end.
    for number, line in enumerate(_decoded(path).split("\n"), start=1):
        if not line.strip():
            continue
        text, semicolon, label = line.rstrip("\r").rpartition(";")
        if not semicolon:
            raise DataError(
                f"{path}, line {number}: there is no ';' between a text and its label.",
                hint="Each line is 'text;label'. For a table of columns use .csv or .tsv.",
            )
        if not texts and number == 1 and label.strip().lower() in LABEL_COLUMNS:
            columns = (text.strip() or "text", label.strip())
            continue
        texts.append(text)
        labels.append(label.strip())
        lines.append(f"line {number}")
    return RawTable(path, dict(zip(columns, (texts, labels), strict=True)), tuple(lines), {})


def _read_json_lines(path: Path) -> RawTable:
    rows: list[dict[str, Any]] = []
    lines: list[str] = []
    for number, line in enumerate(_decoded(path).split("\n"), start=1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except (ValueError, RecursionError) as error:
            raise DataError(
                f"{path}, line {number}: this is not JSON ({error}).",
                hint='Each line is one object, such as {"text": "…", "label": "joy"}.',
            ) from error
        if not isinstance(row, dict):
            raise DataError(
                f"{path}, line {number}: this is JSON, but not an object.",
                hint='Each line is one object, such as {"text": "…", "label": "joy"}.',
            )
        _check_surrogates(path, number, row, line)
        rows.append(row)
        lines.append(f"line {number}")
    names = dict.fromkeys(name for row in rows for name in row)
    return RawTable(path, {n: [row.get(n) for row in rows] for n in names}, tuple(lines), {})


def _check_surrogates(path: Path, number: int, row: dict[str, Any], line: str) -> None:
    """JSON can spell half an emoji, which no other format and no tokenizer takes."""
    try:
        if "\\u" in line:
            json.dumps(row, ensure_ascii=False).encode("utf-8")
    except UnicodeEncodeError as error:
        half = f"\\u{ord(error.object[error.start]):04x}"
        raise DataError(
            f"{path}, line {number}: {half} is half of a surrogate pair and no character.",
            hint="Write the text again as UTF-8; a text cut in the middle of an emoji ends so.",
        ) from error


def _read_arrow(path: Path) -> RawTable:
    import pyarrow as pa
    import pyarrow.ipc
    import pyarrow.parquet as pq

    try:
        if path.suffix.lower() == ".parquet":
            table = pq.read_table(path)
        else:
            with pa.memory_map(str(path)) as source:
                try:
                    table = pyarrow.ipc.open_file(source).read_all()
                except pa.ArrowInvalid:
                    source.seek(0)
                    table = pyarrow.ipc.open_stream(source).read_all()
        columns = {name: _decoded_column(table[name]) for name in table.column_names}
    except (pa.ArrowException, UnicodeDecodeError) as error:
        raise DataError(
            f"{path} is no readable {path.suffix[1:].lower()} file ({first_line(error)}).",
            hint="Check that it was written to its end, or fetch it again.",
        ) from error
    lines = tuple(f"row {number}" for number in range(1, table.num_rows + 1))
    return RawTable(path, columns, lines, _class_names(table.schema.metadata or {}))


def _decoded_column(column: Any) -> list[Any]:
    """The values; bytes, as some writers leave text, as UTF-8 where they are that."""
    import pyarrow as pa

    if pa.types.is_binary(column.type) or pa.types.is_large_binary(column.type):
        with contextlib.suppress(pa.ArrowInvalid):
            column = column.cast(pa.large_string())
    values: list[Any] = column.to_pylist()
    return values


def _class_names(metadata: dict[bytes, bytes]) -> dict[str, tuple[str, ...]]:
    """The ClassLabel names that `datasets` leaves in an Arrow schema."""
    try:
        features = json.loads(metadata.get(b"huggingface", b"{}"))["info"]["features"]
        return {
            column: tuple(feature["names"])
            for column, feature in features.items()
            if isinstance(feature, dict) and feature.get("_type") == "ClassLabel"
        }
    except (ValueError, KeyError, TypeError):
        return {}


_READERS: dict[str, Callable[[Path], RawTable]] = {
    ".csv": _read_delimited,
    ".tsv": _read_delimited,
    ".txt": _read_lines,
    ".jsonl": _read_json_lines,
    ".ndjson": _read_json_lines,
    ".parquet": _read_arrow,
    ".arrow": _read_arrow,
    ".feather": _read_arrow,
}
