"""A whole study: every stage in order. A stopped run continues after its last finished stage.

    import emolens as el

    run = el.run_study(el.load_study("starter"), "runs/starter")
    print(run.evaluation.by_split["test"]["finetune"].accuracy)

Knows nothing of how progress is shown: it calls an Observer.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from emolens.data.dataset import Dataset
from emolens.data.sources import load_dataset
from emolens.encode.backbone import EncoderFolder, find_encoder
from emolens.errors import EncoderError, StorageError, UsageError, nearest
from emolens.evaluation.evaluate import Evaluation
from emolens.names import user_path
from emolens.publish.push import check_push
from emolens.scores import FINETUNE
from emolens.show.report.points import Texts
from emolens.shown import html_table, one_line, quoted
from emolens.stopped import check_not_stopped
from emolens.study.context import Context
from emolens.study.figures import FIGURES, draw
from emolens.study.folder import (
    MANIFEST,
    REPORT,
    STUDY,
    TENSORBOARD,
    Identity,
    RunFolder,
    StageRecord,
)
from emolens.study.keys import StageKey
from emolens.study.meter import Meter
from emolens.study.settings import Study, builtin_studies, load_study, pairs
from emolens.study.stages import STAGES, stage_key

# They need no class for each row.
_WITHOUT_LABELS = ("tokenize", "audit", "embed")
_NOT_TRACKED = (
    "nothing was written for TensorBoard, because the model was trained before; to train it again,"
    " run the study in another folder with --out"
)

__all__ = [
    "Observer",
    "Run",
    "Study",
    "builtin_studies",
    "load_study",
    "pairs",
    "report_again",
    "run_study",
]


class Observer(Protocol):
    """What a run calls to report its progress."""

    def opened(self, study: Study, dataset: Dataset, encoder: EncoderFolder, folder: Path) -> None:
        """The data and the encoder are loaded, and the stages begin."""

    def started(self, stage: str, reason: str) -> None:
        """A stage begins. reason: why it is done again; empty the first time."""

    def progress(self, done: int, total: int) -> None:
        """The running stage has done so many of its steps."""

    def noted(self, text: str) -> None:
        """The running stage says what it is going to do."""

    def finished(self, stage: str, record: StageRecord, *, resumed: bool) -> None:
        """A stage is finished. resumed: an earlier run had finished it."""


@dataclass(frozen=True)
class Run:
    """A study that was run: its folder, and the record of each stage.

    drawn: with `until`, the pictures of that stage. A whole run draws all pictures in a stage.
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
        """The page that shows the whole study."""
        return self.folder / REPORT

    @property
    def evaluation(self) -> Evaluation:
        """What evaluation.json holds."""
        return Evaluation.load(self.folder / "evaluation.json")


class _Silent:
    """The observer of library calls: shows nothing."""

    def opened(
        self, study: Study, dataset: Dataset, encoder: EncoderFolder, folder: Path
    ) -> None: ...
    def started(self, stage: str, reason: str) -> None: ...
    def progress(self, done: int, total: int) -> None: ...
    def noted(self, text: str) -> None: ...
    def finished(self, stage: str, record: StageRecord, *, resumed: bool) -> None: ...


def run_study(
    study: Study, folder: str | Path, *, until: str | None = None, observer: Observer | None = None
) -> Run:
    """Run all stages, or only the stage `until` and those that it needs, into `folder`.

    With `until` the pictures of that stage are drawn, too. A finished stage is skipped as long as
    nothing that decides its result has changed. The data and the encoder are loaded before
    anything is written. Raises EmolensError; if only the export fails, the report is still written.
    """
    folder, observer = user_path(folder), observer or _Silent()
    wanted = _wanted(until, study)
    dataset = _dataset(study)
    if until not in _WITHOUT_LABELS:
        dataset.check_one_class()
    encoder = _encoder(study)
    run_folder = RunFolder(folder, Identity.of(study))
    with run_folder.opened():
        run_folder.keep_study(study)
        observer.opened(study, dataset, encoder, folder)
        if "push" in wanted and "push" not in run_folder.records:
            check_push(**study.push.model_dump())  # now, and not after an hour of training
        context = _context(study, dataset, encoder, run_folder, observer)
        failed = _run_stages(wanted, context, run_folder, observer=observer)
        if failed:
            raise failed
        if context.tensorboard and FINETUNE.name in wanted and not context.tensorboard.exists():
            observer.noted(_NOT_TRACKED)
        drawn = _drawn(until, context, run_folder) if until and until in FIGURES else ()
    return Run(study, folder, {stage: run_folder.records[stage] for stage in wanted}, drawn)


