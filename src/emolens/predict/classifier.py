"""Classifier: an exported model folder that answers texts with emotions. Loads no torch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from emolens import runtime
from emolens.decide import softmax
from emolens.encode.engines.base import run_batches
from emolens.encode.engines.openvino import INT8_MODEL, MODEL, OpenVinoEngine
from emolens.encode.tokenize import Tokenizer, Tokens
from emolens.errors import EncoderError
from emolens.labels import LabelSet
from emolens.shown import one_line
from emolens.store import load_json


@dataclass(frozen=True)
class Prediction:
    """The answer for one text. probabilities: by class name, the sum is 1.

    unsure: the top probability is under the classifier's threshold, or the text is blank.
    truncated: the text was longer than the model's limit, and only its beginning was read.
    """

    text: str
    label: str
    probability: float
    unsure: bool
    truncated: bool
    probabilities: dict[str, float]

    def __repr__(self) -> str:
        doubt = ["unsure"] if self.unsure else []
        return one_line(self, f"{self.label} {self.probability:.3f}", *doubt, repr(self.text))


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
        self.unsure_below = unsure_below
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
        """(n, k) float64, the probabilities of each class in the order of `labels`."""
        return self._probabilities(self.tokenizer.encode(texts))

    def predict(self, texts: Sequence[str]) -> list[Prediction]:
        """One Prediction a text, in the order given."""
        answers = []
        tokens = self.tokenizer.encode(texts)
        rows = zip(texts, self._probabilities(tokens), tokens.truncated, strict=True)
        for text, row, truncated in rows:
            top = int(row.argmax())
            answers.append(
                Prediction(
                    text=text,
                    label=self.labels.names[top],
                    probability=float(row[top]),
                    unsure=bool(row[top] < self.unsure_below) or not text.strip(),
                    truncated=bool(truncated),
                    probabilities=dict(zip(self.labels.names, row.tolist(), strict=True)),
                )
            )
        return answers

    def _probabilities(self, tokens: Tokens) -> np.ndarray:
        if not len(tokens):
            return np.empty((0, len(self.labels)))
        return softmax(run_batches(self._engine, tokens, self.tokenizer.pad_id))
