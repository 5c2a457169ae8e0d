"""A run that is killed, or for which the disk is too small, and then run again."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from emolens.cli import main
from emolens.study import load_study, run_study
from tests.stages import STAGES

CLI = [sys.executable, "-c", "from emolens.cli import main; main()"]


def finished_stages(folder: Path) -> list[str]:
    """What the manifest says; it is replaced whole, so reading never meets half of it."""
    manifest = folder / "manifest.json"
    return list(json.loads(manifest.read_text("utf-8"))["stages"]) if manifest.exists() else []


def kill_after(stage: str, study: Path, folder: Path, *, delay: float) -> None:
    """Start a run and kill it while the stage after `stage` is at work."""
    command = [*CLI, "run", str(study), "--out", str(folder), "--quiet"]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE) as process:
        while process.poll() is None and stage not in finished_stages(folder):
            time.sleep(0.01)
        time.sleep(delay)
        process.send_signal(signal.SIGKILL)
        assert process.stderr is not None
        assert process.stderr.read() == b"", "a quiet run says nothing until it ends"
        assert process.wait() == -signal.SIGKILL


def test_a_killed_run_goes_on_where_it_was_and_ends_alike(
    study_file: Callable[..., Path], tmp_path: Path
) -> None:
    study, killed = study_file(), tmp_path / "killed"
    # During embed (as it loads the model), map, finetune and export.
    for stage, delay in (("audit", 0.5), ("embed", 1.0), ("probe", 1.5), ("evaluate", 0.2)):
        kill_after(stage, study, killed, delay=delay)
        done = finished_stages(killed)
        assert stage in done
        assert len(done) < len(STAGES)
        for path in killed.rglob("*.json"):
            if ".emolens-" not in str(path):
                json.loads(path.read_text("utf-8"))
    before = json.loads((killed / "manifest.json").read_text("utf-8"))["stages"]
    run = run_study(load_study(study), killed)
    for stage, record in before.items():
        assert run.records[stage].seconds == record["seconds"]
    undisturbed = run_study(load_study(study), tmp_path / "undisturbed", until="evaluate")
    for name in ("evaluation.json", "predictions.parquet", "model/model.safetensors"):
        assert (killed / name).read_bytes() == (undisturbed.folder / name).read_bytes(), name
    assert list(killed.rglob(".*.emolens-*")) == []


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Callable[[int], Path]]:
    """A real disk of some KiB; called again it is enlarged."""
    place = tmp_path / "disk"
    place.mkdir()

    def sized(kib: int) -> Path:
        again = ["-o", f"remount,size={kib}k"] if os.path.ismount(place) else ["-o", f"size={kib}k"]
        made = subprocess.run(
            ["mount", "-t", "tmpfs", *again, "tmpfs", str(place)], check=False, capture_output=True
        )
        if made.returncode:
            pytest.skip(f"no small disk can be mounted here: {made.stderr.decode().strip()}")
        return place

    if os.geteuid() != 0:
        pytest.skip("only root may mount a small disk")
    yield sized
    subprocess.run(["umount", "--lazy", str(place)], check=False, capture_output=True)


def test_a_full_disk_ends_in_two_lines_and_more_space_goes_on(
    small_disk: Callable[[int], Path],
    study_file: Callable[..., Path],
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    study = study_file()
    reached: list[list[str]] = []
    # Each disk is too small for the whole run: it fills up in an early stage, and in later ones.
    for kib in (4, 24, 100, 200, 500, 1000):
        folder = small_disk(kib) / "run"
        monkeypatch.setattr(sys, "argv", ["emolens", "run", str(study), "--out", str(folder), "-q"])
        with pytest.raises(SystemExit) as ended:
            main()
        out, err = capfd.readouterr()
        first, second = err.splitlines()
        assert (ended.value.code, out) == (1, "")
        assert first.startswith("Error: The disk is full:")
        assert second.startswith("Hint:  Free some space")
        assert list(folder.rglob(".*.emolens-*")) == []
        reached.append(finished_stages(folder))
    assert [len(stages) for stages in reached] == sorted(len(stages) for stages in reached)
    assert reached[-1] == list(STAGES)[: len(reached[-1])]
    records = json.loads((folder / "manifest.json").read_text("utf-8"))["stages"]
    run = run_study(load_study(study), small_disk(8000) / "run")
    assert run.report.is_file()
    assert list(run.records) == list(STAGES)
    for stage, record in records.items():
        assert run.records[stage].seconds == record["seconds"]
