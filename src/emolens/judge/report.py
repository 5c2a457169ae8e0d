"""ModelReport: what was measured of one model on labelled rows. Computes no figure.

Knows nothing of models, files of texts, or pages.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

from emolens.names import user_path
from emolens.shown import html_table, one_line
from emolens.store import load_json, save_json, unreadable

Status = Literal["kept", "broken", "too few rows"]


@dataclass(frozen=True)
class Figure:
    """A figure with its interval at 95 %. Without rows, there is no interval."""

    value: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.value:.4f} ({self.low:.3f}–{self.high:.3f})"


@dataclass(frozen=True)
class ClassFigures:
    """The figures of one class. n: rows that have it. answers: rows that the model gave it."""

    precision: float
    recall: float
    f1: Figure
    n: int
    answers: int


@dataclass(frozen=True)
class Answered:
    """The rows whose answer is not unsure. accuracy: of these answers; None if there are none."""

    n: int
    n_right: int
    accuracy: Figure | None


@dataclass(frozen=True)
class KeptPromise:
    """A promise of the model, and what became of it: of the answers from this threshold on, at
    least the share `right` is right.

    status: 'kept' if the whole interval of the accuracy is at `right` or above it, 'broken' if it
    is below, otherwise 'too few rows' to say. in_force: whether it is the model's own promise, or
    the one that was asked for.
    """

    right: float
    threshold: float
    answered: Answered
    status: Status
    in_force: bool

    def __repr__(self) -> str:
        return one_line(self, f"{self.right:.3g} right", f"{self.answered.n:,} rows", self.status)


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
    the rows of each class that the model does not know. absent: classes of the model that no row
    has.
    """

    model: tuple[str, ...]
    matched: dict[str, str]
    unknown: dict[str, int]
    absent: tuple[str, ...]


@dataclass(frozen=True)
class Rows:
    """The rows of the table. scored: those that all figures are about.

    split: 'table' for all rows. unit: what the numbers of rows count. several: rows with several
    classes, and without_class: with none of them; a model with one class per row can't be right or
    wrong there, so they are left out. unknown: rows of a class that the model does not know, which
    are left out, too; unknown_answered: how many of these get an answer that is not unsure, and so
    must be wrong.
    """

    name: str
    split: str
    unit: str
    scored: int
    several: int
    without_class: int
    unknown: int
    unknown_answered: int


@dataclass(frozen=True)
class ModelReport:
    """What was measured of one model on labelled rows.

    several: whether a row may have several classes. figures: by name, each with its interval.
    mean_probability: of the answers. largest: the most frequent class and its share of the rows.
    confusion: counts of rows, with one list for each true class; None with several classes per row.
    unsure: rows by reason. promises: from low to high. confidently_wrong: the wrong answers with
    the highest probabilities. confused: the most frequent mistakes. notes: what was found out,
    guessed or left out while the rows were read.
    """

    model: str
    rows: Rows
    classes: Classes
    several: bool
    figures: dict[str, Figure]
    mean_probability: float
    largest: tuple[str, float]
    per_class: dict[str, ClassFigures]
    confusion: list[list[int]] | None
    answered: Answered
    unsure: dict[str, int]
    promises: list[KeptPromise]
    confidently_wrong: list[WrongRow]
    confused: list[ConfusedPair]
    notes: list[str]

    def __repr__(self) -> str:
        name, figure = next(iter(self.figures.items()))
        return one_line(self, f"{self.rows.scored:,} rows of {self.rows.name}", f"{name} {figure}")

    def _repr_html_(self) -> str:
        rows = [(c, f.precision, f.recall, str(f.f1), f.n) for c, f in self.per_class.items()]
        return html_table(self, ("class", "precision", "recall", "F1", "rows"), rows)

    @property
    def promise(self) -> KeptPromise | None:
        """The promise in force; None if the model promises nothing."""
        return next((promise for promise in self.promises if promise.in_force), None)

    def save(self, path: str | Path) -> Path:
        """Write one JSON file; returns its path."""
        save_json(user_path(path), self.to_dict())
        return user_path(path)

    @classmethod
    def load(cls, path: str | Path) -> ModelReport:
        """Read a file that save wrote; StorageError where the file holds anything else."""
        from pydantic import TypeAdapter

        plain = load_json(user_path(path))
        try:
            report: ModelReport = TypeAdapter(cls).validate_python(plain)
        except ValueError as error:
            raise unreadable(user_path(path), error) from error
        return report

    def to_dict(self) -> dict[str, Any]:
        """Plain values for a JSON object."""
        return asdict(self)
