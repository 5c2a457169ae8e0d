"""Classifier: answers texts with emotions. Knows nothing of engines or tables; loads no torch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from emolens.export.model import ExportedModel, find_model
from emolens.hub import name_of
from emolens.shown import html_table, one_line


@dataclass(frozen=True)
class Prediction:
    """The answer for one text.

    label: the most probable class. A model for several labels answers with all classes at .5 or
    more, joined by ', '; with None if there is none. A blank text has no label and no probability.
    probability: the highest one. unsure: it is below the classifier's threshold, there is no label,
    or the model knows no part of the text (emoji, or another script). truncated: the text was
    longer than the model's limit, and only its beginning was read.
    probabilities: by class name. Their sum is 1, except for a model for several labels.
    """

    text: str
    label: str | None
    probability: float | None
    unsure: bool
    truncated: bool
    probabilities: dict[str, float | None]

    def __repr__(self) -> str:
        answer = "no text"
        if self.probability is not None:
            answer = f"{self.label or 'no label'} {self.probability:.3f}"
        flags = ["unsure"] if self.unsure else []
        return one_line(self, answer, *flags, repr(self.text))

    def _repr_html_(self) -> str:
        return html_table(self, ("class", "probability"), self.probabilities.items())


class Classifier:
    """A fine-tuned model that is ready to answer.

    model: a model folder with `openvino/` or `onnx/`, as `emolens run` and `emolens export` write
    it, or `owner/name` or `owner/name@revision` on the Hub. `folder` is where its files are.
    precision: 'fp32', 'bf16', or 'int8' if it was exported; None chooses bf16 or fp32 by the
    machine. unsure_below: an answer is unsure if its highest probability is lower.
    """

    def __init__(
        self, model: str | Path, *, precision: str | None = None, unsure_below: float = 0.5
    ) -> None:
        folder = find_model(model, precision=precision)
        self._model = ExportedModel(folder, precision=precision)
        self.folder, self.runtime = self._model.folder, self._model.runtime
        self.tokenizer, self.labels = self._model.tokenizer, self._model.head.labels
        self.decision = replace(self._model.head.decision, unsure_below=unsure_below)

    def __repr__(self) -> str:
        name = name_of(self.folder) or self.folder
        return one_line(self, name, f"{len(self.labels)} classes", self.runtime.precision)

    @property
    def max_length(self) -> int:
        """Tokens a text may have; longer ones are cut, and flagged."""
        return self.tokenizer.max_length

    def predict_proba(self, texts: Sequence[str]) -> np.ndarray:
        """(n, k) float64, the probabilities of each class in the order of `labels`.

        The row of a blank text is NaN; the model does not get blank texts.
        """
        return self._model.ask(texts).probabilities

    def predict(self, texts: Sequence[str]) -> list[Prediction]:
        """One Prediction for each text, blank ones too, in the order given."""
        probabilities, truncated, unknown = self._model.ask(texts)
        answers = self.decision.answers(probabilities)
        unsure = self.decision.unsure(probabilities) | unknown
        blank, names = np.isnan(probabilities).any(axis=1), self.labels.names
        predictions = []
        for row, text in enumerate(texts):
            values = [None] * len(names) if blank[row] else probabilities[row].tolist()
            prediction = Prediction(
                text=text,
                label=", ".join(names[i] for i in np.flatnonzero(answers[row])) or None,
                probability=None if blank[row] else max(values),
                unsure=bool(unsure[row]),
                truncated=bool(truncated[row]),
                probabilities=dict(zip(names, values, strict=True)),
            )
            predictions.append(prediction)
        return predictions
