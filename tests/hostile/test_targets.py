"""What stands at the place where predict and encode write: it stays, or it is replaced whole."""

from __future__ import annotations

import random
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from emolens.cli import main
from emolens.study import Run
from tests.conftest import write_csv

EMOLENS = [sys.executable, "-m", "emolens"]
Command = Callable[[Path, Path], list[str]]


@pytest.fixture(params=["predict", "encode"])
def command(request: pytest.FixtureRequest, tiny_run: Run, tiny_encoder: Path) -> Command:
    """The arguments of predict or of encode, from a Parquet file to a Parquet file."""

    def build(source: Path, target: Path) -> list[str]:
        if request.param == "encode":
            encoder = ["--encoder", str(tiny_encoder), "--precision", "fp32", "--no-cache"]
            return [*EMOLENS, "encode", str(source), "--out", str(target), *encoder]
        model = ["--model", str(tiny_run.folder / "model"), "--precision", "fp32"]
        return [*EMOLENS, "predict", "--input", str(source), "--out", str(target), *model]

    return build


@pytest.fixture
def source(tmp_path: Path) -> Path:
    path = tmp_path / "texts.parquet"
    pq.write_table(pa.table({"text": ["i am sad", "so happy"]}), path)
    return path


def picture(folder: Path) -> dict[Path, tuple[int, int, bytes]]:
    """Every file and link of a folder: its mode, which file it is, and what it holds."""
    return {
        path: (
            path.lstat().st_mode,
            path.lstat().st_ino,
            path.read_bytes() if path.is_file() else b"",
        )
        for path in folder.rglob("*")
    }


Refused = Callable[..., None]


@pytest.fixture
def refused(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Refused:
    """Run a command that must end in two lines."""

    def check(arguments: list[str], *, says: str) -> None:
        monkeypatch.setattr(sys, "argv", ["emolens", *arguments[len(EMOLENS) :]])
        with pytest.raises(SystemExit) as ended:
            main()
        out, err = capfd.readouterr()
        first, second = err.splitlines()
        assert (ended.value.code in (1, 2), out) == (True, "")
        assert first.startswith("Error: ")
        assert says in first
        assert second.startswith("Hint: ")

    return check


def test_the_input_is_never_the_output(
    command: Command, source: Path, tmp_path: Path, refused: Refused
) -> None:
    (tmp_path / "sub").mkdir()
    (tmp_path / "again").symlink_to(tmp_path)
    (tmp_path / "link.parquet").symlink_to("again/texts.parquet")
    (tmp_path / "hard.parquet").hardlink_to(source)
    before = picture(tmp_path)
    for name in ("texts.parquet", "sub/../texts.parquet", "link.parquet", "hard.parquet"):
        refused([*command(source, tmp_path / name), "--overwrite"], says="is the input")
    refused(command(tmp_path / "link.parquet", source), says="is the input")
    assert picture(tmp_path) == before


@pytest.mark.skipif(sys.platform == "win32", reason="no POSIX shell here")
@pytest.mark.parametrize(
    ("given", "out"),
    [
        ("{}", "-"),
        ("- --format parquet < {}", "/dev/stdout"),
        ("/dev/stdin --format parquet < {}", "/dev/fd/1"),
    ],
)
def test_stdout_never_appends_to_the_input(
    command: Command, source: Path, given: str, out: str
) -> None:
    before = source.read_bytes()
    arguments = command(Path("INPUT"), Path(out))
    words = shlex.join(arguments).replace("INPUT", given.format(source))
    ended = subprocess.run(
        f"{words} >> {source}", shell=True, capture_output=True, text=True, check=False
    )
    assert (ended.returncode, source.read_bytes()) == (2, before)
    first, hint = ended.stderr.splitlines()
    assert "stdout is the input" in first
    assert hint.startswith("Hint:  Choose another file")


@pytest.mark.parametrize(
    "words",
    [
        ["predict", "--input", None],
        ["predict", "--input", "in.csv", "--out", None],
        ["predict", "so happy", "--model", None],
        ["encode", None],
        ["encode", "in.csv", "--out", None],
        ["encode", "in.csv", "--encoder", None],
        ["export", None],
        ["export", "model", "--int8", "--dataset", None],
        ["inspect", None],
        ["inspect", "starter", "--encoder", None],
        ["tokenize", "so happy", "--encoder", None],
        ["run", None],
        ["run", "--out", None],
        ["embed", "--out", None],
        ["run", "--dataset", None],
    ],
    ids=lambda words: " ".join(filter(None, words)),
)
def test_an_empty_name_is_not_the_current_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, refused: Refused, words: list[str | None]
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "in.csv").write_text("text\nso happy\n")
    before = picture(tmp_path)
    arguments = ["" if word is None else word for word in words]
    refused([*EMOLENS, *arguments], says="empty" if words[-2] != "--dataset" else "")
    assert picture(tmp_path) == before


