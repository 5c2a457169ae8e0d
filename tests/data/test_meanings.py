"""The meanings of the classes: broad where there are only the basic ones."""

from __future__ import annotations

from emolens.data.meanings import meanings


def test_joy_has_gratitude_in_it_only_where_gratitude_is_no_class() -> None:
    (alone,) = meanings(["Joy"])
    both = meanings(["joy", "gratitude"])
    assert "thankful" in alone
    assert both == ["glad, happy", "thankful"]


def test_an_unusual_name_has_no_meaning() -> None:
    assert meanings(["joy", "No_Emotion", "x1"])[2] == ""
    assert meanings(["No_Emotion"]) == meanings(["neutral", "other"])[:1]
