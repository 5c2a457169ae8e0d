"""Compares finished runs on the same rows: which one is better, by how much, and where they differ.

Rows are the same by their texts and labels, not by the names of files. Trains nothing.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from string import ascii_uppercase

import numpy as np

from emolens.data.checks import counted
from emolens.data.dataset import TEST, VALIDATION
from emolens.errors import UsageError, nearest, some_of
from emolens.evaluation.compared import ComparedRun, OtherAnswer, RunComparison, RunPair
from emolens.evaluation.gaps import Measured
from emolens.evaluation.metrics import mcnemar
from emolens.evaluation.paired import differences
from emolens.evaluation.verdict import ALPHA
from emolens.shown import quoted
from emolens.study.finished import Answers, FinishedRun, read_finished
from emolens.study.folder import STUDY

SPLITS = (TEST, VALIDATION)
_CHOSEN = {
    VALIDATION: "The models of each run were chosen on validation, so all its figures are a little"
    " too high.",
    TEST: "If you choose a run by these figures, its figures on test are a little too high from"
    " then on. It is better to choose on validation, and to look at test at the end.",
}


def compare(runs: Sequence[str | Path], split: str = TEST, *, seed: int = 0) -> RunComparison:
    """Compare the fine-tuned model of the first run with that of each other run.

    runs: folders that `run_study` made. split: test, or validation, on which models were chosen.
    seed: of the draws of the intervals. UsageError where the runs have other rows or classes, or a
    folder holds no run; StorageError where a run is not finished.
    """
    if split not in SPLITS:
        raise UsageError(f"There is no split '{split}' to compare on.", hint=nearest(split, SPLITS))
    _check_folders([Path(run) for run in runs])
    read = dict(zip(ascii_uppercase, map(read_finished, runs), strict=False))
    first, *others = read
    _check_classes(read)
    given = {name: run.answers(split) for name, run in read.items()}
    notes = []
    for name in others:
        if not _same(given[first], given[name]):
            _check_rows(read, given, (first, name), split)
            given[name] = _matched(given[first], given[name])
            notes.append(
                f"The rows of {name} stand in another order than those of {first}; they are"
                " matched by their texts."
            )
    labels = read[first].evaluation.labels
    return RunComparison(
        split=split,
        n=len(given[first].texts),
        labels=labels,
        runs=tuple(_run(name, run, split) for name, run in read.items()),
        pairs=tuple(_pair((first, name), given, labels, seed) for name in others),
        rows=_differing(list(given.values())),
        settings=_settings(list(read.values())),
        notes=(*notes, *_notes(read, split)),
    )


def _check_folders(folders: list[Path]) -> None:
    """Raise if there are too few folders, too many, or one of them twice."""
    if len(folders) < 2:
        one = quoted(folders[0]) if folders else "runs/a"
        raise UsageError(
            f"To compare runs takes two of them, and {len(folders) or 'none'} is given.",
            hint=f"Give their folders: emolens compare {one} runs/OTHER",
        )
    if len(folders) > len(ascii_uppercase):
        raise UsageError(
            f"{len(folders)} runs are too many to compare at once.",
            hint=f"Give {len(ascii_uppercase)} at most.",
        )
    resolved = [folder.expanduser().resolve() for folder in folders]
    for place, folder in enumerate(folders):
        if resolved[place] in resolved[:place]:
            raise UsageError(
                f"{folder} is given twice.", hint="Give each run once, and another one beside it."
            )


def _check_classes(read: dict[str, FinishedRun]) -> None:
    first, *others = read.values()
    for other in others:
        classes = first.evaluation.labels, other.evaluation.labels
        only = [[c for c in classes[i] if c not in classes[1 - i]] for i in (0, 1)]
        if any(only):
            run, names = (first, only[0]) if only[0] else (other, only[1])
            raise UsageError(
                f"{first.folder} and {other.folder} have different classes: only {run.folder} has"
                f" {some_of(names)}.",
                hint="Give runs with the same classes. For one model on rows of different classes:"
                " emolens evaluate --model MODEL --dataset FILE",
            )


def _same(first: Answers, other: Answers) -> bool:
    return (first.texts, first.labels) == (other.texts, other.labels)


def _check_rows(
    read: dict[str, FinishedRun], given: dict[str, Answers], names: tuple[str, str], split: str
) -> None:
    """Raise if two runs have other rows, or rows in another order that can't be matched."""
    first, other = (given[name] for name in names)
    folders = [read[name].folder for name in names]
    rows = [Counter(zip(of.texts, of.labels, strict=True)) for of in (first, other)]
    if missing := rows[0] - rows[1] or rows[1] - rows[0]:
        n, of = missing.total(), rows[0] if rows[0] - rows[1] else rows[1]
        has, lacks = folders if of is rows[0] else reversed(folders)
        raise UsageError(
            f"The rows of {split} are not the same: {n:,} of {counted(of.total(), 'row')} of {has}"
            f" {'is' if n == 1 else 'are'} not in {lacks}, with the same text and label.",
            hint=_same_rows(*(read[name] for name in names)),
        )
    text, n = Counter(first.texts).most_common(1)[0]
    if n > 1:
        raise UsageError(
            f"{folders[0]} and {folders[1]} have the same rows of {split} in another order, and"
            f" they can't be matched: '{text[:40]}' is there {n:,} times.",
            hint=_same_rows(*(read[name] for name in names)),
        )


