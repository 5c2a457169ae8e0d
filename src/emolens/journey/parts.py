"""The sections of the walkthrough, read from its files in percent format.

A part is a file, and begins with a cell `# Title`. A section begins with a cell `## Title`. What
stands before the first section of a part belongs to this section. Runs nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from emolens.errors import StorageError, UsageError

_PACKAGE = Path(__file__).parents[1]
# Where the files are: in an installed emolens, and in a checkout.
PLACES = (_PACKAGE / "walkthrough", _PACKAGE.parents[1] / "docs" / "walkthrough")
WIDTH = 84  # columns of a section where it is printed; longer lines are hard to read
_MARK = re.compile(r"# %%(?:\s+\[(\w+)\])?(?:\s.*)?")
_LONGEST = 40  # characters of a title in the name of a file


@dataclass(frozen=True)
class Cell:
    """Markdown, or a few lines of Python."""

    kind: Literal["markdown", "code"]
    source: str


@dataclass(frozen=True)
class Section:
    """One idea. `number` counts from 1 through all parts; `part` is the title of its part."""

    number: int
    title: str
    part: str
    cells: tuple[Cell, ...]

    @property
    def code(self) -> list[str]:
        """The sources of its code cells."""
        return [cell.source for cell in self.cells if cell.kind == "code"]

    @property
    def stem(self) -> str:
        """The beginning of the names of its files: `05-class-balance`."""
        letters = re.sub("['’]", "", self.title.casefold())
        words = re.sub(r"[^a-z0-9]+", " ", letters).split()
        while len("-".join(words)) > _LONGEST:
            words.pop()
        return "-".join([f"{self.number:02d}", *words])


def read_walkthrough() -> list[Section]:
    """The sections of the walkthrough that came with emolens. StorageError if it is not there."""
    for folder in PLACES:
        if files := sorted(folder.glob("*.py")):
            return sections_of([file.read_text(encoding="utf-8") for file in files])
    raise StorageError("The walkthrough is not there.", hint="Install emolens again.")


def sections_of(parts: Sequence[str]) -> list[Section]:
    """The sections of parts, each the text of a file."""
    found: list[Section] = []
    for text in parts:
        part, waiting = "", list[Cell]()
        for cell in cells_of(text):
            level, title = _heading(cell)
            if level == 1:
                part = title
            if level == 2:
                found.append(Section(len(found) + 1, title, part, (*waiting, cell)))
                waiting = []
            elif found and found[-1].part == part and not waiting:
                last = found[-1]
                found[-1] = Section(last.number, last.title, part, (*last.cells, cell))
            else:
                waiting.append(cell)
    return found


def cells_of(text: str) -> list[Cell]:
    """The cells of a file in jupytext's percent format, without empty ones."""
    return [Cell(kind, source) for kind, source in _cells(text) if source]


def _cells(text: str) -> Iterator[tuple[Literal["markdown", "code"], str]]:
    kind, lines = "code", list[str]()
    for line in [*_without_header(text).split("\n"), "# %%"]:
        mark = _MARK.fullmatch(line)
        if mark is None:
            lines.append(line)
            continue
        if kind == "code":
            yield "code", "\n".join(lines).strip("\n")
        else:
            yield "markdown", "\n".join(re.sub("^# ?", "", line) for line in lines).strip("\n")
        kind, lines = "code" if mark[1] is None else "markdown", []


def _without_header(text: str) -> str:
    """Without the lines about Jupyter that jupytext may write at the top of a file."""
    return re.sub(r"\A# ---\n(?:#.*\n)*?# ---\n", "", text)


def _heading(cell: Cell) -> tuple[int, str]:
    """The level of the heading that a cell begins with, and its plain words; 0 without one."""
    heading = re.match(r"(#+) +(.*)", cell.source) if cell.kind == "markdown" else None
    return (len(heading[1]), re.sub("[`*]", "", heading[2]).strip()) if heading else (0, "")


def find_section(sections: Sequence[Section], wanted: str) -> Section:
    """The section with this number, or with these words in its title.

    UsageError if there is none, or if several have the words in their titles.
    """
    if wanted.isdecimal():
        if 1 <= int(wanted) <= len(sections):
            return sections[int(wanted) - 1]
        raise UsageError(
            f"There is no section {wanted}: they have the numbers 1 to {len(sections)}.",
            hint="To see them all: emolens learn",
        )
    words = wanted.casefold().split()
    in_title = [s for s in sections if all(word in s.title.casefold() for word in words)]
    whole = [s for s in in_title if set(words) <= set(re.findall(r"\w+", s.title.casefold()))]
    found = whole or in_title
    if len(found) == 1:
        return found[0]
    if not found or not words:
        raise UsageError(
            f"No section has '{wanted}' in its title.", hint="To see them all: emolens learn"
        )
    raise UsageError(
        f"{len(found)} sections have '{wanted}' in their titles.",
        hint="Give a number: "
        + ", ".join(f"emolens learn {s.number} ({s.title})" for s in found[:5]),
    )
