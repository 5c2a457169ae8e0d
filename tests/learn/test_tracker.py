"""TensorBoard's own reader finds the figures of a training, whatever was in the folder before."""

from __future__ import annotations

from pathlib import Path

import pytest

from emolens.data.dataset import Dataset
from emolens.learn.finetune.seeds import finetune_seeds
from emolens.learn.finetune.tracker import TensorBoard
from emolens.scores import FinetuneFacts, Recipe

Points = dict[str, list[tuple[int, float]]]


def points_in(folder: Path) -> Points:
    """What TensorBoard would draw: steps and values by name."""
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    events = EventAccumulator(str(folder), purge_orphaned_data=True)
    events.Reload()
    return {
        name: [(event.step, event.value) for event in events.Scalars(name)]
        for name in events.Tags()["scalars"]
    }


def write(folder: Path, key: str, steps: dict[int, float]) -> None:
    tracker = TensorBoard(folder, key)
    for step, value in steps.items():
        tracker.log(step, {"train/loss": value})
    tracker.close()


def test_the_figures_of_a_training_are_read_back(
    feelings: Dataset, tiny_encoder: Path, tmp_path: Path
) -> None:
    recipe = Recipe(epochs=2, learning_rate=5e-3, batch_size=16, warmup=0.2, precision="fp32")
    scores = finetune_seeds(
        tiny_encoder,
        feelings,
        tmp_path / "model",
        seeds=(7, 8),
        recipe=recipe,
        tensorboard=tmp_path / "tensorboard",
    )
    facts = scores.facts
    assert isinstance(facts, FinetuneFacts)
    assert sorted(path.name for path in (tmp_path / "tensorboard").iterdir()) == [
        "seed-7",
        "seed-8",
    ]
    points = points_in(tmp_path / "tensorboard" / f"seed-{facts.recipe.seed}")
    losses = [value for _, value in points["train/loss"]]
    assert losses == pytest.approx([point.loss for point in facts.training])
    rates = [value for _, value in points["train/learning_rate"]]
    assert max(rates) == pytest.approx(5e-3, rel=0.5)
    assert rates[-1] < max(rates)
    for name in ("loss", "accuracy", "macro_f1", "weighted_f1"):
        values = [value for _, value in points[f"validation/{name}"]]
        assert values == pytest.approx([getattr(point, name) for point in facts.history])


def test_a_training_that_continues_hides_what_it_gives_again(tmp_path: Path) -> None:
    write(tmp_path, "a", {10: 3.0, 20: 2.0, 30: 1.0})
    write(tmp_path, "a", {20: 2.5, 30: 1.5, 40: 0.5})
    assert points_in(tmp_path)["train/loss"] == [(10, 3.0), (20, 2.5), (30, 1.5), (40, 0.5)]


def test_another_training_replaces_the_files_of_emolens_and_no_others(tmp_path: Path) -> None:
    mine = [tmp_path / "notes.txt", tmp_path / "events.out.tfevents.1.mine"]
    for file in mine:
        file.write_bytes(b"")
    write(tmp_path, "a", {1: 3.0, 20: 2.0})
    write(tmp_path, "b", {10: 5.0})
    assert points_in(tmp_path)["train/loss"] == [(10, 5.0)]
    assert all(file.exists() for file in mine)


def test_a_damaged_list_deletes_nothing(tmp_path: Path) -> None:
    write(tmp_path, "a", {1: 3.0})
    before = {path.name for path in tmp_path.iterdir()}
    for content in ("{", '{"key": "b", "files": ["../other"]}', '{"key": "b", "files": 3}'):
        (tmp_path / "emolens.json").write_text(content)
        write(tmp_path, "c", {5: 1.0})
    assert before <= {path.name for path in tmp_path.iterdir()}
