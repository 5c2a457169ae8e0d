"""The check of languages: rows in another language than most of the table."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from emolens.data.audit.check import Check, Place, listed, of_rows, rows_that, skipped
from emolens.data.audit.facts import Facts
from emolens.data.languages import (
    FEWEST_WORDS,
    SAMPLE,
    is_long_enough,
    is_mostly,
    is_other,
    language_name,
    language_of,
    words_of,
)

_SERIOUS = 0.05  # of the rows


def other_languages(facts: Facts) -> Check:
    """Rows in another language than most of the table."""
    judged = _judged(facts)
    if not judged:
        return skipped("T09", f"No text has {FEWEST_WORDS} words; shorter ones are not judged.")
    main, others = _languages(facts, judged)
    kinds = Counter(others.values()).most_common()
    parts = [f"{n:,} {language_name(code)}" for code, n in kinds[:5]]
    more = [f"{sum(n for _, n in kinds[5:]):,} of other languages"] if len(kinds) > 5 else []
    are = rows_that(others, "are")
    return of_rows(
        "T09",
        facts.texts,
        list(others),
        reason=f"{are} in another language than {language_name(main)}: {listed([*parts, *more])}.",
        action="Leave them out, or choose an encoder that was made for these languages"
        " (--encoder).",
        fails=len(others) >= _SERIOUS * len(judged),
    )


def languages_in(facts: Facts) -> dict[str, int]:
    """The languages of up to 1,000 texts that can be judged, by name, the most frequent first."""
    codes = (language_of(_text(facts, place))[0] for place in _sampled(_judged(facts)))
    return dict(Counter(language_name(code) for code in codes if code).most_common())


def _judged(facts: Facts) -> list[Place]:
    return [(split, row) for split, row, text in facts.rows() if is_long_enough(text)]


def _sampled(places: Sequence[Place]) -> Sequence[Place]:
    """Up to 1,000 of the rows, from the whole table."""
    return places[:: max(-(-len(places) // SAMPLE), 1)]


def _languages(facts: Facts, judged: Sequence[Place]) -> tuple[str, dict[Place, str]]:
    """The main language, and the rows that are surely in another one.

    A row whose words are mostly words of the sample in the main language is not looked at more
    closely: this saves nine tenths of the time.
    """
    sample = [(place, language_of(_text(facts, place))[0]) for place in _sampled(judged)]
    codes = Counter(code for _, code in sample if code)
    if not codes:  # numbers and drawings only
        return "", {}
    main = codes.most_common(1)[0][0]
    known: set[str] = set()
    for place, code in sample:
        if code == main:
            known.update(words_of(_text(facts, place)))
    others = {}
    seen = dict(sample)
    for place in judged:
        text = _text(facts, place)
        words = words_of(text)
        if place not in seen and is_mostly(words, known):
            continue
        code, probability = language_of(text)
        if is_other(code, probability, main):
            others[place] = code
    return main, others


def _text(facts: Facts, place: Place) -> str:
    return facts.texts[place[0]][place[1]]
