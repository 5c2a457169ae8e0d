"""Every error a user can cause, and how a missing extra is named. Knows no other module.

EmolensError                 one sentence that says what happened, one hint that says what to do
├── DataError                a data set that can't be read or can't be learned from
├── EncoderError             an encoder or model folder that can't be loaded or isn't the one
├── HubError                 the Hugging Face Hub does not answer, or does not have it
├── StorageError             a file that can't be written or read back
├── MissingExtra             an optional library is not installed
└── UsageError               a command, option or study that is not well-formed (exit code 2)
"""

from __future__ import annotations

import difflib
import importlib
from collections.abc import Iterable
from types import ModuleType


class EmolensError(Exception):
    """What went wrong in one sentence, with a `hint` that says what to do about it."""

    exit_code = 1

    def __init__(self, message: str, *, hint: str) -> None:
        super().__init__(message)
        self.hint = hint


class DataError(EmolensError):
    """A data set that can't be read or can't be learned from."""


class EncoderError(EmolensError):
    """An encoder or model folder that can't be loaded or isn't what was asked for."""


class HubError(EmolensError):
    """The Hugging Face Hub does not answer, or does not have what was asked for."""


class StorageError(EmolensError):
    """A file that can't be written or read back."""


class MissingExtra(EmolensError):  # noqa: N818 - it says more than MissingExtraError
    """An optional library that this call needs is not installed."""


class UsageError(EmolensError):
    """A command, an option or a study that is not well-formed."""

    exit_code = 2


def require(module: str, extra: str) -> ModuleType:
    """Import `module`, or say which extra of emolens brings it."""
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        if error.name is None or error.name.split(".")[0] != module.split(".", maxsplit=1)[0]:
            raise
        raise MissingExtra(
            f"This needs the library {error.name}, which is not installed.",
            hint=f"pip install 'emolens[{extra}]'",
        ) from error


def nearest(name: str, known: Iterable[str]) -> str:
    """End a hint: 'Did you mean X? ' and the known names."""
    names = sorted(known)
    close = difflib.get_close_matches(name, names, n=1, cutoff=0.5)
    guess = f"Did you mean '{close[0]}'? " if close else ""
    return f"{guess}Known: {', '.join(names)}."
