"""Checks of the texts: absent, broken, repeated, shared between splits, too long, unknown."""

from __future__ import annotations

import re
from collections.abc import Mapping

import numpy as np

from emolens.data.audit.check import (
    SERIOUS,
    Check,
    Place,
    finding,
    listed,
    named,
    named_split,
    of_rows,
    passed,
    rows_in,
    rows_that,
    skipped,
)
from emolens.data.audit.facts import Facts
from emolens.data.checks import agreeing, counted

# A character whose UTF-8 bytes were read as Windows-1252 or Latin-1 becomes several characters, of
# which the first is Ã, Â, â€ or ðŸ. But Ã also ends real words in Portuguese capitals (IRMÃ). So
# before a character that may follow a word (a quote, a dash, …), Ã counts only with a small letter
# beside it.
_ANYWHERE = "\u0080-\u009f\u00a0-\u00aa\u00ac\u00ad\u00af-\u00ba\u00bc-\u00bf€ƒˆ‰Š‹Œš›œŸŽž˜†‡"
_AFTER_A_WORD = "\u00ab\u00ae\u00bb‘’‚“”„…•–—™"
_BROKEN = re.compile(
    f"\ufffd|ï¿½|ï»¿|ðŸ|â[€˜™œ]|â‚¬|â„¢|Ã[{_ANYWHERE}]|(?<=[a-zß-ÿ])Ã[{_AFTER_A_WORD}]"
    f"|Ã[{_AFTER_A_WORD}](?=[a-zß-ÿ])|(?<=[a-zß-ÿ])Å[“’]|Â[\u00a0-\u00bf]"
    "|[\x00-\x08\x0e-\x1b\x7f-\x84\x86-\x9f]"  # not those that end lines and pages
)
# '2024-01-31', '31.1.2024', with a time or without.
DATE = re.compile(r"(\d{4}([-/.])\d\d?\2\d\d?|\d\d?([-/.])\d\d?\3\d{2,4})([T ][\d:.+Z-]+)?")
_WORDLESS = re.compile(rf"[+-]?[\d.,]*\d[\s%€$]*|https?://\S+|www\.\S+|{DATE.pattern}")
_UNKNOWN_NOTED, _UNKNOWN_FAILED = 0.01, 0.1  # the mean share of unknown tokens in a text
_LEFT_OUT_NOTED, _LEFT_OUT_FAILED = 0.01, 0.1  # of all rows
_CUT_FAILED = 0.5  # of all rows
_NO_TOKENS = "The texts were not tokenized."


def blank_texts(facts: Facts) -> Check:
    """Rows without a text, which are not in the data set any more, and texts without words."""
    n = sum(facts.blank.values())
    reasons = []
    if n:
        rows = rows_in(facts.blank)
        reasons = [f"{rows} {agreeing(n, 'have')} no text and {agreeing(n, 'are')} left out."]
    wordless = sum(bool(_WORDLESS.fullmatch(text.strip())) for *_, text in facts.rows())
    if wordless > facts.n / 2:
        reasons.append(f"{wordless:,} of {facts.n:,} texts are only a number, a date or a link.")
    if not reasons:
        return passed("T01")
    return finding(
        "T01",
        " ".join(reasons),
        "Look at them if there should be a text: it may stand in another column (--text).",
        n_rows=n,
    )


def broken_texts(facts: Facts) -> Check:
    """Texts whose bytes were read in the wrong encoding, or that hold control characters."""
    places = broken_places(facts)
    return of_rows(
        "T02",
        facts.texts,
        places,
        reason=f"{rows_that(places, 'have')} a broken encoding.",
        action="Save the table again from its source as UTF-8, or name its encoding (--encoding).",
        fails=len(places) >= SERIOUS * facts.n,
    )


def broken_places(facts: Facts) -> list[Place]:
    """The rows with traces of a wrong encoding."""
    return [(split, row) for split, row, text in facts.rows() if _BROKEN.search(text)]


def repeated_texts(facts: Facts) -> Check:
    """Equal texts, in one split or in several."""
    return of_rows(
        "T03",
        facts.texts,
        [place for places in facts.repeated.values() for place in places[1:]],
        reason=f"{counted(len(facts.repeated), 'text', 'occur')} more than once.",
        action="Keep one row of each, unless several people wrote the same words.",
    )


def contradictions(facts: Facts) -> Check:
    """Equal texts with different labels."""
    places = [place for places in facts.contradicting.values() for place in places]
    return of_rows(
        "T04",
        facts.texts,
        places,
        reason=f"{counted(len(facts.contradicting), 'text', 'occur')} with different labels.",
        action="Read these rows. Keep the label that is right.",
        fails=len(places) >= SERIOUS * facts.n,
    )


def leaked_texts(facts: Facts) -> Check:
    """Rows of validation and test whose text the models learn."""
    return of_rows(
        "T05",
        facts.texts,
        facts.leaked,
        reason=f"{rows_that(facts.leaked, 'also occur')} in train.",
        action="Remove them from train. A model knows the answer of a text that it has learned.",
        fails=len(facts.leaked) >= SERIOUS * facts.n_later,
    )


def long_texts(facts: Facts) -> Check:
    """Texts of which the encoder reads only the beginning."""
    limit = facts.max_length
    if facts.n_tokens is None or limit is None:
        return skipped("T07", _NO_TOKENS)
    places = _where({split: n > limit for split, n in facts.n_tokens.items()})
    return of_rows(
        "T07",
        facts.texts,
        places,
        reason=f"{rows_that(places, 'are')} longer than {limit} tokens and will be cut.",
        action="Choose an encoder that reads longer texts, or split long texts into several rows.",
        fails=len(places) >= _CUT_FAILED * facts.n,
    )


def unknown_words(facts: Facts) -> Check:
    """Texts of which the encoder knows few words: emoji, another script, another language."""
    if facts.unknown is None:
        return skipped("T08", _NO_TOKENS)
    means = {split: float(share.mean()) for split, share in facts.unknown.items() if len(share)}
    places = _where({split: share == 1 for split, share in facts.unknown.items()})
    highest = max(means.values(), default=0.0)
    if not places and highest < _UNKNOWN_NOTED:
        return passed("T08")
    shares = listed(
        f"{mean:.1%} in {named_split(split)}" for split, mean in means.items() if mean >= 0.0005
    )
    reason = f"The encoder does not know this share of the tokens: {shares or 'less than 0.1%'}."
    if places:
        reason += f" {rows_that(places, 'hold')} nothing that it knows."
    return finding(
        "T08",
        reason,
        "Choose an encoder that was made for these signs or this language (--encoder).",
        fails=len(places) >= _UNKNOWN_NOTED * facts.n or highest >= _UNKNOWN_FAILED,
        **named(facts.texts, places),
    )


def left_out(facts: Facts) -> Check:
    """How much of the table is not used at all."""
    n = facts.n_left_out
    total = n + facts.n
    if n < _LEFT_OUT_NOTED * total or not n:
        return passed("T12")
    why = "R04, L01 and T01" if facts.labels else "R04 and T01"
    return finding(
        "T12",
        f"{n / total:.1%} of the rows are left out ({n:,} of {total:,}).",
        f"{why} say why. If these rows are of one kind, nothing is learned about this kind.",
        fails=n >= _LEFT_OUT_FAILED * total,
        n_rows=n,
    )


def _where(marks: Mapping[str, np.ndarray]) -> list[Place]:
    """The rows that are marked. marks: by split, (n,) bool."""
    return [(split, int(row)) for split, of in marks.items() for row in np.flatnonzero(of)]
