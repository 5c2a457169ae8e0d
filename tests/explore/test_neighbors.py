"""The nearest rows are those of all pairs, and the graph is UMAP's own."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.spatial.distance import cdist
from umap.umap_ import fuzzy_simplicial_set

from emolens.explore.neighbors import graph, nearest_rows


@pytest.mark.parametrize(("n", "k"), [(3, 1), (17, 14), (40, 14), (2000, 14)])
@pytest.mark.parametrize("metric", ["cosine", "correlation", "euclidean", "manhattan", "chebyshev"])
def test_neighbors_are_the_nearest_other_rows(n: int, k: int, metric: str) -> None:
    rows = np.random.default_rng(n).random((n, 5)).astype(np.float32)
    indices, distances = nearest_rows(rows, k, metric)
    name = "cityblock" if metric == "manhattan" else metric
    every = cdist(rows.astype(np.float64), rows.astype(np.float64), name)
    np.fill_diagonal(every, np.inf)
    wanted = np.sort(np.partition(every, k - 1, axis=1)[:, :k], axis=1)
    np.testing.assert_allclose(distances, wanted, atol=2e-5)
    assert (indices != np.arange(n)[:, None]).all()
    assert (np.diff(np.sort(indices)) > 0).all()


def test_repeated_rows_are_at_distance_zero() -> None:
    rows = np.repeat(np.random.default_rng(0).random((20, 50)), 30, axis=0)
    _, distances = nearest_rows(rows, 14, "cosine")
    assert not distances.any()


@pytest.mark.parametrize("repeated", [False, True])
def test_the_graph_is_umaps(repeated: bool) -> None:
    rows = np.random.default_rng(0).random((200, 5))
    if repeated:
        rows[:60] = rows[0]
    indices, distances = nearest_rows(rows, 14, "euclidean")
    own = np.arange(200)[:, None]
    theirs, _, _ = fuzzy_simplicial_set(
        rows, 15, None, "euclidean", knn_indices=np.hstack([own, indices]),
        knn_dists=np.hstack([np.zeros((200, 1)), distances]),
    )  # fmt: skip
    np.testing.assert_allclose(graph(indices, distances).toarray(), theirs.toarray(), atol=1e-4)
