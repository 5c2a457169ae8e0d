"""What speaks against a model, and what to do about it, the most serious first.

Each thing that was found holds both, so the box "Before you use this model" and the list "What to
do next" have the same order. Computes no figure of a model.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from emolens.data.audit import Audit
from emolens.data.dataset import TEST, VALIDATION
from emolens.evaluation.behavior import Behavior, BehaviorTest
from emolens.evaluation.behavior.cases import ABOUT_PEOPLE
from emolens.evaluation.calibration import BROKEN
from emolens.evaluation.evaluate import Evaluation, rival_of
from emolens.evaluation.model import ModelEvaluation
from emolens.evaluation.verdict import comparison_sentence, percent, promise_sentence, winner
from emolens.scores import EXPORTED

_OFTEN = 0.25  # from this share of failures on, a behavioral test is a weak spot
_UNFAIR = 0.02  # the least share of failures that counts where only the people of a text change
_FEW = 50  # rows of a class in test; with fewer, an interval is wider than a fourth
_MOST = 4  # names in a sentence
_AGAIN = "Train again. The box at the top of this page says what to change."


@dataclass(frozen=True)
class Finding:
    """One thing to know.

    problem: a sentence, '' if nothing speaks against the model. step: what to do, '' if the problem
    says it. short: the step in a few words, for the first screen.
    """

    problem: str
    step: str = ""
    short: str = ""


def findings(
    evaluation: Evaluation, audit: Audit, behavior: Behavior | None, *, reasons: bool = True
) -> list[Finding]:
    """All that a reader should know before they use the model, and then what would improve it.

    reasons: whether the reasons of checks, which may quote the data, belong to it.
    """
    model = evaluation.by_split[TEST][EXPORTED.name]
    found = [
        *_of_training(evaluation, model),
        *_of_checks(audit, reasons=reasons),
        *_of_splits(evaluation),
        *_of_few(model),
    ]
    if not evaluation.warnings:
        found += _weak_spots(behavior)
    return [*found, *_unfair(behavior), *_sure_answers(model), *_worst_class(model)]


def _of_training(evaluation: Evaluation, model: ModelEvaluation) -> Iterator[Finding]:
    """A training that failed, a promise that was broken, or a rival that may be as good."""
    for place, warning in enumerate(evaluation.warnings):
        yield Finding(warning, *([_AGAIN] * 2 if place == 0 else []))
    if model.promise and model.promise.outcome == BROKEN:
        yield Finding(
            promise_sentence(model, TEST),
            "Measure it on labelled texts of your own before you rely on its sure answers.",
            "Measure it on texts of your own.",
        )
    elif (
        not evaluation.warnings and (rival := rival_of(evaluation, TEST)) and winner(rival) is None
    ):
        yield Finding(
            comparison_sentence(rival),
            "Add labelled texts to the training data: with few, a simple model is often as good.",
            "Add labelled texts to the training data.",
        )


def _of_checks(audit: Audit, *, reasons: bool) -> Iterator[Finding]:
    for check in audit.checks:
        if check.status == "failed":
            reason = f": {check.reason} {check.action}" if reasons else " (see audit.json)"
            title = f"{check.code}, {check.title}"
            step = f"Mend the data ({title}). {check.action}".strip()
            yield Finding(f"{title}{reason}".strip(), step, f"Mend the data: {title}.")


def _of_splits(evaluation: Evaluation) -> Iterator[Finding]:
    """Whether validation and test differ by more than chance."""
    of = {split: evaluation.by_split[split][EXPORTED.name] for split in (VALIDATION, TEST)}
    (low, high), (other_low, other_high) = (of[s].intervals["accuracy"] for s in (VALIDATION, TEST))
    if low > other_high or other_low > high:
        yield Finding(
            f"The model is right on {percent(of[VALIDATION].accuracy)} of validation and on"
            f" {percent(of[TEST].accuracy)} of test: more than chance explains, so these two are of"
            " different kinds.",
            "Find out how validation and test differ, and which one is like the texts that you"
            " want to be answered.",
            "Find out how validation and test differ.",
        )


def _of_few(model: ModelEvaluation) -> Iterator[Finding]:
    """Classes whose figures are uncertain."""
    few = [name for name, figures in model.per_class.items() if figures["support"] < _FEW]
    if few:
        names = _named([f"{name} ({model.per_class[name]['support']})" for name in few])
        one = "this class" if len(few) == 1 else "these classes"
        yield Finding(
            f"Few texts of {names} are in test, so the figures of {one} are uncertain.",
            f"Label more texts of {_named(few)} for test, until there are {_FEW} of each.",
            "Label more texts of rare classes for test.",
        )


def _weak_spots(behavior: Behavior | None) -> Iterator[Finding]:
    """The behavioral tests of which the model fails many cases, the worst first."""
    weak = [test for test in _by_share(behavior) if test.share >= _OFTEN]
    if weak:
        worst = weak[0].about
        yield Finding(
            "It often fails sentences that emolens wrote to try models:"
            f" {_named([_failing(test) for test in weak])}.",
            "Add labelled texts of these kinds to the training data, the worst first:"
            f" {_named([test.about for test in weak])}. Until then, let a person read such texts.",
            f"Add labelled texts to the training data, first of its weakest kind: {worst}.",
        )


def _unfair(behavior: Behavior | None) -> Iterator[Finding]:
    """Tests in which only the people of a text change, and the answer with them."""
    unfair = [t for t in _by_share(behavior) if t.is_about_people and t.failed and t.low > _UNFAIR]
    if unfair:
        changed = [f"with {ABOUT_PEOPLE[t.name]} in {t.failed} of {t.n} sentences" for t in unfair]
        yield Finding(
            "The answer can change when only the people in a text change. It did"
            f" {_named(changed)}.",
            "Check whether its answers change with names or groups of people before anything is"
            " decided by them, and add texts to the training data in which each class occurs with"
            " many names and groups.",
            "Check whether its answers change with names or groups of people.",
        )


def _sure_answers(model: ModelEvaluation) -> Iterator[Finding]:
    promise = model.promise
    if promise and promise.outcome != BROKEN and 0 < promise.answered < promise.rows:
        rest = promise.rows - promise.answered
        yield Finding(
            "",
            "Use its sure answers, and let a person read the others: of these"
            f" {promise.rows:,} texts, {rest:,}.",
            "Use its sure answers, and let a person read the others.",
        )


def _worst_class(model: ModelEvaluation) -> Iterator[Finding]:
    there = {name: of for name, of in model.per_class.items() if of["support"]}
    worst = min(there, key=lambda name: there[name]["f1"])
    if there[worst]["f1"] < 1:
        yield Finding(
            "",
            f"Read the mistakes on '{worst}', the class with the lowest F1: are its labels right,"
            " and is it clear what belongs to it? Then add texts of this class.",
            f"Read the mistakes on '{worst}', the weakest class.",
        )


def _by_share(behavior: Behavior | None) -> list[BehaviorTest]:
    """The behavioral tests with cases, the worst first."""
    tests = [test for test in behavior.tests if test.n] if behavior else []
    return sorted(tests, key=lambda test: -test.share)


def _failing(test: BehaviorTest) -> str:
    return f"{test.about} ({test.failed} of {test.n} wrong)"


def _named(names: list[str]) -> str:
    """The first few of these names, and how many more there are."""
    more = f" and {len(names) - _MOST} more" if len(names) > _MOST else ""
    return ", ".join(names[:_MOST]) + more
