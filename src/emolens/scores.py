"""Scores: the class probabilities that a model gives to rows, and facts about its training.

Knows nothing of figures that compare predictions, or of intervals.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, NoReturn, TypeVar

import numpy as np

from emolens.calibration import Calibration
from emolens.decide import ONE_CLASS
from emolens.errors import UsageError
from emolens.names import user_path
from emolens.shown import html_table, one_line
from emolens.store import load_arrays, load_json, save_arrays, save_json, unreadable

V = TypeVar("V")


class ReadOnly(dict[str, V]):
    """A dictionary that can be read, copied and saved, and not changed."""

    def _refuse(self, *_: Any, **__: Any) -> NoReturn:
        raise TypeError("This value is frozen; make another one with dataclasses.replace.")

    __setitem__ = __delitem__ = __ior__ = _refuse
    update = pop = popitem = clear = setdefault = _refuse

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (dict(self),)


@dataclass(frozen=True)
class Facts:
    """How a model was made: numbers, texts, and dictionaries of them."""

    def __post_init__(self) -> None:
        for name, value in vars(self).items():
            if isinstance(value, dict):
                object.__setattr__(self, name, ReadOnly(value))

    def __repr__(self) -> str:
        texts = {n: f"{v:.4g}" if isinstance(v, float) else repr(v) for n, v in vars(self).items()}
        return one_line(self, *(f"{name}={text}" for name, text in texts.items()))


@dataclass(frozen=True, repr=False)
class MajorityFacts(Facts):
    """largest: the name of the class that the model always predicts."""

    largest: str


@dataclass(frozen=True, repr=False)
class LinearFacts(Facts):
    """C: the inverse regularization strength with the lowest log-loss on the rows that chose it."""

    C: float
    log_loss_by_C: dict[str, float]  # noqa: N815 - scikit-learn writes C
    n_features: int


# The most epochs, the largest batch and learning rate: a larger number is a slip.
MOST = 1e9


@dataclass(frozen=True)
class Recipe:
    """How to fine-tune. UsageError where a number is out of range.

    The defaults are those of the reference; `finetune` without a recipe plans one. warmup: share of
    the steps in which the learning rate rises. precision: 'fp32', 'bf16', or None for the best one
    on this machine. balance: the method of `balance`. rdrop: the weight of R-Drop (Liang et al.,
    2021), which trains on each batch twice, with other dropout, and keeps the two answers alike; 0
    is without it. patience: after so many epochs in a row that are worse on validation than the
    best one, by more than a standard error, training stops; None or 0 is never.
    """

    epochs: float = 2
    learning_rate: float = 2e-5
    batch_size: int = 64
    weight_decay: float = 0.01
    warmup: float = 0.0
    precision: str | None = None
    balance: str = "none"
    rdrop: float = 0.0
    patience: int | None = None
    seed: int = 42

    def __post_init__(self) -> None:
        for name in ("epochs", "learning_rate", "batch_size"):
            if not 0 < getattr(self, name) <= MOST:
                raise UsageError(
                    f"{name} is {getattr(self, name)} in the recipe of fine-tuning.",
                    hint=f"Give a number above 0, of a usual size; the default is "
                    f"{getattr(Recipe, name):g}.",
                )
        for name in ("weight_decay", "rdrop", "patience"):
            if not 0 <= (getattr(self, name) or 0) <= MOST:
                raise UsageError(
                    f"{name} is {getattr(self, name)} in the recipe of fine-tuning.",
                    hint="Give 0, or a number above it of a usual size.",
                )
        if not 0 <= self.warmup < 1:
            raise UsageError(
                f"warmup is {self.warmup} in the recipe of fine-tuning.",
                hint="Give a share of the steps: 0 or more, and less than 1.",
            )

    def __repr__(self) -> str:
        changed = {name: v for name, v in vars(self).items() if v != getattr(Recipe, name)}
        return one_line(self, *(f"{name}={value!r}" for name, value in changed.items()))


@dataclass(frozen=True, repr=False)
class LossPoint(Facts):
    """The mean training loss since the previous point. epoch: epochs trained so far, a fraction."""

    epoch: float
    loss: float


@dataclass(frozen=True, repr=False)
class EpochPoint(Facts):
    """The figures on validation at the end of an epoch."""

    epoch: float
    loss: float
    accuracy: float
    macro_f1: float
    weighted_f1: float


@dataclass(frozen=True, repr=False)
class PredictionFacts(Facts):
    """How one split was predicted. loss: the log-loss of its labels."""

    loss: float
    seconds: float
    texts_per_second: float


@dataclass(frozen=True, repr=False)
class SeedPoint(Facts):
    """One of several trainings that differ in their seed: its figures after the last choice.

    validation, test: accuracy and macro-F1 of the weights that this training kept; test is None if
    the data has no such split. history: validation after each epoch.
    """

    seed: int
    best_epoch: float
    seconds: float
    validation: tuple[float, float]
    test: tuple[float, float] | None
    history: tuple[EpochPoint, ...] = ()


@dataclass(frozen=True, repr=False)
class FinetuneFacts(Facts):
    """How fine-tuning went.

    runtime: the device and the precision. loss: the mean of the whole training. training: the loss
    over time. history: validation after each epoch. best_epoch: the epoch whose weights were kept.
    prediction: by split. seeds: of each training, if there were several; the other facts are about
    the one that was kept.
    """

    recipe: Recipe
    runtime: str
    loss: float
    seconds: float
    texts_per_second: float
    best_epoch: float
    training: tuple[LossPoint, ...]
    history: tuple[EpochPoint, ...]
    prediction: dict[str, PredictionFacts]
    seeds: tuple[SeedPoint, ...] = ()

    @property
    def kept(self) -> EpochPoint:
        """The figures on validation of the epoch that was kept."""
        return next(point for point in self.history if point.epoch == self.best_epoch)


@dataclass(frozen=True)
class Role:
    """A model's place in a study.

    name: for files. title: for tables and pictures. about: a description, for sentences. folder:
    the place of its scores in a run folder. facts: the class of its facts.
    """

    name: str
    title: str
    about: str
    folder: str
    facts: type[Facts]


MAJORITY = Role(
    name="majority",
    title="largest class",
    about="always the largest class of train",
    folder="baselines/majority",
    facts=MajorityFacts,
)
TFIDF = Role(
    name="tfidf",
    title="TF-IDF",
    about="logistic regression on TF-IDF of words and word pairs",
    folder="baselines/tfidf",
    facts=LinearFacts,
)
PROBE = Role(
    name="probe",
    title="probe",
    about="logistic regression on the frozen, standardized embeddings",
    folder="probe",
    facts=LinearFacts,
)
FINETUNE = Role(
    name="finetune",
    title="fine-tuned",
    about="the whole encoder, trained with a classification head that was first fitted to it",
    folder="finetune",
    facts=FinetuneFacts,
)
# From the simplest to the strongest: tables and pictures list the models in this order.
ROLES = {role.name: role for role in (MAJORITY, TFIDF, PROBE, FINETUNE)}
# A study saves the model of this role as a folder, exports it and writes a card for it.
EXPORTED = FINETUNE


def role_of(model: str) -> Role:
    """The role of this name. A model of your own has its name as title, description and folder."""
    return ROLES.get(model) or Role(model, title=model, about=model, folder=model, facts=Facts)


@dataclass(frozen=True)
class Scores:
    """Class probabilities by split, each (n, k) float64 with rows that sum to 1.

    model: the name of one of ROLES, or of a model of your own, which has no facts. calibration: how
    far they can be trusted, if that was measured; they are divided by its temperature already. The
    dictionary and the arrays are read-only; writable arrays are copied.
    """

    model: str
    probabilities: dict[str, np.ndarray]
    facts: Facts | None = None
    calibration: Calibration | None = None

    def __post_init__(self) -> None:
        frozen = ReadOnly({split: _read_only(p) for split, p in self.probabilities.items()})
        object.__setattr__(self, "probabilities", frozen)

    def __repr__(self) -> str:
        shapes = [f"{split} {p.shape}" for split, p in self.probabilities.items()]
        return one_line(self, repr(self.model), *shapes)

    def _repr_html_(self) -> str:
        rows = [
            (split, *p.shape, float(p.max(axis=1).mean()))
            for split, p in self.probabilities.items()
        ]
        return html_table(self, ("split", "texts", "classes", "mean top probability"), rows)

    def named(self, model: str) -> Scores:
        """The same scores as those of a model of your own, without facts: to compare several."""
        return replace(self, model=model, facts=None)

    def predictions(self, split: str) -> np.ndarray:
        """(n,) int64, the most probable class of each row."""
        return ONE_CLASS.top(self.probabilities[split])

    def log_loss(self, split: str, labels: np.ndarray) -> float:
        """The mean negative log-probability of the true classes, (n,) ids."""
        of_label = self.probabilities[split][np.arange(len(labels)), labels]
        return float(-np.log(np.maximum(of_label, 1e-12)).mean())

    def save(self, folder: str | Path) -> list[Path]:
        """Write `scores.safetensors` and `scores.json`; returns the paths."""
        arrays, about = user_path(folder) / "scores.safetensors", user_path(folder) / "scores.json"
        save_arrays(arrays, self.probabilities)
        facts = self.facts and asdict(self.facts)
        calibration = self.calibration and self.calibration.to_json()
        values = {"splits": [*self.probabilities], "facts": facts, "calibration": calibration}
        save_json(about, {"model": self.model, **values})
        return [arrays, about]

    @classmethod
    def load(cls, folder: str | Path, splits: Sequence[str] | None = None) -> Scores:
        """Read what save wrote: these splits in this order, or all of them."""
        arrays = load_arrays(user_path(folder) / "scores.safetensors")
        path = user_path(folder) / "scores.json"
        about = load_json(path)
        try:
            probabilities = {split: arrays[split] for split in splits or about["splits"]}
            facts = _facts(about["model"], about["facts"])
            calibration = Calibration.optional(about.get("calibration"))
            return cls(about["model"], probabilities, facts, calibration)
        except (KeyError, TypeError, ValueError) as error:
            raise unreadable(path, error) from error


def _read_only(array: np.ndarray) -> np.ndarray:
    if array.flags.writeable:
        array = array.copy()
        array.setflags(write=False)
    return array


def _facts(model: str, values: Any) -> Facts | None:
    from pydantic import TypeAdapter

    if values is None:
        return None
    facts: Facts = TypeAdapter(ROLES[model].facts).validate_python(values)
    return facts
