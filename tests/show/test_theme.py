"""The colors of classes, and the sizes of the parts of a picture."""

from __future__ import annotations

import pytest

from emolens.labels import LabelSet
from emolens.show import theme

EMOTIONS = ("sadness", "joy", "love", "anger", "fear", "surprise", "neutral")


def test_a_known_emotion_has_the_same_color_in_every_set() -> None:
    first, second = LabelSet(("joy", "x")), LabelSet(EMOTIONS)
    assert theme.class_color(first, "joy") == theme.class_color(second, "joy")


def test_the_colors_of_a_set_differ() -> None:
    many = tuple(f"class {i}" for i in range(28)) + EMOTIONS
    for labels in (LabelSet(EMOTIONS), LabelSet(tuple("abcdefgh")), LabelSet(many)):
        assert len({theme.class_color(labels, name) for name in labels.names}) == len(labels)


@pytest.mark.parametrize("n", [0, 1, 12, 150, 3000])
def test_things_in_a_row_are_never_longer_than_a_picture_may_be(n: int) -> None:
    inches = theme.room(n, 0.5)
    assert inches <= 0.5
    assert n * inches <= theme.LONGEST + 1e-9
    assert 3 <= theme.font_size(inches) <= 9
