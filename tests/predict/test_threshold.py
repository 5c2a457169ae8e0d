"""What is said about the threshold, and which values are refused."""

from __future__ import annotations

from dataclasses import replace

import pytest

from emolens.calibration import N_SHARES, Calibration, Promise
from emolens.errors import UsageError
from emolens.export.head import read_head
from emolens.predict.threshold import Wanted, threshold_of
from emolens.study import Run

WEAK = (Promise(0.6, 0.4, 0.9), Promise(0.7, 0.6, 0.62))
STRONG_FOR_FEW = (Promise(0.8, 0.85, 0.2), Promise(0.85, 0.9, 0.05))


def calibration(*promises: Promise) -> Calibration:
    some = (0.5,) * N_SHARES
    return Calibration(1.0, 300, 5, 0.9, None, promises, some, some, some)


@pytest.mark.parametrize(
    ("promises", "text"),
    [
        ((), "no promise can be kept."),
        (
            WEAK,
            "no promise of 80 % or more can be kept."
            " --promise 0.7 can, and would leave about 62 % of the texts answered.",
        ),
        (
            (*WEAK, *STRONG_FOR_FEW),
            "no promise of 80 % or more leaves half of the texts answered."
            " --promise 0.8 would leave about 20 %.",
        ),
    ],
)
def test_a_model_that_promises_nothing_says_what_it_could(
    tiny_run: Run, promises: tuple[Promise, ...], text: str
) -> None:
    folder = tiny_run.folder / "model"
    head = replace(read_head(folder), calibration=calibration(*promises))
    threshold = threshold_of(folder, head, Wanted())
    assert threshold.promise is None
    assert f"Nothing is promised about the answers: {text}" in threshold.text


@pytest.mark.parametrize(
    ("given", "line"),
    [
        ({"promise": 95}, "--promise takes a share above 0 and up to 1, not 95."),
        ({"coverage": 0}, "--coverage takes a share above 0 and up to 1, not 0."),
        ({"unsure_below": 2}, "--unsure-below takes a share from 0 to 1, not 2."),
    ],
)
def test_what_is_no_share_is_refused(given: dict[str, float], line: str) -> None:
    with pytest.raises(UsageError) as refused:
        Wanted(**given)
    assert str(refused.value) == line
