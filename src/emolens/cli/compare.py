"""`emolens compare`: which of several runs is better on the same rows."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from emolens.cli.options import JsonOption, SafeCsvOption
from emolens.console import Console
from emolens.names import user_path

RunsArgument = Annotated[
    list[Path],
    typer.Argument(
        metavar="RUN...", parser=user_path, help="Two or more folders that emolens run has made."
    ),
]
SplitOption = Annotated[
    str, typer.Option("--split", metavar="NAME", help="The rows to compare on: test or validation.")
]
RowsOption = Annotated[
    Path | None,
    typer.Option(
        "--out",
        metavar="PATH",
        parser=user_path,
        help="A .csv with all rows that the runs answer differently.",
    ),
]
PageOption = Annotated[
    Path | None,
    typer.Option(
        "--page", metavar="PATH", parser=user_path, help="A page with all of this (.html)."
    ),
]
OverwriteOption = Annotated[
    bool, typer.Option("--overwrite", help="Replace the files of --out and --page if they exist.")
]


def compare(
    runs: RunsArgument,
    split: SplitOption = "test",
    out: RowsOption = None,
    page: PageOption = None,
    safe_csv: SafeCsvOption = False,
    overwrite: OverwriteOption = False,
    as_json: JsonOption = False,
) -> None:
    """Compare runs: which one is better, and where they differ.

    The runs may differ in their recipes, encoders or rows to train on; they need the same rows to
    compare on, and the same classes. The first run is compared with each of the others.
    """
    from emolens.console.compared import show_comparison
    from emolens.show.compared import PAGE, ROWS, check_comparison_target, write_comparison
    from emolens.study.compare import compare as compare_runs

    console = Console(as_json=as_json)
    targets = {ROWS: out, PAGE: page}
    for ending, target in targets.items():
        if target is not None:
            check_comparison_target(target, (ending,), overwrite=overwrite)
    comparison = compare_runs(runs, split)
    show_comparison(console, comparison)
    for target in filter(None, targets.values()):
        write_comparison(comparison, target, safe_csv=safe_csv, overwrite=overwrite)
        (console.note if as_json else console.line)(str(target))
    if page is None:
        console.note("For a page with all of this: --page comparison.html")
    if out is None and comparison.rows:
        n = len(comparison.rows)
        console.note(f"For a table of the {n:,} rows with different answers: --out rows.csv")
