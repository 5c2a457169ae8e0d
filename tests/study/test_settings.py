"""Studies as files: what is read, what is refused, and how it is said."""

from __future__ import annotations

import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any, get_args

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from emolens.data.balance import Method
from emolens.errors import UsageError
from emolens.study import Study, builtin_studies, load_study
from emolens.study.settings import FinetuneSettings


def test_the_built_in_studies_are_these() -> None:
    assert builtin_studies() == ["emotion", "emotion-minilm", "general", "starter"]


@pytest.mark.parametrize("name", builtin_studies())
def test_a_built_in_study_parses_and_bears_its_name(name: str) -> None:
    assert load_study(name).name == name


def test_emotion_is_the_reference_recipe() -> None:
    study = load_study("emotion")
    assert study.data.dataset == "dair-ai/emotion"
    assert (study.encoder.name, study.encoder.pooling) == ("distilbert", "cls")
    assert study.finetune.model_dump(
        exclude_none=True, exclude={"recipe", "precision", "seeds"}
    ) == {
        "epochs": 2,
        "learning_rate": 2e-5,
        "batch_size": 64,
        "weight_decay": 0.01,
        "warmup": 0.0,
        "rdrop": 0.0,
    }
    assert study.balance.method == "none"


def test_emotion_minilm_differs_in_encoder_and_recipe_only() -> None:
    reference, minilm = load_study("emotion"), load_study("emotion-minilm")
    assert minilm.data == reference.data
    assert minilm.seed == reference.seed
    assert minilm.encoder.name == "minilm"
    assert minilm.finetune == FinetuneSettings(), "all of it is planned"


def test_a_file_without_a_name_is_called_after_itself(study_file: Callable[..., Path]) -> None:
    path = study_file()
    path.write_text(path.read_text("utf-8").replace('name = "tiny"\n', "", 1), "utf-8")
    assert load_study(path).name == "tiny"


