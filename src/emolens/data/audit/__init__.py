"""What is in a data set, and what is wrong with it, before anything is trained on it.

Reads texts and labels only. The caller gives the token counts: it knows nothing of tokenizers.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from emolens.data.audit import labels, language, near, origin, texts
from emolens.data.audit.check import EXAMPLES, Check, Checked, ignored, passed, skipped
from emolens.data.audit.facts import Facts
from emolens.data.checks import CHECKS, chosen_codes
from emolens.data.dataset import Dataset
from emolens.shown import one_line

# A check without a line here only tells what was noticed while the data was read.
CHECKERS: dict[str, Callable[[Facts], Check]] = {
    "L04": labels.odd_names,
    "L05": labels.few_rows,
    "T01": texts.blank_texts,
    "T02": texts.broken_texts,
    "T03": texts.repeated_texts,
    "T04": texts.contradictions,
    "T05": texts.leaked_texts,
    "T06": near.near_duplicates,
    "T07": texts.long_texts,
    "T08": texts.unknown_words,
    "T09": language.other_languages,
    "T10": labels.label_in_text,
    "T11": origin.same_origin,
    "T12": texts.left_out,
}
_OF_SPLITS = ("T05", "T06", "T11")  # they compare splits with each other


@dataclass(frozen=True)
class SplitAudit:
    """The figures of one split.

    n_tokens: minimum, median, 95th percentile and maximum, with the special tokens; None without
    token counts. leaked: rows whose text also occurs in train (always 0 for train). blank: rows
    that were left out because they have no text; n does not count them. unknown: the mean share of
    tokens in a text that the encoder does not know.
    """

    n: int
    by_class: dict[str, int]
    majority: str
    majority_share: float
    blank: int
    broken_encoding: int
    leaked: int
    n_tokens: dict[str, float] | None = None
    over_limit: int | None = None
    unknown: float | None = None

    def __repr__(self) -> str:
        return one_line(self, f"{self.n:,} texts", f"largest class {self.majority}")


@dataclass(frozen=True, repr=False)
class Audit(Checked):
    """What is known about a data set before training.

    checks: one for each code of `data.checks.CHECKS`, in this order. repeated_texts: how many texts
    occur more than once in all splits together; contradicting_texts: how many of these have
    different labels. head: the first rows of train. one_of_each: the first row of each class in
    train. The other lists name a row by its split and its number, which counts from 0 the rows that
    have a text.
    """

    name: str
    columns: tuple[str, ...]
    features: dict[str, str]
    fingerprint: str
    head: list[dict[str, Any]]
    one_of_each: list[dict[str, Any]]
    splits: dict[str, SplitAudit]
    checks: tuple[Check, ...]
    repeated_texts: int
    contradicting_texts: int
    contradictions: list[dict[str, Any]]
    leaked_rows: list[dict[str, Any]]
    broken_rows: list[dict[str, Any]]
    max_length: int | None

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> Audit:
        """The inverse of to_dict, also for values that were saved as JSON."""
        splits = {name: SplitAudit(**split) for name, split in values["splits"].items()}
        checks = tuple(map(Check.from_dict, values["checks"]))
        columns = tuple(values["columns"])
        own = {name: value for name, value in values.items() if name != "findings"}
        return cls(**{**own, "splits": splits, "checks": checks, "columns": columns})


def audit(
    dataset: Dataset,
    *,
    n_tokens: Mapping[str, np.ndarray] | None = None,
    unknown: Mapping[str, np.ndarray] | None = None,
    max_length: int | None = None,
    ignore: Iterable[str] = (),
) -> Audit:
    """Look for rows that harm training or make a score look better than it is.

    n_tokens: by split, (n,) token counts before truncation. unknown: by split, (n,) the share of
    the tokens of each text that the encoder does not know. max_length: the encoder's limit. ignore:
    codes of checks that are not wanted. Raises UsageError for a code that does not exist.
    """
    unwanted = chosen_codes(ignore)
    facts = Facts.of(dataset, n_tokens=n_tokens, unknown=unknown, max_length=max_length)
    broken = texts.broken_places(facts)
    n_broken, n_leaked = (Counter(s for s, _ in places) for places in (broken, facts.leaked))
    splits = {
        split: _split_audit(
            dataset,
            split,
            broken_encoding=n_broken[split],
            leaked=n_leaked[split],
            **facts.token_figures(split),
        )
        for split in dataset.splits
    }
    return Audit(
        name=dataset.name,
        columns=dataset.columns,
        features=dataset.features,
        fingerprint=dataset.fingerprint,
        head=dataset.head(),
        one_of_each=dataset.one_of_each(),
        splits=splits,
        checks=checks_of(facts, ignore=unwanted),
        repeated_texts=len(facts.repeated),
        contradicting_texts=len(facts.contradicting),
        contradictions=[
            {"text": text, "rows": [_named(facts, *place) for place in places]}
            for text, places in facts.contradicting.items()
        ],
        leaked_rows=[_row(facts, *place) for place in facts.leaked],
        broken_rows=[_row(facts, *place) for place in broken[:EXAMPLES]],
        max_length=max_length,
    )


def checks_of(facts: Facts, *, ignore: frozenset[str] = frozenset()) -> tuple[Check, ...]:
    """Every check in the order of its code. Without labels, those about labels are left out."""
    codes = [code for code in CHECKS if facts.labels or not _needs_labels(code)]
    return tuple(ignored(code) if code in ignore else _checked(code, facts) for code in codes)


def _needs_labels(code: str) -> bool:
    return code.startswith("L") or code in ("T04", "T10")


def _checked(code: str, facts: Facts) -> Check:
    if code in _OF_SPLITS and len(facts.texts) == 1:
        return skipped(code, "There is one table only, without splits.")
    check = CHECKERS[code](facts) if code in CHECKERS else passed(code)
    return check.with_notes([note for note in facts.notes if note.code == code])


def _split_audit(dataset: Dataset, split: str, **figures: Any) -> SplitAudit:
    by_class = dataset.counts(split)
    largest = int(by_class.argmax())
    return SplitAudit(
        n=len(dataset[split]),
        by_class=dict(zip(dataset.labels.names, by_class.tolist(), strict=True)),
        majority=dataset.labels.names[largest],
        majority_share=float(by_class[largest] / len(dataset[split])),
        blank=dataset.blank.get(split, 0),
        **figures,
    )


def _row(facts: Facts, split: str, row: int) -> dict[str, Any]:
    return _named(facts, split, row) | {"text": facts.texts[split][row]}


def _named(facts: Facts, split: str, row: int) -> dict[str, Any]:
    return {"split": split, "row": row, "label": facts.label_of(split, row)}
