from __future__ import annotations

import errno
import os
import signal
import stat
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from safetensors import SafetensorError

from emolens.errors import StorageError, UsageError
from emolens.output import (
    atomic_file,
    digests,
    new_output,
    place,
    remove_owned,
    sha256,
    staged,
    writing,
)
from emolens.temporary import new_file, scratch_folder, temporary_name


def write(path: Path, content: bytes = b"new", **options: bool) -> None:
    with atomic_file(path, **options) as file:
        file.write(content)


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def names_in(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*"))


@pytest.fixture(params=[0o022, 0o077, 0o027, 0o002])
def umask(request: pytest.FixtureRequest) -> Iterator[int]:
    before = os.umask(request.param)
    yield request.param
    os.umask(before)


def test_new_files_and_folders_follow_the_umask(tmp_path: Path, umask: int) -> None:
    write(tmp_path / "deep" / "a")
    with staged(tmp_path / "run") as fresh:
        (fresh / "sub").mkdir()
        (fresh / "sub" / "x").touch(mode=0o600)  # as some libraries do
        place(fresh, tmp_path / "run", new=digests(fresh), owned={})
    for file in ("deep/a", "run/sub/x"):
        assert mode(tmp_path / file) == 0o666 & ~umask, file
    for folder in ("deep", "run", "run/sub"):
        assert mode(tmp_path / folder) == 0o777 & ~umask, folder


@pytest.mark.parametrize("old", [0o600, 0o640, 0o200, 0o666, 0o755])
def test_a_target_keeps_its_mode_and_is_never_more_open(tmp_path: Path, old: int) -> None:
    target = tmp_path / "a"
    target.touch()
    target.chmod(old)
    with atomic_file(target) as file:
        file.write(b"new")
        (fresh,) = (path for path in tmp_path.iterdir() if path != target)
        assert mode(fresh) & ~old == 0
    assert mode(target) == old
    with staged(tmp_path) as folder:
        (folder / "a").write_bytes(b"newer")
        place(folder, tmp_path, new=digests(folder), owned={"a": sha256(target)})
    assert mode(target) == old
    assert names_in(tmp_path) == ["a"]


def test_a_mode_that_is_changed_while_the_file_is_written_counts(tmp_path: Path) -> None:
    write(tmp_path / "a", b"old")
    with atomic_file(tmp_path / "a"):
        (tmp_path / "a").chmod(0o600)
    assert mode(tmp_path / "a") == 0o600


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may give files away")
def test_root_leaves_a_file_to_its_owner(tmp_path: Path) -> None:
    write(tmp_path / "a", b"old")
    os.chown(tmp_path / "a", 1234, 4321)
    write(tmp_path / "a")
    status = (tmp_path / "a").stat()
    assert (status.st_uid, status.st_gid) == (1234, 4321)


AS_NOBODY = """
import os, sys
from pathlib import Path
from emolens.output import atomic_file, new_output
os.setgroups([]); os.setgid(65534); os.setuid(65534)
"""


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may give files away")
def test_the_rights_of_one_group_are_not_given_to_another(tmp_path: Path) -> None:
    below_temp = len(tmp_path.relative_to(tempfile.gettempdir()).parts)
    for folder in (tmp_path, *tmp_path.parents[: below_temp - 1]):
        folder.chmod(0o777)
    (tmp_path / "a").touch()
    os.chown(tmp_path / "a", 65534, 4321)
    (tmp_path / "a").chmod(0o660)
    code = f"{AS_NOBODY}with atomic_file(Path(sys.argv[1])) as file: file.write(b'new')"
    subprocess.run([sys.executable, "-c", code, str(tmp_path / "a")], check=True)
    status = (tmp_path / "a").stat()
    assert (tmp_path / "a").read_bytes() == b"new"
    assert (status.st_gid, stat.S_IMODE(status.st_mode)) == (65534, 0o600)


# user::rw-, user:1234:rw-, group::---, mask::rw-, other::---
ACCESS_LIST = bytes.fromhex(
    "02000000 01000600ffffffff 02000600d2040000 04000000ffffffff 10000600ffffffff 20000000ffffffff"
)


@pytest.mark.skipif(not hasattr(os, "setxattr"), reason="only Linux has access lists like this")
def test_an_access_list_is_kept(tmp_path: Path) -> None:
    write(tmp_path / "a", b"old")
    try:
        os.setxattr(tmp_path / "a", "system.posix_acl_access", ACCESS_LIST)
    except OSError:
        pytest.skip("this file system has no access lists")
    assert mode(tmp_path / "a") == 0o660, "the mode alone would let the group in"
    write(tmp_path / "a")
    assert os.getxattr(tmp_path / "a", "system.posix_acl_access") == ACCESS_LIST


def test_a_link_stays_and_its_target_is_replaced(tmp_path: Path) -> None:
    (tmp_path / "there").mkdir()
    (tmp_path / "link").symlink_to("second")
    (tmp_path / "second").symlink_to(tmp_path / "there" / "a")
    for content in (b"one", b"two"):  # at first the link leads nowhere
        write(tmp_path / "link", content)
        assert (tmp_path / "there" / "a").read_bytes() == content
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "second").is_symlink()
    assert names_in(tmp_path) == ["link", "second", "there", "there/a"]


