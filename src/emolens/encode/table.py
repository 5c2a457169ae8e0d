"""Reads a table of texts and writes their vectors as Parquet, a chunk of rows at a time."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from emolens.data.checks import Note
from emolens.data.readers.columns import Unread, check_column, choose_column, readable_texts
from emolens.data.readers.endings import stem_of
from emolens.data.readers.open import open_table, source_of
from emolens.data.readers.options import AS_FOUND, ReadOptions
from emolens.data.readers.source import Source, path_of
from emolens.data.readers.table import Table
from emolens.encode.embed import Encoder
from emolens.encode.tokenize import in_chunks
from emolens.names import user_path
from emolens.output import atomic_file, new_output
from emolens.store import check_ending

if TYPE_CHECKING:
    import pyarrow as pa

# Enough texts to put those of similar length together; fewer if the texts are long.
_CHUNK_TEXTS = 8192
_CHUNK_CHARACTERS = 8_000_000


@dataclass
class Encoded:
    """Counts: all rows, those cut at the encoder's limit, those that could not be read, and the
    numbers per vector. notes: what was guessed, changed or left out.
    """

    rows: int = 0
    truncated: int = 0
    errors: int = 0
    width: int = 0
    notes: list[Note] = field(default_factory=list, repr=False)


def default_target(source: Source) -> Path:
    """NAME-embeddings.parquet beside the source."""
    return source.like.with_name(f"{stem_of(source.like)}-embeddings.parquet")


def check_target(target: Path, source: str | Path | Source, *, overwrite: bool) -> None:
    """Raise what encode_table raises for this target, without reading anything."""
    check_ending(target, (".parquet",))
    new_output(target, inputs=[path_of(source)], overwrite=overwrite)


def encode_table(
    encoder: Encoder,
    source: str | Path | Source,
    target: str | Path,
    *,
    text_column: str | None = None,
    read: ReadOptions = AS_FOUND,
    overwrite: bool = False,
    progress: Callable[[int, int | None], None] | None = None,
) -> Encoded:
    """Write `row` (int64, from 0) and `embedding` (d float32) for each row of `source`, in order.

    A row that could not be read as it should has no embedding (null), and is counted.
    source: any table that emolens reads, or .txt with one text per line; a pipe is read to its end
    first. read: how to read it. target: .parquet. Memory use does not grow with the number of rows.
    If the encoder has a cache, a second call continues where an interrupted one stopped. overwrite:
    whether `target` may exist; it is never the source. progress: called with the number of rows
    done, and None, because the table is read only once. Raises UsageError for such a target, and
    DataError that names the file and the line.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    target = user_path(target)
    check_target(target, source, overwrite=overwrite)
    encoded, unread, writer = Encoded(), Unread(), None
    with contextlib.ExitStack() as opened:
        table = open_table(
            opened.enter_context(source_of(source, read)), labelled=False, options=read
        )
        column = choose_column(table, "text", text_column)
        encoded.notes += check_column(table, column)
        texts_in_order = _texts(table, column, strict=read.strict, unread=unread)
        file = opened.enter_context(atomic_file(target, overwrite=overwrite))
        for texts in in_chunks(texts_in_order, most=_CHUNK_TEXTS, characters=_CHUNK_CHARACTERS):
            tokens = encoder.tokenizer.encode([t or "" for t in texts], first=encoded.rows)
            vectors = encoder.encode(tokens)
            rows = pa.array(np.arange(encoded.rows, encoded.rows + len(texts)))
            encoded.rows += len(texts)
            encoded.truncated += tokens.n_truncated
            encoded.width = vectors.shape[1]
            chunk = pa.table({"row": rows, "embedding": _vectors_of(texts, vectors)})
            # Compression takes time and does not make such numbers smaller.
            writer = writer or opened.enter_context(
                pq.ParquetWriter(file, chunk.schema, compression="none", use_dictionary=False)
            )
            writer.write_table(chunk)
            if progress:
                progress(encoded.rows, None)
    encoded.errors = unread.n
    encoded.notes += [*table.notes, *unread.notes(table, "vector")]
    return encoded


def _vectors_of(texts: list[str | None], vectors: np.ndarray) -> pa.Array:
    """The vectors as a column; null for a text that could not be read."""
    import pyarrow as pa

    missing = np.array([text is None for text in texts])
    values, mask = pa.array(vectors.ravel()), pa.array(missing) if missing.any() else None
    return pa.FixedSizeListArray.from_arrays(values, vectors.shape[1], mask=mask)


def _texts(table: Table, column: str, *, strict: bool, unread: Unread) -> Iterator[str | None]:
    """The texts in order; None for one that could not be read, which `unread` counts."""
    for chunk in table.chunks(column):
        texts, errors = readable_texts(table, chunk, column, strict=strict)
        unread.add(chunk, errors)
        yield from (None if place in errors else text for place, text in enumerate(texts))
