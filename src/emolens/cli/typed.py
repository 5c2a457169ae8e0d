"""Options as part of a command to type: those of this command that the next one needs, too."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict

from emolens.cli.options import DEFAULT_MODEL
from emolens.data.readers.options import AS_FOUND, ReadOptions
from emolens.predict.threshold import OPTIONS, Wanted
from emolens.shown import quoted


def typed_options(given: Mapping[str, object]) -> str:
    """' --text "my text" --strict': each option behind a space; without a value, it is left out."""
    return "".join(_typed(name, value) for name, value in given.items() if value is not None)


def reading_options(read: ReadOptions) -> str:
    """The options with which a table is read as it was read now."""
    given = {
        "--format" if field == "file_format" else "--" + field.replace("_", "-"): value
        for field, value in vars(read).items()
        if value != getattr(AS_FOUND, field)
    }
    if read.delimiter == "\t":  # a terminal turns the sign itself into something else
        given["--delimiter"] = "tab"
    return typed_options(given)


def model_options(model: str, wanted: Wanted, precision: str | None) -> str:
    """The options with which the same model answers with the same threshold."""
    named = {"--model": None if model == DEFAULT_MODEL else model}
    threshold = {OPTIONS[name]: value for name, value in asdict(wanted).items()}
    return typed_options({**named, **threshold, "--precision": precision})


def _typed(name: str, value: object) -> str:
    if value is True:
        return f" {name}"
    if value is False:
        return f" {name.replace('--', '--no-')}"
    return f" {name} {quoted(str(value))}"
