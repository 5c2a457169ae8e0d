"""The page of all settings: types and defaults from the model, meanings from docs/studies.md."""

from __future__ import annotations

import json
import re
from typing import Any

from emolens.study.settings import Study

_ROW = re.compile(r"^(?:# )?(\w+) = (.*?)\s*(?:#\s+(.*))?$")
_HEAD = re.compile(r"^\[([\w.]+)\]\s*(?:#\s+(.*))?$")
_WORDS = {"integer": "whole number", "number": "number", "string": "text"}


def page(studies: str) -> str:
    """Markdown. studies: the text of docs/studies.md, whose block of TOML shows every setting."""
    schema = Study.model_json_schema()
    meanings = read_meanings(studies)
    parts = [
        "# All settings",
        "Every setting of a study, made from the model that checks them. A setting goes into a"
        " TOML file, or behind `--set`: `emolens run starter --set finetune.epochs=3`."
        " [The settings of a study](/studies.md) shows them as a file, and explains the recipe.",
    ]
    own, tables = {}, {}
    for name, field in schema["properties"].items():
        reference = field.get("$ref") or field.get("allOf", [{}])[0].get("$ref", "")
        if reference:
            tables[name] = schema["$defs"][reference.rsplit("/", 1)[1]]
        else:
            own[name] = field
    parts += ["## The study itself", _table("", own, meanings)]
    for name, table in tables.items():
        about = " ".join(table.get("description", "").split("\n\n")[0].split())
        parts += [f"## `[{name}]`", about, _table(f"{name}.", table["properties"], meanings)]
    return "\n\n".join(parts) + "\n"


def read_meanings(studies: str) -> dict[str, tuple[str, str]]:
    """By setting, such as 'finetune.epochs': the value that the block shows, and the meaning."""
    (block,) = [b for b in re.findall(r"```toml\n(.*?)```", studies, re.DOTALL) if "[probe]" in b]
    meanings, table = {}, ""
    for line in block.splitlines():
        if head := _HEAD.match(line):
            table = f"{head[1]}."
            meanings[head[1]] = ("", head[2] or "")
        elif row := _ROW.match(line):
            meanings[table + row[1]] = (row[2], row[3] or "")
    return meanings


def _table(prefix: str, fields: dict[str, Any], meanings: dict[str, tuple[str, str]]) -> str:
    rows = ["| setting | type | default | meaning |", "|---|---|---|---|"]
    for name, field in fields.items():
        shown, meaning = meanings[prefix + name]
        default = field.get("default")
        usual = "required" if "default" not in field else _code(json.dumps(default))
        if default is None and "default" in field:
            usual, meaning = "not set", f"{meaning}; for example {_code(shown)}".strip("; ")
        row = (f"`{prefix}{name}`", in_words(field), usual, meaning)
        rows.append("| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |")
    return "\n".join(rows)


def in_words(field: dict[str, Any]) -> str:
    """The type of a setting in words, from its JSON schema."""
    if "anyOf" in field:
        return " or ".join(in_words(f) for f in field["anyOf"] if f.get("type") != "null")
    choices = field.get("enum") or ([field["const"]] if "const" in field else [])
    if choices:
        return ", ".join(_code(json.dumps(choice)) for choice in choices)
    kind = field.get("type")
    if kind == "boolean":
        return "`true`, `false`"
    if kind == "object":
        return "a text for each split"
    if kind == "array":
        each = field.get("prefixItems", [field.get("items", {})])
        return (
            f"list of {len(each)} {in_words(each[0])}s"
            if len(each) > 1
            else (f"list of {in_words(each[0])}s")
        )
    return _WORDS[str(kind)] + _bounds(field)


def _bounds(field: dict[str, Any]) -> str:
    """The smallest and the largest value, behind a comma; '' where there is none."""
    words = {
        "minimum": "{} or more",
        "exclusiveMinimum": "above {}",
        "maximum": "{} or less",
        "exclusiveMaximum": "below {}",
    }
    bounds = [text.format(f"{field[key]:,}") for key, text in words.items() if key in field]
    return "".join(f", {bound}" for bound in bounds)


def _code(text: str) -> str:
    return f"`{text}`"
