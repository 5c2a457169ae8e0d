"""The one place that prints. Data goes to stdout, everything else to stderr.

On a terminal there are colors and progress bars, elsewhere plain lines.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from emolens.console.remaining import Clock, Remaining, in_words
from emolens.errors import EmolensError, some_of
from emolens.hub import name_of
from emolens.shown import escaped, quoted, visible

if TYPE_CHECKING:
    from emolens.data.dataset import Dataset
    from emolens.encode.backbone import EncoderFolder
    from emolens.evaluation.evaluate import Evaluation
    from emolens.evaluation.seeds import Seeds
    from emolens.predict.classifier import Classifier, Prediction
    from emolens.study import Run
    from emolens.study.folder import StageRecord
    from emolens.study.settings import Study


_CALIBRATION = (
    *("model", "error before (95 %)", "error after (95 %)"),
    *("promise", "answered", "right", "outcome"),
)
_LONGEST = 1000  # characters of an error, a hint, a warning, or a text in a table of answers
_NARROWEST = 40  # columns; in fewer a table would lose its contents


class Console:
    """Prints for people, or, with `as_json`, one JSON document. `quiet`: only errors on stderr."""

    def __init__(self, *, as_json: bool = False, quiet: bool = False) -> None:
        from rich.console import Console as RichConsole  # here, because --help doesn't need it

        self.as_json = as_json
        self.quiet = quiet
        # Print texts unchanged: rich would read [b] as a style and :heart: as an emoji.
        plain: Any = {"markup": False, "emoji": False, "highlight": False, "soft_wrap": True}
        # A pipe has no width, so tables get up to 200 columns there.
        self._out = RichConsole(**plain, width=None if sys.stdout.isatty() else 200)
        self._err = RichConsole(**plain, stderr=True, width=None if sys.stderr.isatty() else 200)
        for console in (self._out, self._err):
            console.width = max(console.width, _NARROWEST)

    def data(self, value: Any) -> None:
        """A JSON document on stdout."""
        sys.stdout.write(escaped(json.dumps(value, indent=2, ensure_ascii=False)) + "\n")

    def line(self, text: str = "") -> None:
        """A line of data on stdout."""
        self._out.print(visible(text))

    def rich(self, thing: Any, *, width: int | None = None) -> None:
        """Something that rich can print, on stdout; with `width`, in at most so many columns."""
        limit = None if width is None else min(width, self._out.width)
        self._out.print(thing, width=limit, soft_wrap=width is None)

    def lines(self, values: Iterable[object]) -> None:
        """A line of data for each value."""
        for value in values:
            self.line(str(value))

    def note(self, text: str) -> None:
        """A line for people on stderr, unless quiet."""
        if not self.quiet:
            self._err.print(visible(text.replace("\n", " ")))

    def notes(self, notes: Iterable[object]) -> None:
        """What was guessed, changed or left out: a line for each of these."""
        for note in notes:
            self.note(f"Note: {note}")

    def warning(self, text: str) -> None:
        """A line with a colored title on stderr, unless quiet."""
        if not self.quiet:
            self._titled("Warning:", "bold yellow", text)

    def error(self, error: EmolensError) -> None:
        """The sentence and the hint, on stderr."""
        self._titled("Error:", "bold red", str(error))
        self._titled("Hint: ", "dim", error.hint)

    def traceback(self, text: str) -> None:
        """The lines of a traceback on stderr. They may hold texts of the user."""
        self._err.print(escaped(text), end="")

    def _titled(self, title: str, style: str, text: str) -> None:
        from rich.text import Text

        one_line = visible(" ".join(text.splitlines()))
        if len(one_line) > _LONGEST:  # a name of 5,000 letters, for example
            one_line = f"{one_line[: _LONGEST // 2]} … {one_line[-_LONGEST // 2 :]}"
        self._err.print(Text.assemble((title, style), " ", one_line))

    def table(
        self,
        columns: Sequence[str],
        rows: Sequence[Sequence[object]],
        *,
        title: str = "",
        on_stderr: bool = False,
    ) -> None:
        """A table on stdout, or for people on stderr. Numbers are aligned right."""
        from rich.table import Table

        table = Table(title=title or None, title_justify="left", box=None, pad_edge=False)
        for i, column in enumerate(columns):
            number = all(isinstance(row[i], (int, float, type(None))) for row in rows)
            table.add_column(column, justify="right" if number else "left", overflow="fold")
        for row in rows:
            table.add_row(*(visible(_cell(value)) for value in row))
        console = self._err if on_stderr else self._out
        if not (on_stderr and self.quiet):
            console.print(table, soft_wrap=False)

    @contextmanager
    def progress(self, title: str, *, clock: Clock = time.monotonic) -> Iterator[Any]:
        """A progress bar on stderr while the block runs. Gives its function update(done, total).

        Without a terminal a few lines say how much time is left, if that is more than a minute.
        """
        remaining = Remaining(clock)
        if self.quiet:
            yield lambda done, total: None
            return
        if not self._err.is_terminal:
            yield lambda done, total: self._say_what_is_left(title, remaining, done, total)
            return
        from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

        columns = (
            TextColumn("  {task.description:<10}"),
            BarColumn(),
            TextColumn("{task.fields[count]}"),
            TimeElapsedColumn(),
            TextColumn("{task.fields[left]}"),
        )
        with Progress(*columns, console=self._err, transient=True) as bar:
            task = bar.add_task(title, total=None, count="", left="")

            def update(done: int, total: int | None) -> None:
                count = f"{done:,} of {total:,}" if total else f"{done:,}"
                if total:
                    remaining.update(done, total)
                seconds = remaining.seconds
                left = "" if seconds is None else f"about {in_words(seconds)} left"
                bar.update(task, completed=done, total=total, count=count, left=left)

            yield update

    def _say_what_is_left(
        self, title: str, remaining: Remaining, done: int, total: int | None
    ) -> None:
        if total:
            remaining.update(done, total)
            if text := remaining.announcement():
                self.note(f"  {title}: {text}")


class RunConsole:
    """Prints the progress of a study on stderr: one line per stage, and a bar while it runs.

    says_it_trains: for a command whose name could mean that an existing model is scored.
    """

    def __init__(self, console: Console, *, says_it_trains: bool = False) -> None:
        self._console = console
        self._says_it_trains = says_it_trains
        self._bar: Any = None
        self._update: Any = None
        self._reason = ""

    def opened(self, study: Study, dataset: Dataset, encoder: EncoderFolder, folder: Path) -> None:
        """Print the study, its data, its encoder and its folder."""
        note = self._console.note
        if self._says_it_trains:
            command = f"emolens evaluate --model MODEL --dataset {quoted(study.data.dataset)}"
            note(
                f"This trains models on the {dataset.sizes['train']:,} rows of train, and then"
                f" compares them. To score an existing model instead: {command}"
            )
        sizes = ", ".join(f"{name} {n:,}" for name, n in dataset.sizes.items())
        note(f"study {study.name}: {dataset.name} with {study.encoder.name}, in {folder}")
        note(f"splits {sizes}; columns {some_of(dataset.columns)}")
        note(f"classes {', '.join(dataset.labels.names)}")
        self._console.notes(dataset.notes)
        show_commit(self._console, "encoder", encoder.folder)

    def started(self, stage: str, reason: str) -> None:
        """Show a bar for the stage."""
        self._reason = reason
        self._bar = self._console.progress(stage)
        self._update = self._bar.__enter__()

    def progress(self, done: int, total: int) -> None:
        """Move the bar."""
        self._update(done, total)

    def noted(self, text: str) -> None:
        """Print what the stage is going to do."""
        self._console.note(f"  {text}")

    def finished(self, stage: str, record: StageRecord, *, resumed: bool) -> None:
        """Print the stage's summary."""
        self.close()
        again = f"; again: {self._reason}" if self._reason else ""
        cost = "as before" if resumed else f"{record.seconds:.1f} s{again}"
        self._console.note(f"  {stage:<10} {record.summary}  [{cost}]")

    def close(self) -> None:
        """Remove the bar, also after a stage that failed."""
        if self._bar is not None:
            self._bar.__exit__(None, None, None)
            self._bar = None


