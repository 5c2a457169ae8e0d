"""A training that is stopped continues, and ends as one that nobody stopped: equal to the bit."""

from __future__ import annotations

import json
import math
import os
import re
import subprocess
import sys
import time
import warnings
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from emolens.data.dataset import Dataset
from emolens.encode.backbone import find_encoder, tokenizer_of
from emolens.learn.finetune import finetune, loop
from emolens.scores import Recipe, Scores
from tests.conftest import ROOT, Emolens

needs_fork = pytest.mark.skipif(sys.platform == "win32", reason="needs fork and SIGKILL")

RECIPE = {"epochs": 4, "learning_rate": 3e-3, "batch_size": 8, "warmup": 0.1, "seed": 7}
SPARSE = {**RECIPE, "precision": "bf16", "rdrop": 1.0}
FULL = {**RECIPE, "precision": "fp32"}


def stops(**job: Any) -> int:
    """How often the trainings of tests/learn/trainings.py were stopped; it compares them."""
    process = subprocess.run(
        [sys.executable, "-m", "tests.learn.trainings"],
        cwd=ROOT,
        # On a busy machine, threads that wait actively for each other take ten times as long.
        env={**os.environ, "OMP_WAIT_POLICY": "PASSIVE"},
        input=json.dumps(job),
        capture_output=True,
        text=True,
        check=False,
    )
    assert process.returncode == 0, process.stderr[-3000:]
    return int(process.stdout)


@needs_fork
@pytest.mark.parametrize(
    ("recipe", "rows"), [(FULL, False), (SPARSE, True)], ids=["fp32", "bf16-rows-rdrop"]
)
def test_killed_ten_times_it_ends_the_same(
    tiny_encoder: Path, tmp_path: Path, recipe: dict[str, Any], rows: bool
) -> None:
    job = {"encoder": str(tiny_encoder), "place": str(tmp_path), "recipe": recipe, "rows": rows}
    assert stops(**job, n=10) == 10


@needs_fork
@pytest.mark.parametrize("stop", ["interrupt", "full disk"])
def test_after_ctrl_c_or_a_full_disk_it_ends_the_same(
    tiny_encoder: Path, tmp_path: Path, stop: str
) -> None:
    job = {"encoder": str(tiny_encoder), "place": str(tmp_path), "recipe": SPARSE, "stop": stop}
    assert stops(**job, n=4) == 4


@needs_fork
@pytest.mark.soak
def test_minilm_killed_fifty_times_ends_the_same(tmp_path: Path) -> None:
    recipe = {**SPARSE, "epochs": 2, "learning_rate": 1e-4, "batch_size": 16}
    job = {"encoder": "minilm", "place": str(tmp_path), "recipe": recipe, "data": "starter"}
    assert stops(**job, n=50, most_steps=4) == 50


class StopError(Exception):
    """Ends a training."""


@pytest.fixture
def saves_each_step(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loop, "_EVERY", 0.0)
    monkeypatch.setattr(loop, "_SHARE", math.inf)


def stop_after(encoder: Path, dataset: Dataset, folder: Path, *, step: int, recipe: Recipe) -> None:
    """Train, and stop when this step is made. It is not saved any more."""

    def progress(done: int, total: int) -> None:
        if done == step:
            raise StopError

    with pytest.raises(StopError):
        finetune(encoder, dataset, folder, recipe=recipe, progress=progress)


def assert_same(folder: Path, scores: Scores, other_folder: Path, other: Scores) -> None:
    weights = [path / "model.safetensors" for path in (folder, other_folder)]
    assert weights[0].read_bytes() == weights[1].read_bytes()
    for split, values in scores.probabilities.items():
        assert values.tobytes() == other.probabilities[split].tobytes()
    for name in ("history", "training", "loss", "best_epoch"):
        assert getattr(scores.facts, name) == getattr(other.facts, name)


