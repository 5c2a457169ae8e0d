"""ModelReport: what was measured of one model on labelled rows. Computes no figure.

Knows nothing of models, files of texts, or pages.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from emolens.evaluation.behavior import Behavior
from emolens.evaluation.calibration import Bin, CalibrationFigures, Point, PromiseKept
from emolens.evaluation.gaps import Measured
from emolens.names import user_path
from emolens.shown import html_table, one_line
from emolens.store import load_value, save_json


@dataclass(frozen=True)
class ClassFigures:
    """The figures of one class. n: rows that have it. answers: rows that the model gave it."""

    precision: float
    recall: float
    f1: Measured
    n: int
    answers: int


@dataclass(frozen=True)
class WrongRow:
    """A row with a wrong answer. row: its number in the file, if there is one file.

    label, answer: class names, joined by ', ' if there are several. p_label, p_answer: their
    probabilities. reason: why the answer is unsure, or None.
    """

    row: int | None
    text: str
    label: str
    answer: str
    p_label: float
    p_answer: float
    reason: str | None

    def __repr__(self) -> str:
        return one_line(self, f"{self.label} taken for {self.answer}", self.text)


@dataclass(frozen=True)
class ConfusedPair:
    """How many rows of the class `label` are answered with `answer`, and one of their texts."""

    label: str
    answer: str
    n: int
    example: str


@dataclass(frozen=True)
class Classes:
    """How the classes of the table and of the model fit together.

    model: all classes of the model. matched: by class of the table, the one of the model. unknown:
    by class that the model does not know, the rows that are left out because of it. alike: for
    such classes, a class of the model that may be the same. absent: classes of the model that no
    row has.
    """

    model: tuple[str, ...]
    matched: dict[str, str]
    unknown: dict[str, int]
    alike: dict[str, str]
    absent: tuple[str, ...]


@dataclass(frozen=True)
class Rows:
    """The rows of the table. scored: those that all figures are about.

    split: 'table' for all rows. unit: what the numbers of rows count. several: rows with several
    classes, and without_class: with none of them; a model with one class per row can't be right or
    wrong there, so they are left out. unknown: rows of a class that the model does not know, which
    are left out, too; unknown_answered: how many of these get an answer that is not unsure, and so
    must be wrong. partly_unknown: scored rows that have such a class beside others. trained_on:
    whether the model was trained with a data set of this name, and the rows are not its test split.
    """

    name: str
    split: str
    unit: str
    scored: int
    several: int
    without_class: int
    unknown: int
    unknown_answered: int
    partly_unknown: int
    trained_on: bool


@dataclass(frozen=True)
class ModelReport:
    """What was measured of one model on labelled rows.

    several: whether a row may have several classes. figures: by name, each with its interval.
    calibration, reliability, curve: how far the probabilities can be trusted. largest: the most
    frequent class and its share of the rows. confusion: counts of rows, with one list for each true
    class; None with several classes per row. answered: how many answers are not unsure. right: the
    share of these that are right; None if there are none. unsure: rows by reason. unlike: a
    sentence about texts that are unlike those of the training; None if there are hardly any, or if
    nothing is known of the training. threshold: an answer with a lower probability is unsure.
    promises: those of the model, from low to high. promised: the one in force, or None.
    behavior: what came of the behavioral tests, which are about the model and not about these rows;
    None if the model is not for English. confidently_wrong: the wrong answers with the highest
    probabilities. confused: the most frequent
    mistakes. notes: what was found out, guessed or left out while the rows were read.
    """

    model: str
    rows: Rows
    classes: Classes
    several: bool
    figures: dict[str, Measured]
    calibration: CalibrationFigures
    reliability: tuple[Bin, ...]
    curve: tuple[Point, ...]
    largest: tuple[str, float]
    per_class: dict[str, ClassFigures]
    confusion: list[list[int]] | None
    answered: int
    right: Measured | None
    unsure: dict[str, int]
    unlike: str | None
    threshold: float
    promises: list[PromiseKept]
    promised: float | None
    confidently_wrong: list[WrongRow]
    confused: list[ConfusedPair]
    notes: list[str]
    behavior: Behavior | None

    def __repr__(self) -> str:
        name, figure = next(iter(self.figures.items()))
        return one_line(self, f"{self.rows.scored:,} rows of {self.rows.name}", f"{name} {figure}")

    def _repr_html_(self) -> str:
        rows = [(c, f.precision, f.recall, str(f.f1), f.n) for c, f in self.per_class.items()]
        return html_table(self, ("class", "precision", "recall", "F1", "rows"), rows)

    @property
    def promise(self) -> PromiseKept | None:
        """What came of the promise in force; None if the model promises nothing."""
        return next((kept for kept in self.promises if kept.promised == self.promised), None)

    def save(self, path: str | Path) -> Path:
        """Write one JSON file; returns its path."""
        save_json(user_path(path), self.to_dict())
        return user_path(path)

    @classmethod
    def load(cls, path: str | Path) -> ModelReport:
        """Read a file that save wrote; StorageError where the file holds anything else."""
        return load_value(cls, user_path(path))

    def to_dict(self) -> dict[str, Any]:
        """Plain values for a JSON object, also whether each promise is kept."""
        promises = [asdict(promise) | {"outcome": promise.outcome} for promise in self.promises]
        return asdict(self) | {"promises": promises}
