"""Does the work on some items ahead of their use, in threads. Knows nothing of texts or models."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")
_AT_ONCE = 2


def ahead(work: Callable[[Item], Result], items: Iterable[Item]) -> Iterator[Result]:
    """work(item) of each item, in their order, two of them at once.

    While one result is used, at most two others are made. An error comes where its result would;
    what has not begun by then is left undone.
    """
    waiting: deque[Future[Result]] = deque()
    pool = ThreadPoolExecutor(_AT_ONCE)
    try:
        for item in items:
            if len(waiting) == _AT_ONCE:
                yield waiting.popleft().result()
            waiting.append(pool.submit(work, item))
        while waiting:
            yield waiting.popleft().result()
    finally:
        pool.shutdown(cancel_futures=True)
