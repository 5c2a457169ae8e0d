"""Fine-tuning a sequence classifier: from a data set to a calibrated model in a folder.

A part of validation chooses the epoch, by macro-F1, and the other part calibrates. How the steps
are made, loop.py knows.
"""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from emolens.calibration import Calibration
from emolens.data.balance import Balance, balance
from emolens.data.dataset import TRAIN, VALIDATION, Dataset
from emolens.decide import ONE_CLASS, Decision
from emolens.encode.backbone import (
    EncoderFolder,
    find_encoder,
    logits_and_embedding_of,
    logits_of,
    pretrained_tokenizer,
    save_classifier,
    sequence_classifier,
    tokenizer_of,
    trained_classifier,
)
from emolens.encode.engines.base import Engine, Progress, run_batches
from emolens.encode.engines.choose import choose, start
from emolens.encode.engines.torch import TorchEngine, torch_for
from emolens.encode.layers import divide_logits
from emolens.encode.tokenize import Tokenizer, Tokens
from emolens.errors import DataError, require
from emolens.learn.calibrate import calibrate, choosing_rows, held_out, parts
from emolens.learn.finetune.checkpoint import Checkpoints
from emolens.learn.finetune.head import fit_head
from emolens.learn.finetune.loop import Look, Tracker, kept_look, train
from emolens.learn.finetune.passes import Examples
from emolens.learn.finetune.plan import plan_recipe
from emolens.learn.typical import typical
from emolens.likeness import ARRAYS_FILE
from emolens.modelfolder import CALIBRATION, TRAINING_TEXTS, check_writable, renew
from emolens.names import user_path
from emolens.output import sha256, staged, writing
from emolens.runtime import Runtime, seed_everything
from emolens.scores import (
    FINETUNE,
    EpochPoint,
    FinetuneFacts,
    PredictionFacts,
    Recipe,
    Scores,
)
from emolens.store import fingerprint, save_arrays
from emolens.version import __version__, versions


@dataclass(frozen=True)
class _Training:
    """The inputs of one training. pretrained: the tokenizer as an object of transformers."""

    encoder: EncoderFolder
    dataset: Dataset
    tokenizer: Tokenizer
    tokens: dict[str, Tokens]
    pretrained: Any
    recipe: Recipe
    progress: Progress | None
    tracker: Tracker | None

    @cached_property
    def balance(self) -> Balance:
        """The training rows to learn from, and the class weights."""
        labels, k = self.dataset[TRAIN].labels, len(self.dataset.labels)
        return balance(labels, k, method=self.recipe.balance, seed=self.recipe.seed)


def finetune(
    encoder: str | Path | EncoderFolder,
    dataset: Dataset,
    folder: str | Path,
    *,
    tokenizer: Tokenizer | None = None,
    recipe: Recipe | None = None,
    progress: Progress | None = None,
    tracker: Tracker | None = None,
) -> Scores:
    """Train on train, choose the epoch and calibrate on validation, write a model folder.

    encoder: a name, or a folder. folder: the files that emolens wrote there are replaced, once all
    is done; another file in the way gets the name NAME.yours, with a warning. tokenizer: the
    encoder's, with a limit of tokens per text for training and for later use; without it, the
    encoder's own limit, with a warning where texts are cut. recipe: by default, that of
    `plan_recipe`, which suits the encoder's width and the number of rows. tracker: gets the loss,
    the learning rate and the figures on validation while the training runs.

    Returns the calibrated probabilities of every split but train, computed in fp32; the facts are
    FinetuneFacts. The weights of the head are divided by the temperature, so that every program
    that loads them gives these probabilities. Raises DataError where train or validation has no
    rows, StorageError if another training uses `folder`.checkpoints.
    """
    dataset.check_one_class()
    for split in (TRAIN, VALIDATION):
        if not len(dataset.splits.get(split, ())):
            raise DataError(
                f"{dataset.name} has no rows in {split}.",
                hint="Add rows: fine-tuning learns from train and chooses the epoch on validation.",
            )
    folder = user_path(folder)
    check_writable(folder)
    if not isinstance(encoder, EncoderFolder):
        encoder = find_encoder(str(encoder))
    limit_is_given, tokenizer = tokenizer is not None, tokenizer or tokenizer_of(encoder)
    tokens = {name: tokenizer.encode(split.texts) for name, split in dataset.splits.items()}
    if not limit_is_given and (n := sum(rows.n_truncated for rows in tokens.values())):
        message = f"Texts cut at {tokenizer.max_length} tokens: {n:,}."
        warnings.warn(message, UserWarning, stacklevel=2)
    pretrained = pretrained_tokenizer(encoder)
    # The saved model cuts texts at the same length.
    pretrained.model_max_length = tokenizer.max_length
    recipe = recipe or plan_recipe(encoder, dataset)
    training = _Training(encoder, dataset, tokenizer, tokens, pretrained, recipe, progress, tracker)
    key = key_of(encoder, dataset, recipe, limit=tokenizer.max_length)
    place = Checkpoints(Path(f"{folder}.checkpoints"), key)
    with place.alone(), staged(folder) as fresh:
        pretrained.save_pretrained(fresh)
        trained = _train(training, fresh, place)
        model = trained_classifier(fresh)
        outcome = _outcome(model, training)
        texts = _training_texts(outcome, fresh, training)
        scores = _calibrated_scores(model, fresh, training, trained=trained, outcome=outcome)
        renew(fresh, folder, facts=_facts(fresh, training, scores) | texts)
        place.remove()
    return scores


