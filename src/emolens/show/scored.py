"""The page and the file of figures of a ModelReport. Knows nothing of how it was measured."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from emolens.errors import UsageError, require
from emolens.evaluation.verdict import percent
from emolens.judge.report import ModelReport
from emolens.judge.sentences import (
    FIGURES,
    findings,
    interval,
    left_out,
    warnings,
)
from emolens.names import user_path
from emolens.output import atomic_file, new_output
from emolens.show.page import render, sections_shown
from emolens.store import json_text

ENDINGS = (".html", ".json")


def render_scored(report: ModelReport) -> str:
    """The HTML of the page."""
    sections = {
        "short": "In short",
        "classes": "Rows and classes",
        "by-class": "By class",
        "confusion": "What is taken for what",
        "trust": "Can the probabilities be trusted?",
        "share": "How much is answered",
        "errors": "Errors worth reading",
        "behavior": "Behavior",
        "notes": "How the rows were read",
    }
    shown = {
        "confusion": bool(report.confusion),
        "errors": bool(report.confidently_wrong),
        "notes": bool(report.notes),
        "behavior": bool(report.behavior),
    }
    return render(
        "scored.html.j2",
        report=report,
        sections=sections_shown(sections, shown),
        titles=FIGURES,
        findings=findings(report),
        left_out=left_out(report),
        warnings=warnings(report),
        interval=interval,
        percent=percent,
        renamed=any(name != target for name, target in report.classes.matched.items()),
        numbered=any(row.row for row in report.confidently_wrong),
    )


def check_target(target: Path, *, inputs: Iterable[Path] = (), overwrite: bool = False) -> None:
    """Raise what write_report raises for this target, before anything is computed.

    inputs: files that must not be replaced.
    """
    if target.suffix.lower() not in ENDINGS:
        raise UsageError(
            f"The report can't be written to {target}: its name ends with none of"
            f" {', '.join(ENDINGS)}.",
            hint=f"For example: --out {target.stem or 'report'}{ENDINGS[0]}",
        )
    if target.suffix.lower() == ".html":
        require("jinja2", "train")
    new_output(target, inputs=inputs, overwrite=overwrite)


def write_report(report: ModelReport, target: str | Path, *, overwrite: bool = False) -> Path:
    """Write a page (.html) or the figures (.json); returns its path.

    Raises UsageError for another ending, or if the file exists and overwrite is not set.
    """
    path = user_path(target)
    check_target(path, overwrite=overwrite)
    is_page = path.suffix.lower() == ".html"
    text = render_scored(report) if is_page else json_text(report.to_dict())
    with atomic_file(path, overwrite=overwrite) as file:
        file.write(text.encode())
    return path
