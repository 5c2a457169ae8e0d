from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emolens.temporary import (
    discard,
    is_temporary,
    new_file,
    new_folder,
    remove_dead,
    temporary_name,
)

NAMES = st.text(
    st.characters(codec="utf-8", exclude_characters="/\0"), min_size=1, max_size=80
).filter(lambda name: name not in (".", "..") and len(name.encode()) <= 255)


def names_in(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


@given(name=NAMES)
def test_a_name_that_was_made_is_known_again(name: str) -> None:
    made = temporary_name(name)
    assert is_temporary(made, name)
    assert len(os.fsencode(made)) <= 255
    assert temporary_name(name) != made


@given(name=NAMES, other=NAMES)
def test_a_name_for_another_target_is_not_known(name: str, other: str) -> None:
    assert is_temporary(temporary_name(other), name) == (name == other)


@given(name=NAMES, end=st.text("0123456789abcdef", max_size=20) | NAMES, other=NAMES)
def test_no_ordinary_name_is_known(name: str, end: str, other: str) -> None:
    for candidate in (other, name, f".{name}", f".{name}.emolens-{end}", f"{name}.emolens-{end}"):
        assert not is_temporary(candidate, name)


@given(name=NAMES, data=st.data())
def test_a_name_with_one_other_character_is_not_known(name: str, data: st.DataObject) -> None:
    made = temporary_name(name)
    at = data.draw(st.integers(0, len(made) - 1))
    new = data.draw(st.characters(exclude_characters="/\0", codec="utf-8"))
    # What is drawn must not depend on `made`, which is another name each time.
    assert new == made[at] or not is_temporary(made[:at] + new + made[at + 1 :], name)


@pytest.mark.parametrize("name", ["n" * 250 + ".csv", "ü" * 125 + ".csv", "a" + "😀" * 62])
def test_names_near_the_limit_work_and_stay_apart(tmp_path: Path, name: str) -> None:
    other = name[:-1] + "x"
    descriptor, path = new_file(tmp_path, name, 0o666)
    os.close(descriptor)
    remove_dead(tmp_path, other)
    assert path.exists()
    remove_dead(tmp_path, name)
    assert not path.exists()


def test_only_dead_ones_of_the_same_target_are_removed(tmp_path: Path) -> None:
    dead, _ = new_file(tmp_path, "a", 0o666)
    os.close(dead)
    live, living = new_file(tmp_path, "a", 0o666)
    other, another = new_file(tmp_path, "b", 0o666)
    os.close(other)
    mine = tmp_path / ".a.emolens-0123456789abcdef"
    mine.touch()
    with new_folder(tmp_path, "a") as folder:
        (folder / "x").touch()
        remove_dead(tmp_path, "a")
        assert names_in(tmp_path) == sorted(p.name for p in (living, another, mine, folder))
        assert (folder / "x").exists()
    assert not folder.exists()
    os.close(live)


def test_a_dead_folder_is_removed_with_what_is_in_it(tmp_path: Path) -> None:
    folder = tmp_path / temporary_name("model")
    (folder / "deep").mkdir(parents=True)
    (folder / "deep" / "x").touch()
    remove_dead(tmp_path, "model")
    assert names_in(tmp_path) == []


def test_a_link_in_the_place_of_a_dead_one_leads_nowhere(tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "x").touch()
    (tmp_path / temporary_name("a")).symlink_to("mine")
    (tmp_path / temporary_name("a")).symlink_to("mine/x")
    remove_dead(tmp_path, "a")
    assert names_in(tmp_path / "mine") == ["x"]


# Creates and removes at once, as often as it can: two of these must not disturb each other.
BUSY = """
import os, sys
from pathlib import Path
from emolens.temporary import new_file, new_folder, remove_dead
folder = Path(sys.argv[1])
for _ in range(400):
    remove_dead(folder, "a")
    descriptor, path = new_file(folder, "a", 0o666)
    with new_folder(folder, "a") as deep:
        (deep / "x").touch()
        assert path.exists()
    path.unlink()
    os.close(descriptor)
"""


def test_processes_at_the_same_place_leave_each_other_alone(tmp_path: Path) -> None:
    command = [sys.executable, "-c", BUSY, str(tmp_path)]
    busy = [subprocess.Popen(command, stderr=subprocess.PIPE, text=True) for _ in range(4)]
    assert [process.communicate()[1] for process in busy] == ["", "", "", ""]
    assert names_in(tmp_path) == []


# The signal comes when the first of two files is about to be removed.
STOPPED = """
import sys
from pathlib import Path
from emolens.temporary import discard
stops = [1]
def stop(event, arguments):
    if event == "os.remove" and stops.pop(0):
        raise KeyboardInterrupt
sys.addaudithook(stop)
stops += [0] * 10
try:
    discard(Path(sys.argv[1]), "staged")
except KeyboardInterrupt:
    print("stopped")
"""


def test_a_stopped_removal_of_a_folder_leaves_nothing(tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    for name in ("a", "b"):
        (folder / name).touch()
    command = [sys.executable, "-c", STOPPED, str(folder)]
    ended = subprocess.run(command, capture_output=True, text=True, check=True)
    assert ended.stdout == "stopped\n"
    assert names_in(tmp_path) == []


def test_a_stop_while_a_folder_is_closed_is_still_a_stop(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """shutil closes it a second time then, which is an error of its own."""
    folder, close, stops = tmp_path / "folder", os.close, [KeyboardInterrupt]
    folder.mkdir()

    def stopped(descriptor: int) -> None:
        close(descriptor)
        if stops:
            raise stops.pop()

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(os, "close", stopped)
        discard(folder, "staged")
    assert names_in(tmp_path) == []
