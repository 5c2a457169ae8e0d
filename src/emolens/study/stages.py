"""The stages of a study, in order. Each reads what earlier ones wrote into the run folder, does
one thing, and returns the files it wrote and a line that sums it up.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from emolens import runtime
from emolens.data.audit import Audit, SplitAudit, audit
from emolens.data.balance import Balance, balance
from emolens.data.dataset import TEST, TRAIN, VALIDATION, Dataset
from emolens.encode.backbone import EncoderFolder, tokeniser_of
from emolens.encode.embed import Embeddings, Encoder, Progress
from emolens.encode.tokenise import Tokeniser, Tokens
from emolens.evaluation.evaluate import Evaluation, evaluate, predictions_table
from emolens.explore.project import Projection, project
from emolens.learn.baselines import majority, tfidf
from emolens.learn.export import export_openvino
from emolens.learn.finetune import Recipe, finetune
from emolens.learn.probe import Probe
from emolens.learn.scores import Scores
from emolens.show import displays
from emolens.show.card import model_card
from emolens.show.report import ReportContents, padded_example, render_report
from emolens.store import (
    atomic_folder,
    load_arrays,
    load_json,
    save_arrays,
    save_json,
    save_table,
    save_text,
)
from emolens.study.folder import StageRecord
from emolens.study.settings import Study


@dataclass
class Context:
    """What every stage may read. `folder` is the run folder."""

    study: Study
    dataset: Dataset
    encoder: EncoderFolder
    folder: Path
    records: dict[str, StageRecord]
    progress: Progress

    @cached_property
    def tokeniser(self) -> Tokeniser:
        """The encoder's tokenizer with the study's limit."""
        return tokeniser_of(self.encoder, max_length=self.study.encoder.max_length)

    @cached_property
    def balance(self) -> Balance:
        """Which training rows are learned from, and the class weights."""
        labels = self.dataset[TRAIN].labels
        method = self.study.balance.method
        return balance(labels, len(self.dataset.labels), method=method, seed=self.study.seed)

    def tokens(self) -> dict[str, Tokens]:
        """What the tokenise stage wrote."""
        folder = self.folder / "tokens"
        return {n: Tokens(**load_arrays(folder / f"{n}.safetensors")) for n in self.dataset.splits}

    def embeddings(self) -> Embeddings:
        """What the embed stage wrote."""
        return Embeddings.load(self.folder / "embeddings", list(self.dataset.splits))

    def scores(self) -> list[Scores]:
        """Every model's probabilities, from the simplest to the strongest."""
        folders = ("baselines/majority", "baselines/tfidf", "probe", "finetune")
        return [Scores.load(self.folder / f, (VALIDATION, TEST)) for f in folders]


Outcome = tuple[list[Path], str]


@dataclass(frozen=True)
class Stage:
    """One stage. needs: stages whose files it reads. settings: what of the study it heeds."""

    run: Callable[[Context], Outcome]
    needs: tuple[str, ...] = ()
    settings: tuple[str, ...] = ()


def _tokenise(context: Context) -> Outcome:
    paths, over, medians = [], 0, []
    for name, split in context.dataset.splits.items():
        tokens = context.tokeniser.encode(split.texts)
        paths.append(context.folder / "tokens" / f"{name}.safetensors")
        save_arrays(paths[-1], dict(vars(tokens)))
        over += tokens.n_truncated
        medians.append(np.median(tokens.n_whole))
    n, limit = len(context.dataset), context.tokeniser.max_length
    return paths, f"{n:,} texts, median {medians[0]:.0f} tokens, {over:,} over the limit of {limit}"


def _audit(context: Context) -> Outcome:
    n_tokens = {name: tokens.n_whole for name, tokens in context.tokens().items()}
    found = audit(context.dataset, n_tokens=n_tokens, max_length=context.tokeniser.max_length)
    path = context.folder / "audit.json"
    save_json(path, found.to_dict())
    sizes = " / ".join(f"{split.n:,}" for split in found.splits.values())
    said = f"{sizes} texts in {len(context.dataset.labels)} classes"
    if found.repeated_texts:
        said += f", {found.repeated_texts:,} repeated ({found.contradicting_texts:,} contradicting)"
    if leaked := len(found.leaked_rows):
        said += f", {leaked:,} also in train"
    return [path], said


