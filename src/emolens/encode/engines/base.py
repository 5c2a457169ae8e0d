"""What all engines have in common, and the one function that runs them over many texts.

Knows no single engine.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator

import numpy as np

from emolens.encode.batches import pad, rows_per_batch, token_budget_batches
from emolens.encode.tokenize import Tokens
from emolens.errors import DataError, EncoderError

# With more batches than this, filling up the last one costs almost nothing.
_MANY = 16
Progress = Callable[[int, int], None]
# rows (n,), input_ids and attention_mask (n, tokens) of one batch
Batch = tuple[np.ndarray, np.ndarray, np.ndarray]


class Engine(ABC):
    """A model that is ready to run.

    budget: the most tokens per batch, padding included. With 1,024 the intermediate results fit
    into the caches of a CPU core. width: of the vectors, if it is known before the first batch.
    n_more: the numbers of a second output; they stand behind those of the first one in each row.
    weights_sha256: of the weights that an exported model was made from, if it says so.
    """

    budget = 1024
    width: int | None = None
    n_more = 0
    weights_sha256: str | None = None

    @abstractmethod
    def __call__(self, input_ids: np.ndarray, attention_mask: np.ndarray) -> np.ndarray:
        """Run one batch: (rows, tokens) int64 ids and mask to (rows, d) float32."""

    def stream(self, batches: Iterable[Batch]) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """Run all batches; yields the rows and the vectors of each, in any order."""
        for rows, input_ids, attention_mask in batches:
            yield rows, self(input_ids, attention_mask)


def run_batches(
    engine: Engine,
    tokens: Tokens,
    pad_id: int,
    *,
    progress: Progress | None = None,
    then: Callable[[np.ndarray], np.ndarray] | None = None,
) -> np.ndarray:
    """Run an engine over all rows; returns (n, d) float32 in the order of the rows.

    Rows with the same tokens are computed once. progress: called with the rows done and all rows.
    then: what is kept of both outputs, which stand side by side; without it, the first output is.
    Raises EncoderError, which names the row, if a result is NaN or infinite.
    """
    distinct, place = tokens.distinct()
    copies = np.bincount(place, minlength=len(distinct))
    lengths = tokens.lengths[distinct]
    cut = token_budget_batches(lengths, budget=engine.budget)
    if len(cut) > _MANY:  # a shape that the engine has prepared: copies of a row fill up the last
        full = rows_per_batch(int(lengths[cut[-1][0]]), engine.budget)
        cut[-1] = np.pad(cut[-1], (0, full - len(cut[-1])), mode="edge")
    batches = ((rows, *pad(tokens, distinct[rows], pad_id=pad_id)) for rows in cut)
    result: np.ndarray | None = None
    done = 0
    for rows, outputs in engine.stream(batches):
        vectors = then(outputs) if then else outputs[:, : outputs.shape[1] - engine.n_more]
        if not (finite := np.isfinite(vectors).all(axis=1)).all():
            text = distinct[rows][~finite][0]
            raise EncoderError(
                f"The result of the model for text {text} is not finite.",
                hint="Use precision fp32. If that does not help, the weights are damaged.",
            )
        if result is None:
            result = np.empty((len(distinct), vectors.shape[1]), dtype=np.float32)
        result[rows] = vectors
        done += int(copies[np.unique(rows)].sum())
        if progress:
            progress(done, len(tokens))
    if result is None:
        return np.empty((0, 0), dtype=np.float32)
    return result if len(distinct) == len(tokens) else result[place]


def check_finite(name: str, vectors: np.ndarray) -> None:
    """Raise DataError for the first row of (n, d) that holds NaN or infinity."""
    if not (finite := np.isfinite(vectors).all(axis=1)).all():
        raise DataError(
            f"Row {finite.argmin() + 1} of {name} holds a value that is not finite.",
            hint="Leave the row out, or encode its text again.",
        )
