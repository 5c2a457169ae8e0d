"""What decides the result of a stage, kept part by part, so that a change of it can be named.

Knows nothing of what the stages do.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel

_CHANGED = {
    "data": "the data changed",
    "encoder": "the encoder's files changed",
}


@dataclass(frozen=True)
class StageKey:
    """All that decides a stage's result: equal keys, equal results.

    settings: by dotted name, as JSON values. libraries: versions by name; None where one is not
    installed. inputs: what else it is made from (data, encoder, runtime), as text that changes
    with it. stages: by stage that it reads from, a fingerprint of that stage's files.
    """

    settings: dict[str, Any]
    libraries: dict[str, str | None]
    inputs: dict[str, str]
    stages: dict[str, str]

    def changes(self, before: StageKey) -> list[str]:
        """What differs from an earlier key, each in a few words."""
        inputs = [
            _CHANGED.get(name, f"{name} {_change(old, new)}")
            for name, old, new in _differences(before.inputs, self.inputs)
        ]
        stages = [
            f"{name} gave new results" for name, *_ in _differences(before.stages, self.stages)
        ]
        named = [
            f"{name} {_change(old, new)}"
            for part in ("settings", "libraries")
            for name, old, new in _differences(getattr(before, part), getattr(self, part))
        ]
        return [*named, *inputs, *stages]


def settings_of(table: BaseModel, *, prefix: str = "") -> dict[str, Any]:
    """All settings of a study by their dotted names, as JSON values."""
    values: dict[str, Any] = {}
    for name, plain in table.model_dump(mode="json").items():
        inner = getattr(table, name)
        if isinstance(inner, BaseModel):
            values |= settings_of(inner, prefix=f"{prefix}{name}.")
        else:
            values[f"{prefix}{name}"] = plain
    return values


def chosen_settings(settings: Mapping[str, Any], wanted: Iterable[str]) -> dict[str, Any]:
    """The settings of these names. A table's name stands for all settings in it."""
    tables = tuple(wanted)
    return {
        name: value
        for name, value in settings.items()
        if any(name == table or name.startswith(f"{table}.") for table in tables)
    }


def _differences(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[tuple[str, Any, Any]]:
    names = dict.fromkeys([*after, *before])
    pairs = [(name, before.get(name), after.get(name)) for name in names]
    return [(name, old, new) for name, old, new in pairs if old != new]


def _change(old: Any, new: Any) -> str:
    return f"{_shown(old)} → {_shown(new)}"


def _shown(value: Any) -> str:
    """A value as it stands in a study file; text without its quotes."""
    if isinstance(value, float):
        return f"{value:g}"
    if value is None:
        return "none"
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