@pytest.mark.usefixtures("saves_each_step")
def test_damaged_checkpoints_are_passed_over(
    tiny_encoder: Path, feelings: Dataset, tmp_path: Path
) -> None:
    folder, recipe = tmp_path / "model", Recipe(**FULL)
    whole = finetune(tiny_encoder, feelings, tmp_path / "whole", recipe=recipe)
    for step, damaged, goes_on in ((30, ["29"], "goes on from step 28"),
                                   (40, ["38", "39"], "starts anew")):  # fmt: skip
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", "Training continues|.*is damaged")
            stop_after(tiny_encoder, feelings, folder, step=step, recipe=recipe)
        for number in damaged:
            path = Path(f"{folder}.checkpoints") / f"step-000000{number}" / "arrays.safetensors"
            path.write_bytes(path.read_bytes()[:-1])
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            stop_after(tiny_encoder, feelings, folder, step=32, recipe=recipe)
        assert any(f"damaged, so the training {goes_on}." in str(w.message) for w in caught)
    with pytest.warns(UserWarning, match="^Training continues at step 31 of 48.$"):
        scores = finetune(tiny_encoder, feelings, folder, recipe=recipe)
    assert_same(folder, scores, tmp_path / "whole", whole)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["model", "whole"]


@pytest.mark.usefixtures("saves_each_step")
@pytest.mark.parametrize("change", ["nothing", "learning rate", "seed", "one label", "max_length"])
def test_only_the_same_training_continues(
    tiny_encoder: Path, feelings: Dataset, tmp_path: Path, change: str
) -> None:
    folder = tmp_path / "model"
    recipe, dataset, tokenizer = Recipe(**{**FULL, "epochs": 1}), feelings, None
    stop_after(tiny_encoder, feelings, folder, step=8, recipe=recipe)
    if change == "learning rate":
        recipe = replace(recipe, learning_rate=1e-3)
    elif change == "seed":
        recipe = replace(recipe, seed=8)
    elif change == "one label":
        train = feelings["train"]
        labels = np.where(np.arange(len(train)) == 5, 0, train.labels)
        assert (labels != train.labels).sum() == 1
        dataset = replace(
            feelings, splits={**feelings.splits, "train": replace(train, labels=labels)}
        )
    elif change == "max_length":
        tokenizer = tokenizer_of(find_encoder(str(tiny_encoder)), max_length=8)
    steps: list[int] = []
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        finetune(tiny_encoder, dataset, folder, tokenizer=tokenizer, recipe=recipe,
                 progress=lambda done, total: steps.append(done))  # fmt: skip
    begins = 8 if change == "nothing" else 1
    assert steps == list(range(begins, 13))
    assert [str(warning.message) for warning in caught] == (
        ["Training continues at step 7 of 12."] if change == "nothing" else []
    )
    assert [path.name for path in tmp_path.iterdir()] == ["model"]


# Each step is saved.
COMMAND = """
import math
from emolens.learn.finetune import loop
loop._EVERY, loop._SHARE = 0.0, math.inf
from emolens.cli import main
main()
"""


@pytest.mark.skipif(sys.platform == "win32", reason="needs SIGKILL")
def test_a_killed_command_continues_its_training_and_says_so(
    study_file: Callable[..., Path], emolens: Emolens, tmp_path: Path
) -> None:
    def command(out: Path) -> list[str]:
        return ["finetune", str(study_file()), "--out", str(out), "--set", "finetune.epochs=10"]

    out = tmp_path / "killed"
    with subprocess.Popen([sys.executable, "-c", COMMAND, *command(out)], stderr=-1) as process:
        while not list(out.glob("model.checkpoints/step-*5")):
            assert process.poll() is None
            time.sleep(0.005)
        process.kill()
    assert not (out / "model" / "model.safetensors").exists()
    again = subprocess.run(
        [sys.executable, "-m", "emolens", *command(out)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert again.returncode == 0, again.stderr
    assert re.search(r"^Note: Training continues at step [0-9]+ of 80\.$", again.stderr, re.M)
    assert not (out / "model.checkpoints").exists()
    whole = emolens(*command(tmp_path / "whole"))
    assert "continues" not in whole.err
    for name in ("model/model.safetensors", "finetune/scores.safetensors"):
        assert (out / name).read_bytes() == (tmp_path / "whole" / name).read_bytes()
