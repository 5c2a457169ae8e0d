"""The JavaScript of the interactive map: its files as one script, which defines `PointMap` only."""

from __future__ import annotations

from pathlib import Path

_FOLDER = Path(__file__).parent
_FILES = ("grid", "places", "density", "painters", "picture", "parts", "gestures", "map")


def map_script() -> str:
    """For one inline script of a page. `report/map.js` says what PointMap can do."""
    parts = [(_FOLDER / f"{name}.js").read_text(encoding="utf-8") for name in _FILES]
    return "const PointMap = (() => {\n" + "\n".join(parts) + "\nreturn PointMap;\n})();\n"
