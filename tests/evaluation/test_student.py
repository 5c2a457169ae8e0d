"""Student's quantiles agree with SciPy's."""

from __future__ import annotations

import pytest
from scipy.special import stdtrit

from emolens.evaluation.student import student_quantile


@pytest.mark.parametrize("p", [0.5, 0.75, 0.9, 0.975, 0.995, 0.9995])
@pytest.mark.parametrize("freedom", [0.3, 0.5, 1, 1.5, 2, 7.3, 12, 29.99, 30, 31.5, 100, 1e6])
def test_a_quantile_is_that_of_scipy(p: float, freedom: float) -> None:
    assert student_quantile(p, freedom) == pytest.approx(stdtrit(freedom, p), rel=1e-5, abs=1e-9)


def test_a_quantile_too_large_to_write_ends() -> None:
    assert student_quantile(0.975, 1e-4) > 1e100
