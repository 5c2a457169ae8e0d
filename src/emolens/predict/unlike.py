"""The sentence that says how many texts are unlike those that the model was trained on."""

from __future__ import annotations

from collections.abc import Mapping

from emolens.likeness import CONTENT, LANGUAGE, LONGER, SHORTER, UNKNOWN

_MEANING = {
    CONTENT: "by content",
    LANGUAGE: "in another language",
    LONGER: "longer",
    SHORTER: "shorter",
    UNKNOWN: "with unknown words",
}


def unlike_line(counts: Mapping[str, int], rows: int, *, promised: bool) -> str:
    """The sentence. counts: unlike texts by reason. promised: whether a promise is in force."""
    n = sum(counts.values())
    parts = [f"{counts[reason]:,} {_MEANING[reason]}" for reason in _MEANING if counts.get(reason)]
    are, them = ("text is", "it") if n == 1 else ("texts are", "them")
    what = "the promise may not hold" if promised else "answers may be wrong more often"
    return (
        f"{n:,} of {rows:,} {are} unlike those that the model was trained on ({', '.join(parts)}):"
        f" {what} for {them}."
    )
