"""The one rule for blank texts, which hold nothing to read: for learning and predicting alike."""

from __future__ import annotations

import unicodedata

# Spaces, line ends, control characters, and marks that only change how other characters look.
_INVISIBLE = {"Zs", "Zl", "Zp", "Cc", "Cf"}
# Their category is that of letters or symbols, but nothing is drawn for them.
_DRAWN_EMPTY = frozenset(
    "\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0"  # fillers, the empty Braille cell
    + "\u180b\u180c\u180d\u180f\u2065"  # Mongolian variation selectors, one without a name
    + "".join(map(chr, (*range(0xFE00, 0xFE10), *range(0xE0100, 0xE01F0))))  # variation selectors
)
# What Reddit puts in the place of a text that is gone.
_GONE = frozenset({"[deleted]", "[removed]"})


def is_blank(text: str) -> bool:
    """Whether a text is empty, holds only characters that can't be seen, or is said to be gone."""
    return text.strip() in _GONE or all(
        c in _DRAWN_EMPTY or unicodedata.category(c) in _INVISIBLE for c in set(text)
    )
