"""Checks of the texts: absent, broken, repeated, shared between splits, too long, unknown."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from typing import Any

import numpy as np

from emolens.data.audit.check import (
    EXAMPLES,
    NO_SPLITS,
    Check,
    counted,
    failed,
    graded,
    listed,
    noted,
    passed,
    row_of,
    rows_in,
    skipped,
)
from emolens.data.audit.facts import Facts, Place
from emolens.data.dataset import TRAIN

# A character whose UTF-8 bytes were read as Windows-1252 or Latin-1 becomes several characters, of
# which the first is Ã, Â, â€ or ðŸ. But Ã also ends real words in Portuguese capitals (IRMÃ). So
# before a character that may follow a word (a quote, a dash, …), Ã counts only with a small letter
# beside it.
_ANYWHERE = "\u0080-\u009f\u00a0-\u00aa\u00ac\u00ad\u00af-\u00ba\u00bc-\u00bf€ƒˆ‰Š‹Œš›œŸŽž˜†‡"
_AFTER_A_WORD = "\u00ab\u00ae\u00bb‘’‚“”„…•–—™"
_BROKEN = re.compile(
    f"\ufffd|ï¿½|ï»¿|ðŸ|â[€˜™œ]|â‚¬|â„¢|Ã[{_ANYWHERE}]|(?<=[a-zß-ÿ])Ã[{_AFTER_A_WORD}]"
    f"|Ã[{_AFTER_A_WORD}](?=[a-zß-ÿ])|(?<=[a-zß-ÿ])Å[“’]|Â[\u00a0-\u00bf]"
    "|[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]"
)
_UNKNOWN_NOTED, _UNKNOWN_FAILED = 0.01, 0.1  # the mean share of unknown tokens in a text
_LEFT_OUT_NOTED, _LEFT_OUT_FAILED = 0.01, 0.1  # of all rows
_CUT_FAILED = 0.5  # of all rows


def blank_texts(facts: Facts) -> Check:
    """Rows without a text. They are not in the data set any more."""
    n = sum(facts.blank.values())
    if not n:
        return passed("T01")
    verb = "has no text and is left out" if n == 1 else "have no text and are left out"
    action = "Look at them if there should be a text: it may stand in another column (--text)."
    return noted("T01", f"{rows_in(facts.blank)} {verb}.", action, n_rows=n)


def broken_texts(facts: Facts) -> Check:
    """Texts whose bytes were read in the wrong encoding, or that hold control characters."""
    places = broken_places(facts)
    if not places:
        return passed("T02")
    verb = "has" if len(places) == 1 else "have"
    return graded(
        "T02",
        facts.n,
        f"{rows_in(_by_split(places))} {verb} a broken encoding.",
        action="Save the table again from its source as UTF-8, or name its encoding (--encoding).",
        **_rows(facts, places),
    )


def broken_places(facts: Facts) -> list[Place]:
    """The rows with traces of a wrong encoding."""
    return [(split, row) for split, row, text in facts.rows() if _BROKEN.search(text)]


def repeated_texts(facts: Facts) -> Check:
    """Equal texts, in one split or in several."""
    n = len(facts.repeated)
    if not n:
        return passed("T03")
    places = [place for places in facts.repeated.values() for place in places[1:]]
    return noted(
        "T03",
        f"{counted(n, 'text')} {'occurs' if n == 1 else 'occur'} more than once.",
        "Keep one row of each, unless several people wrote the same words.",
        **_rows(facts, places),
    )


def contradictions(facts: Facts) -> Check:
    """Equal texts with different labels."""
    n = len(facts.contradicting)
    if not n:
        return passed("T04")
    places = [place for places in facts.contradicting.values() for place in places]
    verb = "occurs with different labels" if n == 1 else "occur with different labels"
    return graded(
        "T04",
        facts.n,
        f"{counted(n, 'text')} {verb}.",
        action="Read these rows. Keep the label that is right.",
        **_rows(facts, places),
    )


def leaked_texts(facts: Facts) -> Check:
    """Rows of validation and test whose text the models learn."""
    if len(facts.texts) == 1:
        return skipped("T05", NO_SPLITS)
    places = facts.leaked
    if not places:
        return passed("T05")
    verb = "also occurs in train" if len(places) == 1 else "also occur in train"
    return graded(
        "T05",
        sum(len(texts) for split, texts in facts.texts.items() if split != TRAIN),
        f"{rows_in(_by_split(places))} {verb}.",
        action="Remove them from train. A model knows the answer of a text that it has learned.",
        **_rows(facts, places),
    )


def long_texts(facts: Facts) -> Check:
    """Texts of which the encoder reads only the beginning."""
    if facts.n_tokens is None or facts.max_length is None:
        return skipped("T07", "The texts were not tokenized.")
    over = {split: np.flatnonzero(n > facts.max_length) for split, n in facts.n_tokens.items()}
    places = [(split, int(row)) for split, rows in over.items() for row in rows]
    if not places:
        return passed("T07")
    verb = "is" if len(places) == 1 else "are"
    reason = f"{rows_in(_by_split(places))} {verb} longer than {facts.max_length} tokens"
    return (failed if len(places) >= _CUT_FAILED * facts.n else noted)(
        "T07",
        f"{reason} and will be cut.",
        "Choose an encoder that reads longer texts, or split long texts into several rows.",
        **_rows(facts, places),
    )


def unknown_words(facts: Facts) -> Check:
    """Texts of which the encoder knows few words: emoji, another script, another language."""
    if facts.unknown is None:
        return skipped("T08", "The texts were not tokenized.")
    means = {split: float(share.mean()) for split, share in facts.unknown.items() if len(share)}
    wholly = {split: np.flatnonzero(share == 1) for split, share in facts.unknown.items()}
    places = [(split, int(row)) for split, rows in wholly.items() for row in rows]
    highest = max(means.values(), default=0.0)
    if not places and highest < _UNKNOWN_NOTED:
        return passed("T08")
    shares = listed(f"{mean:.1%} in {split}" for split, mean in means.items() if mean >= 0.0005)
    reason = f"Of the tokens of a text, the encoder does not know {shares or 'less than 0.1%'}."
    if places:
        verb = "holds" if len(places) == 1 else "hold"
        reason += f" {rows_in(_by_split(places))} {verb} nothing that it knows."
    serious = len(places) >= _UNKNOWN_NOTED * facts.n or highest >= _UNKNOWN_FAILED
    action = "Choose an encoder that was made for these signs or this language (--encoder)."
    return (failed if serious else noted)("T08", reason, action, **_rows(facts, places))


def left_out(facts: Facts) -> Check:
    """How much of the table is not used at all."""
    n = facts.n_left_out
    total = n + facts.n
    if n < _LEFT_OUT_NOTED * total or not n:
        return passed("T12")
    serious = n >= _LEFT_OUT_FAILED * total
    why = "R04, L01 and T01" if facts.labels else "R04 and T01"
    return (failed if serious else noted)(
        "T12",
        f"{n / total:.1%} of the rows are left out ({n:,} of {total:,}).",
        f"{why} say why. If these rows are of one kind, nothing is learned about this kind.",
        n_rows=n,
    )


def _by_split(places: Iterable[Place]) -> dict[str, int]:
    return dict(Counter(split for split, _ in places))


def _rows(facts: Facts, places: list[Place]) -> dict[str, Any]:
    examples = (row_of(split, row, facts.texts[split][row]) for split, row in places[:EXAMPLES])
    return {"n_rows": len(places), "rows": tuple(examples)}
