"""Checks of the labels: odd names, classes of few rows, texts that hold their own label."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator

import numpy as np

from emolens.data.audit.check import Check, Place, finding, listed, named, of_rows, passed
from emolens.data.audit.facts import Facts
from emolens.data.audit.texts import DATE
from emolens.data.readers.columns import LABEL_COLUMNS
from emolens.data.targets.options import typed
from emolens.errors import some_of

FEWEST = 10  # rows of a class
_HEADER_ROWS = 3  # a header line that was read as data gives a class of one row in each table
# Words for "no value", apart from 'none', which is a real class of many emotion data sets.
_NULLS = {
    *(
        "",
        "-",
        "--",
        "---",
        "?",
        ".",
        "#n/a",
        "n/a",
        "na",
        "nan",
        "nil",
        "null",
        "undefined",
        "missing",
    ),
    *("no label", "not available", "not labeled", "not labelled", "unlabeled", "unlabelled"),
    *("not annotated", "unknown", "skip", "skipped", "tbd", "todo", "(blank)", "(empty)", "-1"),
    *("undefined", "<na>", "#ref!", "#value!"),
}
_SURE = ";|#"  # signs that hardly ever stand in a name
_SEPARATORS = re.compile(r"\s*(?:[,;|#/&+\t:_-]+|\band\b)\s*|\s+")
# The share of a class's texts that hold its name. People write some names themselves: in
# GoEmotions, 69 % of the texts of 'love' do. So a high share of one class is noted only.
_OWN_NOTED, _OWN_HIGH, _OWN_FAILED = 0.2, 0.5, 0.9
_ABOVE_CHANCE = 3  # times as often as in the texts of other classes
_SHORTEST = 3  # letters of a class name that may be a part of another one
_NUMBER = re.compile(r"-?\d+(\.\d+)?")
_WORD = re.compile(r"\w+")
Hit = tuple[str, int, int]  # a split, a row in it, and a class


def odd_names(facts: Facts) -> Check:
    """Classes that look like a header, like 'no value', or like several labels in one cell."""
    totals = _totals(facts)
    headers = [k for k, n in enumerate(totals) if n <= _HEADER_ROWS and _like_a_header(facts, k)]
    nulls = [k for k, name in enumerate(facts.names) if name.strip().casefold() in _NULLS]
    if all(_opposite(name) in facts.names for name in facts.names):  # -1, 0 and 1
        nulls = []
    rest = [k for k in range(len(totals)) if k not in headers and k not in nulls]
    known = frozenset(name.casefold() for name in facts.names)
    joined = [k for k in rest if _is_joined(facts.names[k], known)]
    numbers = [k for k in rest if _NUMBER.fullmatch(facts.names[k])]
    if len(numbers) in (1, len(rest)):
        numbers = []
    dates = [k for k in rest if DATE.fullmatch(facts.names[k].strip())]
    kinds = (
        (headers, "look like the header of a column", _without(facts, headers)),
        (
            nulls,
            "look like 'no value'",
            f"If these rows have no label: --missing {typed(_all_names(facts, nulls))}",
        ),
        (
            joined,
            "look like several labels in one cell",
            "Name the sign between them (--label-separator), or write one label into each cell.",
        ),
        (numbers, "are numbers, while others are names", "Write names or numbers into all rows."),
        (dates, "are dates", "If the classes stand in another column, name it with --label."),
    )
    reason = " ".join(f"Classes that {look}: {_names(facts, ks)}." for ks, look, _ in kinds if ks)
    action = " ".join(act for ks, _, act in kinds if ks)
    places = _places(facts, [k for ks, *_ in kinds for k in ks])
    return of_rows("L04", facts.texts, places, reason=reason, action=action, fails=True)


def _without(facts: Facts, headers: list[int]) -> str:
    """How to leave out the rows of these classes."""
    places = _places(facts, headers)
    names = typed(_all_names(facts, headers))
    option = f"--drop-classes {names}" if names else ""
    if all(row < len(places) for _, row in places):
        option = f"--skip-rows {len(places)}"
    return f"Leave out the header lines{': ' if option else '.'}{option}"


def _opposite(name: str) -> str:
    if name in ("+", "-", "0"):
        return {"+": "-", "-": "+", "0": "0"}[name]
    return name[1:] if name.startswith("-") else f"-{name}"


def _all_names(facts: Facts, ks: list[int]) -> list[str]:
    return [facts.names[k] for k in ks]


def _like_a_header(facts: Facts, k: int) -> bool:
    """Whether a class of very few rows may be the name of a column, or a question of a survey."""
    name = facts.names[k].strip()
    titles = {column.casefold() for column in facts.columns} | set(LABEL_COLUMNS)
    if name.casefold() in titles or name.startswith(("{", "[", '"')) or name.endswith(("?", ":")):
        return True
    words = [len(_WORD.findall(other)) for other in facts.names]
    return words[k] >= 4 and words[k] >= 3 * float(np.median(words))


def _is_joined(name: str, names: frozenset[str]) -> bool:
    """Whether a class name is made of two or more other ones, with or without a separator."""
    whole = name.casefold()
    parts = [part for part in _SEPARATORS.split(whole) if part]
    if len(parts) > 1:
        between = ((parts[:i], parts[i + 1 :]) for i in range(1, len(parts) - 1))
        return (
            any(sign in whole for sign in _SURE)
            or all(part in names for part in parts)
            or any(
                " ".join(a) in names and " ".join(b) in names for a, b in between
            )  # 'joy et ira'
        )
    cuts = range(_SHORTEST, len(whole) - _SHORTEST + 1)
    return any(whole[:cut] in names and whole[cut:] in names for cut in cuts)


def few_rows(facts: Facts) -> Check:
    """Classes that can hardly be learned, or that a split does not hold."""
    totals = _totals(facts)
    few = [k for k, n in enumerate(totals) if n < FEWEST]
    counts = {split: facts.counts(split) for split in facts.texts}
    absent: dict[tuple[str, ...], list[int]] = {}
    for k in range(len(totals)):
        if without := tuple(split for split, n in counts.items() if not n[k]):
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
    rows = named(facts.texts, _places(facts, few))
    return finding("L05", " ".join(sentences), action, fails=bool(absent), **rows)


def label_in_text(facts: Facts) -> Check:
    """Texts that hold the name of their class: a model may learn to look for this word only."""
    hits = list(_hits(facts))
    marks = {(split, k): facts.has_class(split, k) for split, k in {(s, k) for s, _, k in hits}}
    own = [(split, row, k) for split, row, k in hits if marks[split, k][row]]
    shares = _shares(facts, hits, own)
    names = some_of([f"{facts.names[k]} ({share:.0%})" for k, share in shares.items()])
    places = [(split, row) for split, row, k in own if k in shares]
    n_high = sum(share >= _OWN_HIGH for share in shares.values())
    highest = max(shares.values(), default=0.0)
    return of_rows(
        "T10",
        facts.texts,
        places,
        reason=f"Texts hold the name of their own class, by class: {names}.",
        action="If the labels were made from these words, take the words out of the texts.",
        fails=highest >= _OWN_FAILED or n_high >= len(facts.names) / 2,
    )


def _shares(facts: Facts, hits: list[Hit], own: list[Hit]) -> dict[int, float]:
    """For each class, the share of its texts that hold its name, where it is high and far above
    the share of other texts.
    """
    n_hits, n_own = (Counter(k for *_, k in part) for part in (hits, own))
    totals, shares = _totals(facts), {}
    for k in sorted(n_own):
        if not FEWEST <= totals[k] < facts.n:
            continue
        share = n_own[k] / totals[k]
        chance = (n_hits[k] - n_own[k]) / (facts.n - totals[k])
        if share >= _OWN_NOTED and share > _ABOVE_CHANCE * chance:
            shares[k] = share
    return shares


def _hits(facts: Facts) -> Iterator[Hit]:
    """The rows whose text holds the name of a class as words, whichever class the row has."""
    classes = {tuple(_WORD.findall(name.casefold())): k for k, name in enumerate(facts.names)}
    lengths = {len(words) for words in classes} - {0}
    for split, row, text in facts.rows():
        words = _WORD.findall(text.casefold())
        parts = {
            tuple(words[i : i + n]) for n in lengths for i in range(max(len(words) - n + 1, 0))
        }
        for part in parts & classes.keys():
            yield split, row, classes[part]


def _totals(facts: Facts) -> list[int]:
    """Rows of each class in all splits."""
    totals: list[int] = sum(facts.counts(split) for split in facts.texts).tolist()  # type: ignore[union-attr]
    return totals


def _names(facts: Facts, ks: list[int]) -> str:
    return some_of(_all_names(facts, ks))


def _places(facts: Facts, ks: list[int]) -> list[Place]:
    """The rows of these classes."""
    return [
        (split, int(row))
        for k in ks
        for split in facts.texts
        for row in np.flatnonzero(facts.has_class(split, k))
    ]