def show_commit(console: Console, kind: str, folder: Path) -> None:
    """Which commit a copy of a model of the Hub is, as a name that can be typed."""
    if name := name_of(folder):
        console.notes([f"the {kind} is {name}"])


def show_model(console: Console, classifier: Classifier) -> None:
    """Which model answers, and with which classes."""
    from emolens.modelfolder import is_bundled  # it loads NumPy

    name = classifier.name
    if is_bundled(classifier.folder):
        name += ", which comes with emolens"
    console.notes([f"The model is {name}. Its classes: {some_of(classifier.labels.names)}."])


def show_answers(
    console: Console, answers: Sequence[Prediction], *, answer_all: bool = False
) -> None:
    """One line per answer, with the best guess and the reason if some of them are unsure."""
    if console.as_json:
        console.data([asdict(answer) for answer in answers])
        return
    shown: dict[str, list[object]] = {
        "emotion": [f"{a.label or '–'}{_mark(a, answer_all=answer_all)}" for a in answers]
    }
    if not answer_all and any(answer.unsure for answer in answers):
        shown["best guess"] = [answer.best_guess for answer in answers]
        shown["reason"] = [answer.reason for answer in answers]
    shown["probability"] = [answer.probability for answer in answers]
    if any(answer.prediction_set is not None for answer in answers):
        shown["prediction set"] = [", ".join(a.prediction_set or ()) for a in answers]
    shown["text"] = [start_of(answer.text) for answer in answers]
    console.table(list(shown), list(zip(*shown.values(), strict=True)))


