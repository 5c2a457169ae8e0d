from __future__ import annotations

import pytest

from emolens.data.splitnames import assigned, canonical, in_order, wanted_splits
from emolens.errors import UsageError


@pytest.mark.parametrize(
    ("split", "names"),
    [
        ("train", ["train", "Training", "trn", "TRAIN", "trainset", "en-train", "train_text"]),
        ("train", ["EmotionTrain", "train1", "train-00000-of-00002", "2018-E-c-En-train"]),
        ("validation", ["dev", "valid", "val", "validation", "my-validation", "devset", "DevData"]),
        ("validation", ["eval", "evaluation", "my_eval"]),
        ("test", ["test", "testing", "tst", "holdout", "hold-out", "held_out", "test2"]),
    ],
)
def test_the_usual_words_name_splits_alone_and_among_others(split: str, names: list[str]) -> None:
    for name in names:
        assert list(assigned([name]).places) == [split], name


@pytest.mark.parametrize(
    "name", ["pretraining", "contest", "latest", "untested", "validated", "train_dev", "data", ""]
)
def test_other_words_name_no_split(name: str) -> None:
    assert not assigned([name]).places


def test_a_plain_name_goes_before_one_with_a_number_and_one_with_other_words() -> None:
    assert assigned(["train-emotions", "train", "train2"]).places == {"train": [1]}
    assert assigned(["train-emotions", "train1", "train2"]).places == {"train": [1, 2]}
    assert assigned(["my-train"], exact=True).places == {}


@pytest.mark.parametrize(
    ("names", "split"),
    [
        (["train", "eval"], "validation"),
        (["train", "test", "eval"], "validation"),
        (["train", "dev", "eval"], "test"),
        (["train", "test", "holdout"], "validation"),
        (["train", "holdout"], "test"),
    ],
)
def test_a_name_with_two_meanings_takes_the_split_that_is_free(
    names: list[str], split: str
) -> None:
    chosen = assigned(names)
    assert chosen.places[split] == [len(names) - 1]
    assert chosen.loose == (split,)


def test_two_names_with_two_meanings_take_one_split_each() -> None:
    assert assigned(["train", "holdout", "eval"]).places == {
        "train": [0],
        "validation": [2],
        "test": [1],
    }
    assert assigned(["train", "dev", "test", "eval"]).loose == ()


def test_part_10_stands_behind_part_2() -> None:
    assert sorted(["a10", "a2", "a", "b1"], key=in_order) == ["a", "a2", "a10", "b1"]


def test_the_option_takes_the_usual_words() -> None:
    assert wanted_splits(["dev=a.csv", "test = b"]) == {"validation": "a.csv", "test": "b"}
    assert canonical("Hold-Out") == "test"
    for wrong in ("tset=a", "test", "test=", "=a"):
        with pytest.raises(UsageError):
            wanted_splits([wrong])
    with pytest.raises(UsageError, match="the validation split twice"):
        wanted_splits(["dev=a", "val=b"])
