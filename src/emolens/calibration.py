"""Calibration: how far the answers of a model can be trusted, as measured on labelled rows.

It is measured once, after the training, and emolens.json keeps it. So predicting needs nothing but
these numbers. Knows nothing of how they were measured.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

# A promise is chosen from these: the highest one that leaves half of the rows answered.
PROMISES = (0.99, 0.97, 0.95, 0.9, 0.85, 0.8)
FEWEST_ANSWERED = 0.5
# A promise is kept in so many of all cases, if texts are like those that it was measured on.
CONFIDENCE = 0.9
N_SHARES = 100


@dataclass(frozen=True)
class Promise:
    """Of the rows answered, at least the share `right` is right.

    threshold: a row is answered if its highest probability is this or more. answered: the share of
    such rows among those that the promise was measured on.
    """

    right: float
    threshold: float
    answered: float


@dataclass(frozen=True)
class Calibration:
    """What was measured on `rows` labelled rows, which took no part in any choice.

    temperature: the logits were divided by it; with several labels per row, one number for each
    class. The weights of the head are divided by it already, so nobody divides again. folds: 1 if
    the rows were held out; 5 if each fifth was measured with choices that the other rows made.
    confidence: of each promise. promised: the `right` of the promise that holds if nothing else is
    asked for; None if none of PROMISES can be kept. promises: all that can be kept, from low to
    high. thresholds, accuracies: (100,) for the 1 %, 2 %, …, 100 % of the rows with the highest
    probabilities, the lowest one of these, and the share of right answers. sets: (100,) for a
    prediction set that holds the true class in 0 %, 1 %, …, 99 % of all rows, the lowest
    probability of the classes in it. confusion: (k, k) counts of the rows, label by answer or best
    guess; None with several labels per row, and for a model of an earlier emolens.
    """

    temperature: float | tuple[float, ...]
    rows: int
    folds: int
    confidence: float
    promised: float | None
    promises: tuple[Promise, ...]
    thresholds: tuple[float, ...]
    accuracies: tuple[float, ...]
    sets: tuple[float, ...]
    confusion: tuple[tuple[int, ...], ...] | None = None

    @property
    def default(self) -> Promise | None:
        """The promise that holds if nothing else is asked for."""
        return None if self.promised is None else self.promise(self.promised)

    def promise(self, right: float) -> Promise | None:
        """The lowest promise of `right` or more that can be kept."""
        return next((p for p in self.promises if p.right >= right - 1e-9), None)

    def threshold_for(self, share: float) -> tuple[float, float]:
        """The threshold that leaves this share of the rows answered, and the accuracy of these."""
        place = min(max(math.ceil(share * N_SHARES - 1e-9), 1), N_SHARES) - 1
        return self.thresholds[place], self.accuracies[place]

    def set_threshold(self, coverage: float) -> float:
        """The lowest probability in prediction sets that hold the true class so often."""
        return self.sets[min(max(math.ceil(coverage * 100 - 1e-9), 0), 99)]

    def to_json(self) -> dict[str, Any]:
        """Plain values for a JSON object."""
        plain = asdict(self)
        plain["promises"] = [list(vars(promise).values()) for promise in self.promises]
        return plain

    @classmethod
    def optional(cls, plain: Any) -> Calibration | None:
        """As from_json; None stays None."""
        return None if plain is None else cls.from_json(plain)

    @classmethod
    def from_json(cls, plain: Any) -> Calibration:
        """The inverse of to_json. ValueError if the values can't be what to_json gave."""
        if not isinstance(plain, Mapping):
            raise ValueError("its calibration is not a JSON object")
        try:
            temperature, promised = plain["temperature"], plain["promised"]
            several = isinstance(temperature, list)
            calibration = cls(
                tuple(map(_positive, temperature)) if several else _positive(temperature),
                rows=int(_positive(plain["rows"])),
                folds=int(_positive(plain["folds"])),
                confidence=_share(plain["confidence"]),
                promised=None if promised is None else _share(promised),
                promises=tuple(Promise(*_shares(p, 3)) for p in plain["promises"]),
                thresholds=_shares(plain["thresholds"], N_SHARES),
                accuracies=_shares(plain["accuracies"], N_SHARES),
                sets=_shares(plain["sets"], N_SHARES),
                confusion=_counts(plain.get("confusion")),
            )
        except (KeyError, TypeError) as error:
            raise ValueError("its calibration is not complete") from error
        rights = [promise.right for promise in calibration.promises]
        if rights != sorted(set(rights)) or promised not in (None, *rights):
            raise ValueError("the promises of its calibration contradict each other")
        return calibration


def _counts(plain: Any) -> tuple[tuple[int, ...], ...] | None:
    """A square table of counts."""
    if plain is None:
        return None
    counts = tuple(tuple(row) for row in plain)
    each = [n for row in counts for n in row]
    if any(len(row) != len(counts) for row in counts) or not all(type(n) is int for n in each):
        raise ValueError("the confusion of its calibration is no square table of counts")
    if min(each, default=-1) < 0:
        raise ValueError("the confusion of its calibration has a count below 0, or no count")
    return counts


def _shares(values: Iterable[Any], n: int) -> tuple[float, ...]:
    shares = tuple(map(_share, values))
    if len(shares) != n:
        raise ValueError(f"its calibration has {len(shares)} numbers in place of {n}")
    return shares


def _share(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 1:
        raise ValueError(f"its calibration has {value!r} where a share from 0 to 1 should stand")
    return float(value)


def _positive(value: Any) -> float:
    number = isinstance(value, int | float) and not isinstance(value, bool)
    if not number or not 0 < value < math.inf:
        raise ValueError(f"its calibration has {value!r} where a number above 0 should stand")
    return float(value)
