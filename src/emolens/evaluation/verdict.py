"""Sentences that say what the figures mean. Computes no figure and reads no data."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from decimal import ROUND_HALF_UP, Decimal

import numpy as np

from emolens.calibration import PROMISES
from emolens.data.dataset import VALIDATION
from emolens.evaluation.calibration import BROKEN, OPEN, Bin, PromiseKept
from emolens.evaluation.gaps import Measured
from emolens.evaluation.intervals import wilson
from emolens.evaluation.metrics import Comparison
from emolens.evaluation.model import ModelEvaluation
from emolens.scores import EXPORTED, Recipe, role_of

# A difference counts where chance alone gives one as large in fewer than 5 of 100 cases.
ALPHA = 0.05
# A model has collapsed when it gives one class to this share of all rows, and also to this share
# of the rows of all other classes.
COLLAPSED = 0.9
_MOST_NAMES = 5
_MORE_ROWS = "More labelled rows in train help fine-tuning most."


def winner(comparison: Comparison, *, alpha: float = ALPHA) -> str | None:
    """The model that is better by more than chance; None where the difference may be chance."""
    if comparison.p_value >= alpha:
        return None
    better = comparison.only_second > comparison.only_first
    return comparison.second if better else comparison.first


def comparison_sentence(comparison: Comparison) -> str:
    """One sentence: which of two models is better, or that the difference may be chance."""
    first, second = _the(comparison.first), _the(comparison.second)
    if comparison.only_first + comparison.only_second == 0:
        return f"{sentence_case(first)} and {second} do not differ: both get the same rows right."
    counts = (
        f"{comparison.only_first:,} rows are right only with {first}, "
        f"{comparison.only_second:,} only with {second} "
        f"(McNemar's test, p {p_text(comparison.p_value)})."
    )
    best, by = winner(comparison), _gain(comparison)
    if best is None:
        return f"The difference between {first} and {second} may be chance: {by}{counts}"
    better, other = (first, second) if best == comparison.first else (second, first)
    return f"{sentence_case(better)} is better than {other}, by more than chance: {by}{counts}"


def _gain(comparison: Comparison) -> str:
    """`of 100 texts, … gets 6.9 more right (95 % interval 5.6 to 8.2). `; empty if not measured."""
    of = comparison.difference
    if of is None:
        return ""
    sign, more = (-1, comparison.first) if of.value < 0 else (1, comparison.second)
    low, high = sorted((100 * sign * of.low, 100 * sign * of.high))
    return (
        f"of 100 texts, {_the(more)} gets {100 * abs(of.value):.1f} more right"
        f" (95 % interval {low:.1f} to {high:.1f}). "
    )


def calibration_sentence(name: str, model: ModelEvaluation, split: str) -> str:
    """How far probabilities and right answers are apart, before and after the calibration."""
    now, before, the = model.calibration, model.before, f"the answers of {_the(name)} on {split}"
    right = f"{percent(model.accuracy)} of them are right."
    if before is None:
        return (
            f"The mean probability of {the} is {percent(now.confidence)}; {right} The expected"
            f" calibration error is {now.expected}."
        )
    moved = "fell" if now.expected.value < before.expected.value else "rose"
    return (
        f"The mean probability of {the} was {percent(before.confidence)} before calibration and is"
        f" {percent(now.confidence)} after it; {right} The expected calibration error {moved} from"
        f" {before.expected} to {now.expected}."
    )


def gap_sentence(groups: Sequence[Bin]) -> str:
    """The group whose probability says least how often its answers are right.

    It is among those whose interval does not hold their mean probability. With many groups, chance
    alone makes one of these now and then, which is said, too.
    """
    apart = [of for of in groups if not of.low <= of.confidence <= of.high]
    if not apart:
        return (
            "In no group of answers do probability and share of right answers differ by more than"
            " chance may explain."
        )
    worst = max(apart, key=lambda of: abs(of.accuracy - of.confidence))
    low, high = wilson(worst.accuracy, worst.rows, level=1 - ALPHA / len(groups))
    chance = (
        f" With {len(groups)} groups to look at, this may still be chance."
        if low <= worst.confidence <= high
        else " This is more than chance explains."
    )
    return (
        "Probability and share of right answers differ most in the group from"
        f" {percent(worst.start, 1)} to {percent(worst.end)}: of its {worst.rows:,} texts,"
        f" {percent(worst.accuracy)} are right (95 % interval {100 * worst.low:.1f}–"
        f"{percent(worst.high)}), and the mean probability is {percent(worst.confidence)}.{chance}"
    )


def promise_sentence(model: ModelEvaluation, split: str) -> str:
    """Whether the promise was kept on a split, and how many rows were answered."""
    promise = model.promise
    if promise is None and model.before is None:
        return "The model was not calibrated, so nothing is promised."
    if promise is None:
        return (
            f"Nothing is promised: with half of the rows answered, it is not certain that"
            f" {percent(min(PROMISES), 0)} of the answers are right."
        )
    promised = f"the promise of {percent(promise.promised, 0)}"
    if promise.accuracy is None:
        return f"{sentence_case(promised)} says nothing on {split}: the model is sure of no text."
    sure, rest = _sure(promise, split), _unsure(model, promise)
    if promise.outcome == OPEN:
        word = "kept" if promise.accuracy >= promise.promised else "broken"
        return (
            f"The texts are too few to say whether {promised} was {word} on {split}: {sure}{rest}"
        )
    if promise.outcome == BROKEN:
        return f"{sentence_case(promised)} was broken on {split}: {sure}{rest}"
    return f"{sentence_case(sure)}{rest} So {promised} was kept on {split}."


def _sure(promise: PromiseKept, split: str) -> str:
    """Of how many rows the model is sure, from which probability on, and how many are right."""
    only = "only " if promise.outcome == BROKEN else ""
    least = f" (probability at least {at_least(promise.threshold)})" if promise.threshold else ""
    return (
        f"the model is sure of {promise.answered:,} of the {promise.rows:,} texts of"
        f" {split}{least}, and {only}{percent(promise.accuracy or 0.0)} of these answers are right"
        f" (95 % interval {100 * promise.low:.1f}–{percent(promise.high)})."
    )


def _unsure(model: ModelEvaluation, promise: PromiseKept) -> str:
    """How many of the best guesses for all other rows are right; empty without such rows."""
    others = promise.rows - promise.answered
    if not others:
        return ""
    right = round(model.accuracy * model.n) - promise.right
    return f" Of the other {others:,}, {percent(right / others)} are right: let a person read them."


def at_least(threshold: float) -> str:
    """A threshold to type: with three digits, or more if it would be 1, and never too low."""
    digits = 3
    while (up := math.ceil(threshold * 10**digits - 1e-9) / 10**digits) >= 1 > threshold:
        digits += 1
    return f"{up:.{digits}f}"


def coverage_sentence(name: str, model: ModelEvaluation, split: str) -> str:
    """What it gains to answer fewer rows."""
    return (
        f"If {_the(name)} answers only the half of {split} with the highest probabilities,"
        f" {percent(model.calibration.half)} of its answers are right; if it answers all rows,"
        f" {percent(model.accuracy)}."
    )


def augrc_sentence(models: Mapping[str, ModelEvaluation]) -> str:
    """What AUGRC is, and which model has the best one."""
    best = min(models, key=lambda model: models[model].calibration.augrc)
    areas = ", ".join(
        f"{role_of(name).title} {of.calibration.augrc:.4f}" for name, of in models.items()
    )
    return (
        "AUGRC is one number for a whole curve of right answers by share of texts answered: the"
        " share of texts that are answered and wrong, averaged over all places on the curve. 0 is"
        f" best. It is lowest for {_the(best)} ({areas})."
    )


def percent(share: float, digits: int = 1) -> str:
    """`98.1 %`; with 0 digits only those that are needed: `97 %`, `99.5 %`.

    With digits, no share below 1 is `100.0 %`, and none above 0 is `0.0 %`.
    """
    if not digits:
        return f"{100 * share:g} %"
    step = 0.1 ** (digits + 2)
    # Halves go up, as a reader expects: 34.75 % is 34.8 %, although the nearest float is below it.
    half_up = float(Decimal(str(share)).quantize(Decimal(10) ** -(digits + 2), ROUND_HALF_UP))
    rounded = min(max(half_up, step * (share > 0)), 1 - step * (share < 1))
    return f"{100 * rounded:.{digits}f} %"


def percents(figure: Measured) -> str:
    """A share with its interval: `98.1 % (96.0 % to 99.1 %)`."""
    return f"{percent(figure.value)} ({percent(figure.low)} to {percent(figure.high)})"


def warnings(
    by_split: Mapping[str, Mapping[str, ModelEvaluation]], recipe: Recipe | None = None
) -> list[str]:
    """What is wrong with the model that gets exported, and what to try; empty if nothing is.

    A simpler model that is as good comes first. by_split: the figures, those of validation among
    them. recipe: how that model was fine-tuned; what to try depends on it.
    """
    exported = by_split[VALIDATION].get(EXPORTED.name)
    if exported is None:
        return []
    the, n = sentence_case(_the(EXPORTED.name)), exported.n
    collapsed = _one_answer(exported)
    train_otherwise = _train_otherwise(recipe)
    sentences = _not_beaten(by_split)
    if sentences:
        sentences[-1] += f" {_MORE_ROWS}{'' if collapsed else train_otherwise}"
    if collapsed:
        answer, times = collapsed
        sentences.append(
            f"{the} has collapsed: it answers '{answer}' for {times:,} of {n:,} validation texts."
            f"{train_otherwise}"
        )
    elif never := _never_right(exported):
        sentences.append(
            f"{the} gets no validation text of {_listed(never)} right.{_balance_otherwise(recipe)}"
        )
    return sentences


def _one_answer(model: ModelEvaluation) -> tuple[str, int] | None:
    """The class that a collapsed model gives, and to how many rows; None for other models."""
    matrix = np.array(model.confusion)
    answers, labels = matrix.sum(axis=0), matrix.sum(axis=1)
    top = int(answers.argmax())
    others = labels.sum() - labels[top]
    if others == 0 or (answers[top] - matrix[top, top]) / others < COLLAPSED:
        return None
    # With few classes it may answer the class rarely where it is right: then it has not collapsed.
    if answers[top] < COLLAPSED * labels.sum():
        return None
    return list(model.per_class)[top], int(answers[top])


def _never_right(model: ModelEvaluation) -> list[str]:
    """The classes with recall 0, each with its number of rows."""
    return [
        f"{name} ({figures['support']:,} texts)"
        for name, figures in model.per_class.items()
        if figures["support"] and figures["recall"] == 0
    ]


def _not_beaten(by_split: Mapping[str, Mapping[str, ModelEvaluation]]) -> list[str]:
    """A sentence for each other model that is better on a split, or as good, by macro-F1.

    Macro-F1 also chooses the epoch. The best of these models on validation comes first.
    """
    of_validation = by_split[VALIDATION]
    others = [name for name in of_validation if name != EXPORTED.name]
    others.sort(key=lambda name: of_validation[name].macro_f1, reverse=True)
    return [sentence for name in others if (sentence := _beaten_by(name, by_split))]


def _beaten_by(name: str, by_split: Mapping[str, Mapping[str, ModelEvaluation]]) -> str:
    """`The probe model is better than the fine-tuned model on test (…)`; empty if it is not."""
    pairs = {
        split: (models[name].macro_f1, models[EXPORTED.name].macro_f1)
        for split, models in by_split.items()
    }
    better = {split: (one, best) for split, (one, best) in pairs.items() if one > best}
    same = {split: (one, best) for split, (one, best) in pairs.items() if one == best < 1}
    if not better and not same:
        return ""
    places = [
        f"on {split} (macro-F1 {one:.3f} against {best:.3f}, {100 * (one - best):.1f} points more)"
        for split, (one, best) in better.items()
    ] or [f"on {split} (macro-F1 {one:.3f})" for split, (one, _) in same.items()]
    verb = "better than" if better else "as good as"
    return f"{sentence_case(_the(name))} is {verb} {_the(EXPORTED.name)} {_listed(places)}."


def _train_otherwise(recipe: Recipe | None) -> str:
    if recipe is None:
        return ""
    epochs, rate = max(2 * recipe.epochs, 3), recipe.learning_rate
    # Encoders of all sizes are fine-tuned with learning rates from 1e-5 to 4e-4.
    rate = min(rate / 4, 2e-4) if rate >= 5e-5 else 5 * rate
    return (
        f" Try another learning rate (--set finetune.learning_rate={rate:g})"
        f" or more epochs (--set finetune.epochs={epochs:g})."
    )


def _balance_otherwise(recipe: Recipe | None) -> str:
    if recipe is None:
        return ""
    method = "oversample" if recipe.balance == "class-weights" else "class-weights"
    return f" Add such texts to train, or try --set balance.method={method}."


def _listed(names: Iterable[str]) -> str:
    """`a, b and c`; of many only the first, and how many more there are."""
    names = list(names)
    if len(names) > _MOST_NAMES:
        names[_MOST_NAMES:] = [f"{len(names) - _MOST_NAMES} more"]
    return " and ".join(filter(None, [", ".join(names[:-1]), names[-1]]))


def _the(model: str) -> str:
    return f"the {role_of(model).title} model"


def sentence_case(words: str) -> str:
    """The same words at the start of a sentence."""
    return words[:1].upper() + words[1:]


def p_text(value: float) -> str:
    """`= 0.031`; `< 0.001` for all that is less."""
    return "< 0.001" if value < 0.001 else f"= {value:.3f}"
