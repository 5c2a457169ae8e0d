"""Prints how right a model is on the rows that a person labelled."""

from __future__ import annotations

from emolens.console import Console, start_of
from emolens.data.checks import agreeing, counted
from emolens.errors import some_of
from emolens.evaluation.calibration import BROKEN, OPEN, PromiseKept
from emolens.evaluation.verdict import percent, percents
from emolens.judge.check import Checked

_LONGEST = 100  # characters of a text


def show_checked(console: Console, checked: Checked) -> None:
    """The shares of right answers, and the texts on which model and person differ."""
    console.notes(checked.notes)
    if checked.unlabelled:
        without = counted(checked.unlabelled, "text", "have")
        are = agreeing(checked.unlabelled, "are")
        console.notes([f"{without} no label, and {are} left out."])
    if console.as_json:
        console.data(checked.to_dict())
        return
    parts = {
        "answers": checked.answers,
        "best guesses for unsure texts": checked.guesses,
        "together": checked.every,
    }
    rows = [
        [name, part.n, part.right, percents(part.share) if part.share else "–"]
        for name, part in parts.items()
    ]
    console.table(("what", "texts", "right", "share right (95 %)"), rows)
    console.line()
    console.lines(_sentences(checked))
    if checked.differing:
        console.line()
        console.table(
            ("row", "you", "model", "probability", "unsure", "text"),
            [
                [
                    "" if d.row is None else str(d.row),
                    ", ".join(d.labels),
                    d.answer,
                    d.probability,
                    d.reason or "",
                    start_of(d.text, _LONGEST),
                ]
                for d in checked.differing
            ],
            title="Where you and the model differ",
        )


def _sentences(checked: Checked) -> list[str]:
    answers, promise = checked.answers, checked.promise
    lines = []
    if answers.share:
        low, high = percent(answers.share.low), percent(answers.share.high)
        lines.append(
            f"Of the model's answers to texts of this table that you can label, {low} to {high} are"
            " right (95 % interval)."
        )
    else:
        lines.append("The model answers none of these texts: all of them are unsure.")
    if checked.unsure:
        reasons = some_of([f"{reason} {n:,}" for reason, n in checked.unsure.items()])
        lines.append(f"Why texts are unsure: {reasons}.")
    if promise and promise.answered:
        lines.append(
            f"The promise that at least {percent(promise.promised, 0)} of the answers are right:"
            f" {_outcome(promise)}."
        )
        if promise.outcome == BROKEN:
            lines.append(
                "Either these texts are of another kind than those of the training, or you label by"
                " other rules: read where you differ."
            )
    return lines


def _outcome(promise: PromiseKept) -> str:
    """A few rows that happen to be right do not show that a promise is kept."""
    if promise.outcome == BROKEN or promise.low >= promise.promised:
        return promise.outcome
    return OPEN
