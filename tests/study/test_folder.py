"""The run folder: what counts as done, the lock, and manifests that can't be read."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from emolens.errors import StorageError, UsageError
from emolens.study.folder import Meter, RunFolder, StageRecord

DATA = {"dataset": "some data"}
RECORD = StageRecord("key", "one file", {}, 1.5, 10.0)


def finished(path: Path) -> Path:
    """A run folder with one stage done, which wrote a.txt."""
    folder = RunFolder(path)
    with folder.opened(DATA):
        (path / "a.txt").write_text("whole")
        record = StageRecord("key", "one file", folder.outputs([path / "a.txt"]), 1.5, 10.0)
        folder.record("embed", record, DATA)
    return path


def test_a_stage_is_done_for_the_same_key_and_unharmed_files(tmp_path: Path) -> None:
    folder = RunFolder(finished(tmp_path / "run"))
    with folder.opened(DATA):
        assert folder.done("embed", "key")
        assert not folder.done("embed", "another key")
        assert not folder.done("probe", "key")
        (folder.path / "a.txt").write_text("hole")
        assert not folder.done("embed", "key")
        (folder.path / "a.txt").unlink()
        assert not folder.done("embed", "key")


def test_other_data_is_refused_and_nothing_changes(tmp_path: Path) -> None:
    path = finished(tmp_path / "run")
    before = {file: file.read_bytes() for file in path.rglob("*") if file.is_file()}
    with (
        pytest.raises(UsageError, match="another dataset \\(some data\\)"),
        RunFolder(path).opened({"dataset": "other data"}),
    ):
        pytest.fail("it must not open")
    assert {file: file.read_bytes() for file in path.rglob("*") if file.is_file()} == before


def test_half_written_files_of_a_killed_run_are_swept(tmp_path: Path) -> None:
    path = finished(tmp_path / "run")
    (path / "model").mkdir()
    (path / "model" / ".weights.emolens-abc").write_text("half")
    (path / ".model.emolens-abc").mkdir()
    with RunFolder(path).opened(DATA):
        pass
    assert list(path.rglob(".*.emolens-*")) == []
    assert (path / "a.txt").read_text() == "whole"


@pytest.mark.parametrize("content", ["", "{", "{}", "[]", '{"dataset": "some data", "stages": 3}'])
def test_a_manifest_that_is_none_is_an_error_with_a_way_out(tmp_path: Path, content: str) -> None:
    path = finished(tmp_path / "run")
    (path / "manifest.json").write_text(content)
    with (
        pytest.raises(StorageError, match=r"manifest\.json") as raised,
        RunFolder(path).opened(DATA),
    ):
        pytest.fail("it must not open")
    assert "elete" in raised.value.hint


def test_a_manifest_with_unknown_fields_is_an_error(tmp_path: Path) -> None:
    path = finished(tmp_path / "run")
    manifest = json.loads((path / "manifest.json").read_text())
    manifest["stages"]["embed"]["color"] = "blue"
    (path / "manifest.json").write_text(json.dumps(manifest))
    with (
        pytest.raises(StorageError, match="no manifest of this version"),
        RunFolder(path).opened(DATA),
    ):
        pytest.fail("it must not open")


def test_a_file_in_the_place_of_the_folder_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "run").write_text("a file")
    with pytest.raises(StorageError, match="run"), RunFolder(tmp_path / "run").opened("data"):
        pytest.fail("it must not open")
    assert (tmp_path / "run").read_text() == "a file"


def test_a_second_process_is_turned_away_until_the_first_is_gone(tmp_path: Path) -> None:
    path = finished(tmp_path / "run")
    hold = (
        "import sys\nfrom pathlib import Path\nfrom emolens.study.folder import RunFolder\n"
        f"with RunFolder(Path({str(path)!r})).opened({DATA!r}):\n"
        "    sys.stdout.write('held\\n')\n    sys.stdout.flush()\n    sys.stdin.read()\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", hold], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        with (
            pytest.raises(StorageError, match="Another emolens run") as raised,
            RunFolder(path).opened(DATA),
        ):
            pytest.fail("it must not open")
        assert "--out" in raised.value.hint
        holder.kill()  # the lock goes with the process, whatever way it ends
    with RunFolder(path).opened(DATA):
        pass


def test_the_meter_counts_time_and_memory() -> None:
    meter = Meter()
    block = b"x" * 50_000_000
    assert meter.seconds > 0
    assert meter.peak_memory_mb > len(block) / 2**20
