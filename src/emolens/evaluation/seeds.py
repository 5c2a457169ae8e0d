"""Several trainings that differ in their seed: the mean and the spread of their figures.

Knows nothing of how a training goes. All other figures are those of the model that was kept.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import mean, stdev

from emolens.data.dataset import TEST, VALIDATION
from emolens.scores import FinetuneFacts, Scores, SeedPoint
from emolens.shown import one_line

_FIGURES = {"accuracy": "accuracy", "macro_f1": "macro-F1"}


@dataclass(frozen=True)
class Spread:
    """The mean and the standard deviation of a figure over several trainings."""

    mean: float
    deviation: float

    def __str__(self) -> str:
        return f"{self.mean:.4f} ± {self.deviation:.4f}"


@dataclass(frozen=True)
class Seeds:
    """Several trainings on the same splits.

    kept: the seed of the model that was kept. each: the figures of each training, in their order.
    spread: accuracy and macro-F1, by split.
    """

    kept: int
    each: tuple[SeedPoint, ...]
    spread: dict[str, dict[str, Spread]]

    def __repr__(self) -> str:
        return one_line(self, f"{len(self.each)} trainings", f"seed {self.kept} is kept")

    def sentence(self, split: str) -> str:
        """`Over 5 seeds, test accuracy is 0.9342 ± 0.0028, macro-F1 0.8931 ± 0.0041.`"""
        figures = [f"{_FIGURES[name]} {value}" for name, value in self.spread[split].items()]
        return f"Over {len(self.each)} seeds, {split} {', '.join(figures)}."

    @property
    def summary(self) -> str:
        """One line: the mean and the spread on each split, and which one was kept."""
        parts = [
            f"{split} {name} {value}"
            for split, figures in self.spread.items()
            for name, value in zip(_FIGURES.values(), figures.values(), strict=True)
        ]
        which = f"seed {self.kept} is kept: the best on validation"
        return f"{len(self.each)} seeds: {', '.join(parts)}; {which}"

    @property
    def choice(self) -> str:
        """Which one was kept, and why."""
        return (
            f"Seed {self.kept} is kept: the best on validation, by macro-F1. All other figures of"
            " the fine-tuned model are of this training."
        )


def seeds_of(scores: Sequence[Scores]) -> Seeds | None:
    """The trainings of the model that was fine-tuned with several seeds, if there is one."""
    for facts in (one.facts for one in scores):
        if isinstance(facts, FinetuneFacts) and len(facts.seeds) > 1:
            spread = {
                split: {
                    name: _spread([getattr(point, split)[place] for point in facts.seeds])
                    for place, name in enumerate(_FIGURES)
                }
                for split in (VALIDATION, TEST)
                if getattr(facts.seeds[0], split)
            }
            return Seeds(facts.recipe.seed, facts.seeds, spread)
    return None


def _spread(values: list[float]) -> Spread:
    return Spread(mean(values), stdev(values))
