"""Work is done ahead of its use, in order, and no further than needed."""

from __future__ import annotations

import threading

import pytest

from emolens.predict.ahead import ahead


def test_results_come_in_the_order_of_the_items() -> None:
    first_may_end = threading.Event()

    def work(item: int) -> int:
        if item == 0:
            assert first_may_end.wait(10)
        elif item == 1:
            first_may_end.set()  # the second one ends first
        return item * item

    assert list(ahead(work, range(9))) == [item * item for item in range(9)]


def test_items_are_taken_as_they_are_needed() -> None:
    taken: list[int] = []

    def items() -> object:
        for item in range(9):
            taken.append(item)
            yield item

    results = ahead(str, items())  # type: ignore[arg-type]
    assert taken == []
    assert next(results) == "0"
    assert len(taken) <= 3
    results.close()  # type: ignore[attr-defined]
    assert len(taken) <= 3


def test_an_error_comes_where_its_result_would() -> None:
    def work(item: int) -> int:
        return 1 // (item - 2)

    results = ahead(work, range(9))
    assert (next(results), next(results)) == (-1, -1)
    with pytest.raises(ZeroDivisionError):
        next(results)
