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


_QUOTES = {'"': '"', "'": "'", "`": "`", "\u201c": "\u201d", "\u201e": "\u201c", "\u2018": "\u2019"}
_QUOTES |= {"\u00ab": "\u00bb", "\u00bb": "\u00ab"}


def cleaned(name: str) -> str:
    """The name in the normal form NFC, without invisible signs, spaces and quotes around it."""
    if not name.isascii():
        name = unicodedata.normalize("NFC", name.translate(_WITHOUT))
    return unquoted(" ".join(name.split()))


def unquoted(name: str) -> str:
    """The name without the pair of quotes around it, if it has one."""
    inner = name[1:-1].strip()
    quoted = len(name) > 2 and _QUOTES.get(name[0]) == name[-1]
    return inner if quoted and not {name[0], name[-1]} & set(inner) and inner else name


def folded(name: str) -> str:
    """What all spellings of a class have in common.

    Spellings may differ in capital letters, spaces and quotes around the name, the normal form, and
    invisible characters.
    """
    if name.isascii():
        return unquoted(" ".join(name.lower().split()))
    plain = unicodedata.normalize("NFKC", name).casefold()
    visible = "".join(
        c for c in unicodedata.normalize("NFKC", plain) if not is_blank(c) or c == " "
    )
    return unquoted(" ".join(visible.split()))


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
