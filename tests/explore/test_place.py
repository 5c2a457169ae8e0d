"""New rows on a map: near the rows that are like them, which stay where they are."""

from __future__ import annotations

import warnings

import numpy as np
import pytest

from emolens.errors import DataError
from emolens.explore.neighbors import attraction, nearest_rows
from emolens.explore.project import Metric, place, project
from tests.explore.test_project import clusters

VECTORS, LABELS = clusters(120)
TRAIN, NEW = slice(0, 90), slice(90, 120)
MAP = project(VECTORS[TRAIN], LABELS[TRAIN])


def placed(vectors: np.ndarray, **settings: object) -> np.ndarray:
    return place(MAP, VECTORS[TRAIN], vectors, **settings)  # type: ignore[arg-type]


def test_new_rows_lie_among_those_of_their_cluster() -> None:
    before = MAP.xy.copy()
    new = placed(VECTORS[NEW])
    assert (new.shape, new.dtype) == ((30, 2), np.float32)
    nearest = np.linalg.norm(new[:, None] - MAP.xy[None], axis=-1).argmin(axis=1)
    assert (LABELS[TRAIN][nearest] == LABELS[NEW]).all()
    np.testing.assert_array_equal(MAP.xy, before)


@pytest.mark.parametrize("metric", ["cosine", "euclidean", "manhattan"])
def test_fitted_rows_get_their_places(metric: Metric) -> None:
    mapped = project(VECTORS[TRAIN], LABELS[TRAIN], metric=metric)
    again = place(mapped, VECTORS[TRAIN], VECTORS[:20], metric=metric)
    np.testing.assert_array_equal(again, mapped.xy[:20])


def test_the_same_seed_gives_the_same_places() -> None:
    first, second, other = (placed(VECTORS[NEW], seed=seed) for seed in (3, 3, 4))
    assert first.tobytes() == second.tobytes()
    assert first.tobytes() != other.tobytes()


def test_new_rows_are_as_far_from_the_middle_as_fitted_ones() -> None:
    rows = np.random.default_rng(1).normal(size=(900, 12)).astype(np.float32)
    fitted, new = rows[:700], rows[700:]
    mapped = project(fitted, np.zeros(700))
    middle = np.median(mapped.xy, axis=0)
    far = [
        np.quantile(np.linalg.norm(xy - middle, axis=1), [0.25, 0.5, 0.75])
        for xy in (mapped.xy, place(mapped, fitted, new))
    ]
    np.testing.assert_allclose(far[1], far[0], rtol=0.15)


def test_no_rows_one_row_and_equal_rows_have_finite_places() -> None:
    assert placed(VECTORS[:0]).shape == (0, 2)
    assert np.isfinite(placed(VECTORS[:1])).all()
    assert np.isfinite(placed(np.zeros((4, VECTORS.shape[1])))).all()


def test_a_map_of_three_rows_takes_new_ones() -> None:
    few = project(VECTORS[:3], LABELS[:3])
    assert np.isfinite(place(few, VECTORS[:3], VECTORS[NEW])).all()


def test_a_value_that_is_not_finite_names_the_row() -> None:
    broken = VECTORS[NEW].copy()
    broken[4, 1] = np.inf
    with pytest.raises(DataError, match=r"Row 5 .* not finite"):
        placed(broken)


def test_near_rows_attract_more_and_an_equal_row_most() -> None:
    asked = np.concatenate([VECTORS[NEW], VECTORS[:1]])
    strengths, indices = attraction(*nearest_rows(VECTORS[TRAIN], 10, "euclidean", of=asked))
    np.testing.assert_allclose(strengths[:-1].sum(axis=1), np.log2(10), rtol=1e-4)
    assert (np.diff(strengths, axis=1) <= 0).all()
    assert (strengths[-1, 0], indices[-1, 0]) == (1, 0)
    assert strengths[:-1].max() < 1


def test_the_places_are_as_good_as_those_of_umap() -> None:
    """Judged by the rows that lie near on the map: how many of them are near in truth."""
    from umap import UMAP

    vectors = np.random.default_rng(5).normal(size=(600, 3)).astype(np.float32)
    fitted, new = vectors[:500], vectors[500:]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that a seed means one thread
        theirs = UMAP(metric="euclidean", random_state=1).fit(fitted)
        of_umap = theirs.transform(new)
    ours = project(fitted, np.zeros(500), metric="euclidean")
    true, _ = nearest_rows(fitted, 10, "euclidean", of=new)

    def kept(mapped: np.ndarray, xy: np.ndarray) -> float:
        near, _ = nearest_rows(mapped, 10, "euclidean", of=xy)
        return float(np.mean([len(set(a) & set(b)) for a, b in zip(true, near, strict=True)]))

    found = kept(ours.xy, place(ours, fitted, new, metric="euclidean"))
    assert found > 0.85 * kept(theirs.embedding_, of_umap)
    assert found > 3
