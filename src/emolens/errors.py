"""The errors that a user can cause, and the hints about them. Knows no other module."""

from __future__ import annotations

import difflib
import importlib
from collections.abc import Iterable, Sequence
from types import ModuleType

_SHOWN = 12  # names in a hint
_LONGEST = 200  # characters of a name that are shown
_COMPARED = 2_000  # names among which a similar one is looked for


class EmolensError(Exception):
    """One sentence that says what went wrong, and a `hint` that says what to do about it."""

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
    """A command, an option or a study that is not valid."""

    exit_code = 2


def require(module: str, extra: str) -> ModuleType:
    """Import `module`; MissingExtra names the extra of emolens that installs it."""
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        if error.name is None or error.name.split(".")[0] != module.split(".", maxsplit=1)[0]:
            raise
        raise MissingExtra(
            f"This needs the library {error.name}, which is not installed.",
            hint=f'pip install "emolens[{extra}]"',  # single quotes fail in the Windows prompt
        ) from error


def nearest(name: str, known: Iterable[str]) -> str:
    """The end of a hint: 'Did you mean X?', if a known name is similar, and some known names."""
    names = sorted(known)
    likely = [other for other in names if other.lower() == name.lower()] or names[:_COMPARED]
    close = difflib.get_close_matches(name, likely, n=1, cutoff=0.5)
    guess = f"Did you mean '{close[0]}'? " if close else ""
    return f"{guess}Known: {some_of(names)}."


def some_of(names: Sequence[str]) -> str:
    """The names with commas between them; of many names the first ones, and how many follow.

    Names come from files of users: of a very long one, the beginning is shown.
    """
    shown = ", ".join(f"{n[:_LONGEST]}…" if len(n) > _LONGEST else n for n in names[:_SHOWN])
    return shown if len(names) <= _SHOWN else f"{shown} and {len(names) - _SHOWN:,} more"


def first_line(error: BaseException) -> str:
    """The first line of an error's message, or the name of its class if the message is empty."""
    lines = (line.strip() for line in str(error).splitlines())
    # OpenVINO begins with lines that only name places in its own source.
    useful = (line for line in lines if line and not line.startswith("Exception from src/"))
    return next(useful, type(error).__name__)
