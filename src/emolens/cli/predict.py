"""The command `emolens predict`: texts or a table in, answers out."""

from __future__ import annotations

import sys
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from emolens.cli.options import (
    AnswersOption,
    InputOption,
    JsonOption,
    ModelOption,
    OverwriteOption,
    PrecisionOption,
    TextOption,
    reading,
)
from emolens.cli.stops import promise
from emolens.console import Console, show_answers, show_commit, show_limits
from emolens.data.checks import counted
from emolens.data.readers.options import AS_FOUND, ReadOptions
from emolens.errors import DataError, UsageError

if TYPE_CHECKING:
    from emolens.predict.classifier import Classifier
    from emolens.predict.tables import Tally


TextsArgument = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="TEXT", help="Texts, or - for the lines of stdin, or one table (FILE.csv)."
    ),
]
UnsureOption = Annotated[
    float,
    typer.Option(
        metavar="P", min=0, max=1, help="Mark answers with a lower probability as unsure."
    ),
]
PrefixOption = Annotated[
    str,
    typer.Option("--prefix", metavar="NAME_", help="What the names of the new columns begin with."),
]
SafeCsvOption = Annotated[
    bool,
    typer.Option(
        "--safe-csv",
        help="For a .csv that others open in Excel: put a ' in front of each cell that begins with"
        " = + - @, a tab or a line end, and is no number. Excel would run it as a formula, and the"
        " texts may come from strangers. A .xlsx needs no such change.",
    ),
]


@reading
def predict(
    texts: TextsArgument = None,
    source: InputOption = None,
    text: TextOption = None,
    out: AnswersOption = None,
    model: ModelOption = "runs/starter/model",
    unsure_below: UnsureOption = 0.5,
    precision: PrecisionOption = None,
    prefix: PrefixOption = "",
    safe_csv: SafeCsvOption = False,
    overwrite: OverwriteOption = False,
    as_json: JsonOption = False,
    *,
    read: ReadOptions,
) -> None:
    """Predict emotions with probabilities, for texts or a table.

    All columns and rows of a table are kept. A row that can't be read gets no answer, and a column
    'error' says why. A table may be larger than memory.
    """
    from emolens.cli.tables import table_among, tables

    classifier = partial(_classifier, model, precision=precision, unsure_below=unsure_below)
    if source is None and texts:
        source = table_among(texts, Console(), file_format=read.file_format)
        texts = None if source else texts
    _check(texts, source, as_json=as_json)
    if source is None:
        for_tables = out or text or overwrite or prefix or safe_csv or read != AS_FOUND
        _check_no_table_options(for_tables)
        _predict_texts(classifier(), texts or [], as_json=as_json)
        return
    from emolens.predict.tables import WriteOptions, check_target, default_target, predict_table

    write = WriteOptions(overwrite, prefix, safe_csv)
    check = partial(check_target, write=write)
    with tables(source, out, read=read, default=default_target, check=check) as (table, target):
        answering, console = classifier(), Console()
        with promise("Nothing was written."), console.progress("predict") as update:
            tally = predict_table(
                answering,
                table,
                target,
                text_column=text,
                read=read,
                write=write,
                progress=update,
            )
        _show_tally(console, tally, answering.max_length)


def _classifier(model: str, *, precision: str | None, unsure_below: float) -> Classifier:
    """The classifier; says which commit of a model of the Hub it is."""
    from emolens.predict.classifier import Classifier

    classifier = Classifier(model, precision=precision, unsure_below=unsure_below)
    show_commit(Console(), "model", classifier.folder)
    return classifier


def _check(texts: list[str] | None, source: Path | None, *, as_json: bool) -> None:
    if bool(texts) == (source is not None):
        raise UsageError(
            "Give either texts or --input FILE.", hint='For example: emolens predict "So good!"'
        )
    if source is not None and as_json:
        raise UsageError("--json is for texts.", hint="For a table of JSON lines: --out NAME.jsonl")


def _check_no_table_options(given: object) -> None:
    if given:
        raise UsageError(
            "Options for a table, such as --out and --text, need --input FILE.",
            hint="Leave them out for texts. For a table from stdin: --input - --format csv",
        )


def _predict_texts(classifier: Classifier, texts: list[str], *, as_json: bool) -> None:
    lines = _stdin_lines() if texts == ["-"] else texts
    answers = classifier.predict(lines)
    show_answers(Console(as_json=as_json), answers, classifier.max_length)


def _stdin_lines() -> list[str]:
    from emolens.data.readers.table import CELL_ROOM, MOST_BYTES, too_long

    lines: list[str] = []
    room = 2 * MOST_BYTES
    try:
        while line := sys.stdin.readline(MOST_BYTES + 1):
            if len(line) > MOST_BYTES:
                raise too_long(f"stdin, line {len(lines) + 1}", "the line")
            lines.append(line.rstrip("\r\n"))
            room -= CELL_ROOM + len(line)
            if room < 0:
                raise DataError(
                    f"stdin gives more than {len(lines):,} lines, which are held in memory here.",
                    hint="Give them as a table: emolens predict --input - --format txt",
                )
        return lines
    except UnicodeDecodeError as error:
        raise DataError(
            f"The lines of stdin are not {error.encoding.upper()}"
            f" (byte 0x{error.object[error.start]:02x}).",
            hint="Name their encoding: emolens predict --input - --format txt --encoding cp1252",
        ) from error
    except OSError as error:
        raise DataError(
            f"stdin can't be read: {error.strerror}.",
            hint="Give them as a file: emolens predict --input FILE --format txt",
        ) from error


def _show_tally(console: Console, tally: Tally, max_length: int) -> None:
    console.notes(tally.notes)
    console.note(counted(tally.rows, "row"))
    if tally.unsure:
        console.note(f"answers that are unsure: {tally.unsure:,}")
    show_limits(console, truncated=tally.truncated, blank=tally.blank, max_length=max_length)
