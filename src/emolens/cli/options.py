"""Options that more than one command takes, each written once, and the commands that take them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from inspect import Parameter, Signature
from pathlib import Path
from typing import Annotated, Any

import typer

from emolens.data.readers.options import ReadOptions
from emolens.data.targets.options import LabelOptions
from emolens.names import user_path

_PATH: dict[str, Any] = {"metavar": "PATH", "parser": user_path}
StudyArgument = Annotated[
    str, typer.Argument(help="A built-in study (starter, emotion, emotion-minilm) or a TOML file.")
]
DatasetOption = Annotated[
    str | None,
    typer.Option(
        "--dataset", help="Other data: a file, a folder, owner/name on the Hub, or starter."
    ),
]
EncoderOption = Annotated[
    str | None,
    typer.Option("--encoder", help="Another encoder: minilm, distilbert, a folder or a Hub id."),
]
OutOption = Annotated[
    Path | None, typer.Option("--out", **_PATH, help="The run folder (default: runs/NAME).")
]
OverwriteOption = Annotated[
    bool, typer.Option("--overwrite", help="Replace the output if it exists.")
]
ModelOption = Annotated[
    Path, typer.Option("--model", **_PATH, help="A model folder with openvino/ in it.")
]
SetOption = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="KEY=VALUE", help="Any setting: --set finetune.epochs=3."),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON on stdout.")]
QuietOption = Annotated[
    bool,
    typer.Option("--quiet", "-q", help="Print only errors and renamed files of yours on stderr."),
]
_TABLE = "A table: .csv .tsv .txt .json .jsonl .xlsx .ods .parquet .arrow …, or - for stdin."
TableArgument = Annotated[Path, typer.Argument(metavar="FILE", parser=user_path, help=_TABLE)]
InputOption = Annotated[Path | None, typer.Option("--input", **_PATH, help=_TABLE)]
AnswersOption = Annotated[
    Path | None,
    typer.Option(
        "--out",
        **_PATH,
        help="The new table, or - for stdout (default: NAME-emotions beside the input, in its"
        " format; for a pipe, stdout). It can be .csv .tsv .json .jsonl .xlsx .parquet .arrow or"
        " .feather; a text also with .gz .bz2 .xz .zst or .zip.",
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
        help="The format of the input, where its content does not say it: csv, txt, json, xlsx, …",
    ),
]
EncodingOption = Annotated[
    str | None,
    typer.Option("--encoding", help="The encoding of the input, such as utf-8 or cp1252."),
]
DelimiterOption = Annotated[
    str | None,
    typer.Option(
        "--delimiter",
        help="The sign between the fields: one or a few, or tab, comma, semicolon, pipe, space; or"
        " none if each line of a .txt is one text.",
    ),
]
HeaderOption = Annotated[
    bool | None,
    typer.Option("--header/--no-header", help="Whether the first row names the columns."),
]
SkipRowsOption = Annotated[
    int | None,
    typer.Option(
        "--skip-rows",
        help="Rows that are no data: after the first row if it names all columns, else before the"
        " row that does.",
    ),
]
SheetOption = Annotated[
    str | None, typer.Option("--sheet", help="The sheet of a workbook: its name, or its number.")
]
StrictOption = Annotated[
    bool | None,
    typer.Option("--strict", help="Stop at a row that can't be used, instead of counting it."),
]
TextOption = Annotated[str | None, typer.Option("--text", help="The column of the texts.")]
LabelOption = Annotated[
    str | None,
    typer.Option(
        "--label",
        help="The column of the classes, or several columns with a 0 or a 1 for each class:"
        " anger,fear,joy.",
    ),
]
ClassNamesOption = Annotated[
    str | None,
    typer.Option(
        "--class-names",
        metavar="FILE|A,B,C",
        help="The names of classes that are numbers: in the order of the numbers, with commas, or"
        " a file with one name per line.",
    ),
]
MissingOption = Annotated[
    str | None,
    typer.Option(
        "--missing",
        metavar="A,B",
        help="Labels that mean 'no label', in place of the usual ones (nan, null, N/A, ?, …).",
    ),
]
DropClassesOption = Annotated[
    str | None,
    typer.Option("--drop-classes", metavar="A,B", help="Classes whose rows are left out."),
]
LabelSeparatorOption = Annotated[
    str | None,
    typer.Option(
        "--label-separator",
        help="What stands between several labels of a row: comma, semicolon, tab, space, any other"
        " sign, or none.",
    ),
]
IgnoreOption = Annotated[
    list[str] | None,
    typer.Option(
        "--ignore", metavar="CODE", help="Checks of inspect that you don't want: --ignore T03,T07."
    ),
]
SplitOption = Annotated[
    list[str] | None,
    typer.Option(
        "--split",
        metavar="SPLIT=NAME",
        help="A file, folder, or value that is train, validation or test: --split test=holdout.csv",
    ),
]
PrecisionOption = Annotated[
    str | None,
    typer.Option("--precision", help="fp32, bf16, int8 (default: bf16 if it is fast, else fp32)."),
]
PoolingOption = Annotated[
    str | None,
    typer.Option("--pooling", help="The vector of a text: cls (first token) or mean (all tokens)."),
]
LayerOption = Annotated[
    int | None,
    typer.Option("--layer", help="The layer of the vectors: -1 is the last, 0 the input."),
]
NormalizeOption = Annotated[
    bool | None, typer.Option("--normalize/--no-normalize", help="Scale each vector to length 1.")
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
