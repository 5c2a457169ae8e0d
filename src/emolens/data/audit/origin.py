"""The check of origin: whether another split has the same kind of texts as train.

It compares lengths, kinds of characters and words. Its limits are wide: on random splits of three
data sets of 30 to 2,000 rows it is silent, and it tells each of these sets from the others.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Iterator, Sequence

import numpy as np

from emolens.data.audit.check import Check, finding, passed, skipped
from emolens.data.audit.facts import Facts
from emolens.data.dataset import TRAIN

FEWEST = 30  # rows of a split that is compared
_SURE = 6.0  # standard errors
_LENGTH = 0.1  # how far the chance to be the longer one of two texts may be from a half
_SHARE = 0.25  # how far the shares of texts with a kind of character may be apart
_UNSEEN, _TIMES = 0.03, 1.5  # how many more words may be new, as a share and as a ratio
_MOST = 5_000  # rows of a split that are compared
_WORD = re.compile(r"\w+")
_KINDS: dict[str, Callable[[str], object]] = {
    "capital letters": lambda text: text != text.lower(),
    "digits": re.compile(r"\d").search,
    "a sign at the end": re.compile(r"[.!?…\"')]\s*$").search,
    "apostrophes": re.compile("['’]").search,
    "commas or colons": re.compile("[,;:]").search,
    "characters beyond ASCII": lambda text: not text.isascii(),
    "links, @ or #": re.compile(r"https?:|www\.|[@#]\w").search,
    "tags of HTML": re.compile(r"<[a-z/][^>]*>|&\w+;").search,
    "several lines": re.compile(r"[\n\r]").search,
}


def same_origin(facts: Facts) -> Check:
    """Whether validation and test are like train."""
    others = {split: texts for split, texts in facts.texts.items() if split != TRAIN}
    big = [split for split, texts in others.items() if len(texts) >= FEWEST]
    if TRAIN not in facts.texts or not big or len(facts.texts[TRAIN]) < FEWEST:
        return skipped("T11", f"Splits of under {FEWEST} rows are not compared.")
    train = _sample(facts.texts[TRAIN])
    reasons = []
    n = 0
    for split in big:
        if differences := list(_differences(train, _sample(others[split]))):
            reasons.append(f"{split} is unlike train: {'; '.join(differences)}.")
            n += len(others[split])
    if not reasons:
        return passed("T11")
    action = "A score on other texts than those of train says how well the model carries over."
    return finding("T11", " ".join(reasons), action, fails=True, n_rows=n)


def _sample(texts: Sequence[str]) -> Sequence[str]:
    return texts if len(texts) <= _MOST else random.Random(0).sample(texts, _MOST)


def _differences(train: Sequence[str], other: Sequence[str]) -> Iterator[str]:
    a, b = (np.array([len(text) for text in texts]) for texts in (train, other))
    error = np.sqrt((1 / len(a) + 1 / len(b)) / 12)
    if abs(_chance_longer(a, b) - 0.5) > max(_LENGTH, _SURE * error):
        yield f"its median length is {np.median(b):,.0f} characters, not {np.median(a):,.0f}"
    for kind, test in _KINDS.items():
        p, q = (sum(bool(test(text)) for text in texts) / len(texts) for texts in (train, other))
        both = (p * len(a) + q * len(b)) / (len(a) + len(b))
        error = np.sqrt(both * (1 - both) * (1 / len(a) + 1 / len(b)))
        if abs(p - q) > max(_SHARE, _SURE * error):
            yield f"{q:.0%} of its texts have {kind}, not {p:.0%}"
    old, new = _unseen(train, other)
    error = np.hypot(*(part.std() / np.sqrt(len(part)) for part in (old, new)))
    p, q = float(old.mean()), float(new.mean())
    if q - p > max(_UNSEEN, _SURE * error) and q > _TIMES * p:
        yield f"{q:.1%} of the words of a text are new, but {p:.1%} within train"


def _chance_longer(a: np.ndarray, b: np.ndarray) -> float:
    """How often a value of b is larger than one of a; equal ones count half."""
    ordered = np.sort(a)
    below = np.searchsorted(ordered, b), np.searchsorted(ordered, b, side="right")
    return float(np.mean(below) / len(a))


def _unseen(train: Sequence[str], other: Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
    """The share of words in each text that a part of train does not have: for the texts of the rest
    of train, and for those of the other split.
    """
    words = [set(_WORD.findall(text.casefold())) for text in train]
    random.Random(0).shuffle(words)
    n = min(len(other), len(words) // 5)
    rest, part = words[:n], words[n:]
    known = set().union(*part)
    new = [set(_WORD.findall(text.casefold())) for text in other]
    shares = ([len(own - known) / max(len(own), 1) for own in sets] for sets in (rest, new))
    old_shares, new_shares = (np.array(values) for values in shares)
    return old_shares, new_shares
