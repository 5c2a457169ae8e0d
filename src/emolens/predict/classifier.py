"""Classifier: an exported model folder that answers texts with emotions. Loads no torch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from emolens import runtime
from emolens.encode.batches import pad, token_budget_batches
from emolens.encode.engines import OpenVinoEngine
from emolens.encode.tokenise import Tokeniser
from emolens.errors import EncoderError
from emolens.labels import LabelSet
from emolens.store import load_json

TOKEN_BUDGET = 2048


@dataclass(frozen=True)
class Prediction:
    """The answer for one text. probabilities: by class name, the sum is 1.

    unsure: the top probability is under the classifier's threshold.
    """

    text: str
    label: str
    probability: float
    unsure: bool
    probabilities: dict[str, float]


class Classifier:
    """A fine-tuned model that is ready to answer.

    folder: a model folder with `openvino/`, as `emolens run` and `emolens export` write it.
    precision: 'fp32', 'bf16' or None for what the machine does best. unsure_below: answers whose
    top probability is lower are flagged.
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
        self.unsure_below = unsure_below
        self.runtime = runtime.choose(precision, on_cpu=True)
        names = load_json(folder / "config.json").get("id2label")
        if not names:
            raise EncoderError(
                f"{folder} holds a model without classes.",
                hint="Give a model folder, as emolens run writes it, not a bare encoder.",
            )
        self.labels = LabelSet(tuple(names[key] for key in sorted(names, key=int)))
        self.tokeniser = Tokeniser.from_folder(folder)
        self._engine = OpenVinoEngine(folder / "openvino" / "openvino_model.xml", self.runtime)

    def predict_proba(self, texts: Sequence[str]) -> np.ndarray:
        """(n, k) float64, the probabilities of each class in the order of `labels`."""
        tokens = self.tokeniser.encode(texts)
        result = np.empty((len(tokens), len(self.labels)))
        for rows in token_budget_batches(tokens.lengths, budget=TOKEN_BUDGET):
            logits = self._engine(*pad(tokens, rows, pad_id=self.tokeniser.pad_id))
            if not np.isfinite(logits).all():
                raise EncoderError(
                    "The model gives numbers that are not finite.",
                    hint="Its weights are damaged, or overflow in bf16: try --precision fp32.",
                )
            exponents = np.exp(logits.astype(np.float64) - logits.max(axis=1, keepdims=True))
            result[rows] = exponents / exponents.sum(axis=1, keepdims=True)
        return result

    def predict(self, texts: Sequence[str]) -> list[Prediction]:
        """One Prediction a text, in the order given."""
        answers = []
        for text, row in zip(texts, self.predict_proba(texts), strict=True):
            top = int(row.argmax())
            answers.append(
                Prediction(
                    text=text,
                    label=self.labels.names[top],
                    probability=float(row[top]),
                    unsure=bool(row[top] < self.unsure_below),
                    probabilities=dict(zip(self.labels.names, row.tolist(), strict=True)),
                )
            )
        return answers
