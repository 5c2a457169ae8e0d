"""Renders a page of one file, which fetches nothing, from a template of this folder.

The texts in the data are untrusted: the templates escape all of them, and the policy of a page
forbids scripts and connections. Knows nothing of what the pages show.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from emolens.errors import require
from emolens.show import theme
from emolens.shown import isolated, visible_lines
from emolens.version import __version__

LONGEST = 600  # characters of a text
_WHOLE = 20_000  # of one that is not shown, but can be downloaded


def render(template: str, **values: Any) -> str:
    """The HTML of a page. The template also gets the theme, the version and the date."""
    jinja2 = require("jinja2", "train")
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        finalize=_shown,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters["cut"] = lambda text: _of_the_data(cut(text))
    environment.filters["whole"] = lambda text: _of_the_data(cut(text, _WHOLE))
    made = f"{datetime.now().day} {datetime.now():%B %Y}"
    page: str = environment.get_template(template).render(
        **values, theme=theme, version=__version__, made=made
    )
    return page


def sections_shown(titles: Mapping[str, str], shown: Mapping[str, bool]) -> dict[str, str]:
    """The sections of a page by id. shown: those that may be left out, and whether they are not."""
    return {name: title for name, title in titles.items() if shown.get(name, True)}


def cut(text: str, longest: int = LONGEST) -> str:
    """The beginning of a text that is long for a page. A filter of the templates, too."""
    return text if len(text) <= longest else f"{text[:longest]} …"


def _of_the_data(text: str) -> Any:
    """A text in an element of its own, which tells the browser in which direction to write it."""
    return require("markupsafe", "train").escape(visible_lines(text))


def _shown(value: object) -> object:
    """What the template writes for a value: a text of the data must not reorder the page."""
    is_html = hasattr(value, "__html__")  # of a macro, whose texts have been through here
    return isolated(visible_lines(value)) if isinstance(value, str) and not is_html else value
