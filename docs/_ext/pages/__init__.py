"""The pages of the site that are not written by hand, and the links that lead out of docs.

A Sphinx extension. Before Sphinx reads a page, it writes the pages of commands, library, settings
and walkthrough, and copies of the repository's own documents, into `docs/generated`.
"""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

from sphinx.application import Sphinx
from sphinx.errors import ExtensionError

from pages import access, commands, library, links, settings, walkthrough
from pages.docstrings import laid_out

GENERATED = "generated"


def setup(app: Sphinx) -> dict[str, Any]:
    """Connect everything to Sphinx."""
    app.add_config_value("walkthrough_notebook", "walkthrough.ipynb", "env", (str,))
    app.connect("builder-inited", _write_pages)
    app.connect("source-read", _lead_out)
    app.connect("autodoc-skip-member", _skip_foreign)
    app.connect("autodoc-process-docstring", laid_out)
    app.connect("build-finished", _mend)
    return {"parallel_read_safe": True, "parallel_write_safe": True}


def _write_pages(app: Sphinx) -> None:
    root, docs = app.srcdir.parent, Path(app.srcdir)
    notebook = docs / app.config.walkthrough_notebook
    try:
        parts = walkthrough.pages(notebook, docs)
    except walkthrough.NoNotebookError as error:
        raise ExtensionError(str(error)) from error
    pages = {
        **{f"commands/{name}": text for name, text in commands.pages().items()},
        **{f"library/{name}": text for name, text in library.pages().items()},
        "settings.md": settings.page((docs / "studies.md").read_text(encoding="utf-8")),
        **{f"walkthrough/{name}": text for name, text in parts.items()},
        **{f"repository/{path}": (root / path).read_text("utf-8") for path in links.beyond(docs)},
    }
    write_all(docs / GENERATED, pages)


def write_all(folder: Path, pages: dict[str, str]) -> None:
    """Let the folder hold these files and no others; files that stay equal are not touched."""
    for path in sorted(folder.rglob("*"), reverse=True):
        if path.is_dir():
            if not any(path.iterdir()):
                shutil.rmtree(path)
        elif path.relative_to(folder).as_posix() not in pages:
            path.unlink()
    for name, text in pages.items():
        path = folder / name
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")


def _lead_out(app: Sphinx, docname: str, source: list[str]) -> None:
    """Let the links of a Markdown page lead to pages of the site."""
    if Path(app.env.doc2path(docname)).suffix == ".md":
        source[0] = links.on_the_site(source[0], links.home_of(docname), Path(app.srcdir))


def _mend(app: Sphinx, error: Exception | None) -> None:
    for path in [] if error else Path(app.outdir).rglob("*.html"):
        page = path.read_text(encoding="utf-8")
        if (mended := access.mended(page)) != page:
            path.write_text(mended, encoding="utf-8")


def _skip_foreign(_app: Any, _what: str, _name: str, obj: Any, skip: bool, _options: Any) -> bool:
    """Leave out what a class has from another library."""
    home = str(getattr(obj, "__module__", None) or "emolens")
    return skip or not home.startswith(("emolens", "builtins", "functools"))
