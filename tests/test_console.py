"""What is printed, and where."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from emolens.console import Console, RunConsole
from emolens.data.sources import load_dataset
from emolens.encode.backbone import EncoderFolder
from emolens.errors import UsageError
from emolens.study import load_study
from emolens.study.folder import StageRecord
from emolens.study.keys import StageKey
from tests.conftest import feeling_rows, write_csv

AS_THEY_ARE = [
    "so :heart: good",
    "[bold]loud[/bold]",
    "[/]",
    "a\\",
    "[link=x]",
    "naïve 😀 日本語",
    " ",
]
STEERING = ["\x1b[31mred\x1b[0m", "a\rb", "\x07", "a\x00b", "\x9b2J", "\u202egnp.exe", "\x7f"]


@pytest.mark.parametrize("text", AS_THEY_ARE)
def test_a_line_is_printed_as_it_is(capsys: pytest.CaptureFixture[str], text: str) -> None:
    Console().line(text)
    Console().note(text)
    out, err = capsys.readouterr()
    assert out == err == text + "\n"


@pytest.mark.parametrize("text", AS_THEY_ARE)
def test_a_table_holds_texts_as_they_are(capsys: pytest.CaptureFixture[str], text: str) -> None:
    Console().table((text,), [[f"<{text}>"]], title=text)
    title, head, cell = capsys.readouterr().out.splitlines()
    assert (title.rstrip(), head.rstrip()) == (text.rstrip(), text.rstrip())
    assert cell.rstrip() == f"<{text}>"


@pytest.mark.parametrize("text", STEERING)
def test_control_characters_do_not_reach_the_terminal(
    capsys: pytest.CaptureFixture[str], text: str
) -> None:
    console = Console()
    console.line(text)
    console.table(("column",), [[text]])
    console.note(text)
    console.error(UsageError(text, hint=text))
    out, err = capsys.readouterr()
    assert set(out + err) - {"\n"} <= {sign for sign in out + err if sign.isprintable()}
    assert "·" in out
    assert "·" in err


def test_json_goes_to_stdout_whole_and_unfolded(capsys: pytest.CaptureFixture[str]) -> None:
    value = {"text": "ü [b] :heart: " * 50, "n": [1, 2.5, None]}
    Console(as_json=True).data(value)
    out, err = capsys.readouterr()
    assert json.loads(out) == value
    assert err == ""


def test_long_lines_are_not_folded(capsys: pytest.CaptureFixture[str]) -> None:
    Console().line("word " * 100)
    assert capsys.readouterr().out == "word " * 100 + "\n"


def test_an_error_is_two_lines_whatever_it_holds(capsys: pytest.CaptureFixture[str]) -> None:
    Console().error(UsageError("a\nb " + "long " * 60, hint="c\r\nd [x] :heart:"))
    out, err = capsys.readouterr()
    assert out == ""
    first, second = err.splitlines()
    assert first.startswith("Error: a b long")
    assert second == "Hint:  c d [x] :heart:"


def test_quiet_silences_notes_but_not_errors(capsys: pytest.CaptureFixture[str]) -> None:
    console = Console(quiet=True)
    console.note("progress")
    with console.progress("stage") as update:
        update(1, 2)
    console.error(UsageError("wrong", hint="right"))
    out, err = capsys.readouterr()
    assert out == ""
    assert err.splitlines() == ["Error: wrong", "Hint:  right"]


def test_numbers_stand_to_the_right(capsys: pytest.CaptureFixture[str]) -> None:
    Console().table(("name", "n"), [["a", 1], ["b", 12345]])
    assert capsys.readouterr().out.splitlines() == ["name       n", "a          1", "b     12,345"]


def test_a_stage_is_one_line_with_its_seconds_and_why_it_is_done_again(
    capsys: pytest.CaptureFixture[str],
) -> None:
    observer = RunConsole(Console())
    record = StageRecord(StageKey({}, {}, {}, {}), "accuracy 0.5 [ok]", {}, 2.04, 1.0)
    for reason in ("", "torch 2.13 → 2.14"):
        observer.started("probe", reason)
        observer.progress(1, 2)
        observer.finished("probe", record, resumed=False)
    observer.finished("probe", record, resumed=True)
    observer.close()
    assert capsys.readouterr().err.splitlines() == [
        "  probe      accuracy 0.5 [ok]  [2.0 s]",
        "  probe      accuracy 0.5 [ok]  [2.0 s; again: torch 2.13 → 2.14]",
        "  probe      accuracy 0.5 [ok]  [as before]",
    ]


def test_a_run_begins_with_what_was_guessed_about_its_data(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = load_dataset(write_csv(tmp_path / "rows.csv", feeling_rows(60)))
    encoder = EncoderFolder("a", tmp_path, "")
    RunConsole(Console()).opened(load_study("starter"), data, encoder, tmp_path / "run")
    said = "Note: validation and test are cut out of train at random, with seed 42."
    shown = " ".join(capsys.readouterr().err.split())
    assert said in shown
    assert "the encoder is" not in shown


def test_a_run_says_which_commit_of_an_encoder_it_uses(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = load_dataset(write_csv(tmp_path / "rows.csv", feeling_rows(60)))
    copy = tmp_path / "models--someone--tiny" / "snapshots" / ("01234567" * 5)
    encoder = EncoderFolder("someone/tiny", copy, "")
    RunConsole(Console()).opened(load_study("starter"), data, encoder, tmp_path / "run")
    shown = " ".join(capsys.readouterr().err.split())
    assert f"Note: the encoder is someone/tiny@{copy.name}" in shown
