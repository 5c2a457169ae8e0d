"""What a recipe is, where nobody states it: what follows from the encoder's size and the data.

Trains nothing, and knows neither studies nor files.
"""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal, get_args

from emolens.data.balance import balance
from emolens.data.dataset import TRAIN, Dataset
from emolens.encode.backbone import EncoderFolder, find_encoder, width_of
from emolens.errors import UsageError, nearest
from emolens.learn.finetune.loop import Steps
from emolens.scores import Recipe

# best: the better model. fast: without R-Drop and with fewer epochs, in about a fifth of the time,
# or in half of it with few rows.
Kind = Literal["best", "fast"]
# A learning rate that suits an encoder of this width. Wider encoders want a lower one.
_RATE, _WIDTH, _RATES = 2e-4, 384, (1e-5, 4e-4)
# fast: a third of the steps of best, each with one pass instead of two. 3e-4 was as good as 2e-4
# there (benchmarks/RESULTS.md).
_FAST_EPOCHS, _FAST_RATE, _FAST_WARMUP = 1.5, 1.5, 0.06
# With fewer rows than these, batches are small and epochs many, so that there are enough steps.
_FEW_ROWS, _SMALL_BATCH, _LEAST_STEPS, _MOST_EPOCHS = 2000, 16, 400, 20
# Training of more epochs than these stops where it gets worse.
_LONG, _PATIENCE = 6, 4


def plan_recipe(
    encoder: str | Path | EncoderFolder, dataset: Dataset, kind: str = "best", **given: Any
) -> Recipe:
    """The recipe of `finetune` where none is stated: what suits the encoder and the data set.

    kind: 'best', or 'fast' for a fifth of the time. given: fields of Recipe that are not planned,
    such as epochs=5; one that is None is planned. A `patience` of 0 stands for training that never
    stops early. UsageError for another kind, and where Recipe raises it.
    """
    if not isinstance(encoder, EncoderFolder):
        encoder = find_encoder(str(encoder))
    method, seed = given.get("balance", Recipe.balance), given.get("seed", Recipe.seed)
    rows = balance(dataset[TRAIN].labels, len(dataset.labels), method=method, seed=seed).rows
    return planned(kind, width=width_of(encoder), n_rows=len(rows), **given)


def planned(kind: str = "best", *, width: int, n_rows: int, **given: Any) -> Recipe:
    """As plan_recipe, for an encoder of this width and so many rows in one epoch of training."""
    if kind not in get_args(Kind):
        raise UsageError(
            f"There is no recipe '{kind}' of fine-tuning.", hint=nearest(kind, get_args(Kind))
        )
    low, high = _RATES
    is_fast = kind == "fast"
    rate = _RATE * (_WIDTH / width) ** 2 * (_FAST_RATE if is_fast else 1)
    rate = min(max(rate, low), high)
    recipe = Recipe(
        epochs=_FAST_EPOCHS if is_fast else 4,
        learning_rate=float(f"{rate:.2g}"),
        batch_size=64 if n_rows >= _FEW_ROWS else _SMALL_BATCH,
        weight_decay=0.01,
        warmup=_FAST_WARMUP if is_fast else 0.1,
        rdrop=0.0 if is_fast else 1.0,
    )
    stated = {name: value for name, value in given.items() if value is not None}
    recipe = replace(recipe, **stated)
    if "epochs" not in stated and n_rows < _FEW_ROWS:
        epochs = math.ceil(_LEAST_STEPS / Steps.of(recipe, n_rows).of_epoch)
        recipe = replace(recipe, epochs=min(max(epochs, recipe.epochs), _MOST_EPOCHS))
    if "patience" not in stated and recipe.epochs > _LONG:
        recipe = replace(recipe, patience=_PATIENCE)
    return replace(recipe, patience=recipe.patience or None)


def in_words(recipe: Recipe) -> str:
    """`4 epochs, batches of 64, learning rate 0.0002, warm-up 0.1, weight decay 0.01, R-Drop 1`."""
    many = f"{recipe.epochs:g} {'epoch' if recipe.epochs == 1 else 'epochs'}"
    if recipe.patience:
        many = f"{many} at most (until {recipe.patience} in a row are worse on validation)"
    parts = [
        many,
        f"batches of {recipe.batch_size}",
        f"learning rate {recipe.learning_rate:g}",
        f"warm-up {recipe.warmup:g}",
        f"weight decay {recipe.weight_decay:g}",
        f"R-Drop {recipe.rdrop:g}" if recipe.rdrop else "no R-Drop",
    ]
    if recipe.balance != "none":
        parts.append(recipe.balance)
    return ", ".join(parts)
