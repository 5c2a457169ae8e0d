"""The behavioral tests of an exported model, and where their outcome is shown."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from emolens.evaluation.behavior import Behavior, BehaviorTest
from emolens.judge.behavior import behavior_of, behavior_sentence
from emolens.modelfolder import TRAINING_TEXTS
from emolens.predict.classifier import Classifier
from emolens.study import Run


def in_language(tiny_run: Run, folder: Path, language: str) -> Classifier:
    shutil.copytree(tiny_run.folder / "model", folder)
    path = folder / "emolens.json"
    facts = json.loads(path.read_text("utf-8"))
    facts[TRAINING_TEXTS]["language"] = language
    path.write_text(json.dumps(facts), "utf-8")
    return Classifier(folder)


@pytest.mark.parametrize("language", ["en", "de"])
def test_a_model_for_another_language_is_not_tried(
    tiny_run: Run, tmp_path: Path, language: str
) -> None:
    found = behavior_of(in_language(tiny_run, tmp_path / "m", language))
    assert (found is None) == (language == "de")
    if found is None:
        assert "not tried" in behavior_sentence(found)


def test_the_run_writes_what_the_model_does(tiny_run: Run) -> None:
    plain = json.loads((tiny_run.folder / "behavior.json").read_text("utf-8"))
    found = behavior_of(Classifier(tiny_run.folder / "model"))
    assert (found and json.loads(json.dumps(found.to_dict()))) == plain
    card = (tiny_run.folder / "model" / "README.md").read_text("utf-8")
    assert ("## Behavior" in card) == (found is not None)


def test_the_sentence_names_the_worst_tests_and_what_is_left_out() -> None:
    irony = BehaviorTest("irony", "minimum", "irony", 10, 7, 0.4, 0.9, 5, ())
    order = BehaviorTest("order", "invariance", "another order", 20, 1, 0.0, 0.2, 0, ())
    assert behavior_sentence(Behavior((order, irony))) == (
        "8 of 30 cases of the behavioral tests fail, most often with irony 70.0 %, another order"
        " 5.0 %; 5 are left out, as the model lacks their classes."
    )
    fine = replace(order, failed=0)
    assert behavior_sentence(Behavior((fine,))) == "0 of 20 cases of the behavioral tests fail."
