"""Finds the texts in the source of emolens that name a command or an option to type."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from tests.conftest import ROOT

PACKAGE = ROOT / "src" / "emolens"
COMMANDS = (
    "run|inspect|tokenize|embed|encode|map|baselines|probe|finetune|evaluate|export|predict|check"
    "|cache|compare|report|learn"
)
_TYPED = re.compile(rf"(?<![\w-])--(?:[a-z]|\{{\}})|\bemolens (?:{COMMANDS})\b|\bpip install\b")
_OPTION_ALONE = re.compile(r"--[a-z-]+")


def hints() -> set[str]:
    """All texts that name a command or an option, with {} in place of values.

    Docstrings, the help of commands and the sentence of an error are left out.
    """
    return {text for tree in _trees() for text in _texts(tree) if _names_a_command(text)}


def all_texts() -> set[str]:
    """All texts of the source but docstrings."""
    return {text for tree in _trees() for text in _texts(tree)}


def _trees() -> Iterator[ast.Module]:
    for path in sorted(PACKAGE.rglob("*.py")):
        yield ast.parse(path.read_text(encoding="utf-8"))


def _names_a_command(text: str) -> bool:
    return bool(_TYPED.search(text)) and not _OPTION_ALONE.fullmatch(text)


def _texts(tree: ast.Module) -> Iterator[str]:
    hidden = set(_hidden(tree))
    for node in ast.walk(tree):
        if node not in hidden and isinstance(node, (ast.JoinedStr, ast.Constant)):
            yield _shape(node)


def _hidden(tree: ast.Module) -> Iterator[ast.AST]:
    """What is no text that users read when something is wrong, and the parts of f-strings."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            yield node.value  # a docstring
        elif isinstance(node, ast.JoinedStr):
            yield from (part for part in node.values if isinstance(part, ast.Constant))
        elif isinstance(node, ast.Call):
            if _name(node.func) in ("Option", "Argument", "study_command", "Typer"):
                yield from ast.walk(node)
            if node.args and any(keyword.arg == "hint" for keyword in node.keywords):
                yield from ast.walk(node.args[0])


def _name(function: ast.expr) -> str:
    return str(getattr(function, "attr", getattr(function, "id", "")))


def _shape(node: ast.expr) -> str:
    if isinstance(node, ast.JoinedStr):
        return "".join(_shape(v) if isinstance(v, ast.Constant) else "{}" for v in node.values)
    return str(getattr(node, "value", ""))
