"""The command line: each command is a few lines that call the library.

Heavy libraries are imported only when a command runs: `emolens --help` loads no torch.
"""

from __future__ import annotations

import sys
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, cast

import typer

from emolens.cli.cache import cache as cache_command
from emolens.cli.ending import run_command
from emolens.cli.inspect import inspect as inspect_command
from emolens.cli.options import (
    AnswersOption,
    InputOption,
    JsonOption,
    LabelOption,
    LayerOption,
    ModelOption,
    NormalizeOption,
    OverwriteOption,
    PoolingOption,
    PrecisionOption,
    TableArgument,
    TextOption,
    VectorsOption,
    reading,
)
from emolens.cli.stops import promise
from emolens.cli.study import study_command
from emolens.cli.tables import table_among, tables
from emolens.console import Console, show_answers, show_batch
from emolens.data.readers import AS_FOUND
from emolens.data.readers.options import ReadOptions
from emolens.errors import DataError, UsageError
from emolens.names import user_path
from emolens.version import __version__

if TYPE_CHECKING:
    from emolens.data.readers.source import Source
    from emolens.encode.backbone import Pooling

app = typer.Typer(
    name="emolens",
    help="From a table of texts to a measured, explained and deployable emotion classifier.",
    epilog="Start with: emolens run  (bundled data and encoder, no network, minutes)",
    pretty_exceptions_enable=False,
    rich_markup_mode=None,  # with rich, the help takes 1.5 times as long
    add_completion=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _version(wanted: bool) -> None:
    if wanted:
        Console().line(__version__)
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[
        bool,
        typer.Option("--version", callback=_version, is_eager=True, help="Print the version."),
    ] = False,
    debug: Annotated[bool, typer.Option("--debug", help="Show the traceback of an error.")] = False,
) -> None:
    """Options that stand before a command."""


study_command(
    app,
    None,
    "Run a whole study, from the data to a report and a model. A stopped run continues.",
)


app.command("inspect")(inspect_command)


@app.command()
def tokenize(
    texts: Annotated[list[str], typer.Argument(metavar="TEXT...", help="One or more texts.")],
    encoder: Annotated[
        str, typer.Option("--encoder", help="The encoder whose tokenizer is used.")
    ] = "minilm",
    as_json: JsonOption = False,
) -> None:
    """Print tokens, ids and attention mask of texts, as one padded batch."""
    from emolens.encode.backbone import tokenizer_of
    from emolens.encode.batches import padded_batch

    rows = padded_batch(tokenizer_of(encoder), texts)
    if as_json:
        Console().data(rows)
    else:
        show_batch(Console(), rows)


study_command(app, "embed", "Turn every text into a vector with the frozen encoder.")


@app.command()
@reading
def encode(
    source: TableArgument,
    out: VectorsOption = None,
    encoder: Annotated[
        str, typer.Option("--encoder", help="minilm, distilbert, a folder or a Hub id.")
    ] = "minilm",
    text: TextOption = None,
    pooling: PoolingOption = None,
    layer: LayerOption = None,
    normalize: NormalizeOption = None,
    precision: PrecisionOption = None,
    cache: Annotated[
        bool, typer.Option("--cache/--no-cache", help="Read and keep vectors and models on disk.")
    ] = True,
    overwrite: OverwriteOption = False,
    *,
    read: ReadOptions,
) -> None:
    """Write a vector for each row of a table of any size, without a study."""
    from emolens.encode.embed import Encoder
    from emolens.encode.table import check_target, default_target, encode_table

    console = Console()
    check = partial(check_target, overwrite=overwrite)
    again = " Run the same command again: vectors in the cache are not computed again."
    with tables(source, out, read=read, default=default_target, check=check) as (
        table,
        target,
    ):
        model = Encoder(
            encoder,
            pooling=cast("Pooling", pooling or "cls"),
            layer=-1 if layer is None else layer,
            normalize=bool(normalize),
            precision=precision,
            cache=cache,
        )
        written = promise("Nothing was written." + (again if cache else ""))
        with written, console.progress("encode") as update:
            done = encode_table(
                model,
                table,
                target,
                text_column=text,
                read=read,
                overwrite=overwrite,
                progress=lambda rows: update(rows, None),
            )
    console.note(f"{done.rows:,} rows, {done.width} numbers each, on {model.runtime}")
    if done.truncated:
        limit = model.tokenizer.max_length
        console.note(f"cut at the encoder's {limit} tokens: {done.truncated:,}")