def _same_rows(first: FinishedRun, other: FinishedRun) -> str:
    """How to get two runs with the same rows."""
    differ = [
        f"{name} ({value} and {other.settings.get(name, 'none')})"
        for name, value in first.settings.items()
        if name.startswith("data.") and other.settings.get(name) != value
    ]
    if differ:
        return f"Run one again with the data of the other. What differs: {some_of(differ)}."
    study, out = quoted(other.folder / STUDY), quoted(f"{other.folder}-2")
    return f"The data has changed since. Run both again, as here: emolens run {study} --out {out}"


def _matched(first: Answers, other: Answers) -> Answers:
    """The rows of `other` in the order of `first`. Each text is there once."""
    place = {text: i for i, text in enumerate(other.texts)}
    return other.in_order([place[text] for text in first.texts])


def _run(name: str, run: FinishedRun, split: str) -> ComparedRun:
    models = {
        model: {
            key: Measured(getattr(figures, key), *figures.intervals[key])
            for key in ("accuracy", "macro_f1")
        }
        for model, figures in run.evaluation.by_split[split].items()
    }
    return ComparedRun(name, str(run.folder), run.facts.seconds, models)


def _pair(
    names: tuple[str, str], given: dict[str, Answers], labels: tuple[str, ...], seed: int
) -> RunPair:
    ids = {label: i for i, label in enumerate(labels)}
    truth, first, second = (
        np.array([ids[name] for name in column])
        for column in (given[names[0]].labels, *(given[name].answers for name in names))
    )
    found = differences(truth, first, second, len(labels), seed=seed)
    return RunPair(
        *names,
        accuracy=found.accuracy,
        macro_f1=found.macro_f1,
        f1={label: f1 for label, f1 in zip(labels, found.f1, strict=True) if f1 is not None},
        test=mcnemar(truth, first, second, names=names),
        n_other=int((first != second).sum()),
    )


def _differing(given: list[Answers]) -> tuple[OtherAnswer, ...]:
    answers = list(zip(*(of.answers for of in given), strict=True))
    probabilities = list(zip(*(of.probabilities for of in given), strict=True))
    texts, labels = given[0].texts, given[0].labels
    return tuple(
        OtherAnswer(row, texts[row], labels[row], of_row, probabilities[row])
        for row, of_row in enumerate(answers)
        if len(set(of_row)) > 1
    )


def _settings(runs: list[FinishedRun]) -> dict[str, tuple[str, ...]]:
    names = dict.fromkeys(name for run in runs for name in run.settings)
    values = {name: tuple(run.settings.get(name, "none") for run in runs) for name in names}
    return {name: of_runs for name, of_runs in values.items() if len(set(of_runs)) > 1}


def _notes(read: dict[str, FinishedRun], split: str) -> list[str]:
    notes = [_CHOSEN[split]]
    for name, run in read.items():
        if seeds := run.evaluation.seeds:
            notes.append(f"{name}: {seeds.choice} {seeds.sentence(split)}")
    if all(run.evaluation.seeds is None for run in read.values()):
        notes.append(
            "Each run is one training. Another seed gives another model, so a part of a difference"
            " may come from the seeds and not from the settings."
        )
    if absence := next(iter(read.values())).evaluation.absence(split):
        notes.append(f"{absence}.")
    if len(read) > 2:
        n = len(read) - 1
        notes.append(
            f"With {n} comparisons, a run is called better only if p is below {ALPHA / n:.3g},"
            f" which is {ALPHA:g} / {n}; else one of them could be so by chance."
        )
    return notes
