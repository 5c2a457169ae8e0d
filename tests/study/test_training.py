"""The stage that fine-tunes: which recipe it takes, and what it says of it."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from emolens.evaluation.evaluate import Evaluation
from emolens.learn.finetune.plan import in_words
from emolens.scores import FINETUNE, FinetuneFacts, Scores
from emolens.study import Run, Study, load_study, run_study
from tests.conftest import Emolens
from tests.study.test_run_study import Log, imbalanced


@pytest.fixture
def copied(tiny_run: Run, tmp_path: Path) -> Path:
    """A finished run that a test may change."""
    return Path(shutil.copytree(tiny_run.folder, tmp_path / "run"))


def with_settings(study: Study, **finetune: Any) -> Study:
    return Study.model_validate({**study.model_dump(), "finetune": finetune})


def facts_of(folder: Path) -> FinetuneFacts:
    facts = Scores.load(folder / FINETUNE.folder).facts
    assert isinstance(facts, FinetuneFacts)
    return facts


def test_what_a_study_does_not_set_is_planned_and_said_before_it_starts(
    tiny_run: Run, copied: Path
) -> None:
    log = Log()
    study = with_settings(tiny_run.study, precision="fp32", warmup=0.0)
    run_study(study, copied, until="finetune", observer=log)
    recipe = facts_of(copied).recipe
    assert (recipe.epochs, recipe.batch_size, recipe.learning_rate) == (20, 16, 4e-4)
    assert (recipe.rdrop, recipe.warmup, recipe.seed) == (1.0, 0.0, 7)
    (note,) = log.notes
    sizes, words = f"fine-tuning: 66 rows, {20 * 5} steps: ", in_words(recipe)
    assert note == f"{sizes}{words}; change them with --set finetune.epochs=21"
    assert load_study(copied / "study.toml").finetune == study.finetune, "it holds the settings"


def test_the_hint_about_the_plan_works_and_a_stated_recipe_has_none(
    tiny_run: Run, copied: Path
) -> None:
    log = Log()
    run_study(with_settings(tiny_run.study, epochs=1), copied, until="finetune", observer=log)
    assert "--set finetune.epochs=2" in log.notes[0]
    whole = {"epochs": 1, "learning_rate": 1e-3, "batch_size": 8, "weight_decay": 0.0}
    whole |= {"warmup": 0.0, "rdrop": 0.0, "patience": 0}
    log = Log()
    whole["recipe"] = "fast"
    run_study(with_settings(tiny_run.study, **whole), copied, until="finetune", observer=log)
    assert "--set" not in log.notes[0]
    assert log.notes[1].startswith("recipe 'fast' changes nothing here")
    assert "1 epoch, batches of 8, learning rate 0.001" in log.notes[0]


def test_the_rows_of_the_plan_are_those_that_balance_leaves(tiny_run: Run, tmp_path: Path) -> None:
    plain = with_settings(tiny_run.study, epochs=1).model_dump()
    plain |= {"balance": {"method": "undersample"}}
    plain["data"]["dataset"] = str(imbalanced(tmp_path / "data"))
    log = Log()
    run_study(Study.model_validate(plain), tmp_path / "run", until="finetune", observer=log)
    assert log.notes[0].startswith("fine-tuning: 18 rows, 2 steps: ")
    assert ", undersample; " in log.notes[0]


def test_the_recipe_stands_in_report_and_card(tiny_run: Run) -> None:
    recipe = facts_of(tiny_run.folder).recipe
    assert recipe.epochs == tiny_run.study.finetune.epochs
    page = tiny_run.report.read_text("utf-8")
    card = (tiny_run.folder / "model" / "README.md").read_text("utf-8")
    for text in (page, card):
        assert in_words(recipe) in text
        assert "The seed is 7." in text


def test_recipe_is_an_option_of_every_stage(
    emolens: Emolens, study_file: Callable[..., Path], tmp_path: Path
) -> None:
    where = [study_file(), "--out", tmp_path / "run"]
    assert emolens("baselines", *where, "--recipe", "fast").code == 0
    assert load_study(tmp_path / "run" / "study.toml").finetune.recipe == "fast"
    ended = emolens("finetune", *where, "--recipe", "fats")
    assert ended.code == 2
    assert "finetune.recipe" in ended.err
    ended = emolens("evaluate", "--model", "m", "--dataset", "starter", "--recipe", "fast")
    assert "--recipe is for training" in ended.err


def test_the_plan_is_printed_before_the_stage_ends(
    emolens: Emolens, study_file: Callable[..., Path], tmp_path: Path
) -> None:
    ended = emolens("finetune", study_file(), "--out", tmp_path / "run", "--json")
    assert ended.code == 0, ended.err
    assert json.loads(ended.out)["stage"] == "finetune"
    assert ended.err == ""
    ended = emolens("finetune", study_file(), "--out", tmp_path / "other")
    lines = ended.err.splitlines()
    plan = next(i for i, line in enumerate(lines) if line.startswith("  fine-tuning: 60 rows"))
    done = next(i for i, line in enumerate(lines) if line.startswith("  finetune   validation"))
    assert plan < done


def test_several_seeds_are_reported_everywhere(
    tiny_run: Run, copied: Path, emolens: Emolens
) -> None:
    overrides = ["--seeds", "2", "--set", "finetune.epochs=1"]
    ended = emolens("run", copied / "study.toml", "--out", copied, *overrides)
    assert ended.code == 0, ended.err
    seeds = Evaluation.load(copied / "evaluation.json").seeds
    assert seeds is not None
    assert [point.seed for point in seeds.each] == [7, 8]
    assert seeds.each == facts_of(copied).seeds
    assert seeds.kept == facts_of(copied).recipe.seed
    assert "  2 trainings on the same splits, with the seeds 7 to 8; the best one" in ended.err
    assert f"; {seeds.summary}  [" in ended.err
    assert f"\n{seeds.choice}\n" in ended.err
    page = (copied / "report.html").read_text("utf-8")
    card = (copied / "model" / "README.md").read_text("utf-8")
    for text in (page, card):
        assert seeds.choice in text
    for text in (page, ended.out):
        assert "2 trainings on the same splits" in text
        for point in seeds.each:
            assert f"{point.validation[1]:.4f}" in text
            assert point.test is not None
            assert f"{point.test[0]:.4f}" in text
        for figures in seeds.spread.values():
            assert all(str(value) in text for value in figures.values())
    assert f"{seeds.kept} (kept)" in page
    assert seeds.sentence("test") in card
    assert not (copied / "model.checkpoints").exists()
    assert load_study(copied / "study.toml").finetune.seeds == 2
    assert emolens("run", copied / "study.toml", "--out", copied).err.count("[as before]") == 12


@pytest.mark.parametrize("n", ["0", "101", "two"])
def test_a_number_of_seeds_that_makes_no_sense_is_refused(emolens: Emolens, n: str) -> None:
    ended = emolens("run", "starter", "--seeds", n)
    assert ended.code == 2
    assert "seeds" in ended.err


def test_the_last_seed_may_be_the_largest_of_all(tiny_run: Run, copied: Path) -> None:
    study = with_settings(tiny_run.study, epochs=1, seeds=2)
    study = Study.model_validate({**study.model_dump(), "seed": 2**32 - 1})
    run_study(study, copied, until="finetune")
    assert [point.seed for point in facts_of(copied).seeds] == [2**32 - 1, 0]


def test_the_figures_for_tensorboard_are_in_the_run_folder_and_cost_no_training(
    tiny_run: Run, copied: Path, emolens: Emolens
) -> None:
    log = Log()
    tracked = with_settings(
        tiny_run.study, **{**tiny_run.study.finetune.model_dump(), "tracker": "tensorboard"}
    )
    run_study(tracked, copied, until="finetune", observer=log)
    assert log.ran == []
    assert "trained before" in log.notes[-1]
    options = ["--tracker", "tensorboard", "--set", "finetune.epochs=1"]
    ended = emolens("finetune", copied / "study.toml", "--out", copied, *options)
    assert ended.code == 0, ended.err
    assert "trained before" not in ended.err
    assert list((copied / "tensorboard" / "seed-7").glob("events.*"))
    assert "finetune.tracker" in emolens("run", "starter", "--tracker", "wandb").err
