"""The stage that fine-tunes: the recipe that the settings ask for, and what is said of it.

Knows nothing of how a training goes, or of where its files get to.
"""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path

from emolens.data.checks import counted
from emolens.evaluation.seeds import seeds_of
from emolens.learn.finetune.loop import Steps
from emolens.learn.finetune.plan import in_words, plan_recipe
from emolens.learn.finetune.seeds import MANY_SEEDS, finetune_seeds
from emolens.scores import FINETUNE, FinetuneFacts, Recipe
from emolens.study.context import Context
from emolens.study.folder import MODEL
from emolens.study.settings import FinetuneSettings

_FIGURES = {
    "accuracy": "accuracy",
    "weighted_f1": "weighted F1",
    "macro_f1": "macro-F1",
    "loss": "loss",
}

# The settings that are a part of the recipe.
_STATED = {f.name for f in fields(Recipe)} - {"balance", "seed"}


def fine_tuned(context: Context, out: Path) -> str:
    """Train the model of the run folder and write its scores; returns a summary in one line."""
    name, usual = context.study.finetune.recipe, FinetuneSettings().recipe
    recipe, seeds = _recipe(context, name), _seeds(context)
    context.note(_plan(context, recipe))
    if name != usual and recipe == _recipe(context, usual):
        context.note(f"recipe '{name}' changes nothing here: the study states its settings itself")
    if len(seeds) > 1:
        context.note(
            f"{len(seeds)} trainings on the same splits, with the seeds"
            f" {seeds[0]} to {seeds[-1]}; the best one on validation is kept"
        )
    scores = finetune_seeds(
        context.encoder,
        context.dataset,
        context.folder / MODEL,
        seeds=seeds,
        tokenizer=context.tokenizer,
        recipe=recipe,
        progress=context.progress,
        tensorboard=context.tensorboard,
    )
    facts = scores.facts
    assert isinstance(facts, FinetuneFacts)  # noqa: S101 - for the type checker
    scores.save(out / FINETUNE.folder)
    figures = ", ".join(
        f"{title} {getattr(facts.kept, name):.4f}" for name, title in _FIGURES.items()
    )
    speed = f"{facts.texts_per_second:.0f} texts per second on {facts.runtime}"
    summary = f"validation {figures} (epoch {facts.best_epoch:g}); {speed}"
    several = seeds_of([scores])
    return f"{summary}; {several.summary}" if several else summary


def _recipe(context: Context, name: str) -> Recipe:
    """The settings, and in place of those that are not stated, what suits encoder and data."""
    return plan_recipe(
        context.encoder,
        context.dataset,
        name,
        **context.study.finetune.model_dump(include=_STATED),
        balance=context.study.balance.method,
        seed=context.study.seed,
    )


def _seeds(context: Context) -> list[int]:
    """The seed of the study, and those that follow."""
    first = context.study.seed
    return [(first + i) % MANY_SEEDS for i in range(context.study.finetune.seeds)]


def _plan(context: Context, recipe: Recipe) -> str:
    """What is going to be done, and, where some of it was planned, how to change that."""
    n_rows = len(context.balance.rows)
    sizes = f"{counted(n_rows, 'row')}, {counted(Steps.of(recipe, n_rows).total, 'step')}"
    text = f"fine-tuning: {sizes}: {in_words(recipe)}"
    if None not in context.study.finetune.model_dump(include=_STATED).values():
        return text
    return f"{text}; change them with --set finetune.epochs={recipe.epochs + 1:g}"
