"""Lays vectors out on a plane, for a picture. The only module that knows `umap`."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

import numpy as np

from emolens.encode.engines.base import check_finite
from emolens.errors import DataError, UsageError, nearest, require
from emolens.explore.neighbors import graph, nearest_rows
from emolens.names import user_path
from emolens.shown import html_table, one_line
from emolens.store import load_table, save_table

Metric = Literal["cosine", "correlation", "euclidean", "manhattan", "chebyshev"]

MANY = 2**14  # rows; above, UMAP's approximate search is faster than all pairs


@dataclass(frozen=True)
class Projection:
    """Places on the plane: `xy` (n, 2) float32 and `labels` (n,) int64 class ids."""

    xy: np.ndarray
    labels: np.ndarray

    def __repr__(self) -> str:
        n_classes = len(np.unique(self.labels))
        return one_line(self, f"{len(self.labels):,} texts on a plane", f"{n_classes} classes")

    def _repr_html_(self) -> str:
        rows = zip(*self.xy.T.tolist(), self.labels.tolist(), strict=True)
        return html_table(self, ("X", "Y", "label"), rows)

    def save(self, path: str | Path) -> None:
        """Write the table X, Y, label as Parquet."""
        import pyarrow as pa

        columns = {"X": self.xy[:, 0], "Y": self.xy[:, 1], "label": self.labels}
        save_table(user_path(path), pa.table(columns))

    @classmethod
    def load(cls, path: str | Path) -> Projection:
        """Read what save wrote."""
        table = load_table(user_path(path))
        xy = np.column_stack([table["X"].to_numpy(), table["Y"].to_numpy()])
        return cls(xy, table["label"].to_numpy())


def project(
    vectors: np.ndarray,
    labels: np.ndarray,
    *,
    n_neighbors: int = 15,
    min_dist: float = 0.1,
    metric: Metric = "cosine",
    seed: int = 42,
) -> Projection:
    """Scale each feature to 0…1 and lay the rows out in two dimensions with UMAP.

    vectors: (n, d), finite, at least three rows; DataError otherwise. n_neighbors: 2 or more, with
    the row itself; UsageError otherwise. The layout does not use the labels; they are only stored
    with it. The same seed gives the same picture on the same machine.
    (McInnes, Healy and Melville, 2018.)
    """
    _check(vectors, n_neighbors, metric)
    umap = require("umap.umap_", "train")
    preprocessing = require("sklearn.preprocessing", "train")
    scaled = preprocessing.MinMaxScaler().fit_transform(vectors)
    if metric == "cosine":
        # A row of zeros has no cosine. After scaling, the row of all lowest values is such a row.
        scaled[~scaled.any(axis=1)] = 1e-6
    n = len(scaled)
    random = np.random.RandomState(seed)
    indices, distances = _neighbors(scaled, min(n_neighbors, n - 1) - 1, metric, random)
    # float32 makes the powers in umap's inner loop faster.
    a, b = (np.float32(value) for value in umap.find_ab_params(1.0, min_dist))
    with warnings.catch_warnings():
        # Repeated texts make a disconnected graph; the layout is still right.
        warnings.filterwarnings("ignore", message=".*not fully connected.*")
        warnings.filterwarnings("ignore", message="Spectral initialisation failed!.*")
        xy, _ = umap.simplicial_set_embedding(
            scaled,
            graph(indices, distances),
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


def _check(vectors: np.ndarray, n_neighbors: int, metric: str) -> None:
    if n_neighbors < 2 or metric not in get_args(Metric):
        raise UsageError(
            f"A map can't be made with n_neighbors {n_neighbors} and metric '{metric}'.",
            hint=f"Give 2 neighbors or more. {nearest(metric, get_args(Metric))}",
        )
    if len(vectors) < 3:
        raise DataError(
            f"A map needs at least three rows; there are {len(vectors)}.", hint="Give more rows."
        )
    check_finite("the vectors", vectors)


def _neighbors(
    rows: np.ndarray, k: int, metric: str, random: np.random.RandomState
) -> tuple[np.ndarray, np.ndarray]:
    """nearest_rows, or for many rows an approximate search where all pairs would take minutes."""
    if len(rows) < MANY or metric not in ("manhattan", "chebyshev"):
        return nearest_rows(rows, k, metric)
    umap = require("umap.umap_", "train")
    indices, distances, _ = umap.nearest_neighbors(rows, k + 1, metric, {}, False, random)
    return indices[:, 1:], distances[:, 1:]
