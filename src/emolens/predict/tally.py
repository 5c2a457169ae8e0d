"""Tally: what became of the rows of a table, in numbers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from emolens.data.checks import Note, counted
from emolens.errors import some_of
from emolens.predict.classifier import Prediction
from emolens.predict.found import Found
from emolens.predict.unsure import BLANK


@dataclass
class Tally:
    """Counts of rows: all, those with an emotion, those cut at the model's limit, those without a
    text, those with a text and an unsure answer, and those that could not be read as they should.
    reasons: how many rows are unsure for each reason, blank and unreadable ones too. unlike: how
    many texts are unlike those that the model was trained on, by reason. notes: what was guessed,
    changed or left out, and what is known about the answers. found: how often each class occurs.
    """

    rows: int = 0
    answered: int = 0
    truncated: int = 0
    blank: int = 0
    unsure: int = 0
    errors: int = 0
    reasons: Counter[str] = field(default_factory=Counter)
    unlike: Counter[str] = field(default_factory=Counter, repr=False)
    notes: list[Note] = field(default_factory=list, repr=False)
    found: Found | None = field(default=None, repr=False)

    def add(self, answers: Sequence[Prediction], *, n_errors: int) -> None:
        """Count more rows, of which n_errors could not be read."""
        reasons = Counter(answer.reason for answer in answers if answer.reason)
        self.reasons += reasons
        self.unlike.update(answer.unlike for answer in answers if answer.unlike)
        self.rows += len(answers)
        self.answered += sum(answer.label is not None for answer in answers)
        self.truncated += sum(answer.truncated for answer in answers)
        self.blank += reasons[BLANK]
        self.unsure += sum(a.unsure and a.probability is not None for a in answers)
        self.errors += n_errors

    @property
    def summary(self) -> str:
        """How many rows have an answer, how many are unsure, and why, in one line."""
        n_unsure = self.reasons.total()
        parts = [f"{self.answered:,} answered", f"{n_unsure:,} unsure"]
        if self.answered + n_unsure > self.rows:  # with --answer-all
            parts = [f"{self.answered:,} have an emotion", f"{n_unsure:,} are unsure"]
        why = some_of([f"{n:,} {reason}" for reason, n in self.reasons.most_common()])
        return f"{counted(self.rows, 'row')}: {', '.join(parts)}" + (f" ({why})." if why else ".")
