"""Time and memory of a stage."""

from __future__ import annotations

from emolens.study.meter import Meter


def test_the_meter_counts_time_and_memory() -> None:
    meter = Meter()
    block = b"x" * 50_000_000
    assert meter.seconds > 0
    assert meter.peak_memory_mb > len(block) / 2**20
