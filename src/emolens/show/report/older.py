"""What evaluation.json of an earlier emolens lacks, made from the scores of that run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from emolens.data.dataset import TEST, Dataset
from emolens.evaluation.evaluate import Evaluation, comparisons
from emolens.scores import EXPORTED, Scores


def completed(evaluation: Evaluation, dataset: Dataset, scores: Sequence[Scores]) -> Evaluation:
    """The same figures, with all comparisons, and with the threshold of the promise on test."""
    every = [test for tests in evaluation.comparisons.values() for test in tests]
    if any(test.difference is None for test in every):
        made = {split: comparisons(dataset, scores, split) for split in evaluation.comparisons}
        evaluation = replace(evaluation, comparisons=made)
    model = evaluation.by_split[TEST][EXPORTED.name]
    of = next(of.calibration for of in scores if of.model == EXPORTED.name)
    if model.promise and model.promise.threshold is None and of and of.default:
        promise = replace(model.promise, threshold=of.default.threshold)
        of_test = evaluation.by_split[TEST] | {EXPORTED.name: replace(model, promise=promise)}
        evaluation = replace(evaluation, by_split={**evaluation.by_split, TEST: of_test})
    return evaluation
