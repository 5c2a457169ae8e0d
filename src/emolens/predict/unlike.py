"""The sentence that says how many texts are unlike those that the model was trained on."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from emolens.data.checks import agreeing, counted
from emolens.errors import some_of
from emolens.likeness import CONTENT, LANGUAGE, LONGER, SHORTER, UNKNOWN

# Of the BERT kind, as small as MiniLM, for 50 languages, Apache-2.0.
MULTILINGUAL = "sentence-transformers/paraphrase-multilingual-MiniLM-L12-v2"
_FEW = 0.01  # of the texts
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


def language_line(counts: Mapping[str, int], rows: int) -> str | None:
    """What to do about texts in other languages; None where these may be a few odd ones."""
    if counts.get(LANGUAGE, 0) <= _FEW * rows:
        return None
    return (
        "To answer texts in other languages, train a model on labelled texts in them, with an"
        f" encoder that knows them: emolens run --dataset FILE --encoder {MULTILINGUAL}"
    )


def foreign_line(languages: Sequence[str | None]) -> str | None:
    """How many texts the model will not answer because of their language; None if it is no one.

    languages: the name of the language of each text, if it is not that of the model.
    """
    counts = Counter(filter(None, languages))
    if not (n := counts.total()):
        return None
    names = some_of([f"{name} {times:,}" for name, times in counts.most_common()])
    return (
        f"{n:,} of {counted(len(languages), 'text')} {agreeing(n, 'are')} in another language than"
        f" the texts of the training ({names}): the model does not answer them."
    )
