"""The stages of a study, in order. Each reads the files of earlier stages in the run folder, does
one thing, writes its files into the folder `out`, and returns a summary in one line.

Knows nothing of how the files get from `out` to their places in the run folder.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from emolens.data.audit import audit
from emolens.data.audit.check import counts_of
from emolens.data.dataset import TEST, TRAIN, VALIDATION
from emolens.encode.batches import padded_batch
from emolens.encode.embed import Embeddings, Encoder
from emolens.encode.engines.base import check_finite
from emolens.encode.engines.choose import Use, choose
from emolens.evaluation.evaluate import evaluate, predictions_table
from emolens.explore.project import Projection, place, project
from emolens.export.openvino import export_openvino
from emolens.export.verify import drift
from emolens.judge.behavior import behavior_of, behavior_sentence
from emolens.learn.baselines import majority, tfidf
from emolens.modelfolder import OPENVINO
from emolens.predict.classifier import Classifier
from emolens.publish.push import plan_push, push
from emolens.scores import EXPORTED, PROBE, Scores, role_of
from emolens.show.card import model_card
from emolens.show.cardtext import CARD, has_own_words
from emolens.show.report import ReportContents, render_report
from emolens.store import fingerprint, load_json, save_arrays, save_json, save_table, save_text
from emolens.study.about import about, base_license, renewed_card, to_send
from emolens.study.context import Context, projection_file
from emolens.study.figures import FIGURES, draw
from emolens.study.folder import MODEL, REPORT
from emolens.study.keys import StageKey, chosen_settings, settings_of
from emolens.study.settings import FinetuneSettings, Study
from emolens.study.training import fine_tuned
from emolens.version import versions

# A tracker only listens: it decides no result.
_FINETUNE_SETTINGS = tuple(
    f"finetune.{name}" for name in FinetuneSettings.model_fields if name != "tracker"
)
EMBED_SETTINGS = ("pooling", "layer", "normalize", "precision", "max_length")


@dataclass(frozen=True)
class Stage:
    """One stage, and all that decides its result.

    run: gets the context and `out`. needs: stages whose files it reads. settings: those that it
    uses; the name of a table means all settings in it. inputs: names in INPUTS. libraries: those
    that decide its numbers. model_part: the part of the model folder that it writes besides `out`:
    "" for all of it, None for nothing. may_fail: the stage fails for some encoders, and later
    stages can run without it.
    """

    run: Callable[[Context, Path], str]
    needs: tuple[str, ...] = ()
    settings: tuple[str, ...] = ()
    inputs: tuple[str, ...] = ("data",)
    libraries: tuple[str, ...] = ()
    model_part: str | None = None
    may_fail: bool = False


def _tokenize(context: Context, out: Path) -> str:
    over, medians = 0, {}
    for name, split in context.dataset.splits.items():
        tokens = context.tokenizer.encode(split.texts)
        save_arrays(out / "tokens" / f"{name}.safetensors", dict(vars(tokens)))
        over += tokens.n_truncated
        medians[name] = np.median(tokens.n_whole)
    n, limit = len(context.dataset), context.tokenizer.max_length
    median = f"median of train {medians[TRAIN]:.0f} tokens"
    return f"{n:,} texts, {median}, {over:,} over the limit of {limit}"


def _audit(context: Context, out: Path) -> str:
    tokens, tokenizer = context.tokens(), context.tokenizer
    report = audit(
        context.dataset,
        n_tokens={name: part.n_whole for name, part in tokens.items()},
        unknown={name: tokenizer.unknown_shares(part) for name, part in tokens.items()},
        max_length=tokenizer.max_length,
        ignore=context.study.audit.ignore,
    )
    save_json(out / "audit.json", report.to_dict())
    sizes = ", ".join(f"{name} {split.n:,}" for name, split in report.splits.items())
    summary = f"{sizes} texts in {len(context.dataset.labels)} classes"
    if repeated := report.repeated_texts:
        summary += f", {repeated:,} repeated ({report.contradicting_texts:,} contradicting)"
    if leaked := len(report.leaked_rows):
        summary += f", {leaked:,} also in train"
    if blank := sum(context.dataset.blank.values()):
        summary += f", {blank:,} without a text left out"
    return f"{summary}; {counts_of(report.checks)}"


def _embed(context: Context, out: Path) -> str:
    settings = context.study.encoder
    encoder = Encoder(
        context.encoder,
        pooling=settings.pooling,
        precision=settings.precision,
        layer=settings.layer,
        normalize=settings.normalize,
        tokenizer=context.tokenizer,
    )
    tokens = context.tokens()
    total = sum(map(len, tokens.values()))
    vectors: dict[str, np.ndarray] = {}
    computed: set[str] = set()
    for name in context.dataset.splits:
        before = sum(map(len, vectors.values()))

        def progress(done: int, _: int, name: str = name, before: int = before) -> None:
            computed.add(name)
            context.progress(before + done, total)

        vectors[name] = encoder.encode(tokens[name], progress=progress)
    embeddings = Embeddings(vectors)
    embeddings.save(out / "embeddings")
    chosen = settings.model_dump(include=set(EMBED_SETTINGS))
    facts = {"runtime": str(encoder.runtime), **chosen}
    save_json(out / "embeddings" / "embeddings.json", facts)
    shapes = " ".join(str(shape) for shape in embeddings.shapes.values())
    summary = f"{shapes}, {settings.pooling} pooling on {encoder.runtime}"
    return summary if computed else f"{summary}, read from the cache"


def _map(context: Context, out: Path) -> str:
    settings = {**context.study.map.model_dump(), "seed": context.study.seed}
    vectors, data = context.embeddings(), context.dataset
    train = project(vectors[TRAIN], data[TRAIN].labels, **settings)
    train.save(out / projection_file(TRAIN))
    placed = 0
    for split in (VALIDATION, TEST):
        xy = place(train, vectors[TRAIN], vectors[split], **settings)
        Projection(xy, data[split].labels).save(out / projection_file(split))
        placed += len(xy)
    shape = f"({len(train.labels)}, 3) X, Y, label; UMAP, {settings['metric']}"
    return f"{shape}; {placed:,} texts of validation and test placed among them"


def _baselines(context: Context, out: Path) -> str:
    models = [majority(context.dataset), tfidf(context.dataset, context.balance)]
    for scores in models:
        scores.save(out / role_of(scores.model).folder)
    return ", ".join(f"{role_of(s.model).title} {_accuracy(context, s)}" for s in models)


def _probe(context: Context, out: Path) -> str:
    from emolens.learn.probe import Probe  # loads scikit-learn, which a resumed run doesn't need

    embeddings, y, rows = context.embeddings(), context.dataset.y, context.balance.rows
    for split in (TRAIN, VALIDATION):
        check_finite(split, embeddings[split])
    weights = dict(enumerate(context.balance.class_weights.tolist()))
    probe = Probe(strengths=context.study.probe.strengths, class_weight=weights)
    validation = embeddings[VALIDATION], y[VALIDATION]
    probe.fit(embeddings[TRAIN][rows], y[TRAIN][rows], eval_set=validation)
    scores = probe.scores(embeddings, context.dataset.labels)
    probe.save(out / PROBE.folder)
    scores.save(out / PROBE.folder)
    return f"validation accuracy {_accuracy(context, scores)}, C = {probe.C_:g}"


def _evaluate(context: Context, out: Path) -> str:
    scores = context.scores()
    evaluation = evaluate(context.dataset, scores, answerable=_answerable(context))
    evaluation.save(out / "evaluation.json")
    save_table(out / "predictions.parquet", predictions_table(context.dataset, scores))
    best = evaluation.by_split[TEST][EXPORTED.name]
    low, high = best.intervals["accuracy"]
    summary = f"test accuracy {best.accuracy:.4f} (95 % {low:.3f}–{high:.3f})"
    figures = f"{summary}, macro-F1 {best.macro_f1:.4f}"
    calibration = f"calibration error {best.calibration.expected}"
    return "; ".join(filter(None, [figures, calibration, evaluation.absence(TEST)]))


def _answerable(context: Context) -> dict[str, dict[str, np.ndarray]]:
    """The rows that the exported model answers if their probability is high enough."""
    tokens, tokenizer = context.tokens(), context.tokenizer
    of_model = {split: tokenizer.answerable(tokens[split]) for split in (VALIDATION, TEST)}
    return {EXPORTED.name: of_model}


def _figures(context: Context, out: Path) -> str:
    return f"{len(draw(context, out)) // 2} pictures, each as .png and .svg"


def _report(context: Context, out: Path) -> str:
    evaluation, audited = context.evaluation(), context.audit()
    contents = ReportContents(
        study=context.study.model_dump(),
        study_toml=context.study.to_toml(),
        audit=audited,
        dataset=context.dataset,
        scores=context.scores(),
        projections={split: context.projection(split) for split in context.dataset.splits},
        n_tokens={split: tokens.n_whole for split, tokens in context.tokens().items()},
        example=padded_batch(context.tokenizer, context.dataset[TRAIN].texts[:2]),
        shapes=context.embeddings().shapes,
        embed_runtime=load_json(context.folder / "embeddings" / "embeddings.json")["runtime"],
        evaluation=evaluation,
        behavior=context.behavior(),
        picture=context.folder / "figures" / "map.svg",
        stages={n: asdict(context.records[n]) for n in _read("report", context)},
        run=context.typed_folder,
        texts=context.study.report.texts,
    )
    card = model_card(
        context.study.name,
        audited,
        evaluation,
        about=about(context),
        behavior=context.behavior(),
    )
    save_text(out / REPORT, to_send(render_report(contents), context.study))
    card = renewed_card(context, to_send(card, context.study))
    save_text(out / MODEL / CARD, card)
    words = " with your words" if has_own_words(card) else ""
    held = {"all": "all texts", "errors": "the texts of wrong answers", "none": "no texts"}
    return f"report.html with {held[contents.texts]} of the data, and a model card{words}"


def _export(context: Context, out: Path) -> str:
    model, summary = context.folder / MODEL, f"{MODEL}/openvino, for emolens predict"
    if not context.study.export.int8:
        export_openvino(model)
        return summary
    export_openvino(model, calibration=context.dataset[TRAIN].texts)
    rows = context.dataset[VALIDATION]
    difference = drift(model, rows.texts, labels=rows.labels)
    save_json(out / "drift.json", asdict(difference))
    return f"{summary}; validation, {difference}"


def _behavior(context: Context, out: Path) -> str:
    found = behavior_of(Classifier(context.folder / MODEL))
    save_json(out / "behavior.json", found and found.to_dict())
    return behavior_sentence(found).rstrip(".")


def _push(context: Context, out: Path) -> str:
    plan = plan_push(context.folder / MODEL, **context.study.push.model_dump())
    for note in plan.notes:
        warnings.warn(note, UserWarning, stacklevel=2)
    done = push(plan)
    save_json(out / "push.json", asdict(done))
    return f"{done.address}, commit {done.commit[:8]}"


def _accuracy(context: Context, scores: Scores) -> str:
    right = scores.predictions(VALIDATION) == context.dataset[VALIDATION].labels
    return f"{right.mean():.4f}"


def _runtime(precision: str | None, use: Use) -> str:
    """The meaning of 'auto' on this machine.

    Without the threads: with another number of them, a training is another one by chance, and no
    better one.
    """
    chosen = choose(precision, use=use)
    return f"{chosen.engine} on {chosen.device}, {chosen.precision}"


# What else decides the result of a stage, besides settings and files of other stages. Each is text
# that changes with it.
INPUTS: dict[str, Callable[[Context], str]] = {
    "data": lambda context: context.dataset.fingerprint,
    "notes about the data": lambda context: fingerprint(list(map(asdict, context.dataset.notes))),
    "data set": lambda context: context.dataset.name,
    "columns": lambda context: ", ".join(context.dataset.columns),
    "encoder": lambda context: context.encoder.fingerprint,
    "license of the base model": lambda context: str(base_license(context)),
    "runtime": lambda context: _runtime(context.study.encoder.precision, "encode"),
    "runtime of training": lambda context: _runtime(context.study.finetune.precision, "train"),
}

STAGES = {
    "tokenize": Stage(
        _tokenize,
        settings=("encoder.max_length",),
        inputs=("data", "encoder"),
        libraries=("tokenizers", "transformers"),
    ),
    "audit": Stage(
        _audit,
        needs=("tokenize",),
        settings=("encoder.max_length", "audit"),
        inputs=("data", "notes about the data", "data set", "columns", "encoder"),
        libraries=("numpy", "py3langid"),
    ),
    "embed": Stage(
        _embed,
        needs=("tokenize",),
        settings=tuple(f"encoder.{name}" for name in EMBED_SETTINGS),
        inputs=("data", "encoder", "runtime"),
        libraries=("openvino", "nncf", "torch", "transformers", "tokenizers"),
    ),
    "map": Stage(
        _map,
        needs=("embed",),
        settings=("map", "seed"),
        libraries=("umap-learn", "numba", "scikit-learn", "scipy", "numpy"),
    ),
    "baselines": Stage(
        _baselines,
        settings=("balance", "seed"),
        libraries=("scikit-learn", "scipy", "mapie", "numpy"),
    ),
    "probe": Stage(
        _probe,
        needs=("embed",),
        settings=("balance", "probe", "seed"),
        libraries=("scikit-learn", "scipy", "mapie", "numpy"),
    ),
    "finetune": Stage(
        fine_tuned,
        settings=("balance", "encoder.max_length", *_FINETUNE_SETTINGS, "seed"),
        inputs=("data", "encoder", "runtime of training"),
        libraries=(
            *("torch", "transformers", "tokenizers"),
            *("scikit-learn", "scipy", "mapie", "numpy"),
        ),
        model_part="",
    ),
    "evaluate": Stage(
        _evaluate,
        needs=("tokenize", "baselines", "probe", "finetune"),
        settings=("encoder.max_length",),
        inputs=("data", "encoder"),
        libraries=("scipy", "numpy"),
    ),
    "figures": Stage(
        _figures,
        needs=("baselines", *FIGURES),
        settings=("encoder.max_length",),
        inputs=("data", "encoder"),
        libraries=("matplotlib", "numpy"),
    ),
    "export": Stage(
        _export,
        needs=("finetune",),
        settings=("export",),
        libraries=("openvino", "nncf", "torch", "transformers", "tokenizers"),
        model_part=OPENVINO,
        may_fail=True,
    ),
    "behavior": Stage(
        _behavior,
        needs=("export",),
        inputs=(),
        libraries=("openvino", "tokenizers"),
        may_fail=True,
    ),
    "report": Stage(
        _report,
        needs=(
            *("tokenize", "audit", "embed", "map", "baselines", "probe", "finetune", "evaluate"),
            *("figures", "export", "behavior"),
        ),
        settings=tuple(Study.model_fields),  # the report shows all of them
        inputs=("data", "encoder", "license of the base model"),
        libraries=("jinja2", "huggingface_hub", "tokenizers", "openvino", "py3langid"),
    ),
    "push": Stage(
        _push,
        needs=("finetune", "export", "report"),
        settings=("push",),
        libraries=("huggingface_hub",),
    ),
}


def stage_key(stage: str, context: Context) -> StageKey:
    """All that decides the stage's result now, with the files of earlier stages."""
    wanted = STAGES[stage]
    return StageKey(
        settings=chosen_settings(settings_of(context.study), wanted.settings),
        libraries=versions(wanted.libraries),
        inputs={name: INPUTS[name](context) for name in wanted.inputs},
        stages={name: fingerprint(context.records[name].outputs) for name in _read(stage, context)},
    )


def _read(stage: str, context: Context) -> list[str]:
    """The stages whose files this one reads, without those that failed."""
    return [name for name in STAGES[stage].needs if name in context.records]
