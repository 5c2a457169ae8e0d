"""Several seeds: the best one on validation stays, and a stopped call goes on where it was."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from sklearn.metrics import f1_score

from emolens.data.dataset import Dataset
from emolens.errors import StorageError, UsageError
from emolens.learn.finetune import finetune
from emolens.learn.finetune.seeds import finetune_seeds
from emolens.output import sha256
from emolens.scores import FinetuneFacts, Recipe, Scores, SeedPoint

RECIPE = Recipe(epochs=2, learning_rate=5e-3, batch_size=16, precision="fp32", seed=0)
SEEDS = (7, 8, 9)
N_STEPS = 12  # of one training


class StoppedError(Exception):
    """As if the process had been killed."""


def points_of(scores: Scores) -> tuple[SeedPoint, ...]:
    assert isinstance(scores.facts, FinetuneFacts)
    return scores.facts.seeds


def weights(folder: Path) -> str:
    return sha256(folder / "model.safetensors")


def models_in(folder: Path) -> list[Path]:
    return sorted(Path(f"{folder}.checkpoints").rglob("model.safetensors"))


@pytest.fixture(scope="module")
def undisturbed(
    feelings: Dataset, tiny_encoder: Path, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, Scores]:
    folder = tmp_path_factory.mktemp("seeds") / "model"
    return folder, finetune_seeds(tiny_encoder, feelings, folder, seeds=SEEDS, recipe=RECIPE)


@pytest.fixture
def stopped(feelings: Dataset, tiny_encoder: Path, tmp_path: Path) -> Path:
    """A folder where two of three trainings have ended, and the third was stopped."""

    def stop(done: int, total: int) -> None:
        if done == 2 * N_STEPS + 3:
            raise StoppedError

    folder = tmp_path / "model"
    with pytest.raises(StoppedError):
        finetune_seeds(tiny_encoder, feelings, folder, seeds=SEEDS, recipe=RECIPE, progress=stop)
    return folder


def test_the_best_on_validation_is_kept_and_each_is_reported(
    undisturbed: tuple[Path, Scores], feelings: Dataset, tiny_encoder: Path, tmp_path: Path
) -> None:
    folder, scores = undisturbed
    alone = {}
    for seed in SEEDS:
        recipe = replace(RECIPE, seed=seed)
        alone[seed] = finetune(tiny_encoder, feelings, tmp_path / str(seed), recipe=recipe)
    assert [point.seed for point in points_of(scores)] == list(SEEDS)
    for point in points_of(scores):
        for split, figures in (("validation", point.validation), ("test", point.test)):
            answers, y = alone[point.seed].predictions(split), feelings[split].labels
            assert figures == pytest.approx(
                ((answers == y).mean(), f1_score(y, answers, average="macro"))
            )
    best = max(points_of(scores), key=lambda point: point.validation[::-1])
    assert isinstance(scores.facts, FinetuneFacts)
    assert scores.facts.recipe == replace(RECIPE, seed=best.seed)
    for split in ("validation", "test"):
        kept = alone[best.seed].probabilities[split]
        assert (scores.probabilities[split] == kept).all()
    assert scores.calibration == alone[best.seed].calibration
    assert weights(folder) == weights(tmp_path / str(best.seed))
    ours, theirs = (
        json.loads((place / "emolens.json").read_text())
        for place in (folder, tmp_path / str(best.seed))
    )
    assert ours == theirs


def test_nothing_but_the_model_is_left(undisturbed: tuple[Path, Scores]) -> None:
    folder, _ = undisturbed
    assert [path.name for path in folder.parent.iterdir()] == ["model"]


def test_progress_counts_the_steps_of_all_and_one_model_is_on_the_disk(
    feelings: Dataset, tiny_encoder: Path, tmp_path: Path
) -> None:
    folder, seen, models = tmp_path / "model", [], []

    def progress(done: int, total: int) -> None:
        seen.append((done, total))
        models.append(len(models_in(folder)))

    finetune_seeds(tiny_encoder, feelings, folder, seeds=SEEDS, recipe=RECIPE, progress=progress)
    assert seen == [(step, 3 * N_STEPS) for step in range(1, 3 * N_STEPS + 1)]
    assert models == [0] * N_STEPS + [1] * 2 * N_STEPS


def test_a_stopped_call_goes_on_with_the_training_that_had_not_ended(
    stopped: Path, undisturbed: tuple[Path, Scores], feelings: Dataset, tiny_encoder: Path
) -> None:
    seen: list[tuple[int, int]] = []
    scores = finetune_seeds(
        tiny_encoder,
        feelings,
        stopped,
        seeds=SEEDS,
        recipe=RECIPE,
        progress=lambda done, total: seen.append((done, total)),
    )
    assert min(seen)[0] > 2 * N_STEPS
    assert max(seen) == (3 * N_STEPS, 3 * N_STEPS)
    same_as(scores, stopped, undisturbed)


def same_as(scores: Scores, folder: Path, undisturbed: tuple[Path, Scores]) -> None:
    whole, theirs = undisturbed
    assert weights(folder) == weights(whole)
    assert (scores.probabilities["test"] == theirs.probabilities["test"]).all()
    ours = [replace(point, seconds=0) for point in points_of(scores)]
    assert ours == [replace(point, seconds=0) for point in points_of(theirs)]
    assert [path.name for path in folder.parent.iterdir()] == ["model"]


def test_a_damaged_model_is_trained_again(
    stopped: Path, undisturbed: tuple[Path, Scores], feelings: Dataset, tiny_encoder: Path
) -> None:
    (model,) = models_in(stopped)
    model.unlink()
    scores = finetune_seeds(tiny_encoder, feelings, stopped, seeds=SEEDS, recipe=RECIPE)
    same_as(scores, stopped, undisturbed)


def test_a_damaged_record_is_that_of_a_training_that_has_not_ended(
    stopped: Path, undisturbed: tuple[Path, Scores], feelings: Dataset, tiny_encoder: Path
) -> None:
    record = Path(f"{stopped}.checkpoints") / "seed-7" / "seed.json"
    record.write_text(record.read_text().replace('"seed": 7', '"seed": 6'))
    steps: list[int] = []
    scores = finetune_seeds(
        tiny_encoder,
        feelings,
        stopped,
        seeds=SEEDS,
        recipe=RECIPE,
        progress=lambda done, total: steps.append(done),
    )
    assert len(steps) > N_STEPS
    same_as_models(scores, stopped, undisturbed)


def same_as_models(scores: Scores, folder: Path, undisturbed: tuple[Path, Scores]) -> None:
    assert weights(folder) == weights(undisturbed[0])
    assert (scores.probabilities["test"] == undisturbed[1].probabilities["test"]).all()


def test_trainings_of_another_recipe_are_not_used_and_foreign_files_stay(
    stopped: Path, feelings: Dataset, tiny_encoder: Path, tmp_path: Path
) -> None:
    root = Path(f"{stopped}.checkpoints")
    (root / "seed-8" / "notes.txt").write_text("mine")
    other, seen = replace(RECIPE, epochs=1), []
    with pytest.warns(UserWarning, match="with other seeds or settings that had ended"):
        scores = finetune_seeds(
            tiny_encoder,
            feelings,
            stopped,
            seeds=(8, 10),
            recipe=other,
            progress=lambda done, total: seen.append((done, total)),
        )
    assert seen == [(step, N_STEPS) for step in range(1, N_STEPS + 1)]
    assert [point.seed for point in points_of(scores)] == [8, 10]
    left = [path.relative_to(root).as_posix() for path in root.rglob("*") if path.is_file()]
    assert left == ["seed-8/notes.txt"]


def test_one_seed_is_a_plain_training_and_removes_what_several_have_left(
    stopped: Path, feelings: Dataset, tiny_encoder: Path, tmp_path: Path
) -> None:
    with pytest.warns(UserWarning, match="had ended, and are removed"):
        scores = finetune_seeds(tiny_encoder, feelings, stopped, seeds=[7], recipe=RECIPE)
    recipe = replace(RECIPE, seed=7)
    plain = finetune(tiny_encoder, feelings, tmp_path / "plain", recipe=recipe)
    assert weights(stopped) == weights(tmp_path / "plain")
    assert points_of(scores) == points_of(plain) == ()
    assert not Path(f"{stopped}.checkpoints").exists()


@pytest.mark.parametrize("seeds", [SEEDS, SEEDS[:1]], ids=["three seeds", "one seed"])
def test_a_second_call_for_the_same_folder_is_refused_and_disturbs_nothing(
    seeds: tuple[int, ...], tmp_path: Path, feelings: Dataset, tiny_encoder: Path
) -> None:
    """It would delete the trainings of the first one: to it, they are of other seeds."""
    folder, others = tmp_path / "model", []

    def second_call(done: int, total: int) -> None:
        if done == total - 2:
            for other in ((1, 2), (3,)):
                with pytest.raises(StorageError, match="Another training keeps its checkpoints"):
                    finetune_seeds(tiny_encoder, feelings, folder, seeds=other, recipe=RECIPE)
                others.append(other)

    scores = finetune_seeds(
        tiny_encoder, feelings, folder, seeds=seeds, recipe=RECIPE, progress=second_call
    )
    assert len(others) == 2
    assert isinstance(scores.facts, FinetuneFacts)
    assert [point.seed for point in scores.facts.seeds] == list(seeds[1:] and seeds)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["model"]


def test_without_a_test_split_its_figures_are_none(
    feelings: Dataset, tiny_encoder: Path, tmp_path: Path
) -> None:
    splits = {name: rows for name, rows in feelings.splits.items() if name != "test"}
    recipe = replace(RECIPE, epochs=1)
    scores = finetune_seeds(
        tiny_encoder, replace(feelings, splits=splits), tmp_path / "m", seeds=(1, 2), recipe=recipe
    )
    assert [point.test for point in points_of(scores)] == [None, None]


@pytest.mark.parametrize("seeds", [(), (1, 1), (-1,), (2**32,)])
def test_seeds_that_make_no_sense_are_refused(
    feelings: Dataset, tmp_path: Path, seeds: tuple[int, ...]
) -> None:
    with pytest.raises(UsageError, match="seeds") as raised:
        finetune_seeds("minilm", feelings, tmp_path / "m", seeds=seeds)
    assert "seeds=range(42, 47)" in raised.value.hint
    assert not (tmp_path / "m").exists()
