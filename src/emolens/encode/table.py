"""A table of texts in, their vectors out as Parquet, a chunk of rows at a time."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from emolens.data.rows import check_ending, check_table, read_rows, text_column_of
from emolens.encode.embed import Encoder
from emolens.errors import DataError
from emolens.store import atomic_file

# As many texts as sort well by length, and fewer where they are long.
_CHUNK_TEXTS = 8192
_CHUNK_CHARACTERS = 8_000_000


@dataclass
class Encoded:
    """What was encoded: rows in all, those cut at the encoder's limit, and numbers a vector."""

    rows: int = 0
    truncated: int = 0
    width: int = 0


def encode_table(
    encoder: Encoder,
    source: Path,
    target: Path,
    *,
    text_column: str | None = None,
    cache: bool = True,
    progress: Callable[[int], None] | None = None,
) -> Encoded:
    """Write `row` (int64, from 0) and `embedding` (d float32) for each row of `source`, in order.

    source: .csv, .tsv, .jsonl, .parquet, or .txt with one text a line; target: .parquet. Memory
    does not grow with the rows. cache: as in Encoder.encode, a few thousand rows at a time; who was
    interrupted goes on there. progress: called with rows done. Raises DataError that names the file
    and the line.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    check_table(source)
    check_ending(target, "writes vectors to", (".parquet",))
    encoded, writer = Encoded(), None
    with atomic_file(target) as file, contextlib.ExitStack() as opened:
        for texts in _chunks(_texts(source, text_column)):
            tokens = encoder.tokenizer.encode(texts, first=encoded.rows)
            vectors = encoder.encode(texts, tokens=tokens, cache=cache)
            rows = pa.array(np.arange(encoded.rows, encoded.rows + len(texts)))
            encoded.rows += len(texts)
            encoded.truncated += tokens.n_truncated
            encoded.width = vectors.shape[1]
            embedding = pa.FixedSizeListArray.from_arrays(pa.array(vectors.ravel()), encoded.width)
            chunk = pa.table({"row": rows, "embedding": embedding})
            # Numbers like these don't shrink; compressing them would only cost time.
            writer = writer or opened.enter_context(
                pq.ParquetWriter(file, chunk.schema, compression="none", use_dictionary=False)
            )
            writer.write_table(chunk)
            if progress:
                progress(encoded.rows)
        if writer is None:
            raise DataError(f"{source} holds no rows.", hint="Check how the file was made.")
    return encoded


def _texts(source: Path, wanted: str | None) -> Iterator[str]:
    """The column of texts; a missing value is the empty text."""
    column = ""
    for row in read_rows(source):
        column = column or text_column_of(row, source, wanted)
        yield "" if row.get(column) is None else str(row[column])


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
