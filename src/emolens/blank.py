"""Which texts hold nothing to read. The one rule for learning, measuring and predicting."""

from __future__ import annotations

import unicodedata

# Spaces, line ends, control characters, and marks that only steer how others are drawn.
_INVISIBLE = {"Zs", "Zl", "Zp", "Cc", "Cf"}
# Letters and signs by their category, but nothing is drawn for them.
_DRAWN_EMPTY = frozenset(
    "\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0"  # fillers, the empty Braille cell
    + "".join(map(chr, range(0xFE00, 0xFE10)))  # variation selectors
)


def is_blank(text: str) -> bool:
    """Whether a text is empty or holds only characters that can't be seen."""
    return all(sign in _DRAWN_EMPTY or unicodedata.category(sign) in _INVISIBLE for sign in text)
