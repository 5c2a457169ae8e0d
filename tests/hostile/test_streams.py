"""stdout, stderr and stdin that are full, closed or read by nobody, in real processes."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

CLI = [sys.executable, "-m", "emolens"]
PRINTS = [["--help"], ["--version"], ["run", "--help"], ["tokenize", "hi", "--json"]]
needs_dev_full = pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full here")
needs_sh = pytest.mark.skipif(sys.platform == "win32", reason="no POSIX shell here")


def in_shell(arguments: list[str], redirections: str) -> subprocess.CompletedProcess[str]:
    """Run emolens with the redirections of a POSIX shell."""
    command = f'"$0" -m emolens "$@" {redirections}'
    return subprocess.run(
        ["sh", "-c", command, sys.executable, *arguments],
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=False,
    )


def lines_of(ended: subprocess.CompletedProcess[str]) -> list[str]:
    assert "Traceback" not in ended.stderr
    return ended.stderr.splitlines()


@needs_dev_full
@pytest.mark.parametrize("arguments", PRINTS, ids=" ".join)
def test_a_full_stdout_is_an_error(arguments: list[str]) -> None:
    ended = in_shell(arguments, "> /dev/full")
    first, hint = lines_of(ended)
    assert ended.returncode == 1
    assert first.startswith("Error: stdout can't be written: No space left")
    assert hint.startswith("Hint:  ")


@needs_sh
@pytest.mark.parametrize("arguments", [["--version"], ["tokenize", "hi"]], ids=" ".join)
def test_a_closed_stdout_is_an_error(arguments: list[str]) -> None:
    ended = in_shell(arguments, ">&-")
    first, _ = lines_of(ended)
    assert (ended.returncode, first) == (1, "Error: stdout can't be written: it is closed.")


@needs_sh
@pytest.mark.parametrize("arguments", [["--help"], ["tokenize", "hi"]], ids=" ".join)
def test_a_reader_that_has_gone_ends_the_command_without_a_word(arguments: list[str]) -> None:
    with subprocess.Popen([*CLI, *arguments], stdout=-1, stderr=-1) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()  # before the command prints
        assert process.stderr.read() == b""
        assert process.wait() == 141


@needs_sh
@pytest.mark.parametrize("redirection", ["2>&-", "2>/dev/full"])
def test_a_lost_stderr_changes_no_result(redirection: str) -> None:
    if "full" in redirection and not Path("/dev/full").exists():
        pytest.skip("no /dev/full here")
    done = in_shell(["tokenize", "hi", "--json"], redirection)
    assert done.returncode == 0
    assert json.loads(done.stdout)[0]["text"] == "hi"
    failed = in_shell(["tokenize"], redirection)
    assert (failed.returncode, failed.stdout, failed.stderr) == (2, "", "")


@needs_sh
def test_a_closed_stdin_harms_only_who_reads_it(tiny_model: Path) -> None:
    ended = in_shell(["tokenize", "hi"], "<&-")
    assert (ended.returncode, ended.stderr) == (0, "")
    ended = in_shell(["predict", "-", "--model", str(tiny_model)], "<&-")
    first, _ = lines_of(ended)
    assert (ended.returncode, ended.stdout) == (1, "")
    assert first.startswith("Error: stdin can't be read")


@needs_sh
def test_all_three_closed(tmp_path: Path, tiny_encoder: Path) -> None:
    source = tmp_path / "in.csv"
    source.write_text("text\nso happy\n", encoding="utf-8")
    before = source.read_bytes()
    arguments = ["encode", str(source), "--encoder", str(tiny_encoder), "--no-cache"]
    ended = in_shell(arguments, "<&- >&- 2>&-")
    assert (ended.returncode, ended.stdout, ended.stderr) == (1, "", "")
    # Nothing that is printed ends in a file that took the number of a closed stream.
    assert source.read_bytes() == before
    assert (tmp_path / "in-embeddings.parquet").read_bytes()[:4] == b"PAR1"


def test_output_is_utf8_whatever_the_locale(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONIOENCODING", "ascii")
    monkeypatch.setenv("LC_ALL", "C")
    ended = subprocess.run([*CLI, "tokenize", "naïve 日本"], capture_output=True, check=False)
    assert "naïve 日本" in ended.stdout.decode("utf-8")


@needs_sh
@pytest.mark.parametrize("columns", ["0", "1", "-3", "x", "99999"])
def test_a_terminal_of_any_width_shows_whole_tables(
    columns: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", columns)
    code = (
        "from emolens.console import Console; Console().table(('emotion', 'p'), [['joy', 0.5]])\n"
        "Console().note('a note that is longer than that')"
    )
    outer, inner = os.openpty()
    with subprocess.Popen([sys.executable, "-c", code], stdout=inner, stderr=inner) as process:
        os.close(inner)
        output = b""
        with contextlib.suppress(OSError):  # Linux reports the end of a terminal as an error
            while data := os.read(outer, 4096):
                output += data
    os.close(outer)
    assert process.returncode == 0
    for words in (b"emotion", b"joy", b"0.5000", b"a note that is longer than that"):
        assert words in output
