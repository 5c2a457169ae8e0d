"""A linear probe: measures how well frozen embeddings already separate the classes.

A scikit-learn estimator; knows nothing of texts or of how they were encoded.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Self

import numpy as np

from emolens.calibration import Calibration
from emolens.data.dataset import TRAIN
from emolens.decide import ONE_CLASS
from emolens.encode.embed import Embeddings
from emolens.errors import DataError, require
from emolens.labels import LabelSet
from emolens.learn.logistic import STRENGTHS, LogisticFit, fit_logistic
from emolens.names import user_path
from emolens.scores import PROBE, LinearFacts, Scores
from emolens.store import load_arrays, load_json, save_arrays, save_json, unreadable

_base = require("sklearn.base", "train")
_LEARNED = ("mean_", "scale_", "coef_", "intercept_")


class Probe(_base.ClassifierMixin, _base.BaseEstimator):  # type: ignore[misc, name-defined]
    """Logistic regression on standardized vectors; validation chooses the regularization C.

    strengths: the values of C to choose from. class_weight: None, 'balanced' or weights by class,
    as in scikit-learn. After fit: `classes_` (k,), `mean_`, `scale_` (d,), `coef_` (k, d),
    `intercept_` (k,), `C_`, `path_`, the log-loss by C on the rows that chose it, and
    `calibration_`: with `eval_set`, how far the probabilities can be trusted. The weights are then
    divided by its temperature.
    """

    def __init__(
        self,
        *,
        strengths: tuple[float, ...] = STRENGTHS,
        class_weight: dict[Any, float] | str | None = None,
    ) -> None:
        self.strengths = strengths
        self.class_weight = class_weight

    def fit(self, X: Any, y: Any, *, eval_set: tuple[np.ndarray, np.ndarray] | None = None) -> Self:
        """Learn from (n, d) vectors and (n,) classes, which are ids or names.

        eval_set: the vectors and classes of validation: a part of them chooses C, and the other
        part calibrates. Without it, a fifth of the rows of each class is held out to choose C, the
        final fit uses all rows, and nothing is calibrated. Raises ValueError as scikit-learn does,
        and DataError where C can't be chosen.
        """
        validation = require("sklearn.utils.validation", "train")
        X, y = validation.validate_data(self, X, y)
        require("sklearn.utils.multiclass", "train").check_classification_targets(y)
        self.classes_, ids = np.unique(y, return_inverse=True)
        if len(self.classes_) < 2:
            raise ValueError("Probe needs rows of two classes or more; the data has one class.")
        scaler = require("sklearn.preprocessing", "train").StandardScaler().fit(X)
        self.mean_, self.scale_ = scaler.mean_, scaler.scale_
        weights = require("sklearn.utils.class_weight", "train").compute_class_weight(
            self.class_weight, classes=self.classes_, y=y
        )
        train = self._standardized(X), ids
        held_out = None if eval_set is None else self._validation_rows(*eval_set)
        fit = fit_logistic(train, held_out, weights, strengths=self.strengths).calibrated()
        self.coef_, self.intercept_, self.C_, self.path_ = fit.coef, fit.intercept, fit.c, fit.path
        self.calibration_ = fit.calibration
        return self

    def predict_proba(self, X: Any) -> np.ndarray:
        """(n, d) vectors to (n, k) probabilities, in the order of `classes_`."""
        validation = require("sklearn.utils.validation", "train")
        validation.check_is_fitted(self)
        X = validation.validate_data(self, X, reset=False)
        fit = LogisticFit(self.coef_, self.intercept_, self.C_, self.path_)
        return fit.probabilities(self._standardized(X))

    def predict(self, X: Any) -> np.ndarray:
        """(n, d) vectors to (n,) classes."""
        top = ONE_CLASS.top(self.predict_proba(X))
        classes: np.ndarray = self.classes_[top]
        return classes

    def scores(self, embeddings: Embeddings, labels: LabelSet) -> Scores:
        """Probabilities for every split but train, in the order of `labels`.

        The probe must have learned the ids or the names of `labels`; DataError otherwise.
        """
        learned = self.classes_.tolist()
        names = [c if isinstance(c, str) else dict(enumerate(labels.names)).get(c) for c in learned]
        if sorted(map(str, names)) != sorted(labels.names):
            absent = ", ".join(name for name in labels.names if name not in names) or "others"
            raise DataError(
                f"The classes of the probe are not those of the labels: {absent}.",
                hint="Fit it on training rows of every class.",
            )
        columns = [names.index(name) for name in labels.names]
        probabilities = {
            split: self.predict_proba(vectors)[:, columns]
            for split, vectors in embeddings.vectors.items()
            if split != TRAIN
        }
        facts = LinearFacts(self.C_, self.path_, n_features=len(self.mean_))
        return Scores(PROBE.name, probabilities, facts, self.calibration_)

    def save(self, folder: str | Path) -> list[Path]:
        """Write `probe.safetensors` and `probe.json`; returns the paths."""
        arrays, about = user_path(folder) / "probe.safetensors", user_path(folder) / "probe.json"
        save_arrays(arrays, {name.rstrip("_"): getattr(self, name) for name in _LEARNED})
        weights = self.class_weight
        values = {
            "classes": self.classes_.tolist(),
            "strengths": list(self.strengths),
            # Pairs, because the keys of a JSON object are always texts.
            "class_weight": _pairs(weights) if isinstance(weights, dict) else weights,
            "C": self.C_,
            "log_loss_by_C": self.path_,
            "calibration": self.calibration_ and self.calibration_.to_json(),
        }
        save_json(about, values)
        return [arrays, about]

    @classmethod
    def load(cls, folder: str | Path) -> Self:
        """Read what save wrote."""
        path = user_path(folder) / "probe.json"
        about, arrays = load_json(path), load_arrays(user_path(folder) / "probe.safetensors")
        try:
            pairs = about["class_weight"]
            weights = dict(pairs) if isinstance(pairs, list) else pairs
            probe = cls(strengths=tuple(about["strengths"]), class_weight=weights)
            for name in _LEARNED:
                setattr(probe, name, arrays[name.rstrip("_")])
            probe.classes_ = np.array(about["classes"])
            probe.C_, probe.path_ = about["C"], about["log_loss_by_C"]
            probe.calibration_ = Calibration.optional(about.get("calibration"))
        except (KeyError, TypeError, ValueError) as error:
            raise unreadable(path, error) from error
        probe.n_features_in_ = len(probe.mean_)
        return probe

    def _validation_rows(self, X: Any, y: Any) -> tuple[np.ndarray, np.ndarray]:
        """Validation rows, standardized, with their classes as ids."""
        validation = require("sklearn.utils.validation", "train")
        X, y = validation.validate_data(self, X, y, reset=False)
        if unknown := sorted(set(y.tolist()).difference(self.classes_.tolist())):
            raise DataError(
                f"Class {unknown[0]} has validation rows, but no training rows.",
                hint="Add rows of it, or leave the class out.",
            )
        return self._standardized(X), np.searchsorted(self.classes_, y)

    def _standardized(self, X: np.ndarray) -> np.ndarray:
        """(n, d) in float32."""
        standardized = X.astype(np.float32)
        standardized -= self.mean_.astype(np.float32)
        standardized /= self.scale_.astype(np.float32)
        return standardized


def _pairs(weights: dict[Any, float]) -> list[tuple[Any, float]]:
    """Class and weight, without the number types of NumPy, which JSON does not have."""
    return list(zip(np.array(list(weights)).tolist(), map(float, weights.values()), strict=True))
