"""Writes a ModelReport as a file that a user names: figures as .json."""

from __future__ import annotations

from pathlib import Path

from emolens.errors import UsageError
from emolens.judge.report import ModelReport
from emolens.names import user_path
from emolens.output import atomic_file, new_output
from emolens.store import json_text

ENDINGS = (".json",)


def check_target(target: Path, *, overwrite: bool) -> None:
    """Raise what write_report raises for this target, before anything is computed."""
    if target.suffix.lower() not in ENDINGS:
        raise UsageError(
            f"The report can't be written to {target}: its name ends with none of"
            f" {', '.join(ENDINGS)}.",
            hint=f"For example: --out {target.stem or 'report'}{ENDINGS[0]}",
        )
    new_output(target, overwrite=overwrite)


def write_report(report: ModelReport, target: str | Path, *, overwrite: bool = False) -> Path:
    """Write the report; returns its path. UsageError for another ending, or if the file exists."""
    path = user_path(target)
    check_target(path, overwrite=overwrite)
    with atomic_file(path, overwrite=overwrite) as file:
        file.write(json_text(report.to_dict()).encode())
    return path
