"""Found: how often each emotion occurs in a table, as counted, and without the known mistakes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from emolens.calibration import Calibration
from emolens.evaluation.gaps import Measured
from emolens.evaluation.intervals import wilson
from emolens.evaluation.shares import adjusted_shares
from emolens.likeness import LANGUAGE
from emolens.predict.classifier import Classifier, Prediction
from emolens.predict.unsure import BLANK, UNKNOWN, UNREADABLE

# With more texts than this unlike those of the training, its mistakes say little about these.
MOST_UNLIKE = 0.1


@dataclass(frozen=True)
class FoundClass:
    """One class in a table.

    answers: how many texts have it as answer. guesses: how many unsure texts have it as best guess.
    share: of both among the texts that were counted, from 0 to 1, with the interval for a draw from
    many more texts. adjusted: the share without the mistakes that the model made on labelled texts;
    None if these are not known, or if the texts are too unlike.
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

    texts: how many were counted: all but those that the model can't read. unlike: how many of them
    are unlike those of the training. classes: the frequent ones first. rows: of the labelled texts
    on which the model's mistakes are known, 0 if there are none. The shares are adjusted if there
    are some, and if no more than a tenth of the texts are unlike.
    """

    texts: int
    unlike: int
    classes: tuple[FoundClass, ...]
    rows: int

    @property
    def is_adjusted(self) -> bool:
        """Whether the classes have adjusted shares."""
        return self.rows > 0 and self.unlike <= MOST_UNLIKE * self.texts

    @classmethod
    def of(
        cls,
        names: Sequence[str],
        texts: int,
        *,
        answers: np.ndarray,
        guesses: np.ndarray,
        unlike: int = 0,
        calibration: Calibration | None = None,
    ) -> Found:
        """names: of all classes of the model. texts: at least 1. answers, guesses: (k,) counts."""
        confusion = np.array((calibration and calibration.confusion) or ())
        found = cls(texts, unlike, (), int(confusion.sum()))
        counts = answers + guesses
        adjusted: list[Measured | None] = [None] * len(names)
        if found.is_adjusted:
            adjusted = [Measured(*row) for row in adjusted_shares(counts, confusion).tolist()]
        shares = (counts / texts).tolist()
        measured = [Measured(share, *wilson(share, texts)) for share in shares]
        classes = [
            FoundClass(name, int(answers[i]), int(guesses[i]), measured[i], adjusted[i])
            for i, name in enumerate(names)
        ]
        classes.sort(key=lambda each: -each.n)
        return replace(found, classes=tuple(classes))


class ClassCounts:
    """Counts the classes of answers and of best guesses, for the texts that a model can read."""

    def __init__(self, classifier: Classifier) -> None:
        self._classifier = classifier
        self._texts = self._unlike = 0
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
        self._unlike += sum(answer.unlike is not None for answer in read)

    def found(self) -> Found | None:
        """How often each class occurs; None if the model could read no text."""
        if not self._texts:
            return None
        answers, guesses = self._counts
        names, calibration = self._classifier.labels.names, self._classifier.calibration
        if self._classifier.decision.several:
            calibration = None  # the shares do not sum to 1
        return Found.of(
            names,
            self._texts,
            answers=answers,
            guesses=guesses,
            unlike=self._unlike,
            calibration=calibration,
        )


def _is_read(answer: Prediction) -> bool:
    """Whether the model can read the text: not if it is blank, unknown, or in another language."""
    unread = answer.reason in (BLANK, UNREADABLE, UNKNOWN) or answer.unlike == LANGUAGE
    return not unread
