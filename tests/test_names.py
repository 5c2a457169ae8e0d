"""Names that a user gives."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

import emolens as el
from emolens.encode.table import encode_table
from emolens.errors import UsageError
from emolens.names import user_path


@pytest.mark.parametrize("name", ["a" * 5000, "a" * 300 + ".csv", "a\0b", "", "  ", "a/" * 4000])
def test_a_name_that_no_file_can_have_is_refused(name: str) -> None:
    with pytest.raises(UsageError) as raised:
        user_path(name)
    assert len(str(raised.value)) < 200


@pytest.mark.parametrize(
    "use",
    [
        partial(el.run_study, el.load_study("starter")),
        partial(el.predict_table, None, "in.csv"),
        lambda name: el.predict_table(None, name, "out.csv"),
        partial(encode_table, None, "in.csv"),
        lambda name: encode_table(None, name, "out.parquet"),
        el.Evaluation.load,
        el.Projection.load,
        el.Scores.load,
    ],
)
def test_no_function_takes_an_empty_name_for_the_current_folder(
    use: Callable[[str], object], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UsageError, match="A name is empty"):
        use("")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("name", ["a b", "...", "a\nb", "C:\\x", "~nobody-of-this-name", "-", "é"])
def test_any_other_name_is_a_path(name: str) -> None:
    assert user_path(name) == Path(name)


def test_the_home_folder_is_found(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    assert user_path("~/x") == tmp_path / "x"
