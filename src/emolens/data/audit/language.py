"""The check of languages: rows in another language than most of the table.

py3langid judges; its model is part of the package, so nothing is fetched. On texts of `emotion`,
GoEmotions and on 75 sentences in 14 languages, it takes no English text for another language at the
level used here, and misses none of the others.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from functools import cache
from typing import Any

from emolens.data.audit.check import Check, Place, listed, of_rows, rows_that, skipped
from emolens.data.audit.facts import Facts

FEWEST_WORDS = 6  # of a text that is judged: shorter ones are often misjudged
_FEWEST_SIGNS = 12  # of a text in a script that has no spaces between words
_SURE = 0.6  # the least probability of another language
_SAMPLE = 1000  # rows that say which language is the main one, and which words it has
_KNOWN = 0.6  # a row with this share of words of the main language needs no closer look
_ENOUGH, _FEWEST, _NEARLY_ALL = 200, 20, 0.9  # texts for the language of all, and their share
_SERIOUS = 0.05  # of the rows
_WORD = re.compile(r"[^\W\d_]+")
_NO_SPACES = re.compile("[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff]")
# Languages that short texts can't tell apart. zxx stands for no language: numbers, drawings.
_SAME = {
    **{"pcm": "en", "sco": "en", "nb": "no", "nn": "no", "da": "no", "bs": "hr", "sr": "hr"},
    **{"ms": "id", "gl": "pt", "sk": "cs", "zxx": ""},
}
_NAMES = {
    **{"ar": "Arabic", "bg": "Bulgarian", "ca": "Catalan", "cs": "Czech", "de": "German"},
    **{"el": "Greek", "en": "English", "es": "Spanish", "fa": "Persian", "fi": "Finnish"},
    **{"fr": "French", "he": "Hebrew", "hi": "Hindi", "hr": "Croatian", "hu": "Hungarian"},
    **{"id": "Indonesian", "it": "Italian", "ja": "Japanese", "ko": "Korean", "nl": "Dutch"},
    **{"no": "Norwegian", "pl": "Polish", "pt": "Portuguese", "ro": "Romanian", "ru": "Russian"},
    **{"sv": "Swedish", "th": "Thai", "tr": "Turkish", "uk": "Ukrainian", "ur": "Urdu"},
    **{"vi": "Vietnamese", "zh": "Chinese"},
}


def other_languages(facts: Facts) -> Check:
    """Rows in another language than most of the table."""
    judged = _judged(facts)
    if not judged:
        return skipped("T09", f"No text has {FEWEST_WORDS} words; shorter ones are not judged.")
    main, others = _languages(facts, judged)
    kinds = Counter(others.values()).most_common()
    parts = [f"{n:,} {_name(code)}" for code, n in kinds[:5]]
    more = [f"{sum(n for _, n in kinds[5:]):,} of other languages"] if len(kinds) > 5 else []
    are = rows_that(others, "are")
    return of_rows(
        "T09",
        facts.texts,
        list(others),
        reason=f"{are} in another language than {_name(main)}: {listed([*parts, *more])}.",
        action="Leave them out, or choose an encoder that was made for these languages"
        " (--encoder).",
        fails=len(others) >= _SERIOUS * len(judged),
    )


def languages_in(facts: Facts) -> dict[str, int]:
    """The languages of up to 1,000 texts that can be judged, by name, the most frequent first."""
    codes = (_language(_text(facts, place))[0] for place in _sampled(_judged(facts)))
    return dict(Counter(_name(code) for code in codes if code).most_common())


def main_language(texts: Iterable[str]) -> str | None:
    """The code of the language of nearly all of these texts; None if that is not sure."""
    judged = [text for text in texts if is_long_enough(text)]
    sample = judged[:: max(len(judged) // _ENOUGH, 1)]
    codes = [_identifier().classify(text)[0] for text in sample]
    # Short English texts are taken for these two.
    counts = Counter("en" if code in ("pcm", "sco") else code for code in codes)
    code, n = max(counts.items(), key=lambda item: item[1], default=("zxx", 0))
    return code if n >= _NEARLY_ALL * max(len(codes), _FEWEST) and code != "zxx" else None


def is_long_enough(text: str) -> bool:
    """Whether the language of a text can be judged."""
    return (
        len(_WORD.findall(text)) >= FEWEST_WORDS or len(_NO_SPACES.findall(text)) >= _FEWEST_SIGNS
    )


def _judged(facts: Facts) -> list[Place]:
    return [(split, row) for split, row, text in facts.rows() if is_long_enough(text)]


def _language(text: str) -> tuple[str, float]:
    """The code of the language and its probability; '' if the text is in no language."""
    code, probability = _identifier().classify(text)
    return _SAME.get(code, code), probability


def _name(code: str) -> str:
    """The English name; for a rarer language its code of ISO 639."""
    return _NAMES.get(code, f"'{code}'")


def _sampled(places: Sequence[Place]) -> Sequence[Place]:
    """Up to 1,000 of the rows, from the whole table."""
    return places[:: max(-(-len(places) // _SAMPLE), 1)]


def _languages(facts: Facts, judged: Sequence[Place]) -> tuple[str, dict[Place, str]]:
    """The main language, and the rows that are surely in another one.

    A row whose words are mostly words of the sample in the main language is not looked at more
    closely: this saves nine tenths of the time.
    """
    sample = [(place, _language(_text(facts, place))[0]) for place in _sampled(judged)]
    codes = Counter(code for _, code in sample if code)
    if not codes:  # numbers and drawings only
        return "", {}
    main = codes.most_common(1)[0][0]
    known: set[str] = set()
    for place, code in sample:
        if code == main:
            known.update(_words(_text(facts, place)))
    others = {}
    seen = dict(sample)
    for place in judged:
        text = _text(facts, place)
        words = _words(text)
        if place not in seen and len(words & known) >= _KNOWN * len(words):
            continue
        code, probability = _language(text)
        if code not in (main, "") and probability >= _SURE:
            others[place] = code
    return main, others


def _words(text: str) -> set[str]:
    return set(_WORD.findall(text.casefold()))


def _text(facts: Facts, place: Place) -> str:
    return facts.texts[place[0]][place[1]]


@cache
def _identifier() -> Any:
    from py3langid.langid import MODEL_FILE, LanguageIdentifier

    return LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