def key_of(encoder: EncoderFolder, dataset: Dataset, recipe: Recipe, *, limit: int) -> str:
    """A digest of all that decides the result of a training. limit: of the tokens per text."""
    libraries = ("torch", "transformers", "tokenizers", "scikit-learn", "scipy", "mapie", "numpy")
    return fingerprint(
        encoder.fingerprint,
        dataset.fingerprint,
        limit,
        asdict(recipe),
        str(choose(recipe.precision, use="train")),
        versions(libraries),
        __version__,
    )


@dataclass(frozen=True)
class _Trained:
    """What is known after the training. epochs: the (n, k) logits of validation after each one."""

    facts: FinetuneFacts
    epochs: list[np.ndarray]


def _train(training: _Training, folder: Path, place: Checkpoints) -> _Trained:
    """Train, and write the weights of the kept epoch to `folder`."""
    recipe, dataset, tokens = training.recipe, training.dataset, training.tokens
    chosen = choose(recipe.precision, use="train")
    torch_for(chosen)
    seed_everything(recipe.seed)
    model = sequence_classifier(training.encoder, dataset.labels.id2label)
    if chosen.device == "cpu":
        # torch's fused attention is no faster for short texts on a CPU: benchmarks/attention.py.
        model.set_attn_implementation("eager")
    rows = training.balance.rows
    examples = Examples(
        tokens[TRAIN].take(rows),
        dataset[TRAIN].labels[rows],
        training.balance.class_weights,
        training.tokenizer.pad_id,
    )
    pooling = training.encoder.pooling
    fit_head(model, examples, chosen, pooling=pooling, seed=recipe.seed)
    done = train(
        model,
        examples,
        recipe,
        runtime=chosen,
        checkpoints=place,
        look=_look(training, chosen),
        listeners=(training.progress, training.tracker),
    )
    with writing(folder):
        save_classifier(model, folder)
    facts = FinetuneFacts(
        recipe=recipe,
        runtime=str(chosen),
        loss=done.loss_sum / done.step,
        seconds=done.seconds,
        texts_per_second=len(rows) * done.history[-1].epoch / done.seconds,
        best_epoch=done.history[done.kept].epoch,
        training=tuple(done.training),
        history=tuple(done.history),
        prediction={},
    )
    return _Trained(facts, done.logits)


def _look(training: _Training, runtime: Runtime) -> Callable[[Any, float], Look]:
    """A function that scores the model on validation; a part of the rows chooses the epoch."""
    labels, tokens = training.dataset[VALIDATION].labels, training.tokens[VALIDATION]
    choosing = choosing_rows(parts(labels))

    def look(model: Any, epoch: float) -> Look:
        engine = TorchEngine(logits_of(model), runtime)
        logits = run_batches(engine, tokens, training.tokenizer.pad_id)
        score = f1_of(logits[choosing], labels[choosing])
        return Look(_epoch_point(epoch, logits, labels), logits, score, len(choosing))

    return look


def _facts(folder: Path, training: _Training, scores: Scores) -> dict[str, Any]:
    """The facts that have no place in the files of transformers."""
    dataset = training.dataset
    return {
        "base_sha256": training.encoder.weights_sha256,
        "weights_sha256": sha256(folder / "model.safetensors"),
        "training_data": {"name": dataset.name, "fingerprint": dataset.fingerprint},
        CALIBRATION: scores.calibration and scores.calibration.to_json(),
    }


