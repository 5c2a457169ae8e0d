"""Checks of the labels: odd names, classes of few rows, texts that hold their own label."""

from __future__ import annotations

import re
from collections.abc import Iterator

import numpy as np

from emolens.data.audit.check import (
    EXAMPLES,
    Check,
    failed,
    listed,
    noted,
    passed,
    row_of,
)
from emolens.data.audit.facts import Facts
from emolens.data.readers.columns import LABEL_COLUMNS
from emolens.errors import some_of

FEWEST = 10  # rows of a class
_HEADER_ROWS = 3  # a header line that was read as data gives a class of one row in each table
# Words for "no value", apart from 'none', which is a real class of many emotion data sets.
_NULLS = {
    *("", "-", "--", "?", ".", "#n/a", "n/a", "na", "nan", "nil", "null", "undefined", "missing"),
    *("no label", "not available", "not labeled", "not labelled", "unlabeled", "unlabelled"),
    *("unknown", "tbd", "todo", "(blank)", "(empty)", "<na>", "#ref!", "#value!", "-1"),
}
_SEPARATORS = re.compile(r"\s*(?:[,;|#/&+\t]|\band\b)\s*|\s+")
# The share of a class's texts that hold its name. People write some names themselves: in
# GoEmotions, 69 % of the texts of 'love' do. So a high share of one class is noted only.
_OWN_NOTED, _OWN_HIGH, _OWN_FAILED = 0.2, 0.5, 0.9
_ABOVE_CHANCE = 3  # times as often as in the texts of other classes
_WORD = re.compile(r"\w+")


def odd_names(facts: Facts) -> Check:
    """Classes that look like a header, like 'no value', or like several labels in one cell."""
    totals = _totals(facts)
    headers = [k for k, n in enumerate(totals) if n <= _HEADER_ROWS and _like_a_header(facts, k)]
    nulls = [k for k, name in enumerate(facts.names) if name.strip().casefold() in _NULLS]
    rest = [k for k in range(len(totals)) if k not in headers and k not in nulls]
    joined = [k for k in rest if _is_joined(facts.names[k], facts.names)]
    odd = [*headers, *nulls, *joined]
    if not odd:
        return passed("L04")
    skip = f"Leave out the header lines: --skip-rows {sum(totals[k] for k in headers)}."
    missing = ",".join(facts.names[k] for k in nulls)
    kinds = (
        (headers, "look like the header of a column", skip),
        (nulls, "look like 'no value'", f'If these rows have no label, add --missing "{missing}".'),
        (
            joined,
            "look like several labels in one cell",
            "Name the sign between them (--label-separator), or write one label into each cell.",
        ),
    )
    reason = " ".join(f"Classes that {look}: {_names(facts, ks)}." for ks, look, _ in kinds if ks)
    action = " ".join(act for ks, _, act in kinds if ks)
    return failed("L04", reason, action, **_rows_of(facts, odd))


def _like_a_header(facts: Facts, k: int) -> bool:
    """Whether a class of very few rows may be the name of a column, or a question of a survey."""
    name = facts.names[k].strip()
    titles = {column.casefold() for column in facts.columns} | set(LABEL_COLUMNS)
    if name.casefold() in titles or name.startswith(("{", "[", '"')) or name.endswith(("?", ":")):
        return True
    words = [len(_WORD.findall(other)) for other in facts.names]
    return words[k] >= 4 and words[k] >= 3 * float(np.median(words))


def _is_joined(name: str, names: tuple[str, ...]) -> bool:
    """Whether a class name is made of two or more other ones, with or without a separator."""
    others = {other.casefold() for other in names if other != name}
    parts = [part for part in _SEPARATORS.split(name.casefold()) if part]
    if len(parts) > 1:
        return all(part in others for part in parts)
    starts = (other for other in others if len(other) > 2 and name.casefold().startswith(other))
    return any(name.casefold().removeprefix(start) in others for start in starts)


