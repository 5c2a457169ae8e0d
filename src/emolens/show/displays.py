"""Figures. Each Display holds finished numbers; `plot(ax=None)` draws them and returns itself.

The only module that knows matplotlib. Figures are built without pyplot, so that no window, no
global state and no style of the caller's takes part. After plot: `ax_` and `figure_`.
"""

from __future__ import annotations

import abc
import io
import math
import re
import warnings
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

import numpy as np

from emolens.errors import require
from emolens.evaluation.model import ModelEvaluation
from emolens.explore.project import Projection
from emolens.labels import LabelSet
from emolens.scores import EpochPoint, LossPoint, role_of
from emolens.store import atomic_file

_INK, _MUTED, _GRID, _BLUE, _ORANGE = "#1f2937", "#6b7280", "#e5e7eb", "#1d6fb8", "#c2570c"
_NOT_IN_XML = re.compile(rb"[\x00-\x08\x0b\x0c\x0e-\x1f]|\xef\xbf[\xbe\xbf]")


@dataclass
class Display(abc.ABC):
    """What all displays share: a size in inches, and saving."""

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


@dataclass
class ClassFrequencyDisplay(Display):
    """Rows by class as horizontal bars, the largest on top. counts: (k,) rows of one split."""

    labels: LabelSet
    counts: np.ndarray

    @property
    def size(self) -> tuple[float, float]:
        """Grows with the classes."""
        return (6.4, 1.2 + 0.36 * len(self.labels))

    def _draw(self, ax: Any) -> None:
        order = np.argsort(self.counts, kind="stable")
        names = [self.labels.names[i] for i in order]
        bars = ax.barh(
            range(len(order)),
            self.counts[order],
            color=[self.labels.color(name) for name in names],
            height=0.72,
        )
        share = self.counts[order] / max(self.counts.sum(), 1)
        texts = [f" {n:,}  ({s:.1%})" for n, s in zip(self.counts[order], share, strict=True)]
        ax.bar_label(bars, texts, color=_INK, fontsize=9)
        _ticks(ax.yaxis, names)
        ax.set_xlim(0, self.counts.max() * 1.22)
        ax.set_title("Frequency of classes (train)", loc="left")
        _bare(ax, "x")
        ax.set_xlabel("texts")


@dataclass
class TokenLengthDisplay(Display):
    """How long the texts are in tokens, by split, and where the encoder's limit is."""

    n_tokens: dict[str, np.ndarray]
    max_length: int

    def _draw(self, ax: Any) -> None:
        longest = max(int(n.max()) for n in self.n_tokens.values())
        bins = np.linspace(0, longest + 1, min(longest + 2, 45))
        for (name, n), color in zip(
            self.n_tokens.items(), (_BLUE, _ORANGE, "#15803d"), strict=False
        ):
            ax.hist(n, bins, density=True, histtype="step", linewidth=1.6, color=color, label=name)
        if longest > 0.6 * self.max_length:
            ax.axvline(self.max_length, color=_INK, linestyle=":", label=f"limit {self.max_length}")
        ax.set_title("Length in tokens", loc="left")
        ax.set_xlabel("tokens a text, [CLS] and [SEP] included")
        ax.set_ylabel("share of texts")
        ax.set_yticks([])
        ax.legend(frameon=False)
        _bare(ax, "x")


@dataclass
class DensityDisplay(Display):
    """Where each class lies on the map: one panel of hexagonal bins a class, on the same axes."""

    labels: LabelSet
    projection: Projection

    @property
    def grid(self) -> tuple[int, int]:
        """Rows and columns: 2 × 3 for six classes, a fitting grid for any other number."""
        k = len(self.labels)
        square = math.ceil(math.sqrt(k))
        # Of a square and a grid one column wider, the one that leaves fewer places empty.
        columns = k if k < 4 else min(square, square + 1, key=lambda c: -k % c)
        return math.ceil(k / columns), columns

    @property
    def size(self) -> tuple[float, float]:
        """Grows with the grid."""
        rows, columns = self.grid
        return (2.5 * columns, 2.5 * rows + 0.3)

    def _draw(self, ax: Any) -> None:
        colors = require("matplotlib.colors", "train")
        panels = _panels(ax, *self.grid)
        x, y = self.projection.xy.T
        extent = (*_edges(x), *_edges(y))
        for label, panel in enumerate(panels):
            if label >= len(self.labels):
                panel.axis("off")
                continue
            name = self.labels.names[label]
            ramp = colors.LinearSegmentedColormap.from_list(
                name, ["#ffffff", self.labels.color(name), _INK]
            )
            mine = self.projection.labels == label
            panel.hexbin(x[mine], y[mine], gridsize=20, extent=extent, cmap=ramp, linewidths=0)
            panel.set_title(f"{name} ({mine.sum():,})", fontsize=10, parse_math=False)
            panel.set_xticks([])
            panel.set_yticks([])
            for side in panel.spines.values():
                side.set_color(_GRID)


