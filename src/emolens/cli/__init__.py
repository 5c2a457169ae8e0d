"""The command line: what the user says, handed to the library in a few lines each.

Nothing heavy is imported before a command runs: `emolens --help` loads no torch.
"""

from __future__ import annotations

import io
import sys
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, cast

import typer

from emolens.cli.options import (
    JsonOption,
    LabelOption,
    LayerOption,
    NormalizeOption,
    PoolingOption,
    PrecisionOption,
    TextOption,
)
from emolens.cli.study import study_command
from emolens.console import Console, show_answers, show_audit, show_batch
from emolens.errors import DataError, EmolensError, MissingExtra, UsageError
from emolens.version import __version__

if TYPE_CHECKING:
    from emolens.encode.backbone import Pooling
    from emolens.encode.tokenize import Tokenizer

_STOPPED = 130

app = typer.Typer(
    name="emolens",
    help="From a table of texts to a measured, explained and deployable emotion classifier.",
    epilog="Start with: emolens run  (bundled data and encoder, no network, minutes)",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,  # drawn with rich, the help would take half as long again
    add_completion=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

ModelOption = Annotated[Path, typer.Option("--model", help="A model folder with openvino/ in it.")]


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
    debug: Annotated[
        bool, typer.Option("--debug", help="Show the traceback of an error, too.")
    ] = False,
) -> None:
    """--version and --debug, for every command."""


study_command(
    app,
    None,
    "Run a whole study, from the data to a report and a model. It goes on where it was stopped.",
)


@app.command()
def inspect(
    dataset: Annotated[
        str, typer.Argument(help="A file, a folder, owner/name on the Hub, or starter.")
    ],
    text: TextOption = None,
    label: LabelOption = None,
    encoder: Annotated[
        str, typer.Option("--encoder", help="Count tokens as this encoder does.")
    ] = "minilm",
    as_json: JsonOption = False,
) -> None:
    """What is in a data set, and what is wrong with it."""
    from emolens.data.audit import audit
    from emolens.data.sources import load_dataset
    from emolens.encode.batches import padded_batch

    data = load_dataset(dataset, text=text, label=label)
    console = Console(as_json=as_json)
    tokenizer = _tokenizer(encoder, console)
    lengths: dict[str, Any] = {}
    if tokenizer is not None:
        n_tokens = {n: tokenizer.encode(rows.texts).n_whole for n, rows in data.splits.items()}
        lengths = {"n_tokens": n_tokens, "max_length": tokenizer.max_length}
    found = audit(data, **lengths)
    if as_json:
        console.data(found.to_dict())
        return
    show_audit(console, found)
    if tokenizer is not None:
        console.line("\nThe first two texts of train as one batch")
        show_batch(console, padded_batch(tokenizer, data["train"].texts[:2]))


def _tokenizer(encoder: str, console: Console) -> Tokenizer | None:
    """The encoder's tokenizer; None where the bundled encoder isn't installed."""
    from emolens.encode.backbone import tokenizer_of

    try:
        return tokenizer_of(encoder)
    except MissingExtra as error:
        console.note(f"Lengths in tokens are left out: {error} {error.hint}")
        return None


@app.command()
def tokenize(
    texts: Annotated[list[str], typer.Argument(metavar="TEXT...", help="One or more texts.")],
    encoder: Annotated[str, typer.Option("--encoder", help="Whose tokenizer.")] = "minilm",
    as_json: JsonOption = False,
) -> None:
    """Tokens, ids and attention mask of texts, as one padded batch."""
    from emolens.encode.backbone import tokenizer_of
    from emolens.encode.batches import padded_batch

    rows = padded_batch(tokenizer_of(encoder), texts)
    if as_json:
        Console().data(rows)
    else:
        show_batch(Console(), rows)


study_command(app, "embed", "Turn every text into a vector with the frozen encoder.")


@app.command()
def encode(
    source: Annotated[
        Path,
        typer.Argument(metavar="FILE", help="A table: .csv .tsv .jsonl .parquet .arrow or .txt."),
    ],
    out: Annotated[
        Path | None,
        typer.Option(
            "--out", help="A .parquet file (default: NAME-embeddings.parquet, beside it)."
        ),
    ] = None,
    encoder: Annotated[
        str, typer.Option("--encoder", help="minilm, distilbert, a folder or a Hub id.")
    ] = "minilm",
    text: TextOption = None,
    pooling: PoolingOption = None,
    layer: LayerOption = None,
    normalize: NormalizeOption = None,
    precision: PrecisionOption = None,
    cache: Annotated[
        bool, typer.Option("--cache/--no-cache", help="Keep the vectors for the next time.")
    ] = True,
) -> None:
    """A vector for each row of a table of any size, without a study."""
    from emolens.encode.embed import Encoder
    from emolens.encode.table import encode_table

    console = Console()
    made = Encoder(
        encoder,
        pooling=cast("Pooling", pooling or "cls"),
        layer=-1 if layer is None else layer,
        normalize=bool(normalize),
        precision=precision,
    )
    target = out or source.with_name(f"{source.stem}-embeddings.parquet")
    with console.progress("encode") as update:
        done = encode_table(
            made,
            source,
            target,
            text_column=text,
            cache=cache,
            progress=lambda rows: update(rows, None),
        )
    console.note(f"{done.rows:,} rows, {done.width} numbers each, on {made.runtime}")
    if done.truncated:
        console.note(f"cut at the encoder's {made.tokenizer.max_length} tokens: {done.truncated:,}")
    console.line(str(target))


