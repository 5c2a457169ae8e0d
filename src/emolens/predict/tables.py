"""Tables in, the same tables with emotions out, a chunk of rows at a time.

The columns of the input are kept; added are `emotion`, `probability`, `unsure` and `p_<class>`.
"""

from __future__ import annotations

import contextlib
import csv
import io
import json
import sys
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

from emolens.errors import DataError, UsageError, first_line, nearest
from emolens.labels import LabelSet
from emolens.predict.classifier import Classifier, Prediction
from emolens.store import atomic_file

if TYPE_CHECKING:
    import pyarrow as pa

_CHUNK = 2048
_USUAL = ("text", "sentence", "content", "comment", "message", "tweet", "review", "body", "post")
_FORMATS = (".csv", ".tsv", ".jsonl", ".parquet", ".txt")
Row = dict[str, Any]


@dataclass
class Tally:
    """What was answered: rows in all, those cut at the model's limit, those without a text."""

    rows: int = 0
    truncated: int = 0
    blank: int = 0


def predict_table(
    classifier: Classifier,
    source: Path,
    target: Path,
    *,
    text_column: str | None = None,
    progress: Callable[[int], None] | None = None,
) -> Tally:
    """Read `source`, write `target` with the answers beside each row.

    Both by their ending: .csv, .tsv, .jsonl, .parquet, or .txt with one text a line (reading
    only). Memory does not grow with the rows. Raises DataError that names the file and the line.
    """
    for path, does, formats in ((source, "reads", _FORMATS), (target, "writes", _FORMATS[:-1])):
        if path.suffix.lower() not in formats:
            raise UsageError(
                f"{path} is of no kind that emolens {does}.", hint=f"Known: {', '.join(formats)}."
            )
    if not source.is_file():
        raise DataError(f"There is no file {source}.", hint="Check the path.")
    try:
        source.open("rb").close()
    except OSError as error:
        raise DataError(
            f"{source} can't be read: {error.strerror}.", hint="Check its rights."
        ) from error
    tally = Tally()
    answered = _answered(classifier, read_rows(source), (source, text_column), tally, progress)
    with atomic_file(target) as file:
        _write(answered, source, target, file)
        if not tally.rows:
            raise DataError(f"{source} holds no rows.", hint="Check how the file was made.")
    return tally


def read_rows(source: Path) -> Iterator[Row]:
    """The rows of a table as dictionaries, read as they are asked for."""
    suffix = source.suffix.lower()
    if suffix == ".parquet":
        yield from _parquet_rows(source)
        return
    try:
        with source.open(
            encoding="utf-8-sig", newline="" if suffix in (".csv", ".tsv") else None
        ) as file:
            yield from _text_rows(file, suffix, source)
    except UnicodeDecodeError as error:
        raise DataError(
            f"{source} is not UTF-8 (byte 0x{error.object[error.start]:02x}).",
            hint=f"Convert it first, for example: iconv -f WINDOWS-1252 -t UTF-8 {source.name}",
        ) from error


def _parquet_rows(source: Path) -> Iterator[Row]:
    import pyarrow.parquet as pq

    with _parquet_errors(source), pq.ParquetFile(source) as file:
        for batch in file.iter_batches(_CHUNK):
            yield from batch.to_pylist()


@contextlib.contextmanager
def _parquet_errors(source: Path) -> Iterator[None]:
    import pyarrow as pa

    try:
        yield
    except (pa.ArrowException, OSError) as error:
        raise DataError(
            f"{source} is no readable parquet file ({first_line(error)}).",
            hint="Check that it was written to its end, or fetch it again.",
        ) from error


def _text_rows(file: TextIO, suffix: str, source: Path) -> Iterator[Row]:
    if suffix == ".txt":
        yield from ({"text": line.rstrip("\n")} for line in file if line.strip())
    elif suffix == ".jsonl":
        for number, line in enumerate(file, start=1):
            if line.strip():
                yield _json_row(line, f"{source}, line {number}")
    else:
        yield from _delimited_rows(file, suffix, source)


def _json_row(line: str, where: str) -> Row:
    try:
        row = json.loads(line)
        if "\\u" in line:  # an escape may stand for half a surrogate pair, which no file can hold
            json.dumps(row, ensure_ascii=False).encode()
    except (ValueError, RecursionError) as error:
        raise DataError(
            f"{where}: this is not JSON ({error}).", hint="Each line is one object."
        ) from error
    if not isinstance(row, dict):
        raise DataError(
            f"{where}: this is no object with named values.", hint='Like: {"text": "So good!"}'
        )
    return row


def _delimiter(source: Path) -> str:
    """The sign that stands most often in the first line."""
    with source.open(encoding="utf-8-sig", errors="replace") as file:
        head = file.readline()
    return max(",;\t", key=head.count)


def _delimited_rows(file: TextIO, suffix: str, source: Path) -> Iterator[Row]:
    delimiter = "\t" if suffix == ".tsv" else _delimiter(source)
    csv.field_size_limit(min(sys.maxsize, 2**31 - 1))
    reader = csv.DictReader(file, delimiter=delimiter, strict=True)
    names = list(reader.fieldnames or [])
    if repeated := next((name for name in names if names.count(name) > 1), None):
        raise DataError(
            f"{source} has two columns called '{repeated}'.", hint="Rename one of them first."
        )
    line = 0
    while True:
        try:
            line = reader.line_num
            row = next(reader, None)
        except csv.Error as error:
            raise DataError(
                f"{source}, after line {line}: this is no well-formed table ({error}).",
                hint="A text that holds the delimiter or a quote must stand in double quotes.",
            ) from error
        if row is None:
            return
        if None in row or None in row.values():
            raise DataError(
                f"{source}, line {reader.line_num}: the number of fields is not the header's.",
                hint="A text that holds the delimiter must stand in double quotes.",
            )
        yield row


