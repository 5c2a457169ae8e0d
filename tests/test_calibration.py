"""Calibration: what emolens.json keeps, and what it refuses."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emolens.calibration import N_SHARES, Calibration, Promise

SHARES = st.floats(0, 1)
HUNDRED = st.lists(SHARES, min_size=N_SHARES, max_size=N_SHARES).map(tuple)
FLAT = tuple(i / N_SHARES for i in range(N_SHARES))
KNOWN = Calibration(
    temperature=1.5,
    rows=200,
    folds=5,
    confidence=0.9,
    promised=0.8,
    promises=(Promise(0.7, 0.0, 1.0), Promise(0.8, 0.4, 0.9), Promise(0.9, 0.8, 0.3)),
    thresholds=tuple(reversed(FLAT)),
    accuracies=tuple(reversed(FLAT)),
    sets=tuple(reversed(FLAT)),
)


@given(
    st.floats(0.05, 20), st.integers(1, 10**6), st.lists(SHARES, unique=True), HUNDRED, HUNDRED
)  # fmt: skip
def test_a_calibration_is_read_as_it_was_written(
    temperature: float, rows: int, rights: list[float], a: tuple[float, ...], b: tuple[float, ...]
) -> None:
    promises = tuple(Promise(right, 0.5, 0.5) for right in sorted(rights))
    promised = promises[-1].right if promises else None
    whole = Calibration(temperature, rows, 1, 0.9, promised, promises, a, b, a)
    whole = replace(whole, confusion=((1, 2), (0, rows)) if rows % 2 else None)
    assert Calibration.from_json(json.loads(json.dumps(whole.to_json()))) == whole


def test_a_promise_that_was_not_measured_becomes_the_next_higher_one() -> None:
    assert KNOWN.promise(0.75) == KNOWN.promises[1] == KNOWN.default
    assert KNOWN.promise(0.95) is None
    assert replace(KNOWN, promised=None).default is None


@pytest.mark.parametrize(("share", "place"), [(0.001, 0), (0.8, 79), (0.801, 80), (1.0, 99)])
def test_a_share_is_rounded_to_the_percent_above(share: float, place: int) -> None:
    assert KNOWN.threshold_for(share) == (KNOWN.thresholds[place], KNOWN.accuracies[place])


@pytest.mark.parametrize(
    "change",
    [
        {"temperature": 0},
        {"temperature": [1, "x"]},
        {"promised": 0.95},
        {"promises": [[0.9, 0.5, 0.5], [0.8, 0.5, 0.5]]},
        {"promises": [[0.8, 0.5]]},
        {"promises": 3},
        {"thresholds": [0.5]},
        {"thresholds": [2.0] * N_SHARES},
        {"rows": True},
        {"rows": float("inf")},
        {"confusion": [[1, 2]]},
        {"confusion": [[1, 2], [3, -1]]},
        {"confusion": [[1, 2], [3, 1.5]]},
        {"confusion": []},
        {"confusion": 3},
    ],
)
def test_values_that_emolens_never_writes_are_refused(change: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="calibration"):
        Calibration.from_json({**KNOWN.to_json(), **change})


@pytest.mark.parametrize("plain", [[], "x", {}, {"temperature": 1.0}])
def test_something_else_is_refused(plain: object) -> None:
    with pytest.raises(ValueError, match="calibration"):
        Calibration.from_json(plain)
