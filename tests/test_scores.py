"""Scores come back as they were saved."""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from emolens.decide import ONE_CLASS
from emolens.scores import Scores

LOGITS = arrays(
    np.float64, st.tuples(st.integers(1, 6), st.integers(2, 5)), elements=st.floats(-1e4, 1e4)
)


@settings(max_examples=20, deadline=None)
@given(LOGITS, LOGITS)
def test_scores_survive_the_disk(first: np.ndarray, second: np.ndarray) -> None:
    logits = {"validation": first, "test": second}
    probabilities = {split: ONE_CLASS.probabilities(rows) for split, rows in logits.items()}
    scores = Scores("probe", probabilities, {"C": 0.1})
    with tempfile.TemporaryDirectory() as folder:
        scores.save(Path(folder))
        again = Scores.load(Path(folder), ["validation", "test"])
    assert (again.model, again.facts) == ("probe", {"C": 0.1})
    for split, probabilities in scores.probabilities.items():
        assert np.array_equal(again.probabilities[split], probabilities)
        assert np.array_equal(again.predictions(split), probabilities.argmax(axis=1))
