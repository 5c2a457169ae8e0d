"""The page, the table of rows and the file of figures of a RunComparison.

Knows nothing of how runs were compared.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable
from pathlib import Path

from emolens.errors import require
from emolens.evaluation.compared import (
    RunComparison,
    RunPair,
    accuracy_sentence,
    plus,
    signed,
)
from emolens.names import user_path
from emolens.output import atomic_file, new_output
from emolens.predict.writers.cells import safe
from emolens.scores import EXPORTED, role_of
from emolens.show.page import render, sections_shown
from emolens.store import check_ending, json_text

PAGE, ROWS, FIGURES = ".html", ".csv", ".json"
_MOST_ROWS = 100  # on a page


def render_compared(comparison: RunComparison) -> str:
    """The HTML of the page."""
    sections = {
        "short": "In short",
        "models": "The models of each run",
        "by-class": "By class",
        "rows": "Rows with different answers",
        "settings": "What differs in the settings",
        "notes": "How to read this",
    }
    shown = {"rows": bool(comparison.rows), "settings": bool(comparison.settings)}
    return render(
        "compared.html.j2",
        comparison=comparison,
        sections=sections_shown(sections, shown),
        by_name={run.name: run for run in comparison.runs},
        sentences=[accuracy_sentence(comparison, pair) for pair in comparison.pairs],
        rows=comparison.differing()[:_MOST_ROWS],
        reaches=[_reach(pair) for pair in comparison.pairs],
        exported=EXPORTED.name,
        role_of=role_of,
        plus=plus,
        signed=signed,
    )


def check_comparison_target(
    target: Path, endings: Iterable[str] = (PAGE, ROWS, FIGURES), *, overwrite: bool = False
) -> None:
    """Raise what write_comparison raises for this target, before anything is computed."""
    check_ending(target, tuple(endings))
    if target.suffix.lower() == PAGE:
        require("jinja2", "train")
    new_output(target, overwrite=overwrite)


def write_comparison(
    comparison: RunComparison,
    target: str | Path,
    *,
    safe_csv: bool = False,
    overwrite: bool = False,
) -> Path:
    """Write a page (.html), all rows with different answers (.csv), or everything (.json).

    safe_csv: put a ' before cells that a spreadsheet would run as a formula. Returns the path.
    Raises UsageError for another ending, or if the file exists and overwrite is not set.
    """
    path = user_path(target)
    check_comparison_target(path, overwrite=overwrite)
    ending = path.suffix.lower()
    if ending == PAGE:
        text = render_compared(comparison)
    elif ending == ROWS:
        text = _csv(comparison, safe_csv=safe_csv)
    else:
        text = json_text(comparison.to_dict())
    with atomic_file(path, overwrite=overwrite) as file:
        file.write(text.encode())
    return path


def _csv(comparison: RunComparison, *, safe_csv: bool) -> str:
    """A line for each row with different answers: what each run answers, and which are right."""
    names = [run.name for run in comparison.runs]
    header = ["row", "text", "label"]
    header += [f"{name}_{what}" for name in names for what in ("answer", "probability")]
    lines = [[*header, "right"]]
    for row in comparison.rows:
        given = zip(row.answers, map(str, row.probabilities), strict=True)
        right = " ".join(name for name, hit in zip(names, row.right, strict=True) if hit)
        cells = [str(row.row), row.text, row.label, *(v for pair in given for v in pair), right]
        lines.append([safe(cell) for cell in cells] if safe_csv else cells)
    file = io.StringIO()
    csv.writer(file, lineterminator="\n").writerows(lines)
    return file.getvalue()


def _reach(pair: RunPair) -> float:
    """How far the chart of the classes reaches to each side: a round number above all ends."""
    farthest = max(abs(end) for f1 in pair.f1.values() for end in (f1.low, f1.high))
    return next(
        (reach for reach in (0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.4, 0.5, 0.75) if farthest <= reach),
        1.0,
    )
