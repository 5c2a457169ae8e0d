"""Lays vectors out on a plane, for a picture. The only module that knows `umap`."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

import numpy as np

from emolens.encode.engines.base import check_finite
from emolens.errors import DataError, UsageError, nearest, require
from emolens.explore.neighbors import attraction, graph, nearest_rows
from emolens.names import user_path
from emolens.shown import html_table, one_line
from emolens.store import load_table, save_table

Metric = Literal["cosine", "correlation", "euclidean", "manhattan", "chebyshev"]

MANY = 2**14  # rows; above, UMAP's approximate search is faster than all pairs
# With 5, as UMAP has, new rows are pushed to the rim; with 4 they lie as far from the middle as the
# fitted ones (quantiles of the distance, starter and 8,800 texts of GoEmotions).
_PUSHES = 4
_EPOCHS = 100  # for new rows, as in UMAP; above 10,000 of them 30
_MANY_NEW, _FEWER_EPOCHS = 10_000, 30


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
    rows = _scaled(vectors, vectors, metric)
    n = len(rows)
    random = np.random.RandomState(seed)
    indices, distances = _neighbors(rows, min(n_neighbors, n - 1) - 1, metric, random)
    a, b = _curve(min_dist)
    with warnings.catch_warnings():
        # Repeated texts make a disconnected graph; the layout is still right.
        warnings.filterwarnings("ignore", message=".*not fully connected.*")
        warnings.filterwarnings("ignore", message="Spectral initialisation failed!.*")
        xy, _ = umap.simplicial_set_embedding(
            rows,
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


def place(
    projection: Projection,
    fitted: np.ndarray,
    vectors: np.ndarray,
    *,
    n_neighbors: int = 15,
    min_dist: float = 0.1,
    metric: Metric = "cosine",
    seed: int = 42,
) -> np.ndarray:
    """Places for new rows among their nearest fitted rows, (m, 2), as UMAP's `transform` does.

    projection: what `project` made of `fitted` (n, d), with the same n_neighbors, min_dist and
    metric; its rows do not move. vectors: (m, d), finite; DataError otherwise. A row starts at the
    mean of its neighbors' places, weighted by how near they are. Then these attract it, and fitted
    rows drawn at random push it away. The same seed gives the same places on the same machine.
    """
    check_finite("the vectors", vectors)
    if not len(vectors):
        return np.empty((0, 2), dtype=np.float32)
    others, rows = _scaled(fitted, fitted, metric), _scaled(fitted, vectors, metric)
    k = min(n_neighbors, len(others))
    strengths, indices = attraction(*nearest_rows(others, k, metric, of=rows))
    weights = strengths / strengths.sum(axis=1, keepdims=True)
    start = np.einsum("mk,mkd->md", weights, projection.xy[indices])
    # A text that was fitted, too, lies where it was put.
    same = strengths[:, 0] == 1
    start[same] = projection.xy[indices[same, 0]]
    xy = _settled(projection.xy, start, strengths, indices, _curve(min_dist), seed)
    xy[same] = start[same]
    return xy


def _settled(
    xy: np.ndarray,
    start: np.ndarray,
    strengths: np.ndarray,
    indices: np.ndarray,
    ab: tuple[np.float32, np.float32],
    seed: int,
) -> np.ndarray:
    """(m, 2) float32: the places after UMAP's steps of attraction and repulsion."""
    umap = require("umap.umap_", "train")
    layouts = require("umap.layouts", "train")
    n_epochs = _EPOCHS if len(start) <= _MANY_NEW else _FEWER_EPOCHS
    strong = strengths.ravel() >= strengths.max() / n_epochs
    heads = np.repeat(np.arange(len(start), dtype=np.int32), indices.shape[1])[strong]
    tails = indices.ravel().astype(np.int32)[strong]
    return np.asarray(
        layouts.optimize_layout_euclidean(
            start.astype(np.float32),
            xy.astype(np.float32, copy=True),
            heads,
            tails,
            n_epochs,
            len(xy),
            umap.make_epochs_per_sample(strengths.ravel()[strong], n_epochs),
            *ab,
            np.random.RandomState(seed).randint(-(2**31) + 1, 2**31 - 1, 3).astype(np.int64),
            initial_alpha=0.25,
            negative_sample_rate=_PUSHES,
        ),
        dtype=np.float32,
    )


def _scaled(fitted: np.ndarray, vectors: np.ndarray, metric: str) -> np.ndarray:
    """`vectors` with each feature scaled as the scale of `fitted` to 0…1 wants it."""
    scaler = require("sklearn.preprocessing", "train").MinMaxScaler().fit(fitted)
    rows: np.ndarray = scaler.transform(vectors)
    if metric == "cosine":
        # A row of zeros has no cosine. After scaling, the row of all lowest values is such a row.
        rows[~rows.any(axis=1)] = 1e-6
    return rows


def _curve(min_dist: float) -> tuple[np.float32, np.float32]:
    """a and b of the curve of nearness on the map. float32 makes umap's inner loop faster."""
    a, b = require("umap.umap_", "train").find_ab_params(1.0, min_dist)
    return np.float32(a), np.float32(b)


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
