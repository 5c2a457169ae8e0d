"""How a classifier behaves on texts that were written to try it, in the manner of CheckList.

Ribeiro et al., 2020: what every model should get right (minimum), what must not change its answer
(invariance), and what must move a probability in one direction. Takes a function from texts to
probabilities; knows nothing of the model behind it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np

from emolens.decide import ONE_CLASS
from emolens.evaluation.behavior.cases import ABOUT_PEOPLE, ASKS, TESTS, Case, Kind, all_cases
from emolens.evaluation.intervals import wilson
from emolens.labels import LabelSet
from emolens.shown import html_table, one_line

# A probability that goes the wrong way by less than this is no failure: it moves a little with
# every word.
_TOLERANCE = 0.05
_EXAMPLES = 5


@dataclass(frozen=True)
class Failure:
    """A case that failed.

    variant: the changed text, or None. wanted: what should have come, in words: a class, which is
    that of the unchanged text where the answer must stay; or a class and `higher` or `lower`.
    answer: the model's answer to the text, or to the variant if there is one. p_answer: its
    probability. p_before, p_after: the probability of the class in `wanted`, for the unchanged text
    and for the variant; None without a variant, and in files of an earlier emolens.
    """

    text: str
    variant: str | None
    wanted: str
    answer: str
    p_answer: float
    p_before: float | None = None
    p_after: float | None = None

    def outcome(self, kind: Kind) -> str:
        """What came instead, in words: `before: anger 0.52; after: joy 0.68`."""
        before = "" if self.p_before is None else f" {self.p_before:.2f}"
        answer = f"{self.answer} {self.p_answer:.2f}"
        if kind == "invariance":
            return f"before: {self.wanted}{before}; after: {answer}"
        if kind == "minimum":
            return f"should be: {self.wanted}; answer: {answer}"
        label, _, direction = self.wanted.rpartition(" ")
        if self.p_after is None:
            return f"{label} should be {direction}; answer: {answer}"
        return f"{label} should be {direction}; before:{before}, after: {self.p_after:.2f}"


@dataclass(frozen=True)
class BehaviorTest:
    """What came of one test.

    n: its cases that this model can be tried on. failed: how many of them failed. low, high: the
    95 % interval of the share that fails. left_out: cases with a class that the model does not
    have. examples: some that failed, those with the most probable answers first.
    """

    name: str
    kind: Kind
    about: str
    n: int
    failed: int
    low: float
    high: float
    left_out: int
    examples: tuple[Failure, ...]

    def __repr__(self) -> str:
        return one_line(self, self.name, f"{self.failed:,} of {self.n:,} cases fail")

    @property
    def share(self) -> float:
        """The share of the cases that fails; NaN without cases."""
        return self.failed / self.n if self.n else float("nan")

    @property
    def asks(self) -> str:
        """What it asks of the model: `right class`, `same answer` or `right direction`."""
        return ASKS[self.kind]

    @property
    def is_about_people(self) -> bool:
        """Whether it changes only who a text is about, so that a failure is unfair."""
        return self.name in ABOUT_PEOPLE


@dataclass(frozen=True)
class Behavior:
    """What came of all tests."""

    tests: tuple[BehaviorTest, ...]

    @property
    def n(self) -> int:
        """The cases of all tests."""
        return sum(test.n for test in self.tests)

    @property
    def failed(self) -> int:
        """How many of them failed."""
        return sum(test.failed for test in self.tests)

    def __repr__(self) -> str:
        fail = f"{self.failed:,} of {self.n:,} cases fail"
        return one_line(self, f"{len(self.tests)} tests", fail)

    def _repr_html_(self) -> str:
        rows = [(t.about, t.asks, t.n, t.failed) for t in self.tests]
        return html_table(self, ("test", "what it asks", "cases", "failed"), rows)

    def to_dict(self) -> dict[str, Any]:
        """Plain values for a JSON object."""
        return asdict(self)

    @classmethod
    def from_dict(cls, plain: dict[str, Any]) -> Behavior:
        """The inverse of to_dict. ValueError where the values can't be what to_dict gave.

        A test is called what this emolens calls it, whichever emolens wrote the values.
        """
        from pydantic import TypeAdapter

        read: Behavior = TypeAdapter(cls).validate_python(plain)
        named = (replace(t, about=TESTS.get(t.name, (t.kind, t.about))[1]) for t in read.tests)
        return cls(tuple(named))


def behavior(ask: Callable[[Sequence[str]], np.ndarray], labels: LabelSet) -> Behavior:
    """Try a model on all cases.

    ask: gives the probabilities of texts, (n, k) in the order of `labels`, such as
    `Classifier.predict_proba`. Of a model for several labels, the most probable one is its answer.
    A case with a class that the model does not have is left out; capital letters don't matter.
    """
    cases, place = all_cases(), {name.casefold(): i for i, name in enumerate(labels.names)}
    usable = [case for case in cases if case.label is None or case.label in place]
    texts = list(dict.fromkeys(t for c in usable for t in (c.text, c.variant) if t is not None))
    probabilities = dict(zip(texts, ask(texts), strict=True))
    outcomes = _Outcomes(probabilities, place, labels.names)
    tests = []
    for name, (kind, about) in TESTS.items():
        mine = [case for case in usable if case.test == name]
        failures = [failure for case in mine if (failure := outcomes.failure(case)) is not None]
        failures.sort(key=lambda failure: -failure.p_answer)
        n, failed = len(mine), len(failures)
        low, high = wilson(failed / n, n) if n else (0.0, 1.0)
        left_out = sum(case.test == name for case in cases) - n
        examples = tuple(failures[:_EXAMPLES])
        tests.append(BehaviorTest(name, kind, about, n, failed, low, high, left_out, examples))
    return Behavior(tuple(tests))


@dataclass(frozen=True)
class _Outcomes:
    """The answers to all texts. place: the number of each class, by its name in small letters."""

    probabilities: dict[str, np.ndarray]
    place: dict[str, int]
    names: Sequence[str]

    def failure(self, case: Case) -> Failure | None:
        """What failed; None if nothing did."""
        if case.variant is None or case.kind == "minimum":
            wanted = self.names[self.place[str(case.label)]]
            return None if self._answer(case.text) == wanted else self._failed(case, wanted)
        if case.kind == "invariance":
            at = int(ONE_CLASS.top(self.probabilities[case.text][None])[0])
            wanted = self.names[at]
            return None if self._answer(case.variant) == wanted else self._failed(case, wanted, at)
        at = self.place[str(case.label)]
        moved = self.probabilities[case.variant][at] - self.probabilities[case.text][at]
        if (moved if case.change == "up" else -moved) >= -_TOLERANCE:
            return None
        direction = "higher" if case.change == "up" else "lower"
        return self._failed(case, f"{self.names[at]} {direction}", at)

    def _answer(self, text: str) -> str:
        return self.names[int(ONE_CLASS.top(self.probabilities[text][None])[0])]

    def _failed(self, case: Case, wanted: str, at: int | None = None) -> Failure:
        """at: the number of the class in `wanted`, if the case has a variant."""
        text = case.variant or case.text
        p_answer = float(self.probabilities[text].max())
        failure = Failure(case.text, case.variant, wanted, self._answer(text), p_answer)
        if at is None:
            return failure
        before, after = (float(self.probabilities[t][at]) for t in (case.text, text))
        return replace(failure, p_before=before, p_after=after)