def make_folder(path: Path) -> None:
    path.mkdir()


def make_loop(path: Path) -> None:
    path.symlink_to("other")
    path.with_name("other").symlink_to(path.name)


def make_hard_link(path: Path) -> None:
    path.write_bytes(b"mine")
    path.with_name("other").hardlink_to(path)


def make_read_only(path: Path) -> None:
    path.write_bytes(b"mine")
    path.chmod(0o444)


def make_link_to_read_only(path: Path) -> None:
    make_read_only(path.with_name("other"))
    path.symlink_to("other")


def make_parent_a_file(path: Path) -> None:
    path.parent.rmdir()
    path.parent.write_bytes(b"mine")


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (make_folder, "is a folder"),
        (make_loop, "can't be written"),
        (make_hard_link, "has 2 hard links"),
        (make_read_only, "is read-only"),
        (make_link_to_read_only, "is read-only"),
        (make_parent_a_file, "can't be written"),
    ],
)
def test_what_can_not_be_replaced_is_refused_and_stays(
    tmp_path: Path, make: object, words: str
) -> None:
    path = tmp_path / "folder" / "a"
    path.parent.mkdir()
    make(path)  # type: ignore[operator]
    before = {str(p): (p.lstat().st_mode, p.lstat().st_ino) for p in tmp_path.rglob("*")}
    for attempt in (lambda: new_output(path, overwrite=True), lambda: write(path)):
        with pytest.raises(StorageError, match=words) as caught:
            attempt()
        assert str(path) in str(caught.value)
        assert caught.value.hint
    assert before == {str(p): (p.lstat().st_mode, p.lstat().st_ino) for p in tmp_path.rglob("*")}


def test_a_device_and_a_pipe_are_written_to_directly(tmp_path: Path) -> None:
    new_output(Path(os.devnull), inputs=[Path(os.devnull)])
    write(Path(os.devnull), b"x")
    os.mkfifo(tmp_path / "pipe")
    new_output(tmp_path / "pipe")
    with subprocess.Popen(["cat", str(tmp_path / "pipe")], stdout=subprocess.PIPE) as cat:
        write(tmp_path / "pipe", b"through")
        assert cat.communicate()[0] == b"through"
    assert names_in(tmp_path) == ["pipe"]
    with pytest.raises(StorageError, match="The disk is full"):
        write(Path("/dev/full"), b"x")


@pytest.mark.parametrize("rest", ["a.csv", "model/a.csv"])
def test_a_full_disk_names_the_file_of_the_user(tmp_path: Path, rest: str) -> None:
    def fill(folder: Path) -> str:
        with pytest.raises(StorageError) as caught, writing(folder / rest):
            raise OSError(errno.ENOSPC, "No space left on device")
        assert ".emolens-" not in str(caught.value)
        return f"{caught.value} {caught.value.hint}"

    free = "Free some space and run the same command again."
    assert fill(tmp_path) == f"The disk is full: {tmp_path / rest} was not written. {free}"
    with staged(tmp_path) as folder:
        assert fill(folder) == f"The disk is full: {tmp_path / rest} was not written. {free}"
    with scratch_folder() as folder:
        assert f"no temporary file can be written in {folder.parent}." in fill(folder)
        assert "TMPDIR" in fill(folder)


