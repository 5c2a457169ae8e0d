"""Threshold: from which probability on a text is answered, and what is known of such answers.

Reads what was measured after the training; knows no text and no table.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from emolens.calibration import N_SHARES, PROMISES, Calibration, Promise
from emolens.errors import UsageError

if TYPE_CHECKING:  # `emolens --help` needs no NumPy
    from emolens.export.head import Head

_UNMEASURED = 0.5
_HIGHEST = 0.99  # coverage of prediction sets
OPTIONS = {
    "unsure_below": "--unsure-below",
    "promise": "--promise",
    "coverage": "--coverage",
}


@dataclass(frozen=True)
class Threshold:
    """An answer is unsure if its highest probability is below `unsure_below`.

    promise: what holds of the other answers; None if nothing is promised. text: what is known of
    them, in one or two sentences.
    """

    unsure_below: float
    promise: Promise | None
    text: str


@dataclass(frozen=True)
class Wanted:
    """What a user asks for: at most one of these. All are shares from 0 to 1.

    unsure_below: the threshold itself. promise: how many of the answers must be right. coverage:
    how many of the texts should be answered.
    """

    unsure_below: float | None = None
    promise: float | None = None
    coverage: float | None = None

    def __post_init__(self) -> None:
        given = {name: value for name, value in vars(self).items() if value is not None}
        for name, value in given.items():
            _check_share(OPTIONS[name], value, above_0=name != "unsure_below")
        if len(given) > 1:
            raise UsageError(
                "Give only one of --unsure-below, --promise and --coverage.",
                hint="Each of them sets the threshold below which an answer is unsure.",
            )


def _check_share(option: str, value: float, *, above_0: bool = True, most: float = 1.0) -> None:
    """UsageError for a value that is no share."""
    if 0 <= value <= most and (value or not above_0):
        return
    example = value / 100 if 10 <= value <= 99 else 0.9
    raise UsageError(
        f"{option} takes a share {'above 0 and up' if above_0 else 'from 0'} to {most:g}, not"
        f" {value:g}.",
        hint=f"For example: {option} {example:g}",
    )


def threshold_of(
    folder: Path, head: Head, wanted: Wanted, *, answer_all: bool = False
) -> Threshold:
    """The threshold that is asked for, or that of the model's own promise.

    answer_all: whether unsure texts get an answer, too, about which nothing is promised. Raises
    UsageError for a promise or a coverage if nothing was measured for this model, or if the promise
    can't be kept.
    """
    if wanted.promise is not None or wanted.coverage is not None:
        _measured(folder, head)
    calibration = head.calibration
    if calibration is None or head.decision.several:
        below = _UNMEASURED if wanted.unsure_below is None else wanted.unsure_below
        return _not_measured(below)
    if wanted.coverage is not None:
        return _at(calibration, calibration.threshold_for(wanted.coverage)[0])
    if wanted.unsure_below is not None:
        return _at(calibration, wanted.unsure_below)
    promise = _promise(calibration, wanted.promise)
    if promise is None:
        return _none_kept(calibration)
    text = _promised(calibration, promise, folder, answer_all=answer_all)
    return Threshold(promise.threshold, promise, text)


def check_sets(coverage: float) -> None:
    """Raise UsageError for a coverage of prediction sets that can't be given."""
    _check_share("--sets", coverage, most=_HIGHEST)


def set_threshold_of(folder: Path, head: Head, coverage: float) -> float:
    """The lowest probability of a class in a prediction set that holds the true class so often."""
    check_sets(coverage)
    return _measured(folder, head).set_threshold(coverage)


def _measured(folder: Path, head: Head) -> Calibration:
    from emolens.modelfolder import shown_name

    name = shown_name(folder)
    if head.decision.several:
        raise UsageError(
            f"{name} gives several classes per text; promises, coverage and prediction sets are"
            " for models with one class per text.",
            hint="Choose a threshold yourself: --unsure-below 0.7",
        )
    if head.calibration is None:
        raise UsageError(
            f"For the model {name} nobody has measured how often its answers are right, so"
            " nothing can be promised.",
            hint="Choose a threshold yourself: --unsure-below 0.7. This version of emolens measures"
            " the models that it trains.",
        )
    return head.calibration


def _promise(calibration: Calibration, right: float | None) -> Promise | None:
    """The promise that is asked for, or the model's own."""
    if right is None:
        return calibration.default
    promise = calibration.promise(right)
    if promise is None:
        highest = calibration.promises[-1].right if calibration.promises else None
        raise UsageError(
            f"That {percent(right)} of the answers are right can't be promised: the"
            f" {calibration.rows:,} labelled texts that were kept for this do not show it.",
            hint=f"The highest promise of this model: --promise {highest:g}"
            if highest
            else "This model can promise nothing. Choose a share of texts: --coverage 0.5",
        )
    return promise


def _promised(calibration: Calibration, promise: Promise, folder: Path, *, answer_all: bool) -> str:
    from emolens.modelfolder import training_data_name

    name = training_data_name(folder)
    like = f"those of '{name}'" if name else "those it was trained on"
    answers = "answers that are not unsure" if answer_all else "answers"
    return (
        f"Of the {answers}, at least {percent(promise.right)} are right, with"
        f" {percent(calibration.confidence)} confidence, on texts like {like}; of such texts, about"
        f" {percent(promise.answered)} get an answer. {_below(promise.threshold)}"
    )


def _none_kept(calibration: Calibration) -> Threshold:
    text = "Nothing is promised about the answers:"
    lowest = PROMISES[-1]
    if not calibration.promises:
        text += " no promise can be kept."
    elif best := calibration.promise(lowest):
        text += (
            f" no promise of {percent(lowest)} or more leaves half of the texts answered."
            f" --promise {best.right:g} would leave about {percent(best.answered)}."
        )
    else:
        best = calibration.promises[-1]
        text += (
            f" no promise of {percent(lowest)} or more can be kept. --promise {best.right:g} can,"
            f" and would leave about {percent(best.answered)} of the texts answered."
        )
    return Threshold(_UNMEASURED, None, f"{text} {_below(_UNMEASURED)}")


def _at(calibration: Calibration, threshold: float) -> Threshold:
    """A threshold without a promise."""
    shares = [i for i, lowest in enumerate(calibration.thresholds) if lowest >= threshold]
    text = f"{_below(threshold)} Of {calibration.rows:,} labelled texts,"
    if shares:
        text += (
            f" about {percent((shares[-1] + 1) / N_SHARES)} reached it, and"
            f" {percent(calibration.accuracies[shares[-1]])} of these answers were right. This is"
            " no promise."
        )
    else:
        text += " none reached it."
    return Threshold(threshold, None, text)


def _not_measured(threshold: float) -> Threshold:
    text = "How often the answers of this model are right was not measured, so nothing is promised."
    return Threshold(threshold, None, f"{text} {_below(threshold)}")


def _below(threshold: float) -> str:
    return f"An answer is unsure if its probability is below {_digits(threshold)}."


def _digits(probability: float) -> str:
    """Four digits, as in a table of answers; more if they would make 1 of a lower probability."""
    return f"{probability:.4g}" if probability < 0.9995 else f"{probability:.8g}"


def percent(share: float) -> str:
    """'97 %', '99.5 %'."""
    return f"{100 * share:.3g} %"
