"""How docstrings are laid out: the sentences 'name: what it means' become a list.

The docstrings of emolens are plain prose. A parameter or a field is described by a sentence that
begins with its name and a colon. On a page, each of them gets its own line.
"""

from __future__ import annotations

import contextlib
import inspect
import re
from typing import Any

import emolens

_PUBLIC = frozenset(dir(emolens))
_NAMES = r"[A-Za-z_]\w*(?:, [A-Za-z_]\w*)*"
# Where a sentence begins with names and a colon.
_LABEL = re.compile(rf"(?:^|(?<=[.;)]) )({_NAMES}): ")
# Sentences that are not about the name before them.
_APART = re.compile(r"(?<=[.)]) (?=(?:Raises|Returns|After fit|At most one|[A-Z]\w*Error)\b)")


def laid_out(_app: Any, _what: str, _name: str, obj: Any, _options: Any, lines: list[str]) -> None:
    """Change the lines of a docstring in place, as Sphinx wants it."""
    lines[:] = with_lists(as_code("\n".join(lines)), _names_of(obj)).splitlines()


def as_code(text: str) -> str:
    """The text with its `code` as code; `names` that are public stay, and become links."""
    return re.sub(r"(?<!`)`([^`]+)`(?!`)", lambda m: m[0] if m[1] in _PUBLIC else f"`{m[0]}`", text)


def with_lists(text: str, names: frozenset[str]) -> str:
    """The text in reStructuredText, with a list of those of the names that it describes."""
    paragraphs = re.split(r"\n\s*\n", text.strip())
    return "\n\n".join(_laid_out(paragraph, names) for paragraph in paragraphs)


def _laid_out(paragraph: str, names: frozenset[str]) -> str:
    if re.search(r"^\s", paragraph, re.MULTILINE):  # a block of code
        return paragraph
    line = " ".join(paragraph.split())
    starts = [m for m in _LABEL.finditer(line) if names.issuperset(m[1].split(", "))]
    if not starts:
        return line
    ends = [match.start() for match in starts[1:]] + [len(line)]
    parts = [line[: starts[0].start()].strip()]
    for match, end in zip(starts, ends, strict=True):
        meaning, *apart = _APART.split(line[match.end() : end].strip())
        label = ", ".join(f"``{name}``" for name in match[1].split(", "))
        parts += [f"{label}\n    {meaning}", *apart]
    return "\n\n".join(filter(None, parts))


def _names_of(obj: Any) -> frozenset[str]:
    """What a docstring may describe: parameters, and the fields of a class."""
    names: set[str] = set(getattr(obj, "__annotations__", {}))
    if inspect.isclass(obj):
        names |= {name for base in obj.__mro__ for name in vars(base).get("__annotations__", {})}
        names |= {name for name in dir(obj) if not name.startswith("_")}
    with contextlib.suppress(TypeError, ValueError):  # a property, or a type without a signature
        names |= set(inspect.signature(obj).parameters)
    return frozenset(names)
