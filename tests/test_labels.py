from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from emolens.errors import UsageError
from emolens.labels import LabelSet, class_ids

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


@pytest.mark.parametrize("columns", [(["joy", "awe", "joy"],), (["joy"], ["awe"])])
def test_names_become_ids_of_the_classes_that_occur(columns: tuple[list[str], ...]) -> None:
    labels, ids = class_ids(None, *columns)
    assert labels.names == ("joy", "awe")
    assert [[labels.names[i] for i in column] for column in ids] == list(columns)
    assert all(column.dtype == np.int64 for column in ids)


def test_ids_stay_as_they_are() -> None:
    labels, (ids,) = class_ids(None, np.array([0, 2, 0], dtype=np.int32))
    assert (labels.names, ids.tolist()) == (("0", "1", "2"), [0, 2, 0])
    labels, (ids,) = class_ids(LabelSet(EMOTIONS), [6, 0])
    assert (labels.names, ids.tolist()) == (EMOTIONS, [6, 0])


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ((["joy", "jov"],), "There is no class 'jov'"),
        (([0, 7],), "There is no class 7"),
        (([0, -1],), "There is no class -1"),
        ((["joy"], ["joy", "joy"]), "the shapes (1,) and (2,)"),
        (([["joy"]],), "the shapes (1, 1)"),
    ],
)
def test_labels_that_do_not_fit_are_named(columns: tuple[list[object], ...], message: str) -> None:
    with pytest.raises(UsageError, match=re.escape(message)):
        class_ids(LabelSet(EMOTIONS), *columns)


def test_ids_may_stand_beside_names_if_the_classes_are_known() -> None:
    _, (ids, names) = class_ids(LabelSet(EMOTIONS), np.array([0, 1]), ["joy", "sadness"])
    assert (ids.tolist(), names.tolist()) == ([0, 1], [1, 0])
    with pytest.raises(UsageError, match="types int, str"):
        class_ids(None, np.array([0, 1]), ["joy", "sadness"])


@pytest.mark.parametrize("column", [["joy", None], [], [0.5, 1.0]])
def test_columns_with_something_else_than_answers_are_refused(column: list[Any]) -> None:
    with pytest.raises(UsageError) as caught:
        class_ids(None, column)
    assert caught.value.hint