@dataclass
class ConfusionDisplay(Display):
    """A confusion matrix, normalized over the true class. matrix: (k, k) counts, true by row."""

    labels: LabelSet
    matrix: np.ndarray
    title: str = "Normalized confusion matrix"

    @property
    def size(self) -> tuple[float, float]:
        """Grows with the classes."""
        side = max(3.6, 1.4 + 0.62 * len(self.labels))
        return (side + 0.4, side)

    def _draw(self, ax: Any) -> None:
        share = self.matrix / np.maximum(self.matrix.sum(axis=1, keepdims=True), 1)
        ax.imshow(share, cmap="Blues", vmin=0, vmax=1)
        small = len(self.labels) > 12
        for (row, column), value in np.ndenumerate(share):
            if not small or value >= 0.1:
                ax.text(
                    column,
                    row,
                    f"{value:.2f}",
                    ha="center",
                    va="center",
                    fontsize=6 if small else 9,
                    color="white" if value > 0.5 else _INK,
                )
        _ticks(ax.xaxis, self.labels.names)
        _ticks(ax.yaxis, self.labels.names)
        ax.tick_params(axis="x", rotation=45 if len(self.labels) <= 12 else 90)
        ax.set_xlabel("predicted")
        ax.set_ylabel("true")
        ax.set_title(self.title, loc="left", parse_math=False)
        ax.tick_params(length=0)


@dataclass
class ConfusionPairDisplay(Display):
    """Two models' confusion matrices on the same rows, side by side."""

    labels: LabelSet
    matrices: dict[str, np.ndarray]

    @property
    def size(self) -> tuple[float, float]:
        """Twice a single one."""
        side = max(3.6, 1.4 + 0.62 * len(self.labels))
        return (len(self.matrices) * (side + 0.3), side)

    def _draw(self, ax: Any) -> None:
        panels = _panels(ax, 1, len(self.matrices))
        for (name, matrix), panel in zip(self.matrices.items(), panels, strict=True):
            ConfusionDisplay(self.labels, matrix, name).plot(panel)


@dataclass
class LearningCurveDisplay(Display):
    """Loss on train and validation, and macro-F1 on validation, against epochs.

    training and history: as FinetuneFacts has them. best_epoch: the one that was kept.
    """

    training: Sequence[LossPoint]
    history: Sequence[EpochPoint]
    best_epoch: float

    @property
    def size(self) -> tuple[float, float]:
        """Two panels."""
        return (8.6, 3.4)

    def _draw(self, ax: Any) -> None:
        left, right = _panels(ax, 1, 2)
        course = [p.epoch for p in self.training], [p.loss for p in self.training]
        left.plot(*course, color=_BLUE, linewidth=1.4, label="train")
        epochs = [p.epoch for p in self.history]
        losses = [p.loss for p in self.history]
        left.plot(epochs, losses, "o-", color=_ORANGE, label="validation")
        left.set_title("Loss", loc="left")
        left.legend(frameon=False)
        for key, color, name in (
            ("accuracy", _BLUE, "accuracy"),
            ("macro_f1", _ORANGE, "macro-F1"),
        ):
            values = [getattr(p, key) for p in self.history]
            right.plot(epochs, values, "o-", color=color, label=name)
        right.axvline(self.best_epoch, color=_MUTED, linestyle=":", linewidth=1, label="kept")
        right.set_title("Validation", loc="left")
        right.xaxis.get_major_locator().set_params(integer=True)
        right.legend(frameon=False)
        for panel in (left, right):
            panel.set_xlabel("epoch")
            _bare(panel, "y")


