"""A whole study: every stage in order, each done once, picked up where it was left.

    import emolens as el

    run = el.run_study(el.load_study("starter"), "runs/starter")
    print(run.evaluation.by_split["test"]["finetune"].accuracy)

Knows nothing of how its progress is shown: it calls an Observer.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from emolens.data.dataset import Dataset
from emolens.data.sources import load_dataset
from emolens.encode.backbone import find_encoder
from emolens.errors import EncoderError, UsageError, nearest
from emolens.evaluation.evaluate import Evaluation
from emolens.shown import html_table, one_line
from emolens.store import save_text
from emolens.study.context import Context
from emolens.study.figures import FIGURES, draw
from emolens.study.folder import Identity, Meter, RunFolder, StageRecord
from emolens.study.settings import Study, builtin_studies, load_study, pairs
from emolens.study.stages import STAGES, stage_key

__all__ = ["Observer", "Run", "Study", "builtin_studies", "load_study", "pairs", "run_study"]


class Observer(Protocol):
    """Who is told how a run goes on."""

    def opened(self, study: Study, dataset: Dataset, folder: Path) -> None:
        """The data and the encoder are there; the stages begin."""

    def started(self, stage: str, reason: str) -> None:
        """A stage begins. reason: why it is done again; empty for the first time."""

    def progress(self, done: int, total: int) -> None:
        """The stage that began last is so far."""

    def finished(self, stage: str, record: StageRecord, *, resumed: bool) -> None:
        """A stage is done; resumed: an earlier run had done it."""


@dataclass(frozen=True)
class Run:
    """A study that has been run: where, and the record of each stage that was wanted.

    drawn: the pictures of the stage that it was run to; a whole run has a stage for all of them.
    """

    study: Study
    folder: Path
    records: dict[str, StageRecord]
    drawn: tuple[Path, ...] = ()

    def __repr__(self) -> str:
        return one_line(self, repr(self.study.name), f"{len(self.records)} stages", self.folder)

    def _repr_html_(self) -> str:
        rows = [(name, r.summary, r.seconds) for name, r in self.records.items()]
        return html_table(self, ("stage", "summary", "seconds"), rows)

    @property
    def report(self) -> Path:
        """The page that shows it all."""
        return self.folder / "report.html"

    @property
    def evaluation(self) -> Evaluation:
        """What evaluation.json holds."""
        return Evaluation.load(self.folder / "evaluation.json")


class _Silent:
    """The observer of library calls."""

    def opened(self, study: Study, dataset: Dataset, folder: Path) -> None: ...
    def started(self, stage: str, reason: str) -> None: ...
    def progress(self, done: int, total: int) -> None: ...
    def finished(self, stage: str, record: StageRecord, *, resumed: bool) -> None: ...


def run_study(
    study: Study, folder: str | Path, *, until: str | None = None, observer: Observer | None = None
) -> Run:
    """Run all stages, or those that `until` needs and `until` itself, into `folder`.

    With `until` the pictures of that stage are drawn, too. Stages that are done for the same key
    are skipped. The data and the encoder are found before anything is written. Raises EmolensError;
    where only the export fails, the report is there all the same.
    """
    folder, observer = Path(folder), observer or _Silent()
    wanted = _wanted(until)
    dataset = load_dataset(study.data.dataset, **_source_options(study))
    encoder = find_encoder(study.encoder.name, sha256_wanted=study.encoder.sha256)
    run_folder = RunFolder(folder, Identity.of(study))
    with run_folder.opened():
        observer.opened(study, dataset, folder)
        context = Context(study, dataset, encoder, folder, run_folder.records, observer.progress)
        failed = _run_stages(wanted, context, run_folder, observer=observer)
        save_text(folder / "study.toml", study.to_toml())
        if failed:
            raise failed
        drawn = tuple(draw(context, [until])) if until in FIGURES else ()
    return Run(study, folder, {stage: run_folder.records[stage] for stage in wanted}, drawn)


def _run_stages(
    wanted: list[str], context: Context, run_folder: RunFolder, *, observer: Observer
) -> EncoderError | None:
    """Run each stage that is not done. Gives the error of one that the rest can do without."""
    failed = None
    for stage in wanted:
        try:
            _run_stage(stage, context, run_folder, observer)
        except EncoderError as error:
            if not STAGES[stage].may_fail:
                raise
            failed = error
            run_folder.records.pop(stage, None)
    return failed


def _run_stage(stage: str, context: Context, run_folder: RunFolder, observer: Observer) -> None:
    key = stage_key(stage, context)
    reason = run_folder.to_do(stage, key)
    if reason is not None:
        observer.started(stage, reason)
        meter = Meter()
        paths, summary = STAGES[stage].run(context)
        outputs = run_folder.outputs(paths)
        record = StageRecord(key, summary, outputs, meter.seconds, meter.peak_memory_mb)
        run_folder.record(stage, record)
        save_text(context.folder / "study.toml", context.study.to_toml())
    observer.finished(stage, run_folder.records[stage], resumed=reason is None)


def _wanted(until: str | None) -> list[str]:
    """The stages to run, in order."""
    if until is None:
        return list(STAGES)
    if until not in STAGES:
        raise UsageError(f"There is no stage '{until}'.", hint=nearest(until, STAGES))
    needed = {until}
    for stage in reversed(STAGES):
        if stage in needed:
            needed.update(STAGES[stage].needs)
    return [stage for stage in STAGES if stage in needed]


def _source_options(study: Study) -> dict[str, object]:
    options = study.data.model_dump(exclude={"dataset"})
    return {**options, "seed": study.seed}
