"""The probe is a scikit-learn estimator, and answers the same after saving and loading."""

from __future__ import annotations

import unittest
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import estimator_checks_generator

from emolens.decide import Decision
from emolens.encode.embed import Embeddings
from emolens.errors import DataError, StorageError
from emolens.labels import LabelSet
from emolens.learn.probe import Probe
from emolens.scores import LinearFacts

NAMES = ("joy", "anger", "fear", "other")


def made(k: int) -> tuple[Embeddings, dict[str, np.ndarray]]:
    rng = np.random.default_rng(1)
    centers = rng.normal(size=(k, 6))
    y = {name: rng.integers(k, size=150) for name in ("train", "validation", "test")}
    scale = np.array([1, 10, 0.01, 1, 1, 0])  # the last feature is constant
    vectors = {s: ((centers[i] + rng.normal(size=(150, 6))) * scale + 3) for s, i in y.items()}
    return Embeddings({s: v.astype(np.float32) for s, v in vectors.items()}), y


def fitted(embeddings: Embeddings, y: dict[str, np.ndarray], **settings: Any) -> Probe:
    validation = embeddings["validation"], y["validation"]
    return Probe(**settings).fit(embeddings["train"], y["train"], eval_set=validation)


@pytest.mark.parametrize(
    "check",
    [
        pytest.param(check, id=f"{place}-{check[1].func.__name__}")
        for place, check in enumerate(estimator_checks_generator(Probe()))
    ],
)
def test_it_keeps_the_contract_of_scikit_learn(check: tuple[Any, Any]) -> None:
    estimator, run = check
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # as scikit-learn's own checks do
        try:
            run(estimator)
        except unittest.SkipTest as reason:
            pytest.skip(str(reason))


@pytest.mark.parametrize("k", [2, 4])
@pytest.mark.parametrize("weight", [None, "balanced"])
def test_probabilities_are_those_of_scikit_learn_on_standardized_features(
    k: int, weight: str | None
) -> None:
    embeddings, y = made(k)
    probe = fitted(embeddings, y, strengths=(0.1,), class_weight=weight)
    theirs = make_pipeline(
        StandardScaler(), LogisticRegression(C=0.1, tol=1e-8, max_iter=1000, class_weight=weight)
    )
    theirs.fit(embeddings["train"].astype(np.float64), y["train"])
    assert probe.calibration_ is not None
    cooled = Decision(temperature=probe.calibration_.temperature)
    wanted = cooled.probabilities(
        np.log(theirs.predict_proba(embeddings["test"].astype(np.float64)))
    )
    np.testing.assert_allclose(probe.predict_proba(embeddings["test"]), wanted, atol=2e-3)
    assert (probe.predict(embeddings["test"]) == wanted.argmax(axis=1)).mean() > 0.99
    assert probe.score(embeddings["test"], y["test"]) > 0.6


def test_classes_may_be_names_or_ids() -> None:
    embeddings, y = made(4)
    by_name = {split: np.array(NAMES)[ids] for split, ids in y.items()}
    ids, names = fitted(embeddings, y), fitted(embeddings, by_name)
    assert names.classes_.tolist() == sorted(NAMES)
    assert set(names.predict(embeddings["test"])) <= set(NAMES)
    labels = LabelSet(NAMES)
    first, second = (probe.scores(embeddings, labels).probabilities for probe in (ids, names))
    np.testing.assert_allclose(first["test"], second["test"], atol=1e-3)


def test_it_can_be_cloned_and_cross_validated() -> None:
    embeddings, y = made(3)
    probe = Probe(strengths=(0.1, 1.0), class_weight="balanced")
    assert clone(probe).get_params() == {"strengths": (0.1, 1.0), "class_weight": "balanced"}
    assert cross_val_score(probe, embeddings["train"], y["train"], cv=3).mean() > 0.6


def test_c_is_the_best_on_validation() -> None:
    embeddings, y = made(3)
    probe = fitted(embeddings, y)
    assert probe.path_[f"{probe.C_:g}"] == min(probe.path_.values())
    alone = Probe().fit(embeddings["train"], y["train"])
    assert alone.path_ != probe.path_


def test_a_class_with_validation_rows_only_is_a_data_error() -> None:
    embeddings, y = made(3)
    y["validation"][5] = 7
    with pytest.raises(DataError, match="Class 7 has validation rows, but") as caught:
        fitted(embeddings, y)
    assert caught.value.hint


@pytest.mark.parametrize("split", ["train", "validation"])
def test_a_vector_that_is_not_finite_is_refused(split: str) -> None:
    embeddings, y = made(3)
    embeddings[split][4, 0] = np.inf
    with pytest.raises(ValueError, match="infinity"):
        fitted(embeddings, y)


def test_scores_cover_every_split_but_train() -> None:
    embeddings, y = made(3)
    probe = fitted(embeddings, y)
    scores = probe.scores(embeddings, LabelSet(NAMES[:3]))
    assert list(scores.probabilities) == ["validation", "test"]
    assert scores.probabilities["test"].shape == (150, 3)
    np.testing.assert_allclose(scores.probabilities["test"].sum(axis=1), 1)
    assert scores.facts == LinearFacts(probe.C_, probe.path_, n_features=6)
    assert (scores.predictions("validation") == y["validation"]).mean() > 0.6


@pytest.mark.parametrize("names", [NAMES, NAMES[:2]])
def test_scores_of_other_classes_than_were_learned_are_refused(names: tuple[str, ...]) -> None:
    embeddings, y = made(3)
    with pytest.raises(DataError, match="classes of the probe are not those") as caught:
        fitted(embeddings, y).scores(embeddings, LabelSet(names))
    assert caught.value.hint


@pytest.mark.parametrize("weights", [None, "balanced", {0: 1.0, 1: 2.0, 2: 0.5}])
def test_a_loaded_probe_answers_exactly_as_the_saved_one(
    tmp_path: Path, weights: dict[int, float] | str | None
) -> None:
    embeddings, y = made(3)
    probe = fitted(embeddings, y, strengths=(0.1, 1.0), class_weight=weights)
    paths = probe.save(str(tmp_path))
    again = Probe.load(str(tmp_path))
    assert {path.name for path in paths} == {"probe.safetensors", "probe.json"}
    assert again.get_params() == probe.get_params()
    assert (again.C_, again.path_) == (probe.C_, probe.path_)
    test = embeddings["test"]
    assert np.array_equal(again.predict_proba(test), probe.predict_proba(test))
    assert np.array_equal(again.predict(test), probe.predict(test))


def test_a_damaged_probe_is_a_storage_error(tmp_path: Path) -> None:
    X, y = np.eye(12), np.arange(12) % 2
    Probe().fit(X, y, eval_set=(X, y)).save(tmp_path)
    (tmp_path / "probe.json").write_text("{}", encoding="utf-8")
    with pytest.raises(StorageError, match=r"probe\.json can't be read"):
        Probe.load(tmp_path)


def test_class_weights_by_numbers_of_numpy_are_saved(tmp_path: Path) -> None:
    X, y = np.eye(12), np.arange(12) % 2
    weights = dict.fromkeys(np.unique(y), 2.0)
    probe = Probe(class_weight=weights).fit(X, y, eval_set=(X, y))
    probe.save(tmp_path)
    assert Probe.load(tmp_path).class_weight == weights
