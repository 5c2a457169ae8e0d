"""What decides the result of a stage, stored part by part, so that a message can name the change.

Knows nothing of what the stages do.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from pydantic import BaseModel

_CHANGED = {"data": "the data changed", "encoder": "the encoder's files changed"}


@dataclass(frozen=True)
class StageKey:
    """All that decides a stage's result: equal keys, equal results.

    settings: JSON values by dotted name. libraries: versions by name; None if not installed.
    inputs: a fingerprint of the data, one of the encoder's files, and the runtime. stages: for each
    stage whose files are read, a fingerprint of these files.
    """

    settings: dict[str, Any]
    libraries: dict[str, str | None]
    inputs: dict[str, str]
    stages: dict[str, str]

    def changes(self, before: StageKey) -> list[str]:
        """Each difference from an earlier key in a few words."""
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

    def elsewhere(self, before: StageKey) -> StageKey:
        """This key as it would be with the libraries and the hardware of an earlier one."""
        runtimes = {name: of for name, of in before.inputs.items() if name.startswith("runtime")}
        return replace(self, libraries=before.libraries, inputs=self.inputs | runtimes)


def settings_of(table: BaseModel, *, prefix: str = "") -> dict[str, Any]:
    """All settings of a study, as JSON values by dotted name."""
    values: dict[str, Any] = {}
    for name, plain in table.model_dump(mode="json").items():
        inner = getattr(table, name)
        if isinstance(inner, BaseModel):
            values |= settings_of(inner, prefix=f"{prefix}{name}.")
        else:
            values[f"{prefix}{name}"] = plain
    return values


def chosen_settings(settings: Mapping[str, Any], wanted: Iterable[str]) -> dict[str, Any]:
    """The settings with these names. The name of a table means all settings in it."""
    names = tuple(wanted)
    return {
        name: value
        for name, value in settings.items()
        if any(name == chosen or name.startswith(f"{chosen}.") for chosen in names)
    }


def _differences(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[tuple[str, Any, Any]]:
    names = dict.fromkeys([*after, *before])
    pairs = [(name, before.get(name), after.get(name)) for name in names]
    return [(name, old, new) for name, old, new in pairs if old != new]


def _change(old: Any, new: Any) -> str:
    return f"{value_text(old)} → {value_text(new)}"


def value_text(value: Any) -> str:
    """A value as a study file writes it, but text without quotes."""
    if isinstance(value, float):
        return f"{value:g}"
    if value is None:
        return "none"
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
