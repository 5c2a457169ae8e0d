from __future__ import annotations

import inspect
import sys
from pathlib import Path

import pytest

from emolens import errors
from emolens.errors import (
    EmolensError,
    MissingExtra,
    UsageError,
    first_line,
    nearest,
    require,
)

KINDS = [
    kind
    for _, kind in inspect.getmembers(errors, inspect.isclass)
    if issubclass(kind, EmolensError)
]


@pytest.mark.parametrize("kind", KINDS)
def test_every_error_says_what_happened_and_what_to_do(kind: type[EmolensError]) -> None:
    error = kind("It broke.", hint="Mend it.")
    assert (str(error), error.hint) == ("It broke.", "Mend it.")
    assert error.exit_code == (2 if kind is UsageError else 1)


def test_require_gives_what_is_installed() -> None:
    assert require("json", "train").dumps([1]) == "[1]"


@pytest.mark.parametrize("module", ["no_such_library", "no_such_library.part"])
def test_require_names_the_extra_that_brings_what_is_missing(module: str) -> None:
    with pytest.raises(MissingExtra, match="no_such_library") as caught:
        require(module, "starter")
    assert caught.value.hint == 'pip install "emolens[starter]"'


def test_require_does_not_blame_a_library_for_what_that_lacks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "broken_library.py").write_text("import what_it_needs\n")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(ModuleNotFoundError, match="what_it_needs"):
        require("broken_library", "train")
    assert "broken_library" not in sys.modules


def test_nearest_guesses_only_where_something_is_near() -> None:
    assert nearest("epoch", ["epochs", "batch"]) == "Did you mean 'epochs'? Known: batch, epochs."
    assert nearest("zzz", ["epochs", "batch"]) == "Known: batch, epochs."


def test_first_line_never_comes_up_empty() -> None:
    assert first_line(ValueError("one\ntwo")) == "one"
    assert first_line(ValueError()) == "ValueError"