study_command(app, "map", "Draw a map of the training embeddings in two dimensions, with UMAP.")
study_command(
    app,
    "baselines",
    "Score two simple models: the largest class, and TF-IDF with logistic regression.",
)
study_command(app, "probe", "Train logistic regression on the frozen embeddings.")
study_command(app, "finetune", "Fine-tune the encoder as a classifier; writes a model folder.")
study_command(app, "evaluate", "Compare all models on validation and test, with intervals.")


@app.command()
def export(
    model: Annotated[
        Path,
        typer.Argument(
            metavar="FOLDER", parser=user_path, help="A model folder that transformers loads."
        ),
    ],
    int8: Annotated[
        bool,
        typer.Option("--int8", help="Also write an int8 model: faster, but a little less exact."),
    ] = False,
    dataset: Annotated[
        str,
        typer.Option("--dataset", help="With --int8: texts like those that will be predicted."),
    ] = "starter",
    text: TextOption = None,
    label: LabelOption = None,
) -> None:
    """Write openvino/ into a model folder, so that emolens predict can use it."""
    from emolens.data.sources import load_dataset
    from emolens.encode.quantize import CALIBRATION_ROWS
    from emolens.export.head import read_head
    from emolens.export.openvino import export_openvino
    from emolens.export.verify import drift

    console = Console()
    if not int8:
        console.lines(export_openvino(model))
        return
    data = load_dataset(dataset, text=text, label=label)
    console.note(f"int8 is calibrated on up to {CALIBRATION_ROWS} texts; this takes half a minute")
    console.lines(export_openvino(model, calibration=data["train"].texts))
    known = read_head(model).labels == data.labels
    rows = data["validation"]
    console.note(str(drift(model, rows.texts, labels=rows.labels if known else None)))


@app.command()
@reading
def predict(
    texts: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[TEXT]...", help="Texts, or - for the lines of stdin, or one table (FILE.csv)."
        ),
    ] = None,
    source: InputOption = None,
    out: AnswersOption = None,
    model: ModelOption = Path("runs/starter/model"),
    text: TextOption = None,
    unsure_below: Annotated[
        float, typer.Option(min=0, max=1, help="Mark answers with a lower probability as unsure.")
    ] = 0.5,
    precision: PrecisionOption = None,
    overwrite: OverwriteOption = False,
    as_json: JsonOption = False,
    *,
    read: ReadOptions,
) -> None:
    """Predict emotions with probabilities, for texts or tables of any size."""
    from emolens.predict.classifier import Classifier
    from emolens.predict.tables import check_target, default_target

    if source is None and texts:
        source = table_among(texts, Console(), file_format=read.file_format)
        texts = None if source else texts
    if bool(texts) == (source is not None):
        raise UsageError(
            "Give either texts or --input FILE.", hint='For example: emolens predict "So good!"'
        )
    if source is None and (out or text or overwrite or read != AS_FOUND):
        raise UsageError(
            "Options for a table, such as --out and --text, need --input FILE.",
            hint="Leave them out for texts. For a table from stdin: --input - --format csv",
        )
    if source is not None and as_json:
        raise UsageError("--json is for texts.", hint="For a table of JSON lines: --out NAME.jsonl")

    def classifier() -> Classifier:
        return Classifier(model, precision=precision, unsure_below=unsure_below)

    if source is not None:
        check = partial(check_target, overwrite=overwrite)
        with tables(source, out, read=read, default=default_target, check=check) as (
            table,
            target,
        ):
            _predict_table(classifier(), table, target, text=text, read=read, overwrite=overwrite)
        return
    model_loaded = classifier()
    lines = _stdin_lines() if texts == ["-"] else texts or []
    answers = model_loaded.predict(lines)
    show_answers(Console(as_json=as_json), answers, model_loaded.max_length)


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
            hint="Give the lines through a pipe, or from a file: emolens predict - < FILE",
        ) from error


def _predict_table(
    classifier: Any,
    source: Source,
    target: Path,
    *,
    text: str | None,
    read: ReadOptions,
    overwrite: bool,
) -> None:
    from emolens.predict.tables import predict_table

    console = Console()
    with promise("Nothing was written."), console.progress("predict") as update:
        tally = predict_table(
            classifier,
            source,
            target,
            text_column=text,
            read=read,
            overwrite=overwrite,
            progress=lambda done: update(done, None),
        )
    console.note(f"{tally.rows:,} rows")
    if tally.truncated:
        console.note(f"cut at the model's {classifier.max_length} tokens: {tally.truncated:,}")
    if tally.blank:
        console.note(f"no text, so no emotion: {tally.blank:,}")


app.command("cache")(cache_command)


def main() -> None:
    """Run the command line and end the process with the command's exit code."""
    raise SystemExit(run_command(app, sys.argv[1:]))