def _training_texts(outcome: _Outcome, folder: Path, training: _Training) -> dict[str, Any]:
    """What the texts of train are like: a file of arrays, and an entry for emolens.json."""
    texts, directions = typical(
        outcome.engine,
        training.dataset,
        training.tokens,
        training.tokenizer,
        of_validation=outcome.embeddings,
    )
    save_arrays(folder / ARRAYS_FILE, vars(directions))
    return {TRAINING_TEXTS: texts.to_json()}


@dataclass(frozen=True)
class _Outcome:
    """The outputs of a trained model, from its weights in fp32.

    engine: gives logits and embeddings. logits, seconds: by split, all but train. embeddings: of
    validation, (n, d).
    """

    engine: Engine
    logits: dict[str, np.ndarray]
    seconds: dict[str, float]
    embeddings: np.ndarray


def _outcome(model: Any, training: _Training) -> _Outcome:
    engine, _ = start(choose("fp32", use="score"), lambda: logits_and_embedding_of(model))
    logits, seconds, embeddings = {}, {}, np.empty((0, 0), dtype=np.float32)
    for name in (name for name in training.dataset.splits if name != TRAIN):
        started = time.perf_counter()
        tokens, pad_id = training.tokens[name], training.tokenizer.pad_id
        outputs = run_batches(engine, tokens, pad_id, then=lambda both: both)
        logits[name] = outputs[:, : outputs.shape[1] - engine.n_more]
        if name == VALIDATION:
            embeddings = outputs[:, outputs.shape[1] - engine.n_more :]
        seconds[name] = time.perf_counter() - started
    return _Outcome(engine, logits, seconds, embeddings)


def _calibrated_scores(
    model: Any, folder: Path, training: _Training, *, trained: _Trained, outcome: _Outcome
) -> Scores:
    """The model's probabilities of every split but train; its weights get the temperature."""
    dataset = training.dataset
    calibration = _calibration(training, trained, outcome.logits[VALIDATION])
    divide_logits(model, calibration.temperature)
    save_classifier(model, folder)
    cooled = Decision(temperature=calibration.temperature)
    probabilities = {name: cooled.probabilities(values) for name, values in outcome.logits.items()}
    scores = Scores(FINETUNE.name, probabilities, calibration=calibration)
    prediction = {}
    for name, taken in outcome.seconds.items():
        loss = scores.log_loss(name, dataset[name].labels)
        prediction[name] = PredictionFacts(loss, taken, len(dataset[name]) / taken)
    return replace(scores, facts=replace(trained.facts, prediction=prediction))


def _calibration(training: _Training, trained: _Trained, logits: np.ndarray) -> Calibration:
    """logits: those of the kept epoch, which are more exact than those from the training."""
    labels, tokens = training.dataset[VALIDATION].labels, training.tokens[VALIDATION]
    cut, epochs = parts(labels), list(trained.epochs)
    kept = [point.epoch for point in trained.facts.history].index(trained.facts.best_epoch)
    epochs[kept] = logits

    def choose(rows: np.ndarray) -> int:
        return kept_look(
            [f1_of(of_look[rows], labels[rows]) for of_look in trained.epochs], len(rows)
        )

    answerable = training.tokenizer.answerable(tokens)
    return calibrate(held_out(epochs, cut, choose), labels, answerable=answerable)


def f1_of(logits: np.ndarray, labels: np.ndarray, average: str = "macro") -> float:
    """F1 of the most probable classes. logits: (n, k), or probabilities.

    The average skips classes without rows.
    """
    f1_score = require("sklearn.metrics", "train").f1_score
    guess, there = ONE_CLASS.top(logits), np.unique(labels)
    return float(f1_score(labels, guess, labels=there, average=average, zero_division=0))


def _epoch_point(epoch: float, logits: np.ndarray, labels: np.ndarray) -> EpochPoint:
    """The figures of an epoch on the whole of validation."""
    scores = Scores(FINETUNE.name, {VALIDATION: ONE_CLASS.probabilities(logits)})
    return EpochPoint(
        epoch=epoch,
        loss=scores.log_loss(VALIDATION, labels),
        accuracy=float((ONE_CLASS.top(logits) == labels).mean()),
        macro_f1=f1_of(logits, labels, "macro"),
        weighted_f1=f1_of(logits, labels, "weighted"),
    )
