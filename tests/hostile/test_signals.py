"""Signals at any moment: the command ends quickly, cleans up, and says only what is true."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from emolens.study import Run
from tests.conftest import WORDS, write_csv

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Windows has other signals")

CLI = [sys.executable, "-m", "emolens"]
AGAIN = "Run the same command again: "
KEPT = "vectors in the cache are not computed again."


@pytest.fixture
def table(tmp_path: Path) -> Path:
    """Enough different texts for some seconds."""
    numbers = random.Random(0)
    rows = [(" ".join(numbers.choices(WORDS, k=12)),) for _ in range(100_000)]
    return write_csv(tmp_path / "data" / "texts.csv", rows, ("text",))


def stopped(command: list[str], until: float | Path, *numbers: int) -> tuple[int, str, float]:
    """Start, wait, send the signals; the exit code, stderr, and how long the end took.

    until: seconds, or a folder in which the command begins a file.
    """
    with subprocess.Popen([*CLI, *command], stdout=-1, stderr=-1, text=True) as process:
        if isinstance(until, Path):
            while process.poll() is None and not list(until.glob(".*emolens-*")):
                time.sleep(0.01)
        else:
            time.sleep(until)
        began = time.monotonic()
        for number in numbers:
            process.send_signal(number)
            time.sleep(0.002)
        out, err = process.communicate(timeout=60)
        assert out == ""
    return process.returncode, err, time.monotonic() - began


def files_beside(table: Path) -> list[str]:
    return sorted(path.name for path in table.parent.iterdir())


@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)]
)
def test_a_signal_ends_encode_and_leaves_no_file(
    table: Path, tiny_encoder: Path, number: int, code: int
) -> None:
    command = ["encode", str(table), "--encoder", str(tiny_encoder)]
    ended = stopped(command, table.parent, number)
    assert ended[:2] == (code, f"Stopped. Nothing was written. {AGAIN}{KEPT}\n")
    assert ended[2] < 10
    assert files_beside(table) == ["texts.csv"]


def test_more_signals_do_not_break_the_cleaning(table: Path, tiny_model: Path) -> None:
    command = ["predict", "--input", str(table), "--model", str(tiny_model)]
    numbers = [signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGTERM] * 3
    code, err, _ = stopped(command, table.parent, *numbers)
    # Python answers signals that wait together in the order of their numbers.
    assert code in (143, 130, 129)
    assert err == "Stopped. Nothing was written.\n"
    assert files_beside(table) == ["texts.csv"]


def test_without_a_cache_no_cache_is_promised(table: Path, tiny_encoder: Path) -> None:
    command = ["encode", str(table), "--encoder", str(tiny_encoder), "--no-cache"]
    ended = stopped(command, table.parent, signal.SIGINT)
    assert ended[:2] == (130, "Stopped. Nothing was written.\n")


def test_a_stopped_run_says_that_stages_are_kept(tiny_run: Run, tmp_path: Path) -> None:
    out = tmp_path / "run"
    command = ["run", str(tiny_run.folder / "study.toml"), "--out", str(out), "--quiet"]
    with subprocess.Popen([*CLI, *command], stdout=-1, stderr=-1, text=True) as process:
        while process.poll() is None and not (out / "tokens").exists():
            time.sleep(0.01)
        process.send_signal(signal.SIGTERM)
        _, err = process.communicate(timeout=60)
    assert process.returncode == 143
    assert err == f"Stopped. {AGAIN}finished stages are kept.\n"
    assert [path for path in out.rglob("*") if ".emolens-" in path.name] == []


def test_an_ignored_hup_stays_ignored(tiny_model: Path) -> None:
    command = ["sh", "-c", 'trap "" HUP; exec "$@"', "sh", *CLI, "predict", "-", "--model"]
    with subprocess.Popen(
        [*command, str(tiny_model)], stdin=-1, stdout=-1, stderr=-1, text=True
    ) as process:
        time.sleep(3)  # it waits for lines, or still loads the model
        process.send_signal(signal.SIGHUP)
        out, err = process.communicate("i am sad\n", timeout=60)
    assert process.returncode == 0
    assert err.splitlines()[1].startswith("Note: Nothing is promised")
    assert "i am sad" in out


def test_ctrl_c_while_the_command_line_is_loaded_is_no_traceback() -> None:
    program = """
import runpy, sys
class Interrupted:
    @staticmethod
    def find_spec(name, *_):
        if name == "emolens.cli":
            raise KeyboardInterrupt
sys.meta_path.insert(0, Interrupted)
runpy.run_module("emolens", run_name="__main__")
"""
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, check=False)
    assert (ended.returncode, ended.stderr) == (130, b"")


def test_a_signal_before_the_command_begins_is_no_traceback() -> None:
    program = """
import logging, signal
from emolens.cli import main
logging.disable = lambda level: signal.raise_signal(signal.SIGTERM)
main()
"""
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, check=False)
    assert (ended.returncode, ended.stderr) == (143, b"")


def test_a_signal_ends_who_waits_for_lines(tiny_model: Path) -> None:
    command = [*CLI, "predict", "-", "--model", str(tiny_model)]
    with subprocess.Popen(command, stdin=-1, stdout=-1, stderr=-1, text=True) as process:
        time.sleep(3)
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=30) == 143
        assert process.stderr is not None
        assert process.stderr.read() == "Stopped.\n"


@pytest.mark.soak
@pytest.mark.parametrize("name", ["predict", "encode", "run"])
def test_signals_at_random_moments(
    table: Path, tiny_model: Path, tiny_encoder: Path, tiny_run: Run, tmp_path: Path, name: str
) -> None:
    commands = {
        "predict": ["predict", "--input", str(table), "--model", str(tiny_model)],
        "encode": ["encode", str(table), "--encoder", str(tiny_encoder), "--no-cache"],
        "run": ["run", str(tiny_run.folder / "study.toml"), "--out", str(tmp_path / "run"), "-q"],
    }
    moments = random.Random(1)
    for _ in range(int(os.environ.get("EMOLENS_SOAK", "40"))):
        number = moments.choice([signal.SIGTERM, signal.SIGHUP])
        seconds = moments.uniform(0.3, 4)
        code, err, took = stopped(commands[name], seconds, number)
        if code == 0:
            break
        where = (name, number, seconds, took, err)
        assert took < 10, where
        # Before the handlers are set, the signal itself ends the process.
        assert (code, err) == (-number, "") or code == 128 + number, where
        assert err == "" or err.startswith("Stopped."), where
        assert len(err.splitlines()) <= 1, where
        assert files_beside(table) == ["texts.csv"], where
