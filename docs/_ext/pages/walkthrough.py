"""The walkthrough as pages: its notebook, with a page for each part. Runs no code."""

from __future__ import annotations

import json
import re
from pathlib import Path, PurePosixPath
from typing import Any

from mdit_py_plugins.anchors.index import slugify

from pages import links

_ABOUT = (
    "From the first row of a data set to a model that can be shared: one idea in each section, with"
    " code, outputs and pictures. `docs/walkthrough.ipynb` is the same as a notebook."
)


class NoNotebookError(Exception):
    """There is no notebook to make pages of, or it has no parts."""


def pages(notebook: Path, docs: Path) -> dict[str, str]:
    """File names with their texts: an index, and a notebook in JSON for each `# ` heading.

    docs: the folder that links of the notebook start from.
    """
    if not notebook.is_file():
        raise NoNotebookError(
            f"{notebook} is missing, and the walkthrough is made of it: write it with"
            " scripts/walkthrough build."
        )
    whole = json.loads(notebook.read_text(encoding="utf-8"))
    parts = _parts(whole["cells"])
    if not parts:
        raise NoNotebookError(f"{notebook} has no cell that begins with '# ' and a title.")
    made, lines = {}, ["# Walkthrough", _ABOUT]
    for number, (title, cells) in enumerate(parts, start=1):
        name = re.sub(r"\W+", "-", title.lower()).strip("-")
        shown = _with_words(title, [_with_links(cell, docs) for cell in cells])
        made[f"{number:02}-{name}.ipynb"] = json.dumps({**whole, "cells": shown})
        lines += [
            f"## {{doc}}`{title} <{number:02}-{name}>`",
            _sections(cells, f"{number:02}-{name}.ipynb"),
        ]
    return {"index.md": "\n\n".join(lines) + "\n", **made}


def _parts(cells: list[dict[str, Any]]) -> list[tuple[str, list[dict[str, Any]]]]:
    """The title and the cells of each part. What stands before the first one goes into it."""
    parts: list[tuple[str, list[dict[str, Any]]]] = []
    before: list[dict[str, Any]] = []
    for cell in cells:
        text = _text(cell)
        if cell["cell_type"] == "markdown" and text.startswith("# "):
            parts.append((text.splitlines()[0].removeprefix("# ").strip(), []))
        (parts[-1][1] if parts else before).append(cell)
    if parts and before:
        parts[0][1][:0] = before
    return parts


def _sections(cells: list[dict[str, Any]], page: str) -> str:
    """A list with links to the sections of a part."""
    texts = [_text(cell) for cell in cells if cell["cell_type"] == "markdown"]
    titles = [line[3:].strip() for text in texts for line in re.findall(r"(?m)^## .+", text)]
    return "\n".join(f"- [{title}]({page}#{slugify(title)})" for title in titles)


def _text(cell: dict[str, Any]) -> str:
    source = cell["source"]
    return source if isinstance(source, str) else "".join(source)


def _with_links(cell: dict[str, Any], docs: Path) -> dict[str, Any]:
    if cell["cell_type"] != "markdown":
        return cell
    text = links.on_the_site(_text(cell), PurePosixPath("docs/walkthrough.md"), docs)
    return {**cell, "source": text}


def _with_words(title: str, cells: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The cells of a part; who can't see a picture learns which section it belongs to."""
    told = []
    for cell in cells:
        if found := re.findall(r"(?m)^## (.+)", _text(cell) * (cell["cell_type"] == "markdown")):
            title = found[-1].strip()
        words = {"image": {"alt": f"What this code draws, in the section: {title}"}}
        about = {**cell.get("metadata", {}), "mystnb": words}
        told.append({**cell, "metadata": about} if cell["cell_type"] == "code" else cell)
    return told