def _mark(answer: Prediction, *, answer_all: bool) -> str:
    return f" (unsure: {answer.reason})" if answer_all and answer.unsure else ""


def start_of(text: str, longest: int = _LONGEST) -> str:
    """The text, or its first characters."""
    return text if len(text) <= longest else f"{text[:longest]} …"


def show_run(console: Console, run: Run, stage: str | None) -> None:
    """The summary and files of one stage, or the figures of every model."""
    if stage not in (None, "evaluate"):
        record = run.records[str(stage)]
        if console.as_json:
            drawn = [path.relative_to(run.folder).as_posix() for path in run.drawn]
            place = {"folder": str(run.folder), "stage": stage, "figures": drawn}
            console.data({**place, **asdict(record)})
        else:
            console.lines([record.summary, *(run.folder / path for path in record.outputs)])
            console.lines(run.drawn)
        return
    evaluation = run.evaluation
    if console.as_json:
        console.data(evaluation.to_dict())
        return
    from emolens.data.dataset import TEST
    from emolens.evaluation.evaluate import rival_of
    from emolens.evaluation.verdict import comparison_sentence
    from emolens.scores import role_of

    for warning in evaluation.warnings:
        console.warning(warning)
    rows: list[list[object]] = []
    for split, models in evaluation.by_split.items():
        for model, e in models.items():
            figures = (e.figure(key) for key in ("accuracy", "macro_f1", "weighted_f1"))
            rows.append([split, role_of(model).title, *figures])
    console.table(
        ("split", "model", "accuracy (95 %)", "macro-F1 (95 %)", "weighted F1 (95 %)"), rows
    )
    if TEST in evaluation.by_split and (rival := rival_of(evaluation, TEST)):
        console.note(comparison_sentence(rival))
    if evaluation.seeds:
        _show_seeds(console, evaluation.seeds)
    _show_calibration(console, evaluation)
    for split in evaluation.by_split:
        if absence := evaluation.absence(split):
            console.note(absence)
    console.lines(run.drawn if stage else [run.report])


def _show_seeds(console: Console, seeds: Seeds) -> None:
    """The figures of each training, their mean and their spread, and which one was kept."""
    columns = [f"{split} {name}" for split in seeds.spread for name in ("accuracy", "macro-F1")]
    rows: list[list[object]] = [
        [str(point.seed), *(f"{v:.4f}" for s in seeds.spread for v in getattr(point, s))]
        for point in seeds.each
    ]
    spread = [str(value) for figures in seeds.spread.values() for value in figures.values()]
    console.line()
    title = f"{len(seeds.each)} trainings on the same splits"
    console.table(("seed", *columns), [*rows, ["mean ± sd", *spread]], title=title)
    console.note(seeds.choice)


def _show_calibration(console: Console, evaluation: Evaluation) -> None:
    """How well the probabilities of each calibrated model fit, and what came of its promise."""
    from emolens.data.dataset import TEST
    from emolens.evaluation.verdict import percent, promise_sentence
    from emolens.scores import EXPORTED, role_of

    models, rows = evaluation.by_split.get(TEST, {}), []
    for name, e in models.items():
        if e.before is None:
            continue
        figures = [role_of(name).title, str(e.before.expected), str(e.calibration.expected)]
        promise = ["none", "", "", ""]
        if e.promise:
            right = "–" if e.promise.accuracy is None else percent(e.promise.accuracy)
            promised, share = percent(e.promise.promised, 0), percent(e.promise.share)
            promise = [promised, share, right, e.promise.outcome]
        rows.append([*figures, *promise])
    if rows:
        console.line()
        console.table(_CALIBRATION, rows, title="Calibration on test")
    if exported := models.get(EXPORTED.name):
        console.note(promise_sentence(exported, TEST))


def show_batch(console: Console, rows: list[dict[str, Any]]) -> None:
    """Print the rows of padded_batch: text, tokens, ids and mask."""
    for row in rows:
        console.line(f"text            {row['text']}")
        for key in ("tokens", "input_ids", "attention_mask"):
            console.line(f"{key:<15} {' '.join(map(str, row[key]))}")
        if row["truncated"]:
            console.line(f"cut at {len(row['input_ids'])} tokens")


def _cell(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, float):
        return f"{value:.4f}"
    return f"{value:,}" if isinstance(value, int) else str(value)
