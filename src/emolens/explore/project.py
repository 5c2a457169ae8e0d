"""Vectors to a plane that can be drawn. The only module that knows `umap`."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from emolens.errors import DataError, require
from emolens.store import load_table, save_table


@dataclass(frozen=True)
class Projection:
    """Places on the plane: `xy` (n, 2) float32 and `labels` (n,) int64 class ids."""

    xy: np.ndarray
    labels: np.ndarray

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

    vectors: (n, d). The labels only ride along; the layout does not see them. The same seed
    gives the same picture on the same machine. (McInnes, Healy and Melville, 2018.)
    """
    if len(vectors) < 3:
        raise DataError(
            f"A map needs at least three rows; there are {len(vectors)}.", hint="Give more rows."
        )
    umap = require("umap", "train")
    preprocessing = require("sklearn.preprocessing", "train")
    scaled = preprocessing.MinMaxScaler().fit_transform(vectors)
    if metric == "cosine":
        # A row without a direction has no cosine; only the lowest value in every feature is one.
        scaled[~scaled.any(axis=1)] = 1e-6
    n = len(scaled)
    mapper = umap.UMAP(
        n_components=2,
        metric=metric,
        n_neighbors=min(n_neighbors, n - 1),
        min_dist=min_dist,
        random_state=seed,
        n_jobs=1,
        # The spectral start needs more rows than dimensions.
        init="spectral" if n > 10 else "random",
    )
    with warnings.catch_warnings():
        # Repeated texts make a disconnected graph; the picture shows them where they belong.
        warnings.filterwarnings("ignore", message=".*not fully connected.*")
        warnings.filterwarnings("ignore", message="Spectral initialisation failed!.*")
        xy = mapper.fit_transform(scaled)
    return Projection(np.asarray(xy, dtype=np.float32), np.asarray(labels, dtype=np.int64))
