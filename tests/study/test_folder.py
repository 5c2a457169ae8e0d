"""The run folder: what counts as done, the lock, and manifests that can't be read."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from emolens.errors import StorageError, UsageError
from emolens.store import save_text
from emolens.study.folder import FORMAT, Identity, RunFolder, StageRecord
from emolens.study.keys import StageKey
from emolens.temporary import temporary_name
from emolens.version import __version__

DATA = Identity("some data", "some encoder")
KEY = StageKey({"map.min_dist": 0.1}, {"torch": "2.13.0"}, {"data": "abc"}, {"tokenize": "def"})


def finished(path: Path) -> Path:
    """A run folder with one stage done, which wrote a.txt and b.txt."""
    folder = RunFolder(path, DATA)
    with folder.opened():
        write(folder, "embed", {"a.txt": "whole", "b.txt": "whole"})
    return path


def write(folder: RunFolder, stage: str, files: dict[str, str]) -> None:
    """Do a stage that writes these files."""
    with folder.placing() as out:
        for name, text in files.items():
            save_text(out / name, text)
    folder.record(stage, StageRecord(KEY, "some files", folder.outputs(), 1.5, 10.0))


def contents(folder: Path) -> dict[Path, bytes]:
    return {file: file.read_bytes() for file in folder.rglob("*") if file.is_file()}


def test_a_stage_is_done_for_the_same_key_and_unharmed_files(tmp_path: Path) -> None:
    folder = RunFolder(finished(tmp_path / "run"), DATA)
    with folder.opened():
        assert folder.to_do("embed", KEY) is None
        assert folder.to_do("probe", KEY) == ""
        (folder.path / "a.txt").write_text("hole")
        assert folder.to_do("embed", KEY) == "a.txt was changed"
        (folder.path / "a.txt").unlink()
        assert folder.to_do("embed", KEY) == "a.txt is missing"


def test_what_changed_is_named_and_long_lists_are_cut(tmp_path: Path) -> None:
    folder = RunFolder(finished(tmp_path / "run"), DATA)
    with folder.opened():
        other = StageKey({"map.min_dist": 0.5}, {"torch": "2.14.0"}, KEY.inputs, KEY.stages)
        assert folder.to_do("embed", other) == "map.min_dist 0.1 → 0.5, torch 2.13.0 → 2.14.0"
        (folder.path / "a.txt").unlink()
        (folder.path / "b.txt").unlink()
        assert folder.to_do("embed", other) == (
            "map.min_dist 0.1 → 0.5, torch 2.13.0 → 2.14.0, a.txt is missing and 1 more"
        )


@pytest.mark.parametrize(
    ("other", "says"),
    [
        (Identity("other data", "some encoder"), "another dataset \\(some data\\)"),
        (Identity("some data", "other encoder"), "another encoder \\(some encoder\\)"),
    ],
)
def test_other_data_or_another_encoder_is_refused_and_nothing_changes(
    tmp_path: Path, other: Identity, says: str
) -> None:
    path = finished(tmp_path / "run")
    before = contents(path)
    with pytest.raises(UsageError, match=says), RunFolder(path, other).opened():
        pytest.fail("it must not open")
    assert contents(path) == before


def test_the_same_place_in_other_words_is_the_same_run() -> None:
    from emolens.study import load_study

    ways = [{"data.dataset": d, "encoder.name": e} for d, e in (("x", "y/z"), ("./x", "y//z/"))]
    first, second = (Identity.of(load_study("starter", way)) for way in ways)
    assert first == second == Identity("x", "y/z")


# What emolens 0.1.0 wrote before the parts of a key were kept.
OLDER = {
    "emolens": "0.1.0",
    "dataset": "some data",
    "encoder": "some encoder",
    "stages": {
        "tokenise": {
            "key": "e13f0c6d3e2b9a17",
            "said": "2,800 texts, median 14 tokens, 0 over the limit of 512",
            "outputs": {"tokens/train.safetensors": "0" * 64},
            "seconds": 0.4,
            "peak_memory_mb": 320.1,
        }
    },
}
OF_OTHER_VERSIONS = [OLDER, {**OLDER, "emolens": "0.0.1"}, {**OLDER, "emolens": "9.0", "format": 2}]


@pytest.mark.parametrize("manifest", OF_OTHER_VERSIONS)
def test_a_folder_of_another_version_is_refused_and_stays_as_it_is(
    tmp_path: Path, manifest: dict[str, object]
) -> None:
    path = tmp_path / "run"
    (path / "tokens").mkdir(parents=True)
    (path / "tokens" / "train.safetensors").write_bytes(b"tokens")
    (path / ".model.emolens-abc").mkdir()
    (path / ".model.emolens-abc" / "half").write_bytes(b"half-written")
    (path / "study.toml").write_text('name = "mine"')
    (path / "manifest.json").write_text(json.dumps(manifest))
    before = contents(path)
    with (
        pytest.raises(StorageError, match="another version of emolens") as raised,
        RunFolder(path, DATA).opened(),
    ):
        pytest.fail("it must not open")
    assert str(manifest["emolens"]) in str(raised.value)
    assert f"--out {path}-2" in raised.value.hint
    assert contents(path) == before


def test_temporary_files_of_a_killed_run_are_removed_and_others_are_not(tmp_path: Path) -> None:
    path = finished(tmp_path / "run")
    ours = [path / temporary_name(name) for name in ("staged", "manifest.json")]
    ours[0].mkdir()
    ours[1].write_text("half")
    similar = path / ".manifest.json.emolens-0123456789abcdef"
    similar.write_text("mine")
    with RunFolder(path, DATA).opened():
        pass
    assert [file.exists() for file in ours] == [False, False]
    assert similar.read_text() == "mine"
    assert (path / "a.txt").read_text() == "whole"


BROKEN = json.dumps({"emolens": __version__, "format": FORMAT, "dataset": "x", "stages": 3})


@pytest.mark.parametrize("content", ["", "{", "{}", "[]", BROKEN])
def test_a_manifest_that_is_none_is_an_error_with_a_way_out(tmp_path: Path, content: str) -> None:
    path = finished(tmp_path / "run")
    (path / "manifest.json").write_text(content)
    with (
        pytest.raises(StorageError, match=r"manifest\.json") as raised,
        RunFolder(path, DATA).opened(),
    ):
        pytest.fail("it must not open")
    assert f"--out {path}-2" in raised.value.hint


@pytest.mark.skipif(not Path("/proc/self/mem").exists(), reason="needs a file that can't be read")
def test_a_manifest_that_can_not_be_read_is_not_called_wrong(tmp_path: Path) -> None:
    (tmp_path / "manifest.json").symlink_to("/proc/self/mem")
    with (
        pytest.raises(StorageError, match=r"manifest\.json can't be read: Input/output error\."),
        RunFolder(tmp_path, DATA).opened(),
    ):
        pytest.fail("it must not open")


def test_a_manifest_with_unknown_fields_is_an_error(tmp_path: Path) -> None:
    path = finished(tmp_path / "run")
    manifest = json.loads((path / "manifest.json").read_text())
    manifest["stages"]["embed"]["color"] = "blue"
    (path / "manifest.json").write_text(json.dumps(manifest))
    with (
        pytest.raises(StorageError, match="not the manifest of a run"),
        RunFolder(path, DATA).opened(),
    ):
        pytest.fail("it must not open")


def test_a_file_in_the_place_of_the_folder_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "run").write_text("a file")
    with pytest.raises(StorageError, match="run"), RunFolder(tmp_path / "run", DATA).opened():
        pytest.fail("it must not open")
    assert (tmp_path / "run").read_text() == "a file"


def test_a_second_process_is_turned_away_until_the_first_is_gone(tmp_path: Path) -> None:
    path = finished(tmp_path / "run")
    hold = (
        "import sys\nfrom pathlib import Path\n"
        "from emolens.study.folder import Identity, RunFolder\n"
        f"with RunFolder(Path({str(path)!r}), {DATA!r}).opened():\n"
        "    sys.stdout.write('held\\n')\n    sys.stdout.flush()\n    sys.stdin.read()\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", hold], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        with (
            pytest.raises(StorageError, match="Another emolens run") as raised,
            RunFolder(path, DATA).opened(),
        ):
            pytest.fail("it must not open")
        assert "--out" in raised.value.hint
        holder.kill()  # the lock goes with the process, whatever way it ends
    with RunFolder(path, DATA).opened():
        pass
