"""Links between documents, which have to work on a forge and on the site. Knows nothing of Sphinx.

On a forge, a page of docs links to `../CHANGELOG.md`. On the site, this document is the page
`generated/repository/CHANGELOG`, and the links inside of it lead back.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from pathlib import Path, PurePosixPath

REPOSITORY = "generated/repository"
NOTEBOOK = PurePosixPath("docs/walkthrough.ipynb")  # a page for each of its parts
# Documents that the site shows although no page of docs has to link to them.
ALWAYS = ("README.md", "CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md")
# A link or a picture, up to its target; not one that stands in `code`.
_LINK = re.compile(r"(`+)(?:(?!\1).)+\1|(\]\()([^)\s#]+)((?:#[^)\s]*)?[^)]*\))")
_FENCE = re.compile(r" {0,3}(`{3,}|~{3,})")


def home_of(docname: str) -> PurePosixPath:
    """Where a page lies in the repository, from its name on the site."""
    inside = PurePosixPath(docname)
    if inside.is_relative_to(REPOSITORY):
        return PurePosixPath(f"{inside.relative_to(REPOSITORY)}.md")
    return PurePosixPath(f"docs/{docname}.md")


def on_the_site(text: str, home: PurePosixPath, docs: Path) -> str:
    """The Markdown text of `home`, with links that lead to pages and files of the site."""

    def moved(target: str) -> str:
        path = _in_repository(target, home)
        if path is None or not (docs.parent / path).exists():
            return target
        if path == NOTEBOOK:
            return "/generated/walkthrough/index.md"
        if path.is_relative_to("docs"):
            return f"/{path.relative_to('docs')}"
        if path.suffix == ".md":
            return f"/{REPOSITORY}/{path}"
        return os.path.relpath(docs.parent / path, (docs / _page_of(home)).parent)

    return _with_targets(text, moved)


def beyond(docs: Path) -> list[str]:
    """The documents outside of docs that its pages lead to, directly or through others."""
    found: dict[PurePosixPath, None] = {PurePosixPath(name): None for name in ALWAYS}
    queue = [path for path in sorted(docs.rglob("*.md")) if not _is_made(path.relative_to(docs))]
    homes = [PurePosixPath("docs", path.relative_to(docs).as_posix()) for path in queue]
    homes += list(found)
    while homes:
        home = homes.pop()

        def noted(target: str, home: PurePosixPath = home) -> str:
            path = _in_repository(target, home)
            outside = path and path.suffix == ".md" and not path.is_relative_to("docs")
            if path and outside and path not in found and (docs.parent / path).is_file():
                found[path] = None
                homes.append(path)
            return target

        _with_targets((docs.parent / home).read_text(encoding="utf-8"), noted)
    return [path.as_posix() for path in found]


def _is_made(path: Path) -> bool:
    return path.parts[0] in {"generated", "_build", "_ext", "_static", "_templates"}


def _page_of(home: PurePosixPath) -> PurePosixPath:
    inside = home.is_relative_to("docs")
    return home.relative_to("docs") if inside else PurePosixPath(REPOSITORY) / home


def _in_repository(target: str, home: PurePosixPath) -> PurePosixPath | None:
    """The path from the root of the repository; None if the target is no file of it."""
    if re.match(r"[a-z]+:|/|<", target):
        return None
    path = PurePosixPath(os.path.normpath(home.parent / target))
    return None if path.parts[:1] == ("..",) else path


def _with_targets(text: str, change: Callable[[str], str]) -> str:
    """The text with other targets of its links, except in blocks of code."""
    lines, fence = [], ""
    for line in text.splitlines(keepends=True):
        mark = _FENCE.match(line)
        if mark and not fence:
            fence = mark[1]
        elif mark and line.strip().startswith(fence):
            fence = ""
        elif not fence:
            line = _LINK.sub(  # noqa: PLW2901
                lambda m: m[0] if m[1] else f"{m[2]}{change(m[3])}{m[4]}", line
            )
        lines.append(line)
    return "".join(lines)