@dataclass
class ScoreDisplay(Display):
    """Accuracy and macro-F1 of every model on one split, with 95 % intervals."""

    by_model: dict[str, ModelEvaluation]
    split: str

    @property
    def size(self) -> tuple[float, float]:
        """Grows with the models."""
        return (6.8, 1.3 + 0.5 * len(self.by_model))

    def _draw(self, ax: Any) -> None:
        for shift, key, color, name in (
            (0.13, "accuracy", _BLUE, "accuracy"),
            (-0.13, "macro_f1", _ORANGE, "macro-F1"),
        ):
            values = np.array([getattr(e, key) for e in self.by_model.values()])
            bounds = np.array([e.intervals[key] for e in self.by_model.values()])
            places = np.arange(len(values))[::-1] + shift
            errors = np.array([values - bounds[:, 0], bounds[:, 1] - values])
            ax.errorbar(values, places, xerr=errors, fmt="o", color=color, capsize=3, label=name)
            for value, place in zip(values, places, strict=True):
                ax.annotate(
                    f"{value:.3f}",
                    (value, place),
                    (0, 5 if shift > 0 else -12),
                    textcoords="offset points",
                    ha="center",
                    fontsize=8,
                    color=color,
                )
        _ticks(ax.yaxis, [role_of(model).title for model in self.by_model][::-1])
        ax.set_ylim(-0.6, len(self.by_model) - 0.3)
        ax.set_xlim(0, 1.02)
        ax.set_title(f"Scores on {self.split}, with 95 % intervals", loc="left")
        ax.legend(frameon=False, loc="upper left", bbox_to_anchor=(1.0, 1.0))
        _bare(ax, "x")


def new_figure(width: float, height: float) -> Any:
    """A figure of its own, in inches, laid out so that nothing overlaps."""
    figure = require("matplotlib.figure", "train").Figure(
        figsize=(width, height), layout="constrained"
    )
    figure.patch.set_facecolor("white")
    return figure


def save_figure(display: Display, path: Path) -> list[Path]:
    """Write `path` as .png (160 dots an inch) and .svg; draws first where that is still to do."""
    matplotlib = require("matplotlib", "train")
    if display.figure_ is None:
        display.plot()
    written = []
    # A fixed salt and no date: the same numbers give the same bytes.
    with matplotlib.rc_context({"svg.hashsalt": "emolens"}), warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Glyph .* missing")
        for suffix, metadata in ((".png", {}), (".svg", {"Date": None})):
            buffer = io.BytesIO()
            display.figure_.savefig(buffer, format=suffix[1:], dpi=160, metadata=metadata)
            drawn = buffer.getvalue()
            if suffix == ".svg":  # names stand in comments, too, where XML bears no controls
                drawn = _NOT_IN_XML.sub(b"?", drawn)
            written.append(path.with_suffix(suffix))
            with atomic_file(written[-1]) as file:
                file.write(drawn)
    return written


def _panels(ax: Any, rows: int, columns: int) -> list[Any]:
    """Divide the place of one axes into a grid of axes, row by row."""
    figure, place = ax.get_figure(), ax.get_subplotspec()
    ax.axis("off")
    grid = place.subgridspec(rows, columns)
    return [figure.add_subplot(grid[r, c]) for r in range(rows) for c in range(columns)]


def _edges(values: np.ndarray) -> tuple[float, float]:
    low, high = float(values.min()), float(values.max())
    margin = 0.03 * (high - low) or 0.5
    return low - margin, high + margin


def _ticks(axis: Any, names: Sequence[str]) -> None:
    axis.set_ticks(range(len(names)), names, parse_math=False)


def _bare(ax: Any, grid: str) -> None:
    """Take away what is not data; keep light lines along the measured axis."""
    ax.spines[["top", "right", "left" if grid == "x" else "bottom"]].set_visible(False)
    ax.grid(axis=grid, color=_GRID, linewidth=0.8)
    ax.set_axisbelow(True)
    ax.tick_params(length=0, colors=_INK)
