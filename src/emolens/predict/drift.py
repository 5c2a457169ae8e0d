"""How far a faster precision takes a classifier from its exact answers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from emolens.predict.classifier import Classifier


@dataclass(frozen=True)
class Drift:
    """A precision held against fp32 on the same texts.

    flips: texts that get another label. max_dp: the largest change of any probability. accuracy:
    exact and in that precision, where the true classes are known.
    """

    precision: str
    texts: int
    flips: int
    max_dp: float
    accuracy: tuple[float, float] | None

    def __str__(self) -> str:
        said = (
            f"{self.precision} against fp32 on {self.texts:,} texts: {self.flips:,} labels flip,"
            f" max |Δp| {self.max_dp:.3f}"
        )
        if self.accuracy is None:
            return said
        exact, here = self.accuracy
        return f"{said}, accuracy {exact:.4f} to {here:.4f} ({100 * (here - exact):+.2f} points)"


def drift(
    folder: Path, texts: Sequence[str], y: np.ndarray | None = None, *, precision: str = "int8"
) -> Drift:
    """Answer all texts in fp32 and in `precision`. y: (n,) class ids, where they are known."""
    exact, here = (
        Classifier(folder, precision=p).predict_proba(texts) for p in ("fp32", precision)
    )
    tops = exact.argmax(axis=1), here.argmax(axis=1)
    accuracy = None
    if y is not None:
        accuracy = float((tops[0] == y).mean()), float((tops[1] == y).mean())
    flips = int((tops[0] != tops[1]).sum())
    return Drift(precision, len(texts), flips, float(np.abs(exact - here).max(initial=0)), accuracy)
