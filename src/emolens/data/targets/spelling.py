"""Which spellings of a class name are one class, and which of them is its name.

Knows nothing of tables.
"""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Mapping

from emolens.blank import is_blank

# They change nothing that a reader sees. Other invisible characters may join letters or emojis.
_WITHOUT = dict.fromkeys(
    [0xAD, 0x200B, 0x200E, 0x200F, 0x2060, 0xFEFF, *range(0x202A, 0x202F), *range(0x2066, 0x206A)]
)


def cleaned(name: str) -> str:
    """The name in the normal form NFC, without invisible characters and spaces around it."""
    if name.isascii():
        return " ".join(name.split())
    return " ".join(unicodedata.normalize("NFC", name.translate(_WITHOUT)).split())


def folded(name: str) -> str:
    """What all spellings of a class have in common.

    Spellings may differ in capital letters, spaces around the name, the normal form, and invisible
    characters.
    """
    if name.isascii():
        return " ".join(name.lower().split())
    plain = unicodedata.normalize("NFKC", name).casefold()
    visible = "".join(
        c for c in unicodedata.normalize("NFKC", plain) if not is_blank(c) or c == " "
    )
    return " ".join(visible.split())


def spellings(counts: Mapping[str, int], names: tuple[str, ...] = ()) -> dict[str, str]:
    """The class name for each folded name: the most frequent spelling.

    counts: rows by spelling. names: spellings that go before all others, where the source has
    class names. Of equally frequent ones, the one in small letters is taken.
    """
    chosen: dict[str, str] = {}
    cleaned_counts: Counter[str] = Counter()
    for spelling, count in counts.items():
        cleaned_counts[cleaned(spelling)] += count
    ranked = sorted(
        cleaned_counts, key=lambda name: (-cleaned_counts[name], name != folded(name), name)
    )
    for spelling in (*map(cleaned, names), *ranked):
        chosen.setdefault(folded(spelling), spelling)
    return chosen
