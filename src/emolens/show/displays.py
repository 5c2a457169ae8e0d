"""The pictures. A Display holds finished numbers; `plot(ax=None)` draws them and returns it.

After plot it has `ax_` and `figure_`. Displays of answers also have `from_predictions`, which
counts and draws in one call, as the displays of scikit-learn do. Knows nothing of models and files.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import cycle
from typing import Any, Self

import numpy as np

from emolens.errors import UsageError
from emolens.evaluation.metrics import confusion
from emolens.evaluation.model import ModelEvaluation
from emolens.explore.project import Projection
from emolens.labels import LabelSet, class_ids
from emolens.scores import EpochPoint, LossPoint, role_of
from emolens.show import theme
from emolens.show.canvas import Display, bare, panels, ramp, short, ticks, title

# Class names, or ids of a LabelSet.
Answers = np.ndarray | Sequence[str]
# Up to 12 classes, each cell of a confusion matrix shows its number; up to 40, each cell of 0.1 or
# more. With more classes a color scale replaces the numbers. Each axis names at most 60 classes.
_ALL_NUMBERS, _SOME_NUMBERS, _MOST_NAMES = 12, 40, 60
# The figures that share one picture, with their colors and names.
_FIGURES = (("accuracy", theme.BLUE, "accuracy"), ("macro_f1", theme.ORANGE, "macro-F1"))


@dataclass(repr=False)
class ClassFrequencyDisplay(Display):
    """The number of rows of each class as bars, the largest on top. counts: (k,)."""

    labels: LabelSet
    counts: np.ndarray
    title: str = "Frequency of classes (train)"

    @classmethod
    def from_predictions(
        cls,
        y: Answers,
        *,
        labels: LabelSet | None = None,
        title: str = "Frequency of classes",
        ax: Any = None,
    ) -> Self:
        """Count answers or labels, and draw them. y, labels: as for ConfusionDisplay."""
        labels, (ids,) = class_ids(labels, y)
        return cls(labels, np.bincount(ids, minlength=len(labels)), title).plot(ax)

    @property
    def size(self) -> tuple[float, float]:
        """Grows with the number of classes, up to a largest size."""
        return (6.4, 1.2 + self._bar * len(self.labels))

    @property
    def _bar(self) -> float:
        return theme.room(len(self.labels), 0.36)

    def _draw(self, ax: Any) -> None:
        order = np.argsort(self.counts, kind="stable")
        names = [self.labels.names[i] for i in order]
        colors = [theme.class_color(self.labels, name) for name in names]
        bars = ax.barh(range(len(order)), self.counts[order], color=colors, height=0.72)
        share = self.counts[order] / max(self.counts.sum(), 1)
        texts = [f" {n:,}  ({s:.1%})" for n, s in zip(self.counts[order], share, strict=True)]
        ax.bar_label(bars, texts, color=theme.INK, fontsize=theme.font_size(self._bar))
        ax.set_xlim(0, max(self.counts.max(), 1) * 1.22)
        ax.set_ylim(-0.6, len(order) - 0.4)
        title(ax, self.title)
        bare(ax, "x")
        ticks(ax.yaxis, names, inches=self._bar)
        ax.set_xlabel("texts")


@dataclass(repr=False)
class TokenLengthDisplay(Display):
    """The lengths of the texts in tokens, by split, and the encoder's limit."""

    n_tokens: dict[str, np.ndarray]
    max_length: int

    def _draw(self, ax: Any) -> None:
        longest = max(int(n.max()) for n in self.n_tokens.values())
        bins = np.linspace(0, longest + 1, min(longest + 2, 45))
        for (name, n), color in zip(self.n_tokens.items(), cycle(theme.SERIES), strict=False):
            ax.hist(n, bins, density=True, histtype="step", linewidth=1.6, color=color, label=name)
        if longest > 0.6 * self.max_length:
            label = f"limit {self.max_length}"
            ax.axvline(self.max_length, color=theme.INK, linestyle=":", label=label)
        ax.set_title("Length in tokens", loc="left")
        ax.set_xlabel("tokens per text, [CLS] and [SEP] included")
        ax.set_ylabel("share of texts")
        ax.set_yticks([])
        ax.legend(frameon=False)
        bare(ax, "x")


