"""Scores any model on labelled rows. Nothing is trained or chosen.

Knows nothing of files of texts, or of how a report is shown.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from emolens.calibration import PROMISES
from emolens.data.dataset import TEST, Dataset, Split
from emolens.data.labelled import Labelled
from emolens.data.sources import load_rows
from emolens.errors import DataError
from emolens.evaluation.calibration import (
    PromiseKept,
    accuracy_by_share,
    calibration_figures,
    promise_kept,
    reliability,
)
from emolens.evaluation.metrics import confusion
from emolens.judge.behavior import behavior_of
from emolens.judge.classes import Mapped, Matching, match_classes
from emolens.judge.figures import (
    class_figures,
    one_class_figures,
    several_class_figures,
    share,
)
from emolens.judge.report import Classes, ConfusedPair, ModelReport, Rows, WrongRow
from emolens.modelfolder import has_learned_from
from emolens.predict.classifier import Classifier, Prediction, language_judge
from emolens.predict.unsure import LOW

N_WORST = 10
N_PAIRS = 8
MOST_OF_A_KIND = 3
CHUNK = 1_000
Progress = Callable[[int, int], None]


def score_model(
    model: str | Path | Classifier,
    rows: str | Path | Labelled | Dataset,
    *,
    mapping: Mapped | None = None,
    progress: Progress | None = None,
) -> ModelReport:
    """Compare a model's answers with the labels of rows. Nothing is trained.

    model: what Classifier takes, or a Classifier, whose thresholds are then used. rows: what
    load_rows takes or gives; of a Dataset, its test split. mapping: by class of the model, the name
    or names of the same class in the table; other classes are matched by their names. progress:
    called with the number of rows done, and of all rows. Raises UsageError if no class matches, and
    DataError if no row can be scored.
    """
    classifier = model if isinstance(model, Classifier) else Classifier(model)
    if isinstance(rows, Dataset):
        rows = Labelled.from_dataset(rows)
    elif not isinstance(rows, Labelled):
        rows = load_rows(rows)
    matching = match_classes(rows.labels.names, classifier.labels.names, mapping)
    places = _places(rows, matching, several=classifier.decision.several)
    asked = np.flatnonzero(places.scored | places.unknown)
    every = _answers(classifier, rows.rows.take(asked), progress)
    of_unknown = [answer for row, answer in zip(asked, every, strict=True) if places.unknown[row]]
    scored = [answer for row, answer in zip(asked, every, strict=True) if places.scored[row]]
    return ModelReport(
        model=classifier.name,
        rows=_about_rows(classifier, rows, matching, places, of_unknown),
        classes=_about_classes(rows, matching, places),
        notes=list(map(str, rows.notes)),
        behavior=behavior_of(classifier),
        **_Scored.of(classifier, rows, matching, places.scored, scored).figures(),
    )


@dataclass(frozen=True)
class _Places:
    """Which rows are scored, (n,) bool, and which are left out for which reason."""

    scored: np.ndarray
    unknown: np.ndarray
    several: np.ndarray
    without: np.ndarray


def _places(rows: Labelled, matching: Matching, *, several: bool) -> _Places:
    """several: whether the model gives several classes per row."""
    known = matching.marks(rows.rows.labels).sum(axis=1)
    unknown = matching.unknown_marks(rows.rows.labels).sum(axis=1)
    if several:
        only_unknown, none = (unknown > 0) & (known == 0), np.zeros(len(rows), dtype=bool)
        places = _Places(~only_unknown, only_unknown, none, none)
    else:
        count = known + unknown
        scored = (count == 1) & (known == 1)
        places = _Places(scored, (count == 1) & (unknown == 1), count > 1, count == 0)
    if not places.scored.any():
        raise _nothing_to_score(rows, matching, places)
    return places


def _nothing_to_score(rows: Labelled, matching: Matching, places: _Places) -> DataError:
    counts = (int(of.sum()) for of in (places.several, places.without, places.unknown))
    several, without, unknown = counts
    return DataError(
        f"No row of {rows.name} can be scored: {several:,} have several classes, {without:,} have"
        f" none, and {unknown:,} have a class that the model does not know.",
        hint=matching.way_out
        if unknown
        else "The model gives one class per text: give rows with one class.",
    )


def _answers(classifier: Classifier, rows: Split, progress: Progress | None) -> list[Prediction]:
    answers: list[Prediction] = []
    judge = language_judge(classifier)
    for start in range(0, len(rows), CHUNK):
        texts = rows.texts[start : start + CHUNK]
        answers += classifier.predict(texts, languages=judge.others(texts))
        if progress:
            progress(len(answers), len(rows))
    return answers


def _about_rows(
    classifier: Classifier,
    rows: Labelled,
    matching: Matching,
    places: _Places,
    of_unknown: Sequence[Prediction],
) -> Rows:
    partly = matching.unknown_marks(rows.rows.labels[places.scored]).any(axis=1)
    return Rows(
        name=rows.name,
        split=rows.split,
        unit=rows.unit,
        scored=int(places.scored.sum()),
        several=int(places.several.sum()),
        without_class=int(places.without.sum()),
        unknown=int(places.unknown.sum()),
        unknown_answered=sum(not answer.unsure for answer in of_unknown),
        partly_unknown=int(partly.sum()),
        trained_on=has_learned_from(classifier.folder, rows.name) and rows.split != TEST,
    )


def _about_classes(rows: Labelled, matching: Matching, places: _Places) -> Classes:
    left_out = matching.unknown_marks(rows.rows.labels[places.unknown]).sum(axis=0).tolist()
    present = matching.marks(rows.rows.labels[places.scored]).sum(axis=0).tolist()
    return Classes(
        model=matching.model,
        matched=dict(matching.targets),
        unknown=dict(zip(matching.unknown, left_out, strict=True)),
        alike=matching.alike,
        absent=tuple(n for n, here in zip(matching.model, present, strict=True) if not here),
    )


@dataclass(frozen=True)
class _Scored:
    """The rows that are scored, with the model's answers.

    truth, guesses: (n, k) bool, the classes of each row, and those of the answer, also of an unsure
    one. probabilities: (n, k). reasons: why an answer is unsure, or None. numbers: of the rows.
    unlike: how many texts are unlike those of the training, by reason.
    """

    classifier: Classifier
    texts: tuple[str, ...]
    numbers: Sequence[int | None]
    truth: np.ndarray
    guesses: np.ndarray
    probabilities: np.ndarray
    reasons: list[str | None]
    unlike: Counter[str]

    @classmethod
    def of(
        cls,
        classifier: Classifier,
        rows: Labelled,
        matching: Matching,
        scored: np.ndarray,
        answers: Sequence[Prediction],
    ) -> _Scored:
        """scored: (n,) bool, which of the rows the answers are for."""
        part = rows.rows.take(np.flatnonzero(scored))
        probabilities = np.array([list(a.probabilities.values()) for a in answers], dtype=float)
        numbers = np.array(rows.numbers or [None] * len(rows))[scored].tolist()
        return cls(
            classifier,
            part.texts,
            numbers,
            matching.marks(part.labels),
            classifier.decision.answers(probabilities),
            probabilities,
            [answer.reason for answer in answers],
            Counter(answer.unlike for answer in answers if answer.unlike),
        )

    @property
    def right(self) -> np.ndarray:
        """(n,) bool, whether the answer has exactly the classes of the row."""
        return np.asarray((self.truth == self.guesses).all(axis=1))

    @property
    def top(self) -> np.ndarray:
        """(n,) the highest probability."""
        return np.asarray(self.probabilities.max(axis=1))

    def figures(self) -> dict[str, Any]:
        """The fields of ModelReport that are about the answers."""
        names, several = self.classifier.labels.names, self.classifier.decision.several
        labels = self.truth if several else _ids(self.truth)
        matrix = None if several else confusion(labels, _ids(self.guesses), len(names))
        support = self.truth.sum(axis=0)
        sure = np.array([reason is None for reason in self.reasons])
        n, n_right = int(sure.sum()), int(self.right[sure].sum())
        promises, promised = self._promises(labels)
        return {
            "several": several,
            "figures": several_class_figures(self.truth, self.guesses)
            if matrix is None
            else one_class_figures(matrix),
            "calibration": calibration_figures(labels, self.probabilities),
            "reliability": reliability(labels, self.probabilities),
            "curve": accuracy_by_share(labels, self.probabilities),
            "largest": (names[support.argmax()], float(support.max() / len(self.truth))),
            "per_class": class_figures(self.truth, self.guesses, names),
            "confusion": None if matrix is None else matrix.tolist(),
            "answered": n,
            "right": share(n_right, n) if n else None,
            "unsure": dict(Counter(reason for reason in self.reasons if reason).most_common()),
            "unlike": self.classifier.unlike_line(self.unlike, len(self.texts)),
            "threshold": self.classifier.decision.unsure_below,
            "promises": promises,
            "promised": promised,
            "confidently_wrong": self._wrong(),
            "confused": [] if matrix is None else self._confused(matrix),
        }

    def _promises(self, labels: np.ndarray) -> tuple[list[PromiseKept], float | None]:
        """What comes of each promise of PROMISES that the model gives, and the one in force."""
        promised = self.classifier.threshold.promise
        calibration = self.classifier.calibration
        if calibration is None or self.classifier.decision.several:
            return [], None
        answerable = np.array([reason in (None, LOW) for reason in self.reasons])
        given = [p for p in calibration.promises if p.right in PROMISES or p == promised]
        kept = [
            promise_kept(labels, self.probabilities, promise, answerable=answerable)
            for promise in given
        ]
        return kept, None if promised is None else promised.right

    def _wrong(self) -> list[WrongRow]:
        """The wrong answers with the highest probabilities; only some of each kind of mistake."""
        wrong = np.flatnonzero(~self.right)
        chosen: list[int] = []
        times: Counter[tuple[bytes, bytes]] = Counter()
        for row in wrong[np.argsort(-self.top[wrong], kind="stable")].tolist():
            mistake = self.truth[row].tobytes(), self.guesses[row].tobytes()
            times[mistake] += 1
            if times[mistake] <= MOST_OF_A_KIND:
                chosen.append(row)
            if len(chosen) == N_WORST:
                break
        return [self._wrong_row(row) for row in chosen]

    def _wrong_row(self, row: int) -> WrongRow:
        names = np.array(self.classifier.labels.names)
        p = self.probabilities[row]
        return WrongRow(
            row=self.numbers[row],
            text=self.texts[row],
            label=", ".join(names[self.truth[row]]),
            answer=", ".join(names[self.guesses[row]]),
            p_label=float(p[self.truth[row]].min(initial=1.0)),
            p_answer=float(p.max()),
            reason=self.reasons[row],
        )

    def _confused(self, matrix: np.ndarray) -> list[ConfusedPair]:
        """The most frequent mistakes, each with the text that the model is surest about."""
        names, mistakes = self.classifier.labels.names, matrix - np.diag(np.diag(matrix))
        labels, guesses = _ids(self.truth), _ids(self.guesses)
        pairs = []
        for flat in np.argsort(-mistakes, axis=None, kind="stable")[:N_PAIRS].tolist():
            label, guess = divmod(flat, len(names))
            if n := int(mistakes[label, guess]):
                rows = np.flatnonzero((labels == label) & (guesses == guess))
                example = self.texts[rows[self.top[rows].argmax()]]
                pairs.append(ConfusedPair(names[label], names[guess], n, example))
        return pairs


def _ids(marks: np.ndarray) -> np.ndarray:
    """(n,) the class of each row. marks: (n, k) bool, one class per row."""
    return np.nonzero(marks)[1]
