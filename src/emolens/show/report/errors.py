"""The rows that a reader of the report should look at, in one list: errors, and doubtful labels."""

from __future__ import annotations

from dataclasses import dataclass

from emolens.data.audit import Audit
from emolens.evaluation.evaluate import Evaluation

_MOST = 30  # of each kind


@dataclass(frozen=True)
class ReadRow:
    """A row to read, and why.

    label: of several rows with one text, all their labels. answer: of the model, '' if it was not
    asked. p_label, p_answer: what the model gives them; None if it was not asked.
    """

    why: str
    split: str
    row: int
    text: str
    label: str
    answer: str = ""
    p_label: float | None = None
    p_answer: float | None = None


def worth_reading(audit: Audit, evaluation: Evaluation) -> list[ReadRow]:
    """Wrong answers of validation, the surest first; then texts with several labels, and leaks."""
    surest = [(row.split, row.row) for row in evaluation.confidently_wrong]
    wrong = [("sure, but wrong", row) for row in evaluation.confidently_wrong]
    wrong += [
        ("label least seen", row)
        for row in evaluation.hardest
        if (row.split, row.row) not in surest
    ]
    found = [
        ReadRow(why, r.split, r.row, r.text, r.label, r.predicted, r.p_label, r.p_predicted)
        for why, r in wrong
    ]
    for same in audit.contradictions[:_MOST]:
        first, labels = same["rows"][0], dict.fromkeys(row["label"] for row in same["rows"])
        found.append(
            ReadRow(
                "several labels for one text",
                first["split"],
                first["row"],
                same["text"],
                ", ".join(labels),
            )
        )
    found += [
        ReadRow("also in train", row["split"], row["row"], row["text"], row["label"])
        for row in audit.leaked_rows[:_MOST]
    ]
    return found
