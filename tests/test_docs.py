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

from emolens.cli import app
from emolens.study import load_study
from emolens.study.settings import DataSettings, EncoderSettings, Study
from tests.conftest import ROOT, Emolens
from tests.docs.blocks import BLOCKS, DOCUMENTS


def shown_commands() -> list[str]:
    """The commands in all blocks, also in those that are not run."""
    return sorted({line for block in BLOCKS for line in block.shown})


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


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_links_to_headings_lead_to_one(document: Path) -> None:
    text = document.read_text(encoding="utf-8")
    for target, anchor in re.findall(r"\]\(([^)#:]*)#([^)]+)\)", text):
        page = document.parent / target if target else document
        assert anchor in anchors(page), f"{target}#{anchor}"


def anchors(page: Path) -> set[str]:
    """The anchors of a page's headings, as forges and the site make them."""
    without_code = re.sub(r"(?ms)^```.*?^```$", "", page.read_text(encoding="utf-8"))
    titles = re.findall(r"(?m)^#+ (.+)$", without_code)
    bare = (re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", title).lower() for title in titles)
    return {re.sub(r"[^\w\- ]", "", title).strip().replace(" ", "-") for title in bare}


def test_the_documented_settings_are_all_of_them_with_their_defaults() -> None:
    (block,) = [b.text for b in BLOCKS if b.language == "toml" and "[finetune]" in b.text]
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


def test_the_readme_begins_with_what_it_is_one_picture_and_how_to_get_it() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    first = readme.partition("\n## ")[0]
    assert len(first.split()) < 120
    assert first.count("![") == readme.count("![") == 1
    assert readme.index("git clone") < readme.index("## You have comments")
    doors = re.findall(r"(?m)^## (You .+)$", readme)
    assert len(doors) == 3
    for command in (
        "make demo",
        "make test",
        "py -3.11 -m venv",
        "pip install .",
        "uv pip install",
    ):
        assert command in readme
    assert len(readme.split()) < 1300


def test_the_readme_names_the_torch_that_is_pinned() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    pinned = re.findall(r"(?m)^torch==\S+$", (ROOT / "constraints.txt").read_text("utf-8"))
    assert re.findall(r"torch==[\d.]+", readme) == pinned


def test_the_new_columns_have_the_prefix_that_the_readme_gives(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, emolens: Emolens
) -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    lines = re.findall(r"(?m)^emolens predict --input .*$", readme)
    assert ["--text" in line for line in lines[:3]] == [False, False, True]
    monkeypatch.chdir(tmp_path)
    Path("answers.csv").write_text("best,comment,name\nso happy,so sad,Ann\nthe cat,no,Ben\n")
    ended = emolens(*shlex.split(lines[2], comments=True)[1:])
    assert ended.code == 0, ended.err
    header = Path("answers-emotions.csv").read_text().splitlines()[0]
    assert header.startswith("best,comment,name,best_emotion,best_best_guess,best_probability,")
