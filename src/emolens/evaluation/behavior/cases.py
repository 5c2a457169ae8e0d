"""The cases of the behavioral tests: texts, changed texts, and what must come of them.

Most of them are written by hand, in cases.jsonl; the README.md beside it says how. Changes that a
program can make, such as typing errors, are made here. Knows nothing of models.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from random import Random
from typing import Literal

Kind = Literal["minimum", "invariance", "direction"]

# What each test asks, in the order in which they are shown.
TESTS: dict[str, tuple[Kind, str]] = {
    "plain_feeling": ("minimum", "a feeling named in plain words"),
    "shown_feeling": ("minimum", "a feeling that only follows from what happens"),
    "very_short": ("minimum", "one to three words"),
    "emoji_feeling": ("minimum", "plain words, and an emoji that shows the feeling"),
    "neutral_facts": ("minimum", "facts and questions, half of them with emotional words"),
    "negated_joy": ("minimum", "pleasant words that are negated"),
    "negated_trouble": ("minimum", "unpleasant words that are negated"),
    "irony": ("minimum", "praise that means the opposite"),
    "before_and_now": ("minimum", "an earlier feeling that is over now"),
    "names": ("invariance", "names of another group"),
    "pronouns": ("invariance", "pronouns and words for relatives"),
    "people": ("invariance", "words for groups of people"),
    "neutral_addition": ("invariance", "a plain fact added"),
    "order": ("invariance", "sentences in another order"),
    "spelling": ("invariance", "British or American, short or long forms"),
    "typing_errors": ("invariance", "two letters of a word swapped"),
    "capitals": ("invariance", "everything in capitals"),
    "no_punctuation": ("invariance", "no capitals and no punctuation"),
    "stronger": ("direction", "the feeling made stronger"),
    "turned": ("direction", "the feeling turned into another"),
    "emoji_added": ("direction", "a fitting emoji added"),
}
# What a test of each kind asks, in words for readers.
ASKS: dict[Kind, str] = {
    "minimum": "right class",
    "invariance": "same answer",
    "direction": "right direction",
}
# Tests in which a text changes only in whom it is about, each with what changes.
ABOUT_PEOPLE = {
    "names": "another name",
    "pronouns": "another pronoun or relative",
    "people": "another word for a group of people",
}
_FILE = Path(__file__).parent / "cases.jsonl"


@dataclass(frozen=True)
class Case:
    """One case of a test.

    minimum: `text` must be answered with `label`. invariance: `text` and `variant` must have the
    same answer. direction: from `text` to `variant`, the probability of `label` must not go against
    `change`.
    """

    test: str
    text: str
    label: str | None = None
    variant: str | None = None
    change: Literal["up", "down"] | None = None

    @property
    def kind(self) -> Kind:
        """The kind of its test."""
        return TESTS[self.test][0]


@cache
def all_cases() -> tuple[Case, ...]:
    """Every case, test by test."""
    lines = _FILE.read_text(encoding="utf-8").splitlines()
    written = [Case(**json.loads(line)) for line in lines]
    bases = [case.text for case in written if case.kind == "invariance"]
    made = [
        Case(test, text, variant=variant)
        for test, change in _CHANGES.items()
        for text in bases
        if (variant := change(text)) != text
    ]
    order = list(TESTS)
    return tuple(sorted([*written, *made], key=lambda case: order.index(case.test)))


def with_typing_error(text: str) -> str:
    """The text with two neighboring letters swapped inside of one of its longer words.

    Which ones, the text itself decides. A text without such a word stays as it is.
    """
    words = text.split(" ")
    long = [i for i, word in enumerate(words) if len(word) > 4 and word.isalpha()]
    if not long:
        return text
    random = Random(text)
    place = random.choice(long)
    word = words[place]
    at = random.randrange(1, len(word) - 2)
    words[place] = word[:at] + word[at + 1] + word[at] + word[at + 2 :]
    return " ".join(words)


def without_punctuation(text: str) -> str:
    """The text as people type in a hurry: small letters, and no signs but apostrophes."""
    kept = "".join(sign if sign.isalnum() or sign in "'’ " else " " for sign in text.lower())
    return " ".join(kept.split())


_CHANGES: dict[str, Callable[[str], str]] = {
    "typing_errors": with_typing_error,
    "capitals": str.upper,
    "no_punctuation": without_punctuation,
}
