"""`emolens evaluate --model`: what it prints, writes and refuses; and what it is without it."""

from __future__ import annotations

import importlib
import json
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from emolens.cli.options import LABEL_OPTIONS, READ_OPTIONS, STUDY_OPTIONS
from emolens.cli.study import parameter_of
from emolens.judge.report import ModelReport
from emolens.study import Run
from tests.conftest import Emolens, Ended, feeling_rows, write_csv


def score(emolens: Emolens, run: Run, *arguments: object) -> Ended:
    return emolens("evaluate", "--model", run.folder / "model", *arguments)


@pytest.fixture
def table(tmp_path: Path) -> Path:
    rows = [(text, {"joy": "happiness"}.get(label, label)) for text, label in feeling_rows(48)]
    return write_csv(tmp_path / "mine.csv", [*rows, ("so proud", "pride"), ("what", "")])


def test_figures_are_printed_and_what_is_left_out_is_said(
    emolens: Emolens, tiny_run: Run, table: Path
) -> None:
    ended = score(emolens, tiny_run, "--dataset", table, "--map", "joy=happiness")
    assert ended.code == 0, ended.err
    assert "The model is right on " in ended.out
    assert " of 48 rows (95 % interval " in ended.out
    assert "1 row of table has no label and is left out" in ended.err
    assert "happiness is joy" in ended.err
    assert "1 row has a class that the model does not know, and is left out: pride 1." in ended.err
    assert "This trains" not in ended.err


def test_json_is_the_whole_report(
    emolens: Emolens, tiny_run: Run, table: Path, tmp_path: Path
) -> None:
    out = tmp_path / "report.json"
    ended = score(
        emolens, tiny_run, "--dataset", table, "--map", "joy=happiness", "--json", "--out", out
    )
    plain = json.loads(ended.out)
    report = ModelReport.load(out)
    assert report.rows.scored == plain["rows"]["scored"] == 48
    assert json.loads(json.dumps(report.to_dict())) == plain
    assert [p["outcome"] for p in plain["promises"]] == [p.outcome for p in report.promises]


def test_nothing_is_trained_and_no_folder_appears(
    emolens: Emolens, tiny_run: Run, table: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(table.parent)
    score(emolens, tiny_run, "--dataset", table, "--map", "joy=happiness")
    assert [path.name for path in table.parent.iterdir()] == ["mine.csv"]


def test_a_page_is_written_where_the_user_says(
    emolens: Emolens, tiny_run: Run, table: Path, tmp_path: Path
) -> None:
    arguments = ("--dataset", table, "--map", "joy=happiness", "--out", tmp_path / "page.html")
    ended = score(emolens, tiny_run, *arguments)
    assert ended.out.splitlines()[-1] == str(tmp_path / "page.html")
    assert "<h1>Does the model fit these texts?</h1>" in (tmp_path / "page.html").read_text()
    assert "page.html" in score(emolens, tiny_run, *arguments).err
    assert score(emolens, tiny_run, *arguments, "--overwrite").code == 0
    over = score(emolens, tiny_run, "--dataset", tmp_path / "mine.csv", "--out", tmp_path / "m.csv")
    assert over.code == 2


def test_the_table_is_never_replaced(emolens: Emolens, tiny_run: Run, tmp_path: Path) -> None:
    data = tmp_path / "rows.json"
    rows = [{"text": text, "label": label} for text, label in feeling_rows(6)]
    data.write_text(json.dumps(rows))
    ended = score(emolens, tiny_run, "--dataset", data, "--out", data, "--overwrite")
    assert (ended.code, json.loads(data.read_text())) == (2, rows)


def test_a_threshold_decides_what_is_unsure(emolens: Emolens, tiny_run: Run, table: Path) -> None:
    arguments = ("--dataset", table, "--map", "joy=happiness", "--unsure-below")
    assert "48 of 48 answers are unsure (100.0 %)" in score(emolens, tiny_run, *arguments, "1").out
    assert "No answer is unsure." in score(emolens, tiny_run, *arguments, "0").out


def test_the_bare_install_has_text_and_json_and_names_what_a_page_needs(
    tiny_run: Run, table: Path, tmp_path: Path
) -> None:
    bare = (
        "import sys\n"
        "for name in 'torch transformers scipy sklearn pandas jinja2 matplotlib'.split():\n"
        "    sys.modules[name] = None\n"
        "from emolens.__main__ import main\n"
        "main()"
    )
    command = [sys.executable, "-c", bare, "evaluate", "--model", str(tiny_run.folder / "model")]
    command += ["--dataset", str(table), "--map", "joy=happiness"]
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stderr
    assert "The model is right on " in ended.stdout
    page = tmp_path / "page.html"
    command += ["--out", str(page)]
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    assert ended.returncode == 1
    assert 'pip install "emolens[train]"' in ended.stderr
    assert not page.exists()


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (["other.toml", "--dataset", "starter"], 2, "no study is run, so 'other.toml' has no"),
        ([], 2, "No labelled rows are named"),
        (["--dataset", "starter", "--encoder", "minilm"], 2, "--encoder is for training"),
        (["--dataset", "starter", "--layer", "2"], 2, "--layer is for training"),
        (["--dataset", "starter", "--set", "a.b=1"], 2, "--set is for training"),
        (["--dataset", "starter", "--split", "a", "--split", "b"], 2, "rows twice: a and b"),
        (["--dataset", "starter", "--out", "r.txt"], 2, "ends with none of"),
        (["--dataset", "starter", "--map", "joy"], 2, "names no two classes"),
        (["--dataset", "starter", "--split", "tset"], 2, "has no split 'tset'"),
        (["--dataset", "nothing.csv"], 1, "nothing.csv"),
    ],
)
def test_misuse_is_a_sentence_and_a_hint(
    emolens: Emolens, tiny_run: Run, arguments: list[str], code: int, says: str
) -> None:
    ended = score(emolens, tiny_run, *arguments)
    errors = [line for line in ended.err.splitlines() if not line.startswith("Note:")]
    assert (ended.code, ended.out, len(errors)) == (code, "", 2), ended.err
    assert says in ended.err


def test_each_option_of_a_study_is_for_rows_or_for_training() -> None:
    evaluate = importlib.import_module("emolens.cli.evaluate")  # cli has a command of this name
    used = Path(str(evaluate.__file__)).read_text("utf-8")
    rows = {f"data.{name}" for name in READ_OPTIONS | LABEL_OPTIONS}
    rows |= {s for s in STUDY_OPTIONS if f'options["{parameter_of(s)}"]' in used}
    assert rows | set(evaluate.FOR_TRAINING) == set(STUDY_OPTIONS)


@pytest.mark.parametrize("option", [["--map", "joy=fun"], ["--overwrite"], ["--promise", "0.9"]])
def test_without_a_model_its_options_are_refused(emolens: Emolens, option: list[str]) -> None:
    ended = emolens("evaluate", *option)
    assert ended.code == 2
    assert f"{option[0]} is for an existing model" in ended.err


def test_the_stage_says_that_it_trains(
    emolens: Emolens, tiny_run: Run, feelings_folder: Path
) -> None:
    study = tiny_run.folder / "study.toml"
    ended = emolens("evaluate", study, "--out", tiny_run.folder)
    assert ended.code == 0, ended.err
    first = ended.err.splitlines()[0]
    assert first.startswith("This trains models on the 66 rows of train")
    typed = first.partition("instead: emolens ")[2].replace("MODEL", str(tiny_run.folder / "model"))
    assert "The model is right on " in emolens(*shlex.split(typed)).out
    assert "This trains" not in emolens("probe", study, "--out", tiny_run.folder).err
