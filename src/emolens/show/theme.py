"""The colors of the pictures and the report, and the largest size of a picture. Draws nothing."""

from __future__ import annotations

import colorsys

from emolens.labels import LabelSet

INK, MUTED, GRID, SOFT, PAPER = "#1f2937", "#5b6472", "#e2e6eb", "#f6f7f9", "#ffffff"
BLUE, ORANGE, GREEN = "#1d6fb8", "#c2570c", "#15803d"
WARNING, WARNING_PAPER = "#8a3b00", "#fff4e5"
# The same colors for a dark screen, by the names above.
DARK = {
    **{"INK": "#e5e9ef", "MUTED": "#9aa4b2", "GRID": "#333b47", "SOFT": "#1e242d"},
    **{"BLUE": "#5aa9e6", "ORANGE": "#f0883e", "GREEN": "#4cc38a", "PAPER": "#14181e"},
    **{"WARNING": "#ffb454", "WARNING_PAPER": "#33260f"},
}
# For splits or figures that share one picture, in this order.
SERIES = (BLUE, ORANGE, GREEN)

# One hue per emotion. People with the common color-vision deficiencies can tell them apart (Okabe
# and Ito, 2008); some are darker than theirs, so that text on them is readable.
_EMOTIONS = {
    "sadness": "#0072b2",
    "joy": "#c98a00",
    "love": "#cc5f95",
    "anger": "#c43c00",
    "fear": "#6a4fb3",
    "surprise": "#00906a",
    "neutral": "#6b7280",
    "disgust": "#6b5b00",
}
_OTHERS = (
    "#2f7fc1",
    "#8a6d00",
    "#a34d79",
    "#9c4221",
    "#5b5fc7",
    "#3d7f4f",
    "#7a5c3a",
    "#4d6b7a",
)

# The longest row of bars, cells or panels, in inches. With many classes these get smaller instead.
LONGEST = 12.0
_LARGEST_FONT, _SMALLEST_FONT = 9.0, 3.0


def class_color(labels: LabelSet, name: str) -> str:
    """The hex color of a class: fixed for known emotions, by position in `labels` for others."""
    if name in _EMOTIONS:
        return _EMOTIONS[name]
    place = labels.id_of(name)
    if place < len(_OTHERS):
        return _OTHERS[place]
    # More classes than colors that all people can tell apart: at least no two are the same.
    parts = colorsys.hls_to_rgb(place * 0.618034 % 1, 0.32 + 0.09 * (place % 3), 0.55)
    return "#" + "".join(f"{round(255 * part):02x}" for part in parts)


def room(n: int, wanted: float, *, most: float = LONGEST) -> float:
    """Inches for each of n things in a row: `wanted`, or less where the row would exceed `most`."""
    return min(wanted, most / max(n, 1))


def font_size(inches: float) -> float:
    """In points, for lines of text with this distance from one to the next."""
    return min(max(0.8 * 72 * inches, _SMALLEST_FONT), _LARGEST_FONT)
