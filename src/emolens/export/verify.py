"""How much the answers of a classifier change if it computes in a faster precision."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from emolens.blank import is_blank
from emolens.decide import Decision
from emolens.export.model import ExportedModel


@dataclass(frozen=True)
class Drift:
    """A precision compared with fp32 on the same texts.

    flips: texts that get another label. max_dp: the largest change of any probability. accuracy: in
    fp32 and in that precision; None if the true classes are not known.
    """

    precision: str
    texts: int
    flips: int
    max_dp: float
    accuracy: tuple[float, float] | None

    def __str__(self) -> str:
        change = f"{self.max_dp:.3f}" if self.max_dp >= 0.001 else f"{self.max_dp:.0e}"
        summary = (
            f"{self.precision} compared with fp32 on {self.texts:,} texts:"
            f" {self.flips:,} labels differ, largest change of a probability {change}"
        )
        if self.accuracy is None:
            return summary
        exact, here = self.accuracy
        return f"{summary}, accuracy {exact:.4f} to {here:.4f} ({100 * (here - exact):+.2f} points)"


def drift(
    folder: str | Path,
    texts: Sequence[str],
    *,
    labels: np.ndarray | None = None,
    precision: str = "int8",
) -> Drift:
    """Answer all texts in fp32 and in `precision`, and compare; blank texts are left out.

    labels: (n,) the true class ids, if they are known.
    """
    rows = [row for row, text in enumerate(texts) if not is_blank(text)]
    models = [ExportedModel(Path(folder), precision=p) for p in ("fp32", precision)]
    exact, other = (model.ask([texts[row] for row in rows]).probabilities for model in models)
    right = None
    if labels is not None and rows:
        right = np.arange(exact.shape[1]) == labels[rows][:, None]
    return between(precision, exact, other, decision=models[0].head.decision, right=right)


def between(
    precision: str,
    exact: np.ndarray,
    other: np.ndarray,
    *,
    decision: Decision,
    right: np.ndarray | None = None,
) -> Drift:
    """Compare two arrays of probabilities, (n, k), of the same texts.

    right: (n, k) bool, the true classes, if they are known.
    """
    answers = [decision.answers(p) for p in (exact, other)]
    accuracy = None
    if right is not None:
        accuracy = _equal_share(answers[0], right), _equal_share(answers[1], right)
    flips = int((answers[0] != answers[1]).any(axis=1).sum())
    return Drift(
        precision, len(exact), flips, float(np.abs(exact - other).max(initial=0)), accuracy
    )


def _equal_share(answers: np.ndarray, right: np.ndarray) -> float:
    """The share of rows with the right classes, of (n, k) bool."""
    return float((answers == right).all(axis=1).mean())
