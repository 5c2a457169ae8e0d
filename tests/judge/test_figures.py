"""Figures of rows with several classes, and of single classes, agree with scikit-learn's."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import accuracy_score, f1_score, precision_recall_fscore_support

from emolens.judge.figures import class_figures, several_class_figures


def drawn(n: int, *, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """(n, 4) classes of rows, and answers that are right in most places."""
    rng = np.random.default_rng(seed)
    truth = rng.random((n, 4)) < (0.4, 0.25, 0.1, 0.05)
    return truth, truth ^ (rng.random((n, 4)) < np.where(truth, 0.3, 0.05))


def test_the_figures_are_those_of_scikit_learn() -> None:
    truth, answers = drawn(300)
    figures = several_class_figures(truth, answers)
    assert figures["exact_match"].value == pytest.approx(accuracy_score(truth, answers))
    for average in ("micro", "macro", "weighted"):
        wanted = f1_score(truth, answers, average=average)
        assert figures[f"{average}_f1"].value == pytest.approx(wanted)
    names = ("a", "b", "c", "d")
    wanted = precision_recall_fscore_support(truth, answers)
    for i, own in enumerate(class_figures(truth, answers, names).values()):
        assert (own.precision, own.recall, own.f1.value, own.n) == pytest.approx(
            [figure[i] for figure in wanted]
        )


def test_intervals_hold_the_true_figures_in_about_95_of_100_samples() -> None:
    whole = drawn(200_000, seed=1)
    true = several_class_figures(*whole)
    true_f1 = class_figures(*whole, ("a", "b", "c", "d"))
    rng, misses = np.random.default_rng(2), dict.fromkeys([*true, *true_f1], 0)
    n_samples = 400
    for _ in range(n_samples):
        rows = rng.integers(0, len(whole[0]), size=150)
        sample = whole[0][rows], whole[1][rows]
        for name, figure in several_class_figures(*sample).items():
            misses[name] += not figure.low <= true[name].value <= figure.high
        for name, of_class in class_figures(*sample, tuple(true_f1)).items():
            misses[name] += not of_class.f1.low <= true_f1[name].f1.value <= of_class.f1.high
    assert {name: n for name, n in misses.items() if n > 0.08 * n_samples} == {}


def test_perfect_and_hopeless_answers_have_intervals_too() -> None:
    truth, _ = drawn(40)
    for answers, value in ((truth, 1.0), (~truth, 0.0)):
        for figure in several_class_figures(truth, answers).values():
            assert figure.value == value
            assert figure.low <= value <= figure.high
            assert figure.low < figure.high
