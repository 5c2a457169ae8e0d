"""`run` and the commands of single stages. They take the same options and end at another stage."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from inspect import Signature
from pathlib import Path
from typing import Any

import typer

from emolens.cli.help import Command
from emolens.cli.options import (
    STUDY_OPTIONS,
    JsonOption,
    OutOption,
    QuietOption,
    SetOption,
    StudyArgument,
    parameters_of,
    with_signature,
)
from emolens.cli.stops import promise
from emolens.console import Console, RunConsole, show_run


def study_commands(app: typer.Typer, **titles: str) -> None:
    """Add `run`, which runs a whole study, and stages, which run a study up to this stage.

    titles: the first line of the help, by command.
    """
    for name, title in titles.items():
        app.command(name, help=title, cls=Command)(_command(None if name == "run" else name))


def _command(stage: str | None) -> Callable[..., None]:
    def command(**options: Any) -> None:
        run_stage(stage, **options)

    return with_signature(command, PARAMETERS)


def run_stage(
    stage: str | None,
    study: StudyArgument = "starter",
    *,
    out: OutOption = None,
    settings: SetOption = None,
    as_json: JsonOption = False,
    quiet: QuietOption = False,
    **options: Any,
) -> None:
    """Run a study up to a stage, or, without one, the whole study."""
    from emolens.data.splitnames import wanted_splits
    from emolens.output import SetAside
    from emolens.study import load_study, pairs, run_study

    given = {setting: options[parameter_of(setting)] for setting in STUDY_OPTIONS}
    names = wanted_splits(given.pop("data.splits") or [])
    given |= {f"data.splits.{split}": name for split, name in names.items()}
    overrides = {setting: value for setting, value in given.items() if value is not None}
    resolved = load_study(study, overrides | pairs(settings or []))
    folder = out or Path("runs") / resolved.name
    if quiet:
        warnings.simplefilter("ignore", UserWarning)
        warnings.simplefilter("always", SetAside)
    observer = RunConsole(Console(quiet=quiet or as_json), says_it_trains=stage == "evaluate")
    with promise("Run the same command again: finished stages are kept."):
        try:
            run = run_study(resolved, folder, until=stage, observer=observer)
        finally:
            observer.close()
    show_run(Console(as_json=as_json, quiet=quiet), run, stage)


def parameter_of(setting: str) -> str:
    """The name of the parameter that a command has for a setting."""
    return setting.replace(".", "_")


_, _STUDY, *_OWN, _ = Signature.from_callable(run_stage, eval_str=True).parameters.values()
_SETTINGS = parameters_of({parameter_of(name): option for name, option in STUDY_OPTIONS.items()})
# Of a command that runs a stage.
PARAMETERS = [_STUDY, *_SETTINGS, *_OWN]
