"""Prints what a table holds: how often each emotion occurs."""

from __future__ import annotations

from emolens.console import Console
from emolens.data.checks import counted
from emolens.evaluation.verdict import percents
from emolens.predict.found import Found

_MOST = 12  # classes that are shown


def show_found(console: Console, found: Found) -> None:
    """A table on stderr, because stdout may be the table with the answers."""
    shown: dict[str, list[object]] = {
        "emotion": [c.label for c in found.classes],
        "answers": [c.answers for c in found.classes],
        "best guesses": [c.guesses for c in found.classes],
        "share (95 %)": [percents(c.share) for c in found.classes],
        "adjusted (95 %)": [c.adjusted and percents(c.adjusted) for c in found.classes],
    }
    if not any(shown["best guesses"]):  # with --answer-all
        del shown["best guesses"]
    if not found.is_adjusted:
        del shown["adjusted (95 %)"]
    rows = list(zip(*shown.values(), strict=True))
    title = f"What was found in {counted(found.texts, 'text')}"
    console.table(list(shown), rows[:_MOST], title=title, on_stderr=True)
    if rest := found.classes[_MOST:]:
        console.note(f"and {len(rest)} more classes: {sum(c.n for c in rest):,} texts")
    if found.is_adjusted:
        console.note(
            "adjusted: without the mistakes that the model made on"
            f" {found.rows:,} labelled texts; an estimate for texts like those, with any mix"
        )
    elif found.rows:
        console.note(
            f"The shares are not adjusted for the model's known mistakes: {found.unlike:,} of these"
            " texts are unlike those on which it was measured, so they may be other ones here."
        )
