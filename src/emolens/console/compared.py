"""Prints a RunComparison: which of several runs is better, and where they differ."""

from __future__ import annotations

from emolens.console import Console, start_of
from emolens.evaluation.compared import RunComparison, accuracy_sentence, signed
from emolens.scores import role_of

_LONGEST = 100  # characters of a text in a table
_MOST_ROWS = 10


def show_comparison(console: Console, comparison: RunComparison) -> None:
    """Figures and sentences; with --json the whole comparison."""
    console.notes(comparison.notes)
    if console.as_json:
        console.data(comparison.to_dict())
        return
    runs = comparison.runs
    console.lines(f"{run.name}: {run.folder}, {run.seconds:,.1f} s of training" for run in runs)
    console.line()
    rows = [
        [run.name, role_of(model).title, *map(str, figures.values())]
        for run in runs
        for model, figures in run.models.items()
    ]
    title = f"{comparison.n:,} rows of {comparison.split}"
    console.table(("run", "model", "accuracy (95 %)", "macro-F1 (95 %)"), rows, title=title)
    for pair, finding in zip(comparison.pairs, comparison.findings, strict=True):
        console.line()
        console.lines([finding, accuracy_sentence(comparison, pair)])
        difference = f"Macro-F1 of {pair.second} minus that of {pair.first}"
        console.line(f"{difference}: {signed(pair.macro_f1)} (95 % interval).")
    console.line()
    _show_classes(console, comparison)
    _show_settings(console, comparison)
    _show_rows(console, comparison)


def _show_classes(console: Console, comparison: RunComparison) -> None:
    pairs = comparison.pairs
    rows = [
        [name, *(signed(pair.f1[name]) for pair in pairs)]
        for name in comparison.labels
        if name in pairs[0].f1
    ]
    columns = [f"F1 of {pair.second} minus {pair.first} (95 %)" for pair in pairs]
    console.table(("class", *columns), rows)


def _show_settings(console: Console, comparison: RunComparison) -> None:
    if comparison.settings:
        console.line()
        names = [run.name for run in comparison.runs]
        rows = [[name, *values] for name, values in comparison.settings.items()]
        console.table(("what differs", *names), rows)


def _show_rows(console: Console, comparison: RunComparison) -> None:
    if not comparison.rows:
        return
    names = [run.name for run in comparison.runs]
    shown = comparison.differing()[:_MOST_ROWS]
    rows = [
        [
            str(row.row),
            row.label,
            *(f"{a} {p:.3f}" for a, p in zip(row.answers, row.probabilities, strict=True)),
            start_of(row.text, _LONGEST),
        ]
        for row in shown
    ]
    n = len(comparison.rows)
    console.line()
    title = f"{n:,} of {comparison.n:,} rows get different answers"
    if len(shown) < n:
        title += f"; {len(shown)} of them"
    console.table(("row", "label", *names, "text"), rows, title=title)
