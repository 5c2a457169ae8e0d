"""What decides a stage: nothing that it reads is left out of its key."""

from __future__ import annotations

import re
import shutil
import tomllib
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel

from emolens.data.sources import load_dataset
from emolens.encode.backbone import find_encoder
from emolens.study import Run
from emolens.study.context import Context
from emolens.study.keys import StageKey, chosen_settings, settings_of
from emolens.study.settings import CardSettings, DataSettings, ExportSettings
from emolens.study.stages import STAGES, stage_key
from emolens.version import versions
from tests.conftest import ROOT

# Settings that no stage uses, except the report, which shows all of them.
NOT_USED = {
    "name": "names the run folder, the report and the card",
    **{f"data.{name}": "the rows stand for it" for name in DataSettings.model_fields},
    **{f"card.{name}": "the card is a part of the report" for name in CardSettings.model_fields},
    "data.dataset": "the rows stand for it; another name is another run folder",
    "encoder.name": "the fingerprint of its files stands for it; another name, another run folder",
    "report.texts": "it decides what the report shows",
    "finetune.tracker": "it only listens; its files decide nothing",
    "encoder.sha256": "a run with other weights is refused before any stage",
}
# Libraries that decide no stage's numbers.
NO_NUMBERS = {
    "datasets": "brings rows, whose fingerprint is in the keys",
    "filelock": "locks the run folder",
    "onnx": "writes a model for other programs, outside of studies",
    "onnxruntime": "compares that model with torch",
    "onnxscript": "writes that model",
    "pandas": "for callers who have a frame",
    "pyarrow": "reads and writes tables as they are",
    "python-calamine": "brings rows, whose fingerprint is in the keys",
    "pydantic": "checks settings, which are in the keys",
    "rich": "prints",
    "safetensors": "reads and writes arrays as they are",
    "tomli-w": "writes study.toml",
    "typer": "reads the command line",
    "xlsxwriter": "writes predictions",
}


def settings_used(stages: list[str], run: Run) -> set[str]:
    every = settings_of(run.study)
    return {name for stage in stages for name in chosen_settings(every, STAGES[stage].settings)}


def test_every_setting_is_used_by_a_stage_or_exempt_for_a_reason(tiny_run: Run) -> None:
    every = set(settings_of(tiny_run.study))
    used = settings_used([stage for stage in STAGES if stage != "report"], tiny_run)
    assert every - used == set(NOT_USED)
    assert settings_used(["report"], tiny_run) == every


def test_every_library_decides_a_stage_or_is_exempt_for_a_reason() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    wanted = [*project["dependencies"], *project["optional-dependencies"]["train"]]
    depended = {re.split(r"[<>=\\[]", requirement)[0] for requirement in wanted}
    used = {library for stage in STAGES.values() for library in stage.libraries}
    assert depended - used == set(NO_NUMBERS)
    assert None not in versions(used).values(), "a name that is misspelled has no version"


class Watched:
    """A table of settings that writes down which of them are read."""

    def __init__(self, table: BaseModel, seen: set[str], prefix: str = "") -> None:
        self._table, self._seen, self._prefix = table, seen, prefix

    def __getattr__(self, name: str) -> Any:
        value = getattr(self._table, name)
        dotted = f"{self._prefix}{name}"
        if isinstance(value, BaseModel):
            return Watched(value, self._seen, f"{dotted}.")
        if name in type(self._table).model_fields:
            self._seen.add(dotted)
        return value

    def model_dump(self, include: set[str] | None = None) -> dict[str, Any]:
        every = settings_of(self._table)
        chosen = every if include is None else chosen_settings(every, include)
        self._seen.update(f"{self._prefix}{name}" for name in chosen)
        return self._table.model_dump(include=include)


class WatchedContext(Context):
    """A context that writes down which of its fields are read."""

    read: set[str]

    def __getattribute__(self, name: str) -> Any:
        if name in ("dataset", "encoder"):
            super().__getattribute__("read").add(name)
        return super().__getattribute__(name)


def watched(run: Run, folder: Path) -> tuple[Context, set[str], set[str]]:
    """A context, the settings that are read from it, and its fields that are."""
    settings: set[str] = set()
    WatchedContext.read = set()
    context = WatchedContext(
        study=Watched(run.study, settings),  # type: ignore[arg-type]
        dataset=load_dataset(run.study.data.dataset),
        encoder=find_encoder(run.study.encoder.name),
        folder=folder,
        records=dict(run.records),
        progress=lambda done, total: None,
        note=lambda text: None,
    )
    WatchedContext.read.clear()
    return context, settings, WatchedContext.read


# 'push' needs a Hub: tests/publish/test_push.py.
@pytest.mark.parametrize("stage", [stage for stage in STAGES if stage != "push"])
def test_a_stage_reads_what_it_declares_and_nothing_else(
    tiny_run: Run, tmp_path: Path, stage: str
) -> None:
    folder = Path(shutil.copytree(tiny_run.folder, tmp_path / "run"))
    # Only int8 is fitted to the data.
    study = tiny_run.study.model_copy(update={"export": ExportSettings(int8=True)})
    context, settings, read = watched(replace(tiny_run, study=study), folder)
    STAGES[stage].run(context, tmp_path / "out")
    assert settings == settings_used([stage], tiny_run)
    inputs = {"dataset": "data", "encoder": "encoder"}
    assert {inputs[name] for name in read} == set(STAGES[stage].inputs) & set(inputs.values())


def test_stages_need_only_earlier_ones() -> None:
    order = list(STAGES)
    for place, stage in enumerate(order):
        assert set(STAGES[stage].needs) <= set(order[:place])


def test_the_settings_of_a_study_have_dotted_names_and_json_values(tiny_run: Run) -> None:
    values = settings_of(tiny_run.study)
    assert values["seed"] == 7
    assert values["finetune.epochs"] == 2
    assert values["data.shares"] == [0.8, 0.1, 0.1]
    assert set(chosen_settings(values, ("map", "seed"))) == {
        *("map.n_neighbors", "map.min_dist", "map.metric", "seed")
    }
    assert chosen_settings(values, ("finetune.epoch",)) == {}


def test_a_key_names_each_part_that_differs() -> None:
    before = StageKey(
        {"finetune.epochs": 2.0, "encoder.max_length": None, "export.int8": False},
        {"torch": "2.13.0", "nncf": None},
        {"data": "a", "encoder": "b", "runtime": "cpu, fp32"},
        {"embed": "c"},
    )
    after = StageKey(
        {"finetune.epochs": 2.5, "encoder.max_length": 8, "export.int8": True},
        {"torch": "2.14.0", "nncf": "3.0"},
        {"data": "d", "encoder": "e", "runtime": "cpu, bf16"},
        {"embed": "f"},
    )
    assert before.changes(before) == []
    assert after.changes(before) == [
        "finetune.epochs 2 → 2.5",
        "encoder.max_length none → 8",
        "export.int8 false → true",
        "torch 2.13.0 → 2.14.0",
        "nncf none → 3.0",
        "the data changed",
        "the encoder's files changed",
        "runtime cpu, fp32 → cpu, bf16",
        "embed gave new results",
    ]
    assert {field.name for field in fields(StageKey)} == {
        *("settings", "libraries", "inputs", "stages")
    }


def test_the_key_of_the_report_holds_the_whole_study(tiny_run: Run) -> None:
    context, _, _ = watched(tiny_run, tiny_run.folder)
    context.study = tiny_run.study
    assert stage_key("report", context).settings == settings_of(tiny_run.study)
