"""The command `emolens push`."""

from __future__ import annotations

import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, cast

import typer

from emolens.cli.options import JsonOption
from emolens.cli.stops import promise
from emolens.console import Console
from emolens.data.checks import counted
from emolens.errors import UsageError
from emolens.names import user_path

if TYPE_CHECKING:
    from emolens.publish.push import Plan, Side


def push(
    model: Annotated[
        Path,
        typer.Argument(metavar="FOLDER", parser=user_path, help="A model folder, as run makes it."),
    ],
    repo: Annotated[str, typer.Argument(metavar="OWNER/NAME", help="The repository on the Hub.")],
    public: Annotated[
        bool, typer.Option("--public", help="Everybody may see it. Without it, only you may.")
    ] = False,
    license_: Annotated[
        str | None,
        typer.Option(
            "--license",
            metavar="NAME",
            help="The license of the model, as the Hub names it: apache-2.0, mit, other, …",
        ),
    ] = None,
    card: Annotated[
        str | None,
        typer.Option(
            "--card",
            metavar="SIDE",
            help="Whose words stay if the card was changed here and on the Hub: here or hub.",
        ),
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only list the files and what would change.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Send a model folder to the Hugging Face Hub.

    Makes a private repository if there is none. A second push sends what has changed.
    """
    from emolens.publish.push import plan_push
    from emolens.publish.push import push as send

    console = Console(as_json=as_json)
    plan = plan_push(
        model,
        repo,
        public=public,
        card=_side(card),
        license=license_,
        ask_license=(lambda: None) if dry_run else _asked_license,
    )
    _list(console, plan, to_stdout=dry_run and not as_json)
    if dry_run:
        if as_json:
            console.data(_facts(plan))
        return
    again = "Run the same command again: what has arrived is not sent again."
    with promise(f"The folder is as it was. {again}"):
        done = send(plan)
    if as_json:
        console.data({**_facts(plan), **asdict(done)})
    else:
        console.line(done.address)


def _side(name: str | None) -> Side | None:
    if name not in (None, "here", "hub"):
        raise UsageError(
            f"'{name}' is no side of the card.", hint="Give --card here or --card hub."
        )
    return cast("Side | None", name)


def _asked_license() -> str | None:
    """Ask a person at the terminal; None if nobody is there, or the answer is empty."""
    if not (sys.stdin and sys.stdin.isatty() and sys.stderr.isatty()):
        return None
    question = "The license of this model (apache-2.0, mit, …; empty if it is not decided)"
    return str(typer.prompt(question, default="", show_default=False, err=True)).strip() or None


def _list(console: Console, plan: Plan, *, to_stdout: bool) -> None:
    """Where the files go, and each file with its size and what happens to it."""
    from emolens.encode.cache.size import size_text  # loads NumPy

    total = size_text(sum(file.size for file in plan.files.values()))
    seen = "public" if plan.public else "private"
    write = console.line if to_stdout else console.note
    n = counted(len(plan.files), "file")
    write(f"{n}, {total}, for the {seen} repository {plan.repo}")
    for name, change in plan.changes.items():
        size = size_text(plan.files[name].size) if name in plan.files else ""
        write(f"  {change:<9}  {size:>8}  {name}")
    console.notes(plan.notes)
    if plan.license is None:
        console.note("Note: The card states no license. To state one, add --license NAME.")


def _facts(plan: Plan) -> dict[str, object]:
    files = [
        {
            "path": name,
            "bytes": plan.files[name].size if name in plan.files else None,
            "change": change,
        }
        for name, change in plan.changes.items()
    ]
    return {
        "repository": plan.repo,
        "address": plan.address,
        "public": plan.public,
        "license": plan.license,
        "files": files,
        "left_out": list(plan.left_out),
        "notes": list(plan.notes),
    }
