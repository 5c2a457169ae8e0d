"""report.html: one file that shows what a study found, and fetches nothing.

Data, template, style and script live apart: points.py, charts.py and reading.py make what the page
holds, report.html.j2 lays it out, report.css colors it, report.js and map.js make it interactive.
Without scripts, the page still shows everything but the texts on the map. Knows nothing of stages
and folders.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from emolens.calibration import CONFIDENCE
from emolens.data.audit import Audit
from emolens.data.audit.check import counts_of
from emolens.data.checks import counted
from emolens.data.dataset import TEST, TRAIN, VALIDATION, Dataset
from emolens.errors import require
from emolens.evaluation.behavior import Behavior
from emolens.evaluation.calibration import Bin, accuracy_by_share, reliability, uncalibrated
from emolens.evaluation.evaluate import Evaluation, rival_of
from emolens.evaluation.verdict import (
    augrc_sentence,
    calibration_sentence,
    comparison_sentence,
    coverage_sentence,
    gap_sentence,
    percent,
    promise_sentence,
    sentence_case,
)
from emolens.explore.project import Projection
from emolens.learn.finetune.plan import in_words
from emolens.scores import (
    EXPORTED,
    FINETUNE,
    MAJORITY,
    PROBE,
    TFIDF,
    Facts,
    FinetuneFacts,
    MajorityFacts,
    Scores,
    role_of,
)
from emolens.show.page import LONGEST, render, sections_shown
from emolens.show.report import charts, reading
from emolens.show.report.advice import findings
from emolens.show.report.errors import ReadRow, left_out_sentence, worth_reading
from emolens.show.report.mapscript import map_script
from emolens.show.report.older import completed
from emolens.show.report.points import Points, Texts, classes_of, sentence
from emolens.shown import quoted

_FOLDER = Path(__file__).parent
_FIRST = 2  # steps on the first screen
_RUNGS = {
    MAJORITY.name: "one answer for all",
    TFIDF.name: "counts words",
    PROBE.name: "encoder as it is",
    FINETUNE.name: "this model",
}
# What lies beside the page, by its path.
_FILES = {
    "model/README.md": "the model card",
    "predictions.parquet": "each answer on validation and test",
    "evaluation.json": "all figures",
    "projection.parquet": "the places on the map",
    "figures/map.png": "the map by class",
    "study.toml": "the settings",
}
SECTIONS = {
    "believe": "When to believe an answer",
    "classes": "Class by class",
    "confusion": "What it mixes up",
    "errors": "Errors worth reading",
    "behavior": "Behavior",
    "next": "What to do next",
    "data": "The data",
    "figures": "All figures",
    "tokens": "From texts to numbers",
    "models": "How the models were made",
    "made": "How this page was made",
}


@dataclass(frozen=True)
class ReportContents:
    """Everything that a report shows.

    study: the resolved settings as plain values. scores: of each model, the exported one among
    them. projections: the places on the map by split, in the order of the data. n_tokens: by split,
    (n,) before texts are cut. example: texts as padded_batch gives them. picture: the map as SVG,
    for readers without scripts. stages: by stage, its result, seconds and peak memory; a failed
    export is left out. run: the name of the run folder, for commands. behavior: None if the model
    could not be tried. texts: which texts the page may hold.
    """

    study: dict[str, Any]
    study_toml: str
    audit: Audit
    dataset: Dataset
    scores: Sequence[Scores]
    evaluation: Evaluation
    projections: Mapping[str, Projection]
    n_tokens: Mapping[str, np.ndarray]
    example: list[dict[str, Any]]
    shapes: dict[str, tuple[int, ...]]
    embed_runtime: str
    picture: Path
    stages: dict[str, dict[str, Any]]
    run: str
    behavior: Behavior | None = None
    texts: Texts = "all"

    @property
    def facts(self) -> dict[str, Facts]:
        """By model."""
        return {of.model: of.facts for of in self.scores if of.facts}

    @property
    def exported(self) -> Scores:
        """The scores of the model that the page is about."""
        return next(of for of in self.scores if of.model == EXPORTED.name)


def render_report(contents: ReportContents) -> str:
    """The HTML of the whole page."""
    evaluation = completed(contents.evaluation, contents.dataset, contents.scores)
    contents = replace(contents, evaluation=evaluation)
    audit, labels = contents.audit, contents.dataset.labels
    found = findings(evaluation, audit, contents.behavior, reasons=contents.texts == "all")
    model = evaluation.by_split[TEST][EXPORTED.name]
    shown = {"behavior": contents.behavior is not None}
    points = Points.of(
        contents.dataset, contents.exported, contents.projections, texts=contents.texts
    )
    classes = classes_of(labels, points)
    own = ("table.js", "matrix.js", "bubble.js", "controls.js", "report.js")
    script = map_script() + "".join((_FOLDER / name).read_text("utf-8") for name in own)
    largest = next(f.largest for f in contents.facts.values() if isinstance(f, MajorityFacts))
    return render(
        "report/report.html.j2",
        **{name: getattr(contents, name) for name in ReportContents.__dataclass_fields__},
        facts=contents.facts,
        roles=[role_of(name) for name in evaluation.by_split[VALIDATION]],
        model=model,
        exported_role=EXPORTED,
        sections=sections_shown(SECTIONS, shown),
        points=points.packed(labels),
        classes=classes,
        color_of={name: color for name, color, _ in classes},
        texts_sentence=sentence(points, contents.texts),
        errors=_to_read(contents, points),
        errors_left_out=left_out_sentence(audit),
        longest=LONGEST,
        without_place=points.without_place,
        script=require("markupsafe", "train").Markup(script),
        script_hash=base64.b64encode(hashlib.sha256(script.encode()).digest()).decode("ascii"),
        style=require("markupsafe", "train").Markup((_FOLDER / "report.css").read_text("utf-8")),
        map_picture=_data_uri(contents.picture),
        verdict=reading.verdict(evaluation, largest),
        tried=reading.tried_sentence(contents.behavior),
        beware=[of.problem for of in found if of.problem],
        map_sentence=reading.map_sentence(contents.projections[TRAIN], len(labels)),
        next_steps=[of.step for of in found if of.step],
        first_steps=[of.short for of in found if of.short][:_FIRST],
        rival=rival_of(evaluation, TEST),
        rung_notes=_RUNGS,
        reading=reading,
        charts=_charts(contents),
        role_of=role_of,
        sentence_case=sentence_case,
        comparison_sentence=comparison_sentence,
        percent=percent,
        in_words=in_words,
        counts_of=counts_of,
        commands=_commands(contents),
        files=_FILES.items(),
        gap_sentence=gap_sentence(_groups(contents, contents.exported.probabilities[TEST])),
        **_belief(evaluation),
    )


def _to_read(contents: ReportContents, points: Points) -> list[ReadRow]:
    """The rows of the table of errors; if only errors may be held, those that are among them."""
    rows = worth_reading(contents.audit, contents.evaluation)
    if contents.texts == "all":
        return rows
    starts = {name: int((points.split < i).sum()) for i, name in enumerate(points.splits)}
    held = set(points.shown.tolist())
    return [row for row in rows if starts[row.split] + row.row in held]


def _commands(contents: ReportContents) -> list[tuple[str, str]]:
    """What to type next, each with what it is for."""
    run = quoted(contents.run)
    model = quoted(f"{contents.run}/model")
    with_export = [
        ("Let it answer texts of your own", f"emolens predict --model {model} --input FILE"),
        ("See how often it is right on them: you label 60", f"emolens check --model {model} FILE"),
        (
            "Measure it on texts that have labels",
            f"emolens evaluate --model {model} --dataset FILE",
        ),
    ]
    always = [
        ("Make this page again", f"emolens report {run}"),
        ("Run the study again", f"emolens run {quoted(f'{contents.run}/study.toml')} --out {run}"),
    ]
    return (with_export if "export" in contents.stages else []) + always


def _belief(evaluation: Evaluation) -> dict[str, Any]:
    """The models that were calibrated, and sentences about the one that is exported."""
    calibrated = {name: e for name, e in evaluation.by_split[TEST].items() if e.before}
    exported = evaluation.by_split[TEST][EXPORTED.name]
    return {
        "calibrated": calibrated,
        "calibrated_titles": [role_of(name).title for name in calibrated],
        "promise": exported.promise,
        "confidence": CONFIDENCE,
        "promise_sentence": promise_sentence(exported, TEST),
        "calibration_sentence": calibration_sentence(EXPORTED.name, exported, TEST),
        "coverage_sentence": coverage_sentence(EXPORTED.name, exported, TEST),
        "augrc_sentence": augrc_sentence(calibrated) if calibrated else "",
    }


def _charts(contents: ReportContents) -> dict[str, Any]:
    """The line charts of the page, by name, as markup."""
    drawn = {
        "reliability": _reliability(contents),
        "coverage": _coverage(contents),
    }
    facts = contents.facts.get(EXPORTED.name)
    if isinstance(facts, FinetuneFacts):
        drawn["learning"] = _learning(facts)
    drawn_lengths = (
        require("markupsafe", "train")
        .Markup("")
        .join(chart.svg() for chart in _lengths(contents.n_tokens))
    )
    return {name: chart.svg() for name, chart in drawn.items()} | {"lengths": drawn_lengths}


_FEWEST = 10  # texts in a group whose share of right answers is drawn
_LENGTH_STEPS = 40
_SHARES = (0.0, 0.25, 0.5, 0.75, 1.0)


def _groups(contents: ReportContents, probabilities: np.ndarray) -> list[Bin]:
    """The groups of answers on test whose share of right ones is drawn."""
    groups = reliability(contents.dataset[TEST].labels, probabilities)
    return [group for group in groups if group.rows >= _FEWEST]


def _reliability(contents: ReportContents) -> charts.Chart:
    of = contents.exported
    after = of.probabilities[TEST]
    named = {"after calibration": after}
    if of.calibration:
        named = {"before calibration": uncalibrated(after, of.calibration.temperature), **named}
    lines = []
    for title, probabilities in named.items():
        bins = _groups(contents, probabilities)
        lines.append(
            charts.Line(
                title,
                [(b.confidence, b.accuracy) for b in bins],
                [(b.confidence, b.low, b.high) for b in bins],
                whiskers=True,
                joined=False,
                sizes=[b.rows for b in bins],
            )
        )
    return charts.Chart(
        charts.Axis("probability of the answer", 0, 1, _SHARES, percent=True),
        charts.Axis("right answers", 0, 1, _SHARES, percent=True),
        lines,
        calibration_sentence(EXPORTED.name, contents.evaluation.by_split[TEST][of.model], TEST),
        guides=[((0, 0), (1, 1))],
        counted="texts",
    )


def _coverage(contents: ReportContents) -> charts.Chart:
    y, model = contents.dataset[TEST].labels, contents.evaluation.by_split[TEST][EXPORTED.name]
    lines, lowest = [], 1.0
    for of in contents.scores:
        if of.calibration:
            curve = accuracy_by_share(y, of.probabilities[TEST])
            lowest = min([lowest, *(p.accuracy for p in curve)])
            band = [(p.answered, p.low, p.high) for p in curve] if of.model == EXPORTED.name else []
            places = [(p.answered, p.accuracy) for p in curve]
            lines.append(charts.Line(role_of(of.model).title, places, band, signs=False))
    low = max(0.0, min(0.75, int(10 * lowest - 1e-9) / 10))
    promise, marks, guides = model.promise, [], []
    if promise and promise.accuracy is not None:
        marks = [((promise.share, promise.accuracy), f"promise {percent(promise.promised, 0)}")]
        guides = [((0.0, promise.promised), (1.0, promise.promised))]
    steps = tuple(low + (1 - low) * share for share in _SHARES)
    return charts.Chart(
        charts.Axis("texts that get an answer", 0, 1, _SHARES, percent=True),
        charts.Axis("right answers", low, 1, tuple(round(s, 4) for s in steps), percent=True),
        lines,
        promise_sentence(model, TEST),
        guides=guides,
        marks=marks,
    )


def _lengths(n_tokens: Mapping[str, np.ndarray]) -> list[charts.Chart]:
    """Below each other, the share of each split's texts by tokens, in at most 40 equal steps.

    A step is a whole number of tokens: others would hold now more, now fewer lengths. They end at
    the longest text, or where few texts are much longer, at twice the 99.5th percentile.
    """
    every = np.concatenate(list(n_tokens.values()))
    longest = int(every.max(initial=1))
    end = min(longest, int(2 * np.quantile(every, 0.995)) + 1) if len(every) else 1
    step = -(-(end + 1) // _LENGTH_STEPS)
    edges = np.arange(0, end + 1 + step, step)
    shares = {
        split: np.histogram(counts[counts < edges[-1]], edges)[0] / max(len(counts), 1)
        for split, counts in n_tokens.items()
    }
    most = max(float(of.max()) for of in shares.values())
    high = float(edges[-1])
    drawn: list[charts.Chart] = []
    for split, counts in n_tokens.items():
        stairs = [
            (float(x), share)
            for start, share in zip(edges, shares[split].tolist(), strict=False)
            for x in (start, start + step)
        ]
        longer = int((counts >= high).sum())
        beyond = f"; not drawn: {counted(longer, 'longer text')}" if longer else ""
        title = "tokens in a text" if len(drawn) == len(n_tokens) - 1 else ""
        area = [(x, 0.0, share) for x, share in stairs]
        drawn.append(
            charts.Chart(
                charts.Axis(title, 0, high, charts.ticks(high)),
                charts.Axis(f"{split}{beyond}", 0, most, charts.ticks(most, most=3), percent=True),
                [charts.Line(split, stairs, area, signs=False)],
                f"Half of the texts of {split} have {np.median(counts):.0f} tokens or fewer.",
                height=70,
            )
        )
    return drawn


def _learning(facts: FinetuneFacts) -> charts.Chart:
    """Scores by epoch; with several seeds, the area from the lowest to the highest of them."""
    lines, lowest = [], 1.0
    several = any(seed.history for seed in facts.seeds)
    for title, name in (("accuracy", "accuracy"), ("macro-F1", "macro_f1")):
        places = [(p.epoch, float(getattr(p, name))) for p in facts.history]
        by_epoch: dict[float, list[float]] = {epoch: [value] for epoch, value in places}
        for seed in facts.seeds:
            for p in seed.history:
                by_epoch.setdefault(p.epoch, []).append(float(getattr(p, name)))
        band = [(epoch, min(values), max(values)) for epoch, values in sorted(by_epoch.items())]
        lowest = min([lowest, *(low for _, low, _ in band)])
        lines.append(charts.Line(f"{title} on validation", places, band if several else []))
    low = int(10 * lowest) / 10
    epochs, steps = facts.history[-1].epoch, [low + (1 - low) * share for share in _SHARES]
    return charts.Chart(
        charts.Axis("epoch", 0, epochs, charts.ticks(epochs)),
        charts.Axis("score", low, 1, tuple(round(step, 4) for step in steps), percent=True),
        lines,
        reading.curve_sentence(facts),
        marks=[((facts.best_epoch, facts.kept.macro_f1), "kept")],
    )


def _data_uri(path: Path) -> str:
    return "data:image/svg+xml;base64," + base64.b64encode(path.read_bytes()).decode("ascii")
