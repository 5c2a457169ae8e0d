"""The sentences that read tables and pictures: they follow from the figures beside them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from emolens.data.audit import Audit
from emolens.evaluation.behavior import Behavior
from emolens.evaluation.metrics import per_class
from emolens.evaluation.model import ModelEvaluation
from emolens.scores import EXPORTED, FinetuneFacts, LinearFacts
from emolens.show.report import render_report
from emolens.show.report.errors import left_out_sentence
from emolens.show.report.reading import kept_sentence, matrix_sentence, strength_sentence
from emolens.study import Run
from tests.show.test_report import contents


def with_matrix(run: Run, matrix: list[list[int]]) -> ModelEvaluation:
    """The exported model with this confusion matrix, the true class by row."""
    model = run.evaluation.by_split["test"][EXPORTED.name]
    names = tuple(model.per_class)
    return replace(model, confusion=matrix, per_class=per_class(np.array(matrix), names))


def test_mistakes_are_told_by_number_and_by_share(tiny_run: Run) -> None:
    first, second, third = tiny_run.evaluation.labels
    model = with_matrix(tiny_run, [[600, 30, 0], [4, 95, 0], [2, 8, 30]])
    assert matrix_sentence(model) == (
        f"The most frequent mistake by number: 30 of 630 texts of '{first}' are called '{second}'"
        f" (4.8 %). By share of a class: 20.0 % of '{third}' is called '{second}' (8 of 40 texts),"
        f" 5.0 % of '{third}' is called '{first}' (2 of 40 texts)."
    )
    fine = with_matrix(tiny_run, [[6, 0, 0], [0, 9, 0], [0, 0, 3]])
    assert matrix_sentence(fine) == "All texts are right."


def facts_of(run: Run, scores: list[float], kept: int) -> FinetuneFacts:
    """Facts of a training with these macro-F1 by epoch."""
    facts = contents(run).exported.facts
    assert isinstance(facts, FinetuneFacts)
    history = tuple(
        replace(facts.history[0], epoch=float(i + 1), macro_f1=score)
        for i, score in enumerate(scores)
    )
    return replace(facts, history=history, best_epoch=float(kept))


def test_why_an_epoch_is_kept_that_has_not_the_highest_figure(tiny_run: Run) -> None:
    sentence = kept_sentence(facts_of(tiny_run, [0.9, 0.915, 0.907], 3))
    assert sentence.startswith(
        "Epoch 3 is kept (macro-F1 on validation 0.907), although epoch 2 has a higher figure"
        " (0.915). emolens keeps the last epoch whose macro-F1 is within one standard error"
    )
    best = kept_sentence(facts_of(tiny_run, [0.9, 0.91], 2))
    assert best.startswith("Epoch 2 is kept, which has the highest macro-F1 on validation. emo")
    assert kept_sentence(facts_of(tiny_run, [0.9], 1)) == (
        "Epoch 1 is kept, the only one that was looked at."
    )


def test_equal_losses_are_explained() -> None:
    losses = {"1": 0.7209, "10": 0.3926, "100": 0.3926}
    sentence = strength_sentence(LinearFacts(10.0, losses, 7))
    assert "C = 10 is chosen" in sentence
    assert "(1: 0.7209, 10: 0.3926, 100: 0.3926), before calibration" in sentence
    assert sentence.endswith("Of equal losses, the smaller C is taken.")
    assert "equal" not in strength_sentence(LinearFacts(10.0, losses | {"100": 0.41}, 7))


def test_the_list_says_how_many_rows_it_leaves_out(tiny_run: Run) -> None:
    audit: Audit = contents(tiny_run).audit
    many = replace(audit, contradictions=[{}] * 51, leaked_rows=[{}] * 31)
    assert left_out_sentence(many) == (
        "Of the 51 texts that have several labels, only the first 30 are listed."
        " Of the 31 texts that are also in train, only the first 30 are listed."
        " audit.json has all."
    )
    assert left_out_sentence(replace(audit, contradictions=[], leaked_rows=[])) == ""


@pytest.mark.parametrize("n_left_out", [0, 111])
def test_cases_that_the_model_was_not_tried_on_are_counted(tiny_run: Run, n_left_out: int) -> None:
    shown = contents(tiny_run)
    assert shown.behavior
    first, *others = shown.behavior.tests
    tests = [replace(first, left_out=n_left_out), *(replace(t, left_out=0) for t in others)]
    page = render_report(replace(shown, behavior=Behavior(tuple(tests))))
    said = "111 cases ask for a class that this model does not have, and are left out."
    assert (said in page) == bool(n_left_out)


def test_checks_that_were_not_made_are_announced_only_if_there_are_some(tiny_run: Run) -> None:
    shown = contents(tiny_run)
    passed = [check for check in shown.audit.checks if check.status == "passed"]
    audit = replace(shown.audit, checks=tuple(passed))
    announced = "and those that were not made"
    assert announced not in render_report(replace(shown, audit=audit))
    skipped = replace(passed[0], status="skipped")
    audit = replace(audit, checks=(skipped, *passed[1:]))
    assert announced in render_report(replace(shown, audit=audit))
