"""Classes of a table meet those of a model: by name, by what the user says, or not at all."""

from __future__ import annotations

import numpy as np
import pytest

from emolens.errors import UsageError
from emolens.judge.classes import map_option, mapping_of, match_classes

MODEL = ("sadness", "joy", "no emotion")


def test_names_match_in_any_spelling_and_the_rest_is_left_over() -> None:
    matching = match_classes(["Joy", "No_Emotion", "pride"], MODEL)
    assert matching.targets == {"Joy": "joy", "No_Emotion": "no emotion"}
    assert matching.unknown == ("pride",)
    assert matching.absent == ("sadness",)


def test_what_the_user_says_goes_before_names() -> None:
    matching = match_classes(["joy", "fun"], MODEL, {"sadness": "Joy", "joy": ["fun"]})
    assert matching.targets == {"joy": "sadness", "fun": "joy"}


def test_numbers_are_the_classes_that_transformers_names() -> None:
    matching = match_classes(["0", "2"], ["LABEL_0", "LABEL_1", "LABEL_2"])
    assert matching.targets == {"0": "LABEL_0", "2": "LABEL_2"}


def test_marks_follow_the_model() -> None:
    matching = match_classes(["fun", "joy", "pride"], MODEL, {"joy": "fun"})
    one = np.array([0, 1, 2])
    several = np.array([[1, 1, 0], [0, 1, 1], [0, 0, 1]], dtype=bool)
    assert matching.marks(one).tolist() == [[False, True, False]] * 2 + [[False] * 3]
    assert matching.marks(several).sum(axis=1).tolist() == [1, 1, 0]
    assert matching.unknown_marks(one).tolist() == [[False], [False], [True]]
    assert matching.unknown_marks(several).tolist() == [[False], [True], [True]]


@pytest.mark.parametrize(
    ("table", "mapped", "message", "hint"),
    [
        (["a", "b"], {}, "no class in common: the table has a, b,", '--map "sadness=a"'),
        (["0", "1"], {}, "no class in common", '--class-names "sadness,joy,no emotion"'),
        (["happy", "sad"], {}, "no class in common", '--map "joy=happy,sadness=sad"'),
        (["joy"], {"love": "joy"}, "The model has no class 'love'", "Known: joy,"),
        (["fun"], {"fun": "joy"}, "The model has no class 'fun'", "first: --map joy=fun"),
        (["joy"], {"joy": "fun"}, "The table has no class 'fun'", "Known: joy."),
        (
            ["a"],
            {"joy": "a", "sadness": "a"},
            "matched with two classes: joy and sad",
            "--map sadness=a",
        ),
    ],
)
def test_what_does_not_match_is_refused_with_a_way_out(
    table: list[str], mapped: dict[str, str], message: str, hint: str
) -> None:
    with pytest.raises(UsageError, match=message) as error:
        match_classes(table, MODEL, mapped)
    assert hint in error.value.hint


@pytest.mark.parametrize(
    ("pairs", "mapped"),
    [
        (["joy=happiness"], {"joy": ["happiness"]}),
        (["joy = happiness, fun ", "joy=glee"], {"joy": ["happiness", "fun", "glee"]}),
        (["joy=fun,glee,love=care"], {"joy": ["fun", "glee"], "love": ["care"]}),
        (["joy=happy, very"], {"joy": ["happy, very"]}),
        (["joy=a=b"], {"joy": ["a=b"]}),
    ],
)
def test_the_option_map_may_name_several(pairs: list[str], mapped: dict[str, list[str]]) -> None:
    assert mapping_of(pairs, ["happiness", "happy, very", "a=b"]) == mapped


@pytest.mark.parametrize("pair", ["joy", "=joy", "joy=", "joy= "])
def test_half_a_pair_is_refused(pair: str) -> None:
    with pytest.raises(UsageError, match="names no two classes"):
        mapping_of([pair], ["happiness"])


@pytest.mark.parametrize(
    ("table", "option"),
    [
        (["joy", "pride"], ""),
        (["joy", "sad"], '--map "sadness=sad"'),
        (["joy", "sadnes"], '--map "sadness=sadnes"'),
    ],
)
def test_what_looks_alike_is_suggested(table: list[str], option: str) -> None:
    assert map_option(match_classes(table, MODEL).alike) == option