@dataclass(repr=False)
class DensityDisplay(Display):
    """The places of each class on the map: one panel of hexagons per class, all on equal axes."""

    labels: LabelSet
    projection: Projection

    @classmethod
    def from_predictions(
        cls, xy: np.ndarray, y: Answers, *, labels: LabelSet | None = None, ax: Any = None
    ) -> Self:
        """Draw places on a plane by answers or labels.

        xy: (n, 2). y: n answers or labels. y, labels: as for ConfusionDisplay.
        """
        labels, (ids,) = class_ids(labels, y)
        places = np.asarray(xy, dtype=np.float32)
        if places.shape != (len(ids), 2):
            raise UsageError(
                f"xy has the shape {places.shape}, for {len(ids)} answers.",
                hint="Give one row of two numbers for each answer.",
            )
        return cls(labels, Projection(places, ids)).plot(ax)

    @property
    def grid(self) -> tuple[int, int]:
        """Rows and columns: 2 × 3 for six classes."""
        k = len(self.labels)
        square = math.ceil(math.sqrt(k))
        # A square, or a grid with one more column where that leaves fewer empty places.
        columns = k if k < 4 else min(square, square + 1, key=lambda c: -k % c)
        return math.ceil(k / columns), columns

    @property
    def size(self) -> tuple[float, float]:
        """Grows with the grid, up to a largest size."""
        rows, columns = self.grid
        return (self._panel * columns, self._panel * rows + 0.3)

    @property
    def _panel(self) -> float:
        return theme.room(self.grid[1], 2.5, most=max(theme.LONGEST, 7.5))

    def _draw(self, ax: Any) -> None:
        font = min(10.0, 6.0 * self._panel)
        x, y = self.projection.xy.T
        extent = (*_edges(x), *_edges(y))
        drawn = []
        for label, panel in enumerate(panels(ax, *self.grid)):
            if label >= len(self.labels):
                panel.axis("off")
                continue
            name = self.labels.names[label]
            mine = self.projection.labels == label
            hexagons = panel.hexbin(
                x[mine],
                y[mine],
                gridsize=20,
                extent=extent,
                cmap=ramp(theme.class_color(self.labels, name)),
                linewidths=0,
                mincnt=1,  # leave out empty hexagons: they would make the file large
            )
            drawn.append(hexagons)
            text = f"{short(name, int(18 * self._panel / (font / 6)))} ({mine.sum():,})"
            title(panel, text, loc="center", fontsize=font)
            panel.set_xticks([])
            panel.set_yticks([])
            panel.spines[:].set_color(theme.GRID)
        # One scale for all panels. One text alone is never the darkest shade.
        most = max([4, *(n for hexagons in drawn for n in hexagons.get_array().compressed())])
        for hexagons in drawn:
            hexagons.set_clim(0, most)


@dataclass(repr=False)
class ConfusionDisplay(Display):
    """A confusion matrix, normalized over the true class.

    matrix: (k, k) counts, one row per true class.
    """

    labels: LabelSet
    matrix: np.ndarray
    title: str = "Normalized confusion matrix"

    @classmethod
    def from_predictions(
        cls,
        y_true: Answers,
        y_pred: Answers,
        *,
        labels: LabelSet | None = None,
        title: str = "Normalized confusion matrix",
        ax: Any = None,
    ) -> Self:
        """Count the answers, and draw the matrix.

        y_true, y_pred: (n,) class names, or ids of `labels`. labels: the classes in their order;
        without it, all names that occur, or all ids up to the highest. UsageError for a name or an
        id that is not in labels, and for arrays of different lengths.
        """
        labels, (true, predicted) = class_ids(labels, y_true, y_pred)
        return cls(labels, confusion(true, predicted, len(labels)), title).plot(ax)

    @property
    def size(self) -> tuple[float, float]:
        """Grows with the number of classes, up to a largest size."""
        side = max(3.6, 1.4 + self._cell * len(self.labels))
        return (side + 0.4, side)

    @property
    def _cell(self) -> float:
        return theme.room(len(self.labels), 0.62)

    def _draw(self, ax: Any) -> None:
        share = self.matrix / np.maximum(self.matrix.sum(axis=1, keepdims=True), 1)
        # Without interpolation an SVG has one pixel per cell, and browsers keep the edges sharp.
        image = ax.imshow(share, cmap="Blues", vmin=0, vmax=1, interpolation="none")
        k = len(self.labels)
        if k > _SOME_NUMBERS:
            ax.get_figure().colorbar(image, ax=ax, shrink=0.5, label="share of the true class")
        else:
            self._write_numbers(ax, share, least=0.1 if k > _ALL_NUMBERS else 0.0)
        step = math.ceil(k / _MOST_NAMES)
        for axis, label in ((ax.xaxis, "predicted"), (ax.yaxis, "true")):
            ticks(axis, self.labels.names, inches=self._cell, step=step)
            axis.set_label_text(label if step == 1 else f"{label} (1 of {step} classes is named)")
        ax.tick_params(axis="x", rotation=45 if k <= _ALL_NUMBERS else 90)
        title(ax, self.title)

    def _write_numbers(self, ax: Any, share: np.ndarray, *, least: float) -> None:
        font = min(9.0, 72 * self._cell / 2.6)
        for (row, column), value in np.ndenumerate(share):
            if value >= least:
                color = theme.PAPER if value > 0.5 else theme.INK
                where = {"ha": "center", "va": "center"}
                ax.text(column, row, f"{value:.2f}", fontsize=font, color=color, **where)


