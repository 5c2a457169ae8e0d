"""The recipe that is planned: what it follows from, and that each part of it can be stated."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from emolens.data.dataset import Dataset
from emolens.errors import UsageError
from emolens.learn.finetune.loop import Steps
from emolens.learn.finetune.plan import in_words, plan_recipe, planned
from emolens.scores import Recipe

LARGE: dict[str, Any] = {"width": 384, "n_rows": 16_000}
SIZES: dict[str, Any] = {
    "kind": st.sampled_from(["best", "fast"]),
    "width": st.integers(1, 8192),
    "n_rows": st.integers(1, 10**6),
}


def test_a_wider_encoder_gets_a_lower_learning_rate() -> None:
    rates = [planned(**{**LARGE, "width": w}).learning_rate for w in (128, 384, 768, 1024, 4096)]
    assert rates == sorted(rates, reverse=True)
    assert rates[1:3] == [2e-4, 5e-5]


@given(**SIZES)
def test_any_sizes_give_a_usual_recipe(kind: str, width: int, n_rows: int) -> None:
    recipe = planned(kind, width=width, n_rows=n_rows)
    assert 1e-5 <= recipe.learning_rate <= 4e-4
    assert 1 <= recipe.epochs <= 20
    assert recipe.batch_size in (16, 64)
    assert bool(recipe.rdrop) == (kind == "best")
    assert recipe.patience is None or recipe.epochs > recipe.patience


@pytest.mark.parametrize("n_rows", [50, 200, 300, 321, 1000, 1999, 2000, 16_000])
@pytest.mark.parametrize("kind", ["best", "fast"])
def test_few_rows_get_enough_steps_or_twenty_epochs(kind: str, n_rows: int) -> None:
    recipe = planned(kind, **{**LARGE, "n_rows": n_rows})
    if n_rows < 2000:
        assert Steps.of(recipe, n_rows).total >= 400 or recipe.epochs == 20
        assert recipe.patience == (4 if recipe.epochs > 6 else None)
    else:
        assert (recipe.epochs, recipe.batch_size) == (4 if kind == "best" else 1.5, 64)
        assert recipe.patience is None


def test_fast_is_less_work_than_best() -> None:
    best, fast = (planned(kind, **LARGE) for kind in ("best", "fast"))
    assert fast.epochs * (1 + bool(fast.rdrop)) < best.epochs * (1 + bool(best.rdrop))


@pytest.mark.parametrize("n_rows", [300, 16_000])
@pytest.mark.parametrize(
    "stated",
    [
        {"epochs": 3},
        {"learning_rate": 1e-3},
        {"batch_size": 7},
        {"weight_decay": 0.0},
        {"warmup": 0.0},
        {"rdrop": 0.0},
        {"rdrop": 4.0},
        {"patience": 2},
        {"precision": "fp32", "balance": "oversample", "seed": 3},
    ],
)
def test_what_is_stated_is_taken_and_nothing_else_changes(
    n_rows: int, stated: dict[str, Any]
) -> None:
    sizes = {**LARGE, "n_rows": n_rows}
    before, after = vars(planned(**sizes)), vars(planned(**sizes, **stated))
    follows = {"batch_size": {"epochs"}, "epochs": {"patience"}}
    changed = {name for name in after if after[name] != before[name]}
    assert {name: after[name] for name in stated} == stated
    assert changed - set(stated) <= {n for name in stated for n in follows.get(name, set())}


def test_none_is_planned_and_a_patience_of_0_never_stops() -> None:
    sizes = {**LARGE, "n_rows": 300}
    assert planned(**sizes, epochs=None, patience=None) == planned(**sizes)
    assert planned(**sizes).patience == 4
    assert planned(**sizes, patience=0).patience is None


def test_the_plan_of_a_data_set_counts_the_rows_after_balancing(
    feelings: Dataset, tiny_encoder: Path
) -> None:
    rows = feelings["train"].take(np.flatnonzero(feelings["train"].labels < 2)[:20])
    dataset = replace(feelings, splits={**feelings.splits, "train": rows})
    counts = np.bincount(rows.labels)
    oversampled = int(counts.max() * (counts > 0).sum())
    for method, n_rows in (("none", 20), ("oversample", oversampled)):
        recipe = plan_recipe(tiny_encoder, dataset, "fast", balance=method, seed=3)
        assert recipe == planned("fast", width=16, n_rows=n_rows, balance=method, seed=3)
    assert plan_recipe(str(tiny_encoder), dataset, epochs=2.5).epochs == 2.5


def test_another_kind_names_the_nearest() -> None:
    with pytest.raises(UsageError, match="no recipe 'fats'") as raised:
        planned("fats", **LARGE)
    assert "'fast'" in raised.value.hint
    with pytest.raises(UsageError, match="epochs is 0"):
        planned(**LARGE, epochs=0)


def test_a_recipe_in_words_names_what_decides() -> None:
    assert in_words(planned(**LARGE)) == (
        "4 epochs, batches of 64, learning rate 0.0002, warm-up 0.1, weight decay 0.01, R-Drop 1"
    )
    words = in_words(Recipe(epochs=1, patience=3, balance="oversample"))
    assert "1 epoch at most (until 3 in a row are worse on validation)" in words
    assert words.endswith("no R-Drop, oversample")
