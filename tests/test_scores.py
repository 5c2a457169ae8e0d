"""Scores come back as they were saved, and can't be changed."""

from __future__ import annotations

import copy
import pickle
import tempfile
from dataclasses import FrozenInstanceError
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from emolens.decide import ONE_CLASS
from emolens.errors import StorageError, UsageError
from emolens.scores import (
    ROLES,
    EpochPoint,
    Facts,
    FinetuneFacts,
    LinearFacts,
    LossPoint,
    MajorityFacts,
    PredictionFacts,
    Recipe,
    Scores,
)
from emolens.store import load_json, save_json

LOGITS = arrays(
    np.float64, st.tuples(st.integers(1, 6), st.integers(2, 5)), elements=st.floats(-1e4, 1e4)
)


NUMBERS = st.floats(-1e6, 1e6)
NAMES = st.text(max_size=8)
PREDICTION = st.builds(PredictionFacts, NUMBERS, NUMBERS, NUMBERS)
EPOCHS = st.builds(EpochPoint, NUMBERS, NUMBERS, NUMBERS, NUMBERS, NUMBERS)
FACTS = {
    "majority": st.builds(MajorityFacts, NAMES),
    "tfidf": st.builds(LinearFacts, NUMBERS, st.dictionaries(NAMES, NUMBERS), st.integers(1)),
    "probe": st.builds(LinearFacts, NUMBERS, st.dictionaries(NAMES, NUMBERS), st.integers(1)),
    "finetune": st.builds(
        FinetuneFacts,
        recipe=st.builds(Recipe, epochs=st.floats(0.1, 1e6), precision=st.none() | NAMES),
        runtime=NAMES,
        loss=NUMBERS,
        seconds=NUMBERS,
        texts_per_second=NUMBERS,
        best_epoch=NUMBERS,
        training=st.lists(st.builds(LossPoint, NUMBERS, NUMBERS)).map(tuple),
        history=st.lists(EPOCHS).map(tuple),
        prediction=st.dictionaries(NAMES, PREDICTION),
    ),
}
ANY = st.sampled_from(list(FACTS)).flatmap(
    lambda model: st.tuples(st.just(model), st.none() | FACTS[model])
)


@settings(max_examples=50, deadline=None)
@given(LOGITS, LOGITS, ANY)
def test_scores_survive_the_disk(
    first: np.ndarray, second: np.ndarray, how: tuple[str, Facts | None]
) -> None:
    model, facts = how
    logits = {"validation": first, "test": second}
    probabilities = {split: ONE_CLASS.probabilities(rows) for split, rows in logits.items()}
    scores = Scores(model, probabilities, facts)
    with tempfile.TemporaryDirectory() as folder:
        scores.save(folder)
        again = Scores.load(folder)
        assert list(Scores.load(folder, ["test"]).probabilities) == ["test"]
    assert (again.model, again.facts) == (model, facts)
    assert list(again.probabilities) == ["validation", "test"]
    for split, kept in probabilities.items():
        assert np.array_equal(again.probabilities[split], kept)
        assert np.array_equal(again.predictions(split), kept.argmax(axis=1))


def test_scores_that_an_older_version_saved_are_not_calibrated(tmp_path: Path) -> None:
    scores = Scores("own", {"test": np.array([[0.25, 0.75]])})
    scores.save(tmp_path)
    about = load_json(tmp_path / "scores.json")
    del about["calibration"]
    save_json(tmp_path / "scores.json", about)
    assert Scores.load(tmp_path).calibration is None


def test_the_facts_of_every_role_are_tested_above() -> None:
    assert set(FACTS) == set(ROLES)


def test_nothing_in_scores_can_be_changed() -> None:
    mine = np.array([[0.25, 0.75]])
    given = {"test": mine}
    facts = LinearFacts(0.1, {"0.1": 0.5}, n_features=3)
    scores = Scores("probe", given, facts)
    mine[0, 0] = 9  # the caller's own array stays the caller's
    given["validation"] = mine
    assert list(scores.probabilities) == ["test"]
    assert scores.probabilities["test"].tolist() == [[0.25, 0.75]]
    with pytest.raises(ValueError, match="read-only"):
        scores.probabilities["test"][0, 0] = 1
    for change in (
        lambda: scores.probabilities.update(test=mine),
        lambda: scores.probabilities.pop("test"),
        lambda: facts.log_loss_by_C.__setitem__("0.1", 0.1),
        facts.log_loss_by_C.clear,
    ):
        with pytest.raises(TypeError, match="frozen"):
            change()
    with pytest.raises(FrozenInstanceError):
        scores.facts = None  # type: ignore[misc]


def test_scores_can_be_copied_and_sent_to_another_process() -> None:
    scores = Scores("majority", {"test": np.eye(2)}, MajorityFacts("joy"))
    for again in (copy.deepcopy(scores), pickle.loads(pickle.dumps(scores))):
        assert again.facts == scores.facts
        assert np.array_equal(again.probabilities["test"], np.eye(2))


@pytest.mark.parametrize(
    "about",
    [
        {"model": "probe"},
        {"model": "probe", "splits": ["test"], "facts": {"C": "strong"}},
        {"model": "probe", "splits": ["other"], "facts": None},
        {"model": "unknown", "splits": ["test"], "facts": {"C": 1}},
        ["probe"],
    ],
)
def test_a_damaged_file_is_a_storage_error(tmp_path: Path, about: object) -> None:
    Scores("probe", {"test": np.eye(2)}).save(tmp_path)
    save_json(tmp_path / "scores.json", about)
    with pytest.raises(StorageError, match=r"scores\.json can't be read") as caught:
        Scores.load(tmp_path)
    assert caught.value.hint


@pytest.mark.parametrize(
    ("name", "value"),
    [("epochs", 0), ("learning_rate", -1e-5), ("batch_size", 0), ("warmup", 1), ("warmup", -0.1)],
)
def test_a_recipe_with_a_number_out_of_range_is_refused(name: str, value: float) -> None:
    with pytest.raises(UsageError, match=f"{name} is {value} in the recipe") as caught:
        Recipe(**{name: value})  # type: ignore[arg-type]
    assert caught.value.hint


def test_a_recipe_prints_what_differs_from_the_defaults() -> None:
    assert repr(Recipe()) == "Recipe()"
    assert repr(Recipe(epochs=3, precision="bf16")) == "Recipe(epochs=3, precision='bf16')"
