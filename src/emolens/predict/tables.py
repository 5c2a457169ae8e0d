"""Reads a table and writes it with emotions, a chunk of rows at a time.

The output has the columns of the input, and `emotion`, `probability`, `unsure` and `p_<class>`.
"""

from __future__ import annotations

import base64
import contextlib
import csv
import io
import json
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from emolens.blank import is_blank
from emolens.data.readers import AS_FOUND, open_table, source_of, stem_of
from emolens.data.readers.columns import choose_column, texts_of
from emolens.data.readers.options import ReadOptions
from emolens.data.readers.source import Source, path_of
from emolens.data.readers.table import Chunk, Row, Table
from emolens.errors import DataError, first_line
from emolens.labels import LabelSet
from emolens.names import user_path
from emolens.output import atomic_file, new_output
from emolens.predict.classifier import Classifier, Prediction
from emolens.store import check_ending

if TYPE_CHECKING:
    import pyarrow as pa

_WRITTEN = (".csv", ".tsv", ".jsonl", ".ndjson", ".parquet")
# The format of the output by default, for formats that emolens reads but does not write.
_WRITTEN_AS = {
    ".txt": ".csv",
    ".json": ".jsonl",
    ".arrow": ".parquet",
    ".arrows": ".parquet",
    ".feather": ".parquet",
    **dict.fromkeys((".xlsx", ".xls", ".xlsb", ".ods"), ".csv"),
}


@dataclass
class Tally:
    """Counts of rows: all, those cut at the model's limit, and those without a text."""

    rows: int = 0
    truncated: int = 0
    blank: int = 0


# Rows of a table, and the values that are added to each of them.
Answered = tuple[Chunk, list[Row]]


def written_ending(ending: str) -> str:
    """The ending of the output for an input with this one: the same, if emolens can write it."""
    return _WRITTEN_AS.get(ending, ending)


def default_target(source: Path, file_format: str | None = None) -> Path:
    """NAME-emotions beside the source. file_format: of the source, if its name has another."""
    wanted = written_ending(f".{file_format}" if file_format else source.suffix.lower())
    return source.with_name(f"{stem_of(source)}-emotions{wanted}")


def check_target(target: Path, source: str | Path | Source, *, overwrite: bool) -> None:
    """Raise what predict_table raises for this target, without reading anything."""
    check_ending(target, _WRITTEN)
    new_output(target, inputs=[path_of(source)], overwrite=overwrite)


def predict_table(
    classifier: Classifier,
    source: str | Path | Source,
    target: str | Path,
    *,
    text_column: str | None = None,
    read: ReadOptions = AS_FOUND,
    overwrite: bool = False,
    progress: Callable[[int], None] | None = None,
) -> Tally:
    """Read `source`, write `target` with the answers beside each row.

    source: any table that emolens reads, or .txt with one text per line; a pipe is read to its end
    first. read: how to read it. target: .csv, .tsv, .jsonl, .ndjson or .parquet. overwrite: whether
    `target` may exist; it is never the source. Memory use does not grow with the number of rows.
    progress: called with the number of rows done. Raises UsageError for such a target, and
    DataError that names the file and the line.
    """
    target = user_path(target)
    check_target(target, source, overwrite=overwrite)
    with source_of(source, read) as given:
        table = open_table(given, labelled=False, options=read)
        column = choose_column(table, "text", text_column)
        names = _added_names(table, classifier.labels)
        tally = Tally()
        answered = _answered(classifier, table, column=column, tally=tally, progress=progress)
        if given.format == "txt":
            answered = _without_labels(answered, table, classifier.labels)
        with atomic_file(target, overwrite=overwrite) as file:
            if target.suffix.lower() == ".parquet":
                _write_parquet(answered, table, file)
            else:
                delimiter = _delimiter(table, given.format, target)
                _write_text(answered, file, header=[*table.columns, *names], delimiter=delimiter)
    return tally


def _added_names(table: Table, labels: LabelSet) -> list[str]:
    """The names of the new columns; DataError if the table has one of them."""
    names = ["emotion", "probability", "unsure", *(f"p_{name}" for name in labels.names)]
    if taken := set(table.columns).intersection(names):
        raise DataError(
            f"{table.origin} already has a column '{min(taken)}'; the answers need this name.",
            hint="Rename the column first.",
        )
    return names


def _answered(
    classifier: Classifier,
    table: Table,
    *,
    column: str,
    tally: Tally,
    progress: Callable[[int], None] | None,
) -> Iterator[Answered]:
    """The rows with their answers; `tally` counts them on the way."""
    for chunk in table.chunks():
        texts = texts_of(table, chunk, column)
        answers = classifier.predict(texts)
        yield chunk, [_added(answer) for answer in answers]
        tally.rows += len(chunk)
        tally.truncated += sum(answer.truncated for answer in answers)
        tally.blank += sum(map(is_blank, texts))
        if progress:
            progress(tally.rows)


