"""Contents: what a table without labels holds, and the checks that need no labels."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np

from emolens.data.audit import checks_of
from emolens.data.audit.check import Check, Checked
from emolens.data.audit.facts import Facts, quantiles
from emolens.data.audit.language import languages_in
from emolens.data.checks import chosen_codes
from emolens.data.unlabelled import Texts
from emolens.shown import one_line

_HEAD = 5  # rows that are shown


@dataclass(frozen=True)
class SplitContents:
    """The figures of one split.

    n: rows with a text. blank: rows without one. distinct: different texts. characters, n_tokens:
    minimum, median, 95th percentile and maximum. over_limit: texts of more tokens than the
    encoder reads. unknown: the mean share of tokens in a text that the encoder does not know.
    """

    n: int
    blank: int
    distinct: int
    characters: dict[str, float]
    n_tokens: dict[str, float] | None = None
    over_limit: int | None = None
    unknown: float | None = None

    def __repr__(self) -> str:
        return one_line(self, f"{self.n:,} texts, {self.distinct:,} of them different")


@dataclass(frozen=True, repr=False)
class Contents(Checked):
    """What is known of a table without labels.

    text: the column of the texts. languages: by name, how many of up to 1,000 texts of six words or
    more are in it. repeated: the texts that occur most often, with their counts. checks: those of
    `Audit` that need no labels.
    """

    name: str
    columns: tuple[str, ...]
    text: str
    head: tuple[str, ...]
    splits: dict[str, SplitContents]
    languages: dict[str, int]
    repeated: dict[str, int]
    checks: tuple[Check, ...]
    max_length: int | None


def audit_texts(
    texts: Texts,
    *,
    n_tokens: Mapping[str, np.ndarray] | None = None,
    unknown: Mapping[str, np.ndarray] | None = None,
    max_length: int | None = None,
    ignore: Iterable[str] = (),
) -> Contents:
    """Describe texts without labels. The arguments are those of `audit`."""
    facts = Facts(
        texts=texts.splits,
        columns=texts.columns,
        blank=texts.blank,
        notes=texts.notes,
        n_tokens=n_tokens,
        unknown=unknown,
        max_length=max_length,
    )
    counts = Counter(text for _, _, text in facts.rows())
    return Contents(
        name=texts.name,
        columns=texts.columns,
        text=texts.text,
        head=next(iter(texts.splits.values()))[:_HEAD],
        splits={split: _figures(facts, split) for split in texts.splits},
        languages=languages_in(facts),
        repeated={text: n for text, n in counts.most_common(_HEAD) if n > 1},
        checks=checks_of(facts, ignore=chosen_codes(ignore)),
        max_length=max_length,
    )


def _figures(facts: Facts, split: str) -> SplitContents:
    texts = facts.texts[split]
    return SplitContents(
        n=len(texts),
        blank=facts.blank.get(split, 0),
        distinct=len(set(texts)),
        characters=quantiles(np.array([len(text) for text in texts])),
        **facts.token_figures(split),
    )
