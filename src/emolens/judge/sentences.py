"""Sentences that say what a ModelReport means. Computes no figure but shares of counts."""

from __future__ import annotations

from collections.abc import Iterator

from emolens.data.checks import agreeing, counted
from emolens.errors import some_of
from emolens.evaluation.calibration import BROKEN, KEPT, PromiseKept
from emolens.evaluation.gaps import Measured
from emolens.evaluation.verdict import percent
from emolens.judge.behavior import behavior_sentence
from emolens.judge.classes import map_option
from emolens.judge.report import ModelReport

FIGURES = {
    "accuracy": "accuracy",
    "exact_match": "exact match",
    "macro_f1": "macro-F1",
    "micro_f1": "micro-F1",
    "weighted_f1": "weighted F1",
}

_LITTLE = 0.03  # a gap between mean probability and accuracy that does not need a warning


def left_out(report: ModelReport) -> list[str]:
    """How the classes fit together, and which rows are left out."""
    return list(_left_out(report))


def warnings(report: ModelReport) -> list[str]:
    """What a user should know before the model is used on such texts."""
    return [
        *([report.unlike] if report.unlike else []),
        *_trained_on(report),
        *_worse_than_largest(report),
        *_misplaced_trust(report),
        *_unknown_classes(report),
    ]


def findings(report: ModelReport) -> list[str]:
    """What the figures mean."""
    unlike = [report.unlike] if report.unlike else []
    behaved = behavior_sentence(report.behavior)
    return [*_right(report), _sure(report), *_unsure(report), *_promised(report), *unlike, behaved]


def _left_out(report: ModelReport) -> Iterator[str]:
    rows, classes = report.rows, report.classes
    renamed = [f"{name} is {to}" for name, to in classes.matched.items() if name != to]
    if renamed:
        yield f"Classes of the table with another name in the model: {some_of(renamed)}."
    yield from _trained_on(report)
    yield from _unknown(report)
    if classes.alike and (option := map_option(classes.alike)):
        yield f"Some of these may be classes of the model under another name. If so: {option}"
    if rows.partly_unknown:
        yield (
            f"{counted(rows.partly_unknown, 'row', 'have')} such a class beside others; only the"
            " others count."
        )
    if rows.several:
        yield (
            f"{counted(rows.several, 'row', 'have')} several classes and"
            f" {agreeing(rows.several, 'are')} left out: the model gives one class per text."
        )
    if rows.without_class:
        yield (
            f"{counted(rows.without_class, 'row', 'have')} none of the classes and"
            f" {agreeing(rows.without_class, 'are')} left out."
        )
    if classes.absent:
        wrong = "such an answer is wrong" if not report.several else "such an answer is wrong here"
        yield (
            f"No row has these classes of the model: {some_of(list(classes.absent))}. The model may"
            f" still answer with one of them; {wrong}."
        )


def _trained_on(report: ModelReport) -> Iterator[str]:
    if report.rows.trained_on:
        yield (
            f"The model was trained with a data set that is also called '{report.rows.name}'. If it"
            " has seen these rows then, the figures are too high."
        )


def _worse_than_largest(report: ModelReport) -> Iterator[str]:
    largest, largest_share = report.largest
    if not report.several and report.figures["accuracy"].value <= largest_share < 1:
        yield (
            f"The model is right on {percent(report.figures['accuracy'].value)} of the rows. This"
            f" is not better than to answer '{largest}' for all of them ({percent(largest_share)})."
        )


def _misplaced_trust(report: ModelReport) -> Iterator[str]:
    accuracy = next(iter(report.figures.values()))
    too_sure = report.calibration.confidence - accuracy.value
    if not report.several and report.calibration.confidence > accuracy.high and too_sure > _LITTLE:
        yield _sure(report)
    if report.promise and report.promise.outcome == BROKEN:
        yield promise_sentence(report.promise)


def _unknown_classes(report: ModelReport) -> Iterator[str]:
    if report.rows.unknown > 0.1 * report.rows.scored:
        yield from _unknown(report)


