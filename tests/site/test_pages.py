"""The pages that are made: they say what command line, model and docstrings say, and all of it."""

from __future__ import annotations

import html
import json
import re
from pathlib import Path, PurePosixPath
from typing import Any

import pytest
import typer.main

import emolens
from emolens.cli import app
from emolens.study.settings import Study
from tests.site.conftest import DOCS, build

pytest.importorskip("myst_nb", reason="the extra docs is not installed")

from pages import docstrings, library, links, settings, walkthrough, write_all


def text_of(page: Path) -> str:
    """The words of a page, without markup."""
    body = page.read_text(encoding="utf-8").split("<article", 1)[1].split("</article>")[0]
    return " ".join(html.unescape(re.sub(r"<[^>]+>", "", body)).split())


def test_each_command_has_a_page_with_all_its_options(site: Path) -> None:
    commands: dict[str, Any] = typer.main.get_command(app).commands  # type: ignore[attr-defined]
    for name, command in commands.items():
        text = text_of(site / "generated" / "commands" / f"{name}.html")
        assert " ".join(command.help.split("\n")[0].split()) in text, name
        context = command.make_context(name, [], resilient_parsing=True)
        for parameter in command.get_params(context):
            for option in parameter.opts if parameter.param_type_name == "option" else []:
                assert option in text, f"{name} {option}"
            if record := parameter.get_help_record(context):
                assert " ".join(record[1].split()) in text, f"{name} {parameter.name}"


def test_each_public_name_has_a_place_with_its_docstring(site: Path) -> None:
    listed = [name for names in library.public_names().values() for name in names]
    assert sorted(listed) == [name for name in dir(emolens) if not name.startswith("_")]
    pages = "".join(p.read_text(encoding="utf-8") for p in site.glob("generated/library/*.html"))
    words = " ".join(html.unescape(re.sub(r"<[^>]+>", "", pages)).split())
    for name in listed:
        assert f'id="emolens.{name}"' in pages, name
        first = str(getattr(emolens, name).__doc__).strip().split("\n")[0].replace("`", "")
        assert " ".join(first.split()).split(": ")[-1] in words, name


def test_each_setting_has_its_default_and_a_meaning(site: Path) -> None:
    text = text_of(site / "generated" / "settings.html")
    page = settings.page((DOCS / "studies.md").read_text(encoding="utf-8"))
    rows = dict(re.findall(r"(?m)^\| `([\w.]+)` \|(.*)\|$", page))
    for table, schema in Study.model_json_schema()["$defs"].items():
        name = table.removesuffix("Settings").lower()
        for key, field in schema["properties"].items():
            kind, default, meaning = (c.strip() for c in rows[f"{name}.{key}"].split(" | "))
            assert kind
            assert meaning, f"{name}.{key}"
            assert f"{name}.{key}" in text
            if field.get("default") is not None:
                assert default.strip("`") == json.dumps(field["default"])
    assert rows["finetune.seeds"].startswith(
        " whole number, 1 or more, 100 or less | `1` | how many"
    )
    assert '`"cls"`, `"mean"` | `"cls"` |' in rows["encoder.pooling"]
    assert "not set | which hidden" not in rows["encoder.layer"]


def test_public_names_become_links_and_the_rest_code() -> None:
    text = "`Encoder` and `.bin`, ``as`` `~/a`"
    assert docstrings.as_code(text) == "`Encoder` and ``.bin``, ``as`` ``~/a``"


def test_sentences_that_begin_with_a_name_become_a_list() -> None:
    text = "n, m: counts; rows: (n,) ids: as they are. Raises DataError. other: not a name."
    assert docstrings.with_lists(text, frozenset({"n", "m", "rows"})) == (
        "``n``, ``m``\n    counts;\n\n``rows``\n    (n,) ids: as they are.\n\n"
        "Raises DataError. other: not a name."
    )
    code = "As in:\n\n    n: 1\n    m: 2"
    assert docstrings.with_lists(code, frozenset({"n"})) == code
    assert docstrings.with_lists("Two\nlines.", frozenset()) == "Two lines."


