"""Reads a table of texts and writes their vectors as Parquet, a chunk of rows at a time."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from emolens.data.readers import AS_FOUND, open_table, source_of, stem_of
from emolens.data.readers.columns import choose_column, texts_of
from emolens.data.readers.options import ReadOptions
from emolens.data.readers.source import Source, path_of
from emolens.data.readers.table import Table
from emolens.encode.embed import Encoder
from emolens.names import user_path
from emolens.output import atomic_file, new_output
from emolens.store import check_ending

# Enough texts to put those of similar length together; fewer if the texts are long.
_CHUNK_TEXTS = 8192
_CHUNK_CHARACTERS = 8_000_000


@dataclass
class Encoded:
    """Counts: all rows, the rows cut at the encoder's limit, and the numbers per vector."""

    rows: int = 0
    truncated: int = 0
    width: int = 0


def default_target(source: Path, _: str | None = None) -> Path:
    """NAME-embeddings.parquet beside the source."""
    return source.with_name(f"{stem_of(source)}-embeddings.parquet")


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
    progress: Callable[[int], None] | None = None,
) -> Encoded:
    """Write `row` (int64, from 0) and `embedding` (d float32) for each row of `source`, in order.

    source: any table that emolens reads, or .txt with one text per line; a pipe is read to its end
    first. read: how to read it. target: .parquet. Memory use does not grow with the number of rows.
    If the encoder has a cache, a second call continues where an interrupted one stopped. overwrite:
    whether `target` may exist; it is never the source. progress: called with the number of rows
    done. Raises UsageError for such a target, and DataError that names the file and the line.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    target = user_path(target)
    check_target(target, source, overwrite=overwrite)
    encoded, writer = Encoded(), None
    with contextlib.ExitStack() as opened:
        table = open_table(
            opened.enter_context(source_of(source, read)), labelled=False, options=read
        )
        texts_in_order = _texts(table, choose_column(table, "text", text_column))
        file = opened.enter_context(atomic_file(target, overwrite=overwrite))
        for texts in _chunks(texts_in_order):
            tokens = encoder.tokenizer.encode(texts, first=encoded.rows)
            vectors = encoder.encode(tokens)
            rows = pa.array(np.arange(encoded.rows, encoded.rows + len(texts)))
            encoded.rows += len(texts)
            encoded.truncated += tokens.n_truncated
            encoded.width = vectors.shape[1]
            embedding = pa.FixedSizeListArray.from_arrays(pa.array(vectors.ravel()), encoded.width)
            chunk = pa.table({"row": rows, "embedding": embedding})
            # Compression takes time and does not make such numbers smaller.
            writer = writer or opened.enter_context(
                pq.ParquetWriter(file, chunk.schema, compression="none", use_dictionary=False)
            )
            writer.write_table(chunk)
            if progress:
                progress(encoded.rows)
    return encoded


def _texts(table: Table, column: str) -> Iterator[str]:
    for chunk in table.chunks(column):
        yield from texts_of(table, chunk, column)


def _chunks(texts: Iterable[str]) -> Iterator[list[str]]:
    chunk: list[str] = []
    room = _CHUNK_CHARACTERS
    for text in texts:
        chunk.append(text)
        room -= len(text)
        if len(chunk) == _CHUNK_TEXTS or room <= 0:
            yield chunk
            chunk, room = [], _CHUNK_CHARACTERS
    if chunk:
        yield chunk
