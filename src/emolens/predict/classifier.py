"""Classifier: an exported model folder that answers texts with emotions. Loads no torch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from emolens import runtime
from emolens.blank import is_blank
from emolens.decide import Decision
from emolens.encode.engines.base import run_batches
from emolens.encode.engines.openvino import INT8_MODEL, MODEL, OpenVinoEngine
from emolens.encode.tokenize import Tokenizer, Tokens
from emolens.errors import EncoderError
from emolens.labels import LabelSet
from emolens.shown import one_line
from emolens.store import load_json


@dataclass(frozen=True)
class Prediction:
    """The answer for one text.

    label: the most probable class; None for a blank text. probability: the highest one; None for a
    blank text. unsure: it is under the classifier's threshold, or there is no label. truncated: the
    text was longer than the model's limit, and only its beginning was read. probabilities: by class
    name, the sum is 1; each is None for a blank text.
    """

    text: str
    label: str | None
    probability: float | None
    unsure: bool
    truncated: bool
    probabilities: dict[str, float | None]

    def __repr__(self) -> str:
        shown = "no text" if self.probability is None else f"{self.label} {self.probability:.3f}"
        doubt = ["unsure"] if self.unsure else []
        return one_line(self, shown, *doubt, repr(self.text))


class Classifier:
    """A fine-tuned model that is ready to answer.

    folder: a model folder with `openvino/`, as `emolens run` and `emolens export` write it.
    precision: 'fp32', 'bf16', 'int8' where it was exported, or None for what the machine does best
    without int8. unsure_below: answers whose top probability is lower are flagged.
    """

    def __init__(
        self, folder: str | Path, *, precision: str | None = None, unsure_below: float = 0.5
    ) -> None:
        folder = Path(folder)
        if not (folder / "config.json").is_file():
            raise EncoderError(
                f"{folder} is no model folder.",
                hint="Make one with: emolens run. Then: --model runs/starter/model",
            )
        self.folder = folder
        self.decision = Decision(unsure_below=unsure_below)
        self.runtime = runtime.choose(precision, on_cpu=True)
        config = load_json(folder / "config.json")
        names = config.get("id2label") if isinstance(config, dict) else None
        if not names or not all(key.isdecimal() for key in names):
            raise EncoderError(
                f"{folder} holds a model without classes.",
                hint="Give a model folder, as emolens run writes it, not a bare encoder.",
            )
        self.labels = LabelSet(tuple(names[key] for key in sorted(names, key=int)))
        self.tokenizer = Tokenizer.from_folder(folder)
        name = INT8_MODEL if self.runtime.precision == "int8" else MODEL
        self._engine = OpenVinoEngine(folder / "openvino", self.runtime, name=name)

    def __repr__(self) -> str:
        return one_line(self, self.folder, f"{len(self.labels)} classes", self.runtime.precision)

    @property
    def max_length(self) -> int:
        """Tokens a text may have; longer ones are cut, and flagged."""
        return self.tokenizer.max_length

    def predict_proba(self, texts: Sequence[str]) -> np.ndarray:
        """(n, k) float64, the probabilities of each class in the order of `labels`.

        A row of NaN for a blank text, about which the model is not asked.
        """
        return self._probabilities(texts, self.tokenizer.encode(texts))

    def predict(self, texts: Sequence[str]) -> list[Prediction]:
        """One Prediction for each text, blank ones too, in the order given."""
        tokens = self.tokenizer.encode(texts)
        probabilities = self._probabilities(texts, tokens)
        answers = self.decision.answers(probabilities)
        unsure = self.decision.unsure(probabilities)
        rows = zip(texts, probabilities, answers, unsure, tokens.truncated, strict=True)
        return [self._prediction(*row) for row in rows]

    def _prediction(
        self, text: str, probabilities: np.ndarray, answer: np.ndarray, unsure: bool, cut: bool
    ) -> Prediction:
        names = self.labels.names
        asked = not np.isnan(probabilities).any()
        values = probabilities.tolist() if asked else [None] * len(names)
        return Prediction(
            text=text,
            label=", ".join(names[i] for i in np.flatnonzero(answer)) or None,
            probability=max(values) if asked else None,
            unsure=bool(unsure),
            truncated=bool(cut) and asked,
            probabilities=dict(zip(names, values, strict=True)),
        )

    def _probabilities(self, texts: Sequence[str], tokens: Tokens) -> np.ndarray:
        """(n, k); NaN for blank texts."""
        asked = np.array([not is_blank(text) for text in texts], dtype=bool)
        probabilities = np.full((len(tokens), len(self.labels)), np.nan)
        if asked.any():
            rows = tokens if asked.all() else tokens.take(np.flatnonzero(asked))
            logits = run_batches(self._engine, rows, self.tokenizer.pad_id)
            probabilities[asked] = self.decision.probabilities(logits)
        return probabilities
