"""Which texts are unlike those of train, and when a table of them is no chance any more."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from scipy.stats import betabinom

from emolens.learn.typical import directions_of, slope_of
from emolens.likeness import Directions, TrainingTexts

TEXTS = TrainingTexts("en", (4, 60), 0.2, distance=1.0, slope=-0.5, rows=400, unlike=4)


def test_each_limit_has_its_reason_and_the_first_one_is_given() -> None:
    lengths = np.array([20, 61, 3, 20, 20, 61, 4, 60])
    unknown = np.array([0.2, 0, 0, 0.3, 0, 0.3, 0, 0])
    distances = np.array([0.0, 0, 9, 9, 9, 9, 0, 0])
    assert TEXTS.reasons(lengths, unknown, distances).tolist() == [
        *("", "longer", "shorter", "unknown words", "content", "unknown words", "", "")
    ]
    assert TEXTS.reasons(lengths, unknown, None).tolist() == [
        *("", "longer", "shorter", "unknown words", "", "unknown words", "", "")
    ]


def test_a_longer_text_must_be_nearer() -> None:
    distance = np.array([0.5, 0.5]) * np.e
    assert TEXTS.reasons(np.array([4, 5]), np.zeros(2), distance * 0.999).tolist() == [
        "",
        "content",
    ]


@pytest.mark.parametrize(("rows", "unlike"), [(1, 1), (64, 3), (100, 100), (10_000, 150), (0, 0)])
def test_chance_is_that_of_a_share_which_validation_has_measured(rows: int, unlike: int) -> None:
    exact = betabinom.sf(unlike - 1, rows, 5, 397)
    assert TEXTS.is_chance(rows, unlike) == (exact >= 0.01)


def test_with_few_rows_of_validation_more_may_be_chance() -> None:
    assert not TEXTS.is_chance(100, 8)
    assert replace(TEXTS, rows=40, unlike=0).is_chance(100, 8)


def test_the_distance_is_mahalanobis_with_a_shrunk_covariance() -> None:
    """Of 8 directions, the 4 in which the vectors vary most have variances of their own."""
    rng = np.random.default_rng(1)
    train = (rng.normal(size=(500, 8)) @ rng.normal(size=(8, 8)) + 3).astype(np.float32)
    new = rng.normal(size=(20, 8)).astype(np.float32)
    covariance = np.cov(train.T, bias=True)
    variances, axes = np.linalg.eigh(0.7 * covariance + 0.3 * np.trace(covariance) / 8 * np.eye(8))
    variances[:4] = variances[:4].mean()
    shrunk = axes @ np.diag(variances) @ axes.T
    gap = new - train.mean(axis=0)
    exact = (gap @ np.linalg.inv(shrunk) * gap).sum(axis=1) / 8
    directions = directions_of(train)
    np.testing.assert_allclose(directions.distances(new), exact, rtol=1e-3)
    both = directions.after_logits(np.hstack([np.ones((20, 3)), new]))
    np.testing.assert_allclose(both, np.column_stack([np.ones((20, 3)), exact]), rtol=1e-3)


def test_equal_embeddings_and_equal_lengths_give_finite_numbers() -> None:
    same = np.ones((5, 4), dtype=np.float32)
    distances = directions_of(same).distances(same)
    assert np.isfinite(distances).all()
    assert slope_of(distances, np.full(5, 7)) == pytest.approx(0, abs=1e-6)
    assert TEXTS.reasons(np.full(5, 7), np.zeros(5), distances).tolist() == [""] * 5


def test_the_slope_is_that_of_a_line_through_logarithms() -> None:
    lengths = np.array([4, 8, 16, 32])
    assert slope_of(3.0 * lengths**-0.7, lengths) == pytest.approx(-0.7, rel=0.01)


def test_it_is_kept_as_json() -> None:
    assert TrainingTexts.from_json(TEXTS.to_json()) == TEXTS
    assert TrainingTexts.from_json({"language": "en"}) is None


@pytest.mark.parametrize(
    "change",
    [
        *({"length": 3}, {"length": [1]}, {"length": [1, "x"]}, {"rows": -1}, {"unlike": 401}),
        *({"distance": None}, {"distance": float("nan")}, {"slope": True}, {"language": 3}),
    ],
)
def test_what_cant_have_been_written_is_refused(change: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="training_texts"):
        TrainingTexts.from_json({**TEXTS.to_json(), **change})


def test_arrays_of_another_model_are_refused() -> None:
    arrays = vars(directions_of(np.eye(4, dtype=np.float32)))
    assert Directions.of(arrays, 4).distances(np.eye(4)).shape == (4,)
    for width, values in (
        (5, arrays),
        (4, {}),
        (4, {**arrays, "axes": np.ones(4)}),
        (4, {"axes": np.eye(4)}),
    ):
        with pytest.raises(ValueError, match="not of this model"):
            Directions.of(values, width)
