"""Compares a model's answers with the labels that a person wrote into a sheet."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from emolens.blank import is_blank
from emolens.data.checks import Note, agreeing, counted
from emolens.data.readers.columns import Unread, readable_texts, spelled
from emolens.data.readers.open import open_table, source_of, tables_inside
from emolens.data.readers.options import AS_FOUND, ReadOptions
from emolens.data.readers.source import Source
from emolens.data.readers.table import Table
from emolens.errors import DataError, nearest, some_of
from emolens.evaluation.calibration import PromiseKept, promise_kept
from emolens.evaluation.gaps import Measured
from emolens.judge.figures import share
from emolens.judge.lost import with_lost_signs
from emolens.judge.sheet import LABEL, NONE, PAGE, ROW, TEXT
from emolens.judge.written import written_labels
from emolens.predict.classifier import Classifier, Prediction, language_judge
from emolens.predict.unsure import LOW
from emolens.shown import one_line


@dataclass(frozen=True)
class Part:
    """Some of the texts: n, for how many the answer, or the best guess, is right, and the share."""

    n: int
    right: int
    share: Measured | None

    @classmethod
    def of(cls, right: np.ndarray) -> Part:
        """right: (n,) bool."""
        n, n_right = len(right), int(right.sum())
        return cls(n, n_right, share(n_right, n) if n else None)


@dataclass(frozen=True)
class Differing:
    """A text for which the model says something else than the person. row: of the table."""

    row: int | None
    text: str
    labels: tuple[str, ...]
    answer: str
    probability: float
    reason: str | None


@dataclass(frozen=True)
class Checked:
    """How often a model is right on the texts of a sheet.

    unlabelled: texts without a label, which are left out. answers: texts that the model answers.
    guesses: unsure texts, of which the best guess counts; unsure: how many there are by reason.
    every: both together. promise: what came of the promise in force; None if nothing is promised.
    differing: the answers first, and of these the sure ones first.
    """

    unlabelled: int
    answers: Part
    guesses: Part
    unsure: Mapping[str, int]
    every: Part
    promise: PromiseKept | None
    differing: tuple[Differing, ...]
    notes: tuple[Note, ...]

    def __repr__(self) -> str:
        answers, guesses = self.answers, self.guesses
        return one_line(
            self,
            f"{answers.right:,} of {answers.n:,} answers right",
            f"{guesses.right:,} of {guesses.n:,} best guesses right",
        )

    def to_dict(self) -> dict[str, Any]:
        """Plain values for a JSON object."""
        return asdict(self) | {"notes": list(map(str, self.notes))}


@dataclass(frozen=True)
class _Labelled:
    """A text with its labels, as numbers of classes."""

    row: int | None
    text: str
    labels: tuple[int, ...]


def score_sheet(
    model: str | Path | Classifier, source: str | Path | Source, *, read: ReadOptions = AS_FOUND
) -> Checked:
    """Compare the answers of a model with the labels in a sheet of draw_sheet.

    model: what Classifier takes, or a Classifier, whose thresholds are then used. A label is a
    class of the model, or `none` if none of them fits. Of several with commas between them each is
    right; a model that gives several classes must give all of them. Raises DataError if there is no
    label, or one that is no class.
    """
    classifier = model if isinstance(model, Classifier) else Classifier(model)
    with source_of(source, read) as given:
        labelled, unlabelled, notes = _labelled_in(given, read, classifier.labels.names)
    texts = [row.text for row in labelled]
    answers = classifier.predict(texts, languages=language_judge(classifier).others(texts))
    probabilities = np.array([list(a.probabilities.values()) for a in answers], dtype=float)
    truth = np.zeros(probabilities.shape, dtype=bool)
    for place, row in enumerate(labelled):
        truth[place, list(row.labels)] = True
    marks, several = classifier.decision.answers(probabilities), classifier.decision.several
    right = np.asarray((marks == truth).all(axis=1) if several else (marks & truth).any(axis=1))
    sure = np.array([not answer.unsure for answer in answers])
    return Checked(
        unlabelled,
        Part.of(right[sure]),
        Part.of(right[~sure]),
        dict(Counter(answer.reason for answer in answers if answer.reason).most_common()),
        Part.of(right),
        _promise(classifier, truth, probabilities, answers),
        _differing(labelled, answers, right, classifier.labels.names),
        tuple(notes),
    )


def _labelled_in(
    source: Source, read: ReadOptions, names: Sequence[str]
) -> tuple[list[_Labelled], int, list[Note]]:
    """The texts of a sheet that have a label, how many have none, and notes.

    Raises DataError if none has a label.
    """
    # The page of the classes is no other table, of which a note would have to tell.
    _, options = tables_inside(source.path, read).get(PAGE, (source.path, read))
    table = open_table(source, labelled=False, options=options)
    labelled, unlabelled, notes = _labelled(table, names)
    if not labelled:
        raise DataError(
            f"No text of {table.origin} has a label yet.",
            hint=f"Write one of these into the column '{LABEL}': {some_of(names)}. If this is no"
            " sheet but a table of yours, give that column another name.",
        )
    rows, texts = [row.row for row in labelled], [row.text for row in labelled]
    texts, lost = with_lost_signs(source, read, rows, texts)
    labelled = [replace(row, text=text) for row, text in zip(labelled, texts, strict=True)]
    return labelled, unlabelled, [*table.notes, *notes, *lost]


def _labelled(table: Table, names: Sequence[str]) -> tuple[list[_Labelled], int, list[Note]]:
    """The texts with a label, how many have none, and notes about rows that can't be used."""
    text, label, row = (spelled(table, name) for name in (TEXT, LABEL, ROW))
    if text is None or label is None:
        raise DataError(
            f"{table.origin} is no sheet: it needs the columns '{TEXT}' and '{LABEL}'.",
            hint="Draw one from a table with: emolens check FILE",
        )
    labelled, unlabelled, n_blank = [], 0, 0
    unread, unknown = Unread(), Counter[str]()
    for chunk in table.chunks():
        texts, errors = readable_texts(table, chunk, text)
        labels, others = readable_texts(table, chunk, label)
        unread.add(chunk, {**errors, **others})
        for i, given in enumerate(labels):
            if i in errors or i in others:
                continue
            written = written_labels(given, names)
            if is_blank(texts[i]):
                n_blank += bool(written)
            elif not written:
                unlabelled += 1
            else:
                unknown.update(written.unknown)
                number = str(chunk.rows[i].get(row)) if row else ""
                labelled.append(
                    _Labelled(int(number) if number.isdecimal() else None, texts[i], written.ids)
                )
    if unknown:
        words = [f"'{word}' ({counted(n, 'row')})" for word, n in unknown.most_common()]
        raise DataError(
            f"{table.origin} has labels that are no class of the model: {some_of(words)}.",
            hint=f"{nearest(unknown.most_common()[0][0], names)} Put a comma between two classes."
            f" Write {NONE} if no class fits, and leave the cell empty if you can't say.",
        )
    notes = unread.notes(table, "score")
    if n_blank:
        are = agreeing(n_blank, "are")
        text = f"{counted(n_blank, 'row', 'have')} a label and no text, and {are} left out."
        notes.append(Note("T01", text, n_rows=n_blank))
    return labelled, unlabelled, notes


def _promise(
    classifier: Classifier,
    truth: np.ndarray,
    probabilities: np.ndarray,
    answers: Sequence[Prediction],
) -> PromiseKept | None:
    promise = classifier.threshold.promise
    if promise is None:
        return None
    answerable = np.array([answer.reason in (None, LOW) for answer in answers])
    return promise_kept(truth, probabilities, promise, answerable=answerable)


def _differing(
    labelled: Sequence[_Labelled],
    answers: Sequence[Prediction],
    right: np.ndarray,
    names: Sequence[str],
) -> tuple[Differing, ...]:
    wrong = [
        Differing(
            row.row,
            row.text,
            tuple(names[i] for i in row.labels) or (NONE,),
            answer.label or answer.best_guess or "",
            answer.probability or 0.0,
            answer.reason,
        )
        for row, answer, is_right in zip(labelled, answers, right, strict=True)
        if not is_right
    ]
    return tuple(sorted(wrong, key=lambda w: (w.reason is not None, -w.probability)))
