"""A finished run, read from its folder: its answers on one split, its figures and its settings.

A run is refused where its evaluation is not that of its models and settings, as after a run that
was stopped. Writes nothing, and knows nothing of other runs.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from emolens.data.dataset import TRAIN
from emolens.errors import StorageError, UsageError
from emolens.evaluation.evaluate import Evaluation
from emolens.names import user_path
from emolens.output import is_file_with
from emolens.owned import Owned
from emolens.scores import EXPORTED, FinetuneFacts, Scores
from emolens.shown import quoted
from emolens.store import fingerprint, load_arrays, load_object, load_table, unreadable
from emolens.study.folder import FORMAT, MANIFEST, STUDY, StageRecord
from emolens.study.keys import settings_of, value_text
from emolens.study.settings import load_study

EVALUATE, EVALUATION, PREDICTIONS = "evaluate", "evaluation.json", "predictions.parquet"
_READ = (EVALUATION, PREDICTIONS)
# Their names begin so.
_NO_SETTINGS = (
    *("name", "push.", "card.", "audit.", "map.", "export.", "report."),
    "finetune.tracker",
)
_MOST = 3  # runs in a hint


@dataclass(frozen=True)
class Answers:
    """What a model answers on one split: a text, a label, an answer and its probability per row."""

    texts: tuple[str, ...]
    labels: tuple[str, ...]
    answers: tuple[str, ...]
    probabilities: tuple[float, ...]

    def in_order(self, places: Sequence[int]) -> Answers:
        """The rows at these places, in their order."""
        return Answers(*(tuple(column[i] for i in places) for column in vars(self).values()))


@dataclass(frozen=True)
class FinishedRun:
    """A run whose evaluation is that of its models and settings.

    settings: all that may differ between runs and has to do with their models, as text by name.
    """

    folder: Path
    evaluation: Evaluation
    facts: FinetuneFacts
    settings: dict[str, str]

    def answers(self, split: str) -> Answers:
        """What the fine-tuned model answers on this split. UsageError if there is no such split."""
        if split not in self.evaluation.by_split:
            raise UsageError(
                f"{self.folder} has no split '{split}'.",
                hint=f"It has: {', '.join(self.evaluation.by_split)}.",
            )
        path = self.folder / PREDICTIONS
        table, name = load_table(path), EXPORTED.name
        try:
            chosen = [place == split for place in table["split"].to_pylist()]
            rows = table.filter(chosen)
            texts, labels, answers = (
                tuple(rows[column].to_pylist()) for column in ("text", "label", f"{name}_label")
            )
            every = {label: rows[f"{name}_p_{label}"].to_pylist() for label in set(answers)}
        except (KeyError, ValueError) as error:
            raise unreadable(path, error) from error
        probabilities = tuple(every[answer][i] for i, answer in enumerate(answers))
        return Answers(texts, labels, answers, probabilities)


def read_finished(folder: str | Path) -> FinishedRun:
    """Read a run folder. UsageError where it is none, StorageError where it is not finished."""
    path = user_path(folder)
    version, records, study = _manifest(path)
    settings = _checked_settings(path, records)
    if not is_file_with(path / STUDY, study):
        raise _not_finished(path, f"{STUDY} is missing or was changed")
    facts = Scores.load(path / EXPORTED.folder).facts
    if not isinstance(facts, FinetuneFacts):
        raise _not_finished(path, "it does not say how its model was trained")
    n_train = len(load_arrays(path / "tokens" / f"{TRAIN}.safetensors")["n_whole"])
    plain = {
        **_of_the_model(settings, facts),
        "rows of train": f"{n_train:,}",
        "runs on": facts.runtime,
        "seconds of training": f"{facts.seconds:,.1f}",
        "emolens": version,
        **_inputs(records),
    }
    return FinishedRun(
        folder=path,
        evaluation=Evaluation.load(path / EVALUATION),
        facts=facts,
        settings={name: value_text(value) for name, value in plain.items()},
    )


def _manifest(path: Path) -> tuple[str, dict[str, StageRecord], str | None]:
    """The version of emolens that made the run, its stages, and the SHA-256 of its study."""
    file = path / MANIFEST
    if not file.is_file():
        raise _no_run(path)
    try:
        manifest = load_object(file)
        version, form, stages = (manifest[name] for name in ("emolens", "format", "stages"))
        if form == FORMAT:
            records = {name: StageRecord.from_dict(of) for name, of in stages.items()}
            return version, records, Owned.from_json(manifest).files.get(STUDY)
    except (OSError, ValueError, KeyError, AttributeError) as error:
        raise unreadable(file, error) from error
    study, out = quoted(path / STUDY), quoted(f"{path}-2")
    raise StorageError(
        f"{path} holds a run of another version of emolens ({version}), in another form.",
        hint=f"Run it again: emolens run {study} --out {out}",
    )


def _checked_settings(path: Path, records: dict[str, StageRecord]) -> dict[str, Any]:
    """The settings of the study. Raises if the evaluation is not that of these settings."""
    evaluated = records.get(EVALUATE)
    if evaluated is None:
        raise _not_finished(path, "its models are not evaluated")
    stages = {name: records.get(name) for name in evaluated.key.stages}
    for name, record in stages.items():
        if record is None or fingerprint(record.outputs) != evaluated.key.stages[name]:
            raise _not_finished(path, f"{name} was done again after the evaluation")
    settings = settings_of(load_study(path / STUDY))
    for record in (evaluated, *filter(None, stages.values())):
        for name, value in record.key.settings.items():
            if settings.get(name, value) != value:
                raise _not_finished(path, f"{STUDY} has another {name} than the models")
    for name in _READ:
        if not is_file_with(path / name, evaluated.outputs.get(name)):
            raise _not_finished(path, f"{name} is missing or was changed")
    return settings


def _of_the_model(settings: dict[str, Any], facts: FinetuneFacts) -> dict[str, Any]:
    """The settings that decide the model; where one was left to the plan, what was planned."""
    recipe = {f"finetune.{name}": value for name, value in vars(facts.recipe).items()}
    return {
        name: recipe.get(name) if value is None else value
        for name, value in settings.items()
        if not name.startswith(_NO_SETTINGS)
    }


def _inputs(records: dict[str, StageRecord]) -> dict[str, str | None]:
    """Fingerprints of the data and of the encoder, and versions of libraries."""
    keys = [records[name].key for name in (EVALUATE, *records[EVALUATE].key.stages)]
    inputs = {name: value for key in keys for name, value in key.inputs.items()}
    prints = {f"fingerprint of the {n}": inputs.get(n) for n in ("data", "encoder")}
    return prints | {name: v for key in keys for name, v in key.libraries.items()}


def _not_finished(path: Path, why: str) -> StorageError:
    study, out = quoted(path / STUDY), quoted(path)
    return StorageError(
        f"The run in {path} is not finished: {why}.",
        hint=f"Finish it: emolens run {study} --out {out}",
    )


def _no_run(path: Path) -> UsageError:
    """The error for a folder that holds no run. Names a run that is above or below it."""
    near = [p for p in (path, *path.parents) if (p / MANIFEST).is_file()][:1]
    if not near and path.is_dir():
        near = sorted(p for p in path.iterdir() if (p / MANIFEST).is_file())
    if near:
        shown = ", ".join(map(str, near[:_MOST]))
        hint = f"Give the folder of a run, such as {shown}."
    else:
        hint = "Give two folders that emolens run has made; by default they are runs/NAME."
    what = "is not the folder of a run" if path.exists() else "does not exist"
    return UsageError(f"{path} {what}.", hint=hint)
