"""Tables in, the same tables with emotions out, a chunk of rows at a time.

The columns of the input are kept; added are `emotion`, `probability`, `unsure` and `p_<class>`.
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
from typing import TYPE_CHECKING, Any, TextIO

from emolens.blank import is_blank
from emolens.data.readers import open_table
from emolens.data.readers.columns import choose_column, texts_of
from emolens.data.readers.delimited import delimiter_of
from emolens.data.readers.table import Chunk, Row, Table
from emolens.errors import DataError, first_line
from emolens.labels import LabelSet
from emolens.predict.classifier import Classifier, Prediction
from emolens.store import atomic_file, check_ending

if TYPE_CHECKING:
    import pyarrow as pa

_WRITTEN = (".csv", ".tsv", ".jsonl", ".ndjson", ".parquet")
# Where the answers go by default, for formats that are read only.
_WRITTEN_AS = {".txt": ".csv", ".arrow": ".parquet", ".feather": ".parquet"}


@dataclass
class Tally:
    """What was answered: rows in all, those cut at the model's limit, those without a text."""

    rows: int = 0
    truncated: int = 0
    blank: int = 0


@dataclass(frozen=True, repr=False)
class Answered:
    """Rows of a table and, for each, what is added to it."""

    chunk: Chunk
    added: list[Row]


def default_target(source: Path) -> Path:
    """NAME-emotions beside the source, in its format where that can be written."""
    ending = source.suffix.lower()
    return source.with_name(f"{source.stem}-emotions{_WRITTEN_AS.get(ending, ending)}")


def predict_table(
    classifier: Classifier,
    source: str | Path,
    target: str | Path,
    *,
    text_column: str | None = None,
    progress: Callable[[int], None] | None = None,
) -> Tally:
    """Read `source`, write `target` with the answers beside each row.

    source: any table that emolens reads, or .txt with one text per line. target: .csv, .tsv,
    .jsonl, .ndjson or .parquet. Memory does not grow with the rows. Raises DataError that names
    the file and the line.
    """
    target = Path(target)
    check_ending(target, _WRITTEN)
    table = open_table(Path(source), labelled=False)
    column = choose_column(table, "text", text_column)
    if taken := set(table.columns).intersection(_added_names(classifier.labels)):
        raise DataError(
            f"{source} already has a column '{min(taken)}', which the answers would hide.",
            hint="Rename it first.",
        )
    tally = Tally()
    answered = _answered(classifier, table, column=column, tally=tally, progress=progress)
    with atomic_file(target) as file:
        if target.suffix.lower() == ".parquet":
            _write_parquet(answered, table, file)
        else:
            text = io.TextIOWrapper(file, encoding="utf-8", newline="", write_through=True)
            _write_text(answered, table, text, ending=target.suffix.lower())
            text.detach()
    return tally


def _answered(
    classifier: Classifier,
    table: Table,
    *,
    column: str,
    tally: Tally,
    progress: Callable[[int], None] | None,
) -> Iterator[Answered]:
    """The rows with their answers; counts into `tally` on the way."""
    for chunk in table.chunks():
        texts = texts_of(table, chunk, column)
        if not tally.rows and str(table.origin).lower().endswith(".txt"):
            _refuse_labelled_lines(table, texts, classifier.labels)
        answers = classifier.predict(texts)
        yield Answered(chunk, [added_columns(answer) for answer in answers])
        tally.rows += len(chunk)
        tally.truncated += sum(answer.truncated for answer in answers)
        tally.blank += sum(map(is_blank, texts))
        if progress:
            progress(tally.rows)


def _refuse_labelled_lines(table: Table, texts: list[str], labels: LabelSet) -> None:
    """`text;label` lines, which studies read, would be answered with their label in the text."""
    lines = [text for text in texts if text.strip()]
    lines = lines[1:] or lines  # the first one may be a header
    if lines and all(line.rpartition(";")[2].strip() in labels.names for line in lines):
        raise DataError(
            f"{table.origin} holds 'text;label' lines; the labels would be read as text.",
            hint="Give one text per line, or a .csv with a column of texts.",
        )


def added_columns(answer: Prediction) -> Row:
    """What a prediction adds to a row; nothing but `unsure` where the text is blank."""
    return {
        "emotion": answer.label,
        "probability": _rounded(answer.probability),
        "unsure": answer.unsure,
        **{f"p_{name}": _rounded(p) for name, p in answer.probabilities.items()},
    }


def _added_names(labels: LabelSet) -> list[str]:
    return ["emotion", "probability", "unsure", *(f"p_{name}" for name in labels.names)]


def _rounded(probability: float | None) -> float | None:
    return None if probability is None else round(probability, 4)


def _write_text(answered: Iterator[Answered], table: Table, text: TextIO, *, ending: str) -> None:
    if ending in (".jsonl", ".ndjson"):
        for part in answered:
            for row, added in zip(part.chunk.rows, part.added, strict=True):
                text.write(_json(row | added) + "\n")
        return
    writer: csv.DictWriter[str] | None = None
    for part in answered:
        if writer is None:
            names = [*table.columns, *part.added[0]]
            writer = csv.DictWriter(text, names, delimiter=_delimiter(table, ending))
            writer.writeheader()
        for row, added in zip(part.chunk.rows, part.added, strict=True):
            writer.writerow({name: _cell(value) for name, value in (row | added).items()})


def _delimiter(table: Table, ending: str) -> str:
    """A .csv keeps the delimiter of a .csv that it is made from."""
    if ending == ".tsv":
        return "\t"
    source = Path(table.origin)
    return delimiter_of(source) if source.suffix.lower() == ".csv" else ","


def _cell(value: Any) -> Any:
    """What stands in one field: lists and objects as JSON, bytes in Base64, as JSON has them."""
    if isinstance(value, (list, tuple, dict)):
        return _json(value)
    return _plain(value) if isinstance(value, bytes) else value


def _json(value: Any) -> str:
    try:
        return json.dumps(value, ensure_ascii=False, default=_plain, allow_nan=False)
    except ValueError:  # NaN and the infinities, which JSON does not have, become null
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
        for part in answered:
            with _fits_into_parquet(table):
                whole = _arrow_rows(part.chunk, schema)
                for name in part.added[0]:
                    values = [added[name] for added in part.added]
                    whole = whole.append_column(
                        name, pa.array(values, types.get(name, pa.float64()))
                    )
                writer = writer or stack.enter_context(pq.ParquetWriter(file, whole.schema))
                writer.write_table(whole)


def _arrow_rows(chunk: Chunk, schema: pa.Schema) -> pa.Table:
    """The rows as the file held them, where it is one of Arrow's: no type is lost."""
    import pyarrow as pa

    if chunk.batch is not None:
        # Without the notes of pandas or datasets about the columns: there are more columns now.
        return pa.Table.from_batches([chunk.batch]).replace_schema_metadata(None)
    return pa.Table.from_pylist(list(chunk.rows), schema=schema)


def _inferred_schema(table: Table) -> pa.Schema:
    """The types of all columns of a file that states none. It is read through once for them: a
    later row may have a value where the first rows have none.
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
