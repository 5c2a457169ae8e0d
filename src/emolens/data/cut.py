"""Which rows go to which split, and which a limit keeps. Knows texts and class ids only."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np


def rows_by_side(
    texts: Sequence[str], labels: np.ndarray, shares: tuple[float, float, float], *, seed: int
) -> list[np.ndarray]:
    """The row numbers of three sides, by class share, seeded.

    Rows with equal texts go to the same side, with the label of the first of them deciding the
    class they are counted under; otherwise a repeated text would be trained on and tested on.
    """
    rng = np.random.default_rng(seed)
    groups: dict[str, list[int]] = {}
    for row, text in enumerate(texts):
        groups.setdefault(text, []).append(row)
    members = list(groups.values())
    group_labels = np.array([labels[group[0]] for group in members])
    side = np.zeros(len(members), dtype=np.int64)
    for label in np.unique(group_labels):
        of_class = rng.permutation(np.flatnonzero(group_labels == label))
        edges = np.round(np.cumsum(shares)[:2] / sum(shares) * len(of_class)).astype(int)
        # At least one row of every class is there to learn from.
        first, second = max(int(edges[0]), 1), max(int(edges[1]), 1)
        side[of_class[first:second]] = 1
        side[of_class[second:]] = 2
    return [
        np.array(sorted(r for g in np.flatnonzero(side == s) for r in members[g]), dtype=np.int64)
        for s in range(3)
    ]


def stratified_rows(labels: np.ndarray, limit: int, rng: np.random.Generator) -> np.ndarray:
    """At most `limit` rows in order, drawn by class share; every class keeps a row if it can."""
    if len(labels) <= limit:
        return np.arange(len(labels))
    shuffled = rng.permutation(len(labels))
    # Ranks within a class, as shares of it: taking the smallest keeps the shares of the classes
    # and takes the first row of each class before the second of any.
    share = np.empty(len(labels))
    for label in np.unique(labels):
        of_class = shuffled[labels[shuffled] == label]
        share[of_class] = np.arange(len(of_class)) / len(of_class)
    return np.sort(np.lexsort((shuffled, share))[:limit])
