"""How the help of a command looks: options under the titles that they name. Knows no command."""

from __future__ import annotations

from typing import Any

from typer.core import TyperCommand


class Command(TyperCommand):
    """Lists the options with a `rich_help_panel` apart, under this title. Needs no rich."""

    def format_options(self, ctx: Any, formatter: Any) -> None:
        """Write the lists of arguments and options."""
        lists: dict[str, list[tuple[str, str]]] = {}
        for parameter in self.get_params(ctx):
            usual = "Arguments" if parameter.param_type_name == "argument" else "Options"
            title = getattr(parameter, "rich_help_panel", None) or usual
            lists.setdefault(title, []).extend(filter(None, [parameter.get_help_record(ctx)]))
        for title, lines in lists.items():
            with formatter.section(title):
                formatter.write_dl(lines)
