"""The command line: each command is a few lines that call the library.

Heavy libraries are imported only when a command runs: `emolens --help` loads no torch.
"""

from __future__ import annotations

import sys
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, cast

import typer

from emolens.cli.cache import cache as cache_command
from emolens.cli.check import check as check_command
from emolens.cli.compare import compare as compare_command
from emolens.cli.ending import run_command
from emolens.cli.evaluate import evaluate
from emolens.cli.help import Command
from emolens.cli.inspect import inspect as inspect_command
from emolens.cli.learn import learn
from emolens.cli.options import (
    ENCODERS,
    JsonOption,
    LabelOption,
    LayerOption,
    NormalizeOption,
    OverwriteOption,
    PoolingOption,
    PrecisionOption,
    TableArgument,
    TextOption,
    VectorsOption,
    reading,
)
from emolens.cli.predict import predict
from emolens.cli.push import push
from emolens.cli.report import report
from emolens.cli.stops import promise
from emolens.cli.study import study_commands
from emolens.console import Console, show_batch, show_commit
from emolens.data.checks import counted
from emolens.data.readers.options import ReadOptions
from emolens.errors import UsageError
from emolens.names import user_path
from emolens.version import __version__

if TYPE_CHECKING:
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


_RUN = "Run a whole study, from the data to a report and a model.\n\nA stopped run continues."
study_commands(app, run=_RUN)
app.command("inspect", cls=Command)(inspect_command)
app.command("predict", cls=Command)(predict)
app.command("check", cls=Command)(check_command)


@app.command("encode", cls=Command)
@reading
def encode(
    source: TableArgument,
    out: VectorsOption = None,
    encoder: Annotated[
        str,
        typer.Option("--encoder", metavar="NAME", help=f"The encoder: {ENCODERS}."),
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
    """Write a vector for each row of a table, without a study.

    The table may be larger than memory.
    """
    from emolens.cli.tables import tables
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
        show_commit(console, "encoder", model.source.folder)
        written = promise("Nothing was written." + (again if cache else ""))
        with written, console.progress("encode") as update:
            done = encode_table(
                model,
                table,
                target,
                text_column=text,
                read=read,
                overwrite=overwrite,
                progress=update,
            )
    console.notes(done.notes)
    rows = counted(done.rows, "row")
    console.note(f"{rows}, a vector of {done.width} numbers for each, on {model.runtime}")
    if done.truncated:
        limit = model.tokenizer.max_length
        console.note(f"cut at the encoder's {limit} tokens: {done.truncated:,}")


@app.command("export", cls=Command)
def export(
    model: Annotated[
        Path,
        typer.Argument(
            metavar="FOLDER", parser=user_path, help="A model folder that transformers loads."
        ),
    ],
    int8: Annotated[
        bool,
        typer.Option("--int8", help="Also write int8 models: faster, but a little less exact."),
    ] = False,
    onnx: Annotated[
        bool,
        typer.Option("--onnx/--no-onnx", help="Also write onnx/, for programs other than emolens."),
    ] = True,
    dataset: Annotated[
        str,
        typer.Option(
            "--dataset",
            metavar="NAME",
            help="Texts like those that will be predicted, to compare with.",
        ),
    ] = "starter",
    text: TextOption = None,
    label: LabelOption = None,
) -> None:
    """Make a model folder ready for predict, and for other programs.

    Writes openvino/, which emolens predict needs, and onnx/, for the others.
    """
    from emolens.data.sources import load_dataset
    from emolens.encode.quantize import CALIBRATION_ROWS
    from emolens.export.head import read_head
    from emolens.export.onnx import export_onnx
    from emolens.export.openvino import export_openvino
    from emolens.export.verify import drift
    from emolens.hub import is_hub_name
    from emolens.modelfolder import export_hint

    if not model.is_dir() and is_hub_name(model):
        raise UsageError(f"{model} is no folder.", hint=export_hint(model, int8=int8))
    console = Console()
    if not int8 and not onnx:
        console.lines(export_openvino(model))
        return
    data = load_dataset(dataset, text=text, label=label)
    calibration = data["train"].texts if int8 else ()
    if int8:
        console.note(f"int8 is calibrated on up to {CALIBRATION_ROWS} texts; this takes a minute")
    console.lines(export_openvino(model, calibration=calibration))
    rows = data["validation"]
    if int8:
        known = read_head(model).labels == data.labels and not data.multi_label
        console.note(str(drift(model, rows.texts, labels=rows.labels if known else None)))
    if onnx:
        done = export_onnx(model, rows.texts, calibration=calibration)
        console.lines(done.paths)
        for figure in done.drifts:
            console.note(str(figure))


app.command("learn", cls=Command)(learn)
app.command("report", cls=Command)(report)
app.command("push", cls=Command)(push)
app.command("cache", cls=Command)(cache_command)


@app.command("tokenize", cls=Command)
def tokenize(
    texts: Annotated[list[str], typer.Argument(metavar="TEXT", help="One or more texts.")],
    encoder: Annotated[
        str, typer.Option("--encoder", metavar="NAME", help="The encoder whose tokenizer is used.")
    ] = "minilm",
    as_json: JsonOption = False,
) -> None:
    """Print the tokens, ids and attention mask of texts as a batch."""
    from emolens.encode.backbone import find_encoder, tokenizer_of
    from emolens.encode.batches import padded_batch

    source = find_encoder(encoder)
    show_commit(Console(), "encoder", source.folder)
    rows = padded_batch(tokenizer_of(source), texts)
    if as_json:
        Console().data(rows)
    else:
        show_batch(Console(), rows)


study_commands(
    app,
    embed="Turn every text into a vector with the frozen encoder.",
    map="Draw a map of the training embeddings in two dimensions.",
    baselines="Score two simple models: the largest class, and TF-IDF.",
    probe="Train logistic regression on the frozen embeddings.",
    finetune="Fine-tune the encoder as a classifier; writes a model folder.",
)
app.command("evaluate", cls=Command)(evaluate)
app.command("compare", cls=Command)(compare_command)


def main() -> None:
    """Run the command line and end the process with the command's exit code."""
    raise SystemExit(run_command(app, sys.argv[1:]))
