"""The command `emolens report`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, cast, get_args

import typer

from emolens.cli.options import JsonOption, QuietOption
from emolens.console import Console, RunConsole
from emolens.errors import UsageError, nearest
from emolens.names import user_path


def report(
    run: Annotated[
        Path,
        typer.Argument(metavar="RUN", parser=user_path, help="A folder that emolens run wrote."),
    ],
    texts: Annotated[
        str | None,
        typer.Option(
            "--texts",
            metavar="WHICH",
            help="Texts of the data that the page holds: all, errors (those that the model gets"
            " wrong) or none. Without it, as the study says.",
        ),
    ] = None,
    as_json: JsonOption = False,
    quiet: QuietOption = False,
) -> None:
    """Make the page of a finished run again.

    Runs nothing. For example with another choice of texts, before you send it.
    """
    from emolens.show.report.points import Texts
    from emolens.study import report_again

    if texts not in (None, *get_args(Texts)):
        raise UsageError(
            f"There are no texts '{texts}' for a report.", hint=nearest(str(texts), get_args(Texts))
        )
    observer = RunConsole(Console(quiet=quiet or as_json))
    try:
        path = report_again(run, texts=cast(Texts | None, texts), observer=observer)
    finally:
        observer.close()
    console = Console(as_json=as_json)
    if as_json:
        console.data({"report": str(path)})
    else:
        console.lines([path])
