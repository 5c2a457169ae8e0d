"""RunComparison: what was found where runs were compared on the same rows, and its sentences.

Computes no figure but counts of rows. Knows nothing of run folders, of the console or of pages.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from emolens.evaluation.gaps import Measured
from emolens.evaluation.metrics import Comparison
from emolens.evaluation.verdict import ALPHA, p_text, percent, winner
from emolens.names import user_path
from emolens.scores import EXPORTED, role_of
from emolens.shown import html_table, one_line
from emolens.store import load_value, save_json


@dataclass(frozen=True)
class ComparedRun:
    """A run of several. name: a letter. seconds: what the training of its model took.

    models: accuracy and macro-F1 by model, from the simplest to the strongest.
    """

    name: str
    folder: str
    seconds: float
    models: dict[str, dict[str, Measured]]

    def __repr__(self) -> str:
        return one_line(self, self.name, self.folder)


@dataclass(frozen=True)
class RunPair:
    """Two runs, by their fine-tuned models on the same rows.

    accuracy, macro_f1: the figure of the second run minus that of the first. f1: the same for each
    class that has rows. test: McNemar's exact test. n_other: rows with two different answers.
    """

    first: str
    second: str
    accuracy: Measured
    macro_f1: Measured
    f1: dict[str, Measured]
    test: Comparison
    n_other: int

    def __repr__(self) -> str:
        figures = f"accuracy {signed(self.accuracy)}", f"macro-F1 {signed(self.macro_f1)}"
        return one_line(self, f"{self.second} - {self.first}", *figures)

    def _repr_html_(self) -> str:
        figures = {"accuracy": self.accuracy, "macro-F1": self.macro_f1}
        figures |= {f"F1 of {name}": figure for name, figure in self.f1.items()}
        header = ("figure", f"{self.second} - {self.first}", "low", "high")
        rows = [(name, f.value, f.low, f.high) for name, f in figures.items()]
        return html_table(self, header, rows)


@dataclass(frozen=True)
class OtherAnswer:
    """A row that not all runs answer alike.

    row: its place in the split of the first run, from 0. answers, probabilities: one for each run,
    in their order.
    """

    row: int
    text: str
    label: str
    answers: tuple[str, ...]
    probabilities: tuple[float, ...]

    def __repr__(self) -> str:
        answers = " or ".join(dict.fromkeys(self.answers))
        return one_line(self, self.row, f"{self.label}: {answers}", self.text)

    @property
    def right(self) -> tuple[bool, ...]:
        """For each run, whether it is right."""
        return tuple(answer == self.label for answer in self.answers)


@dataclass(frozen=True)
class RunComparison:
    """Runs that were compared on the n rows of one split.

    pairs: the first run with each of the others. rows: those that not all runs answer alike, in
    their order. settings: by name, the values of all runs, where these differ. notes: what must be
    known to read the figures.
    """

    split: str
    n: int
    labels: tuple[str, ...]
    runs: tuple[ComparedRun, ...]
    pairs: tuple[RunPair, ...]
    rows: tuple[OtherAnswer, ...]
    settings: dict[str, tuple[str, ...]]
    notes: tuple[str, ...]

    def __repr__(self) -> str:
        names = ", ".join(run.name for run in self.runs)
        accuracy = [f"{pair.second} - {pair.first} {signed(pair.accuracy)}" for pair in self.pairs]
        return one_line(self, names, f"{self.n:,} rows of {self.split}", *accuracy)

    def _repr_html_(self) -> str:
        rows = [
            (run.name, role_of(model).title, *map(str, figures.values()))
            for run in self.runs
            for model, figures in run.models.items()
        ]
        return html_table(self, ("run", "model", "accuracy", "macro-F1"), rows)

    @property
    def findings(self) -> list[str]:
        """A sentence for each pair: which run is better, or that these texts can't show it."""
        alpha = ALPHA / len(self.pairs)  # Bonferroni's correction
        return [_finding(pair, self.n, alpha) for pair in self.pairs]

    def differing(self) -> list[OtherAnswer]:
        """The rows that not all runs answer alike, those first that are worth reading.

        First come rows that some of the runs get right, and the surer the wrong answer is, the
        earlier.
        """
        return sorted(self.rows, key=lambda row: (not any(row.right), -_sureness(row), row.row))

    def save(self, path: str | Path) -> Path:
        """Write one JSON file; returns its path."""
        save_json(user_path(path), self.to_dict())
        return user_path(path)

    @classmethod
    def load(cls, path: str | Path) -> RunComparison:
        """Read a file that save wrote; StorageError where the file holds anything else."""
        return load_value(cls, user_path(path))

    def to_dict(self) -> dict[str, Any]:
        """Plain values for a JSON object, with the sentences."""
        return asdict(self) | {"findings": self.findings}


def signed(figure: Measured) -> str:
    """A difference with its interval: `+0.021 (−0.003 to +0.045)`."""
    return f"{plus(figure.value)} ({plus(figure.low)} to {plus(figure.high)})"


def plus(value: float) -> str:
    """`+0.021`, `−0.003`, or `0.000` without a sign."""
    text = f"{abs(value):.3f}"
    return text if float(text) == 0 else f"{'+' if value > 0 else '−'}{text}"


def points(figure: Measured) -> str:
    """`2.1 points higher (95 % interval −0.3 to +4.5)`: a difference of two shares."""
    value, *ends = (round(100 * v, 1) + 0.0 for v in (figure.value, figure.low, figure.high))
    low, high = (f"{end:+.1f}".replace("-", "−") if end else "0.0" for end in ends)
    way = "higher" if value > 0 else "lower"
    apart = f"{abs(value):.1f} points {way}" if value else "the same"
    return f"{apart} (95 % interval {low} to {high})"


def _finding(pair: RunPair, n: int, alpha: float) -> str:
    test, first, second = pair.test, pair.first, pair.second
    nothing = f"no difference that {'this text' if n == 1 else f'these {n:,} texts'} can show"
    if not test.only_first + test.only_second:
        return f"{first} and {second} are right on the same texts: {nothing}."
    best = winner(test, alpha=alpha)
    found = f"{best} is better" if best else nothing
    texts = f"{test.only_second:,} text{'' if test.only_second == 1 else 's'}"
    return (
        f"{second} is right on {texts} where {first} is wrong, {first} on {test.only_first:,} where"
        f" {second} is wrong: {found} (p {p_text(test.p_value)})."
    )


def _sureness(row: OtherAnswer) -> float:
    """The highest probability of a wrong answer."""
    pairs = zip(row.right, row.probabilities, strict=True)
    return max(probability for right, probability in pairs if not right)


def accuracy_sentence(comparison: RunComparison, pair: RunPair) -> str:
    """How far the accuracy of the fine-tuned models is apart, and what it is."""
    by_name = {run.name: run.models[EXPORTED.name]["accuracy"] for run in comparison.runs}
    of_first, of_second = (percent(by_name[name].value) for name in (pair.first, pair.second))
    return (
        f"The accuracy of {pair.second} on {comparison.split} is {of_second}, that of {pair.first}"
        f" {of_first}: {points(pair.accuracy)}."
    )
