"""How far a faster precision takes a classifier from its exact answers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from emolens import runtime
from emolens.decide import ONE_CLASS
from emolens.encode.engines.base import run_batches
from emolens.encode.engines.openvino import INT8_MODEL, MODEL, OpenVinoEngine
from emolens.encode.tokenize import Tokenizer


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
    exact, here = (_probabilities(folder, texts, p) for p in ("fp32", precision))
    tops = ONE_CLASS.top(exact), ONE_CLASS.top(here)
    accuracy = None
    if y is not None:
        accuracy = float((tops[0] == y).mean()), float((tops[1] == y).mean())
    flips = int((tops[0] != tops[1]).sum())
    return Drift(precision, len(texts), flips, float(np.abs(exact - here).max(initial=0)), accuracy)


def _probabilities(folder: Path, texts: Sequence[str], precision: str) -> np.ndarray:
    tokenizer = Tokenizer.from_folder(folder)
    name = INT8_MODEL if precision == "int8" else MODEL
    engine = OpenVinoEngine(folder / "openvino", runtime.choose(precision, on_cpu=True), name=name)
    return ONE_CLASS.probabilities(run_batches(engine, tokenizer.encode(texts), tokenizer.pad_id))
