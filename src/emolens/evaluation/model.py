"""One model on one split: its figures, their intervals, and its confusion matrix.

Takes Scores and labels; knows nothing of how the model was made, nor of other models.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from emolens.data.dataset import Dataset
from emolens.errors import UsageError
from emolens.evaluation.calibration import (
    CalibrationFigures,
    PromiseKept,
    calibration_figures,
    promise_kept,
    uncalibrated,
)
from emolens.evaluation.intervals import intervals
from emolens.evaluation.metrics import confusion, per_class, summary
from emolens.scores import Scores
from emolens.shown import html_table, one_line


@dataclass(frozen=True)
class ModelEvaluation:
    """The figures of one model on one split of n rows.

    intervals: low and high end, at 95 %. per_class: precision, recall, f1 and support of each
    class. confusion: counts of rows, with one list for each true class. before: the calibration as
    it was before the temperature; None for a model that was not calibrated. promise: what came of
    the promise that the model makes; None if it makes none.
    """

    n: int
    accuracy: float
    macro_f1: float
    weighted_f1: float
    intervals: dict[str, tuple[float, float]]
    loss: float
    per_class: dict[str, dict[str, int | float]]
    confusion: list[list[int]]
    calibration: CalibrationFigures
    before: CalibrationFigures | None = None
    promise: PromiseKept | None = None

    def __repr__(self) -> str:
        figures = [f"accuracy {self.accuracy:.4f}", f"macro-F1 {self.macro_f1:.4f}"]
        return one_line(self, f"{self.n:,} texts", *figures)

    def _repr_html_(self) -> str:
        rows = [(label, *figures.values()) for label, figures in self.per_class.items()]
        return html_table(self, ("class", "precision", "recall", "F1", "texts"), rows)

    def figure(self, key: str) -> str:
        """`accuracy`, `macro_f1` or `weighted_f1` with its interval, as text."""
        low, high = self.intervals[key]
        return f"{getattr(self, key):.4f} ({low:.3f}–{high:.3f})"

    def mistaken(self, n: int = 6) -> list[tuple[str, str, int, float]]:
        """The n pairs of classes that are mixed up most: class, wrong answer, rows, share.

        share: of all rows of the class; the pairs with the largest shares come first.
        """
        names = list(self.per_class)
        pairs = [
            (names[i], names[j], rows, rows / sum(row))
            for i, row in enumerate(self.confusion)
            for j, rows in enumerate(row)
            if i != j and rows
        ]
        return sorted(pairs, key=lambda pair: -pair[-1])[:n]


def evaluate_model(
    dataset: Dataset, scores: Scores, split: str, *, answerable: np.ndarray | None = None
) -> ModelEvaluation:
    """Compare one model's answers with the labels of one split.

    answerable: (n,) bool, rows that the promise is about; without it, all. UsageError where the
    scores have other rows or classes than the data set.
    """
    dataset.check_one_class()
    labels, probabilities = dataset[split].labels, scores.probabilities.get(split)
    shape_wanted = (len(labels), len(dataset.labels))
    if probabilities is None or probabilities.shape != shape_wanted:
        shape = "nothing" if probabilities is None else f"the shape {probabilities.shape}"
        raise UsageError(
            f"The scores of '{scores.model}' have {shape} for {split}, not {shape_wanted}.",
            hint=f"Give one probability for each row and class of {dataset.name}.",
        )
    matrix = confusion(labels, scores.predictions(split), len(dataset.labels))
    figures = {name: float(value) for name, value in summary(matrix).items()}
    before = promise = None
    if calibration := scores.calibration:
        raw = uncalibrated(probabilities, calibration.temperature)
        before = calibration_figures(labels, raw)
        if wanted := calibration.default:
            promise = promise_kept(labels, probabilities, wanted, answerable=answerable)
    return ModelEvaluation(
        n=len(labels),
        **figures,
        intervals=intervals(matrix),
        loss=scores.log_loss(split, labels),
        per_class=per_class(matrix, dataset.labels.names),
        confusion=matrix.tolist(),
        calibration=calibration_figures(labels, probabilities),
        before=before,
        promise=promise,
    )
