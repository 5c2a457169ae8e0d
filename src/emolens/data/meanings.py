"""What the usual classes of emotion mean, in a few words each, for people who label texts."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

from emolens.store import load_object


@cache
def _meanings() -> dict[str, Any]:
    return load_object(Path(__file__).with_name("meanings.json"))


def meanings(labels: Sequence[str]) -> list[str]:
    """The meaning of each class, whatever the capital letters; empty for an unusual name.

    Where there are no other classes than eight basic ones, each of them is a broad one: joy has
    gratitude and relief in it.
    """
    names = [label.strip().replace("_", " ").casefold() for label in labels]
    broad, usual = _meanings()["broad"], _meanings()["usual"]
    known = broad if broad.keys() >= set(names) else usual
    return [str(known.get(name, "")) for name in names]
