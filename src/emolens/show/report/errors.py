"""The rows that a reader of the report should look at, in one list: errors, and doubtful labels."""

from __future__ import annotations

from dataclasses import dataclass

from emolens.data.audit import Audit
from emolens.evaluation.evaluate import Evaluation

MOST = 30  # of each kind
SEVERAL, LEAKED = "several labels for one text", "also in train"


@dataclass(frozen=True)
class ReadRow:
    """A row to read, and why.

    label: of several rows with one text, all their labels and places. answer: of the model, '' if
    it was not asked. p_label, p_answer: what the model gives them; None if it was not asked.
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
    """Wrong answers of validation, the surest first; then texts with several labels, and leaks.

    At most MOST of the last two kinds.
    """
    surest = [(row.split, row.row) for row in evaluation.confidently_wrong]
    wrong = [("sure, but wrong", row) for row in evaluation.confidently_wrong]
    wrong += [
        ("label very unlikely", row)
        for row in evaluation.hardest
        if (row.split, row.row) not in surest
    ]
    found = [
        ReadRow(why, r.split, r.row, r.text, r.label, r.predicted, r.p_label, r.p_predicted)
        for why, r in wrong
    ]
    for same in audit.contradictions[:MOST]:
        first = same["rows"][0]
        labels = ", ".join(f"{row['label']} ({row['split']} {row['row']})" for row in same["rows"])
        found.append(ReadRow(SEVERAL, first["split"], first["row"], same["text"], labels))
    found += [
        ReadRow(LEAKED, row["split"], row["row"], row["text"], row["label"])
        for row in audit.leaked_rows[:MOST]
    ]
    return found


def left_out_sentence(audit: Audit) -> str:
    """How many rows the list has no room for; empty if it has all."""
    kinds = {
        "texts that have several labels": audit.contradictions,
        "texts that are also in train": audit.leaked_rows,
    }
    cut = [
        f"Of the {len(rows):,} {what}, only the first {MOST} are listed."
        for what, rows in kinds.items()
        if len(rows) > MOST
    ]
    return f"{' '.join(cut)} audit.json has all." if cut else ""
