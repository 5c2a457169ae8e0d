"""Fine-tuning a sequence classifier through transformers' Trainer.

Batches hold texts of similar length; the epoch with the best macro-F1 on validation is kept. Only
safetensors are written: the Trainer's own checkpoints are off, because they are pickles.
"""

from __future__ import annotations

import time
import warnings
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from emolens.data.audit.language import main_language
from emolens.data.balance import Balance, balance
from emolens.data.dataset import TRAIN, VALIDATION, Dataset
from emolens.decide import ONE_CLASS
from emolens.encode.backbone import (
    EncoderFolder,
    find_encoder,
    logits_of,
    pretrained_tokenizer,
    save_classifier,
    sequence_classifier,
    tokenizer_of,
    trained_classifier,
)
from emolens.encode.engines.base import Progress, run_batches
from emolens.encode.engines.choose import choose, start
from emolens.encode.engines.torch import torch_for
from emolens.encode.tokenize import Tokenizer, Tokens
from emolens.errors import DataError, EncoderError, require
from emolens.modelfolder import TRAINING_TEXTS, check_writable, renew
from emolens.names import user_path
from emolens.output import sha256, staged, writing
from emolens.runtime import Runtime, seed_everything
from emolens.scores import (
    FINETUNE,
    EpochPoint,
    FinetuneFacts,
    LossPoint,
    PredictionFacts,
    Recipe,
    Scores,
)
from emolens.temporary import scratch_folder


@dataclass(frozen=True)
class _Training:
    """The inputs of one training. pretrained: the tokenizer as an object of transformers."""

    encoder: EncoderFolder
    dataset: Dataset
    tokens: dict[str, Tokens]
    pretrained: Any
    recipe: Recipe
    progress: Progress | None

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
) -> Scores:
    """Train on train, keep the epoch with the best validation macro-F1, write a model folder.

    encoder: a name, or a folder. folder: the files that emolens wrote there are replaced, once all
    is done; another file in the way gets the name NAME.yours, with a warning. tokenizer: the
    encoder's, with a limit of tokens per text for training and for later use; without it, the
    encoder's own limit, with a warning where texts are cut.

    Returns the probabilities of every split but train, computed in fp32 from the saved weights; the
    facts are FinetuneFacts. Raises DataError where train or validation has no rows.
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
    training = _Training(encoder, dataset, tokens, pretrained, recipe or Recipe(), progress)
    with staged(folder) as fresh:
        pretrained.save_pretrained(fresh)
        facts = _train(training, fresh)
        scores = _scores(fresh, training, tokenizer.pad_id, facts=facts)
        renew(fresh, folder, facts=_facts(fresh, encoder, dataset))
    return scores


def _train(training: _Training, folder: Path) -> FinetuneFacts:
    """Run the Trainer; writes the best epoch's weights to `folder`. Predicts nothing yet."""
    recipe, dataset, tokens = training.recipe, training.dataset, training.tokens
    chosen = choose(recipe.precision, use="train")
    torch_for(chosen)
    seed_everything(recipe.seed)
    model = sequence_classifier(training.encoder, dataset.labels.id2label)
    if chosen.device == "cpu":
        # torch's fused attention is no faster for short texts on a CPU: benchmarks/attention.py.
        model.set_attn_implementation("eager")
    rows = {
        TRAIN: _examples(tokens[TRAIN], dataset[TRAIN].labels, training.balance.rows),
        VALIDATION: _examples(tokens[VALIDATION], dataset[VALIDATION].labels),
    }
    keeper = _keeper(folder, model, training.progress)
    with scratch_folder() as scratch:
        arguments = arguments_of(recipe, chosen, scratch, n_rows=len(rows[TRAIN]))
        trainer = _trainer(model, arguments, training, rows=rows, keeper=keeper)
        started = time.perf_counter()
        outcome = trainer.train()
        seconds = time.perf_counter() - started
    if not np.isfinite(outcome.training_loss):
        raise EncoderError(
            "The training loss is not a number any more.",
            hint='Lower finetune.learning_rate, or set finetune.precision = "fp32".',
        )
    log = trainer.state.log_history
    return FinetuneFacts(
        recipe=recipe,
        runtime=str(chosen),
        loss=float(outcome.training_loss),
        seconds=seconds,
        texts_per_second=len(rows[TRAIN]) * recipe.epochs / seconds,
        best_epoch=keeper.best_epoch,
        training=tuple(LossPoint(float(e["epoch"]), float(e["loss"])) for e in log if "loss" in e),
        history=tuple(_epoch_point(e) for e in log if "eval_loss" in e),
        prediction={},
    )


def _facts(folder: Path, encoder: EncoderFolder, dataset: Dataset) -> dict[str, Any]:
    """The facts that have no place in the files of transformers."""
    return {
        "base_sha256": encoder.weights_sha256,
        "weights_sha256": sha256(folder / "model.safetensors"),
        "training_data": {"name": dataset.name, "fingerprint": dataset.fingerprint},
        TRAINING_TEXTS: {"language": main_language(dataset[TRAIN].texts)},
    }