OVERRIDES = st.fixed_dictionaries(
    {},
    optional={
        "seed": st.integers(0, 2**32 - 1),
        "data.dataset": st.text(min_size=1),
        "data.limit": st.integers(1, 10**9),
        "data.splits": st.dictionaries(
            st.sampled_from(["train", "validation", "test"]), st.text(min_size=1)
        ),
        "encoder.pooling": st.sampled_from(["cls", "mean"]),
        "encoder.layer": st.integers(-12, 12),
        "map.min_dist": st.floats(0, 0.99),
        "balance.method": st.sampled_from(get_args(Method)),
        "probe.strengths": st.lists(st.floats(1e-300, 1e300), min_size=1, max_size=4),
        "finetune.epochs": st.floats(1e-3, 1e6),
        "finetune.learning_rate": st.floats(1e-12, 10),
    },
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(OVERRIDES)
def test_to_toml_is_read_back_as_the_same_study(
    tmp_path_factory: pytest.TempPathFactory, overrides: dict[str, Any]
) -> None:
    # A string is read as TOML where it is TOML, so the texts go in as they would in a file.
    values = load_study("starter").model_dump()
    for dotted, value in overrides.items():
        *table, key = dotted.split(".")
        (values[table[0]] if table else values)[key] = value
    study = Study.model_validate(values)
    path = tmp_path_factory.getbasetemp() / "round-trip.toml"
    path.write_text(study.to_toml(), encoding="utf-8", newline="")
    assert load_study(path) == study


def test_to_toml_states_the_defaults_too() -> None:
    values = tomllib.loads(load_study("starter").to_toml())
    assert values["map"] == {"n_neighbors": 15, "min_dist": 0.1, "metric": "cosine"}
    assert values["balance"] == {"method": "none"}


@pytest.mark.parametrize(
    ("key", "given_value", "read"),
    [
        ("finetune.epochs", "3", 3),
        ("finetune.epochs", 3, 3),
        ("data.dataset", "my data", "my data"),
        ("data.dataset", '"123"', "123"),
        ("data.shares", "[0.5, 0.25, 0.25]", (0.5, 0.25, 0.25)),
        ("data.splits.validation", "dev", {"validation": "dev"}),
        ("balance.method", "oversample", "oversample"),
        ("seed", "0", 0),
    ],
)
def test_a_dotted_key_overrides_one_setting(key: str, given_value: object, read: object) -> None:
    study = load_study("starter", {key: given_value})
    table, *rest = key.split(".")
    found = getattr(study, table)
    assert (getattr(found, rest[0]) if rest else found) == read
    changed = {name for name in Study.model_fields if getattr(study, name) != getattr(START, name)}
    assert changed == {table}


START = load_study("starter")


@pytest.mark.parametrize(
    ("key", "value", "names"),
    [
        ("finetune.epohcs", "3", ["finetune.epohcs", "'epochs'"]),
        ("fintune.epochs", "3", ["fintune", "'finetune'"]),
        ("sead", "3", ["sead", "'seed'"]),
        ("finetune.epochs", "three", ["finetune.epochs", "three"]),
        ("finetune.epochs", "0", ["finetune.epochs", "greater than 0"]),
        ("finetune.epochs", "inf", ["finetune.epochs", "finite"]),
        ("finetune.epochs", "nan", ["finetune.epochs", "finite"]),
        ("finetune.batch_size", "1.5", ["finetune.batch_size", "1.5"]),
        ("finetune.recipe", "quick", ["finetune.recipe", "'fast'", "quick"]),
        ("finetune.rdrop", "-1", ["finetune.rdrop", "-1"]),
        ("finetune.patience", "-1", ["finetune.patience", "-1"]),
        ("finetune", "3", ["finetune"]),
        ("finetune.epochs.more", "3", ["finetune.epochs", "number"]),
        ("seed.more", "3", ["'seed'", "seed.more"]),
        ("data.limit", "0", ["data.limit"]),
        ("data.shares", "[1]", ["data.shares"]),
        ("data.shares", "[0, 1, 1]", ["data.shares", "greater than 0"]),
        ("data.splits.dev", "x", ["data.splits.dev", "'validation'"]),
        ("encoder.pooling", "max", ["encoder.pooling", "'mean'"]),
        ("balance.method", "smote", ["balance.method", "'oversample'"]),
        ("probe.strengths", "[]", ["probe.strengths"]),
        ("probe.strengths", "[-1]", ["probe.strengths", "-1"]),
        ("map.metric", "cosinus", ["map.metric", "'cosine'"]),
        ("seed", "-1", ["seed", "-1"]),
        ("seed", "4294967296", ["seed"]),
        ("name", "../elsewhere", ["name"]),
        ("name", "..", ["name"]),
        ("name", "", ["name"]),
    ],
)
def test_a_setting_that_is_wrong_is_named(key: str, value: str, names: list[str]) -> None:
    with pytest.raises(UsageError) as raised:
        load_study("starter", {key: value})
    message = f"{raised.value} {raised.value.hint}"
    for name in names:
        assert name in message
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize(
    ("content", "names"),
    [
        (b'name = "x\n', "not valid TOML"),
        (b'name = "\xff"\n', "not valid TOML"),
        (b"\x00", "not valid TOML"),
        (b"", "data: field required"),
        (b'[data]\ndataset = "starter"\n[encoder]\n', "encoder.name: field required"),
        (b'data = "starter"\nencoder = "minilm"\n', "data"),
    ],
)
def test_a_broken_file_is_named(tmp_path: Path, content: bytes, names: str) -> None:
    path = tmp_path / "broken.toml"
    path.write_bytes(content)
    with pytest.raises(UsageError) as raised:
        load_study(path)
    assert "broken.toml" in str(raised.value)
    assert names in str(raised.value)


def test_an_unknown_study_names_the_nearest(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no study 'startr'") as raised:
        load_study("startr")
    assert "'starter'" in raised.value.hint


def test_a_folder_is_no_study(tmp_path: Path) -> None:
    for folder in (tmp_path / "data", tmp_path / "a.toml"):
        folder.mkdir()
        with pytest.raises(UsageError, match="is not a study: it is a folder") as raised:
            load_study(folder)
        assert raised.value.hint.endswith(f"emolens run --dataset {folder}")


@pytest.mark.skipif(not Path("/proc/self/mem").exists(), reason="needs a file that can't be read")
def test_a_file_that_can_not_be_read_is_not_called_wrong(tmp_path: Path) -> None:
    (tmp_path / "a.toml").symlink_to("/proc/self/mem")
    with pytest.raises(UsageError, match=r"a\.toml can't be read: Input/output error\.") as raised:
        load_study(tmp_path / "a.toml")
    assert "permissions" in raised.value.hint


@pytest.mark.parametrize(
    "name",
    ["CON", "nul", "Aux.v2", "prn", "com1", "LPT9.toml", "COM\u00b9", "a.", "a..", "a ", " a"],
)
def test_a_name_that_windows_refuses_is_refused_everywhere(name: str) -> None:
    with pytest.raises(UsageError, match="name: "):
        load_study("starter", {"name": name})


@pytest.mark.parametrize("name", ["console", "nul-1", "com", "com10", "auxiliary", "a.b", "v1.con"])
def test_a_similar_name_is_fine(name: str) -> None:
    assert load_study("starter", {"name": name}).name == name


def test_ignored_checks_are_codes_that_exist(tmp_path: Path) -> None:
    study = load_study("starter", {"audit.ignore": ["t07, T03"]})
    assert study.audit.ignore == ("T03", "T07")
    assert load_study("starter", {"audit.ignore": '["T03"]'}).audit.ignore == ("T03",)
    study_file = tmp_path / "study.toml"
    study_file.write_text(study.to_toml(), "utf-8")
    assert load_study(study_file) == study
    with pytest.raises(UsageError, match="no check 'T3'"):
        load_study("starter", {"audit.ignore": ["T3"]})
