"""The mean and the spread over several trainings."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from emolens.evaluation.evaluate import Evaluation
from emolens.evaluation.seeds import seeds_of
from emolens.scores import FinetuneFacts, Recipe, Scores, SeedPoint
from emolens.study import Run

POINTS = tuple(
    SeedPoint(seed, 3.0, 10.0, (0.9 + seed / 1000, 0.8), (0.85, 0.7 + seed / 100))
    for seed in (1, 3, 8)
)


def scores_with(points: tuple[SeedPoint, ...]) -> Scores:
    empty = {"training": (), "history": (), "prediction": {}}
    facts = FinetuneFacts(Recipe(seed=3), "cpu", 0.1, 1.0, 1.0, 1.0, seeds=points, **empty)
    return Scores("finetune", {}, facts)


def test_mean_and_standard_deviation_are_those_of_numpy() -> None:
    seeds = seeds_of([Scores("probe", {}), scores_with(POINTS)])
    assert seeds is not None
    assert (seeds.kept, seeds.each) == (3, POINTS)
    for split in ("validation", "test"):
        for place, name in enumerate(("accuracy", "macro_f1")):
            values = [getattr(point, split)[place] for point in POINTS]
            spread = seeds.spread[split][name]
            assert spread.mean == pytest.approx(np.mean(values))
            assert spread.deviation == pytest.approx(np.std(values, ddof=1))
    assert seeds.sentence("test") == (
        "Over 3 seeds, test accuracy 0.8500 ± 0.0000, macro-F1 0.7400 ± 0.0361."
    )
    assert seeds.summary.startswith("3 seeds: validation accuracy 0.9040 ± 0.0036, ")
    assert seeds.summary.endswith("; seed 3 is kept: the best on validation")


def test_one_training_has_no_spread() -> None:
    assert seeds_of([scores_with(())]) is None
    assert seeds_of([Scores("probe", {})]) is None


def test_a_split_that_is_absent_is_left_out() -> None:
    seeds = seeds_of([scores_with(tuple(replace(point, test=None) for point in POINTS))])
    assert seeds is not None
    assert list(seeds.spread) == ["validation"]


def test_an_evaluation_with_seeds_is_read_back(tiny_run: Run) -> None:
    assert tiny_run.evaluation.seeds is None
    evaluation = replace(tiny_run.evaluation, seeds=seeds_of([scores_with(POINTS)]))
    assert Evaluation.from_dict(evaluation.to_dict()) == evaluation
