"""States on disk: whole or not there, and never those of another training."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from emolens.errors import StorageError
from emolens.learn.finetune.checkpoint import Checkpoints, State
from emolens.output import SetAside, staged
from emolens.temporary import temporary_name
from tests.conftest import ROOT
from tests.test_store import ARRAYS as VALUES
from tests.test_store import JSON

ARRAYS, ABOUT = "arrays.safetensors", "state.json"
NAMES = st.text(st.characters(codec="utf-8"), min_size=1).filter(lambda n: n != "__metadata__")


def arrays_of(step: int) -> dict[str, np.ndarray]:
    return {"weights": np.arange(1_000, dtype=np.float32) + step, "order": np.arange(step)}


def names_in(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "model.checkpoints"


@pytest.fixture
def checkpoints(folder: Path) -> Checkpoints:
    """The states of the steps 100 and 200. The second one has other best arrays."""
    made = Checkpoints(folder, "key")
    for epoch, step in ((1, 100), (2, 200)):
        made.keep_best(epoch, {"best": np.full(50, epoch)})
        made.save(State(step, arrays_of(step), {"epoch": epoch}, epoch))
    return made


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("states")


@settings(max_examples=25, deadline=None)
@given(
    step=st.integers(0, 10**9),
    arrays=st.dictionaries(NAMES, VALUES, max_size=4),
    facts=st.dictionaries(st.text(st.characters(codec="utf-8")), JSON, max_size=4),
    best=st.none() | st.integers(0, 500),
)
def test_a_state_comes_back_to_the_bit(
    place: Path, step: int, arrays: dict[str, np.ndarray], facts: dict[str, Any], best: int | None
) -> None:
    turned = {name: array.T for name, array in arrays.items()}  # not contiguous
    checkpoints = Checkpoints(place, "key")
    if best is not None:
        checkpoints.keep_best(best, turned)
    checkpoints.save(State(step, turned, facts, best))
    state = Checkpoints(place, "key").newest()
    assert state is not None
    assert (state.step, state.best) == (step, best)
    assert json.dumps(state.facts) == json.dumps(facts)
    for back in (state.arrays, *([] if best is None else [checkpoints.best(best)])):
        assert back.keys() == turned.keys()
        for name, array in turned.items():
            assert (back[name].dtype, back[name].shape) == (array.dtype, array.shape)
            assert back[name].tobytes() == array.tobytes()
    checkpoints.remove()
    assert not place.exists()


def test_nothing_is_written_before_the_first_state(folder: Path) -> None:
    checkpoints = Checkpoints(folder, "key")
    assert checkpoints.newest() is None
    checkpoints.remove()
    assert not folder.exists()


def test_the_last_two_states_and_their_best_arrays_stay(
    folder: Path, checkpoints: Checkpoints
) -> None:
    assert names_in(folder) == ["best-1", "best-2", "step-00000100", "step-00000200"]
    checkpoints.save(State(300, arrays_of(300), {}, 2))
    assert names_in(folder) == ["best-2", "step-00000200", "step-00000300"]
    checkpoints.save(State(400, arrays_of(400), {}))
    checkpoints.save(State(500, arrays_of(500), {}))
    assert names_in(folder) == ["step-00000400", "step-00000500"]


def test_facts_that_are_no_json_are_refused_and_leave_nothing(
    folder: Path, checkpoints: Checkpoints
) -> None:
    before = names_in(folder)
    with pytest.raises(ValueError, match="not JSON compliant"):
        checkpoints.save(State(300, {}, {"loss": float("nan")}))
    assert names_in(folder) == before


def test_a_state_needs_the_best_arrays_that_it_names(checkpoints: Checkpoints) -> None:
    with pytest.raises(StorageError, match="best-9 is damaged"):
        checkpoints.save(State(300, {}, {}, 9))


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-2])


def empty(path: Path) -> None:
    path.write_bytes(b"")


def remove(path: Path) -> None:
    path.unlink()


def fill_with_zeros(path: Path) -> None:
    """What some file systems leave after a power failure."""
    path.write_bytes(bytes(path.stat().st_size))


def link_elsewhere(path: Path) -> None:
    """The same content, but outside the folder."""
    outside = path.parents[2] / "outside"
    path.replace(outside)
    path.symlink_to(outside)


@pytest.mark.parametrize("damage", [cut, empty, remove, fill_with_zeros, link_elsewhere])
@pytest.mark.parametrize("name", [f"{d}/{f}" for d in ("step-00000200", "best-2")
                                  for f in (ARRAYS, ABOUT)])  # fmt: skip
def test_a_damaged_state_is_passed_over_with_a_sentence(
    folder: Path, checkpoints: Checkpoints, damage: Any, name: str
) -> None:
    damage(folder / name)
    damaged = folder / name.split("/", maxsplit=1)[0]
    message = f"{damaged} is damaged, so the training goes on from step 100."
    with pytest.warns(UserWarning, match=f"^{re.escape(message)}$"):
        state = checkpoints.newest()
    assert state is not None
    assert (state.step, state.best) == (100, 1)
    assert np.array_equal(state.arrays["weights"], arrays_of(100)["weights"])


@settings(max_examples=150, deadline=None)
@given(data=st.data())
def test_every_flipped_bit_is_noticed(place: Path, data: st.DataObject) -> None:
    folder = place / "bits"
    checkpoints = Checkpoints(folder, "key")
    if not folder.exists():
        checkpoints.keep_best(1, {"x": np.arange(3.0)})
        checkpoints.save(State(10, {"x": np.arange(2.0)}, {"loss": 0.25}, 1))
    name = data.draw(st.sampled_from(["step-00000010", "best-1"])) + "/"
    path = folder / (name + data.draw(st.sampled_from([ARRAYS, ABOUT])))
    whole = path.read_bytes()
    flipped = bytearray(whole)
    at = data.draw(st.integers(0, len(whole) - 1))
    flipped[at] ^= 1 << data.draw(st.integers(0, 7))
    path.write_bytes(flipped)
    try:
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            state = checkpoints.newest()
        if state is None:
            assert "is damaged, so the training starts anew." in str(caught[0].message)
        else:  # a blank between two entries may become another one: this changes nothing
            assert path.name == ABOUT
            assert json.loads(bytes(flipped)) == json.loads(whole)
    finally:
        path.write_bytes(whole)


def test_two_damaged_states_are_both_named(folder: Path, checkpoints: Checkpoints) -> None:
    for step in (100, 200):
        cut(folder / f"step-00000{step}" / ARRAYS)
    newer, older = folder / "step-00000200", folder / "step-00000100"
    message = f"{newer} and {older} are damaged, so the training starts anew."
    with pytest.warns(UserWarning, match=f"^{re.escape(message)}$"):
        assert checkpoints.newest() is None


def test_after_a_damage_the_training_writes_the_same_steps_again(
    folder: Path, checkpoints: Checkpoints
) -> None:
    cut(folder / "step-00000200" / ARRAYS)
    cut(folder / "best-2" / ARRAYS)
    with pytest.raises(StorageError, match="best-2 is damaged"):
        checkpoints.best(2)
    # At other moments than before: what comes later is left from before the damage.
    checkpoints.save(State(150, arrays_of(150), {}, 1))
    assert names_in(folder) == ["best-1", "step-00000100", "step-00000150"]
    checkpoints.keep_best(2, {"best": np.full(50, 2)})
    checkpoints.save(State(200, arrays_of(200), {}, 2))
    state = checkpoints.newest()
    assert state is not None
    assert state.step == 200
    assert checkpoints.best(2)["best"].tolist() == [2] * 50


def test_a_state_does_not_take_best_arrays_of_another_content(
    folder: Path, checkpoints: Checkpoints
) -> None:
    checkpoints.keep_best(2, {"best": np.zeros(50)})
    with pytest.warns(UserWarning, match="best-2 is damaged, so the training goes on from step 10"):
        checkpoints.newest()


def test_states_of_another_training_are_not_used_and_give_way(
    folder: Path, checkpoints: Checkpoints
) -> None:
    other = Checkpoints(folder, "another key")
    assert other.newest() is None
    assert names_in(folder) == ["best-1", "best-2", "step-00000100", "step-00000200"]
    other.keep_best(1, {"best": np.zeros(1)})
    other.save(State(50, {}, {}, 1))
    assert names_in(folder) == ["best-1", "step-00000050"]
    assert checkpoints.newest() is None


USERS = ("notes.txt", "step-1", "step-00000007/mine.txt", "step-00000300.yours", "best-1.txt",
         "step-00000200/mine.txt", "best-2/more/mine.txt", ".staged.emolens-0123456789abcdef/mine",
         "step-00000100-copy/state.json", "sub/step-00000100/state.json")  # fmt: skip


def test_files_of_the_user_stay(folder: Path, checkpoints: Checkpoints) -> None:
    for name in USERS:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"mine: {name}")
    for step in (300, 400, 500):
        checkpoints.save(State(step, {}, {}))
    checkpoints.remove()
    there = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    assert there == set(USERS)
    assert all((folder / name).read_text() == f"mine: {name}" for name in USERS)


@pytest.mark.parametrize("kind", ["file", "folder", "link", "dangling link", "foreign JSON"])
def test_what_has_the_place_of_a_state_is_set_aside(
    folder: Path, checkpoints: Checkpoints, kind: str
) -> None:
    path, elsewhere = folder / "step-00000300", folder.parent / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / ABOUT).write_bytes((folder / "step-00000200" / ABOUT).read_bytes())
    if kind == "file":
        path.write_text("mine")
    elif "link" in kind:
        path.symlink_to("nowhere" if kind == "dangling link" else elsewhere)
    else:
        path.mkdir()
        (path / (ABOUT if kind == "foreign JSON" else "mine.txt")).write_text('{"mine": 1}')
    before = path.lstat()
    with pytest.warns(SetAside, match="step-00000300 is not as emolens wrote it; it is now called"):
        checkpoints.save(State(300, arrays_of(300), {}))
    aside = folder / "step-00000300.yours"
    assert os.path.samestat(before, aside.lstat())
    state = checkpoints.newest()
    assert state is not None
    assert state.step == 300
    checkpoints.remove()
    assert names_in(folder) == [aside.name]
    assert names_in(elsewhere) == [ABOUT]


def test_a_linked_folder_of_checkpoints_is_used_and_stays(tmp_path: Path, folder: Path) -> None:
    other_disk = tmp_path / "other disk"
    other_disk.mkdir()
    folder.symlink_to(other_disk)
    checkpoints = Checkpoints(folder, "key")
    checkpoints.save(State(100, arrays_of(100), {}))
    assert names_in(other_disk) == ["step-00000100"]
    assert Checkpoints(folder, "key").newest() is not None
    checkpoints.remove()
    assert folder.is_symlink()
    assert names_in(other_disk) == []


def test_what_a_killed_save_left_is_removed(folder: Path, checkpoints: Checkpoints) -> None:
    def leave() -> None:
        dead = folder / temporary_name("staged") / "step-00000300"
        dead.mkdir(parents=True)
        (dead / ARRAYS).write_bytes(b"half")

    before = names_in(folder)
    leave()
    assert checkpoints.newest() is not None
    checkpoints.save(State(200, arrays_of(200), {"epoch": 2}, 2))
    assert names_in(folder) == before
    leave()
    checkpoints.remove()
    assert not folder.exists()


@pytest.mark.skipif(sys.platform == "win32", reason="Windows can't say who uses a folder")
def test_a_second_process_in_the_folder_is_refused(folder: Path, checkpoints: Checkpoints) -> None:
    with staged(folder):
        before = names_in(folder)
        with pytest.raises(StorageError, match=r"Another emolens command is writing to .*model.ch"):
            checkpoints.save(State(300, arrays_of(300), {}))
        assert names_in(folder) == before


# A limit on the size of files is an EFBIG of the real system, and needs no privileges.
FULL = """
import resource, signal, sys
from pathlib import Path
import numpy as np
from emolens.errors import StorageError
from emolens.learn.finetune.checkpoint import Checkpoints, State
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, 50_000))
checkpoints = Checkpoints(Path(sys.argv[1]), "key")
big = {"x": np.arange(20_000.0)}
for write in (
    lambda: checkpoints.save(State(300, big, {})),
    lambda: checkpoints.save(State(300, {}, {"x": list(range(20_000))})),
    lambda: checkpoints.keep_best(3, big),
    lambda: Checkpoints(Path(sys.argv[1] + "-2"), "key").save(State(300, big, {})),
):
    try:
        write()
    except StorageError as error:
        print(error)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such limit")