def _without_labels(
    answered: Iterator[Answered], table: Table, labels: LabelSet
) -> Iterator[Answered]:
    """Raise DataError for the `text;label` lines of studies: the texts would hold the labels."""
    for number, (chunk, added) in enumerate(answered):
        lines = [row["text"] for row in chunk.rows if row["text"].strip()]
        lines = lines[1:] or lines  # the first one may be a header
        labelled = (line.rpartition(";")[2].strip() in labels.names for line in lines)
        if not number and lines and all(labelled):
            raise DataError(
                f"{table.origin} holds 'text;label' lines; the labels would be read as text.",
                hint="Give one text per line, or a .csv with a column of texts.",
            )
        yield chunk, added


def _added(answer: Prediction) -> Row:
    """The values that a prediction adds to a row; for a blank text all but `unsure` are None."""
    return {
        "emotion": answer.label,
        "probability": _rounded(answer.probability),
        "unsure": answer.unsure,
        **{f"p_{name}": _rounded(p) for name, p in answer.probabilities.items()},
    }


def _rounded(probability: float | None) -> float | None:
    return None if probability is None else round(probability, 4)


def _write_text(
    answered: Iterator[Answered], file: BinaryIO, *, header: list[str], delimiter: str | None
) -> None:
    """Write the rows between delimiters, or as JSON lines if there is no delimiter."""
    text = io.TextIOWrapper(file, encoding="utf-8", newline="", write_through=True)
    writer = csv.writer(text, delimiter=delimiter or ",")
    if delimiter:
        writer.writerow(header)
    for chunk, added in answered:
        for row, values in zip(chunk.rows, added, strict=True):
            whole = row | values
            if delimiter:
                writer.writerow([_cell(whole.get(name)) for name in header])
            else:
                text.write(_json(whole) + "\n")
    text.detach()


def _delimiter(table: Table, file_format: str, target: Path) -> str | None:
    """None for JSON lines. A .csv keeps the delimiter of the .csv that it is made from."""
    if target.suffix.lower() in (".jsonl", ".ndjson"):
        return None
    if target.suffix.lower() == ".tsv":
        return "\t"
    return table.delimiter if table.delimiter and file_format == "csv" else ","


def _cell(value: Any) -> Any:
    """The value of one field: lists and objects become JSON, and bytes become Base64."""
    if isinstance(value, (list, tuple, dict)):
        return _json(value)
    return _plain(value) if isinstance(value, bytes) else value


def _json(value: Any) -> str:
    try:
        return json.dumps(value, ensure_ascii=False, default=_plain, allow_nan=False)
    except ValueError:  # JSON has no NaN and no infinity: they become null
        return json.dumps(_finite(value), ensure_ascii=False, default=_plain, allow_nan=False)


def _plain(value: Any) -> str:
    return base64.b64encode(value).decode() if isinstance(value, bytes) else str(value)


def _finite(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _finite(inner) for name, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [_finite(inner) for inner in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _write_parquet(answered: Iterator[Answered], table: Table, file: Any) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    schema = table.schema or _inferred_schema(table)
    types = {"emotion": pa.string(), "unsure": pa.bool_()}
    with contextlib.ExitStack() as stack:
        writer: Any = None
        for chunk, added in answered:
            with _fits_into_parquet(table):
                whole = _arrow_rows(chunk, schema)
                for name in added[0]:
                    values = [row[name] for row in added]
                    whole = whole.append_column(
                        name, pa.array(values, types.get(name, pa.float64()))
                    )
                writer = writer or stack.enter_context(pq.ParquetWriter(file, whole.schema))
                writer.write_table(whole)


def _arrow_rows(chunk: Chunk, schema: pa.Schema) -> pa.Table:
    """The rows as a table. The batch of an Arrow or Parquet file stays as it is, with its types."""
    import pyarrow as pa

    if chunk.batch is not None:
        # The metadata of pandas or datasets describes the old columns only.
        return pa.Table.from_batches([chunk.batch]).replace_schema_metadata(None)
    return pa.Table.from_pylist(list(chunk.rows), schema=schema)


def _inferred_schema(table: Table) -> pa.Schema:
    """The types of all columns, for a format without types.

    The whole file is read for them: a column may be empty in the first rows only.
    """
    import pyarrow as pa

    schema = pa.schema([])
    for chunk in table.chunks():
        with _fits_into_parquet(table):
            columns = {name: [row.get(name) for row in chunk.rows] for name in table.columns}
            schema = pa.unify_schemas(
                [schema, pa.table(columns).schema], promote_options="permissive"
            )
    return schema


@contextlib.contextmanager
def _fits_into_parquet(table: Table) -> Iterator[None]:
    import pyarrow as pa

    try:
        yield
    except (pa.ArrowException, OverflowError) as error:
        raise DataError(
            f"{table.origin} does not fit into Parquet ({first_line(error)}).",
            hint="Write .jsonl instead.",
        ) from error