def _answered(
    classifier: Classifier,
    rows: Iterable[Row],
    where: tuple[Path, str | None],
    tally: Tally,
    progress: Callable[[int], None] | None,
) -> Iterator[Row]:
    """Each row with its answer beside it; counts into `tally` on the way."""
    (source, text_column), column = where, ""
    for chunk in _chunks(rows):
        column = column or _text_column(chunk[0], source, text_column)
        texts = ["" if row.get(column) is None else str(row[column]) for row in chunk]
        if not tally.rows and source.suffix.lower() == ".txt":
            _refuse_labelled_lines(source, texts, classifier.labels)
        for row, answer in zip(chunk, classifier.predict(texts), strict=True):
            added = added_columns(answer)
            if taken := added.keys() & row.keys():
                raise DataError(
                    f"{source} already has a column '{min(taken)}', which the answers would hide.",
                    hint="Rename it first.",
                )
            yield {**row, **added}
            tally.truncated += answer.truncated
            tally.blank += not answer.text.strip()
        tally.rows += len(chunk)
        if progress:
            progress(tally.rows)


def _refuse_labelled_lines(source: Path, texts: list[str], labels: LabelSet) -> None:
    """`text;label` lines, which studies read, would be answered with their label in the text."""
    if all(text.rpartition(";")[2].strip() in labels.names for text in texts[1:] or texts):
        raise DataError(
            f"{source} holds 'text;label' lines; the labels would be read as text.",
            hint="Give one text a line, or a .csv with a column of texts.",
        )


def added_columns(answer: Prediction) -> Row:
    """What a prediction adds to a row."""
    return {
        "emotion": answer.label,
        "probability": round(answer.probability, 4),
        "unsure": answer.unsure,
        **{f"p_{name}": round(p, 4) for name, p in answer.probabilities.items()},
    }


def _chunks(rows: Iterable[Row]) -> Iterator[list[Row]]:
    chunk: list[Row] = []
    for row in rows:
        chunk.append(row)
        if len(chunk) == _CHUNK:
            yield chunk
            chunk = []
    if chunk:
        yield chunk


def _text_column(row: Row, source: Path, wanted: str | None) -> str:
    if wanted is not None:
        if wanted in row:
            return wanted
        raise DataError(f"{source} has no text column '{wanted}'.", hint=nearest(wanted, row))
    by_lower = {name.lower(): name for name in row}
    for name in _USUAL:
        if name in by_lower:
            return by_lower[name]
    raise DataError(
        f"{source} has no column that looks like the texts.",
        hint=f"Name it with --text. Present: {', '.join(row)}.",
    )


def _write(rows: Iterator[Row], source: Path, target: Path, file: Any) -> None:
    suffix = target.suffix.lower()
    if suffix == ".parquet":
        _write_parquet(rows, source, file)
        return
    text = io.TextIOWrapper(file, encoding="utf-8", newline="", write_through=True)
    _write_text(rows, source, suffix, text)
    text.detach()


def _write_text(rows: Iterator[Row], source: Path, suffix: str, text: TextIO) -> None:
    same = source.suffix.lower() == suffix == ".csv"
    delimiter = "\t" if suffix == ".tsv" else _delimiter(source) if same else ","
    writer: csv.DictWriter[str] | None = None
    for n, row in enumerate(rows, start=1):
        if suffix == ".jsonl":
            text.write(json.dumps(row, ensure_ascii=False, default=str) + "\n")
            continue
        if writer is None:
            writer = csv.DictWriter(text, list(row), delimiter=delimiter)
            writer.writeheader()
        if extra := row.keys() - set(writer.fieldnames):
            raise DataError(
                f"{source}, row {n}: the first row has no '{min(extra)}'.",
                hint="Rows of different columns fit into .jsonl and .parquet only.",
            )
        writer.writerow(row)


def _write_parquet(rows: Iterator[Row], source: Path, file: Any) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    schema = _source_schema(source)
    with contextlib.ExitStack() as stack:
        writer: Any = None
        for chunk in _chunks(rows):
            if writer is None:
                added = [name for name in chunk[0] if name not in schema.names]
                for name in added:
                    schema = schema.append(pa.field(name, pa.scalar(chunk[0][name]).type))
                writer = stack.enter_context(pq.ParquetWriter(file, schema))
            writer.write_table(pa.Table.from_pylist(chunk, schema=schema))


def _source_schema(source: Path) -> pa.Schema:
    """The names and types of all columns; a file without types is read through once for them.

    The first rows alone don't tell: they may lack a value that a later row has.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    if source.suffix.lower() == ".parquet":
        with _parquet_errors(source):
            return pq.read_schema(source).remove_metadata()
    found = pa.schema([])
    try:
        for chunk in _chunks(read_rows(source)):
            names = dict.fromkeys(name for row in chunk for name in row)
            columns = {name: [row.get(name) for row in chunk] for name in names}
            found = pa.unify_schemas(
                [found, pa.table(columns).schema], promote_options="permissive"
            )
    except pa.ArrowException as error:
        raise DataError(
            f"{source} does not fit into Parquet ({first_line(error)}).",
            hint="Write .jsonl instead.",
        ) from error
    return found
