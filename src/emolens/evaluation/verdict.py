"""What the figures mean, in plain sentences. Computes no figure and reads no data."""

from __future__ import annotations

from emolens.evaluation.metrics import Comparison
from emolens.scores import role_of

# A difference is claimed where chance alone gives one as large in fewer than 5 of 100 cases.
ALPHA = 0.05


def winner(comparison: Comparison) -> str | None:
    """The model that is better by more than chance explains; None where none can be named."""
    if comparison.p_value >= ALPHA:
        return None
    better = comparison.only_second > comparison.only_first
    return comparison.second if better else comparison.first


def comparison_sentence(comparison: Comparison) -> str:
    """Which of two models is better on the same rows, or that no difference can be claimed."""
    first, second = _the(comparison.first), _the(comparison.second)
    if comparison.only_first + comparison.only_second == 0:
        return f"No difference between {first} and {second}: both get the same rows right."
    counts = (
        f"{comparison.only_first:,} rows are right with {first} only, "
        f"{comparison.only_second:,} with {second} only "
        f"(McNemar's test, p {_p(comparison.p_value)})."
    )
    best = winner(comparison)
    if best is None:
        return f"No difference can be claimed between {first} and {second}: {counts}"
    better, other = (first, second) if best == comparison.first else (second, first)
    return f"T{better[1:]} is better than {other}, by more than chance explains: {counts}"


def _the(model: str) -> str:
    return f"the {role_of(model).title} model"


def _p(value: float) -> str:
    return "< 0.001" if value < 0.001 else f"= {value:.3f}"
