"""Fine-tuning a sequence classifier through transformers' Trainer.

Dynamic padding, batches of similar length, best checkpoint by validation macro-F1. Only
safetensors are written: the Trainer's own checkpoints, which pickle, are off.
"""

from __future__ import annotations

import tempfile
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from emolens import runtime
from emolens.data.balance import Balance
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
from emolens.encode.engines.torch import TorchEngine, torch_for
from emolens.encode.tokenize import Tokens
from emolens.errors import EncoderError, require
from emolens.scores import FINETUNE, Scores
from emolens.store import atomic_folder, save_json, sha256, writing


@dataclass(frozen=True)
class Recipe:
    """How to fine-tune. warmup: share of the steps in which the learning rate rises.

    precision: 'fp32', 'bf16' (autocast) or None for what the machine does best. max_length:
    tokens a text may have, in training and ever after; None for the encoder's own limit.
    """

    epochs: float = 2
    learning_rate: float = 2e-5
    batch_size: int = 64
    weight_decay: float = 0.01
    warmup: float = 0.0
    precision: str | None = None
    max_length: int | None = None
    seed: int = 42


def finetune(
    encoder: str | EncoderFolder,
    dataset: Dataset,
    folder: str | Path,
    *,
    tokens: dict[str, Tokens] | None = None,
    recipe: Recipe | None = None,
    balance: Balance | None = None,
    progress: Progress | None = None,
) -> Scores:
    """Train on train, keep the epoch with the best validation macro-F1, write a model folder.

    encoder: a name as find_encoder takes it. folder: takes the place of what is there, once all
    is done. tokens: by split, where they are at hand already. Returns the probabilities of every
    split but train, computed in fp32 from the saved weights.
    """
    recipe = recipe or Recipe()
    if isinstance(encoder, str):
        encoder = find_encoder(encoder)
    tokenizer = tokenizer_of(encoder, max_length=recipe.max_length)
    if tokens is None:
        tokens = {name: tokenizer.encode(split.texts) for name, split in dataset.splits.items()}
    pretrained = pretrained_tokenizer(encoder)
    pretrained.model_max_length = tokenizer.max_length  # who serves the model cuts where it was cut
    balance = balance or Balance.as_is(len(dataset[TRAIN]), len(dataset.labels))
    with atomic_folder(Path(folder)) as fresh:
        pretrained.save_pretrained(fresh)
        facts = _train(encoder, dataset, tokens, fresh, how=(recipe, balance, pretrained, progress))
        _write_emolens_json(fresh, encoder, dataset)
        return _scores(fresh, dataset, tokens, tokenizer.pad_id, facts)


def _train(
    encoder: EncoderFolder,
    dataset: Dataset,
    tokens: dict[str, Tokens],
    folder: Path,
    *,
    how: tuple[Recipe, Balance, Any, Progress | None],
) -> dict[str, Any]:
    """Run the Trainer; leaves the best epoch's weights in `folder` and returns what to tell."""
    recipe, balance, pretrained, progress = how
    chosen = runtime.choose(recipe.precision, offered=runtime.TRAINING)
    torch_for(chosen)
    runtime.seed_everything(recipe.seed)
    model = sequence_classifier(encoder, dataset.labels.id2label)
    if chosen.device == "cpu":
        # torch's fused attention gains nothing on short texts here: benchmarks/attention.py.
        model.set_attn_implementation("eager")
    rows = {
        TRAIN: _examples(tokens[TRAIN], dataset[TRAIN].labels, balance.rows),
        VALIDATION: _examples(tokens[VALIDATION], dataset[VALIDATION].labels),
    }
    keeper = _keeper(folder, model, progress)
    with tempfile.TemporaryDirectory() as scratch:
        trainer = _trainer(model, pretrained, rows, balance, (recipe, chosen, scratch), keeper)
        started = time.perf_counter()
        outcome = trainer.train()
        seconds = time.perf_counter() - started
    if not np.isfinite(outcome.training_loss):
        raise EncoderError(
            "The training loss is no number any more.",
            hint='Lower finetune.learning_rate, or set finetune.precision = "fp32".',
        )
    return {
        "recipe": asdict(recipe),
        "runtime": str(chosen),
        "loss": float(outcome.training_loss),
        "seconds": seconds,
        "samples_per_second": len(balance.rows) * recipe.epochs / seconds,
        "best_epoch": keeper.best_epoch,
        "history": _history(trainer.state.log_history),
    }


