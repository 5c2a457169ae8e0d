"""The figure that a display draws on, and how it is saved. Knows nothing of what displays draw.

The only module that imports matplotlib. Figures are made without pyplot: it would open windows,
and it would use the caller's style and global state.
"""

from __future__ import annotations

import abc
import contextlib
import io
import sys
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, Self

from emolens.errors import require
from emolens.names import user_path
from emolens.output import atomic_file
from emolens.show import theme
from emolens.shown import one_line, visible_lines

_LONGEST_NAME = 28  # characters


@dataclass(repr=False)
class Display(abc.ABC):
    """The base of all displays: they have a size, draw themselves, and appear in notebooks."""

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
        return one_line(
            self, *(f"{f.name}={getattr(self, f.name)!r}" for f in fields(self) if f.repr)
        )

    def _repr_png_(self) -> bytes:
        with _laid_out(self) as figure:
            return _picture(figure, ".png", dpi=96)


def ramp(color: str) -> Any:
    """A color map from white through `color` to nearly black."""
    colors = require("matplotlib.colors", "train")
    return colors.LinearSegmentedColormap.from_list(color, [theme.PAPER, color, theme.INK])


def new_figure(width: float, height: float) -> Any:
    """A white figure of this size in inches, with a layout in which nothing overlaps."""
    figure = require("matplotlib.figure", "train").Figure
    return figure(figsize=(width, height), layout="constrained", facecolor="white")


def save_figure(display: Display, path: str | Path) -> list[Path]:
    """Write `path` as .png (160 dots per inch) and .svg. Draws the display if nobody did.

    A .png has at most 2,500 dots on a side: with 150 classes most of the time goes into its dots.
    """
    written = []
    with _laid_out(display) as figure:
        dpi = min(160, int(2500 / max(figure.get_size_inches())))
        for suffix in (".png", ".svg"):
            written.append(user_path(path).with_suffix(suffix))
            with atomic_file(written[-1]) as file:
                file.write(_picture(figure, suffix, dpi=dpi))
    return written


@contextlib.contextmanager
def _laid_out(display: Display) -> Iterator[Any]:
    """The display's figure with a layout made only once: to make it for each format is slow."""
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
    """The bytes of a .png or .svg. The same numbers give the same bytes.

    Not by figure.savefig, which draws everything twice, once only for the layout.
    """
    buffer, canvas, screen_dpi = io.BytesIO(), figure.canvas, figure.dpi
    try:
        if suffix == ".png":
            figure.set_dpi(dpi)
            agg = require("matplotlib.backends.backend_agg", "train")
            agg.FigureCanvasAgg(figure).print_png(buffer)
            return buffer.getvalue()
        with require("matplotlib", "train").rc_context({"svg.hashsalt": "emolens"}):
            svg = require("matplotlib.backends.backend_svg", "train")
            svg.FigureCanvasSVG(figure).print_svg(buffer, metadata={"Date": None})
    finally:
        figure.set_canvas(canvas)
        figure.set_dpi(screen_dpi)
    # matplotlib writes class names into comments of an SVG, where XML allows no control characters.
    return visible_lines(buffer.getvalue().decode()).encode()


def panels(ax: Any, rows: int, columns: int) -> list[Any]:
    """Replace one axes by a grid of axes, which are returned row by row."""
    ax.axis("off")
    grid = ax.get_subplotspec().subgridspec(rows, columns)
    return [ax.get_figure().add_subplot(cell) for cell in grid]


def ticks(axis: Any, names: Sequence[str], *, inches: float, step: int = 1) -> None:
    """Write every step-th name at its whole number. inches: from one number to the next."""
    named = [short(name) for name in names[::step]]
    axis.set_ticks(range(0, len(names), step), named, parse_math=False)
    # Drawing the tick marks takes time, even with length 0.
    axis.set_tick_params(labelsize=theme.font_size(inches * step), left=False, bottom=False)


def title(ax: Any, text: str, *, loc: str = "left", fontsize: float | None = None) -> None:
    """A title at a fixed height. Otherwise matplotlib measures all names to place it: slow."""
    ax.set_title(text, loc=loc, y=1.0, fontsize=fontsize, parse_math=False)


def short(name: str, longest: int = _LONGEST_NAME) -> str:
    """The name, cut to at most `longest` characters, so that the picture keeps its space."""
    return name if len(name) <= longest else name[: longest - 1] + "…"


def bare(ax: Any, grid: str) -> None:
    """Remove frame and tick marks, and draw light lines across the axis `grid`."""
    ax.spines[["top", "right", "left" if grid == "x" else "bottom"]].set_visible(False)
    ax.grid(axis=grid, color=theme.GRID, linewidth=0.8)
    ax.set_axisbelow(True)
    ax.tick_params(length=0, colors=theme.INK)


def without_windows() -> None:
    """Let pyplot draw in memory only, also where it could open windows."""
    require("matplotlib", "train").use("agg")


def pictures_of(value: object, *, dpi: int = 110) -> list[bytes]:
    """What a notebook would show of figures at the end of a cell, each as the bytes of a .png.

    These are the open figures of pyplot, which are closed, and the value of the cell if it is a
    figure or a display.
    """
    pyplot, found = sys.modules.get("matplotlib.pyplot"), []
    figures = [pyplot.figure(number) for number in pyplot.get_fignums()] if pyplot else []
    if isinstance(value, Display):
        found.append(value._repr_png_())
    elif _is_figure(value) and value not in figures:
        figures.append(value)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Glyph .* missing")
        for figure in figures:
            buffer = io.BytesIO()
            figure.savefig(buffer, format="png", dpi=dpi, bbox_inches="tight")
            found.append(buffer.getvalue())
    if pyplot:
        pyplot.close("all")
    return found


def _is_figure(value: object) -> bool:
    figure = sys.modules.get("matplotlib.figure")
    return figure is not None and isinstance(value, figure.Figure)


def is_drawn(value: object) -> bool:
    """Whether the value is a part of a picture, or a list of such parts."""
    if isinstance(value, (list, tuple)) or type(value).__name__ == "ndarray":
        parts: Any = value
        return len(parts) > 0 and is_drawn(parts[0])
    return isinstance(value, Display) or type(value).__module__.startswith("matplotlib.")
