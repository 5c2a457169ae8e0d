"""Sentences that read the pictures of the report, for these data. Computes no figure of a model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from emolens.data.audit import Audit
from emolens.data.checks import agreeing, counted
from emolens.data.dataset import TEST, TRAIN, VALIDATION
from emolens.evaluation.evaluate import Evaluation
from emolens.evaluation.intervals import wilson
from emolens.evaluation.model import ModelEvaluation
from emolens.evaluation.verdict import percent
from emolens.scores import EXPORTED, MAJORITY, FinetuneFacts

_FEW = 50  # rows of a class in test; with fewer, an interval is wider than a fourth


def verdict(evaluation: Evaluation, largest: str) -> str:
    """How good the model is, in plain sentences. largest: the largest class of train."""
    of_test = evaluation.by_split[TEST]
    model, simplest = of_test[EXPORTED.name], of_test[MAJORITY.name]
    low, high = (_of_100(share) for share in model.intervals["accuracy"])
    right, chance = _of_100(model.accuracy), _of_100(simplest.accuracy)
    told = (
        f"The model is right on {right} of 100 texts that it had not seen (for more texts of this"
        f" kind: {low} to {high}). Always answering '{largest}' would be right on {chance}."
    )
    return f"{told} {mixed_up(evaluation.labels, model)}"


def mixed_up(names: Sequence[str], model: ModelEvaluation) -> str:
    """Which two classes are taken for each other most often."""
    matrix = np.array(model.confusion)
    both = np.triu(matrix + matrix.T, 1)
    if not both.any():
        return "It made no mistake."
    first, second = _largest_cell(both)
    wrong = int(matrix.sum() - np.trace(matrix))
    n = int(both[first, second])
    return (
        f"It mixes up '{names[first]}' and '{names[second]}' most: {n:,} of"
        f" {counted(wrong, 'mistake')}."
    )


def beware(evaluation: Evaluation, audit: Audit) -> list[str]:
    """What a reader should know before they use the model; the most serious things first."""
    model = evaluation.by_split[TEST][EXPORTED.name]
    found = list(evaluation.warnings)
    for check in audit.checks:
        if check.status == "failed":
            found.append(f"{check.code}, {check.title}: {check.reason} {check.action}".strip())
    found += _gap(evaluation)
    few = [name for name, figures in model.per_class.items() if 0 < figures["support"] < _FEW]
    if few:
        names = ", ".join(f"{name} ({model.per_class[name]['support']})" for name in few[:6])
        more = f" and {len(few) - 6} more" if len(few) > 6 else ""
        found.append(
            f"Few texts of {names}{more} are in test, so the figures of"
            f" {'this class' if len(few) == 1 else 'these classes'} are uncertain."
        )
    return found


def _gap(evaluation: Evaluation) -> list[str]:
    """Whether validation and test differ by more than chance."""
    of = {split: evaluation.by_split[split][EXPORTED.name] for split in (VALIDATION, TEST)}
    (low, high), (other_low, other_high) = (of[s].intervals["accuracy"] for s in (VALIDATION, TEST))
    if low <= other_high and other_low <= high:
        return []
    return [
        f"The model is right on {percent(of[VALIDATION].accuracy)} of validation and on"
        f" {percent(of[TEST].accuracy)} of test: more than chance explains, so these two are of"
        " different kinds."
    ]


def matrix_sentence(names: Sequence[str], matrix: Sequence[Sequence[int]]) -> str:
    """The most frequent mistake, as a share of its class."""
    counts = np.array(matrix, dtype=np.int64)
    np.fill_diagonal(counts, 0)
    if not counts.any():
        return "All texts are right."
    label, answer = _largest_cell(counts)
    n, of = int(counts[label, answer]), int(np.array(matrix)[label].sum())
    return (
        f"The most frequent mistake: {n:,} of {counted(of, 'text')} of '{names[label]}'"
        f" {agreeing(n, 'are')} called '{names[answer]}' ({percent(n / of)})."
    )


def _largest_cell(counts: np.ndarray) -> tuple[int, int]:
    row, column = divmod(int(counts.argmax()), counts.shape[1])
    return row, column


def classes_sentence(model: ModelEvaluation) -> str:
    """The best and the worst class, by F1."""
    there = {name: of for name, of in model.per_class.items() if of["support"]}
    best, worst = (choose(there, key=lambda name: there[name]["f1"]) for choose in (max, min))
    return (
        f"It knows '{best}' best (F1 {there[best]['f1']:.2f}) and '{worst}' least"
        f" (F1 {there[worst]['f1']:.2f}, of {counted(int(there[worst]['support']), 'text')})."
    )


def bars(model: ModelEvaluation) -> list[dict[str, object]]:
    """For each class recall and precision with their 95 % intervals, and F1; the best first."""
    answers = np.array(model.confusion).sum(axis=0).tolist()
    rows = []
    for (name, of), n_answers in zip(model.per_class.items(), answers, strict=True):
        support = int(of["support"])
        rows.append(
            {
                "name": name,
                "f1": of["f1"],
                "support": support,
                "answers": n_answers,
                "found": _bar(of["recall"], support),
                "right": _bar(of["precision"], n_answers),
            }
        )
    return sorted(rows, key=lambda row: -float(str(row["f1"])))


def _bar(share: float, n: int) -> tuple[float, float, float] | None:
    return (share, *wilson(share, n)) if n else None


def balance_sentence(audit: Audit) -> str:
    """How unequal the classes of train are, and what follows for reading the figures."""
    counts = audit.splits[TRAIN].by_class
    largest, smallest = max(counts, key=counts.__getitem__), min(counts, key=counts.__getitem__)
    ratio = counts[largest] / max(counts[smallest], 1)
    if ratio < 1.5:
        return "All classes have about the same size, so accuracy and macro-F1 are much alike."
    return (
        f"For each text of '{smallest}' there are {ratio:.1f} of '{largest}'. Accuracy would hide "
        "errors on the small classes, so this page always shows macro-F1 beside it."
    )


def lengths_sentence(n_tokens: Mapping[str, np.ndarray], limit: int | None) -> str:
    """How long the texts are, and how many are cut."""
    train, every = n_tokens[TRAIN], np.concatenate(list(n_tokens.values()))
    told = (
        f"Half of the texts of train have {np.median(train):.0f} tokens or fewer, and the longest"
        f" has {train.max():,}."
    )
    if limit is None:
        return told
    over = int((every > limit).sum())
    if not over:
        return f"{told} No text is longer than the limit of {limit}, so none is cut."
    return (
        f"{told} {over:,} of {len(every):,} texts {agreeing(over, 'are')} longer than the limit of"
        f" {limit}, and {agreeing(over, 'are')} cut there."
    )


def curve_sentence(facts: FinetuneFacts) -> str:
    """Whether more training might help."""
    scores = [point.macro_f1 for point in facts.history]
    if len(scores) < 2:
        return "There was one look at validation only, so the picture says little."
    best = max(facts.history, key=lambda point: point.macro_f1).epoch
    step = scores[-1] - scores[-2]
    now = (
        f"Macro-F1 on validation was highest after epoch {best:g} of {facts.history[-1].epoch:g}"
        f" ({max(scores):.3f})"
    )
    if best == facts.history[-1].epoch and step > 0.01:
        return f"{now} and still rose by {step:.3f} in the last one: more epochs may help."
    if best == facts.history[-1].epoch:
        return f"{now} and hardly rose in the last one ({step:+.3f}): more epochs will not help."
    return f"{now}: more epochs will not help."


def _of_100(share: float) -> str:
    """Whole numbers, but never 100 of a share below 1, and never 0 of one above 0."""
    whole = round(100 * share)
    if (whole == 100 and share < 1) or (whole == 0 and share > 0):
        return f"{100 * share:.1f}"
    return str(whole)
