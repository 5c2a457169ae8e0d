"""Placing files over whatever a user may have put there: no content of the user's is ever lost."""

from __future__ import annotations

import hashlib
import shutil
import warnings
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from emolens.errors import StorageError
from emolens.output import digests, place, remove_owned, staged

NAMES = ("a", "b", "sub/a", "sub/deep/b")
# What stands at a name before: a file of emolens, of the user, a folder, or a link.
THINGS = ("nothing", "ours", "changed", "folder", "link-to-file", "link-to-ours", "link-to-nothing")
# What may stand at the name of a folder that the new files need.
PARENTS = ("nothing", "file", "link-to-folder", "link-to-nothing")


def digest(content: str) -> str:
    return hashlib.sha256(content.encode()).hexdigest()


def build(folder: Path, name: str, thing: str, outside: Path) -> str | None:
    """Put a thing at a name; the content of the user that must not be lost, if it holds any."""
    path, mine = folder / name, f"mine at {name}"
    path.parent.mkdir(parents=True, exist_ok=True)
    behind = outside / name.replace("/", "-")
    if thing == "ours":
        path.write_text(f"ours at {name}")
    elif thing == "changed":
        path.write_text(mine)
    elif thing == "folder":
        path.mkdir()
        (path / "x").write_text(mine)
    elif thing == "link-to-file":
        behind.write_text(mine)
        path.symlink_to(behind)
    elif thing == "link-to-ours":
        behind.write_text(f"ours at {name}")
        path.symlink_to(behind)
    elif thing == "link-to-nothing":
        path.symlink_to(behind)
    return mine if thing in ("changed", "folder", "link-to-file") else None


def build_parent(folder: Path, thing: str, outside: Path) -> str | None:
    if thing == "file":
        (folder / "sub").write_text("mine at sub")
        return "mine at sub"
    if thing.startswith("link"):
        if thing == "link-to-folder":
            (outside / "sub").mkdir()
        (folder / "sub").symlink_to(outside / "sub")
    return None


def contents(*folders: Path) -> list[str]:
    files = {path.resolve() for folder in folders for path in folder.rglob("*") if path.is_file()}
    return [path.read_text() for path in files]


@pytest.fixture(scope="module")
def ground(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("places")


@settings(max_examples=150, deadline=None)
@given(
    things=st.dictionaries(st.sampled_from(NAMES), st.sampled_from(THINGS)),
    parent=st.sampled_from(PARENTS),
    new=st.sets(st.sampled_from(NAMES), min_size=1),
    yours=st.booleans(),
)
def test_no_content_of_the_user_is_lost(
    ground: Path, things: dict[str, str], parent: str, new: set[str], yours: bool
) -> None:
    for name in ("run", "outside"):
        shutil.rmtree(ground / name, ignore_errors=True)
        (ground / name).mkdir()
    run, outside = ground / "run", ground / "outside"
    kept = [build_parent(run, parent, outside)]
    if parent in ("file", "link-to-nothing"):
        things = {name: thing for name, thing in things.items() if not name.startswith("sub")}
    kept += [build(run, name, thing, outside) for name, thing in things.items()]
    if yours:
        (run / "a.yours").write_text("mine of an earlier time")
        kept.append("mine of an earlier time")
    owned = {name: digest(f"ours at {name}") for name in NAMES}
    with warnings.catch_warnings(record=True) as said, staged(run) as fresh:
        warnings.simplefilter("always")
        for name in new:
            (fresh / name).parent.mkdir(parents=True, exist_ok=True)
            (fresh / name).write_text(f"new at {name}")
        place(fresh, run, new=digests(fresh), owned=owned)
    assert {name: (run / name).read_text() for name in new} == {n: f"new at {n}" for n in new}
    mine = [content for content in kept if content]
    assert sorted(c for c in contents(run, outside) if c.startswith("mine")) == sorted(mine)
    moved = {n for n in new if things.get(n) in ("changed", "folder", "link-to-file")}
    assert len(said) == len(moved) + (parent == "file" and any(n.startswith("sub") for n in new))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of files behind a link
        remove_owned(run, NAMES, {name: digest(f"new at {name}") for name in NAMES})
    assert not any(content.startswith("new") for content in contents(run))
    assert sorted(c for c in contents(run, outside) if c.startswith("mine")) == sorted(mine)
    assert not list(run.rglob(".*"))


def test_a_name_of_the_user_that_can_not_be_freed_is_one_sentence(tmp_path: Path) -> None:
    """NAME.yours would be longer than a name may be."""
    (tmp_path / ("n" * 253)).write_text("mine")
    with pytest.raises(StorageError, match="can't be written"), staged(tmp_path) as fresh:
        (fresh / ("n" * 253)).write_text("new")
        place(fresh, tmp_path, new=digests(fresh), owned={})
    assert contents(tmp_path) == ["mine"]
