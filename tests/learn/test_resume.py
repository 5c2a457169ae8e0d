"""A training that is stopped continues, and ends as one that nobody stopped: equal to the bit."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import ROOT

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="needs fork and SIGKILL")

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


@pytest.mark.parametrize(
    ("recipe", "rows"), [(FULL, False), (SPARSE, True)], ids=["fp32", "bf16-rows-rdrop"]
)
def test_killed_ten_times_it_ends_the_same(
    tiny_encoder: Path, tmp_path: Path, recipe: dict[str, Any], rows: bool
) -> None:
    job = {"encoder": str(tiny_encoder), "place": str(tmp_path), "recipe": recipe, "rows": rows}
    assert stops(**job, n=10) == 10


@pytest.mark.parametrize("stop", ["interrupt", "full disk"])
def test_after_ctrl_c_or_a_full_disk_it_ends_the_same(
    tiny_encoder: Path, tmp_path: Path, stop: str
) -> None:
    job = {"encoder": str(tiny_encoder), "place": str(tmp_path), "recipe": SPARSE, "stop": stop}
    assert stops(**job, n=4) == 4


@pytest.mark.soak
def test_minilm_killed_fifty_times_ends_the_same(tmp_path: Path) -> None:
    recipe = {**SPARSE, "epochs": 2, "learning_rate": 1e-4, "batch_size": 16}
    job = {"encoder": "minilm", "place": str(tmp_path), "recipe": recipe, "data": "starter"}
    assert stops(**job, n=50, most_steps=4) == 50