def _embed(context: Context) -> Outcome:
    settings = context.study.encoder
    encoder = Encoder(
        str(context.encoder.folder),
        pooling=settings.pooling,
        precision=settings.precision,
        layer=settings.layer,
        max_length=settings.max_length,
    )
    tokens = context.tokens()
    total = sum(map(len, tokens.values()))
    vectors: dict[str, np.ndarray] = {}
    for name, rows in tokens.items():
        progress = _offset(context.progress, sum(map(len, vectors.values())), total)
        vectors[name] = encoder.encode_tokens(rows, progress=progress)
    embeddings = Embeddings(vectors)
    about = context.folder / "embeddings" / "embeddings.json"
    save_json(about, {"runtime": str(encoder.runtime), **settings.model_dump()})
    paths = [*embeddings.save(context.folder / "embeddings"), about]
    shapes = " ".join(str(shape) for shape in embeddings.shapes.values())
    return paths, f"{shapes}, {settings.pooling} pooling on {encoder.runtime}"


def _offset(progress: Progress, before: int, total: int) -> Progress:
    """Progress over one split, told as progress over all."""
    return lambda done, _: progress(before + done, total)


def _map(context: Context) -> Outcome:
    settings = context.study.map
    projection = project(
        context.embeddings()[TRAIN],
        context.dataset[TRAIN].labels,
        seed=context.study.seed,
        **settings.model_dump(),
    )
    path = context.folder / "projection.parquet"
    projection.save(path)
    return [path], f"({len(projection.labels)}, 3) X, Y, label; UMAP, {settings.metric}"


def _baselines(context: Context) -> Outcome:
    found = [majority(context.dataset), tfidf(context.dataset, context.balance)]
    paths = [p for s in found for p in s.save(context.folder / "baselines" / s.model)]
    return paths, ", ".join(
        f"{displays.model_name(s.model)} {_accuracy(context, s)}" for s in found
    )


def _probe(context: Context) -> Outcome:
    embeddings = context.embeddings()
    probe = Probe(context.dataset.labels, strengths=context.study.probe.strengths)
    probe.fit(embeddings, context.dataset.y, context.balance)
    scores = probe.scores(embeddings)
    folder = context.folder / "probe"
    said = f"validation accuracy {_accuracy(context, scores)}, C = {probe.C_:g}"
    return [*probe.save(folder), *scores.save(folder)], said


def _finetune(context: Context) -> Outcome:
    recipe = Recipe(**context.study.finetune.model_dump(), seed=context.study.seed)
    with atomic_folder(context.folder / "model") as fresh:
        scores = finetune(
            context.encoder,
            context.dataset,
            fresh,
            tokens=context.tokens(),
            recipe=recipe,
            balance=context.balance,
            progress=context.progress,
        )
        written = [path.name for path in fresh.iterdir()]
    paths = [context.folder / "model" / name for name in written]
    paths += scores.save(context.folder / "finetune")
    kept = f"epoch {scores.facts['best_epoch']:g} kept"
    return paths, f"validation accuracy {_accuracy(context, scores)}, {kept}"


def _evaluate(context: Context) -> Outcome:
    scores = context.scores()
    found = evaluate(context.dataset, scores, seed=context.study.seed)
    figures, table = context.folder / "evaluation.json", context.folder / "predictions.parquet"
    save_json(figures, found.to_dict())
    save_table(table, predictions_table(context.dataset, scores))
    best = found.by_split[TEST]["finetune"]
    low, high = best.intervals["accuracy"]
    said = f"test accuracy {best.accuracy:.4f} (95 % {low:.3f}–{high:.3f})"
    return [figures, table], f"{said}, macro-F1 {best.macro_f1:.4f}"


def _export(context: Context) -> Outcome:
    return export_openvino(context.folder / "model"), "model/openvino, for emolens predict"


