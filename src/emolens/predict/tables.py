"""Tables in, the same tables with emotions out, a chunk of rows at a time.

The columns of the input are kept; added are `emotion`, `probability`, `unsure` and `p_<class>`.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, TextIO

from emolens.errors import DataError, UsageError, nearest
from emolens.predict.classifier import Classifier, Prediction
from emolens.store import atomic_file

_CHUNK = 2048
_USUAL = ("text", "sentence", "content", "comment", "message", "tweet", "review", "body", "post")
_FORMATS = (".csv", ".tsv", ".jsonl", ".parquet", ".txt")
Row = dict[str, Any]


def predict_table(
    classifier: Classifier,
    source: Path,
    target: Path,
    *,
    text_column: str | None = None,
    progress: Callable[[int], None] | None = None,
) -> int:
    """Read `source`, write `target` with the answers beside each row; returns the rows.

    Both by their ending: .csv, .tsv, .jsonl, .parquet, or .txt with one text a line (reading
    only). Memory does not grow with the rows. Raises DataError that names the file and the line.
    """
    for path in (source, target):
        if path.suffix.lower() not in _FORMATS:
            raise UsageError(
                f"{path} is of no kind that emolens reads.", hint=f"Known: {', '.join(_FORMATS)}."
            )
    if not source.is_file():
        raise DataError(f"There is no file {source}.", hint="Check the path.")
    answered = _answered(classifier, read_rows(source), source, text_column, progress)
    with atomic_file(target) as file:
        return _write(answered, target, file)


def read_rows(source: Path) -> Iterator[Row]:
    """The rows of a table as dictionaries, read as they are asked for."""
    suffix = source.suffix.lower()
    if suffix == ".parquet":
        import pyarrow.parquet as pq

        for batch in pq.ParquetFile(source).iter_batches(_CHUNK):
            yield from batch.to_pylist()
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


def _text_rows(file: TextIO, suffix: str, source: Path) -> Iterator[Row]:
    if suffix == ".txt":
        yield from ({"text": line.rstrip("\n")} for line in file if line.strip())
    elif suffix == ".jsonl":
        for number, line in enumerate(file, start=1):
            try:
                row = json.loads(line) if line.strip() else None
            except ValueError as error:
                raise DataError(
                    f"{source}, line {number}: this is not JSON ({error}).",
                    hint="Each line is one object.",
                ) from error
            if row is not None:
                yield row
    else:
        head = file.readline()
        file.seek(0)
        delimiter = "\t" if suffix == ".tsv" else max(",;\t", key=head.count)
        reader = csv.DictReader(file, delimiter=delimiter)
        for row in reader:
            if None in row or None in row.values():
                raise DataError(
                    f"{source}, line {reader.line_num}: the number of fields is not the header's.",
                    hint="A text that holds the delimiter must stand in double quotes.",
                )
            yield row


def _answered(
    classifier: Classifier,
    rows: Iterable[Row],
    source: Path,
    text_column: str | None,
    progress: Callable[[int], None] | None,
) -> Iterator[Row]:
    done = 0
    for chunk in _chunks(rows):
        column = text_column = _text_column(chunk[0], source, text_column)
        texts = ["" if row.get(column) is None else str(row[column]) for row in chunk]
        for row, answer in zip(chunk, classifier.predict(texts), strict=True):
            yield {**row, **added_columns(answer)}
        done += len(chunk)
        if progress:
            progress(done)


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


def _write(rows: Iterator[Row], target: Path, file: Any) -> int:
    suffix, n = target.suffix.lower(), 0
    if suffix == ".parquet":
        return _write_parquet(rows, file)
    text = io.TextIOWrapper(file, encoding="utf-8", newline="", write_through=True)
    writer: csv.DictWriter[str] | None = None
    for n, row in enumerate(rows, start=1):  # noqa: B007 - the last number is the count
        if suffix == ".jsonl":
            text.write(json.dumps(row, ensure_ascii=False, default=str) + "\n")
            continue
        if writer is None:
            writer = csv.DictWriter(text, list(row), delimiter="\t" if suffix == ".tsv" else ",")
            writer.writeheader()
        writer.writerow(row)
    text.detach()
    return n


def _write_parquet(rows: Iterator[Row], file: Any) -> int:
    import pyarrow as pa
    import pyarrow.parquet as pq

    writer, n = None, 0
    for chunk in _chunks(rows):
        table = pa.Table.from_pylist(chunk, schema=writer.schema if writer else None)
        writer = writer or pq.ParquetWriter(file, table.schema)
        writer.write_table(table)
        n += len(chunk)
    if writer:
        writer.close()
    return n
