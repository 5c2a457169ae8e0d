"""Runs a command, turns every error into a sentence and a hint, and gives the exit code.

A traceback is shown with --debug only. Knows nothing of what the commands do.
"""

from __future__ import annotations

import contextlib
import copy
import logging
import sys
import traceback
import warnings
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import typer

from emolens.cli.stops import Stops, stoppable
from emolens.cli.streams import standard_streams
from emolens.console import Console
from emolens.errors import EmolensError, StorageError, UsageError, first_line

# The error of typer for a wrong option, argument or command. It has no public name of its own.
_MISUSE: Any = typer.BadParameter.__base__


def run_command(app: typer.Typer, arguments: Sequence[str]) -> int:
    """Run a command of `app` and print why it failed, if it did. Returns the exit code."""
    debug, words = _without_debug(arguments)
    stops = Stops()
    try:
        with standard_streams(show_libraries=debug), stoppable(stops), _notes(debug):
            return _ended(lambda: _invoke(app, words), stops, debug=debug)
    except KeyboardInterrupt:  # before the command began, or while an error was being printed
        return stops.exit_code


def _without_debug(arguments: Sequence[str]) -> tuple[bool, list[str]]:
    """Whether --debug is among the options, before or after the command; and the other words."""
    end = arguments.index("--") if "--" in arguments else len(arguments)
    options = [word for word in arguments[:end] if word != "--debug"]
    return len(options) < end, [*options, *arguments[end:]]


def _invoke(app: typer.Typer, words: list[str]) -> int:
    command = typer.main.get_command(_only(app, words))
    try:
        # Not app(words): it would answer errors and signals itself.
        with command.make_context("emolens", words or ["--help"]) as context:
            command.invoke(context)
    except typer.Exit as ended:  # --help and --version
        return int(ended.exit_code)
    return 0


def _only(app: typer.Typer, words: list[str]) -> typer.Typer:
    """The app with the one command that is called: typer takes time to build each of them."""
    smaller = copy.copy(app)
    called = [command for command in app.registered_commands if [command.name] == words[:1]]
    smaller.registered_commands = called or app.registered_commands
    return smaller


def _ended(run: Callable[[], int], stops: Stops, *, debug: bool) -> int:
    try:
        code = run()
        sys.stdout.flush()  # here, because a full disk shows only now
    except SystemExit as ended:
        return ended.code if isinstance(ended.code, int) else 1
    except BaseException as error:  # a panic in Rust is no Exception
        console = Console()
        if debug:
            console.traceback("".join(traceback.format_exception(error)))
        # Libraries may turn the exception of a signal into another one.
        if stops.signal is not None or isinstance(error, KeyboardInterrupt):
            console.note(_stopped(error))
            return stops.exit_code
        explained = explain(error)
        console.error(explained)
        return explained.exit_code
    return code


def _stopped(error: BaseException) -> str:
    """The line about a command that was stopped, with what promise() added."""
    return " ".join(["Stopped.", *getattr(error, "__notes__", [])])


def explain(error: BaseException) -> EmolensError:
    """The sentence and the hint for any exception."""
    if isinstance(error, EmolensError):
        return error
    if isinstance(error, _MISUSE):
        return _misuse(error)
    if isinstance(error, MemoryError):
        return EmolensError(
            "The memory of this machine is used up.",
            hint="Close other programs, or give fewer texts or a smaller model.",
        )
    if isinstance(error, OSError) and error.filename is not None and error.strerror:
        return StorageError(
            f"{error.filename}: {error.strerror}.", hint="Check the name and the permissions."
        )
    kind, line = type(error).__name__, first_line(error)
    what = kind if line == kind else f"{kind}: {line}"
    return EmolensError(
        f"This is a fault of emolens: {what.rstrip('.')}.",
        hint="Report it to whoever gave you emolens. Send the command, and what it prints with"
        " --debug.",
    )


def _misuse(error: Any) -> UsageError:
    """typer's sentence about a wrong option, argument or command, and the help to read."""
    path = error.ctx.command_path if error.ctx else "emolens"
    sentence = " ".join(error.format_message().split())
    end = "" if sentence.endswith((".", "?")) else "."
    quote = (
        'Put a pattern in quotes: --dataset "part_*.csv". ' if "extra argument" in sentence else ""
    )
    return UsageError(sentence + end, hint=f"{quote}All options are in: {path} --help")


@contextlib.contextmanager
def _notes(debug: bool) -> Iterator[None]:
    """Print the warnings of emolens as notes. Warnings and logs of libraries are for programmers,
    so only --debug shows them.
    """
    level = logging.root.manager.disable
    show = warnings.showwarning

    def note(message: Any, *_: Any, **__: Any) -> None:
        if debug or _raised_by_emolens():
            Console().note(f"Note: {message}")

    warnings.showwarning = note
    logging.disable(level if debug else logging.CRITICAL)
    try:
        yield
    finally:
        warnings.showwarning = show
        logging.disable(level)


def _raised_by_emolens() -> bool:
    """Whether code of emolens called warnings.warn. The file name of the warning does not say it,
    because stacklevel may choose the file of a caller.
    """
    frame = sys._getframe(2)
    while frame.f_globals.get("__name__") == "warnings" and frame.f_back:
        frame = frame.f_back
    return str(frame.f_globals.get("__name__")).partition(".")[0] == "emolens"