def report_again(
    folder: str | Path, *, texts: Texts | None = None, observer: Observer | None = None
) -> Path:
    """Make the page of a finished run again, from the files in its folder; returns its path.

    Nothing is trained or computed. texts: which texts of the data the page may hold, in place of
    what the study says; it becomes the study's setting. Raises EmolensError if the folder is not
    that of a finished run, or if data, encoder, settings or files are not those of the run.
    """
    folder, observer = user_path(folder), observer or _Silent()
    if not (folder / MANIFEST).is_file():
        raise UsageError(
            f"{folder} is not the folder of a run.",
            hint="Give one that emolens run has written, for example: emolens report runs/starter",
        )
    study = load_study(folder / STUDY, {"report.texts": texts} if texts else None)
    dataset, encoder = _dataset(study), _encoder(study)
    run_folder = RunFolder(folder, Identity.of(study), stays=True)
    with _written_here(), run_folder.opened():
        again = f"Run it again: emolens run {quoted(folder / STUDY)} --out {quoted(folder)}"
        needed = [name for name in STAGES["report"].needs if not STAGES[name].may_fail]
        if missing := [name for name in needed if name not in run_folder.records]:
            raise UsageError(
                f"The run in {folder} is not finished: it has no '{missing[0]}'.", hint=again
            )
        context = _context(study, dataset, encoder, run_folder, observer)
        for name in STAGES["report"].needs:
            if name in run_folder.records:
                here = stage_key(name, context).elsewhere(run_folder.records[name].key)
                if reason := run_folder.to_do(name, here):
                    raise UsageError(f"{folder} is not as it was run: {reason}.", hint=again)
        run_folder.keep_study(study)
        _make("report", stage_key("report", context), "", context, run_folder, observer)
    return folder / REPORT


@contextmanager
def _written_here() -> Iterator[None]:
    """The error about a folder that can't be written to, without a --out that the command lacks."""
    try:
        yield
    except StorageError as error:
        if not error.hint.startswith("Choose another place"):
            raise
        raise StorageError(str(error), hint="Check the folder and its permissions.") from error


def _dataset(study: Study) -> Dataset:
    return load_dataset(study.data.dataset, **study.data.model_dump(exclude={"dataset"}))


def _encoder(study: Study) -> EncoderFolder:
    return find_encoder(study.encoder.name, sha256_wanted=study.encoder.sha256)


def _context(
    study: Study,
    dataset: Dataset,
    encoder: EncoderFolder,
    run_folder: RunFolder,
    observer: Observer,
) -> Context:
    return Context(
        study=study,
        dataset=dataset,
        encoder=encoder,
        folder=run_folder.path,
        records=run_folder.records,
        progress=observer.progress,
        note=observer.noted,
        tensorboard=run_folder.path / TENSORBOARD if study.finetune.tracker else None,
    )


def _drawn(stage: str, context: Context, run_folder: RunFolder) -> tuple[Path, ...]:
    """Draw the pictures of one stage; returns their paths."""
    with run_folder.placing() as out:
        paths = [path.relative_to(out) for path in draw(context, out, [stage])]
    run_folder.placed()
    return tuple(run_folder.path / path for path in paths)


def _run_stages(
    wanted: list[str], context: Context, run_folder: RunFolder, *, observer: Observer
) -> EncoderError | None:
    """Run each stage that is not finished. Returns the error of a stage that may fail.

    A stage that may fail is not tried where one that it needs has failed.
    """
    failed = None
    for stage in wanted:
        needed = set(STAGES[stage].needs)
        if STAGES[stage].may_fail and not needed <= run_folder.records.keys():
            run_folder.records.pop(stage, None)
            continue
        try:
            _run_stage(stage, context, run_folder, observer)
        except EncoderError as error:
            check_not_stopped()
            if not STAGES[stage].may_fail:
                raise
            failed = error
            run_folder.records.pop(stage, None)
    return failed


def _run_stage(stage: str, context: Context, run_folder: RunFolder, observer: Observer) -> None:
    key = stage_key(stage, context)
    reason = run_folder.to_do(stage, key)
    if reason is None:
        observer.finished(stage, run_folder.records[stage], resumed=True)
    else:
        _make(stage, key, reason, context, run_folder, observer)


def _make(
    stage: str,
    key: StageKey,
    reason: str,
    context: Context,
    run_folder: RunFolder,
    observer: Observer,
) -> None:
    observer.started(stage, reason)
    meter = Meter()
    with run_folder.placing(context.renewed) as out:
        summary = STAGES[stage].run(context, out)
    outputs = run_folder.outputs(model_part=STAGES[stage].model_part)
    record = StageRecord(key, summary, outputs, meter.seconds, meter.peak_memory_mb)
    run_folder.record(stage, record)
    observer.finished(stage, record, resumed=False)


def _wanted(until: str | None, study: Study) -> list[str]:
    """The stages to run, in order: `until` and those that it needs, or all.

    A study that names no repository has no stage 'push'.
    """
    if until is None:
        return [stage for stage in STAGES if stage != "push" or study.push.repo]
    if until not in STAGES:
        raise UsageError(f"There is no stage '{until}'.", hint=nearest(until, STAGES))
    needed = {until}
    for stage in reversed(STAGES):
        if stage in needed:
            needed.update(STAGES[stage].needs)
    return [stage for stage in STAGES if stage in needed]
