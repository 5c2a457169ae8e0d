"""Signals that stop a command: Ctrl-C, TERM and HUP raise Stopped in the main thread, so that every
`finally` runs and temporary files are removed. Knows nothing of what the commands do.
"""

from __future__ import annotations

import contextlib
import signal
import sys
import threading
import time
from collections.abc import Iterator
from types import FrameType
from typing import Any

from emolens.stopped import ASKED, Stopped

# SIGBREAK is Ctrl-Break on Windows, which has no SIGHUP.
_NAMES = ("SIGINT", "SIGTERM", "SIGHUP", "SIGBREAK")
_CLEANING = 5.0  # seconds after a signal in which further ones change nothing


class Stops:
    """The first signal that was received, and what the next ones do."""

    def __init__(self) -> None:
        self.signal: int | None = None
        self._received = 0.0

    @property
    def exit_code(self) -> int:
        """What a shell reports for a program that this signal ended."""
        return 128 + (self.signal or signal.SIGINT)

    def stop(self, number: int, frame: FrameType | None) -> None:
        """Raise Stopped, but not in the seconds after an earlier signal."""
        if self.signal is not None and time.monotonic() - self._received < _CLEANING:
            return
        self.signal, self._received = self.signal or number, time.monotonic()
        ASKED.set()
        raise Stopped

    def lost(self, unraisable: Any) -> None:
        """Send the signal again if Python has dropped its exception, as it does in `__del__`."""
        if self.signal is not None and issubclass(unraisable.exc_type, Stopped):
            self._received = 0.0
            again = threading.Timer(0.05, signal.raise_signal, (self.signal,))
            again.daemon = True
            again.start()


@contextlib.contextmanager
def promise(text: str) -> Iterator[None]:
    """If a signal stops the block, print `text` after 'Stopped.'."""
    try:
        yield
    except KeyboardInterrupt as stop:
        stop.add_note(text)
        raise


@contextlib.contextmanager
def stoppable(stops: Stops) -> Iterator[None]:
    """Let `stops` receive the signals while the block runs. An ignored one (nohup) stays ignored.

    Only for the last block of a process: after it, these signals are ignored, so that they can't
    change the exit code while Python ends.
    """
    received: list[int] = []
    hook = sys.unraisablehook
    ASKED.clear()
    try:
        if threading.current_thread() is threading.main_thread():  # other threads may not do this
            for number in (getattr(signal, name, None) for name in _NAMES):
                if number and signal.getsignal(number) not in (signal.SIG_IGN, None):
                    received.append(number)
                    signal.signal(number, stops.stop)
        sys.unraisablehook = stops.lost
        yield
    finally:
        sys.unraisablehook = hook
        ASKED.clear()
        for number in received:
            signal.signal(number, signal.SIG_IGN)