def test_on_a_full_disk_the_older_states_stay_whole(folder: Path, checkpoints: Checkpoints) -> None:
    before = names_in(folder)
    command = [sys.executable, "-c", FULL, str(folder)]
    process = subprocess.run(command, capture_output=True, text=True, check=False)
    assert process.stderr == ""
    places = [folder / "step-00000300"] * 2 + [folder / "best-3"]
    places.append(Path(f"{folder}-2") / "step-00000300")
    lines = process.stdout.splitlines()
    assert lines[0] == f"The disk is full: {places[0]} was not written."
    for line, path in zip(lines, places, strict=True):
        assert line.startswith(f"The disk is full: {path}")
    assert names_in(folder) == before
    assert names_in(folder.parent) == [folder.name]
    state = checkpoints.newest()
    assert state is not None
    assert state.step == 200


def test_a_disk_that_is_really_full(small_disk: Path) -> None:
    """A file system of 64 KiB has room for two states of 16 KiB, not for a larger third one."""
    checkpoints = Checkpoints(small_disk / "states", "key")
    for step in (1, 2):
        checkpoints.save(State(step, {"x": np.arange(2_000.0)}, {}))
    for _ in range(3):
        with pytest.raises(StorageError, match=r"The disk is full: .*step-00000003"):
            checkpoints.save(State(3, {"x": np.arange(5_000.0)}, {}))
    assert names_in(small_disk / "states") == ["step-00000001", "step-00000002"]
    state = checkpoints.newest()
    assert state is not None
    assert state.step == 2
    checkpoints.remove()
    assert names_in(small_disk) == []


def kills(*arguments: object) -> int:
    """How often the processes of tests/learn/saves.py were killed. It looks at what they leave."""
    command = [sys.executable, "-m", "tests.learn.saves", *map(str, arguments)]
    process = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert process.returncode == 0, process.stderr[-3000:]
    return int(process.stdout)


@pytest.mark.skipif(sys.platform == "win32", reason="needs fork and SIGKILL")
def test_killed_at_each_change_of_a_file_a_save_leaves_whole_states(tmp_path: Path) -> None:
    assert kills("each", tmp_path) > 50


@pytest.mark.skipif(sys.platform == "win32", reason="needs fork and SIGKILL")
@pytest.mark.parametrize("n", [10, pytest.param(50, marks=pytest.mark.soak)])
def test_killed_at_random_moments_saves_leave_whole_states(tmp_path: Path, n: int) -> None:
    assert kills("random", tmp_path / "states", n) == n