def _unknown(report: ModelReport) -> Iterator[str]:
    rows = report.rows
    if rows.unknown:
        names = [f"{name} {n:,}" for name, n in report.classes.unknown.items() if n]
        yield (
            f"{counted(rows.unknown, 'row', 'have')} a class that the model does not know, and"
            f" {agreeing(rows.unknown, 'are')} left out: {some_of(names)}. {_to_unknown(report)}"
        )


def _to_unknown(report: ModelReport) -> str:
    """How the model answers rows of classes that it does not know."""
    n, answered = report.rows.unknown, report.rows.unknown_answered
    if not answered:
        return "The answer of the model is unsure" + (" for each of them." if n > 1 else ".")
    unless = " if the model does not have the class under another name" * bool(report.classes.alike)
    return (
        f"{answered:,} of the answers of the model {agreeing(answered, 'are')} not unsure, and so"
        f" wrong{unless}."
    )


def _right(report: ModelReport) -> Iterator[str]:
    name, accuracy = next(iter(report.figures.items()))
    what = "right" if name == "accuracy" else "exactly right (all classes, and no other)"
    yield (
        f"The model is {what} on {percent(accuracy.value)} of {counted(report.rows.scored, 'row')}"
        f" ({interval(accuracy)})."
    )
    largest, largest_share = report.largest
    if largest_share == 1 and not report.several:
        yield f"All rows have the class '{largest}', so the figures say little about other classes."
    elif not report.several:
        yield (
            f"A model that always answers '{largest}', the largest class, is right on"
            f" {percent(largest_share)}."
        )


def _sure(report: ModelReport) -> str:
    confidence = report.calibration.confidence
    if report.several:
        return f"The highest probability of a row is {confidence:.2f} on average."
    accuracy = report.figures["accuracy"]
    mean = f"The answers have a probability of {confidence:.3f} on average"
    little = "a little " if abs(confidence - accuracy.value) < _LITTLE else ""
    if confidence > accuracy.high:
        return (
            f"{mean}, but only {percent(accuracy.value)} are right: the model is {little}too sure."
        )
    if confidence < accuracy.low:
        return f"{mean}, and {percent(accuracy.value)} are right: the model is {little}too unsure."
    return f"{mean}, and {percent(accuracy.value)} are right: this fits."


def _unsure(report: ModelReport) -> Iterator[str]:
    n = report.rows.scored
    n_unsure = n - report.answered
    if not n_unsure:
        yield "No answer is unsure."
        return
    reasons = some_of([f"{reason} {count:,}" for reason, count in report.unsure.items()])
    yield f"{n_unsure:,} of {n:,} answers are unsure ({percent(n_unsure / n)}): {reasons}."
    if report.right:
        yield (
            f"Of the other {report.answered:,}, {percent(report.right.value)}"
            f" {agreeing(report.answered, 'are')} right"
            f" ({interval(report.right)})."
        )


def _promised(report: ModelReport) -> Iterator[str]:
    if report.promise:
        yield promise_sentence(report.promise)
    elif not report.several:
        yield "The model promises nothing about its answers."


def promise_sentence(promise: PromiseKept) -> str:
    """Whether it is kept, and how many of the answers are right."""
    the = f"The promise that at least {percent(promise.promised, 0)} of the answers are right"
    if promise.accuracy is None:
        return f"{the} can't be checked: no row is answered."
    accuracy = Measured(promise.accuracy, promise.low, promise.high)
    are = agreeing(promise.answered, "are")
    right = f"{percent(accuracy.value)} of {counted(promise.answered, 'answer')} {are} right"
    right += f" ({interval(accuracy)})"
    if promise.outcome == KEPT:
        return f"{the} is kept on these rows: {right}."
    if promise.outcome == BROKEN:
        return f"{the} is broken on these rows: {right}."
    return f"The rows are too few to say whether {the[0].lower()}{the[1:]} is kept: {right}."


def interval(figure: Measured) -> str:
    """'95 % interval 61.2 % to 70.5 %'."""
    return f"95 % interval {percent(figure.low)} to {percent(figure.high)}"
