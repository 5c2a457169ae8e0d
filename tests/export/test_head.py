"""config.json decides which classes there are and how outputs become answers, or is refused."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from emolens.decide import Decision
from emolens.errors import EncoderError
from emolens.export.head import Head, read_head
from tests.test_calibration import KNOWN

THREE = {"0": "sadness", "1": "joy", "2": "anger"}
CLASSIFIER = ["BertForSequenceClassification"]


def head_of(folder: Path, **config: Any) -> Head:
    (folder / "config.json").write_text(json.dumps(config), "utf-8")
    return read_head(folder)


@pytest.mark.parametrize(
    ("config", "decision"),
    [
        ({}, Decision("softmax")),
        ({"problem_type": "single_label_classification"}, Decision("softmax")),
        ({"problem_type": "multi_label_classification"}, Decision("sigmoid", several=True)),
        ({"function_to_apply": "sigmoid"}, Decision("sigmoid", several=True)),
        ({"function_to_apply": "none"}, Decision("none")),
        ({"function_to_apply": "SOFTMAX"}, Decision("softmax")),
        ({"function_to_apply": None}, Decision("softmax")),
        (
            {"problem_type": "single_label_classification", "function_to_apply": "sigmoid"},
            Decision("sigmoid"),
        ),
        (
            {"problem_type": "multi_label_classification", "function_to_apply": "none"},
            Decision("none", several=True),
        ),
    ],
)
def test_the_function_is_the_one_that_config_json_asks_for(
    tmp_path: Path, config: dict[str, Any], decision: Decision
) -> None:
    head = head_of(tmp_path, id2label=THREE, **config)
    assert head.decision == decision
    assert head.labels.names == ("sadness", "joy", "anger")


def test_a_calibration_about_other_classes_is_refused(tmp_path: Path) -> None:
    for n, refused in ((3, False), (2, True)):
        known = replace(KNOWN, confusion=((1,) * n,) * n)
        plain = {"calibration": known.to_json(), "files": {}}
        (tmp_path / "emolens.json").write_text(json.dumps(plain), "utf-8")
        if refused:
            with pytest.raises(EncoderError, match="its calibration is about 2 classes"):
                head_of(tmp_path, id2label=THREE)
        else:
            assert head_of(tmp_path, id2label=THREE).calibration == known


def test_one_output_may_be_a_class_of_its_own(tmp_path: Path) -> None:
    config = {"id2label": {"0": "angry"}, "problem_type": "multi_label_classification"}
    assert head_of(tmp_path, **config).decision == Decision("sigmoid", several=True)


@pytest.mark.parametrize(
    "config",
    [
        {"id2label": {"0": "LABEL_0"}},
        {"id2label": {"0": "LABEL_0"}, "problem_type": "regression"},
        {"id2label": {"0": "LABEL_0"}, "function_to_apply": "softmax"},
        {"id2label": {"0": "LABEL_0"}, "function_to_apply": "none"},
        {"id2label": THREE, "problem_type": "regression"},
        {"architectures": CLASSIFIER, "num_labels": 1},
    ],
)
def test_a_regression_head_is_refused(tmp_path: Path, config: dict[str, Any]) -> None:
    with pytest.raises(EncoderError, match="a number, not a class") as caught:
        head_of(tmp_path, **config)
    assert '"problem_type": "multi_label_classification"' in caught.value.hint


def test_the_hint_for_a_regression_head_works(tmp_path: Path) -> None:
    config = {"id2label": {"0": "LABEL_0"}, "problem_type": "multi_label_classification"}
    assert head_of(tmp_path, **config).labels.names == ("LABEL_0",)


def test_two_classes_without_names_get_those_of_transformers(tmp_path: Path) -> None:
    assert head_of(tmp_path, architectures=CLASSIFIER).labels.names == ("LABEL_0", "LABEL_1")


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ({}, "without classes"),
        ({"id2label": {}}, "without classes"),
        ({"id2label": ["joy", "anger"]}, "without classes"),
        ({"architectures": ["BertModel"]}, "without classes"),
        ({"id2label": {"0": "joy", "2": "anger"}}, "does not number its classes from 0 to 1"),
        ({"id2label": {"joy": 0, "anger": 1}}, "does not number its classes from 0 to 1"),
        ({"id2label": {"1": "joy", "2": "anger"}}, "does not number its classes from 0 to 1"),
        ({"id2label": {"00": "joy", "1": "anger"}}, "does not number its classes from 0 to 1"),
        ({"id2label": THREE, "function_to_apply": "sigmod"}, "function 'sigmod'"),
        ({"id2label": THREE, "function_to_apply": ["sigmoid"]}, "unknown function"),
        ({"id2label": THREE, "problem_type": ["regression"]}, "unknown problem_type"),
        ({"id2label": THREE, "problem_type": "x" * 9999}, "unknown problem_type"),
        ({"id2label": THREE | {"1": None}}, "name for class 1 that is no text"),
        ({"id2label": THREE | {"2": {"a": "b"}}}, "name for class 2 that is no text"),
        ({"id2label": THREE | {"0": 0}}, "name for class 0 that is no text"),
        ({"architectures": 3}, "without classes"),
        ({"architectures": [3, None]}, "without classes"),
        ({"architectures": CLASSIFIER, "num_labels": "3"}, "num_labels"),
        ({"architectures": CLASSIFIER, "num_labels": 0}, "num_labels"),
        ({"architectures": CLASSIFIER, "num_labels": 10**30}, "num_labels"),
    ],
)
def test_what_is_no_head_is_named(tmp_path: Path, config: dict[str, Any], message: str) -> None:
    with pytest.raises(EncoderError, match=message) as caught:
        head_of(tmp_path, **config)
    assert caught.value.hint


def test_equal_names_get_their_numbers_with_a_warning(tmp_path: Path) -> None:
    names = {"0": "joy", "1": "anger", "2": "joy", "3": ""}
    with pytest.warns(UserWarning, match="Several classes are named 'joy'"):
        head = head_of(tmp_path, id2label=names)
    assert head.labels.names == ("joy (0)", "anger", "joy (2)", "LABEL_3")
    with pytest.warns(UserWarning, match="Several classes"):
        head = head_of(tmp_path, id2label={"0": "a", "1": "a", "2": "a (0)"})
    assert len(set(head.labels.names)) == 3


def test_ten_classes_and_more_stand_in_the_order_of_their_numbers(tmp_path: Path) -> None:
    names = {str(i): f"class {i}" for i in sorted(range(12), key=str)}
    assert head_of(tmp_path, id2label=names).labels.names == tuple(f"class {i}" for i in range(12))


def test_no_config_or_a_broken_one_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(EncoderError, match="no model folder"):
        read_head(tmp_path)
    (tmp_path / "config.json").write_text("{")
    with pytest.raises(EncoderError, match=r"config\.json can't be read: Expecting"):
        read_head(tmp_path)
    (tmp_path / "config.json").write_text("[]")
    with pytest.raises(EncoderError, match=r"config\.json can't be read: it holds no JSON object"):
        read_head(tmp_path)
