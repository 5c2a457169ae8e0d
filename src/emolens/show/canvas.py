"""What displays draw on, and how a picture is saved. Knows nothing of what the pictures show.

The only module that knows matplotlib. Figures are built without pyplot, so that no window, no
global state and no style of the caller's takes part.
"""

from __future__ import annotations

import abc
import contextlib
import io
import re
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, Self

from emolens.errors import require
from emolens.show import theme
from emolens.shown import one_line
from emolens.store import atomic_file

_NOT_IN_XML = re.compile(rb"[\x00-\x08\x0b\x0c\x0e-\x1f]|\xef\xbf[\xbe\xbf]")
_LONGEST_NAME = 28  # signs


@dataclass(repr=False)
class Display(abc.ABC):
    """What all displays share: a size in inches, drawing, and how they show in a notebook."""

    figure_: Any = field(default=None, init=False, repr=False)
    ax_: Any = field(default=None, init=False, repr=False)

    @property
    def size(self) -> tuple[float, float]:
        """Width and height in inches."""
        return (6.4, 3.6)

    def plot(self, ax: Any = None) -> Self:
        """Draw into `ax`, or into a new figure."""
        self.ax_ = ax if ax is not None else new_figure(*self.size).subplots()
        self.figure_ = self.ax_.get_figure()
        self._draw(self.ax_)
        return self

    @abc.abstractmethod
    def _draw(self, ax: Any) -> None: ...

    def __repr__(self) -> str:
        shown = [f"{f.name}={getattr(self, f.name)!r}" for f in fields(self) if f.repr]
        return one_line(self, *shown)

    def _repr_png_(self) -> bytes:
        with _laid_out(self) as figure:
            return _picture(figure, ".png", dpi=96)


def ramp(color: str) -> Any:
    """A color map from the paper through `color` to the ink."""
    colors = require("matplotlib.colors", "train")
    shades = [theme.PAPER, color, theme.INK]
    return colors.LinearSegmentedColormap.from_list(color, shades)


def new_figure(width: float, height: float) -> Any:
    """A figure of its own, in inches, laid out so that nothing overlaps."""
    figure = require("matplotlib.figure", "train").Figure(
        figsize=(width, height), layout="constrained"
    )
    figure.patch.set_facecolor("white")
    return figure


def save_figure(display: Display, path: str | Path) -> list[Path]:
    """Write `path` as .png (160 dots per inch) and .svg; draws first where that is still to do."""
    written = []
    with _laid_out(display) as figure:
        for suffix in (".png", ".svg"):
            written.append(Path(path).with_suffix(suffix))
            with atomic_file(written[-1]) as file:
                file.write(_picture(figure, suffix, dpi=160))
    return written


@contextlib.contextmanager
def _laid_out(display: Display) -> Iterator[Any]:
    """The display's figure, laid out once and not again for each format, which is slow."""
    if display.figure_ is None:
        display.plot()
    figure = display.figure_
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Glyph .* missing")
        engine = figure.get_layout_engine()
        if engine is not None:
            engine.execute(figure)
        figure.set_layout_engine("none")
        try:
            yield figure
        finally:
            figure.set_layout_engine(engine)


def _picture(figure: Any, suffix: str, *, dpi: int) -> bytes:
    """The bytes of a .png or .svg; the same numbers give the same bytes."""
    buffer, metadata = io.BytesIO(), {"Date": None} if suffix == ".svg" else {}
    with require("matplotlib", "train").rc_context({"svg.hashsalt": "emolens"}):
        figure.savefig(buffer, format=suffix[1:], dpi=dpi, metadata=metadata)
    # Names stand in comments of SVG, too, where XML allows no control characters.
    drawn = buffer.getvalue()
    return _NOT_IN_XML.sub(b"?", drawn) if suffix == ".svg" else drawn


def panels(ax: Any, rows: int, columns: int) -> list[Any]:
    """Divide the place of one axes into a grid of axes, row by row."""
    figure, place = ax.get_figure(), ax.get_subplotspec()
    ax.axis("off")
    grid = place.subgridspec(rows, columns)
    return [figure.add_subplot(grid[r, c]) for r in range(rows) for c in range(columns)]


def ticks(axis: Any, names: Sequence[str], *, inches: float) -> None:
    """One name at each whole number; inches: from one to the next."""
    axis.set_ticks(range(len(names)), [short(name) for name in names], parse_math=False)
    # Marks of length 0 would be drawn all the same, one by one.
    marks = dict.fromkeys(("left", "bottom"), False)
    axis.set_tick_params(labelsize=theme.font_size(inches), **marks)


def title(ax: Any, text: str, *, loc: str = "left", fontsize: float | None = None) -> None:
    """A title at a fixed height: to find one, matplotlib would measure every name at the axes."""
    ax.set_title(text, loc=loc, y=1.0, fontsize=fontsize, parse_math=False)


def short(name: str, longest: int = _LONGEST_NAME) -> str:
    """The name, cut where it would take the picture's place."""
    return name if len(name) <= longest else name[: longest - 1] + "…"


def bare(ax: Any, grid: str) -> None:
    """Take away what is not data; keep light lines along the measured axis."""
    ax.spines[["top", "right", "left" if grid == "x" else "bottom"]].set_visible(False)
    ax.grid(axis=grid, color=theme.GRID, linewidth=0.8)
    ax.set_axisbelow(True)
    ax.tick_params(length=0, colors=theme.INK)
