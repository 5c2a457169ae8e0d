"""Prints a ModelReport: what was measured of a model on labelled rows."""

from __future__ import annotations

from emolens.console import Console
from emolens.judge.report import ModelReport
from emolens.judge.sentences import FIGURES, findings, left_out, percent

_LONGEST = 100  # characters of a text in a table


def show_report(console: Console, report: ModelReport) -> None:
    """The figures, and sentences about them; with --json the whole report."""
    console.notes(left_out(report))
    if console.as_json:
        console.data(report.to_dict())
        return
    figures = [[FIGURES[name], str(figure)] for name, figure in report.figures.items()]
    console.table(("figure", "value (95 %)"), figures)
    console.line()
    console.lines(findings(report))
    console.line()
    rows = [[name, c.precision, c.recall, str(c.f1), c.n] for name, c in report.per_class.items()]
    console.table(("class", "precision", "recall", "F1 (95 %)", "rows"), rows)
    _show_promises(console, report)
    _show_mistakes(console, report)


def _show_promises(console: Console, report: ModelReport) -> None:
    if not report.promises:
        return
    rows = [
        [
            f"{percent(p.right)}{' (in force)' if p.in_force else ''}",
            percent(p.answered.n / report.rows.scored),
            str(p.answered.accuracy or "–"),
            p.status,
        ]
        for p in report.promises
    ]
    console.line()
    console.table(("promise", "answered", "right (95 %)", "kept?"), rows)


def _show_mistakes(console: Console, report: ModelReport) -> None:
    if report.confused:
        console.line()
        pairs = [[p.label, p.answer, p.n, _start_of(p.example)] for p in report.confused]
        console.table(("label", "answered with", "rows", "for example"), pairs)
    if report.confidently_wrong:
        console.line()
        wrong = [
            [row.row, row.label, row.answer or "–", row.p_answer, _start_of(row.text)]
            for row in report.confidently_wrong
        ]
        title = "The wrong answers with the highest probabilities: is the label right?"
        console.table(
            (report.rows.unit, "label", "answer", "probability", "text"), wrong, title=title
        )


def _start_of(text: str) -> str:
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]} …"
