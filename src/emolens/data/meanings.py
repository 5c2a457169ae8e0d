"""What the usual classes of emotion mean, in a few words each, for people who label texts."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

from emolens.store import load_object


@cache
def _meanings() -> dict[str, Any]:
    return load_object(Path(__file__).with_name("meanings.json"))


def meaning(label: str) -> str:
    """The meaning of a class, whatever the capital letters; empty for an unusual name."""
    return str(_meanings().get(label.strip().replace("_", " ").casefold(), ""))
