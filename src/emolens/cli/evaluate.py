"""`emolens evaluate`: with --model, scores an existing model; without it, the stage of a study."""

from __future__ import annotations

from inspect import Parameter
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from emolens.cli.options import (
    LABEL_OPTIONS,
    READ_OPTIONS,
    CoverageOption,
    PromiseOption,
    UnsureOption,
    parameters_of,
    with_signature,
)
from emolens.cli.stops import promise as if_stopped
from emolens.cli.study import PARAMETERS, parameter_of, run_stage
from emolens.console import Console, show_model
from emolens.data.readers.options import ReadOptions
from emolens.data.targets.options import LabelOptions
from emolens.errors import UsageError
from emolens.names import user_path
from emolens.predict.threshold import OPTIONS
from emolens.shown import quoted

if TYPE_CHECKING:
    from emolens.data.labelled import Labelled
    from emolens.judge.report import ModelReport
    from emolens.predict.classifier import Classifier

_TITLE: dict[str, Any] = {"rich_help_panel": "Scoring an existing model"}
ModelOption = Annotated[
    str | None,
    typer.Option(
        "--model",
        **_TITLE,
        metavar="NAME",
        help="Score this model on the labelled rows of --dataset, and train nothing:"
        " general, a model folder, or owner/name on the Hub.",
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
# These options of a study mean more here.
_CHANGED = {
    "out": Annotated[
        Path | None,
        typer.Option(
            "--out",
            metavar="PATH",
            parser=user_path,
            help="The run folder (default: runs/NAME). With --model: a page (.html) or a file of"
            " figures (.json) to write.",
        ),
    ],
    "data_splits": Annotated[
        list[str] | None,
        typer.Option(
            "--split",
            metavar="SPLIT=NAME",
            help="Which file, folder or value is train, validation or test: --split"
            " test=holdout.csv. With --model: --split NAME chooses the rows, --split all takes all"
            " (default: test, or all if there is no test).",
        ),
    ],
}
_THRESHOLDS = {
    "promise": PromiseOption,
    "coverage": CoverageOption,
    "unsure_below": UnsureOption,
}
# Settings whose options are for training only. Those of all others say how rows are read.
FOR_TRAINING = {
    "audit.ignore": "--ignore",
    "encoder.name": "--encoder",
    "encoder.pooling": "--pooling",
    "encoder.layer": "--layer",
    "encoder.normalize": "--normalize",
    "finetune.recipe": "--recipe",
    "finetune.seeds": "--seeds",
    "finetune.tracker": "--tracker",
}


def _evaluate(
    model: str | None, *, mapped: list[str] | None, overwrite: bool, **options: Any
) -> None:
    """Score a model on labelled rows, or train some to compare.

    With --model nothing is trained: any model folder or model of the Hub is compared with the
    labels of --dataset. Without it, a study is run up to the comparison of its models.
    """
    thresholds = {name: options.pop(name) for name in _THRESHOLDS}
    if model is None:
        own = {"--map": mapped, "--overwrite": overwrite or None}
        own |= {OPTIONS[name]: given for name, given in thresholds.items()}
        for name, given in own.items():
            if given is not None:
                raise UsageError(
                    f"{name} is for an existing model, and no model is named.",
                    hint="Name it: --model FOLDER",
                )
        run_stage("evaluate", **options)
        return
    _check(model, options)
    console, out = Console(as_json=options["as_json"], quiet=options["quiet"]), options["out"]
    if out is not None:
        from emolens.show.scored import check_target

        data = user_path(options["data_dataset"])
        check_target(out, inputs=[data] if data.is_file() else [], overwrite=overwrite)
    rows = _rows(options)
    console.notes(rows.notes)
    from emolens.predict.classifier import Classifier

    classifier = Classifier(model, precision=options["encoder_precision"], **thresholds)
    show_model(console, classifier)
    report = _score(console, classifier, rows, mapped or [])
    _show(console, report, out, overwrite=overwrite)


def _check(model: str, options: dict[str, Any]) -> None:
    """Refuse what has no meaning with --model."""
    name = quoted(model)
    if options["study"] != "starter":
        rows = quoted(options["study"])
        raise UsageError(
            f"With --model no study is run, so '{options['study']}' has no meaning here.",
            hint=f"For labelled rows: emolens evaluate --model {name} --dataset {rows}",
        )
    if options["data_dataset"] is None:
        raise UsageError(
            "No labelled rows are named for --model.",
            hint=f"For example: emolens evaluate --model {name} --dataset starter",
        )
    training = [
        option
        for setting, option in FOR_TRAINING.items()
        if options[parameter_of(setting)] is not None
    ]
    if options["settings"]:
        training.append("--set")
    if training:
        rows = quoted(options["data_dataset"])
        raise UsageError(
            f"{training[0]} is for training, and with --model nothing is trained.",
            hint=f"Leave it out: emolens evaluate --model {name} --dataset {rows}",
        )


def _rows(options: dict[str, Any]) -> Labelled:
    from emolens.data.sources import load_rows

    split, splits = _splits(options["data_splits"] or [])
    return load_rows(
        options["data_dataset"],
        split,
        text=options["data_text"],
        label=options["data_label"],
        splits=splits,
        read=_gathered(ReadOptions, READ_OPTIONS, options),
        labels=_gathered(LabelOptions, LABEL_OPTIONS, options),
    )


def _score(
    console: Console, classifier: Classifier, rows: Labelled, mapped: list[str]
) -> ModelReport:
    from emolens.judge.classes import mapping_of
    from emolens.judge.model import score_model

    mapping = mapping_of(mapped, rows.labels.names)
    with if_stopped("Nothing was written."), console.progress("answer") as update:
        return score_model(classifier, rows, mapping=mapping, progress=update)


def _show(console: Console, report: ModelReport, out: Path | None, *, overwrite: bool) -> None:
    from emolens.console.scored import show_report

    show_report(console, report)
    if out is None:
        console.note("For a page with more of this, and with pictures: --out report.html")
    else:
        from emolens.show.scored import write_report

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
    changed = [p.replace(annotation=_CHANGED.get(p.name, p.annotation)) for p in PARAMETERS]
    own = parameters_of({"model": ModelOption, "mapped": MapOption, **_THRESHOLDS})
    overwrite = Parameter(
        "overwrite", Parameter.KEYWORD_ONLY, default=False, annotation=OverwriteOption
    )
    return [*changed, *own, overwrite]


evaluate = with_signature(_evaluate, _parameters())
