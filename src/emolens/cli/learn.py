"""`emolens learn`: the walkthrough in the terminal, a section at a time."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from emolens.cli.stops import promise
from emolens.console import Console
from emolens.errors import MissingExtra, UsageError
from emolens.names import user_path
from emolens.shown import quoted

if TYPE_CHECKING:
    from emolens.journey.parts import Section
    from emolens.journey.run import Output

_FOLDER = Path("learn")
SectionArgument = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="[SECTION]", help="Its number, or words of its title. Without it: the list of all."
    ),
]
AllOption = Annotated[bool, typer.Option("--all", help="Run all sections, in their order.")]
ReadOption = Annotated[bool, typer.Option("--read", help="Print the section, but do not run it.")]
PicturesOption = Annotated[
    Path,
    typer.Option("--out", metavar="FOLDER", parser=user_path, help="Where pictures are put."),
]


def learn(
    section: SectionArgument = None,
    every: AllOption = False,
    read: ReadOption = False,
    out: PicturesOption = _FOLDER,
) -> None:
    """Learn how emotions are found in texts, one idea at a time.

    Prints a section of the walkthrough, runs its code, and says where its pictures are. What it
    needs of earlier sections is run first.
    """
    from emolens.console.section import show_sections
    from emolens.journey.parts import find_section, read_walkthrough

    wanted = " ".join(section or ())
    if wanted and every:
        raise UsageError(
            f"--all runs all sections, and '{wanted}' names one.",
            hint="Leave one of them out: emolens learn --all",
        )
    console, sections = Console(), read_walkthrough()
    if not wanted and not every:
        show_sections(console, sections)
        console.note("To begin: emolens learn 1")
        return
    first = find_section(sections, wanted).number - 1 if wanted else 0
    walker = _Walker(console, sections, out, read=read)
    for one in sections[first:]:
        walker.show(one)
        if not every and not _goes_on(console, one, sections):
            return


def _goes_on(console: Console, section: Section, sections: Sequence[Section]) -> bool:
    """Whether a person at a terminal wants the next section."""
    terminal = all(stream and stream.isatty() for stream in (sys.stdin, sys.stdout, sys.stderr))
    if section is sections[-1] or not terminal:
        return False
    console.note(f"Enter: section {section.number + 1}, q and Enter: stop")
    line = sys.stdin.readline()  # empty at Ctrl-D
    return line.endswith("\n") and not line.strip()


class _Walker:
    """Shows sections one after the other, and runs them unless `read` is set."""

    def __init__(
        self, console: Console, sections: Sequence[Section], out: Path, *, read: bool
    ) -> None:
        from emolens.journey.pictures import Pictures
        from emolens.journey.run import Walk

        self._console = console
        self._sections = sections
        self._walk = Walk(sections)
        self._pictures = Pictures(out)
        self._read = read

    def show(self, section: Section) -> None:
        """Print a section with its outputs. If a library is missing, print it without them, and
        raise MissingExtra.
        """
        begin = time.monotonic()
        lacking = None if self._read else self._lacking(section)
        with promise(f"To begin this section again: {self._command(section.number)}"):
            if self._read or lacking:
                self._print(section, None)
            else:
                self._prepare(section)
                self._print(section, self._walk.run(section))
        if lacking:
            raise lacking
        took = "" if self._read else f"Section {section.number}: {time.monotonic() - begin:.1f} s. "
        if section is self._sections[-1]:
            self._console.note(f"{took}This was the last section.")
        else:
            self._console.note(f"{took}The next one: {self._command(section.number + 1)}")

    def _lacking(self, section: Section) -> MissingExtra | None:
        try:
            self._walk.check_installed(section)
        except MissingExtra as error:
            return error
        return None

    def _prepare(self, section: Section) -> None:
        from emolens.console.section import needed_first

        places = self._walk.missing(section)
        if places:
            numbers = self._walk.sections_at(places)
            self._console.note(needed_first(numbers, trained=self._walk.train(places)))
            with self._console.progress("section") as update:
                # No total: cells differ too much in their time for a guess of what is left.
                self._walk.prepare(places, lambda number: update(number, None))

    def _print(self, section: Section, outputs: Iterator[Output] | None) -> None:
        from emolens.console.section import show_code, show_output, show_prose, show_title
        from emolens.journey.needs import trains

        kept = 0
        show_title(self._console, section)
        for cell in section.cells:
            if cell.kind == "markdown":
                show_prose(self._console, cell.source)
                continue
            show_code(self._console, cell.source)
            if outputs is None:
                continue
            if trains(cell.source):
                self._console.note("This trains a model, which takes minutes.")
            with self._console.progress("running"):
                output = next(outputs)
            pictures = self._pictures.keep(section.stem, output.pictures, before=kept)
            kept += len(pictures)
            show_output(self._console, output, pictures)
        if outputs is not None:
            self._pictures.forget(section.stem, kept)

    def _command(self, number: int) -> str:
        folder = self._pictures.folder
        out = "" if folder == _FOLDER else f" --out {quoted(folder)}"
        return f"emolens learn {number}{out}{' --read' if self._read else ''}"
