"""What an engine is, and the one way to run it over many texts.

An engine is called with input_ids and attention_mask, (rows, tokens) int64, and returns float32.
Knows no engine in particular.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator

import numpy as np

from emolens.encode.batches import pad, rows_per_batch, token_budget_batches
from emolens.encode.tokenize import Tokens
from emolens.errors import DataError, EncoderError

# From this many batches on, filling up the last one costs next to nothing.
_MANY = 16
Progress = Callable[[int, int], None]
# rows (n,), input_ids and attention_mask (n, tokens) of one batch
Batch = tuple[np.ndarray, np.ndarray, np.ndarray]


class Engine(ABC):
    """A model that is ready to run: (rows, tokens) ids and mask to (rows, d) float32.

    budget: the tokens of a batch; 1,024 keep the activations near a core's caches.
    """

    budget = 1024

    @abstractmethod
    def __call__(self, input_ids: np.ndarray, attention_mask: np.ndarray) -> np.ndarray:
        """Run one batch."""

    def stream(self, batches: Iterable[Batch]) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """Run all of them; gives each batch's rows and vectors, in any order."""
        for rows, input_ids, attention_mask in batches:
            yield rows, self(input_ids, attention_mask)


def run_batches(
    engine: Engine, tokens: Tokens, pad_id: int, *, progress: Progress | None = None
) -> np.ndarray:
    """Run an engine over all rows, similar lengths together; (n, d) float32 in input order.

    Rows of the same tokens are computed once. Raises EncoderError where the model gives a number
    that is not finite, and names the row.
    """
    distinct, place = tokens.distinct()
    copies = np.bincount(place, minlength=len(distinct))
    lengths = tokens.lengths[distinct]
    cut = token_budget_batches(lengths, budget=engine.budget)
    if len(cut) > _MANY:  # the last is filled up to a known shape, with copies of its last row
        full = rows_per_batch(int(lengths[cut[-1][0]]), engine.budget)
        cut[-1] = np.pad(cut[-1], (0, full - len(cut[-1])), mode="edge")
    batches = ((rows, *pad(tokens, distinct[rows], pad_id=pad_id)) for rows in cut)
    result: np.ndarray | None = None
    done = 0
    for rows, vectors in engine.stream(batches):
        if not (finite := np.isfinite(vectors).all(axis=1)).all():
            text = distinct[rows][~finite][0]
            raise EncoderError(
                f"The model gives numbers that are not finite for text {text}.",
                hint="Its weights are damaged, or overflow in bf16: ask for precision fp32.",
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
    """DataError that names the first row of (n, d) with NaN or infinity."""
    if not (finite := np.isfinite(vectors).all(axis=1)).all():
        raise DataError(
            f"Row {finite.argmin() + 1} of {name} holds a value that is not finite.",
            hint="Leave the row out, or encode its text again.",
        )
