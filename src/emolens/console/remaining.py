"""How much time a computation still takes, from the steps that it has done.

Knows nothing of what the steps are, and prints nothing.
"""

from __future__ import annotations

import time
from collections.abc import Callable

Clock = Callable[[], float]
# In seconds. The first steps are slow, and say little about the others.
_WARM_UP, _LEAST = 3.0, 5.0
# The time left is said of what takes longer than a minute: late enough to be exact, and within it.
_LONG, _EARLIEST, _LATEST = 60.0, 30.0, 55.0
_PARTS = (0.25, 0.5, 0.75)  # where it is said again
_HARDLY = 20.0  # seconds that are not worth a line


class Remaining:
    """Gets each step that is done; knows how many seconds are left."""

    def __init__(self, clock: Clock = time.monotonic) -> None:
        self._clock, self._begin = clock, clock()
        self._first: float | None = None  # when the first step was done
        self._warm: tuple[float, int] | None = None  # when the speed begins to count
        self._now, self._pause = self._begin, 0.0
        self._done, self._total = 0, 0
        self._announced: float | None = None  # the share that was done then

    def update(self, done: int, total: int) -> None:
        """So many steps are done; an earlier run may have done the first ones."""
        now = self._clock()
        self._now, self._pause = now, now - self._now
        self._done, self._total = done, total
        if self._first is None:
            self._first = now
        elif self._warm is None and now - self._first >= _WARM_UP:
            self._warm = (now, done)

    @property
    def seconds(self) -> float | None:
        """The seconds that are left; None as long as too little is known."""
        if self._warm is None:
            return None
        since, steps = self._now - self._warm[0], self._done - self._warm[1]
        if since < _LEAST or steps <= 0:
            return None
        return (self._total - self._done) * since / steps

    def announcement(self) -> str | None:
        """What to say after this step: once within the first minute, then at each quarter."""
        left = self.seconds
        if left is None:
            return None
        share, elapsed = self._done / self._total, self._now - self._begin
        if self._announced is None:
            is_time = elapsed >= _EARLIEST or elapsed + self._pause >= _LATEST
            if not is_time or elapsed + left <= _LONG:
                return None
            self._announced = share
            return f"about {in_words(left)} left ({in_words(elapsed + left)} in all)"
        if left < _HARDLY or not any(self._announced < part <= share for part in _PARTS):
            return None
        self._announced = share
        return f"{100 * share:.0f} % done, about {in_words(left)} left"


def in_words(seconds: float) -> str:
    """`40 s`, `9 min` or `1 h 20 min`."""
    if seconds < 95:
        return f"{max(10 * round(seconds / 10), 10)} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 90 else f"{minutes // 60} h {minutes % 60} min"
