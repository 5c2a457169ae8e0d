"""The pages of the library: which public names stand on which page. Sphinx reads the docstrings."""

from __future__ import annotations

import inspect

import emolens as el

# The first part of a name's module, the page, its title and what it is about.
PAGES = {
    "data": ("data", "Data", "Load a table, look at it, and balance its classes."),
    "encode": ("encode", "Encoders", "Turn texts into tokens, and tokens into vectors."),
    "explore": ("explore", "Maps", "Lay vectors out on a map."),
    "learn": ("learn", "Training", "Baselines, the probe, and fine-tuning."),
    "evaluation": ("evaluation", "Evaluation", "Compare answers with labels."),
    "judge": ("judge", "Measuring a model", "How right a finished model is on your own rows."),
    "predict": ("predict", "Predicting", "Answer new texts."),
    "export": ("export", "Exporting", "Write a model for other programs, and compare precisions."),
    "show": (
        "show",
        "Pictures and pages",
        "Draw the figures, and write pages about them. `plot(ax=None)` draws a display and returns"
        " it; then it has `ax_` and `figure_`. A notebook draws it by itself.",
    ),
    "study": ("study", "Studies", "A whole study from one call, and the comparison of several."),
    "scores": ("scores", "Scores", "The probabilities of a model, and how it was trained."),
    "labels": ("others", "Labels and errors", "The names of classes, and what can go wrong."),
    "errors": ("others", "Labels and errors", "The names of classes, and what can go wrong."),
}


def public_names() -> dict[str, list[str]]:
    """The public names by the first part of their module."""
    names: dict[str, list[str]] = {}
    for name in dir(el):
        if not name.startswith("_"):
            home = getattr(el, name).__module__
            names.setdefault(home.split(".")[1], []).append(name)
    return names


def pages() -> dict[str, str]:
    """File names and reStructuredText: an index, and a page for each group of names."""
    by_page: dict[str, list[str]] = {page: [] for page, _, _ in PAGES.values()}
    for part, names in public_names().items():
        by_page[PAGES[part][0]] += names
    titles = {page: (title, about) for page, title, about in PAGES.values()}
    return {
        "index.rst": _index(titles, by_page),
        **{f"{page}.rst": _page(*titles[page], sorted(by_page[page])) for page in by_page},
    }


def _index(titles: dict[str, tuple[str, str]], by_page: dict[str, list[str]]) -> str:
    rows = []
    for page, (title, about) in titles.items():
        names = ", ".join(f":py:obj:`~emolens.{name}`" for name in sorted(by_page[page]))
        rows.append(f"   * - :doc:`{title} <{page}>`\n     - {about} {names}")
    return "\n".join(
        [
            "Library\n=======\n",
            "Every command is a call of the library, too. All public names are in ``emolens``:\n",
            ".. code-block:: python\n\n   import emolens as el\n",
            '   dataset = el.load_dataset("starter")\n',
            ".. list-table::\n   :widths: 25 75\n",
            *rows,
            "\n.. toctree::\n   :hidden:\n",
            *(f"   {page}" for page in titles),
            "",
        ]
    )


def _page(title: str, about: str, names: list[str]) -> str:
    parts = [f"{title}\n{'=' * len(title)}\n", f"{about}\n", ".. currentmodule:: emolens\n"]
    for name in sorted(names, key=lambda name: (not name[0].islower(), name.lower())):
        thing = getattr(el, name)
        if not inspect.isclass(thing):
            parts.append(f".. autofunction:: {name}\n")
        elif issubclass(thing, Exception):
            parts.append(f".. autoexception:: {name}\n")
        else:
            parts.append(f".. autoclass:: {name}\n   :members:\n")
    return "\n".join(parts)