def _scores(folder: Path, training: _Training, pad_id: int, *, facts: FinetuneFacts) -> Scores:
    """The saved model's probabilities of every split but train."""
    engine, _ = start(choose("fp32", use="score"), lambda: logits_of(trained_classifier(folder)))
    probabilities, seconds = {}, {}
    for name in (name for name in training.dataset.splits if name != TRAIN):
        started = time.perf_counter()
        probabilities[name] = ONE_CLASS.probabilities(
            run_batches(engine, training.tokens[name], pad_id)
        )
        seconds[name] = time.perf_counter() - started
    scores = Scores(FINETUNE.name, probabilities)
    prediction = {}
    for name, taken in seconds.items():
        loss = scores.log_loss(name, training.dataset[name].labels)
        prediction[name] = PredictionFacts(loss, taken, len(training.dataset[name]) / taken)
    return replace(scores, facts=replace(facts, prediction=prediction))


def _examples(
    tokens: Tokens, labels: np.ndarray, rows: np.ndarray | None = None
) -> list[dict[str, Any]]:
    chosen = range(len(tokens)) if rows is None else rows.tolist()
    return [{"input_ids": tokens[row].tolist(), "labels": int(labels[row])} for row in chosen]


def arguments_of(recipe: Recipe, chosen: Runtime, scratch: Path, *, n_rows: int) -> Any:
    """The recipe as arguments of the Trainer. n_rows: in one epoch."""
    require("accelerate", "train")
    steps = max(int(n_rows * recipe.epochs / recipe.batch_size), 1)
    arguments = require("transformers", "train").TrainingArguments(
        output_dir=str(scratch),
        num_train_epochs=recipe.epochs,
        learning_rate=recipe.learning_rate,
        per_device_train_batch_size=recipe.batch_size,
        per_device_eval_batch_size=recipe.batch_size,
        weight_decay=recipe.weight_decay,
        warmup_steps=recipe.warmup,
        train_sampling_strategy="group_by_length",
        eval_strategy="epoch",
        save_strategy="no",
        logging_steps=max(steps // 40, 1),
        logging_nan_inf_filter=False,  # a loss that is not a number must be seen
        bf16=chosen.precision == "bf16",
        use_cpu=chosen.device == "cpu",
        dataloader_pin_memory=chosen.device == "cuda",
        seed=recipe.seed,
        report_to=[],
        disable_tqdm=True,
        log_level="error",
    )
    if arguments.n_gpu > 1:
        arguments._n_gpu = 1  # more GPUs would multiply the recipe's batch size
    return arguments


def _trainer(
    model: Any,
    arguments: Any,
    training: _Training,
    *,
    rows: dict[str, list[dict[str, Any]]],
    keeper: Any,
) -> Any:
    transformers = require("transformers", "train")
    trainer = transformers.Trainer(
        model=model,
        args=arguments,
        data_collator=transformers.DataCollatorWithPadding(training.pretrained),
        train_dataset=rows[TRAIN],
        eval_dataset=rows[VALIDATION],
        processing_class=training.pretrained,
        compute_metrics=_metrics(),
        compute_loss_func=_weighted_loss(training.balance.class_weights),
        callbacks=[keeper],
    )
    trainer.remove_callback(transformers.PrinterCallback)  # it writes to stdout
    return trainer


def _metrics() -> Any:
    """The figures of each epoch, as the Trainer wants them; averages skip classes without rows."""
    metrics = require("sklearn.metrics", "train")

    def compute(prediction: Any) -> dict[str, float]:
        labels, guess = prediction.label_ids, ONE_CLASS.top(prediction.predictions)
        f1 = {
            f"{average}_f1": metrics.f1_score(
                labels, guess, labels=np.unique(labels), average=average, zero_division=0
            )
            for average in ("macro", "weighted")
        }
        return {"accuracy": float(metrics.accuracy_score(labels, guess)), **f1}

    return compute


def _weighted_loss(class_weights: np.ndarray) -> Any:
    """Cross-entropy with class weights; None, for the model's own loss, if all weights are 1."""
    if np.allclose(class_weights, 1.0):
        return None
    torch = require("torch", "train")
    weights = torch.tensor(class_weights, dtype=torch.float32)

    def loss(outputs: Any, labels: Any, num_items_in_batch: Any = None) -> Any:
        logits = outputs["logits"].float()
        each = torch.nn.functional.cross_entropy(
            logits, labels, weight=weights.to(logits.device), reduction="none"
        )
        n = labels.numel() if num_items_in_batch is None else num_items_in_batch
        return each.sum() / n

    return loss


def _keeper(folder: Path, model: Any, progress: Progress | None) -> Any:
    """A callback that saves the best epoch's weights to `folder` and reports progress."""
    transformers = require("transformers", "train")

    class Keeper(transformers.TrainerCallback):  # type: ignore[misc, name-defined]
        best = -1.0
        best_epoch = 0.0

        def on_evaluate(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
            score = kwargs["metrics"].get("eval_macro_f1", 0.0)
            if score > self.best:
                self.best, self.best_epoch = score, float(state.epoch)
                with writing(folder):
                    save_classifier(model, folder)

        def on_step_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
            if progress:
                progress(state.global_step, state.max_steps)

    return Keeper()


def _epoch_point(entry: dict[str, Any]) -> EpochPoint:
    """The evaluation on validation, from an entry of the Trainer's log."""
    names = ("loss", "accuracy", "macro_f1", "weighted_f1")
    values = {name: float(entry[f"eval_{name}"]) for name in names}
    return EpochPoint(epoch=float(entry["epoch"]), **values)
