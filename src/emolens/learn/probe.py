"""A linear probe on frozen embeddings: how much of the emotion is already there."""

from __future__ import annotations

from pathlib import Path
from typing import Self

import numpy as np

from emolens.data.balance import Balance
from emolens.data.dataset import TRAIN, VALIDATION
from emolens.decide import ONE_CLASS
from emolens.encode.embed import Embeddings
from emolens.encode.engines.base import check_finite
from emolens.labels import LabelSet
from emolens.learn.logistic import STRENGTHS, LogisticFit, fit_logistic, logits
from emolens.scores import PROBE, LinearFacts, Scores
from emolens.store import load_arrays, load_json, save_arrays, save_json


class Probe:
    """Logistic regression on standardized embeddings, C chosen on validation.

    After fit: `mean_`, `scale_` (d,), `coef_` (k, d), `intercept_` (k,), `C_`, and `path_`, the
    log-loss on validation by C. Stored as safetensors and JSON.
    """

    mean_: np.ndarray
    scale_: np.ndarray
    coef_: np.ndarray
    intercept_: np.ndarray
    C_: float
    path_: dict[str, float]

    def __init__(self, labels: LabelSet, *, strengths: tuple[float, ...] = STRENGTHS) -> None:
        self.labels = labels
        self.strengths = strengths

    def fit(
        self, embeddings: Embeddings, y: dict[str, np.ndarray], balance: Balance | None = None
    ) -> Self:
        """Learn from train and choose C on validation. y: class ids by split.

        DataError where a vector holds a value that is not finite.
        """
        train = embeddings[TRAIN]
        check_finite(TRAIN, train)
        balance = balance or Balance.as_is(len(train), len(self.labels))
        self.mean_ = train.mean(axis=0, dtype=np.float64)
        self.scale_ = np.ones(len(self.mean_))
        # From what is left when the mean is gone, which is exactly 0 for a constant feature.
        spread = np.sqrt(np.square(self._standardized(train)).mean(axis=0, dtype=np.float64))
        self.scale_ = np.where(spread > 0, spread, 1.0)
        X = {name: self._standardized(embeddings[name]) for name in (TRAIN, VALIDATION)}
        fit = fit_logistic(X, y, balance, strengths=self.strengths)
        self.coef_, self.intercept_, self.C_, self.path_ = fit.coef, fit.intercept, fit.c, fit.path
        return self

    def predict_proba(self, vectors: np.ndarray) -> np.ndarray:
        """(n, d) embeddings to (n, k) probabilities."""
        fit = LogisticFit(self.coef_, self.intercept_, self.C_, self.path_)
        return ONE_CLASS.probabilities(logits(fit, self._standardized(vectors)))

    def predict(self, vectors: np.ndarray) -> np.ndarray:
        """(n, d) embeddings to (n,) class ids."""
        return ONE_CLASS.top(self.predict_proba(vectors))

    def scores(self, embeddings: Embeddings) -> Scores:
        """Probabilities for every split but train."""
        others = {name: array for name, array in embeddings.vectors.items() if name != TRAIN}
        probabilities = {name: self.predict_proba(array) for name, array in others.items()}
        facts = LinearFacts(self.C_, self.path_, n_features=len(self.mean_))
        return Scores(PROBE.name, probabilities, facts)

    def save(self, folder: Path) -> list[Path]:
        """Write `probe.safetensors` and `probe.json`; returns the paths."""
        learned = {
            "mean": self.mean_,
            "scale": self.scale_,
            "coef": self.coef_,
            "intercept": self.intercept_,
        }
        arrays, about = folder / "probe.safetensors", folder / "probe.json"
        save_arrays(arrays, learned)
        save_json(about, {"labels": self.labels.names, "C": self.C_, "log_loss_by_C": self.path_})
        return [arrays, about]

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read what save wrote."""
        about = load_json(folder / "probe.json")
        learned = load_arrays(folder / "probe.safetensors")
        probe = cls(LabelSet(tuple(about["labels"])))
        probe.mean_, probe.scale_ = learned["mean"], learned["scale"]
        probe.coef_, probe.intercept_ = learned["coef"], learned["intercept"]
        probe.C_, probe.path_ = about["C"], about["log_loss_by_C"]
        return probe

    def _standardized(self, vectors: np.ndarray) -> np.ndarray:
        """(n, d) in float32."""
        standardized = vectors.astype(np.float32)
        standardized -= self.mean_.astype(np.float32)
        standardized /= self.scale_.astype(np.float32)
        return standardized
