"""Near duplicates: the search against brute force, and the check on rows of several splits."""

from __future__ import annotations

import random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from emolens.data.audit.similar import (
    THRESHOLD,
    grams_of,
    jaccard,
    prepared,
    similar,
    words_of,
)
from emolens.data.sources import load_dataset
from tests.data.test_audit_checks import check_of, dataset_of, plain


def by_brute_force(queries: list[str], others: list[str]) -> set[int]:
    own, grams = ([grams_of(key) for key in keys] for keys in (queries, others))
    return {
        row
        for row, key in enumerate(own)
        if any(jaccard(key, other) >= THRESHOLD for other in grams)
    }


def agrees_with_brute_force(queries: list[str], others: list[str]) -> int:
    ready = prepared({"others": others, "queries": queries})
    search = similar(ready["queries"], ready["others"])
    assert search.complete
    assert set(search.matches) == by_brute_force(queries, others)
    for row, other in search.matches.items():
        assert jaccard(grams_of(queries[row]), grams_of(others[other])) >= THRESHOLD
    return len(search.matches)


def edited(text: str, rng: random.Random) -> str:
    """The text with some of its characters replaced, left out or doubled."""
    rate = rng.choice([0.005, 0.01, 0.02, 0.04, 0.1])
    signs = (rng.choice(("", sign * 2, "x")) if rng.random() < rate else sign for sign in text)
    return "".join(signs)


def test_the_search_agrees_with_brute_force_on_real_texts() -> None:
    texts = list(load_dataset("starter")["train"].texts)
    rng = random.Random(1)
    queries = [words_of(edited(rng.choice(texts), rng)) for _ in range(300)]
    assert 60 < agrees_with_brute_force(queries, [words_of(text) for text in texts[:1200]]) < 240


def test_the_search_agrees_with_brute_force_on_templates_and_long_texts() -> None:
    rng = random.Random(2)
    words = [f"word{i * i}" for i in range(40)]
    frames = ("i am so glad about the {} today", "they took the {} and the {} from us all")
    made = [words_of(rng.choice(frames).format(*rng.choices(words, k=2))) for _ in range(600)]
    assert agrees_with_brute_force(made[:200], made[200:]) > 100
    long = [" ".join(rng.choices(words, k=rng.randint(50, 400))) for _ in range(80)]
    queries = [words_of(edited(text, rng)) for text in long]
    assert 10 < agrees_with_brute_force(queries, [words_of(text) for text in long]) < 70


@settings(max_examples=100, deadline=None)
@given(
    queries=st.lists(st.text("ab", min_size=1, max_size=14), min_size=1, max_size=12),
    others=st.lists(st.text("ab", min_size=1, max_size=14), min_size=1, max_size=12),
)
def test_the_search_agrees_with_brute_force_on_short_keys(
    queries: list[str], others: list[str]
) -> None:
    agrees_with_brute_force(queries, others)


def test_more_rows_than_one_part_are_searched() -> None:
    rng = np.random.default_rng(3)
    keys = ["".join(rng.choice(list("abcdefgh"), 40)) for _ in range(9000)]
    ready = prepared({"others": keys[:8990], "queries": [keys[5000] + "a", keys[8995]]})
    assert similar(ready["queries"], ready["others"]).matches == {0: 5000}


def test_a_search_with_too_many_pairs_stops_and_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("emolens.data.audit.similar.MOST_PAIRS", 10)
    frame = "a template of a text with {} in it and {} more words"
    train = [(frame.format(i, i % 7), "joy" if i % 2 else "fear") for i in range(300)]
    test = [(frame.format(i, i % 7), "joy" if i % 2 else "fear") for i in range(300, 330)]
    check = check_of(dataset_of(train, test=test), "T06")
    assert check.status == "noted"
    assert "Not all pairs" in check.reason


@pytest.mark.parametrize(
    "other",
    [
        "I'm so HAPPY about this, really!",
        "  im so happy\tabout this   really",
        "I\u2019m so happy\u200b about this \u2013 really \u2026",
        "I'm so \ufb01ne about this, really".replace("\ufb01ne", "happy"),
        "\uff29'm so happy about this, really.",
    ],
)
def test_texts_that_differ_in_case_space_and_punctuation_are_near_duplicates(other: str) -> None:
    dataset = dataset_of(
        [*plain(), ("I'm so happy about this, really.", "joy")], test=[(other, "joy")]
    )
    check = check_of(dataset, "T06")
    assert (check.status, check.n_rows) == ("failed", 1)
    assert "1 apart from case, space and punctuation" in check.reason
    assert check.rows[0]["like"]["row"] == 60
    assert check_of(dataset, "T05").status == "passed"


def test_equal_texts_of_validation_and_test_are_counted() -> None:
    """The check of texts that also stand in train does not count them."""
    same = ("nobody knew why the last train was late", "anger")
    check = check_of(dataset_of(plain(), validation=[same], test=[same]), "T06")
    assert (check.status, check.n_rows) == ("failed", 1)


def test_equal_texts_are_no_near_duplicates() -> None:
    dataset = dataset_of([*plain(), ("so it goes", "joy")], test=[("so it goes", "joy")])
    assert check_of(dataset, "T06").status == "passed"
    assert check_of(dataset, "T05").status == "failed"


def test_texts_with_small_changes_are_near_duplicates_and_others_are_not() -> None:
    old = "I did not care much about the number of viewers before, but now I am greedy for more"
    test = [
        (old.replace("viewers", "viewer"), "joy"),
        (old[:30] + " of anything else at all", "joy"),
    ]
    check = check_of(dataset_of([*plain(), (old, "joy")], validation=test), "T06")
    assert check.n_rows == 1
    assert check.reason.endswith("of another split: 1 with small changes.")
    assert check.rows[0]["split"] == "validation"
    assert check.rows[0]["like"] == {"split": "train", "row": 60, "text": old}


def test_rows_of_test_are_compared_with_validation_too() -> None:
    old = "nobody told me that the parcel had been lying in the garden since yesterday morning"
    new = old.replace("garden", "gardens")
    dataset = dataset_of(
        plain(), validation=[(old, "joy")], test=[(new, "joy"), (old + "!", "joy")]
    )
    check = check_of(dataset, "T06")
    assert [(row["row"], row["like"]["split"]) for row in check.rows] == [
        (1, "validation"),
        (0, "validation"),
    ]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("So, THIS  is it…", "so this is it"),
        ("don't\u200b go\n- now", "dont go now"),
        ("Straße", "strasse"),
        ("👍🏽 !!", "👍🏽"),
        ("?! ?", "?! ?"),
        ("हिन्दी में", "हिन्दी में"),
        ("我很 高兴。", "我很 高兴"),
        ("", ""),
    ],
)
def test_words_are_letters_digits_and_emoji(text: str, words: str) -> None:
    assert words_of(text) == words


def test_starter_has_none_and_one_table_is_not_compared_with_itself() -> None:
    assert check_of(load_dataset("starter"), "T06").status == "passed"
    assert check_of(dataset_of(plain()), "T06").status == "skipped"