def test_what_must_not_be_replaced_stays_as_it_is(
    command: Command, source: Path, tmp_path: Path, refused: Refused
) -> None:
    targets = {name: tmp_path / f"{name}.parquet" for name in ("mine", "read-only", "hard")}
    for path in targets.values():
        path.write_bytes(b"mine")
    targets["read-only"].chmod(0o444)
    (tmp_path / "other").hardlink_to(targets["hard"])
    (tmp_path / "folder.parquet").mkdir()
    (tmp_path / "loop.parquet").symlink_to("loop.parquet")
    before = picture(tmp_path)
    refused(command(source, targets["mine"]), says="exists already")
    for name, says in (
        ("read-only", "is read-only"),
        ("hard", "has 2 hard links"),
        ("folder", "is a folder"),
        ("loop", "can't be written"),
    ):
        path = tmp_path / f"{name}.parquet"
        refused([*command(source, path), "--overwrite"], says=says)
    assert picture(tmp_path) == before


def test_a_refusal_does_not_wait_for_the_model(tmp_path: Path, refused: Refused) -> None:
    """Nothing is read before the target is checked: neither the model nor the table is there."""
    target = tmp_path / "out.parquet"
    target.touch()
    for arguments in (
        ["predict", "--input", tmp_path / "no.csv", "--model", tmp_path / "no", "--out", target],
        ["encode", tmp_path / "no.csv", "--encoder", tmp_path / "no", "--out", target],
    ):
        refused([*EMOLENS, *map(str, arguments)], says="exists already")


def test_a_link_to_an_output_is_followed_and_keeps_its_rights(
    command: Command, source: Path, tmp_path: Path
) -> None:
    kept = tmp_path / "kept" / "out.parquet"
    kept.parent.mkdir()
    (tmp_path / "link.parquet").symlink_to(kept)
    subprocess.run(command(source, tmp_path / "link.parquet"), check=True, capture_output=True)
    assert pq.read_table(kept).num_rows == 2
    kept.write_bytes(b"old")
    kept.chmod(0o600)
    again = [*command(source, tmp_path / "link.parquet"), "--overwrite"]
    subprocess.run(again, check=True, capture_output=True)
    assert (tmp_path / "link.parquet").is_symlink()
    assert pq.read_table(kept).num_rows == 2
    assert kept.stat().st_mode & 0o777 == 0o600


def hidden(folder: Path) -> list[Path]:
    return [path for path in folder.iterdir() if path.name.startswith(".")]


def kill_while_it_writes(arguments: list[str], folder: Path, *, delay: float) -> None:
    """Start a command, wait until it writes, and kill it so many seconds later."""
    already = set(hidden(folder))
    with subprocess.Popen(arguments, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as one:
        while one.poll() is None and not set(hidden(folder)) - already:
            time.sleep(0.005)
        time.sleep(delay)
        one.send_signal(signal.SIGKILL)


def test_killed_writers_leave_no_more_than_the_next_one_removes(
    command: Command, tmp_path: Path
) -> None:
    source = write_csv(tmp_path / "texts.csv", [("i am sad",)] * 30_000, ("text",))
    target = tmp_path / "out" / "out.parquet"
    target.parent.mkdir()
    mine = target.with_name(".out.parquet.emolens-notes")
    mine.write_text("mine")
    choice = random.Random(0)
    for _ in range(3):
        kill_while_it_writes(command(source, target), target.parent, delay=choice.uniform(0.0, 0.3))
        assert not target.exists(), "it was killed before its end"
        assert len(hidden(target.parent)) == 2, "the half-written file, and that of the user"
    # What was killed goes on without --overwrite.
    write_csv(source, [("i am sad",)] * 3, ("text",))
    subprocess.run(command(source, target), check=True, capture_output=True)
    assert pq.read_table(target).num_rows == 3
    assert sorted(target.parent.iterdir()) == sorted([mine, target])
    assert mine.read_text() == "mine"


def test_two_writers_of_the_same_target_leave_each_other_alone(
    command: Command, tmp_path: Path
) -> None:
    source = write_csv(tmp_path / "texts.csv", [("i am sad",)] * 3000, ("text",))
    target = tmp_path / "out" / "out.parquet"
    arguments = [*command(source, target), "--overwrite"]
    both = [
        subprocess.Popen(arguments, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    for one in both:
        said = one.communicate()[1]
        assert one.returncode == 0, said
    assert pq.read_table(target).num_rows == 3000
    assert list(target.parent.iterdir()) == [target]
