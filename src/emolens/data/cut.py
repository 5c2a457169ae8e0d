"""Chooses rows for splits, and the rows that a limit keeps. Knows texts and class ids only."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np


def rows_by_side(
    texts: Sequence[str], labels: np.ndarray, shares: Sequence[float], *, seed: int
) -> list[np.ndarray]:
    """The row numbers of three parts; `shares` says how much of every class each part gets.

    Rows with equal texts go to the same part: otherwise a text would be in both train and test.
    Such rows count under the class of the first of them. A row with several labels counts under its
    rarest class.
    """
    labels = one_class_each(labels)
    rng = np.random.default_rng(seed)
    groups: dict[str, list[int]] = {}
    for row, text in enumerate(texts):
        groups.setdefault(text, []).append(row)
    members = list(groups.values())
    group_labels = np.array([labels[group[0]] for group in members])
    part = np.zeros(len(members), dtype=np.int64)
    for label in np.unique(group_labels):
        of_class = rng.permutation(np.flatnonzero(group_labels == label))
        edges = np.round(np.cumsum(shares)[:2] / sum(shares) * len(of_class)).astype(int)
        # The first part is for training, and needs a row of every class.
        first, second = max(int(edges[0]), 1), max(int(edges[1]), 1)
        part[of_class[first:second]] = 1
        part[of_class[second:]] = 2
    return [
        np.array(sorted(r for g in np.flatnonzero(part == p) for r in members[g]), dtype=np.int64)
        for p in range(3)
    ]


def stratified_rows(labels: np.ndarray, limit: int, rng: np.random.Generator) -> np.ndarray:
    """At most `limit` rows in their order, with the shares of the classes.

    Every class keeps a row if the limit is large enough. A row with several labels counts under its
    rarest class.
    """
    labels = one_class_each(labels)
    if len(labels) <= limit:
        return np.arange(len(labels))
    shuffled = rng.permutation(len(labels))
    # The rank of each row in its class, divided by the size of the class. The rows with the lowest
    # values keep the shares; the first row of each class comes before the second of any class.
    share = np.empty(len(labels))
    for label in np.unique(labels):
        of_class = shuffled[labels[shuffled] == label]
        share[of_class] = np.arange(len(of_class)) / len(of_class)
    return np.sort(np.lexsort((shuffled, share))[:limit])


def class_counts(labels: np.ndarray, n_classes: int) -> np.ndarray:
    """Rows by class: (k,) int64. labels: (n,) class ids, or (n, k) bool."""
    if labels.ndim > 1:
        return np.asarray(labels.sum(axis=0, dtype=np.int64))
    counts: np.ndarray = np.bincount(labels, minlength=n_classes)
    return counts


def one_class_each(labels: np.ndarray) -> np.ndarray:
    """(n,) class ids: of (n, k) bool labels the rarest class of each row, or k for none."""
    if labels.ndim == 1:
        return labels
    rarest = np.full(len(labels), labels.shape[1])
    for of_class in np.argsort(-labels.sum(axis=0), kind="stable"):
        rarest[labels[:, of_class]] = of_class
    return rarest
