"""The nearest rows of each row, and the graph that UMAP makes of them. Nothing here is random."""

from __future__ import annotations

from typing import Any

import numpy as np

from emolens.errors import require

ROUNDING = 1e-6


def nearest_rows(
    rows: np.ndarray, k: int, metric: str, *, of: np.ndarray | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Indices of the k nearest other rows and the distances to them, (n, k), nearest first.

    of: (m, d), other rows whose nearest are looked for in `rows`; (m, k) then. Exact: all pairs are
    compared. Cosine, correlation and euclidean are computed by fast products of matrices.
    """
    asked = [rows] if of is None else [rows, of]
    if metric == "correlation":
        asked, metric = [each - each.mean(axis=1, keepdims=True) for each in asked], "cosine"
    if cosine := metric == "cosine":
        asked, metric = [_of_length_one(each) for each in asked], "euclidean"
    search = require("sklearn.neighbors", "train")
    nearest = search.NearestNeighbors(n_neighbors=k, metric=metric, algorithm="brute").fit(asked[0])
    distances, indices = nearest.kneighbors(*asked[1:])
    # Equal rows are at distance 0; the products would leave a rounding error.
    distances = np.where(distances < ROUNDING, 0, distances)
    # For rows of length 1, the cosine distance is half of the squared Euclidean distance.
    return indices, distances**2 / 2 if cosine else distances


def nearest_places(xy: np.ndarray) -> np.ndarray:
    """(n,) which other of the places (n, 2) on a map is nearest to each; n is two or more."""
    tree = require("scipy.spatial", "train").cKDTree(xy)
    _, two = tree.query(xy, k=2)
    own = np.arange(len(xy))
    # Of two texts on one place, either may come first.
    nearest: np.ndarray = np.where(two[:, 0] == own, two[:, 1], two[:, 0])
    return nearest


def _of_length_one(rows: np.ndarray) -> np.ndarray:
    length = np.linalg.norm(rows, axis=1, keepdims=True)
    scaled: np.ndarray = rows / np.where(length > 0, length, 1)
    return scaled


def graph(indices: np.ndarray, distances: np.ndarray) -> Any:
    """How strongly rows are connected, as UMAP defines it: (n, n), sparse and symmetric.

    The strength is 1 for a row's nearest neighbor, and exp(-excess / sigma) for the others. sigma
    makes the strengths of a row sum up to log2 of the number of its neighbors, itself included.
    umap's own function gives the same, but needs seconds to compile.
    """
    sparse = require("scipy.sparse", "train")
    n, k = distances.shape
    rho = np.where(distances > 0, distances, np.inf).min(axis=1, keepdims=True)
    rho[np.isinf(rho)] = 0
    strengths = _strengths(distances, rho, n_neighbors=k + 1)
    ends = np.arange(0, n * k + 1, k)
    edges = sparse.csr_matrix((strengths.ravel(), indices.ravel(), ends), shape=(n, n))
    return edges + edges.T - edges.multiply(edges.T)


def attraction(indices: np.ndarray, distances: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """How strongly new rows are drawn to the rows of a map, (m, k) float32, and `indices`.

    As in `graph`, but the nearest row has no strength of 1, unless it is the same row.
    """
    none = np.zeros((len(distances), 1))
    return _strengths(distances, none, n_neighbors=distances.shape[1]), indices


def _strengths(distances: np.ndarray, rho: np.ndarray, *, n_neighbors: int) -> np.ndarray:
    """(n, k) float32: exp(-excess over rho / sigma); the rows sum up to log2 of n_neighbors."""
    excess = np.maximum(distances - rho, 0).astype(np.float64)
    n = len(distances)
    low, sigma, high = np.zeros((n, 1)), np.ones((n, 1)), np.full((n, 1), np.inf)
    for _ in range(64):
        wide = np.exp(-excess / sigma).sum(axis=1, keepdims=True) > np.log2(n_neighbors)
        low, high = np.where(wide, low, sigma), np.where(wide, sigma, high)
        sigma = np.where(np.isinf(high), sigma * 2, (low + high) / 2)
    each = distances.sum(axis=1, keepdims=True) / n_neighbors
    sigma = np.maximum(sigma, 1e-3 * np.where(rho > 0, each, each.mean()))
    strengths: np.ndarray = np.exp(-excess / np.where(sigma > 0, sigma, 1)).astype(np.float32)
    return strengths
