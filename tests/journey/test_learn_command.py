"""`emolens learn` as a learner types it."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from emolens.console.section import needed_first
from tests.conftest import Emolens
from tests.test_cli import HEAVY, assert_two_lines, loaded_by

COMMAND = (
    "import sys; from pathlib import Path; from emolens.journey import parts;"
    "parts.PLACES = (Path(sys.argv.pop(1)),); from emolens.cli import main; main()"
)


def pictures() -> list[str]:
    return sorted(path.name for path in Path("learn").glob("*")) if Path("learn").exists() else []


def test_without_a_section_all_are_listed(walkthrough: Path, emolens: Emolens) -> None:
    ended = emolens("learn")
    assert ended.code == 0
    assert ended.out.splitlines() == [
        "The rows",
        "   1  Sorted rows",
        "   2  A slow one",
        "Pictures",
        "   3  Two pictures, one value",
        "   4  What fails",
    ]
    assert ended.err == "To begin: emolens learn 1\n"


def test_a_training_is_marked_in_the_list(walkthrough: Path, emolens: Emolens) -> None:
    (walkthrough / "03.py").write_text("# %% [markdown]\n# ## Tune\n# %%\nel.finetune(d)\n")
    assert emolens("learn").out.splitlines()[-1] == "   5  Tune  (trains a model: minutes)"


def test_a_section_is_printed_and_run(walkthrough: Path, emolens: Emolens) -> None:
    ended = emolens("learn", 1)
    assert ended.code == 0
    lines = [line.rstrip() for line in ended.out.splitlines() if line.strip()]
    assert lines == [
        "1  Sorted rows  ·  The rows",
        "─" * 84,
        "A journey of two parts, see there and here.",
        "│ import json",
        "│",
        "│ ROWS = [3, 1, 2]",
        "Sorting helps.",
        '│ print("sorting")',
        "│ ROWS.sort()",
        "│ ROWS",
        "sorting",
        "[1, 2, 3]",
        "Try this: more rows.",
    ]
    assert re.fullmatch(r"Section 1: \d+\.\d s\. The next one: emolens learn 2\n", ended.err)
    assert not Path("learn").exists()


def test_what_a_section_needs_runs_first_and_nothing_else(
    walkthrough: Path, emolens: Emolens
) -> None:
    ended = emolens("learn", "two", "pictures")
    assert ended.code == 0
    assert "Section 1 first: its results are needed here.\n" in ended.err
    assert "sorting" not in ended.out
    assert "\n3\n" in ended.out
    files = ["03-two-pictures-one-value-2.png", "03-two-pictures-one-value.png", "learn.json"]
    assert pictures() == files
    for name in files[:2]:
        assert f"Picture: {Path('learn') / name}\n" in ended.out
    assert not Path("slow.txt").exists()


def test_pictures_go_where_the_user_wants_and_the_next_command_says_it_too(
    walkthrough: Path, emolens: Emolens
) -> None:
    ended = emolens("learn", 3, "--out", "my pictures")
    assert ended.code == 0
    assert Path("my pictures/03-two-pictures-one-value.png").is_file()
    assert "emolens learn 4 --out " in ended.err
    assert "my pictures" in ended.err


def test_the_next_command_can_be_typed(walkthrough: Path, emolens: Emolens) -> None:
    line = emolens("learn").err
    for number in ("1", "2", "3", "4"):
        words = shlex.split(line.rpartition("emolens ")[2])
        assert words[1] == number
        more = ["--read", "--out", "my pictures"] if number == "1" else []
        ended = emolens(*words, *more)
        assert (ended.code, list(Path().iterdir())) == (0, [])
        line = ended.err


def test_read_runs_nothing(walkthrough: Path, emolens: Emolens) -> None:
    ended = emolens("learn", "--all", "--read")
    assert ended.code == 0
    assert "total / 0" in ended.out
    assert "sorting\n" not in ended.out.replace('"sorting"', "")
    assert ended.err.splitlines()[0] == "The next one: emolens learn 2 --read"
    assert ended.err.splitlines()[-1] == "This was the last section."
    assert list(Path().iterdir()) == []


def test_all_runs_in_order_up_to_the_error(walkthrough: Path, emolens: Emolens) -> None:
    ended = emolens("learn", "--all")
    assert ended.code == 1
    assert Path("slow.txt").is_file()
    assert " first: " not in ended.err
    titles = [line for line in ended.out.splitlines() if "  ·  " in line]
    assert [title[0] for title in titles] == ["1", "2", "3", "4"]
    *_, error, hint = ended.err.splitlines()
    assert error == (
        "Error: Section 4 of the walkthrough failed at `total / 0`: ZeroDivisionError: division by"
        " zero."
    )
    assert hint.endswith("emolens learn 4 --debug")


def test_the_hint_about_a_failing_cell_shows_where_it_failed(
    walkthrough: Path, emolens: Emolens
) -> None:
    hint = emolens("learn", 4).err.splitlines()[-1]
    ended = emolens(*hint.rpartition("emolens ")[2].split())
    assert ended.code == 1
    assert re.search(r'File "<section 4, .*>", line 2.*\n +total / 0', ended.err)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["9"], "1 to 4"),
        (["umap"], "No section has 'umap'"),
        (["one"], "2 sections have 'one'"),
        (["1", "--all"], "--all runs all sections"),
    ],
)
def test_a_wrong_section_is_an_error_and_its_hint_leads_on(
    walkthrough: Path, emolens: Emolens, arguments: list[str], says: str
) -> None:
    ended = emolens("learn", *arguments)
    assert_two_lines(ended, code=2, says=says)
    (typed,) = re.findall(r"emolens (learn(?: \d| --all)?)(?= \(|$)", ended.err, re.M)[:1]
    assert emolens(*typed.split(), "--read").code == 0


def test_a_changed_list_of_pictures_has_a_way_out(walkthrough: Path, emolens: Emolens) -> None:
    Path("learn").mkdir()
    Path("learn/learn.json").write_text("[]")
    ended = emolens("learn", 3)
    assert ended.code == 1
    assert "choose another folder with --out" in ended.err
    assert emolens("learn", 3, "--out", "new").code == 0
    Path("learn/learn.json").rename("learn/other.json")
    assert emolens("learn", 3).code == 0


def test_without_the_libraries_the_section_is_printed_and_says_what_to_install(
    walkthrough: Path, emolens: Emolens, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    assert emolens("learn").code == 0
    ended = emolens("learn", 1)
    assert ended.code == 1
    assert "Sorting helps." in ended.out
    assert "Try this: more rows." in ended.out
    assert "[1, 2, 3]" not in ended.out
    assert ended.err.splitlines() == [
        "Error: To run the sections, matplotlib is needed, which is not installed.",
        'Hint:  pip install "emolens[starter]"',
    ]


def test_the_list_and_the_prose_need_nothing_heavy(walkthrough: Path) -> None:
    for arguments in (["learn"], ["learn", "1", "--read"]):
        loaded = loaded_by(COMMAND, str(walkthrough), *arguments)
        assert "emolens.journey.parts" in loaded
        assert loaded.isdisjoint({*HEAVY} - {"numpy"})


def test_a_training_that_is_needed_is_announced() -> None:
    assert needed_first([4], trained=False) == "Section 4 first: its results are needed here."
    line = needed_first([1, 2, 9], trained=True)
    assert line.startswith("Sections 1, 2 and 9 first: their results are needed here. A model is")


# --- at a terminal ---


def at_a_terminal(walkthrough: Path, typed: bytes, *arguments: str) -> tuple[int, str]:
    """The exit code, and all that the terminal showed; `typed` was on its keyboard."""
    import pty

    ours, theirs = pty.openpty()
    command = [sys.executable, "-c", COMMAND, str(walkthrough), "learn", *arguments]
    environment = {**os.environ, "TERM": "xterm", "COLUMNS": "100"}
    process = subprocess.Popen(
        command, stdin=theirs, stdout=theirs, stderr=theirs, env=environment,
        start_new_session=True,
    )  # fmt: skip
    os.close(theirs)
    os.write(ours, typed)
    shown = b""
    try:
        while block := os.read(ours, 4096):
            shown += block
    except OSError:  # how Linux says that the other end is closed
        pass
    os.close(ours)
    return process.wait(), shown.decode()


terminal = pytest.mark.skipif(os.name != "posix", reason="a pseudo-terminal is needed")


@terminal
def test_enter_goes_on_with_the_names_that_are_there(walkthrough: Path) -> None:
    code, shown = at_a_terminal(walkthrough, b"\n\nq\n", "1")
    assert code == 0
    assert [n for n in "1234" if f"{n}  " in shown and f"Section {n}: " in shown] == ["1", "2", "3"]
    assert " first: " not in shown
    assert shown.count("Enter: section") == 3
    assert "\x1b[" in shown


@terminal
@pytest.mark.parametrize("typed", [b"q\n", b"\x04", b"stop\n"])
def test_anything_but_enter_stops(walkthrough: Path, typed: bytes) -> None:
    code, shown = at_a_terminal(walkthrough, typed, "1")
    assert code == 0
    assert "Enter: section 2, q and Enter: stop" in shown
    assert "Section 2: " not in shown


@terminal
def test_all_asks_nothing(walkthrough: Path) -> None:
    code, shown = at_a_terminal(walkthrough, b"", "--all", "--read")
    assert code == 0
    assert "Enter:" not in shown


@terminal
def test_ctrl_c_while_a_cell_runs_ends_with_one_line(walkthrough: Path) -> None:
    import signal
    import time

    (walkthrough / "00.py").write_text(
        "# %% [markdown]\n# ## Wait\n# %%\nimport time\nopen('begun', 'w')\ntime.sleep(60)\n"
    )
    command = [sys.executable, "-c", COMMAND, str(walkthrough), "learn", "1"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    while not Path("begun").exists() and process.poll() is None:
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=30)
    assert process.returncode == 130
    assert "│ time.sleep(60)" in out
    assert err == "Stopped. To begin this section again: emolens learn 1\n"
