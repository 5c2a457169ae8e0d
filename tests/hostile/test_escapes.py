"""Texts and names that steer a terminal or reorder a line, wherever emolens shows them; and errors
that nobody expected.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import typer

from emolens.cli.ending import explain, run_command
from emolens.errors import EmolensError
from emolens.show.card import About, model_card
from emolens.shown import visible
from emolens.study import Run, load_study
from tests.conftest import write_csv
from tests.show.test_card import audit_of

EVIL = "\x1b[31mred \x9b2J \x07 \u202egnp \u2066x\u2069 \u200f \u061c \u2028 \x7f\x85 end"
CLI = [sys.executable, "-m", "emolens"]


def shown(*arguments: str) -> tuple[int, str, str]:
    """What a command writes, as UTF-8."""
    ended = subprocess.run([*CLI, *arguments], capture_output=True, check=False)
    return ended.returncode, ended.stdout.decode("utf-8"), ended.stderr.decode("utf-8")


def assert_harmless(*outputs: str) -> None:
    for output in outputs:
        for line in output.split("\n"):
            assert visible(line) == line, ascii(line)


def test_a_study_file_does_not_steer_the_terminal(tmp_path: Path) -> None:
    evil = f"{EVIL} \U000e0041"
    study = load_study("starter", {"data.text": evil, "data.label": evil})
    path = tmp_path / "study.toml"
    path.write_text(study.to_toml(), "utf-8")
    assert_harmless(path.read_text("utf-8"))
    assert load_study(path) == study


@pytest.mark.parametrize("options", [[], ["--json"]])
def test_a_text_does_not_steer_the_terminal(options: list[str]) -> None:
    code, out, err = shown("tokenize", EVIL, *options)
    assert (code, err) == (0, "")
    assert_harmless(out)
    if options:
        assert json.loads(out)[0]["text"] == EVIL


@pytest.mark.parametrize("options", [[], ["--debug"]])
@pytest.mark.parametrize("arguments", [["run"], ["inspect"], ["tokenize", "x", "--encoder"]])
def test_a_name_in_an_error_does_not(arguments: list[str], options: list[str]) -> None:
    code, out, err = shown(*arguments, f"./{EVIL}", *options)
    assert code in (1, 2)
    assert ("Traceback" in err) is bool(options)
    assert_harmless(out, err)


def test_columns_classes_and_file_names_do_not(tmp_path: Path) -> None:
    rows = [(f"so {EVIL} {i}", f"{EVIL}{i % 2}") for i in range(60)]
    source = write_csv(tmp_path / "a\x1b[31m\u202eb.csv", rows, ("text", "label"))
    for options in ([], ["--json"]):
        code, out, err = shown("inspect", str(source), *options)
        assert code == 0, err
        assert_harmless(out, err)


def test_a_line_end_in_a_text_makes_no_line_of_its_own(tmp_path: Path, tiny_model: Path) -> None:
    _, out, _ = shown("predict", "fine\njoy 0.99 forged", "--model", str(tiny_model))
    assert len(out.splitlines()) == 2


def test_the_card_shows_no_control_characters(tiny_run: Run) -> None:
    card = model_card(EVIL, audit_of(tiny_run), tiny_run.evaluation, about=About(EVIL))
    assert_harmless(card.split("\n---\n", 1)[1])
    assert "\x1b" not in card


def test_json_files_of_a_run_can_be_shown(tiny_run: Run) -> None:
    for path in tiny_run.folder.glob("*.json"):
        assert_harmless(path.read_text("utf-8"))


def test_the_warnings_of_libraries_stay_off_the_screen(tmp_path: Path, tiny_run: Run) -> None:
    """No font here has these signs; matplotlib warns of each."""
    run = Path(shutil.copytree(tiny_run.folder, tmp_path / "run"))
    for picture in (run / "figures").iterdir():
        picture.unlink()
    code, _, err = shown("map", str(run / "study.toml"), "--out", str(run), "--quiet")
    assert (code, err) == (0, "")
    assert np.any([path.suffix == ".png" for path in (run / "figures").iterdir()])


class Panic(BaseException):
    """What a library in Rust raises when it panics: no Exception."""


@pytest.mark.parametrize("debug", [False, True])
@pytest.mark.parametrize(
    "error",
    [ValueError("a\nb"), KeyError("x"), Panic("boom"), AssertionError(), RecursionError("deep")],
)
def test_an_error_that_nobody_expected_is_a_fault_of_emolens(
    error: BaseException, debug: bool, capfd: pytest.CaptureFixture[str]
) -> None:
    app = typer.Typer()
    app.callback()(lambda: None)

    @app.command()
    def fails() -> None:
        raise error

    code = run_command(app, ["fails", "--debug"] if debug else ["fails"])
    out, err = capfd.readouterr()
    *trace, first, hint = err.splitlines()
    assert (code, out, bool(trace)) == (1, "", debug)
    assert first.startswith(f"Error: This is a fault of emolens: {type(error).__name__}")
    assert hint.startswith("Hint:  Report it")
    assert "--debug" in hint


def test_what_the_machine_lacks_is_no_fault_of_emolens() -> None:
    assert "memory" in str(explain(MemoryError()))
    missing = explain(PermissionError(13, "Permission denied", "secret.csv"))
    assert str(missing) == "secret.csv: Permission denied."
    assert explain(EmolensError("a", hint="b")).hint == "b"
