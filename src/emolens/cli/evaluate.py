"""`emolens evaluate`: with --model, scores an existing model; without it, the stage of a study."""

from __future__ import annotations

from inspect import Parameter
from pathlib import Path
from typing import Annotated, Any

import typer

from emolens.cli.options import (
    LABEL_OPTIONS,
    READ_OPTIONS,
    STUDY_OPTIONS,
    parameters_of,
    with_signature,
)
from emolens.cli.stops import promise
from emolens.cli.study import PARAMETERS, parameter_of, run_stage
from emolens.console import Console, show_commit
from emolens.data.readers.options import ReadOptions
from emolens.data.targets.options import LabelOptions
from emolens.errors import UsageError
from emolens.shown import quoted

_TITLE: dict[str, Any] = {"rich_help_panel": "Scoring an existing model"}
ModelOption = Annotated[
    str | None,
    typer.Option(
        "--model",
        **_TITLE,
        metavar="NAME",
        help="Score this model on the labelled rows of --dataset, and train nothing: a model"
        " folder, or owner/name on the Hub. --split NAME chooses the rows, and --out names a page"
        " (.html) or a file of figures (.json).",
    ),
]
MapOption = Annotated[
    list[str] | None,
    typer.Option(
        "--map",
        **_TITLE,
        metavar="CLASS=NAME",
        help="A class of the model, and its name in the table: --map joy=happiness. Several names"
        " may stand for one class: --map joy=happiness,fun.",
    ),
]
OverwriteOption = Annotated[
    bool, typer.Option("--overwrite", **_TITLE, help="Replace the file of --out if it exists.")
]
# Options of a study that also say how rows are read and answered; the others are for training.
_FOR_ROWS = {
    *("data.dataset", "data.text", "data.label", "data.splits", "encoder.precision"),
    *(f"data.{name}" for name in (READ_OPTIONS | LABEL_OPTIONS)),
}


def _evaluate(
    model: str | None, *, mapped: list[str] | None, overwrite: bool, **options: Any
) -> None:
    """Score an existing model on labelled rows (--model), or train models and compare them.

    With --model nothing is trained: any model folder or model of the Hub is compared with the
    labels of --dataset. Without it, a study is run up to the comparison of its models.
    """
    if model is None:
        for name, given in (("--map", mapped), ("--overwrite", overwrite)):
            if given:
                raise UsageError(
                    f"{name} is for an existing model, and no model is named.",
                    hint="Add --model, such as --model runs/starter/model.",
                )
        run_stage("evaluate", **options)
        return
    _check(model, options)
    _score(model, mapped or [], overwrite=overwrite, options=options)


def _check(model: str, options: dict[str, Any]) -> None:
    """Refuse what has no meaning with --model."""
    again = f"emolens evaluate --model {quoted(model)} --dataset"
    if options["study"] != "starter":
        raise UsageError(
            f"With --model no study is run, so '{options['study']}' has no meaning here.",
            hint=f"Name the labelled rows with --dataset: {again} {quoted(options['study'])}",
        )
    if options["data_dataset"] is None:
        raise UsageError(
            "No labelled rows are named for --model.",
            hint=f"Name them with --dataset: {again} starter",
        )
    given = {setting: options[parameter_of(setting)] for setting in STUDY_OPTIONS}
    training = [
        name for name, value in given.items() if value is not None and name not in _FOR_ROWS
    ]
    if options["settings"]:
        training.append("--set")
    if training:
        name = training[0].rpartition(".")[2]
        option = "--encoder" if training[0] == "encoder.name" else f"--{name.lstrip('-')}"
        raise UsageError(
            f"{option} is for training, and with --model nothing is trained.",
            hint=f"Leave it out: {again} {quoted(options['data_dataset'])}",
        )


def _score(model: str, mapped: list[str], *, overwrite: bool, options: dict[str, Any]) -> None:
    from emolens.console.scored import show_report
    from emolens.data.sources import load_rows
    from emolens.judge.classes import mapping_of
    from emolens.judge.model import score_model
    from emolens.judge.write import check_target, write_report
    from emolens.predict.classifier import Classifier

    console = Console(as_json=options["as_json"], quiet=options["quiet"])
    out: Path | None = options["out"]
    if out is not None:
        check_target(out, overwrite=overwrite)
    split, splits = _splits(options["data_splits"] or [])
    rows = load_rows(
        options["data_dataset"],
        split,
        text=options["data_text"],
        label=options["data_label"],
        splits=splits,
        read=_gathered(ReadOptions, READ_OPTIONS, options),
        labels=_gathered(LabelOptions, LABEL_OPTIONS, options),
    )
    console.notes(rows.notes)
    classifier = Classifier(model, precision=options["encoder_precision"])
    show_commit(console, "model", classifier.folder)
    with promise("Nothing was written."), console.progress("answer") as update:
        report = score_model(
            classifier, rows, mapping=mapping_of(mapped, rows.labels.names), progress=update
        )
    show_report(console, report)
    if out is not None:
        write_report(report, out, overwrite=overwrite)
        (console.note if console.as_json else console.line)(str(out))


def _gathered(kind: Any, names: dict[str, Any], options: dict[str, Any]) -> Any:
    given = {name: options[parameter_of(f"data.{name}")] for name in names}
    return kind(**{name: value for name, value in given.items() if value is not None})


def _splits(given: list[str]) -> tuple[str | None, dict[str, str]]:
    """The split to score, and the names of splits in the source.

    '--split test' names the rows, '--split test=holdout.csv' also says where they are.
    """
    from emolens.data.splitnames import wanted_splits

    names = [name.strip() for name in given if "=" not in name]
    splits = wanted_splits(name for name in given if "=" in name)
    if len(names) > 1:
        raise UsageError(
            f"--split names the rows twice: {names[0]} and {names[1]}.",
            hint="Give one, or --split all.",
        )
    if names:
        return names[0], splits
    return (next(iter(splits)) if len(splits) == 1 else None), splits


def _parameters() -> list[Parameter]:
    """Those of the stage, and those for an existing model."""
    study, *rest = PARAMETERS
    own = parameters_of({"model": ModelOption, "mapped": MapOption})
    overwrite = Parameter(
        "overwrite", Parameter.KEYWORD_ONLY, default=False, annotation=OverwriteOption
    )
    return [study, *rest, *own, overwrite]


evaluate = with_signature(_evaluate, _parameters())
