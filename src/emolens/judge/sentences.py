"""Sentences that say what a ModelReport means. Computes no figure but shares of counts."""

from __future__ import annotations

from collections.abc import Iterator

from emolens.data.checks import agreeing, counted
from emolens.errors import some_of
from emolens.judge.report import Figure, KeptPromise, ModelReport

FIGURES = {
    "accuracy": "accuracy",
    "exact_match": "exact match",
    "macro_f1": "macro-F1",
    "micro_f1": "micro-F1",
    "weighted_f1": "weighted F1",
}


def percent(share: float) -> str:
    """'97.5 %'; of a share that is not 0 or 1, never '0.0 %' or '100.0 %'."""
    text = f"{100 * share:.1f}"
    if text == "100.0" and share < 1:
        return "over 99.9 %"
    if text == "0.0" and share > 0:
        return "under 0.1 %"
    return f"{text.removesuffix('.0')} %"


def left_out(report: ModelReport) -> list[str]:
    """How the classes fit together, and which rows are left out."""
    return list(_left_out(report))


def findings(report: ModelReport) -> list[str]:
    """What the figures mean."""
    return [*_right(report), _sure(report), *_unsure(report), *_promised(report)]


def _left_out(report: ModelReport) -> Iterator[str]:
    rows, classes = report.rows, report.classes
    renamed = [f"{name} is {to}" for name, to in classes.matched.items() if name != to]
    if renamed:
        yield f"Classes of the table with another name in the model: {some_of(renamed)}."
    if rows.unknown:
        names = [f"{name} {n:,}" for name, n in classes.unknown.items() if n]
        yield (
            f"{counted(rows.unknown, 'row', 'have')} a class that the model does not know, and"
            f" {agreeing(rows.unknown, 'are')} left out: {some_of(names)}. The model answers"
            f" {rows.unknown_answered:,} of them without calling the answer unsure; each of these"
            " answers is wrong."
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


def _right(report: ModelReport) -> Iterator[str]:
    name, accuracy = next(iter(report.figures.items()))
    what = "right" if name == "accuracy" else "exactly right (all classes, and no other)"
    yield (
        f"The model is {what} on {percent(accuracy.value)} of {report.rows.scored:,} rows"
        f" ({_interval(accuracy)})."
    )
    largest, largest_share = report.largest
    if not report.several:
        yield (
            f"A model that always answers '{largest}', the largest class, is right on"
            f" {percent(largest_share)}."
        )


def _sure(report: ModelReport) -> str:
    if report.several:
        return f"The highest probability of a row is {report.mean_probability:.2f} on average."
    accuracy = report.figures["accuracy"]
    mean = f"The mean probability of the answers is {report.mean_probability:.2f}"
    if report.mean_probability > accuracy.high:
        return f"{mean}, but {percent(accuracy.value)} are right: the model is too sure."
    if report.mean_probability < accuracy.low:
        return f"{mean}, and {percent(accuracy.value)} are right: the model is not sure enough."
    return f"{mean}, and {percent(accuracy.value)} are right: on average they agree."


def _unsure(report: ModelReport) -> Iterator[str]:
    n_unsure, n = report.rows.scored - report.answered.n, report.rows.scored
    if not n_unsure:
        yield "No answer is unsure."
        return
    reasons = some_of([f"{reason} {count:,}" for reason, count in report.unsure.items()])
    yield f"{n_unsure:,} of {n:,} answers are unsure ({percent(n_unsure / n)}): {reasons}."
    if report.answered.accuracy:
        yield (
            f"Of the other {report.answered.n:,}, {percent(report.answered.accuracy.value)} are"
            f" right ({_interval(report.answered.accuracy)})."
        )


def _promised(report: ModelReport) -> Iterator[str]:
    if report.promise:
        yield promise_sentence(report.promise)
    elif not report.several:
        yield "The model promises nothing about its answers."


def promise_sentence(promise: KeptPromise) -> str:
    """Whether it is kept, and how many of the answers are right."""
    n, accuracy = promise.answered.n, promise.answered.accuracy
    the = f"The promise that at least {percent(promise.right)} of the answers are right"
    if accuracy is None:
        return f"{the} can't be checked: no row is answered."
    right = f"{percent(accuracy.value)} of {counted(n, 'answer')} are right ({_interval(accuracy)})"
    if promise.status == "kept":
        return f"{the} is kept: {right}."
    if promise.status == "broken":
        return f"{the} is broken on these texts: {right}."
    return f"{the} is neither confirmed nor broken: {right}. More labelled rows would decide."


def _interval(figure: Figure) -> str:
    return f"95 % interval {percent(figure.low)} to {percent(figure.high)}"
