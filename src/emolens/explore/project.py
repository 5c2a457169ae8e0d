"""Vectors to a plane that can be drawn. The only module that knows `umap`."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from emolens.encode.engines.base import check_finite
from emolens.errors import DataError, require
from emolens.shown import one_line
from emolens.store import load_table, save_table


@dataclass(frozen=True)
class Projection:
    """Places on the plane: `xy` (n, 2) float32 and `labels` (n,) int64 class ids."""

    xy: np.ndarray
    labels: np.ndarray

    def __repr__(self) -> str:
        n_classes = len(np.unique(self.labels))
        return one_line(self, f"{len(self.labels):,} texts on a plane", f"{n_classes} classes")

    def save(self, path: Path) -> None:
        """Write the table X, Y, label as Parquet."""
        import pyarrow as pa

        columns = {"X": self.xy[:, 0], "Y": self.xy[:, 1], "label": self.labels}
        save_table(path, pa.table(columns))

    @classmethod
    def load(cls, path: Path) -> Projection:
        """Read what save wrote."""
        table = load_table(path)
        xy = np.column_stack([table["X"].to_numpy(), table["Y"].to_numpy()])
        return cls(xy, table["label"].to_numpy())


def project(
    vectors: np.ndarray,
    labels: np.ndarray,
    *,
    n_neighbors: int = 15,
    min_dist: float = 0.1,
    metric: str = "cosine",
    seed: int = 42,
) -> Projection:
    """Scale each feature to 0…1 and lay the rows out in two dimensions with UMAP.

    vectors: (n, d), finite, at least three rows; DataError otherwise. The labels only ride along;
    the layout does not see them. The same seed gives the same picture on the same machine.
    (McInnes, Healy and Melville, 2018.)
    """
    if len(vectors) < 3:
        raise DataError(
            f"A map needs at least three rows; there are {len(vectors)}.", hint="Give more rows."
        )
    check_finite("the vectors", vectors)
    umap = require("umap.umap_", "train")
    preprocessing = require("sklearn.preprocessing", "train")
    scaled = preprocessing.MinMaxScaler().fit_transform(vectors)
    if metric == "cosine":
        # A row without a direction has no cosine; only the lowest value in every feature is one.
        scaled[~scaled.any(axis=1)] = 1e-6
    n = len(scaled)
    random = np.random.RandomState(seed)
    indices, distances = _neighbors(scaled, min(n_neighbors, n - 1) - 1, metric, random)
    # In float32 each power in umap's loop costs less, a fifth of the layout's time.
    a, b = (np.float32(value) for value in umap.find_ab_params(1.0, min_dist))
    with warnings.catch_warnings():
        # Repeated texts make a disconnected graph; the picture shows them where they belong.
        warnings.filterwarnings("ignore", message=".*not fully connected.*")
        warnings.filterwarnings("ignore", message="Spectral initialisation failed!.*")
        xy, _ = umap.simplicial_set_embedding(
            scaled,
            _graph(indices, distances),
            n_components=2,
            initial_alpha=1.0,
            a=a,
            b=b,
            gamma=1.0,
            negative_sample_rate=5,
            n_epochs=None,
            # The spectral start needs more rows than dimensions.
            init="spectral" if n > 10 else "random",
            random_state=random,
            metric=metric,
            metric_kwds={},
            densmap=False,
            densmap_kwds={},
            output_dens=False,
        )
    return Projection(np.asarray(xy, dtype=np.float32), np.asarray(labels, dtype=np.int64))


def _neighbors(
    rows: np.ndarray, k: int, metric: str, random: np.random.RandomState
) -> tuple[np.ndarray, np.ndarray]:
    """Indices of the k nearest other rows and the distances to them, (n, k), nearest first."""
    if metric in ("cosine", "correlation"):
        if metric == "correlation":
            rows = rows - rows.mean(axis=1, keepdims=True)
        length = np.linalg.norm(rows, axis=1, keepdims=True)
        indices, squares = _nearest(rows / np.where(length > 0, length, 1), k)
        return indices, squares / 2
    if metric == "euclidean":
        indices, squares = _nearest(rows - rows.mean(axis=0), k)
        return indices, np.sqrt(squares)
    if len(rows) < 2**14:  # beyond, umap's approximate search overtakes all pairs
        search = require("sklearn.neighbors", "train")
        fitted = search.NearestNeighbors(n_neighbors=k, metric=metric, algorithm="brute").fit(rows)
        distances, indices = fitted.kneighbors()
        return indices, distances
    umap = require("umap.umap_", "train")
    indices, distances, _ = umap.nearest_neighbors(rows, k + 1, metric, {}, False, random)
    return indices[:, 1:], distances[:, 1:]


def _nearest(points: np.ndarray, k: int) -> tuple[np.ndarray, np.ndarray]:
    """The k nearest other points and the squares of the distances to them, nearest first.

    points: (n, d); exact to float32. One product of matrices does nearly all of the work, so all
    pairs cost less than NN-descent up to more rows than a map can show.
    """
    points = points.astype(np.float32)
    n, d = points.shape
    folds, width = 16, max(-(-n // 16), k)
    # |x - y|² ranks like |y|²/2 - x·y, and one more feature puts that into the product.
    others = np.zeros((d + 1, folds * width), dtype=np.float32)
    others[:d, :n] = points.T
    others[d] = np.finfo(np.float32).min
    others[d, :n] = (points**2).sum(axis=1) / -2
    queries = np.hstack([points, np.ones((n, 1), dtype=np.float32)])
    indices, squares = np.empty((n, k), dtype=np.int64), np.empty((n, k), dtype=np.float32)
    block = max(1, 2**24 // n)
    for start in range(0, n, block):
        own = np.arange(start, min(start + block, n))
        score = queries[own] @ others
        score[own - start, own] = -np.inf
        # The k best lie in the k columns of the folded row whose maxima are highest.
        highest = score.reshape(len(own), folds, width).max(axis=1)
        columns = np.argpartition(highest, width - k, axis=1)[:, None, width - k :]
        candidates = (columns + np.arange(0, folds * width, width)[:, None]).reshape(len(own), -1)
        scores = np.take_along_axis(score, candidates, axis=1)
        best = np.argpartition(scores, -k, axis=1)[:, -k:]
        found = np.take_along_axis(candidates, best, axis=1)
        # By the difference itself, so that repeated rows are at 0 and not at a rounding error.
        gaps = ((points[found] - points[own][:, None]) ** 2).sum(axis=2)
        order = np.argsort(gaps, axis=1, kind="stable")
        indices[own] = np.take_along_axis(found, order, axis=1)
        squares[own] = np.take_along_axis(gaps, order, axis=1)
    return indices, squares


def _graph(indices: np.ndarray, distances: np.ndarray) -> Any:
    """How strongly rows belong together, as UMAP defines it: (n, n), sparse and symmetric.

    A row's nearest neighbor belongs to it with 1, the others with exp(-excess / sigma), where
    sigma makes the strengths sum up to log2 of the number of neighbors, the row itself included.
    umap's own function does the same; to compile it takes four seconds.
    """
    sparse = require("scipy.sparse", "train")
    n, k = distances.shape
    rho = np.where(distances > 0, distances, np.inf).min(axis=1, keepdims=True)
    rho[np.isinf(rho)] = 0
    excess = np.maximum(distances - rho, 0).astype(np.float64)
    low, sigma, high = np.zeros((n, 1)), np.ones((n, 1)), np.full((n, 1), np.inf)
    for _ in range(64):
        wide = np.exp(-excess / sigma).sum(axis=1, keepdims=True) > np.log2(k + 1)
        low, high = np.where(wide, low, sigma), np.where(wide, sigma, high)
        sigma = np.where(np.isinf(high), sigma * 2, (low + high) / 2)
    each = distances.sum(axis=1, keepdims=True) / (k + 1)
    sigma = np.maximum(sigma, 1e-3 * np.where(rho > 0, each, each.mean()))
    strengths = np.exp(-excess / sigma).astype(np.float32)
    ends = np.arange(0, n * k + 1, k)
    graph = sparse.csr_matrix((strengths.ravel(), indices.ravel(), ends), shape=(n, n))
    return graph + graph.T - graph.multiply(graph.T)
