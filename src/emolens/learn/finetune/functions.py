"""Two functions of torch that are slow on a CPU, done in a faster way: dropout and softmax.

torch draws a double for each element of a dropout, one after the other, which takes a fifth of a
training step (benchmarks/RESULTS.md). Here a byte is drawn for each element, from a stream that
belongs to one step and one worker. Streams of their own make a step independent of the threads, and
of all steps before: a resumed training draws the same.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from typing import Any

import numpy as np

from emolens.errors import require

_LEVELS = 256  # of a byte
_INTEGERS = {2: np.uint16, 4: np.uint32, 8: np.uint64}  # by the bytes of a number


def fast_functions(seeds: Sequence[int]) -> AbstractContextManager[Any]:
    """While it is entered, torch's dropout and softmax are computed here.

    Dropout takes its random bytes from the stream of these seeds. The chance p becomes the nearest
    multiple of 1/256, and the kept elements are scaled to match, so that the mean stays the same.
    """
    torch = require("torch", "train")
    functional = torch.nn.functional
    ours = {
        functional.dropout: _dropped(np.random.SFC64(list(seeds))),
        functional.softmax: _softmax,
    }

    class FastFunctions(torch.overrides.TorchFunctionMode):  # type: ignore[misc, name-defined]
        """Stands in for the functions that all dropout layers and attentions call."""

        def __torch_function__(
            self, function: Any, types: Any, args: Any = (), kwargs: Any = None
        ) -> Any:
            return ours.get(function, function)(*args, **(kwargs or {}))

    return FastFunctions()


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
        # NumPy compares bytes six times as fast as torch. It knows no bf16, so the bits of the
        # factor are put in place as an integer.
        factor = torch.tensor([_LEVELS / (_LEVELS - refused)], dtype=input.dtype)
        bits = factor.view(torch.uint8).numpy().view(_INTEGERS[input.itemsize])
        kept = (drawn >= refused).astype(bits.dtype)
        kept *= bits
        factors = torch.from_numpy(kept.view(np.uint8)).view(input.dtype)
        return input * factors.view(input.shape)

    return dropout


def _softmax(input: Any, dim: int | None = None, _stacklevel: int = 3, dtype: Any = None) -> Any:
    """`torch.nn.functional.softmax`. In bf16, torch needs up to four times as long for rows of 16
    to 63 numbers as in fp32, if they are no multiple of 32.
    """
    torch = require("torch", "train")
    softmax, length = torch.softmax, input.shape[-1]
    slow = input.dtype == torch.bfloat16 and dtype is None and 16 <= length < 64 and length % 32
    if slow and dim in (-1, input.ndim - 1):
        return softmax(input, dim, dtype=torch.float32).to(input.dtype)
    if dim is None:
        return torch.nn.functional.softmax(input, dim, _stacklevel, dtype)
    return softmax(input, dim, dtype=dtype)