@dataclass(repr=False)
class ConfusionPairDisplay(Display):
    """The confusion matrices of several models on the same rows, side by side.

    With many classes, one is below the other. matrices: (k, k) counts by model.
    """

    labels: LabelSet
    matrices: dict[str, np.ndarray]

    @classmethod
    def from_predictions(
        cls,
        y_true: Answers,
        by_model: Mapping[str, Answers],
        *,
        labels: LabelSet | None = None,
        ax: Any = None,
    ) -> Self:
        """Count the answers of each model to the same rows, and draw the matrices.

        by_model: by the name above the matrix, n answers. y_true, labels: as for ConfusionDisplay.
        """
        labels, (true, *answers) = class_ids(labels, y_true, *by_model.values())
        counts = (confusion(true, of_model, len(labels)) for of_model in answers)
        return cls(labels, dict(zip(by_model, counts, strict=True))).plot(ax)

    @property
    def grid(self) -> tuple[int, int]:
        """Rows and columns."""
        n = len(self.matrices)
        return (1, n) if len(self.labels) <= _ALL_NUMBERS else (n, 1)

    @property
    def size(self) -> tuple[float, float]:
        """The size of one matrix, times the grid."""
        rows, columns = self.grid
        _, side = ConfusionDisplay(self.labels, next(iter(self.matrices.values()))).size
        return (columns * (side + 0.3), rows * side)

    def _draw(self, ax: Any) -> None:
        for (name, matrix), panel in zip(
            self.matrices.items(), panels(ax, *self.grid), strict=True
        ):
            ConfusionDisplay(self.labels, matrix, name).plot(panel)


@dataclass(repr=False)
class LearningCurveDisplay(Display):
    """Loss on train and validation, and macro-F1 on validation, against epochs.

    training, history, best_epoch: as in FinetuneFacts.
    """

    training: Sequence[LossPoint]
    history: Sequence[EpochPoint]
    best_epoch: float

    @property
    def size(self) -> tuple[float, float]:
        """Two panels."""
        return (8.6, 3.4)

    def _draw(self, ax: Any) -> None:
        left, right = panels(ax, 1, 2)
        course = [p.epoch for p in self.training], [p.loss for p in self.training]
        left.plot(*course, color=theme.BLUE, linewidth=1.4, label="train")
        epochs, losses = [p.epoch for p in self.history], [p.loss for p in self.history]
        left.plot(epochs, losses, "o-", color=theme.ORANGE, label="validation")
        left.set_title("Loss", loc="left")
        for key, color, name in _FIGURES:
            values = [getattr(p, key) for p in self.history]
            right.plot(epochs, values, "o-", color=color, label=name)
        right.axvline(self.best_epoch, color=theme.MUTED, linestyle=":", linewidth=1, label="kept")
        right.set_title("Validation", loc="left")
        right.xaxis.get_major_locator().set_params(integer=True)
        for panel in (left, right):
            panel.legend(frameon=False)
            panel.set_xlabel("epoch")
            bare(panel, "y")


@dataclass(repr=False)
class ScoreDisplay(Display):
    """Accuracy and macro-F1 of every model on one split, with 95 % intervals."""

    by_model: dict[str, ModelEvaluation]
    split: str

    @property
    def size(self) -> tuple[float, float]:
        """Grows with the number of models."""
        return (6.8, 1.3 + 0.5 * len(self.by_model))

    def _draw(self, ax: Any) -> None:
        for shift, (key, color, name) in zip((0.13, -0.13), _FIGURES, strict=True):
            values = np.array([getattr(e, key) for e in self.by_model.values()])
            bounds = np.array([e.intervals[key] for e in self.by_model.values()])
            places = np.arange(len(values))[::-1] + shift
            errors = np.array([values - bounds[:, 0], bounds[:, 1] - values])
            ax.errorbar(values, places, xerr=errors, fmt="o", color=color, capsize=3, label=name)
            for value, place in zip(values, places, strict=True):
                where = {"xytext": (0, 5 if shift > 0 else -12), "textcoords": "offset points"}
                style = {"ha": "center", "fontsize": 8, "color": color}
                ax.annotate(f"{value:.3f}", (value, place), **where, **style)
        ticks(ax.yaxis, [role_of(model).title for model in self.by_model][::-1], inches=0.5)
        ax.set_ylim(-0.6, len(self.by_model) - 0.3)
        ax.set_xlim(0, 1.02)
        ax.set_title(f"Scores on {self.split}, with 95 % intervals", loc="left")
        ax.legend(frameon=False, loc="upper left", bbox_to_anchor=(1.0, 1.0))
        bare(ax, "x")


def _edges(values: np.ndarray) -> tuple[float, float]:
    low, high = float(values.min()), float(values.max())
    margin = 0.03 * (high - low) or 0.5
    return low - margin, high + margin
