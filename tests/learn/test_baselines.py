"""Baselines: the largest class, and TF-IDF."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from emolens.data.dataset import Dataset, Split
from emolens.errors import DataError
from emolens.learn.baselines import majority, tfidf
from emolens.scores import LinearFacts, MajorityFacts


def test_the_majority_answers_with_the_shares_of_train(feelings: Dataset) -> None:
    train = feelings["train"].take(np.array([0, 1, 4, 7, 2]))  # sadness, three of joy, anger
    scores = majority(replace(feelings, splits={**feelings.splits, "train": train}))
    assert list(scores.probabilities) == ["validation", "test"]
    assert scores.probabilities["test"].tolist() == [[0.2, 0.6, 0.2]] * 24
    assert scores.facts == MajorityFacts(largest="joy")


def test_tfidf_beats_the_largest_class(feelings: Dataset) -> None:
    scores = tfidf(feelings)
    right = scores.predictions("test") == feelings["test"].labels
    assert right.mean() > 0.9
    np.testing.assert_allclose(scores.probabilities["test"].sum(axis=1), 1)
    facts = scores.facts
    assert isinstance(facts, LinearFacts)
    assert facts.log_loss_by_C[f"{facts.C:g}"] == min(facts.log_loss_by_C.values())
    assert facts.n_features > 20


def test_texts_without_words_are_a_data_error(feelings: Dataset) -> None:
    blank = {
        n: Split(("…", "😀", "!") * (len(s) // 3), s.labels) for n, s in feelings.splits.items()
    }
    dataset = replace(feelings, splits=blank)
    with pytest.raises(DataError, match="feelings have no words") as caught:
        tfidf(dataset)
    assert caught.value.hint
