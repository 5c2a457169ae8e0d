"""Prints the walkthrough: the list of its sections, and the parts of one. Runs nothing."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from emolens.console import Console
from emolens.journey.needs import trains
from emolens.journey.parts import WIDTH, Section
from emolens.shown import visible_lines

if TYPE_CHECKING:
    from emolens.journey.run import Output

_BAR = "│ "
# A link within the documentation, or to a place on the same page.
_PAGE = re.compile(r"\[([^\]]+)\]\((?:[\w./-]+\.(?:md|ipynb|html|py|png|svg))?(?:#[\w-]+)?\)")


def show_sections(console: Console, sections: Sequence[Section]) -> None:
    """A line for each part and each section, with a word about those that take minutes."""
    part = ""
    for section in sections:
        if section.part != part:
            part = section.part
            console.line(part)
        slow = "  (trains a model: minutes)" if any(map(trains, section.code)) else ""
        console.line(f"  {section.number:>2}  {section.title}{slow}")


def show_title(console: Console, section: Section) -> None:
    """The number, the title and the part of a section, above a line."""
    from rich.rule import Rule
    from rich.text import Text

    title = (f"{section.number}  {section.title}", "bold")
    console.rich(Text.assemble(title, (f"  ·  {section.part}", "dim")))
    console.rich(Rule(style="dim"), width=WIDTH)
    console.line()


def show_prose(console: Console, source: str) -> None:
    """Markdown, without the titles that show_title() prints, and without links to other pages."""
    from rich.markdown import Markdown

    text = _PAGE.sub(r"\1", re.sub(r"\A##? .*", "", source)).strip()
    if text:
        console.rich(Markdown(text, code_theme="ansi_dark", hyperlinks=False), width=WIDTH)
        console.line()


def show_code(console: Console, source: str) -> None:
    """A code cell, with a bar at its left."""
    from rich.syntax import Syntax
    from rich.text import Text

    syntax = Syntax("", "python", theme="ansi_dark", background_color="default")
    for line in syntax.highlight(source).split("\n"):
        if line.plain or source:
            console.rich(Text.assemble((_BAR, "dim"), line))
    console.line()


def show_output(console: Console, output: Output, pictures: Sequence[Path]) -> None:
    """What a cell gave, and where its pictures are."""
    if output.text:
        for line in visible_lines(output.text.rstrip("\n")).split("\n"):
            console.line(line)
    if output.table:
        console.line(output.table.title)  # as the title of the table, it would be cut to its width
        console.table(output.table.columns, output.table.rows)
    for path in pictures:
        console.line(f"Picture: {path}")
    if output.text or output.table or pictures:
        console.line()


def needed_first(numbers: Sequence[int], *, trained: bool) -> str:
    """The line about sections that must run before the one that was asked for."""
    *most, last = map(str, numbers)
    names = f"Sections {', '.join(most)} and {last}" if most else f"Section {last}"
    are = "their results are" if most else "its results are"
    slow = ""
    if trained:
        slow = (
            " A model is trained for that, which takes minutes. To keep what a section made, go on"
            " with Enter at its end."
        )
    return f"{names} first: {are} needed here.{slow}"