def few_rows(facts: Facts) -> Check:
    """Classes that can hardly be learned, or that a split does not hold."""
    totals = _totals(facts)
    few = [k for k, n in enumerate(totals) if n < FEWEST]
    absent: dict[tuple[str, ...], list[int]] = {}
    for k in range(len(totals)):
        if without := tuple(s for s in facts.texts if not facts.has_class(s, k).any()):
            absent.setdefault(without, []).append(k)
    if not few and not absent:
        return passed("L05")
    sentences = []
    if few:
        names = some_of([f"{facts.names[k]} ({totals[k]:,})" for k in few])
        sentences.append(f"Classes of under {FEWEST} rows: {names}.")
    for without, ks in absent.items():
        sentences.append(f"Not in {listed(without)}: {_names(facts, ks)}.")
    action = "Add rows of these classes, join them with others, or leave them out."
    found = _rows_of(facts, few)
    return (failed if absent else noted)("L05", " ".join(sentences), action, **found)


def label_in_text(facts: Facts) -> Check:
    """Texts that hold the name of their class: a model may learn to look for this word only."""
    shares = {k: share for k, share in _own_shares(facts) if share >= _OWN_NOTED}
    if not shares:
        return passed("T10")
    names = some_of([f"{facts.names[k]} ({share:.0%})" for k, share in shares.items()])
    places = [
        (split, int(row))
        for split, holds in _holds_name(facts).items()
        for k in shares
        for row in np.flatnonzero(holds[:, k] & facts.has_class(split, k))
    ]
    examples = (row_of(split, row, facts.texts[split][row]) for split, row in places[:EXAMPLES])
    n_high = sum(share >= _OWN_HIGH for share in shares.values())
    serious = max(shares.values()) >= _OWN_FAILED or n_high >= len(facts.names) / 2
    return (failed if serious else noted)(
        "T10",
        f"Texts hold the name of their own class, by class: {names}.",
        "If the labels were made from these words, take the words out of the texts.",
        n_rows=len(places),
        rows=tuple(examples),
    )


def _own_shares(facts: Facts) -> Iterator[tuple[int, float]]:
    """For each class, the share of its texts that hold its name, where it is far above chance."""
    holds = np.concatenate(list(_holds_name(facts).values()))
    for k in range(len(facts.names)):
        own = np.concatenate([facts.has_class(split, k) for split in facts.texts])
        if own.sum() < FEWEST or own.all():
            continue
        share, chance = holds[own, k].mean(), holds[~own, k].mean()
        if share > _ABOVE_CHANCE * chance:
            yield k, float(share)


def _holds_name(facts: Facts) -> dict[str, np.ndarray]:
    """By split, (n, k) bool, whether the text holds the name of the class as words."""
    words = {" ".join(_WORD.findall(n.casefold())): k for k, n in enumerate(facts.names)}
    words.pop("", None)
    longest_first = sorted(words, key=len, reverse=True)
    pattern = re.compile(rf"(?<!\w)(?:{'|'.join(map(re.escape, longest_first))})(?!\w)")
    holds = {}
    for split, texts in facts.texts.items():
        holds[split] = np.zeros((len(texts), len(facts.names)), dtype=bool)
        for row, text in enumerate(texts):
            for word in pattern.findall(text.casefold()) if words else ():
                holds[split][row, words[word]] = True
    return holds


def _totals(facts: Facts) -> list[int]:
    """Rows of each class in all splits."""
    every = range(len(facts.names))
    return [sum(int(facts.has_class(split, k).sum()) for split in facts.texts) for k in every]


def _names(facts: Facts, ks: list[int]) -> str:
    return some_of([facts.names[k] for k in ks])


def _rows_of(facts: Facts, ks: list[int]) -> dict[str, object]:
    """The rows of these classes."""
    places = [
        (split, int(row))
        for k in ks
        for split in facts.texts
        for row in np.flatnonzero(facts.has_class(split, k))
    ]
    examples = (row_of(split, row, facts.texts[split][row]) for split, row in places[:EXAMPLES])
    return {"n_rows": len(places), "rows": tuple(examples)}
