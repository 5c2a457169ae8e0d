"""Whether the process was asked to stop. Knows no signals: cli/stops.py receives them."""

from __future__ import annotations

import threading

ASKED = threading.Event()


class Stopped(KeyboardInterrupt):
    """The process was asked to stop. Libraries handle it as they handle Ctrl-C."""


def check_not_stopped() -> None:
    """Raise Stopped if the process was asked to stop.

    Some libraries turn the exception of a signal into a RuntimeError. So ask before such an error
    is taken for an answer about a model.
    """
    if ASKED.is_set():
        raise Stopped
