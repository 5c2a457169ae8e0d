"""Scores: what a trained model says of the rows of each split. Knows nothing of right and wrong."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from emolens.decide import ONE_CLASS
from emolens.shown import html_table, one_line
from emolens.store import load_arrays, load_json, save_arrays, save_json


@dataclass(frozen=True)
class Role:
    """A model's place in a study.

    name: in files. title: in tables and pictures. about: what it is, for a sentence. folder: where
    a run folder keeps its scores.
    """

    name: str
    title: str
    about: str
    folder: str


MAJORITY = Role(
    name="majority",
    title="largest class",
    about="always the largest class of train",
    folder="baselines/majority",
)
TFIDF = Role(
    name="tfidf",
    title="TF-IDF",
    about="logistic regression on TF-IDF of words and word pairs",
    folder="baselines/tfidf",
)
PROBE = Role(
    name="probe",
    title="probe",
    about="logistic regression on the frozen, standardized embeddings",
    folder="probe",
)
FINETUNE = Role(
    name="finetune",
    title="fine-tuned",
    about="the whole encoder, trained with a fresh classification head",
    folder="finetune",
)
# From the simplest to the strongest; whatever shows models goes through them in this order.
ROLES = {role.name: role for role in (MAJORITY, TFIDF, PROBE, FINETUNE)}
# The one that becomes a model folder: exported, described by a card, and warned of when it fails.
EXPORTED = FINETUNE


def role_of(model: str) -> Role:
    """The role of this name; a name that is no role's is its own title."""
    return ROLES.get(model) or Role(model, title=model, about=model, folder=model)


@dataclass(frozen=True)
class Scores:
    """Class probabilities by split, each (n, k) float64 with rows that sum to 1.

    model: the name of its role. facts: how it was made, as JSON values
    (chosen regularization, seconds, learning curve).
    """

    model: str
    probabilities: dict[str, np.ndarray]
    facts: dict[str, Any] = field(default_factory=dict)

    def __repr__(self) -> str:
        shapes = [f"{split} {p.shape}" for split, p in self.probabilities.items()]
        return one_line(self, repr(self.model), *shapes)

    def _repr_html_(self) -> str:
        rows = [
            (split, *p.shape, float(p.max(axis=1).mean()))
            for split, p in self.probabilities.items()
        ]
        return html_table(self, ("split", "texts", "classes", "mean top probability"), rows)

    def predictions(self, split: str) -> np.ndarray:
        """(n,) int64, the most probable class of each row."""
        return ONE_CLASS.top(self.probabilities[split])

    def log_loss(self, split: str, labels: np.ndarray) -> float:
        """The mean negative log-probability of the true classes, (n,) ids."""
        of_label = self.probabilities[split][np.arange(len(labels)), labels]
        return float(-np.log(np.maximum(of_label, 1e-12)).mean())

    def save(self, folder: Path) -> list[Path]:
        """Write `scores.safetensors` and `scores.json`; returns the paths."""
        arrays, facts = folder / "scores.safetensors", folder / "scores.json"
        save_arrays(arrays, self.probabilities)
        save_json(facts, {"model": self.model, "facts": self.facts})
        return [arrays, facts]

    @classmethod
    def load(cls, folder: Path, splits: Sequence[str]) -> Scores:
        """Read what save wrote."""
        about = load_json(folder / "scores.json")
        arrays = load_arrays(folder / "scores.safetensors")
        return cls(about["model"], {split: arrays[split] for split in splits}, about["facts"])