def _write_emolens_json(folder: Path, encoder: EncoderFolder, dataset: Dataset) -> None:
    """What the ecosystem's own files have no place for."""
    save_json(
        folder / "emolens.json",
        {
            "base_sha256": encoder.weights_sha256,
            "weights_sha256": sha256(folder / "model.safetensors"),
            "training_data": {"name": dataset.name, "fingerprint": dataset.fingerprint},
        },
    )


def _scores(
    folder: Path, dataset: Dataset, tokens: dict[str, Tokens], pad_id: int, facts: dict[str, Any]
) -> Scores:
    engine = TorchEngine(logits_of(trained_classifier(folder)), runtime.choose("fp32"))
    scores = Scores(FINETUNE.name, {}, facts | {"prediction": {}})
    for name, split in dataset.splits.items():
        if name == TRAIN:
            continue
        started = time.perf_counter()
        scores.probabilities[name] = ONE_CLASS.probabilities(
            run_batches(engine, tokens[name], pad_id)
        )
        seconds = time.perf_counter() - started
        scores.facts["prediction"][name] = {
            "loss": scores.log_loss(name, split.labels),
            "runtime": seconds,
            "samples_per_second": len(split) / seconds,
        }
    return scores


def _examples(
    tokens: Tokens, labels: np.ndarray, rows: np.ndarray | None = None
) -> list[dict[str, Any]]:
    chosen = range(len(tokens)) if rows is None else rows.tolist()
    return [{"input_ids": tokens[row].tolist(), "labels": int(labels[row])} for row in chosen]


def _trainer(
    model: Any,
    pretrained: Any,
    rows: dict[str, list[dict[str, Any]]],
    balance: Balance,
    how: tuple[Recipe, runtime.Runtime, str],
    keeper: Any,
) -> Any:
    transformers = require("transformers", "train")
    require("accelerate", "train")
    recipe, chosen, scratch = how
    steps = max(int(len(rows[TRAIN]) * recipe.epochs / recipe.batch_size), 1)
    arguments = transformers.TrainingArguments(
        output_dir=scratch,
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
        logging_nan_inf_filter=False,  # a loss that is no number must be seen
        bf16=chosen.precision == "bf16",
        use_cpu=chosen.device == "cpu",
        dataloader_pin_memory=chosen.device == "cuda",
        seed=recipe.seed,
        report_to=[],
        disable_tqdm=True,
        log_level="error",
    )
    if arguments.n_gpu > 1:
        arguments._n_gpu = 1  # more would multiply the batch that the recipe states
    trainer = transformers.Trainer(
        model=model,
        args=arguments,
        data_collator=transformers.DataCollatorWithPadding(pretrained),
        train_dataset=rows[TRAIN],
        eval_dataset=rows[VALIDATION],
        processing_class=pretrained,
        compute_metrics=_metrics(),
        compute_loss_func=_weighted_loss(balance.class_weights),
        callbacks=[keeper],
    )
    trainer.remove_callback(transformers.PrinterCallback)  # it writes to stdout
    return trainer


def _metrics() -> Any:
    """What the Trainer tells after each epoch; averages run over the classes that have rows."""
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
    """Cross-entropy with class weights; None where all weigh the same (the model's own loss)."""
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
    """A callback that keeps the best epoch's weights in `folder` and reports progress."""
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


def _history(log: list[dict[str, Any]]) -> list[dict[str, float]]:
    """The learning curve: training loss on the way, validation loss and scores after each epoch."""
    evaluated = ("loss", "accuracy", "macro_f1", "weighted_f1")
    wanted = ("epoch", "step", "loss", *(f"eval_{name}" for name in evaluated))
    curve = [{key: float(entry[key]) for key in wanted if key in entry} for entry in log]
    return [point for point in curve if "loss" in point or "eval_loss" in point]