@pytest.mark.parametrize(
    ("home", "text", "shown"),
    [
        ("docs/a.md", "[x](labels.md#two)", "[x](/labels.md#two)"),
        ("docs/guides/a.md", "[x](../labels.md)", "[x](/labels.md)"),
        ("docs/a.md", "[x](../SECURITY.md)", "[x](/generated/repository/SECURITY.md)"),
        ("docs/a.md", "[x](../Makefile)", "[x](../Makefile)"),
        ("CHANGELOG.md", "[x](Makefile)", "[x](../../../Makefile)"),
        ("README.md", "![x](docs/pictures/map.png)", "![x](/pictures/map.png)"),
        ("docs/a.md", "[x](https://a.b/c.md) [y](#here)", "[x](https://a.b/c.md) [y](#here)"),
        ("docs/a.md", "`[x](labels.md)` [y](no.md)", "`[x](labels.md)` [y](no.md)"),
        ("docs/a.md", "```\n[x](labels.md)\n```\n", "```\n[x](labels.md)\n```\n"),
    ],
)
def test_links_lead_to_pages_of_the_site(home: str, text: str, shown: str) -> None:
    assert links.on_the_site(text, PurePosixPath(home), DOCS) == shown


def test_documents_outside_of_docs_are_found_by_the_links_to_them() -> None:
    found = links.beyond(DOCS)
    assert {"CHANGELOG.md", "benchmarks/RESULTS.md"} <= set(found)
    assert "src/emolens/predict/models/general/README.md" in found
    assert not [path for path in found if path.startswith("docs/")]


def test_each_link_of_a_page_leads_somewhere(site: Path) -> None:
    for page in site.rglob("*.html"):
        content = page.read_text(encoding="utf-8")
        for target in re.findall(r'<a [^>]*href="([^"#]+)', content):
            if not re.match(r"\w+:", target):
                assert (page.parent / html.unescape(target)).exists(), f"{page.name}: {target}"


def test_the_walkthrough_has_a_page_for_each_part(tmp_path: Path) -> None:
    texts = ["before", "# A: b & c\n\n[x](labels.md)", "## one", "# Second"]
    cells = [{"cell_type": "markdown", "metadata": {}, "source": text} for text in texts]
    code = {"cell_type": "code", "metadata": {}, "source": "# no heading", "outputs": []}
    cells[2:2] = [code]
    cells[4:4] = [code]
    notebook = tmp_path / "w.ipynb"
    notebook.write_text(json.dumps({"cells": cells, "metadata": {}, "nbformat": 4}))
    made = walkthrough.pages(notebook, DOCS)
    assert list(made) == ["index.md", "01-a-b-c.ipynb", "02-second.ipynb"]
    first = json.loads(made["01-a-b-c.ipynb"])["cells"]
    assert [cell["source"] for cell in first] == [
        *("before", "# A: b & c\n\n[x](/labels.md)", "# no heading", "## one", "# no heading"),
    ]
    words = [cell["metadata"]["mystnb"]["image"]["alt"] for cell in first[2::2]]
    assert [text.rpartition(": ")[2] for text in words] == ["b & c", "one"]
    assert "## {doc}`A: b & c <01-a-b-c>`\n\n- [one](01-a-b-c.ipynb#one)\n" in made["index.md"]


def test_a_lost_notebook_stops_the_build_and_says_how_to_make_it(tmp_path: Path) -> None:
    built = build(tmp_path / "html", "-D", f"walkthrough_notebook={tmp_path / 'no.ipynb'}")
    assert built.returncode != 0
    assert "no.ipynb is missing" in built.stderr
    assert "scripts/walkthrough build" in built.stderr


def test_pages_of_an_earlier_build_do_not_stay(tmp_path: Path) -> None:
    write_all(tmp_path, {"a/b.md": "1", "c.md": "2"})
    before = (tmp_path / "c.md").stat().st_mtime_ns
    write_all(tmp_path, {"c.md": "2"})
    assert [path.name for path in tmp_path.rglob("*")] == ["c.md"]
    assert (tmp_path / "c.md").stat().st_mtime_ns == before
