"""The pages of the commands, from the command line itself. They say what `--help` says."""

from __future__ import annotations

import inspect
import re
from typing import Any

import typer.main

from emolens.cli import app


def pages() -> dict[str, str]:
    """File names and reStructuredText: an index, and a page for each command."""
    group: Any = typer.main.get_command(app)
    context = group.make_context("emolens", [], resilient_parsing=True)
    commands = {name: command for name, command in group.commands.items() if not command.hidden}
    return {
        "index.rst": _index(group, context, commands),
        **{f"{name}.rst": _page(command, name, context) for name, command in commands.items()},
    }


def _index(group: Any, context: Any, commands: dict[str, Any]) -> str:
    rows = [
        f"   * - :doc:`emolens {name} <{name}>`\n     - {_plain(_about(command)[0])}"
        for name, command in commands.items()
    ]
    return "\n".join(
        [
            _title("Commands"),
            f"{_plain(group.help)}\n",
            *_usage(group, context),
            "A command says more with ``--help``. These pages are made from the same texts.\n",
            ".. list-table::\n   :widths: 30 70\n",
            *rows,
            "\nOptions before a command\n------------------------\n",
            ".. program:: emolens\n",
            *_options(group, context)["Options"],
            ".. toctree::\n   :hidden:\n",
            *(f"   emolens {name} <{name}>" for name in commands),
            "",
        ]
    )


def _page(command: Any, name: str, parent: Any) -> str:
    context = command.make_context(name, [], parent=parent, resilient_parsing=True)
    parts = [_title(f"emolens {name}"), *(f"{_plain(text)}\n" for text in _about(command))]
    parts += _usage(command, context)
    parts.append(f".. program:: emolens {name}\n")
    for title, options in _options(command, context).items():
        parts += [f"{_plain(title)}\n{'-' * len(title)}\n", *options]
    return "\n".join(parts)


def _about(command: Any) -> list[str]:
    """The paragraphs of a command's help, each on one line."""
    text = inspect.cleandoc(command.help or "").split("\f")[0]
    return [" ".join(part.split()) for part in text.split("\n\n")]


def _usage(command: Any, context: Any) -> list[str]:
    words = " ".join([context.command_path, *command.collect_usage_pieces(context)])
    return [f".. code-block:: none\n\n   {words}\n"]


def _options(command: Any, context: Any) -> dict[str, list[str]]:
    """Arguments and options by the titles under which `--help` lists them."""
    lists: dict[str, list[str]] = {}
    for parameter in command.get_params(context):
        usual = "Arguments" if parameter.param_type_name == "argument" else "Options"
        title = getattr(parameter, "rich_help_panel", None) or usual
        if record := parameter.get_help_record(context):
            names, text = record
            names = names.replace(" / ", ", ")
            lists.setdefault(title, []).append(f".. option:: {names}\n\n   {_plain(text)}\n")
    return lists


def _title(text: str) -> str:
    return f"{text}\n{'=' * len(text)}\n"


def _plain(text: str) -> str:
    """A text in which nothing is markup."""
    return re.sub(r"([\\*`_|<>])", r"\\\1", " ".join(text.split()))
