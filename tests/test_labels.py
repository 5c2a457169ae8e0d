from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emolens.labels import LabelSet

EMOTIONS = ("sadness", "joy", "love", "anger", "fear", "surprise", "neutral")


@given(st.permutations(EMOTIONS))
def test_known_emotions_keep_their_order(mentioned: list[str]) -> None:
    assert LabelSet.ordered(mentioned).names == EMOTIONS


def test_other_classes_follow_by_name_and_once() -> None:
    assert LabelSet.ordered(["pride", "joy", "awe", "pride"]).names == ("joy", "awe", "pride")


@given(st.lists(st.text(max_size=8), min_size=1, unique=True))
def test_ids_and_names_are_inverse(names: list[str]) -> None:
    labels = LabelSet(tuple(names))
    assert len(labels) == len(names)
    assert [labels.id2label[labels.id_of(name)] for name in names] == names


def test_an_unknown_name_has_no_id() -> None:
    with pytest.raises(KeyError, match="rage"):
        LabelSet(EMOTIONS).id_of("rage")


def test_a_known_emotion_has_the_same_color_in_every_set() -> None:
    assert LabelSet(("joy", "x")).color("joy") == LabelSet(EMOTIONS).color("joy")


def test_the_colors_of_a_set_differ() -> None:
    for labels in (LabelSet(EMOTIONS), LabelSet(tuple("abcdefgh"))):
        assert len({labels.color(name) for name in labels.names}) == len(labels)
