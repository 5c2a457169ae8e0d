"""The pictures of a study, by the stage whose files they are drawn from.

Drawing is separate from computing, so a lost picture costs a second and not a training.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np

from emolens.data.dataset import TEST, TRAIN, VALIDATION
from emolens.evaluation.calibration import accuracy_by_share, uncalibrated
from emolens.evaluation.calibration import reliability as bins_of
from emolens.evaluation.metrics import confusion
from emolens.scores import FINETUNE, PROBE, FinetuneFacts, role_of
from emolens.show import displays, reliability
from emolens.show.canvas import Display, save_figure
from emolens.study.context import Context

Displays = dict[str, Display]


def _of_the_data(context: Context) -> Displays:
    labels, counts = context.dataset.labels, context.dataset.counts(TRAIN)
    n_tokens = {split: tokens.n_whole for split, tokens in context.tokens().items()}
    return {
        "classes": displays.ClassFrequencyDisplay(labels, counts),
        "lengths": displays.TokenLengthDisplay(n_tokens, context.tokenizer.max_length),
    }


def _of_the_map(context: Context) -> Displays:
    return {"map": displays.DensityDisplay(context.dataset.labels, context.projection())}


def _of_the_probe(context: Context) -> Displays:
    labels, y = context.dataset.labels, context.dataset[VALIDATION].labels
    predicted = context.scores_of(PROBE).predictions(VALIDATION)
    matrix = confusion(y, predicted, len(labels))
    title = f"Validation, {PROBE.title}, normalized"
    return {f"confusion-{PROBE.name}": displays.ConfusionDisplay(labels, matrix, title)}


def _of_the_training(context: Context) -> Displays:
    facts = context.scores_of(FINETUNE).facts
    assert isinstance(facts, FinetuneFacts)  # noqa: S101 - for the type checker
    curve = displays.LearningCurveDisplay(facts.training, facts.history, facts.best_epoch)
    return {"learning-curve": curve}


def _of_the_evaluation(context: Context) -> Displays:
    pictures: Displays = {}
    for split, by_model in context.evaluation().by_split.items():
        matrices = {
            role_of(model).title: np.array(by_model[model].confusion)
            for model in list(by_model)[-2:]
        }
        pair = displays.ConfusionPairDisplay(context.dataset.labels, matrices)
        pictures[f"scores-{split}"] = displays.ScoreDisplay(by_model, split)
        pictures[f"confusion-{split}"] = pair
    return pictures | _of_the_calibration(context)


def _of_the_calibration(context: Context) -> Displays:
    """Of test alone: validation has calibrated the models."""
    y = context.dataset[TEST].labels
    scores = [of for of in context.scores() if of.calibration]
    last = scores[-1]
    assert last.calibration  # noqa: S101 - for the type checker
    after = last.probabilities[TEST]
    by_name = {
        "before calibration": uncalibrated(after, last.calibration.temperature),
        "after calibration": after,
    }
    bins = {f"Test, {name}": bins_of(y, p) for name, p in by_name.items()}
    curves = {
        role_of(of.model).title: accuracy_by_share(y, of.probabilities[TEST]) for of in scores
    }
    promise = context.evaluation().by_split[TEST][last.model].promise
    return {
        f"reliability-{TEST}": reliability.ReliabilityDisplay(bins),
        f"coverage-{TEST}": reliability.CoverageDisplay(
            curves, promise, "Test, right answers by share of rows answered"
        ),
    }


# By the stage whose files the pictures are drawn from. The stage of a model has the model's name.
FIGURES: dict[str, Callable[[Context], Displays]] = {
    "tokenize": _of_the_data,
    "map": _of_the_map,
    PROBE.name: _of_the_probe,
    FINETUNE.name: _of_the_training,
    "evaluate": _of_the_evaluation,
}


def draw(context: Context, out: Path, stages: Iterable[str] = FIGURES) -> list[Path]:
    """Draw the pictures of these stages into out/figures, as .png and .svg. Returns the paths."""
    paths: list[Path] = []
    for stage in stages:
        for name, display in FIGURES[stage](context).items():
            paths += save_figure(display, out / "figures" / f"{name}.png")
    return paths
