"""The probe: standardized features, saved and loaded without a change."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from emolens.encode.embed import Embeddings
from emolens.errors import DataError
from emolens.labels import LabelSet
from emolens.learn.probe import Probe
from emolens.scores import LinearFacts

NAMES = ("joy", "anger", "fear", "other")


def made(k: int) -> tuple[Embeddings, dict[str, np.ndarray]]:
    rng = np.random.default_rng(1)
    centres = rng.normal(size=(k, 6))
    y = {name: rng.integers(k, size=150) for name in ("train", "validation", "test")}
    scale = np.array([1, 10, 0.01, 1, 1, 0])  # the last feature is constant
    vectors = {s: ((centres[i] + rng.normal(size=(150, 6))) * scale + 3) for s, i in y.items()}
    return Embeddings({s: v.astype(np.float32) for s, v in vectors.items()}), y


@pytest.mark.parametrize("k", [2, 4])
def test_probabilities_are_those_of_scikit_learn_on_standardized_features(k: int) -> None:
    embeddings, y = made(k)
    probe = Probe(LabelSet(NAMES[:k]), strengths=(0.1,)).fit(embeddings, y)
    theirs = make_pipeline(StandardScaler(), LogisticRegression(C=0.1, tol=1e-8, max_iter=1000))
    theirs.fit(embeddings["train"].astype(np.float64), y["train"])
    wanted = theirs.predict_proba(embeddings["test"].astype(np.float64))
    np.testing.assert_allclose(probe.predict_proba(embeddings["test"]), wanted, atol=2e-3)
    assert (probe.predict(embeddings["test"]) == wanted.argmax(axis=1)).mean() > 0.99


@pytest.mark.parametrize("split", ["train", "validation"])
def test_a_vector_that_is_not_finite_is_a_data_error_that_names_the_row(split: str) -> None:
    embeddings, y = made(3)
    embeddings[split][4, 0] = np.inf
    with pytest.raises(DataError, match="Row 5 of") as caught:
        Probe(LabelSet(NAMES[:3])).fit(embeddings, y)
    assert caught.value.hint


def test_scores_cover_every_split_but_train() -> None:
    embeddings, y = made(3)
    probe = Probe(LabelSet(NAMES[:3]))
    assert probe.fit(embeddings, y) is probe
    scores = probe.scores(embeddings)
    assert list(scores.probabilities) == ["validation", "test"]
    assert scores.probabilities["test"].shape == (150, 3)
    np.testing.assert_allclose(scores.probabilities["test"].sum(axis=1), 1)
    assert scores.facts == LinearFacts(probe.C_, probe.path_, n_features=6)
    assert (scores.predictions("validation") == y["validation"]).mean() > 0.6


def test_a_loaded_probe_answers_exactly_as_the_saved_one(tmp_path: Path) -> None:
    embeddings, y = made(3)
    probe = Probe(LabelSet(NAMES[:3])).fit(embeddings, y)
    paths = probe.save(tmp_path)
    again = Probe.load(tmp_path)
    assert {path.name for path in paths} == {"probe.safetensors", "probe.json"}
    assert again.labels == probe.labels
    assert (again.C_, again.path_) == (probe.C_, probe.path_)
    test = embeddings["test"]
    assert np.array_equal(again.predict_proba(test), probe.predict_proba(test))
