"""Dropout from a stream of random bytes that belongs to one step and one worker.

torch draws a double for each element, one after the other, which takes a fifth of a training step
on a CPU (benchmarks/RESULTS.md). Here a byte is drawn for each element. Streams of their own make
a step independent of the threads, and of all steps before: a resumed training draws the same.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from typing import Any

import numpy as np

from emolens.errors import require

_LEVELS = 256  # of a byte


def seeded_dropout(seeds: Sequence[int]) -> AbstractContextManager[Any]:
    """While it is entered, torch's dropout takes its random bytes from the stream of these seeds.

    The chance p becomes the nearest multiple of 1/256, and the kept elements are scaled to match,
    so that the mean stays the same.
    """
    torch = require("torch", "train")
    dropout = _dropped(np.random.SFC64(list(seeds)))

    class SeededDropout(torch.overrides.TorchFunctionMode):  # type: ignore[misc, name-defined]
        """Stands in for the function that all dropout layers call."""

        def __torch_function__(
            self, function: Any, types: Any, args: Any = (), kwargs: Any = None
        ) -> Any:
            if function is torch.nn.functional.dropout:
                function = dropout
            return function(*args, **(kwargs or {}))

    return SeededDropout()


def _dropped(stream: np.random.SFC64) -> Callable[..., Any]:
    """A function that stands in for `torch.nn.functional.dropout`, with bytes of this stream."""
    torch = require("torch", "train")

    def dropout(input: Any, p: float = 0.5, training: bool = True, inplace: bool = False) -> Any:  # noqa: ARG001 - torch's signature
        refused = round(p * _LEVELS)
        if not training or not refused:
            return input
        if refused == _LEVELS:
            return input * 0
        n = input.numel()
        drawn = stream.random_raw(-(-n // 8)).view(np.uint8)[:n]
        kept = torch.from_numpy(drawn).view(input.shape).ge(refused).to(input.dtype)
        return input * kept.mul_(_LEVELS / (_LEVELS - refused))

    return dropout
