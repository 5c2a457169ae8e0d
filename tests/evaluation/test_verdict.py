"""The sentences about figures: who is better, and when nobody is."""

from __future__ import annotations

import numpy as np
import pytest

from emolens.evaluation.metrics import Comparison, mcnemar
from emolens.evaluation.verdict import comparison_sentence, winner


def compared(only_first: int, only_second: int) -> Comparison:
    """Two models of which each is right alone on so many rows, and both on ten more."""
    labels = np.zeros(only_first + only_second + 10, dtype=np.int64)
    first, second = labels.copy(), labels.copy()
    second[:only_first] = 1
    first[only_first : only_first + only_second] = 1
    return mcnemar(labels, first, second, names=("probe", "finetune"))


@pytest.mark.parametrize(
    ("only_first", "only_second", "best", "start"),
    [
        (5, 40, "finetune", "The fine-tuned model is better than the probe model, by more than"),
        (40, 5, "probe", "The probe model is better than the fine-tuned model, by more than"),
        (6, 0, "probe", "The probe model is better than the fine-tuned model"),
        (5, 0, None, "No difference can be claimed between the probe model and the fine-tuned"),
        (9, 12, None, "No difference can be claimed"),
        (20, 20, None, "No difference can be claimed"),
        (0, 0, None, "No difference between the probe model and the fine-tuned model: both get"),
    ],
)
def test_a_comparison_names_the_winner_where_there_is_one(
    only_first: int, only_second: int, best: str | None, start: str
) -> None:
    comparison = compared(only_first, only_second)
    assert winner(comparison) == best
    sentence = comparison_sentence(comparison)
    assert sentence.startswith(start)
    if only_first + only_second:
        assert f"{only_first} rows are right with the probe model only" in sentence
        assert f"{only_second} with the fine-tuned model only" in sentence


def test_a_name_that_is_no_role_stands_as_it_is() -> None:
    sentence = comparison_sentence(Comparison("TF-IDF", "A b", 1, 50, 1e-9))
    assert sentence.startswith("The A b model is better than the TF-IDF model")
    assert "p < 0.001" in sentence
