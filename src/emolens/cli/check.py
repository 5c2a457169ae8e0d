"""`emolens check`: draws rows for a person to label, and says how right a model is on them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from emolens.cli.options import (
    DEFAULT_MODEL,
    CoverageOption,
    JsonOption,
    ModelOption,
    OverwriteOption,
    PrecisionOption,
    PromiseOption,
    QuietOption,
    TableArgument,
    TextOption,
    UnsureOption,
    reading,
)
from emolens.cli.typed import model_options, reading_options
from emolens.console import Console, show_model
from emolens.data.checks import counted
from emolens.data.readers.options import ReadOptions
from emolens.errors import UsageError
from emolens.names import user_path
from emolens.predict.threshold import Wanted
from emolens.shown import quoted

if TYPE_CHECKING:
    from emolens.data.readers.source import Source
    from emolens.judge.sheet import Drawn
    from emolens.predict.classifier import Classifier

SheetOption = Annotated[
    Path | None,
    typer.Option(
        "--out",
        metavar="PATH",
        parser=user_path,
        help="The sheet to write, a .xlsx (default: NAME-check.xlsx beside FILE).",
    ),
]
RowsOption = Annotated[
    int | None, typer.Option("--rows", metavar="N", help="How many rows to draw (default: 60).")
]
SeedOption = Annotated[
    int | None,
    typer.Option("--seed", metavar="N", help="Another number draws other rows (default: 42)."),
]


@reading
def check(
    source: TableArgument,
    text: TextOption = None,
    out: SheetOption = None,
    rows: RowsOption = None,
    seed: SeedOption = None,
    model: ModelOption = DEFAULT_MODEL,
    promise: PromiseOption = None,
    coverage: CoverageOption = None,
    unsure_below: UnsureOption = None,
    precision: PrecisionOption = None,
    overwrite: OverwriteOption = False,
    as_json: JsonOption = False,
    quiet: QuietOption = False,
    *,
    read: ReadOptions,
) -> None:
    """Find out how right a model is on your own texts.

    First it draws 60 rows of a table into a sheet. Write the right class beside each text, and give
    the sheet to the same command: it says how often the model is right.
    """
    from emolens.data.readers.open import open_table, source_of
    from emolens.judge.sheet import (
        AS_USUAL,
        DrawOptions,
        check_sheet,
        default_sheet,
        draw_sheet,
        is_sheet,
    )
    from emolens.predict.classifier import Classifier

    wanted = Wanted(unsure_below, promise, coverage)
    draw = DrawOptions(
        AS_USUAL.rows if rows is None else rows, AS_USUAL.seed if seed is None else seed, overwrite
    )
    console = Console(as_json=as_json, quiet=quiet)
    classifier = partial(Classifier, model, precision=precision, **asdict(wanted))
    options = model_options(model, wanted, precision)
    with source_of(source, read) as given:
        if is_sheet(open_table(given, labelled=False, options=read)):
            drawing = {"--text": text, "--out": out, "--rows": rows, "--seed": seed}
            _check_not_drawing(drawing, source, reading_options(read) + options)
            _score(console, classifier(), given, read)
            return
        target = out or default_sheet(given)
        check_sheet(target, given, overwrite=overwrite, options=options)
        answering = classifier()
        drawn = draw_sheet(given, target, answering.labels, text_column=text, draw=draw, read=read)
    _show_drawn(console, drawn, answering, options)


def _check_not_drawing(drawing: Mapping[str, object], source: Path, options: str) -> None:
    for name, value in drawing.items():
        if value is not None:
            raise UsageError(
                f"{name} is for drawing a sheet, and {source} is a sheet.",
                hint=f"Leave it out: emolens check {quoted(source)}{options}",
            )


def _score(console: Console, classifier: Classifier, given: Source, read: ReadOptions) -> None:
    from emolens.console.checked import show_checked
    from emolens.judge.check import score_sheet

    checked = score_sheet(classifier, given, read=read)
    show_model(console, classifier)
    show_checked(console, checked)


def _show_drawn(console: Console, drawn: Drawn, classifier: Classifier, options: str) -> None:
    """options: those that the next command has again."""
    from emolens.judge.sheet import LABEL
    from emolens.predict.classifier import language_judge
    from emolens.predict.unlike import foreign_line

    console.notes(drawn.notes)
    if line := foreign_line(language_judge(classifier).others(drawn.texts)):
        console.notes([line])
    if console.as_json:
        console.data({"sheet": str(drawn.path), "rows": drawn.n, "of": drawn.of})
    else:
        console.line(str(drawn.path))
    how = "drawn at random" if drawn.n < drawn.of else "all there are"
    console.note(
        f"{drawn.n:,} of {counted(drawn.of, 'text')}, {how}. Write the right class into the column"
        f" '{LABEL}'; the page 'classes' explains them. Then: emolens check"
        f" {quoted(drawn.path)}{options}"
    )