def test_an_output_that_exists_needs_overwrite(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    new_output(path)
    assert names_in(tmp_path) == []
    path.write_bytes(b"mine")
    (tmp_path / "link.csv").symlink_to(path)
    for given in (path, tmp_path / "link.csv"):
        with pytest.raises(UsageError, match="exists already") as caught:
            new_output(given)
        assert "--overwrite" in caught.value.hint
        new_output(given, overwrite=True)


def test_an_output_that_is_the_input_is_refused_by_any_name(tmp_path: Path) -> None:
    source = tmp_path / "texts.csv"
    source.write_bytes(b"mine")
    (tmp_path / "sub").mkdir()
    (tmp_path / "folder").symlink_to(tmp_path)
    (tmp_path / "link.csv").symlink_to(source)
    (tmp_path / "hard.csv").hardlink_to(source)
    names = ("texts.csv", "folder/texts.csv", "link.csv", "hard.csv", "sub/../texts.csv")
    for name in names:
        for overwrite in (False, True):
            with pytest.raises(UsageError, match="is the input") as caught:
                new_output(tmp_path / name, inputs=[source], overwrite=overwrite)
            assert "--out" in caught.value.hint
    new_output(tmp_path / "other.csv", inputs=[source, tmp_path / "missing.csv"])


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")
def test_a_folder_that_can_not_be_written_to_is_refused_at_once(tmp_path: Path) -> None:
    for folder in (tmp_path, tmp_path.parent, tmp_path.parent.parent):
        folder.chmod(0o755)
    (tmp_path / "a.csv").touch()
    (tmp_path / "a.csv").chmod(0o666)
    for name in ("a.csv", "b.csv", "deep/c.csv"):
        code = f"{AS_NOBODY}new_output(Path(sys.argv[1]), overwrite=True)"
        command = [sys.executable, "-c", code, str(tmp_path / name)]
        process = subprocess.run(command, capture_output=True, text=True, check=False)
        assert f"{tmp_path / name} can't be written: Permission denied." in process.stderr


def test_a_file_that_appears_in_the_meantime_stays(tmp_path: Path) -> None:
    with (
        pytest.raises(UsageError, match="exists already"),
        atomic_file(tmp_path / "a", overwrite=False) as file,
    ):
        file.write(b"new")
        (tmp_path / "a").write_bytes(b"mine")
    assert (tmp_path / "a").read_bytes() == b"mine"
    assert names_in(tmp_path) == ["a"]
    (tmp_path / "a").unlink()
    write(tmp_path / "a", overwrite=False)
    assert (tmp_path / "a").read_bytes() == b"new"


def test_the_next_write_removes_the_dead_ones_of_its_target(tmp_path: Path) -> None:
    for name in ("a", "b"):
        os.close(new_file(tmp_path, name, 0o666)[0])
    mine = [".a.emolens-notes", ".a.emolens-0123456789abcdef", ".b.emolens-"]
    for name in mine:
        (tmp_path / name).touch()
    assert len(names_in(tmp_path)) == 5
    write(tmp_path / "a")
    write(tmp_path / "b")
    assert names_in(tmp_path) == sorted([*mine, "a", "b"])
    with atomic_file(tmp_path / "a") as first:
        first.write(b"first")
        write(tmp_path / "a", b"second")  # does not take the first one for dead
    assert (tmp_path / "a").read_bytes() == b"first"


def test_without_locks_files_are_written_and_nothing_is_removed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Some network file systems have no locks, so nothing shows which files are in use."""
    fcntl = pytest.importorskip("fcntl")

    def no_locks(*_: object) -> None:
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(fcntl, "flock", no_locks)
    with atomic_file(tmp_path / "a") as first:
        first.write(b"first")
        write(tmp_path / "a", b"second")
        with staged(tmp_path), staged(tmp_path):
            assert len(names_in(tmp_path)) == 4
    assert (tmp_path / "a").read_bytes() == b"first"
    assert names_in(tmp_path) == ["a"]


def test_long_names_can_be_written(tmp_path: Path) -> None:
    for name in ("n" * 255, "ü" * 127, "😀" * 63 + ".p"):
        write(tmp_path / name)
        write(tmp_path / name)
    assert len(names_in(tmp_path)) == 3
    for attempt in (new_output, write):
        with pytest.raises(StorageError, match="can't be written"):
            attempt(tmp_path / ("n" * 256))


def stage_and_place(folder: Path, files: dict[str, str], owned: dict[str, str]) -> list[Path]:
    with staged(folder) as fresh:
        for name, content in files.items():
            (fresh / name).parent.mkdir(parents=True, exist_ok=True)
            (fresh / name).write_text(content)
        return place(fresh, folder, new=digests(fresh), owned=owned)


def test_placed_files_replace_only_what_emolens_wrote(tmp_path: Path) -> None:
    files = {"a": "1", "sub/b": "1", "sub/c": "1"}
    paths = stage_and_place(tmp_path, files, {})
    assert paths == [tmp_path / "a", tmp_path / "sub" / "b", tmp_path / "sub" / "c"]
    owned = {name: sha256(tmp_path / name) for name in files}
    (tmp_path / "sub" / "b").write_text("mine")
    (tmp_path / "sub" / "other").write_text("mine, too")
    (tmp_path / "new").write_text("not listed")
    with pytest.warns(UserWarning, match=r"is now called") as caught:
        stage_and_place(tmp_path, dict.fromkeys([*files, "new"], "2"), owned)
    assert len(caught) == 2
    content = {n: (tmp_path / n).read_text() for n in names_in(tmp_path) if n != "sub"}
    assert content == {
        "a": "2",
        "new": "2",
        "new.yours": "not listed",
        "sub/b": "2",
        "sub/b.yours": "mine",
        "sub/c": "2",
        "sub/other": "mine, too",
    }
    with pytest.warns(UserWarning, match=r"b\.yours-2"):
        stage_and_place(tmp_path, {"sub/b": "3"}, owned)
    assert (tmp_path / "sub" / "b.yours").read_text() == "mine"


def test_what_is_already_there_is_not_set_aside(tmp_path: Path) -> None:
    stage_and_place(tmp_path, {"a": "1"}, {})
    stage_and_place(tmp_path, {"a": "1"}, {})
    assert names_in(tmp_path) == ["a"]


def test_a_folder_and_a_file_in_the_way_are_set_aside(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "x").touch()
    (tmp_path / "sub").write_text("mine")
    with pytest.warns(UserWarning, match="is now called"):
        stage_and_place(tmp_path, {"a": "1", "sub/deep/b": "1", "sub/deep/c": "1"}, {})
    assert names_in(tmp_path) == [
        "a", "a.yours", "a.yours/x", "sub", "sub.yours", "sub/deep", "sub/deep/b", "sub/deep/c",
    ]  # fmt: skip
    assert (tmp_path / "sub.yours").read_text() == "mine"


def test_placing_follows_links_and_keeps_a_foreign_file_behind_one(tmp_path: Path) -> None:
    run, elsewhere = tmp_path / "run", tmp_path / "elsewhere"
    elsewhere.mkdir()
    run.mkdir()
    (run / "sub").symlink_to(elsewhere)
    (run / "missing").symlink_to(elsewhere / "made")
    stage_and_place(run, {"sub/a": "1", "missing/b": "1"}, {})
    (run / "linked").symlink_to(elsewhere / "a")
    owned = {"linked": sha256(elsewhere / "a")}
    stage_and_place(run, {"linked": "2"}, owned)
    assert (run / "linked").is_symlink()
    assert (elsewhere / "a").read_text() == "2"
    with pytest.warns(UserWarning, match=r"linked\.yours"):
        stage_and_place(run, {"linked": "3"}, owned)
    assert (elsewhere / "a").read_text() == "2"
    assert (run / "linked.yours").is_symlink()
    assert (run / "linked").read_text() == "3"
    assert names_in(elsewhere) == ["a", "made", "made/b"]


def test_placing_refuses_before_it_moves_anything(tmp_path: Path) -> None:
    files = {"a": "1", "b": "1", "c": "1"}
    stage_and_place(tmp_path, files, {})
    owned = {name: sha256(tmp_path / name) for name in files}
    (tmp_path / "b").chmod(0o444)
    with pytest.raises(StorageError, match="b is read-only"):
        stage_and_place(tmp_path, dict.fromkeys(files, "2"), owned)
    (tmp_path / "b").chmod(0o644)
    (tmp_path / "link").hardlink_to(tmp_path / "c")
    with pytest.raises(StorageError, match="c has 2 hard links"):
        stage_and_place(tmp_path, dict.fromkeys(files, "2"), owned)
    assert [(tmp_path / name).read_text() for name in files] == ["1", "1", "1"]
    assert names_in(tmp_path) == ["a", "b", "c", "link"]


@pytest.mark.skipif(not Path("/dev/shm").is_dir(), reason="needs a second file system")
def test_a_linked_folder_on_another_disk_gets_a_copy(tmp_path: Path) -> None:
    other = Path("/dev/shm") / f"emolens-test-{os.getpid()}"
    other.mkdir()
    try:
        (tmp_path / "sub").symlink_to(other)
        stage_and_place(tmp_path, {"sub/a": "1"}, {})
        assert (other / "a").read_text() == "1"
        assert [path.name for path in other.iterdir()] == ["a"]
    finally:
        for path in other.iterdir():
            path.unlink()
        other.rmdir()


def test_a_staged_folder_is_empty_closed_to_others_and_removed(tmp_path: Path) -> None:
    (tmp_path / temporary_name("staged")).mkdir()  # of a process that was killed
    (tmp_path / "mine").touch()
    with pytest.raises(KeyError), staged(tmp_path) as fresh:
        assert list(fresh.iterdir()) == []
        assert fresh.parent == tmp_path
        assert mode(fresh) == 0o700
        (fresh / "x").touch()
        assert len(names_in(tmp_path)) == 3
        raise KeyError
    assert names_in(tmp_path) == ["mine"]
    with pytest.raises(KeyError), staged(tmp_path / "new") as fresh:
        raise KeyError
    assert names_in(tmp_path) == ["mine"]


def test_only_unchanged_own_files_inside_the_folder_are_removed(tmp_path: Path) -> None:
    run = tmp_path / "run"
    stage_and_place(run, {"a": "1", "b": "1", "sub/c": "1"}, {})
    (tmp_path / "outside").write_text("1")
    (run / "link").symlink_to(tmp_path / "outside")
    (run / "b").write_text("mine")
    names = ["a", "b", "sub/c", "gone", "../outside", str(tmp_path / "outside"), "link", "sub"]
    owned = dict.fromkeys(names, sha256(tmp_path / "outside"))
    with pytest.warns(UserWarning, match="was not deleted: its folder is a link"):
        left = remove_owned(run, names, owned)
    assert left == {"../outside", str(tmp_path / "outside")}
    assert names_in(run) == ["b", "sub"]
    assert (tmp_path / "outside").exists()


def test_a_failure_inside_the_block_leaves_the_old_file(tmp_path: Path) -> None:
    write(tmp_path / "a", b"old")
    with pytest.raises(KeyError), atomic_file(tmp_path / "a") as file:
        file.write(b"new")
        raise KeyError
    assert (tmp_path / "a").read_bytes() == b"old"
    assert names_in(tmp_path) == ["a"]


HALF = """
import sys, time
from pathlib import Path
from emolens.output import atomic_file, staged
place = Path(sys.argv[1])
with atomic_file(place / "deep" / "a.txt") as file, staged(place / "m") as m:
    file.write(b"new " * 100_000)
    (m / "weights").write_bytes(b"new")
    print("writing", flush=True)
    time.sleep(60)
"""


def test_a_killed_process_leaves_the_old_and_the_next_write_clears_its_rest(
    tmp_path: Path,
) -> None:
    write(tmp_path / "deep" / "a.txt", b"old")
    stage_and_place(tmp_path / "m", {"weights": "old"}, {})
    before = names_in(tmp_path)
    process = subprocess.Popen(
        [sys.executable, "-c", HALF, str(tmp_path)], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "writing\n"
    process.send_signal(signal.SIGKILL)
    process.communicate()
    assert len(names_in(tmp_path)) == len(before) + 3
    assert (tmp_path / "deep" / "a.txt").read_bytes() == b"old"
    write(tmp_path / "deep" / "a.txt", b"new")
    with staged(tmp_path / "m"):
        assert len(names_in(tmp_path)) == len(before) + 1
    assert (tmp_path / "m" / "weights").read_bytes() == b"old"
    assert names_in(tmp_path) == before


def test_a_failed_write_of_safetensors_is_a_storage_error(tmp_path: Path) -> None:
    failed = SafetensorError("Error while serializing: I/O error: Input/output error (os error 5)")
    wanted = pytest.raises(StorageError, match=r"can't be written: .*Input/output")
    with wanted, writing(tmp_path / "model.safetensors"):
        raise failed