def _report(context: Context) -> Outcome:
    found = load_audit(context.folder)
    evaluation = Evaluation.from_dict(load_json(context.folder / "evaluation.json"))
    tokens = context.tokens()
    scores = {s.model: s for s in context.scores()}
    projection = Projection.load(context.folder / "projection.parquet")
    drawn = _figures(context, tokens, evaluation, projection, scores["finetune"].facts)
    paths: list[Path] = []
    for done, (name, display) in enumerate(drawn.items(), start=1):
        paths += displays.save_figure(display, context.folder / "figures" / f"{name}.png")
        context.progress(done, len(drawn))
    shapes = {name: array.shape for name, array in context.embeddings().vectors.items()}
    contents = ReportContents(
        study=context.study.model_dump(),
        study_toml=context.study.to_toml(),
        runtime=str(runtime.choose()),
        audit=found,
        example=padded_example(context.tokeniser, tokens[TRAIN]),
        shapes=shapes,
        embed_runtime=load_json(context.folder / "embeddings" / "embeddings.json")["runtime"],
        projection=projection,
        facts={name: s.facts for name, s in scores.items()},
        evaluation=evaluation,
        figures={name: context.folder / "figures" / f"{name}.svg" for name in drawn},
        stages={
            name: asdict(record) for name, record in context.records.items() if name != "report"
        },
    )
    report, card = context.folder / "report.html", context.folder / "model" / "README.md"
    save_text(report, render_report(contents))
    save_text(card, model_card(context.study.name, found, context.encoder.name, evaluation))
    return [*paths, report, card], f"{len(drawn)} figures, report.html, model card"


def _figures(
    context: Context,
    tokens: dict[str, Tokens],
    evaluation: Evaluation,
    projection: Projection,
    facts: dict[str, Any],
) -> dict[str, displays.Display]:
    labels = context.dataset.labels
    matrices = {
        split: {
            displays.model_name(model): np.array(evaluation.by_split[split][model].confusion)
            for model in ("probe", "finetune")
        }
        for split in (VALIDATION, TEST)
    }
    lengths = {name: rows.n_whole for name, rows in tokens.items()}
    drawn: dict[str, displays.Display] = {
        "classes": displays.ClassFrequencyDisplay(labels, context.dataset.counts(TRAIN)),
        "lengths": displays.TokenLengthDisplay(lengths, context.tokeniser.max_length),
        "map": displays.DensityDisplay(labels, projection),
        "confusion-probe": displays.ConfusionDisplay(
            labels, matrices[VALIDATION]["probe"], "Probe, validation, normalised"
        ),
        "learning-curve": displays.LearningCurveDisplay(facts["history"], facts["best_epoch"]),
    }
    for split in (VALIDATION, TEST):
        drawn[f"scores-{split}"] = displays.ScoreDisplay(evaluation.by_split[split], split)
        drawn[f"confusion-{split}"] = displays.ConfusionPairDisplay(labels, matrices[split])
    return drawn


def load_audit(folder: Path) -> Audit:
    """The audit that a run folder holds."""
    values = load_json(folder / "audit.json")
    splits = {name: SplitAudit(**split) for name, split in values.pop("splits").items()}
    return Audit(**values, splits=splits)


def _accuracy(context: Context, scores: Scores) -> str:
    right = scores.predictions(VALIDATION) == context.dataset[VALIDATION].labels
    return f"{right.mean():.4f}"


STAGES = {
    "tokenise": Stage(_tokenise, settings=("encoder.max_length",)),
    "audit": Stage(_audit, needs=("tokenise",)),
    "embed": Stage(
        _embed,
        needs=("tokenise",),
        settings=("encoder.pooling", "encoder.layer", "encoder.precision"),
    ),
    "map": Stage(_map, needs=("embed",), settings=("map", "seed")),
    "baselines": Stage(_baselines, settings=("balance", "seed")),
    "probe": Stage(_probe, needs=("embed",), settings=("balance", "probe", "seed")),
    "finetune": Stage(_finetune, needs=("tokenise",), settings=("balance", "finetune", "seed")),
    "evaluate": Stage(_evaluate, needs=("baselines", "probe", "finetune"), settings=("seed",)),
    "export": Stage(_export, needs=("finetune",)),
    "report": Stage(_report, needs=("audit", "map", "evaluate", "export"), settings=("name",)),
}
