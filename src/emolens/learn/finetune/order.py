"""Which rows form the batches of an epoch. Knows nothing of texts or models.

A pure function of seed and epoch: a resumed training takes up the same order.
"""

from __future__ import annotations

import numpy as np

# Rows are sorted by length within so many batches: batches have hardly any padding, and still
# differ from epoch to epoch.
_SORTED_BATCHES = 50


def batches_of(lengths: np.ndarray, size: int, *, seed: int, epoch: int) -> list[np.ndarray]:
    """The rows of each batch, in a random order; rows of one batch have similar lengths.

    lengths: (n,) tokens of each row. size: rows per batch; the last batch may have fewer.
    """
    rng = np.random.default_rng([seed, epoch])
    rows = rng.permutation(len(lengths))
    batches: list[np.ndarray] = []
    for start in range(0, len(rows), size * _SORTED_BATCHES):
        part = rows[start : start + size * _SORTED_BATCHES]
        part = part[np.argsort(-lengths[part], kind="stable")]
        cut = [part[i : i + size] for i in range(0, len(part), size)]
        batches.extend(cut[i] for i in rng.permutation(len(cut)))
    return batches


def dealt(rows: np.ndarray, lengths: np.ndarray, *, workers: int, budget: int) -> list[np.ndarray]:
    """The rows of one batch as chunks; chunk i goes to worker i modulo `workers`.

    Each worker gets as many rows of each length as the others. budget: the most tokens of a chunk,
    padding included, which bounds the memory; a longer row is a chunk of its own.
    """
    order = rows[np.argsort(-lengths[rows], kind="stable")]
    shares = [order[i::workers] for i in range(workers)]
    longest = max(int(lengths[rows].max(initial=1)), 1)
    fit = max(budget // longest, 1)
    n_chunks = max(-(-len(share) // fit) for share in shares)
    return [share[i::n_chunks] for i in range(n_chunks) for share in shares]
