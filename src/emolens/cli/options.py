"""Options that more than one command takes, each written once."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

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
    Path | None, typer.Option("--out", help="The run folder (default: runs/NAME).")
]
OverwriteOption = Annotated[
    bool, typer.Option("--overwrite", help="Replace the output if it exists.")
]
ModelOption = Annotated[Path, typer.Option("--model", help="A model folder with openvino/ in it.")]
SetOption = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="KEY=VALUE", help="Any setting: --set finetune.epochs=3."),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON on stdout.")]
QuietOption = Annotated[bool, typer.Option("--quiet", "-q", help="Print only errors on stderr.")]
_TABLE = "A table: .csv .tsv .jsonl .parquet .arrow or .txt; - for stdin."
TableArgument = Annotated[Path, typer.Argument(metavar="FILE", help=_TABLE)]
InputOption = Annotated[Path | None, typer.Option("--input", help=_TABLE)]
AnswersOption = Annotated[
    Path | None,
    typer.Option(
        "--out",
        help="The new table, or - for stdout (default: NAME-emotions.csv beside the input; for a"
        " pipe, stdout).",
    ),
]
VectorsOption = Annotated[
    Path | None,
    typer.Option(
        "--out",
        help="A .parquet file, or - for stdout (default: NAME-embeddings.parquet beside FILE; for a"
        " pipe, stdout).",
    ),
]
FormatOption = Annotated[
    str | None,
    typer.Option(
        "--format", help="The format of the input, if its name does not say it: csv, jsonl, …"
    ),
]
TextOption = Annotated[str | None, typer.Option("--text", help="The column of the texts.")]
LabelOption = Annotated[str | None, typer.Option("--label", help="The column of the classes.")]
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

# The options of `run` and of every stage, by the setting that each one changes. A new line here
# gives all these commands another option.
STUDY_OPTIONS: dict[str, Any] = {
    "data.dataset": DatasetOption,
    "data.text": TextOption,
    "data.label": LabelOption,
    "encoder.name": EncoderOption,
    "encoder.pooling": PoolingOption,
    "encoder.layer": LayerOption,
    "encoder.normalize": NormalizeOption,
    "encoder.precision": PrecisionOption,
}
