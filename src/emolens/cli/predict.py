"""The command `emolens predict`: texts or a table in, answers out."""

from __future__ import annotations

import sys
from collections import Counter
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from emolens.cli.options import (
    DEFAULT_MODEL,
    UNSURE,
    AnswersOption,
    CoverageOption,
    InputOption,
    JsonOption,
    ModelOption,
    OverwriteOption,
    PrecisionOption,
    PromiseOption,
    QuietOption,
    SafeCsvOption,
    TextOption,
    UnsureOption,
    reading,
)
from emolens.cli.stops import promise as if_stopped
from emolens.cli.typed import model_options, reading_options, typed_options
from emolens.console import Console, show_answers, show_model
from emolens.data.readers.options import AS_FOUND, ReadOptions
from emolens.data.readers.source import is_stream
from emolens.errors import DataError, UsageError
from emolens.predict.threshold import Wanted, check_sets
from emolens.shown import quoted

if TYPE_CHECKING:
    from emolens.predict.classifier import Classifier
    from emolens.predict.tally import Tally


TextsArgument = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="TEXT", help="Texts, or - for the lines of stdin, or one table (FILE.csv)."
    ),
]
AnswerAllOption = Annotated[
    bool,
    typer.Option(
        "--answer-all",
        **UNSURE,
        help="Write an emotion for unsure texts, too. The column 'unsure' still marks them; there"
        " are no columns 'best_guess' and 'reason'.",
    ),
]
SetsOption = Annotated[
    float | None,
    typer.Option(
        metavar="SHARE",
        **UNSURE,
        help="Add a prediction set: all classes that are likely enough. With 0.9, the right class"
        " is in 90 of 100 sets, on texts like those of the training. A set with one class is a"
        " clear case.",
    ),
]
PrefixOption = Annotated[
    str,
    typer.Option("--prefix", metavar="NAME_", help="What the names of the new columns begin with."),
]


@reading
def predict(
    texts: TextsArgument = None,
    source: InputOption = None,
    text: TextOption = None,
    out: AnswersOption = None,
    model: ModelOption = DEFAULT_MODEL,
    promise: PromiseOption = None,
    coverage: CoverageOption = None,
    unsure_below: UnsureOption = None,
    answer_all: AnswerAllOption = False,
    sets: SetsOption = None,
    precision: PrecisionOption = None,
    prefix: PrefixOption = "",
    safe_csv: SafeCsvOption = False,
    overwrite: OverwriteOption = False,
    as_json: JsonOption = False,
    quiet: QuietOption = False,
    *,
    read: ReadOptions,
) -> None:
    """Predict emotions with probabilities, for texts or a table.

    All columns and rows of a table are kept. An unsure text gets no emotion, but a best guess and
    the reason. A row that can't be read gets no answer, and a column 'error' says why. A table may
    be larger than memory.
    """
    from emolens.cli.tables import table_among, tables

    wanted = Wanted(unsure_below, promise, coverage)
    if sets is not None:
        check_sets(sets)
    classifier = partial(
        _classifier, model, precision=precision, answer_all=answer_all, **asdict(wanted)
    )
    if source is None and texts:
        source = table_among(texts, Console(quiet=quiet), file_format=read.file_format)
        texts = None if source else texts
    _check(texts, source, as_json=as_json)
    if source is None:
        for_tables = out or text or overwrite or prefix or safe_csv or read != AS_FOUND
        _check_no_table_options(for_tables)
        console = Console(as_json=as_json, quiet=quiet)
        _predict_texts(console, classifier(), texts or [], sets=sets)
        return
    from emolens.predict.tables import WriteOptions, check_target, default_target, predict_table

    write = WriteOptions(overwrite, prefix, safe_csv, sets)
    check = partial(check_target, write=write)
    with tables(source, out, read=read, default=default_target, check=check) as (table, target):
        answering, console = classifier(), Console(quiet=quiet)
        with if_stopped("Nothing was written."), console.progress("predict") as update:
            tally = predict_table(
                answering, table, target, text_column=text, read=read, write=write, progress=update
            )
        _show_tally(console, tally, answering)
        if tally.found and not is_stream(source):
            how = typed_options({"--text": text}) + reading_options(read)
            _say_how_to_check(console, source, how + model_options(model, wanted, precision))


def _classifier(model: str, **given: Any) -> Classifier:
    from emolens.predict.classifier import Classifier

    return Classifier(model, **given)


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


def _predict_texts(
    console: Console, classifier: Classifier, texts: list[str], *, sets: float | None
) -> None:
    lines = _stdin_lines() if texts == ["-"] else texts
    answers = classifier.predict(lines, sets=sets)
    counts = Counter(answer.unlike for answer in answers if answer.unlike)
    unlike = classifier.unlike_line(counts, sum(a.probability is not None for a in answers))
    show_model(console, classifier)
    console.notes([classifier.threshold.text, *([unlike] if unlike else [])])
    show_answers(console, answers, answer_all=classifier.answer_all)


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


def _say_how_to_check(console: Console, source: Path, options: str) -> None:
    """options: those that the next command needs to read the same texts with the same model."""
    console.note(
        "How right is it here? To find out, label a few rows by hand: emolens check"
        f" {quoted(source)}{options}"
    )


def _show_tally(console: Console, tally: Tally, classifier: Classifier) -> None:
    from emolens.predict.unlike import language_line

    asked = tally.rows - tally.blank - tally.errors
    unlike = classifier.unlike_line(tally.unlike, asked)
    languages = language_line(tally.unlike, asked)
    lines = [tally.summary, classifier.threshold.text, unlike, languages]
    show_model(console, classifier)
    console.notes([*tally.notes, *filter(None, lines)])
    if tally.found:
        from emolens.console.found import show_found

        show_found(console, tally.found)
