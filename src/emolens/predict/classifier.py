"""Classifier: answers texts with emotions. Knows nothing of engines or tables; loads no torch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from emolens.data.languages import Judge
from emolens.export.model import ExportedModel, Outputs, find_model
from emolens.likeness import LANGUAGE
from emolens.modelfolder import TRAINING_TEXTS, read_emolens_json, shown_name
from emolens.names import BUNDLED
from emolens.predict.threshold import Wanted, set_threshold_of, threshold_of
from emolens.predict.unlike import unlike_line
from emolens.predict.unsure import reasons
from emolens.shown import html_table, one_line


@dataclass(frozen=True)
class Prediction:
    """The answer for one text.

    label: the most probable class; None if the answer is unsure. A model for several labels answers
    with all classes at .5 or more, joined by ', '. best_guess: what the answer to an unsure text
    would have been. A blank text has neither, and no probability. probability: the highest one.
    unsure: do not rely on the answer. reason: why it is unsure, one of the texts in
    `emolens.predict.unsure`, such as 'low probability'. truncated: the text was longer than the
    model's limit, and only its beginning was read. probabilities: by class name. Their sum is 1,
    except for a model for several labels. prediction_set: if it was asked for, the classes of which
    one is right as often as asked. unlike: why the text is unlike those that the model was trained
    on, one of the texts in `emolens.likeness`, such as 'content'. About 1 % of the texts of the
    kind that it was trained on are called unlike, too.
    """

    text: str
    label: str | None
    best_guess: str | None
    probability: float | None
    unsure: bool
    reason: str | None
    truncated: bool
    probabilities: dict[str, float | None]
    prediction_set: tuple[str, ...] | None = None
    unlike: str | None = None

    def __repr__(self) -> str:
        answer = "no text"
        if self.probability is not None:
            answer = f"{self.label or self.best_guess or 'no label'} {self.probability:.3f}"
        flags = [f"unsure: {self.reason}"] if self.unsure else []
        return one_line(self, answer, *flags, repr(self.text))

    def _repr_html_(self) -> str:
        return html_table(self, ("class", "probability"), self.probabilities.items())


class Classifier:
    """A fine-tuned model that is ready to answer.

    model: `general`, which comes with emolens; a model folder with `openvino/` or `onnx/`, as
    `emolens run` and `emolens export` write it; or `owner/name` or `owner/name@revision` on the
    Hub. `name` says which one it is, `folder` where its files are. precision: 'fp32', 'bf16', or
    'int8' if it was exported; None chooses bf16 or fp32 by the machine, and int8 if nothing else
    was exported. At most one of the next three is given. promise: how many of the answers must be
    right, for example 0.95. coverage: how many of the texts should be answered. unsure_below: an
    answer is unsure if its highest probability is lower. Without one of them, the promise of the
    model holds; `threshold` says which. answer_all: unsure texts have a label, too. Raises
    UsageError for a promise that this model can't keep.
    """

    def __init__(
        self,
        model: str | Path = BUNDLED,
        *,
        precision: str | None = None,
        unsure_below: float | None = None,
        promise: float | None = None,
        coverage: float | None = None,
        answer_all: bool = False,
    ) -> None:
        wanted = Wanted(unsure_below, promise, coverage)
        folder = find_model(model, precision=precision)
        self._model = ExportedModel(folder, precision=precision)
        self.folder, self.runtime = self._model.folder, self._model.runtime
        head = self._model.head
        self.tokenizer, self.labels = self._model.tokenizer, head.labels
        self.threshold = threshold_of(folder, head, wanted, answer_all=answer_all)
        self.decision = replace(head.decision, unsure_below=self.threshold.unsure_below)
        self.answer_all, self.calibration = answer_all, head.calibration

    def __repr__(self) -> str:
        return one_line(self, self.name, f"{len(self.labels)} classes", self.runtime.precision)

    @property
    def name(self) -> str:
        """What to call the model: `general`, owner/name@commit of the Hub, or its folder."""
        return shown_name(self.folder)

    def unlike_line(self, counts: Mapping[str, int], n: int) -> str | None:
        """Say how many of n texts are unlike those of the training, and what it means.

        counts: by reason, as in Prediction.unlike. None if texts like those of training could well
        give so many, or if nothing is known of them.
        """
        known = self._model.texts
        if known is None or known.is_chance(n, sum(counts.values())):
            return None
        return unlike_line(counts, n, promised=self.threshold.promise is not None)

    @property
    def max_length(self) -> int:
        """Tokens a text may have; longer ones are cut, and flagged."""
        return self.tokenizer.max_length

    def predict_proba(self, texts: Sequence[str]) -> np.ndarray:
        """(n, k) float64, the probabilities of each class in the order of `labels`.

        The row of a blank text is NaN; the model does not get blank texts.
        """
        return self._model.ask(texts).probabilities

    def predict(
        self,
        texts: Sequence[str],
        *,
        sets: float | None = None,
        languages: Sequence[str | None] = (),
    ) -> list[Prediction]:
        """One Prediction for each text, blank ones too, in the order given.

        sets: how often the prediction sets should hold the right class, for example 0.9. languages:
        of each text, the other language that it is in, or None (language_judge finds them); empty
        if all texts pass as those of the model.
        """
        lowest = None if sets is None else self.check_sets(sets)
        outputs, decision = self._model.ask(texts), self.decision
        probabilities, names = outputs.probabilities, self.labels.names
        others = languages or [None] * len(texts)
        answers = decision.answers(probabilities)
        why = self._reasons(outputs, answers, others)
        in_set = None if lowest is None else decision.in_set(probabilities, lowest)
        empty = np.isnan(probabilities).any(axis=1).tolist()
        predictions = []
        for row, text in enumerate(texts):
            values = [None] * len(names) if empty[row] else probabilities[row].tolist()
            answer = ", ".join(_chosen(names, answers[row])) or None
            unsure, given = why[row] is not None, why[row] is None or self.answer_all
            prediction = Prediction(
                text=text,
                label=answer if given else None,
                best_guess=None if given else answer,
                probability=None if empty[row] else max(values),
                unsure=unsure,
                reason=why[row],
                truncated=bool(outputs.truncated[row]),
                probabilities=dict(zip(names, values, strict=True)),
                prediction_set=None if in_set is None else _chosen(names, in_set[row]),
                unlike=LANGUAGE if others[row] else outputs.unlike[row] or None,
            )
            predictions.append(prediction)
        return predictions

    def check_sets(self, coverage: float) -> float:
        """The lowest probability of a class in prediction sets that hold the right class so often.

        Raises UsageError if this was not measured for the model.
        """
        return set_threshold_of(self.folder, self._model.head, coverage)

    def _reasons(
        self, outputs: Outputs, answers: np.ndarray, languages: Sequence[str | None]
    ) -> list[str | None]:
        return reasons(
            self.decision.unsure(outputs.probabilities),
            np.logical_not(answers.any(axis=1)),
            blank=outputs.blank,
            unknown=outputs.unknown,
            cut=(outputs.truncated, self.max_length),
            languages=languages,
        )


def _chosen(names: Sequence[str], chosen: np.ndarray) -> tuple[str, ...]:
    return tuple(names[i] for i in np.flatnonzero(chosen).tolist())


def language_judge(classifier: Classifier) -> Judge:
    """Finds texts in another language than those of the training, if that one is known."""
    facts = read_emolens_json(classifier.folder).get(TRAINING_TEXTS)
    language = facts.get("language") if isinstance(facts, dict) else None
    return Judge(language if isinstance(language, str) else None)
