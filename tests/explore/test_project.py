"""The map: a seed always gives the same picture, labels don't matter, few or equal rows work."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from emolens.errors import DataError, UsageError
from emolens.explore.neighbors import nearest_rows
from emolens.explore.project import Projection, _neighbors, project


def clusters(n: int, d: int = 6) -> tuple[np.ndarray, np.ndarray]:
    """(n, d) float32 around three centers, and the id of each row's center."""
    rng = np.random.default_rng(0)
    labels = np.arange(n) % 3
    centers = rng.normal(size=(3, d)) * 8
    return (centers[labels] + rng.normal(size=(n, d))).astype(np.float32), labels


def test_the_same_seed_gives_the_same_places_whatever_the_labels() -> None:
    vectors, labels = clusters(60)
    first = project(vectors, labels, seed=3)
    second = project(vectors, np.zeros(60, dtype=np.int64), seed=3)
    other = project(vectors, labels, seed=4)
    assert first.xy.shape == (60, 2)
    assert first.xy.dtype == np.float32
    assert first.xy.tobytes() == second.xy.tobytes()
    assert first.xy.tobytes() != other.xy.tobytes()
    assert (first.labels == labels).all()
    assert not second.labels.any()


def test_rows_of_a_cluster_lie_together() -> None:
    vectors, labels = clusters(90)
    xy = project(vectors, labels).xy
    distance = np.linalg.norm(xy[:, None] - xy[None], axis=-1)
    np.fill_diagonal(distance, np.inf)
    assert (labels[distance.argmin(axis=1)] == labels).mean() > 0.95


@pytest.mark.parametrize("n", [3, 5, 12])
def test_a_handful_of_rows_can_be_drawn(n: int) -> None:
    xy = project(*clusters(n)).xy
    assert xy.shape == (n, 2)
    assert np.isfinite(xy).all()


@pytest.mark.parametrize("metric", ["cosine", "euclidean"])
@pytest.mark.parametrize("kind", ["constant features", "identical rows", "zeros"])
def test_features_or_rows_without_differences_give_finite_places(kind: str, metric: str) -> None:
    vectors, labels = clusters(30)
    if kind == "constant features":
        vectors[:, :3] = 5
    else:
        vectors[:] = vectors[0] if kind == "identical rows" else 0
    xy = project(vectors, labels, metric=metric).xy
    assert xy.shape == (30, 2)
    assert np.isfinite(xy).all()


def test_fewer_rows_than_a_map_needs_are_a_data_error() -> None:
    with pytest.raises(DataError, match="at least three rows; there are 2") as caught:
        project(*clusters(2))
    assert caught.value.hint


def test_a_value_that_is_not_finite_is_a_data_error_that_names_the_row() -> None:
    vectors, labels = clusters(30)
    vectors[7, 2] = np.nan
    with pytest.raises(DataError, match=r"Row 8 .* not finite") as caught:
        project(vectors, labels)
    assert caught.value.hint


def test_two_processes_draw_the_same_picture() -> None:
    code = (
        "import numpy as np; from emolens.explore.project import project;"
        "rows = np.random.default_rng(0).normal(size=(400, 8)).astype(np.float32);"
        "print(project(rows, np.zeros(400)).xy.tobytes().hex())"
    )
    command = [sys.executable, "-W", "ignore", "-c", code]
    first, second = (subprocess.run(command, capture_output=True, check=True) for _ in range(2))
    assert len(first.stdout) > 400 * 2 * 4 * 2
    assert first.stdout == second.stdout


def test_a_projection_comes_back_as_it_was_saved(tmp_path: Path) -> None:
    xy = np.random.default_rng(0).normal(size=(7, 2)).astype(np.float32)
    Projection(xy, np.arange(7) % 2).save(tmp_path / "p.parquet")
    again = Projection.load(tmp_path / "p.parquet")
    assert np.array_equal(again.xy, xy)
    assert again.labels.tolist() == [0, 1, 0, 1, 0, 1, 0]


def test_many_rows_are_searched_nearly_as_well(monkeypatch: pytest.MonkeyPatch) -> None:
    rows, _ = clusters(300)
    exact, _ = nearest_rows(rows, 10, "manhattan")
    monkeypatch.setattr("emolens.explore.project.MANY", 100)
    near, distances = _neighbors(rows, 10, "manhattan", np.random.RandomState(0))
    assert near.shape == distances.shape == (300, 10)
    assert np.mean([len(set(a) & set(b)) for a, b in zip(exact, near, strict=True)]) > 9


@pytest.mark.parametrize(("option", "value"), [("n_neighbors", 1), ("metric", "cosin")])
def test_a_map_that_cannot_be_made_is_refused(option: str, value: object) -> None:
    with pytest.raises(UsageError, match=str(value)):
        project(np.eye(5), np.arange(5), **{option: value})  # type: ignore[arg-type]
