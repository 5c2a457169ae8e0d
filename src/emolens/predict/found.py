"""Found: how often each emotion occurs in a table, as counted, and without the known mistakes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from emolens.calibration import Calibration
from emolens.evaluation.gaps import Measured
from emolens.evaluation.intervals import wilson
from emolens.evaluation.shares import adjusted_shares
from emolens.likeness import LANGUAGE
from emolens.predict.classifier import Classifier, Prediction
from emolens.predict.unsure import BLANK, UNKNOWN, UNREADABLE


@dataclass(frozen=True)
class FoundClass:
    """One class in a table.

    answers: how many texts have it as answer. guesses: how many unsure texts have it as best guess.
    share: of both among the texts that were counted, from 0 to 1, with the interval for a draw from
    many more texts. adjusted: the share without the mistakes that the model made on labelled texts;
    None if these are not known.
    """

    label: str
    answers: int
    guesses: int
    share: Measured
    adjusted: Measured | None

    @property
    def n(self) -> int:
        """Texts with this class as answer or as best guess."""
        return self.answers + self.guesses


@dataclass(frozen=True)
class Found:
    """What a table holds.

    texts: how many were counted: all but those that the model can't read. classes: the frequent
    ones first. rows: of the labelled texts that the adjusted shares rest on, 0 if there are none.
    """

    texts: int
    classes: tuple[FoundClass, ...]
    rows: int

    @classmethod
    def of(
        cls,
        names: Sequence[str],
        texts: int,
        *,
        answers: np.ndarray,
        guesses: np.ndarray,
        calibration: Calibration | None = None,
    ) -> Found:
        """names: of all classes of the model. texts: at least 1. answers, guesses: (k,) counts."""
        counts, confusion = answers + guesses, calibration.confusion if calibration else None
        adjusted: list[Measured | None] = [None] * len(names)
        if confusion is not None:
            without = adjusted_shares(counts, np.array(confusion))
            adjusted = [Measured(*row) for row in without.tolist()]
        shares = (counts / texts).tolist()
        measured = [Measured(share, *wilson(share, texts)) for share in shares]
        classes = [
            FoundClass(name, int(answers[i]), int(guesses[i]), measured[i], adjusted[i])
            for i, name in enumerate(names)
        ]
        classes.sort(key=lambda found: -found.n)
        return cls(texts, tuple(classes), 0 if confusion is None else int(np.sum(confusion)))


class ClassCounts:
    """Counts the classes of answers and of best guesses, for the texts that a model can read."""

    def __init__(self, classifier: Classifier) -> None:
        self._classifier = classifier
        self._texts = 0
        self._counts = np.zeros((2, len(classifier.labels)), dtype=np.int64)

    def add(self, answers: Iterable[Prediction]) -> None:
        """Count the answers to more texts."""
        read = [answer for answer in answers if _is_read(answer)]
        if not read:
            return
        probabilities = np.array([list(answer.probabilities.values()) for answer in read])
        marks = self._classifier.decision.answers(probabilities)
        guessed = np.array([answer.label is None for answer in read])
        self._counts += [marks[~guessed].sum(axis=0), marks[guessed].sum(axis=0)]
        self._texts += len(read)

    def found(self) -> Found | None:
        """How often each class occurs; None if the model could read no text."""
        if not self._texts:
            return None
        answers, guesses = self._counts
        names, calibration = self._classifier.labels.names, self._classifier.calibration
        return Found.of(
            names, self._texts, answers=answers, guesses=guesses, calibration=calibration
        )


def _is_read(answer: Prediction) -> bool:
    """Whether the model can read the text: not if it is blank, unknown, or in another language."""
    unread = answer.reason in (BLANK, UNREADABLE, UNKNOWN) or answer.unlike == LANGUAGE
    return not unread
