"""Prints a ModelReport: what was measured of a model on labelled rows."""

from __future__ import annotations

from emolens.console import Console, start_of
from emolens.evaluation.gaps import Measured
from emolens.evaluation.verdict import percent
from emolens.judge.report import ModelReport
from emolens.judge.sentences import FIGURES, findings, left_out

_LONGEST = 100  # characters of a text in a table


def show_report(console: Console, report: ModelReport) -> None:
    """The figures, and sentences about them; with --json the whole report."""
    console.notes(left_out(report))
    if console.as_json:
        console.data(report.to_dict())
        return
    calibration = report.calibration
    figures = [[FIGURES[name], str(figure)] for name, figure in report.figures.items()]
    figures += [
        ["calibration error", str(calibration.expected)],
        ["Brier score", str(calibration.brier)],
    ]
    console.table(("figure", "value (95 %)"), figures)
    console.line()
    console.lines(findings(report))
    console.line()
    rows = [
        [
            name,
            c.precision if c.answers else None,
            c.recall if c.n else None,
            str(c.f1) if c.n else "",
            c.n,
        ]
        for name, c in report.per_class.items()
    ]
    console.table(("class", "precision", "recall", "F1 (95 %)", "rows"), rows)
    _show_promises(console, report)
    _show_mistakes(console, report)
    _show_behavior(console, report)


def _show_promises(console: Console, report: ModelReport) -> None:
    if not report.promises:
        return
    rows = [
        [
            f"{percent(p.promised, 0)}{' (in force)' if p.promised == report.promised else ''}",
            percent(p.share),
            "–" if p.accuracy is None else str(Measured(p.accuracy, p.low, p.high)),
            p.outcome,
        ]
        for p in report.promises
    ]
    console.line()
    console.table(("promise", "rows answered", "right (95 %)", "on these rows"), rows)


def _show_behavior(console: Console, report: ModelReport) -> None:
    if report.behavior is None:
        return
    rows = [
        [test.about, test.asks, test.n, str(Measured(test.share, test.low, test.high))]
        for test in report.behavior.tests
        if test.n
    ]
    console.line()
    title = "Behavioral tests of the model, on texts of emolens: what they try"
    console.table((title, "what it asks", "cases", "fail (95 %)"), rows)


def _show_mistakes(console: Console, report: ModelReport) -> None:
    if report.confused:
        console.line()
        pairs = [[p.label, p.answer, p.n, start_of(p.example, _LONGEST)] for p in report.confused]
        console.table(("label", "answered with", "rows", "for example"), pairs)
    if report.confidently_wrong:
        console.line()
        title = "The wrong answers with the highest probabilities: is the label right?"
        wrong = [
            [
                str(row.row),
                row.label or "–",
                row.answer or "–",
                row.p_answer,
                start_of(row.text, _LONGEST),
            ]
            for row in report.confidently_wrong
        ]
        columns = [report.rows.unit, "label", "answer", "probability", "text"]
        if report.confidently_wrong[0].row is None:  # the rows come from several files
            columns, wrong = columns[1:], [row[1:] for row in wrong]
        console.table(columns, wrong, title=title)
