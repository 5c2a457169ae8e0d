"""The check of near duplicates: rows of one split that are almost equal to a row of another."""

from __future__ import annotations

from collections.abc import Iterator

from emolens.data.audit.check import (
    EXAMPLES,
    SERIOUS,
    Check,
    Place,
    finding,
    listed,
    passed,
    row_of,
    rows_that,
)
from emolens.data.audit.facts import Facts
from emolens.data.audit.similar import prepared, similar, words_of
from emolens.data.dataset import TRAIN


def near_duplicates(facts: Facts) -> Check:
    """Rows of later splits that are almost equal to a row of an earlier one, train first.

    Texts that are equal to one of train are not among them: another check names these.
    """
    words = {split: [words_of(text) for text in texts] for split, texts in facts.texts.items()}
    keys = {split: [text.replace(" ", "") for text in own] for split, own in words.items()}
    alike = dict(_of_equal_key(facts, keys))
    n_equal = len(alike)
    complete = _add_similar(words, keys, alike)
    if not alike and complete:
        return passed("T06")
    sentences = [_sentence(alike, n_equal)] if alike else []
    if not complete:
        sentences.append("Not all pairs of rows were compared: too many have much in common.")
    examples = (
        row_of(facts.texts, place) | {"like": row_of(facts.texts, other)}
        for place, other in list(alike.items())[:EXAMPLES]
    )
    return finding(
        "T06",
        " ".join(sentences),
        "Remove one row of each pair, or put both into the same split.",
        fails=len(alike) >= SERIOUS * facts.n_later,
        n_rows=len(alike),
        rows=tuple(examples),
    )


def _sentence(alike: dict[Place, Place], n_equal: int) -> str:
    kinds = [f"{n_equal:,} apart from case, space and punctuation"] if n_equal else []
    kinds += [f"{len(alike) - n_equal:,} with small changes"] if len(alike) > n_equal else []
    return f"{rows_that(alike, 'are')} almost equal to a row of another split: {listed(kinds)}."


def _of_equal_key(facts: Facts, keys: dict[str, list[str]]) -> Iterator[tuple[Place, Place]]:
    """Rows whose key an earlier split has, and the first row there; not rows of a text of train."""
    places: dict[str, Place] = {}
    texts: set[str] = set()
    for split, own in keys.items():
        for row, key in enumerate(own):
            if key in places and facts.texts[split][row] not in texts:
                yield (split, row), places[key]
        for row, key in enumerate(own):
            places.setdefault(key, (split, row))
        if split == TRAIN:
            texts.update(facts.texts[split])


def _add_similar(
    words: dict[str, list[str]], keys: dict[str, list[str]], alike: dict[Place, Place]
) -> bool:
    """Add rows whose 5-grams are those of a row of an earlier split; whether all were compared."""
    rows: dict[str, dict[str, list[int]]] = {}  # by split, the rows of each key that is new there
    earlier: set[str] = set()
    for split, own in keys.items():
        rows[split] = {}
        for row, key in enumerate(own):
            if key not in earlier:
                rows[split].setdefault(key, []).append(row)
        earlier.update(own)
    lists = {split: list(own.values()) for split, own in rows.items()}  # rows of one key together
    ready = prepared({s: [words[s][same[0]] for same in own] for s, own in lists.items()})
    complete = True
    names = list(ready)
    for i, split in enumerate(names):
        for other in names[:i]:
            search = similar(ready[split], ready[other])
            complete = complete and search.complete
            for query, match in search.matches.items():
                place = (other, lists[other][match][0])
                for row in lists[split][query]:
                    alike.setdefault((split, row), place)
    return complete
