"""Tables in, the same tables with emotions out, a chunk of rows at a time.

The columns of the input are kept; added are `emotion`, `probability`, `unsure` and `p_<class>`.
"""

from __future__ import annotations

import contextlib
import csv
import io
import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

from emolens.blank import is_blank
from emolens.data.rows import (
    FORMATS,
    Row,
    check_ending,
    check_table,
    chunks,
    delimiter_of,
    parquet_errors,
    read_rows,
    text_column_of,
)
from emolens.errors import DataError, first_line
from emolens.labels import LabelSet
from emolens.predict.classifier import Classifier, Prediction
from emolens.store import atomic_file

if TYPE_CHECKING:
    import pyarrow as pa


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
    check_table(source)
    check_ending(target, "writes", FORMATS[:-1])
    tally = Tally()
    answered = _answered(classifier, read_rows(source), (source, text_column), tally, progress)
    with atomic_file(target) as file:
        _write(answered, source, target, file)
        if not tally.rows:
            raise DataError(f"{source} holds no rows.", hint="Check how the file was made.")
    return tally


def _answered(
    classifier: Classifier,
    rows: Iterable[Row],
    where: tuple[Path, str | None],
    tally: Tally,
    progress: Callable[[int], None] | None,
) -> Iterator[Row]:
    """Each row with its answer beside it; counts into `tally` on the way."""
    (source, text_column), column = where, ""
    for chunk in chunks(rows):
        column = column or text_column_of(chunk[0], source, text_column)
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
            tally.blank += is_blank(answer.text)
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
    """What a prediction adds to a row; nothing but `unsure` where the text is blank."""
    return {
        "emotion": answer.label,
        "probability": _rounded(answer.probability),
        "unsure": answer.unsure,
        **{f"p_{name}": _rounded(p) for name, p in answer.probabilities.items()},
    }


def _rounded(probability: float | None) -> float | None:
    return None if probability is None else round(probability, 4)


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
    delimiter = "\t" if suffix == ".tsv" else delimiter_of(source) if same else ","
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
        for chunk in chunks(rows):
            if writer is None:
                types = {"emotion": pa.string(), "unsure": pa.bool_()}
                for name in (name for name in chunk[0] if name not in schema.names):
                    schema = schema.append(pa.field(name, types.get(name, pa.float64())))
                writer = stack.enter_context(pq.ParquetWriter(file, schema))
            writer.write_table(pa.Table.from_pylist(chunk, schema=schema))


def _source_schema(source: Path) -> pa.Schema:
    """The names and types of all columns; a file without types is read through once for them.

    The first rows alone don't tell: they may lack a value that a later row has.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    if source.suffix.lower() == ".parquet":
        with parquet_errors(source):
            return pq.read_schema(source).remove_metadata()
    found = pa.schema([])
    try:
        for chunk in chunks(read_rows(source)):
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
