"""Studies with odd values: each is a study or one sentence, and so is what it does."""

from __future__ import annotations

import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import emolens as el
from emolens.errors import EmolensError
from emolens.study import Study, load_study, run_study

ODD: list[Any] = [
    *(10**22, 10**40, -1, 0, 1e22, 1e308, 1e-320, float("nan"), float("inf"), 2**64, True),
    *("1e22", "1e400", "nan", "9" * 5000, "[" * 9000, "{", "", " ", "\0", "\ud800", "a" * 5000),
    *("../x", "~nobody-of-this-name", "http://x/y", "C:\\x", [], [0], [1e308], {}, {"a": {}}, None),
]


def dotted_names() -> list[str]:
    """Every setting, by table and name."""
    names = []
    for table, value in load_study("starter").model_dump().items():
        names += [f"{table}.{key}" for key in value] if isinstance(value, dict) else [table]
    return names


@settings(max_examples=300, deadline=None)
@given(st.sampled_from(dotted_names()), st.sampled_from(ODD) | st.floats() | st.text())
def test_an_odd_value_is_a_study_or_a_sentence(name: str, value: Any) -> None:
    try:
        study = load_study("starter", {name: value})
    except EmolensError as error:
        assert error.hint
        return
    assert Study.model_validate(tomllib.loads(study.to_toml())) == study
    study.to_toml().encode()


FILES = {
    "deep": b"a=" + b"[" * 100_000,
    "deep-tables": b"data=" + b"{a=" * 5000,
    "digits": b"seed=" + b"1" * 100_000,
    "utf-16": 'name="x"'.encode("utf-16"),
    "large": b"#" * 2_000_000,
    "nul": b"\0",
}


@pytest.mark.parametrize("name", FILES)
def test_a_file_that_is_no_study_is_a_sentence(tmp_path: Path, name: str) -> None:
    path = tmp_path / f"{name}.toml"
    path.write_bytes(FILES[name])
    with pytest.raises(EmolensError) as raised:
        load_study(path)
    assert str(path) in str(raised.value)


def test_a_file_with_a_byte_order_mark_is_read(study_file: Callable[..., Path]) -> None:
    path = study_file()
    before = load_study(path)
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes())
    assert load_study(path) == before


NAMES = ["a" * 5000, "a\0b", "", "~nobody-of-this-name", "...", "\ud800", "C:\\x\\y", "a\nb"]


@pytest.mark.parametrize("name", NAMES, ids=lambda name: ascii(name)[:12])
@pytest.mark.parametrize(
    "use", [el.load_dataset, el.find_encoder, el.Classifier, el.export_openvino, el.load_study]
)
def test_an_odd_name_is_a_sentence(
    name: str, use: Callable[[str], object], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(EmolensError):
        use(name)


@pytest.mark.parametrize(
    ("setting", "value", "until"),
    [
        ("map.n_neighbors", 10**30, "map"),
        ("map.min_dist", 0.9999999, "map"),
        ("encoder.max_length", 10**30, "map"),
        ("encoder.layer", 10**30, "map"),
        ("data.limit", 10**30, "baselines"),
        ("data.shares", [1e-320] * 3, "baselines"),
        ("finetune.learning_rate", 1e9, "finetune"),
        ("finetune.batch_size", 10**9, "finetune"),
    ],
)
def test_a_run_with_an_odd_value_has_a_result_or_a_sentence(
    study_file: Callable[..., Path], tmp_path: Path, setting: str, value: Any, until: str
) -> None:
    study = load_study(study_file(), {setting: value, "finetune.epochs": 1})
    try:
        run = run_study(study, tmp_path / "run", until=until)
    except EmolensError as error:
        assert error.hint
    else:
        assert run.records[until].summary
