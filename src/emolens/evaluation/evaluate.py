"""Evaluation: the figures of every model, comparisons of the models, and the worst rows.

Takes Scores and labels; knows nothing of how the models were made.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from emolens.data.dataset import TRAIN, VALIDATION, Dataset
from emolens.errors import UsageError
from emolens.evaluation.metrics import Comparison, mcnemar
from emolens.evaluation.model import ModelEvaluation, evaluate_model
from emolens.evaluation.paired import accuracy_difference
from emolens.evaluation.seeds import Seeds, seeds_of
from emolens.evaluation.verdict import warnings
from emolens.names import user_path
from emolens.scores import EXPORTED, MAJORITY, FinetuneFacts, Recipe, Scores
from emolens.shown import html_table, one_line
from emolens.store import load_json, save_json, unreadable

N_WORST = 10


@dataclass(frozen=True)
class WorstRow:
    """A row that a model gets wrong, with the probability of its label and of the wrong answer."""

    split: str
    row: int
    text: str
    label: str
    predicted: str
    p_predicted: float
    p_label: float

    def __repr__(self) -> str:
        answer = f"{self.label} taken for {self.predicted}"
        return one_line(self, f"{self.split} {self.row}", answer, self.text)


@dataclass(frozen=True)
class Evaluation:
    """The figures by split and by model.

    absent: by split, the classes without rows there, which the macro average leaves out.
    comparisons: by split, McNemar's test of each trained model against the one before it, and of
    the last one, which is the one to export, against all others.
    worst_of: the model with the best macro-F1 on validation. hardest: the rows that it gets wrong
    with the lowest probability for the label. confidently_wrong: those with the highest probability
    for the wrong answer. Both are rows of validation, so that nobody needs to look at test.
    warnings: what is wrong with the model that gets exported, and what to try.
    """

    labels: tuple[str, ...]
    absent: dict[str, list[str]]
    by_split: dict[str, dict[str, ModelEvaluation]]
    comparisons: dict[str, list[Comparison]]
    worst_of: str
    hardest: list[WorstRow]
    confidently_wrong: list[WorstRow]
    warnings: list[str]
    seeds: Seeds | None = None

    def __repr__(self) -> str:
        models = {model for by_model in self.by_split.values() for model in by_model}
        splits = " and ".join(self.by_split)
        return one_line(self, f"{len(models)} models on {splits}", f"{len(self.labels)} classes")

    def _repr_html_(self) -> str:
        header = ("split", "model", "texts", "accuracy", "macro-F1", "weighted F1")
        rows = [
            (split, model, e.n, *(e.figure(key) for key in ("accuracy", "macro_f1", "weighted_f1")))
            for split, by_model in self.by_split.items()
            for model, e in by_model.items()
        ]
        return html_table(self, header, rows)

    def absence(self, split: str) -> str:
        """`test has no rows of joy, which macro-F1 leaves out`; '' where every class has rows."""
        missing = ", ".join(self.absent[split])
        return f"{split} has no rows of {missing}, which macro-F1 leaves out" if missing else ""

    def save(self, path: str | Path) -> Path:
        """Write one JSON file; returns its path."""
        save_json(user_path(path), self.to_dict())
        return user_path(path)

    @classmethod
    def load(cls, path: str | Path) -> Evaluation:
        """Read a file that save wrote; StorageError where the file holds anything else."""
        plain = load_json(user_path(path))
        try:
            return cls.from_dict(plain)
        except (KeyError, TypeError, ValueError) as error:
            raise unreadable(user_path(path), error) from error

    def to_dict(self) -> dict[str, Any]:
        """The content of evaluation.json: one entry for each split and for each other field."""
        plain = asdict(self)
        return {**plain.pop("by_split"), **plain}

    @classmethod
    def from_dict(cls, plain: dict[str, Any]) -> Evaluation:
        """The inverse of to_dict, also for values that JSON has read."""
        from pydantic import TypeAdapter

        by_split = {split: plain[split] for split in plain["comparisons"]}
        evaluation: Evaluation = TypeAdapter(cls).validate_python({**plain, "by_split": by_split})
        return evaluation


def evaluate(
    dataset: Dataset,
    scores: Sequence[Scores],
    *,
    answerable: Mapping[str, Mapping[str, np.ndarray]] | None = None,
) -> Evaluation:
    """Compare each model's answers with the labels of every split except train.

    answerable: by model and by split, (n,) bool, the rows that are not unsure for other reasons
    than a low probability, such as texts that are cut; without it, all rows.
    """
    dataset.check_one_class()
    splits = [name for name in dataset.splits if name != TRAIN]
    if VALIDATION not in splits:
        raise UsageError(
            f"{dataset.name} has no split '{VALIDATION}', and the worst rows are taken from it.",
            hint="Load the data with load_dataset: it takes a validation split out of train.",
        )
    names = [s.model for s in scores]
    if not names or len(set(names)) < len(names):
        raise UsageError(
            f"There are {len(names)} scores of {len(set(names))} models to evaluate.",
            hint='Give each a name of its own: scores.named("probe-mean")',
        )
    by_split = {
        split: {
            s.model: evaluate_model(
                dataset, s, split, answerable=(answerable or {}).get(s.model, {}).get(split)
            )
            for s in scores
        }
        for split in splits
    }
    best = max(scores, key=lambda s: by_split[VALIDATION][s.model].macro_f1)
    wrong = _worst_rows(dataset, best, VALIDATION)
    return Evaluation(
        labels=dataset.labels.names,
        absent={split: _absent(dataset, split) for split in splits},
        by_split=by_split,
        comparisons={split: comparisons(dataset, scores, split) for split in splits},
        worst_of=best.model,
        hardest=sorted(wrong, key=lambda row: row.p_label)[:N_WORST],
        confidently_wrong=sorted(wrong, key=lambda row: -row.p_predicted)[:N_WORST],
        warnings=warnings(by_split, _recipe(scores)),
        seeds=seeds_of(scores),
    )


def rival_of(evaluation: Evaluation, split: str) -> Comparison | None:
    """The exported model against the best of the others, by accuracy on validation.

    None if there is no other trained model.
    """
    accuracy = {name: e.accuracy for name, e in evaluation.by_split[VALIDATION].items()}
    against = [c for c in evaluation.comparisons[split] if c.second == EXPORTED.name]
    return max(against, key=lambda c: accuracy[c.first], default=None)


def comparisons(dataset: Dataset, scores: Sequence[Scores], split: str) -> list[Comparison]:
    """Each trained model against the one before it, and then the last one against the others."""
    trained = [s for s in scores if s.model != MAJORITY.name]
    pairs = [*itertools.pairwise(trained), *((other, trained[-1]) for other in trained[:-2])]
    labels, found = dataset[split].labels, []
    for first, second in pairs:
        answers = first.predictions(split), second.predictions(split)
        test = mcnemar(labels, *answers, names=(first.model, second.model))
        found.append(replace(test, difference=accuracy_difference(labels, *answers)))
    return found


def predictions_table(dataset: Dataset, scores: Sequence[Scores]) -> Any:
    """An Arrow table of all rows except train: split, row, text, label and each model's answer."""
    import pyarrow as pa

    names = np.array(dataset.labels.names)
    pieces = []
    for split in (name for name in dataset.splits if name != TRAIN):
        rows = dataset[split]
        columns: dict[str, Any] = {
            "split": [split] * len(rows),
            "row": np.arange(len(rows)),
            "text": list(rows.texts),
            "label": names[rows.labels].tolist(),
        }
        for model in scores:
            columns[f"{model.model}_label"] = names[model.predictions(split)].tolist()
            for k, name in enumerate(names):
                columns[f"{model.model}_p_{name}"] = model.probabilities[split][:, k]
        pieces.append(pa.table(columns))
    return pa.concat_tables(pieces)


def _recipe(scores: Sequence[Scores]) -> Recipe | None:
    """How the model that gets exported was fine-tuned."""
    facts = [s.facts for s in scores if s.model == EXPORTED.name]
    return next((f.recipe for f in facts if isinstance(f, FinetuneFacts)), None)


def _absent(dataset: Dataset, split: str) -> list[str]:
    return [dataset.labels.names[i] for i in np.flatnonzero(dataset.counts(split) == 0)]


def _worst_rows(dataset: Dataset, scores: Scores, split: str) -> list[WorstRow]:
    rows, names = dataset[split], dataset.labels.names
    probabilities, guess = scores.probabilities[split], scores.predictions(split)
    return [
        WorstRow(
            split=split,
            row=int(row),
            text=rows.texts[row],
            label=names[rows.labels[row]],
            predicted=names[guess[row]],
            p_predicted=float(probabilities[row, guess[row]]),
            p_label=float(probabilities[row, rows.labels[row]]),
        )
        for row in np.flatnonzero(guess != rows.labels)
    ]