study_command(app, "map", "Lay the training embeddings out in two dimensions with UMAP.")
study_command(app, "baselines", "The largest class, and TF-IDF with logistic regression.")
study_command(app, "probe", "Logistic regression on the frozen embeddings.")
study_command(app, "finetune", "Fine-tune the encoder as a classifier; writes a model folder.")
study_command(app, "evaluate", "Every model on validation and test, with intervals.")


@app.command()
def export(
    model: Annotated[Path, typer.Argument(help="A model folder that transformers loads.")],
    int8: Annotated[
        bool, typer.Option("--int8", help="Also in 8-bit integers: faster, and not quite exact.")
    ] = False,
    dataset: Annotated[
        str,
        typer.Option("--dataset", help="Texts like those to come; int8 is fitted to them."),
    ] = "starter",
    text: TextOption = None,
    label: LabelOption = None,
) -> None:
    """Write openvino/ into a model folder, for emolens predict."""
    from emolens.data.sources import load_dataset
    from emolens.export.head import read_head
    from emolens.export.openvino import export_openvino
    from emolens.export.verify import drift

    console = Console()
    if not int8:
        console.lines(export_openvino(model))
        return
    data = load_dataset(dataset, text=text, label=label)
    console.note("int8 is calibrated on 300 texts; this takes half a minute")
    console.lines(export_openvino(model, calibration=data["train"].texts))
    known = read_head(model).labels == data.labels
    rows = data["validation"]
    console.note(str(drift(model, rows.texts, labels=rows.labels if known else None)))


@app.command()
def predict(
    texts: Annotated[
        list[str] | None,
        typer.Argument(metavar="[TEXT]...", help="Texts, or - for lines of stdin."),
    ] = None,
    source: Annotated[
        Path | None,
        typer.Option("--input", help="A table: .csv .tsv .jsonl .parquet .arrow or .txt."),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option("--out", help="Where the table goes (default: NAME-emotions.csv, beside it)."),
    ] = None,
    model: ModelOption = Path("runs/starter/model"),
    text: TextOption = None,
    unsure_below: Annotated[
        float, typer.Option(min=0, max=1, help="Flag answers whose probability is lower.")
    ] = 0.5,
    precision: PrecisionOption = None,
    as_json: JsonOption = False,
) -> None:
    """Emotions with probabilities, for texts or tables of any size."""
    from emolens.predict.classifier import Classifier

    if bool(texts) == (source is not None):
        raise UsageError(
            "Give either texts or --input FILE.", hint='For example: emolens predict "So good!"'
        )
    if source is None and (out or text):
        raise UsageError("--out and --text go with --input.", hint="Leave them away for texts.")
    if source is not None and as_json:
        raise UsageError(
            "--json goes with texts.", hint="For a table of JSON lines: --out NAME.jsonl"
        )
    classifier = Classifier(model, precision=precision, unsure_below=unsure_below)
    if source is not None:
        _predict_table(classifier, source, out, text)
        return
    lines = _stdin_lines() if texts == ["-"] else texts or []
    answers = classifier.predict(lines)
    show_answers(Console(as_json=as_json), answers, classifier.max_length)


def _stdin_lines() -> list[str]:
    try:
        return [line.rstrip("\r\n") for line in sys.stdin]
    except UnicodeDecodeError as error:
        raise DataError(
            f"The lines of stdin are not {error.encoding.upper()}"
            f" (byte 0x{error.object[error.start]:02x}).",
            hint="Convert them first, for example: iconv -f WINDOWS-1252 -t UTF-8",
        ) from error


def _predict_table(classifier: Any, source: Path, out: Path | None, text: str | None) -> None:
    from emolens.predict.tables import default_target, predict_table

    target = out or default_target(source)
    console = Console()
    with console.progress("predict") as update:
        tally = predict_table(
            classifier, source, target, text_column=text, progress=lambda done: update(done, None)
        )
    console.note(f"{tally.rows:,} rows")
    if tally.truncated:
        console.note(f"cut at the model's {classifier.max_length} tokens: {tally.truncated:,}")
    if tally.blank:
        console.note(f"without a text, so without an emotion: {tally.blank:,}")
    console.line(str(target))


def main() -> None:
    """Run the command line; every EmolensError ends in two lines and its exit code."""
    debug = "--debug" in sys.argv
    # It may stand behind the command, too.
    words = [word for word in sys.argv[1:] if word != "--debug"]
    # A warning without the line of code that it comes from.
    warnings.showwarning = lambda message, *_, **__: Console().note(f"Note: {message}")
    for stream in (sys.stdin, sys.stdout):
        if isinstance(stream, io.TextIOWrapper):  # emolens reads and writes UTF-8 everywhere
            stream.reconfigure(encoding="utf-8")
    try:
        app(args=words, prog_name="emolens")
    except EmolensError as error:
        if debug:
            raise
        Console().error(error)
        raise SystemExit(error.exit_code) from None
    except (KeyboardInterrupt, SystemExit) as stop:
        # Typer turns Ctrl-C within a command into an exit with this code.
        code = _STOPPED if isinstance(stop, KeyboardInterrupt) else stop.code
        if code == _STOPPED:
            Console().note("Stopped. A study goes on where it was when it is run again.")
        raise SystemExit(code) from None
