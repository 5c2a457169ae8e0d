"""The behavioral tests: what counts as a failure, and that the cases are what their card says."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import emolens.evaluation.behavior as room
from emolens.evaluation.behavior import Behavior, behavior
from emolens.evaluation.behavior.cases import (
    TESTS,
    Case,
    all_cases,
    with_typing_error,
    without_punctuation,
)
from emolens.labels import LabelSet

CLASSES = ("sadness", "joy", "love", "anger", "fear", "surprise", "neutral", "disgust")
LABELS = LabelSet(CLASSES)


def answering(answer: Callable[[str], str], names: Sequence[str] = CLASSES) -> Callable[..., Any]:
    """A model that is sure of this answer."""

    def ask(texts: Sequence[str]) -> np.ndarray:
        rows = np.full((len(texts), len(names)), 0.1 / (len(names) - 1))
        rows[np.arange(len(texts)), [names.index(answer(text)) for text in texts]] = 0.9
        return rows

    return ask


def by_name(found: Behavior) -> dict[str, room.BehaviorTest]:
    return {test.name: test for test in found.tests}


def test_a_model_with_one_answer_fails_where_another_one_is_right() -> None:
    found = behavior(answering(lambda _: "joy"), LABELS)
    for test in found.tests:
        wrong = [c for c in all_cases() if c.test == test.name and c.label != "joy"]
        assert test.failed == (len(wrong) if test.kind == "minimum" else 0), test.name
        assert test.low <= test.share <= test.high
        assert test.left_out == 0
        assert len(test.examples) == min(test.failed, 5)


def test_a_model_that_reads_the_label_fails_nowhere() -> None:
    labels = {case.text: case.label for case in all_cases() if case.kind == "minimum"}
    found = behavior(answering(lambda text: labels.get(text) or "neutral"), LABELS)
    assert sum(test.failed for test in found.tests) == 0


def test_each_kind_fails_as_it_should(monkeypatch: pytest.MonkeyPatch) -> None:
    cases = (
        Case("irony", "Great, late again", label="anger"),
        Case("names", "Anna is here", variant="Aisha is here"),
        Case("stronger", "nice", label="joy", variant="so nice", change="up"),
        Case("turned", "nice", label="joy", variant="nice, but no", change="down"),
    )
    monkeypatch.setattr(room, "all_cases", lambda: cases)
    of_text = {"Great, late again": 0.9, "Anna is here": 0.9, "Aisha is here": 0.3}
    of_text |= {"nice": 0.5, "so nice": 0.44, "nice, but no": 0.54}

    def ask(texts: Sequence[str]) -> np.ndarray:
        return np.array([[of_text[text], 1 - of_text[text]] for text in texts])

    found = by_name(behavior(ask, LabelSet(("Joy", "anger"))))
    assert [(found[n].n, found[n].failed) for n in ("irony", "names", "stronger", "turned")] == [
        (1, 1),
        (1, 1),
        (1, 1),  # .06 lower
        (1, 0),  # .04 higher is within the tolerance
    ]
    assert found["names"].examples[0] == room.Failure(
        "Anna is here", "Aisha is here", "Joy", "anger", 0.7, 0.9, 0.3
    )
    said = {n: found[n].examples[0].outcome(found[n].kind) for n in ("irony", "names", "stronger")}
    assert said == {
        "irony": "should be: anger; answer: Joy 0.90",
        "names": "before: Joy 0.90; after: anger 0.70",
        "stronger": "Joy should be higher; before: 0.50, after: 0.44",
    }
    assert found["order"].n == 0
    assert np.isnan(found["order"].share)


def test_cases_of_classes_that_the_model_lacks_are_left_out_and_counted() -> None:
    names = ("joy", "anger")
    found = by_name(behavior(answering(lambda _: "joy", names), LabelSet(names)))
    assert found["neutral_facts"].n == 0
    every = Counter(case.test for case in all_cases())
    for name, test in found.items():
        assert test.n + test.left_out == every[name]
    assert found["names"].left_out == 0


def test_it_can_be_saved() -> None:
    found = behavior(answering(lambda text: CLASSES[len(text) % 8]), LABELS)
    assert Behavior.from_dict(found.to_dict()) == found
    with pytest.raises(ValueError, match="tests"):
        Behavior.from_dict({"tests": [{"name": "irony"}]})


def test_what_an_earlier_emolens_wrote_is_read_and_said_in_the_words_of_today() -> None:
    failure = {"text": "a", "variant": "b", "wanted": "joy", "answer": "fear", "p_answer": 0.6}
    test = {"name": "names", "kind": "invariance", "about": "old", "n": 3, "failed": 1}
    more = {"low": 0.1, "high": 0.8, "left_out": 0, "examples": [failure]}
    read = Behavior.from_dict({"tests": [test | more]}).tests[0]
    assert read.about == TESTS["names"][1]
    assert read.asks == "same answer"
    assert read.examples[0].outcome(read.kind) == "before: joy; after: fear 0.60"
    higher = replace(read.examples[0], wanted="pure joy higher")
    assert higher.outcome("direction") == "pure joy should be higher; answer: fear 0.60"


def test_every_test_has_enough_cases_and_no_text_twice() -> None:
    counts = Counter(case.test for case in all_cases())
    assert counts.keys() == TESTS.keys()
    assert min(counts.values()) >= 20
    for name in TESTS:
        texts = [case.text for case in all_cases() if case.test == name]
        assert len(set(map(str.casefold, texts))) == len(texts), name


def test_each_case_has_what_its_kind_needs() -> None:
    for case in all_cases():
        assert (case.label is None) == (case.kind == "invariance")
        assert (case.variant is None) == (case.kind == "minimum")
        assert (case.change is None) == (case.kind != "direction")
        assert case.label is None or case.label in CLASSES
        assert case.variant != case.text
        assert 1 <= len(case.text.split()) <= 40


def test_names_stand_on_both_sides() -> None:
    """A group must not always be the one that is put in."""
    first, second = (Counter[str](), Counter[str]())
    for case in all_cases():
        if case.test == "names":
            words = [set(re.findall(r"\w+", t)) for t in (case.text, str(case.variant))]
            first.update(words[0] - words[1])
            second.update(words[1] - words[0])
    assert len(first) > 25
    assert len(second) > 25


@given(st.text(max_size=60))
def test_a_typing_error_keeps_all_letters(text: str) -> None:
    changed = with_typing_error(text)
    assert sorted(changed) == sorted(text)
    assert with_typing_error(text) == changed
    assert [len(word) for word in changed.split(" ")] == [len(word) for word in text.split(" ")]


def test_changes_by_program() -> None:
    assert with_typing_error("Oh no") == "Oh no"
    assert with_typing_error("a terrible day") != "a terrible day"
    assert without_punctuation("I can't… Stop, NOW!!") == "i can't stop now"
