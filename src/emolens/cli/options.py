"""Options that more than one command takes, each written once, and the commands that take them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from inspect import Parameter, Signature
from pathlib import Path
from typing import Annotated, Any

import typer

from emolens.data.readers.options import ReadOptions
from emolens.data.targets.options import LabelOptions
from emolens.names import BUNDLED, user_path

_PATH: dict[str, Any] = {"metavar": "PATH", "parser": user_path}
# The titles under which the help lists them.
_READING: dict[str, Any] = {"rich_help_panel": "Reading the table"}
_LABELS: dict[str, Any] = {"rich_help_panel": "Labels"}
UNSURE: dict[str, Any] = {"rich_help_panel": "When an answer is unsure"}
SafeCsvOption = Annotated[
    bool,
    typer.Option(
        "--safe-csv",
        help="For a .csv that others open in Excel: put a ' in front of each cell that begins with"
        " = + - @, a tab or a line end, and is no number. Excel would run it as a formula, and the"
        " texts may come from strangers. A .xlsx needs no such change.",
    ),
]
StudyArgument = Annotated[
    str, typer.Argument(help="A built-in study (starter, emotion, emotion-minilm) or a TOML file.")
]
DatasetOption = Annotated[
    str | None,
    typer.Option(
        "--dataset", help="Other data: a file, a folder, owner/name on the Hub, or starter."
    ),
]
ENCODERS = "minilm, distilbert, a folder, or owner/name on the Hub"
EncoderOption = Annotated[
    str | None,
    typer.Option(
        "--encoder",
        metavar="NAME",
        help=f"Another encoder: {ENCODERS}.",
    ),
]
OutOption = Annotated[
    Path | None, typer.Option("--out", **_PATH, help="The run folder (default: runs/NAME).")
]
OverwriteOption = Annotated[
    bool, typer.Option("--overwrite", help="Replace the output if it exists.")
]
ModelOption = Annotated[
    str,
    typer.Option(
        "--model",
        metavar="NAME",
        help="general, which comes with emolens; a model folder; or owner/name on the Hub.",
    ),
]
DEFAULT_MODEL = BUNDLED
SetOption = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="KEY=VALUE", help="Any setting: --set finetune.epochs=3."),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON on stdout.")]
QuietOption = Annotated[
    bool,
    typer.Option(
        "--quiet", "-q", help="On stderr, print only errors, and which of your files got new names."
    ),
]
_TABLE = "A table: .csv .tsv .txt .json .jsonl .xlsx .ods .parquet .arrow …, or - for stdin."
TableArgument = Annotated[Path, typer.Argument(metavar="FILE", parser=user_path, help=_TABLE)]
InputOption = Annotated[Path | None, typer.Option("--input", **_PATH, help=_TABLE)]
AnswersOption = Annotated[
    Path | None,
    typer.Option(
        "--out",
        **_PATH,
        help="The new table, or - for stdout: .csv .tsv .json .jsonl .xlsx .parquet .arrow"
        " .feather; texts also with .gz .bz2 .xz .zst .zip (default: NAME-emotions beside the"
        " input, in its format; for a pipe, stdout).",
    ),
]
VectorsOption = Annotated[
    Path | None,
    typer.Option(
        "--out",
        **_PATH,
        help="A .parquet file, or - for stdout (default: NAME-embeddings.parquet beside FILE; for a"
        " pipe, stdout).",
    ),
]
FormatOption = Annotated[
    str | None,
    typer.Option(
        "--format",
        **_READING,
        metavar="NAME",
        help="The format, if it is not recognized: csv, txt, json, xlsx, …",
    ),
]
EncodingOption = Annotated[
    str | None,
    typer.Option(
        "--encoding", **_READING, metavar="NAME", help="The encoding, such as utf-8 or cp1252."
    ),
]
DelimiterOption = Annotated[
    str | None,
    typer.Option(
        "--delimiter",
        **_READING,
        metavar="SIGN",
        help="What stands between the fields: tab, comma, semicolon, pipe, space, or other signs"
        " such as ::. none: each line of a .txt is one text.",
    ),
]
HeaderOption = Annotated[
    bool | None,
    typer.Option(
        "--header/--no-header", **_READING, help="Whether the first row names the columns."
    ),
]
SkipRowsOption = Annotated[
    int | None,
    typer.Option(
        "--skip-rows",
        **_READING,
        metavar="N",
        help="Leave out N rows: those below the header if it is the first row, else those above"
        " it.",
    ),
]
SheetOption = Annotated[
    str | None,
    typer.Option(
        "--sheet", **_READING, metavar="NAME", help="The sheet of a workbook: its name or number."
    ),
]
StrictOption = Annotated[
    bool | None,
    typer.Option(
        "--strict", **_READING, help="Stop at a row that can't be used, instead of counting it."
    ),
]
TextOption = Annotated[
    str | None,
    typer.Option(
        "--text",
        metavar="COLUMN",
        help="The column of the texts. Dots ask for inner values: data.text, turns.0.text.",
    ),
]
LabelOption = Annotated[
    str | None,
    typer.Option(
        "--label",
        metavar="COLUMN",
        help="The column of the classes, or one column for each class, with 0 and 1:"
        " anger,fear,joy.",
    ),
]
ClassNamesOption = Annotated[
    str | None,
    typer.Option(
        "--class-names",
        **_LABELS,
        metavar="FILE|A,B,C",
        help="If the classes are numbers: their names in this order, or a file with a name per"
        " line.",
    ),
]
MissingOption = Annotated[
    str | None,
    typer.Option(
        "--missing",
        **_LABELS,
        metavar="A,B",
        help="Labels that mean 'no label', in place of the usual ones (nan, null, N/A, ?, …).",
    ),
]
DropClassesOption = Annotated[
    str | None,
    typer.Option(
        "--drop-classes", **_LABELS, metavar="A,B", help="Classes whose rows are left out."
    ),
]
LabelSeparatorOption = Annotated[
    str | None,
    typer.Option(
        "--label-separator",
        **_LABELS,
        metavar="SIGN",
        help="What stands between several labels of a row: comma, semicolon, tab, space, or any"
        " other sign or word. none: each row has one label.",
    ),
]
IgnoreOption = Annotated[
    list[str] | None,
    typer.Option(
        "--ignore", metavar="CODES", help="Checks of inspect to leave out: --ignore T03,T07."
    ),
]
SplitOption = Annotated[
    list[str] | None,
    typer.Option(
        "--split",
        metavar="SPLIT=NAME",
        help="Which file, folder or value is train, validation or test: --split test=holdout.csv",
    ),
]
PrecisionOption = Annotated[
    str | None,
    typer.Option(
        "--precision",
        metavar="NAME",
        help="fp32, bf16 or int8 (default: bf16 if it is fast, else fp32; int8 if nothing else was"
        " exported).",
    ),
]
PoolingOption = Annotated[
    str | None,
    typer.Option(
        "--pooling",
        metavar="NAME",
        help="The vector of a text: cls (first token) or mean (all tokens).",
    ),
]
LayerOption = Annotated[
    int | None,
    typer.Option(
        "--layer", metavar="N", help="The layer of the vectors: -1 is the last, 0 the input."
    ),
]
NormalizeOption = Annotated[
    bool | None, typer.Option("--normalize/--no-normalize", help="Scale each vector to length 1.")
]
RecipeOption = Annotated[
    str | None,
    typer.Option(
        "--recipe",
        metavar="NAME",
        help="How to fine-tune: best (the default), or fast, in about a fifth of the time, or half"
        " of it with few rows.",
    ),
]
TrackerOption = Annotated[
    str | None,
    typer.Option(
        "--tracker",
        metavar="NAME",
        help="tensorboard: write the figures of the training for TensorBoard, into the run folder."
        " Nothing is sent anywhere.",
    ),
]
SeedsOption = Annotated[
    int | None,
    typer.Option(
        "--seeds",
        metavar="N",
        help="Fine-tune N times with other seeds, on the same splits: the mean and the spread are"
        " reported, and the model that is best on validation is kept.",
    ),
]

UnsureOption = Annotated[
    float | None,
    typer.Option(
        metavar="P",
        **UNSURE,
        help="Leave a text unanswered if its highest probability is below this.",
    ),
]
PromiseOption = Annotated[
    float | None,
    typer.Option(
        metavar="SHARE",
        **UNSURE,
        help="Answer so many texts that at least this share of the answers is right, with 90 %"
        " confidence, on texts like those of the training. For example 0.95. Without this option,"
        " the model's own promise holds; predict prints it.",
    ),
]
CoverageOption = Annotated[
    float | None,
    typer.Option(
        metavar="SHARE",
        **UNSURE,
        help="Answer about this share of the texts, those with the highest probabilities. Nothing"
        " is promised then.",
    ),
]

# How to read a file: the fields of ReadOptions. `reading` gives them to a command, and a study has
# them as settings.
READ_OPTIONS: dict[str, Any] = {
    "file_format": FormatOption,
    "encoding": EncodingOption,
    "delimiter": DelimiterOption,
    "header": HeaderOption,
    "skip_rows": SkipRowsOption,
    "sheet": SheetOption,
    "strict": StrictOption,
}

# How to read labels: the fields of LabelOptions, in the same way.
LABEL_OPTIONS: dict[str, Any] = {
    "class_names": ClassNamesOption,
    "missing": MissingOption,
    "drop_classes": DropClassesOption,
    "label_separator": LabelSeparatorOption,
}

# The options of `run` and of every stage, by the setting that each one changes. A new line here
# gives all these commands another option.
STUDY_OPTIONS: dict[str, Any] = {
    "data.dataset": DatasetOption,
    "data.text": TextOption,
    "data.label": LabelOption,
    "data.splits": SplitOption,
    **{f"data.{name}": option for name, option in (READ_OPTIONS | LABEL_OPTIONS).items()},
    "audit.ignore": IgnoreOption,
    "encoder.name": EncoderOption,
    "encoder.pooling": PoolingOption,
    "encoder.layer": LayerOption,
    "encoder.normalize": NormalizeOption,
    "encoder.precision": PrecisionOption,
    "finetune.recipe": RecipeOption,
    "finetune.seeds": SeedsOption,
    "finetune.tracker": TrackerOption,
}


def _gathering(
    name: str, options: Mapping[str, Any], kind: type
) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """A decorator that gives a command these options in place of its parameter `name`.

    The command gets them as one object of this kind.
    """

    def decorator(command: Callable[..., None]) -> Callable[..., None]:
        def with_options(*args: Any, **rest: Any) -> None:
            given = {option: rest.pop(option) for option in options}
            value = kind(**{option: v for option, v in given.items() if v is not None})
            command(*args, **{name: value}, **rest)

        signature = Signature.from_callable(command, eval_str=True)
        own = [p for p in signature.parameters.values() if p.name != name]
        with_options.__name__, with_options.__doc__ = command.__name__, command.__doc__
        return with_signature(with_options, [*own, *parameters_of(options)])

    return decorator


reading = _gathering("read", READ_OPTIONS, ReadOptions)
labelling = _gathering("labels", LABEL_OPTIONS, LabelOptions)


def with_signature(
    command: Callable[..., None], parameters: list[Parameter]
) -> Callable[..., None]:
    """The command with these parameters; Typer reads the options of a command from there."""
    vars(command)["__signature__"] = Signature(parameters)
    return command


def parameters_of(options: Mapping[str, Any]) -> list[Parameter]:
    """A parameter for each option, None by default."""
    return [
        Parameter(name, Parameter.KEYWORD_ONLY, default=None, annotation=option)
        for name, option in options.items()
    ]
