"""Sentences that read the pictures of the report, for these data. Computes no figure of a model."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np

from emolens.data.audit import Audit
from emolens.data.checks import agreeing, counted
from emolens.data.dataset import TEST, TRAIN
from emolens.evaluation.behavior import Behavior
from emolens.evaluation.evaluate import Evaluation
from emolens.evaluation.intervals import wilson
from emolens.evaluation.model import ModelEvaluation
from emolens.evaluation.verdict import percent
from emolens.explore.neighbors import nearest_places
from emolens.explore.project import Projection
from emolens.scores import EXPORTED, MAJORITY, FinetuneFacts, LinearFacts

_SURE = 1.96  # standard errors of a difference
_SHARES = 2  # mistakes with the largest shares of their classes


def verdict(evaluation: Evaluation, largest: str) -> str:
    """How good the model is, in plain sentences. largest: the largest class of train."""
    of_test = evaluation.by_split[TEST]
    model, simplest = of_test[EXPORTED.name], of_test[MAJORITY.name]
    low, high = (_of_100(share) for share in model.intervals["accuracy"])
    right, chance = _of_100(model.accuracy), _of_100(simplest.accuracy)
    told = (
        f"The model is right on {right} of 100 texts that it had not seen. With more texts like"
        f" these, expect {low} to {high} of 100. Always answering '{largest}' would be right on"
        f" {chance}."
    )
    return f"{told} {weakness(evaluation.labels, model)}"


def tried_sentence(behavior: Behavior | None) -> str:
    """What the behavioral tests found, in a sentence; empty if the model was not tried on them."""
    if behavior is None or not behavior.n:
        return ""
    if not behavior.failed:
        return f"It fails none of the {behavior.n:,} cases that emolens wrote to try models."
    sentences = [test for test in behavior.tests if test.kind == "minimum"]
    n, wrong = (sum(getattr(test, name) for test in sentences) for name in ("n", "failed"))
    others, changed = behavior.n - n, behavior.failed - wrong
    parts = [f"it gets {wrong:,} of {counted(n, 'sentence')} wrong"] if n else []
    if others:
        parts.append(f"it fails {changed:,} of {counted(others, 'test')} in which a text changes")
    return f"But with the texts that emolens wrote to try models, {' and '.join(parts)}."


def weakness(names: Sequence[str], model: ModelEvaluation) -> str:
    """Which two classes are taken for each other most; if no pair leads, the weakest class."""
    matrix = np.array(model.confusion)
    both = np.triu(matrix + matrix.T, 1)
    if not both.any():
        return "It made no mistake."
    leading, next_one = sorted(both.ravel().tolist())[-1:-3:-1]
    if leading - next_one > _SURE * math.sqrt(leading + next_one):
        first, second = _largest_cell(both)
        wrong = int(matrix.sum() - np.trace(matrix))
        return (
            f"It mixes up '{names[first]}' and '{names[second]}' most: {leading:,} of"
            f" {counted(wrong, 'mistake')}."
        )
    there = _in_test(model)
    weakest = min(there, key=lambda name: there[name]["recall"])
    place = names.index(weakest)
    row = [0 if i == place else n for i, n in enumerate(matrix[place].tolist())]
    return (
        f"It is weakest on '{weakest}': {sum(row):,} of"
        f" {counted(int(matrix[place].sum()), 'text')} are called something else, most often"
        f" '{names[row.index(max(row))]}'."
    )


def _in_test(model: ModelEvaluation) -> dict[str, dict[str, int | float]]:
    """The figures of the classes that have rows."""
    return {name: of for name, of in model.per_class.items() if of["support"]}


def matrix_sentence(model: ModelEvaluation) -> str:
    """The most frequent mistake, and those with the largest shares of their classes."""
    counts = np.array(model.confusion, dtype=np.int64)
    np.fill_diagonal(counts, 0)
    if not counts.any():
        return "All texts are right."
    names = list(model.per_class)
    label, answer = _largest_cell(counts)
    n, of = int(counts[label, answer]), sum(model.confusion[label])
    by_share = [
        f"{percent(share, 1)} of '{first}' is called '{second}' ({rows:,} of"
        f" {counted(int(model.per_class[first]['support']), 'text')})"
        for first, second, rows, share in model.mistaken(_SHARES)
    ]
    return (
        f"The most frequent mistake by number: {n:,} of {counted(of, 'text')} of '{names[label]}'"
        f" {agreeing(n, 'are')} called '{names[answer]}' ({percent(n / of)}). By share of a class:"
        f" {', '.join(by_share)}."
    )


def _largest_cell(counts: np.ndarray) -> tuple[int, int]:
    row, column = divmod(int(counts.argmax()), counts.shape[1])
    return row, column


def worst_share(matrix: Sequence[Sequence[int]]) -> float:
    """The largest share that a mistake has of its row; 1 where there is none."""
    shares = [
        n / sum(row) for i, row in enumerate(matrix) for j, n in enumerate(row) if i != j and n
    ]
    return max(shares, default=1.0)


def classes_sentence(model: ModelEvaluation) -> str:
    """The best and the worst class, by F1."""
    there = _in_test(model)
    if len({of["f1"] for of in there.values()}) == 1:
        return f"Its F1 is {next(iter(there.values()))['f1']:.2f} for each class in test."
    best, worst = (choose(there, key=lambda name: there[name]["f1"]) for choose in (max, min))
    return (
        f"It knows '{best}' best (F1 {there[best]['f1']:.2f}) and '{worst}' least"
        f" (F1 {there[worst]['f1']:.2f}, of {counted(int(there[worst]['support']), 'text')})."
    )


def bars(model: ModelEvaluation) -> list[dict[str, object]]:
    """For each class recall and precision with their 95 % intervals, and F1; the best first."""
    answers = np.array(model.confusion).sum(axis=0).tolist()
    rows: list[dict[str, object]] = []
    for (name, of), n_answers in zip(model.per_class.items(), answers, strict=True):
        support = int(of["support"])
        rows.append(
            {
                "name": name,
                "f1": of["f1"],
                "support": support,
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
        "errors on the small classes, so look at macro-F1, too."
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
    best, last = max(facts.history, key=lambda point: point.macro_f1).epoch, facts.history[-1].epoch
    step = scores[-1] - scores[-2]
    now = f"Macro-F1 on validation was highest after epoch {best:g} of {last:g} ({max(scores):.3f})"
    if best != last:
        return f"{now}: more epochs will hardly help."
    if step > 0.01:
        return f"{now} and still rose by {step:.3f} in the last one: more epochs may help."
    return f"{now} and hardly rose in the last one ({step:+.3f}): more epochs may help little."


def kept_sentence(facts: FinetuneFacts) -> str:
    """Which epoch is kept, and why it need not be the one with the best figure."""
    best = max(facts.history, key=lambda point: point.macro_f1)
    kept = f"Epoch {facts.best_epoch:g} is kept"
    if len(facts.history) < 2:
        return f"{kept}, the only one that was looked at."
    last = (
        "emolens keeps the last epoch whose macro-F1 is within one standard error of the best one,"
        " because such a difference may be chance."
    )
    if facts.best_epoch == best.epoch:
        return f"{kept}, which has the highest macro-F1 on validation. {last}"
    return (
        f"{kept} (macro-F1 on validation {facts.kept.macro_f1:.3f}), although epoch {best.epoch:g}"
        f" has a higher figure ({best.macro_f1:.3f}). {last}"
    )


def strength_sentence(facts: LinearFacts) -> str:
    """Which C was chosen, and by which losses; of equal ones the smaller C."""
    losses = facts.log_loss_by_C
    every = ", ".join(f"{c}: {loss:.4f}" for c, loss in losses.items())
    lowest = f"{losses[f'{facts.C:g}']:.4f}"
    equal = [c for c, loss in losses.items() if f"{loss:.4f}" == lowest]
    tie = " Of equal losses, the smaller C is taken." if len(equal) > 1 else ""
    return (
        f"C says how large the weights may become. C = {facts.C:g} is chosen, because it has the"
        f" lowest log-loss ({every}), before calibration, on the part of validation that is"
        f" used for choosing.{tie}"
    )


def _of_100(share: float) -> str:
    """Whole numbers, but never 100 of a share below 1, and never 0 of one above 0."""
    whole = math.floor(100 * share + 0.5)
    if (whole == 100 and share < 1) or (whole == 0 and share > 0):
        return f"{100 * share:.1f}"
    return str(whole)


def map_sentence(projection: Projection, n_classes: int) -> str:
    """How far apart the classes lie: whose label the nearest text on the map has."""
    there = np.isfinite(projection.xy).all(axis=1)
    xy, labels = projection.xy[there], projection.labels[there]
    if len(xy) < 3:
        return ""
    same = float((labels[nearest_places(xy)] == labels).mean())
    shares = np.bincount(labels, minlength=n_classes) / len(labels)
    chance = float((shares**2).sum())
    lead = (same - chance) / (1 - chance) if chance < 1 else 0.0
    read = (
        "the classes overlap: the encoder alone does not separate them"
        if lead < 0.25
        else "the classes lie partly apart, before any training"
        if lead < 0.6
        else "the classes lie apart: they are easy to tell"
    )
    return (
        f"On this map, the nearest text has the same label in {_of_100(same)} of 100 cases; by"
        f" chance it would be {_of_100(chance)}. So {read}."
    )
