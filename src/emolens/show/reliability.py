"""The pictures that say when to believe an answer. Knows nothing of models and files.

As all displays they hold finished numbers, and `from_predictions` computes and draws in one call.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Self

import numpy as np

from emolens.errors import UsageError
from emolens.evaluation.calibration import (
    Bin,
    Point,
    PromiseKept,
    accuracy_by_share,
    reliability,
)
from emolens.evaluation.gaps import N_BINS
from emolens.labels import LabelSet, class_ids
from emolens.show import theme
from emolens.show.canvas import Display, bare, title
from emolens.show.displays import Answers

# In percent, so that numbers on the axes are short.
_TICKS = range(0, 101, 20)
_FEW = 10


@dataclass(repr=False)
class ReliabilityDisplay(Display):
    """How many answers are right, against how probable they are: a panel for each name.

    bins: by name, for example 'before' and 'after' a calibration, as `reliability` gives them. On
    the diagonal the probability says exactly how many answers are right. The vertical lines are
    95 % intervals; bins of fewer than 10 rows are pale. Bars below show the rows of each bin.
    """

    bins: dict[str, tuple[Bin, ...]]

    @classmethod
    def from_predictions(
        cls,
        y: Answers,
        probabilities: np.ndarray,
        *,
        labels: LabelSet | None = None,
        name: str = "Reliability",
        ax: Any = None,
    ) -> Self:
        """Compare probabilities with the true classes.

        y: (n,) the true classes, as names or ids. probabilities: (n, k), in the order of `labels`.
        """
        ids = _true_ids(y, probabilities, labels)
        return cls({name: reliability(ids, np.asarray(probabilities))}).plot(ax)

    @property
    def size(self) -> tuple[float, float]:
        """Grows with the number of panels."""
        return (0.4 + 4.1 * len(self.bins), 4.9)

    def _draw(self, ax: Any) -> None:
        ax.axis("off")
        grid = ax.get_subplotspec().subgridspec(2, len(self.bins), height_ratios=(4, 1))
        most = max((b.rows for bins in self.bins.values() for b in bins), default=1)
        for column, (name, bins) in enumerate(self.bins.items()):
            upper = ax.get_figure().add_subplot(grid[0, column])
            lower = ax.get_figure().add_subplot(grid[1, column], sharex=upper)
            _draw_bins(upper, bins)
            title(upper, name)
            _draw_counts(lower, bins, most)
            if column == 0:
                upper.set_ylabel("right answers, in %")
                lower.set_ylabel("rows")


@dataclass(repr=False)
class CoverageDisplay(Display):
    """The accuracy of the answers, against the share of rows that are answered.

    The rows with the highest probabilities are answered first. curves: by model, as
    `accuracy_by_share` gives them; of the last one the 95 % interval is drawn, too. promise: of the
    last model, and what came of it.
    """

    curves: dict[str, tuple[Point, ...]]
    promise: PromiseKept | None = None
    title: str = "Accuracy against share of rows answered"

    @classmethod
    def from_predictions(
        cls,
        y: Answers,
        probabilities: np.ndarray,
        *,
        labels: LabelSet | None = None,
        name: str = "answers",
        promise: PromiseKept | None = None,
        ax: Any = None,
    ) -> Self:
        """Answer the rows in the order of their highest probability.

        y, probabilities: as for ReliabilityDisplay. promise: to be drawn on the curve; the
        `promise` of a `ModelEvaluation`.
        """
        ids = _true_ids(y, probabilities, labels)
        return cls({name: accuracy_by_share(ids, np.asarray(probabilities))}, promise).plot(ax)

    @property
    def size(self) -> tuple[float, float]:
        """Wide, because curves are read from left to right."""
        return (7.6, 3.8)

    def _draw(self, ax: Any) -> None:
        colors = theme.SERIES[: len(self.curves)][::-1]
        for (name, curve), color in zip(self.curves.items(), colors, strict=False):
            answered = [100 * p.answered for p in curve]
            ax.plot(answered, [100 * p.accuracy for p in curve], color=color, label=name)
        last = list(self.curves.values())[-1]
        low, high = [100 * p.low for p in last], [100 * p.high for p in last]
        ax.fill_between([100 * p.answered for p in last], low, high, color=theme.BLUE, alpha=0.12)
        if self.promise:
            _draw_promise(ax, self.promise)
        lowest = min(p.accuracy for curve in self.curves.values() for p in curve)
        ax.set_ylim(max(100 * lowest - 8, 0), 101)
        ax.set_xlim(0, 101)
        ax.set_xlabel("rows answered, in %")
        ax.set_ylabel("right answers, in %")
        title(ax, self.title)
        if self.promise or len(self.curves) > 1:  # one curve needs no name
            ax.legend(frameon=False, loc="upper left", bbox_to_anchor=(1.0, 1.0))
        bare(ax, "y")


def _draw_bins(ax: Any, bins: tuple[Bin, ...]) -> None:
    ax.plot([0, 100], [0, 100], color=theme.MUTED, linestyle=":", linewidth=1)
    for b in bins:
        # A bin of few rows says little, so it is pale.
        strength = 1.0 if b.rows >= _FEW else 0.35
        errors = [[100 * (b.accuracy - b.low)], [100 * (b.high - b.accuracy)]]
        style = {"color": theme.BLUE, "capsize": 3, "alpha": strength}
        ax.errorbar([100 * b.confidence], [100 * b.accuracy], yerr=errors, fmt="o", **style)
    ax.set_xlim(-2, 102)  # so that points at 0 and 100 are whole
    ax.set_ylim(-2, 102)
    ax.set_xticks(_TICKS)
    ax.set_yticks(_TICKS)
    bare(ax, "y")


def _draw_counts(ax: Any, bins: tuple[Bin, ...], most: int) -> None:
    places, counts = [50 * (b.start + b.end) for b in bins], [b.rows for b in bins]
    bars = ax.bar(places, counts, width=90 / N_BINS, color=theme.BLUE, alpha=0.55)
    ax.bar_label(bars, [f"{n:,}" for n in counts], fontsize=5.5, color=theme.INK)
    ax.set_ylim(0, 1.2 * most)
    ax.set_yticks([])
    ax.set_xlabel("highest probability, in %")
    bare(ax, "x")
    ax.grid(visible=False)


def _draw_promise(ax: Any, promise: PromiseKept) -> None:
    promised, style = 100 * promise.promised, {"color": theme.INK, "linestyle": ":"}
    ax.axhline(promised, linewidth=1, label=f"promise: {promised:g} %", **style)
    if promise.accuracy is not None:
        place, label = [100 * promise.share], f"answered: {100 * promise.share:.1f} %"
        ax.plot(place, [100 * promise.accuracy], "D", color=theme.INK, label=label)


def _true_ids(y: Answers, probabilities: np.ndarray, labels: LabelSet | None) -> np.ndarray:
    """(n,) ids of the true classes; UsageError where the probabilities have another shape."""
    probabilities = np.asarray(probabilities)
    if labels is None and probabilities.ndim == 2 and np.asarray(y).dtype.kind in "iu":
        labels = LabelSet(tuple(map(str, range(probabilities.shape[1]))))
    labels, (ids,) = class_ids(labels, y)
    if probabilities.shape != (len(ids), len(labels)):
        raise UsageError(
            f"probabilities has the shape {probabilities.shape}, for {len(ids)} rows of"
            f" {len(labels)} classes.",
            hint="Give one row for each true class, with one probability for each of `labels`.",
        )
    return ids
