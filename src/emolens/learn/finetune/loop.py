"""The training itself: steps, looks at validation, and states that a stopped training goes on from.

Knows nothing of tables, calibration or model folders.
"""

from __future__ import annotations

import math
import time
import warnings
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Protocol

import numpy as np

from emolens.encode.engines.base import Progress
from emolens.errors import EncoderError, require
from emolens.learn.finetune.checkpoint import Checkpoints, State
from emolens.learn.finetune.optimizer import AdamW
from emolens.learn.finetune.order import batches_of
from emolens.learn.finetune.passes import Examples, Passes
from emolens.runtime import Runtime, return_freed_memory, seed_everything
from emolens.scores import EpochPoint, LossPoint, Recipe

_N_POINTS = 40  # of the curve of the training loss
_EVERY = 120.0  # seconds between two checkpoints
_SHARE = 0.02  # of the time, at most, goes into checkpoints
_TIDY = 25  # steps between two times that freed memory goes back to the system


class Tracker(Protocol):
    """What gets the figures of a training while it runs."""

    def log(self, step: int, values: dict[str, float]) -> None:
        """Figures after a step."""


@dataclass(frozen=True)
class Look:
    """What one look at validation gives: its figures, logits, and the score that decides.

    n_rows: how many rows gave the score.
    """

    point: EpochPoint
    logits: np.ndarray
    score: float
    n_rows: int


def kept_look(scores: Sequence[float], n_rows: int) -> int:
    """The last of the looks that are no more than a standard error worse than the best one.

    scores: of n_rows, one for each look; the standard error is that of a share. The learning rate
    falls to 0, so later weights are better on average, and so few rows often prefer earlier ones by
    chance.
    """
    best = max(scores)
    error = math.sqrt(best * (1 - best) / n_rows)
    return max(i for i, score in enumerate(scores) if score >= best - error)


@dataclass
class Progressed:
    """How far a training has come. logits: (n, k) of validation, by look."""

    step: int = 0
    seconds: float = 0.0
    loss_sum: float = 0.0
    since: float = 0.0
    training: list[LossPoint] = field(default_factory=list)
    history: list[EpochPoint] = field(default_factory=list)
    scores: list[float] = field(default_factory=list)
    logits: list[np.ndarray] = field(default_factory=list)
    n_rows: int = 1

    @property
    def kept(self) -> int:
        """The number of the look whose weights are kept. It never goes back to an earlier one."""
        return kept_look(self.scores, self.n_rows)

    @property
    def stale(self) -> int:
        """How many looks in a row were worse than the best one, by more than a standard error."""
        return len(self.scores) - 1 - self.kept if self.scores else 0


@dataclass(frozen=True)
class Steps:
    """How many steps a recipe makes. of_epoch: in one epoch."""

    of_epoch: int
    total: int

    @classmethod
    def of(cls, recipe: Recipe, n_rows: int) -> Steps:
        """n_rows: in one epoch."""
        of_epoch = math.ceil(n_rows / recipe.batch_size)
        # Without the rounding, 1.1 epochs of 100 steps would be 111 steps.
        total = max(math.ceil(round(of_epoch * recipe.epochs, 6)), 1)
        return cls(of_epoch, total)

    def rates(self, recipe: Recipe) -> list[float]:
        """The learning rate of each step: it rises in the warm-up, and then falls to 0."""
        warmup = math.ceil(self.total * recipe.warmup)
        rising = [step / warmup for step in range(warmup)]
        falling = [1 - step / (self.total - warmup) for step in range(self.total - warmup)]
        return [recipe.learning_rate * share for share in (*rising, *falling)]

    def is_look(self, step: int) -> bool:
        """Whether validation is looked at after this step: at the end of an epoch, and at last."""
        return step % self.of_epoch == 0 or step == self.total


def train(
    model: Any,
    examples: Examples,
    recipe: Recipe,
    *,
    runtime: Runtime,
    checkpoints: Checkpoints,
    look: Callable[[Any, float], Look],
    listeners: tuple[Progress | None, Tracker | None] = (None, None),
) -> Progressed:
    """Train a model, whose weights are those of the kept look at the end.

    look: gets the model in evaluation mode and the epochs so far. listeners: for the progress, and
    for the figures. A training that was stopped continues from its last checkpoint. Raises
    EncoderError where the loss is not a number.
    """
    seed_everything(recipe.seed)
    passes = Passes(model, runtime, examples, rdrop=recipe.rdrop)
    with passes.opened():
        return _Loop(passes, examples, recipe, checkpoints, look, *listeners).run()


class _Loop:
    def __init__(
        self,
        passes: Passes,
        examples: Examples,
        recipe: Recipe,
        checkpoints: Checkpoints,
        look: Callable[[Any, float], Look],
        progress: Progress | None,
        tracker: Tracker | None,
    ) -> None:
        self._passes, self._examples, self._recipe = passes, examples, recipe
        self._checkpoints, self._look = checkpoints, look
        self._progress, self._tracker = progress, tracker
        self._steps = Steps.of(recipe, len(examples.labels))
        self._optimizer = AdamW(
            passes.weights,
            decayed={name for name, w in passes.weights.items() if w.ndim > 1},
            decay=recipe.weight_decay,
            rates=self._steps.rates(recipe),
            rows=passes.rows,
        )
        self._done = Progressed()
        self._epoch, self._order = -1, list[np.ndarray]()
        self._kept: dict[str, np.ndarray] = {}  # the weights of the kept look
        self._written = -1  # the look whose weights stand beside the checkpoints
        self._saved_at, self._save_cost = time.monotonic(), 0.0

    def run(self) -> Progressed:
        """All steps that are left; the weights of the kept look are in place then."""
        if state := self._checkpoints.newest():
            self._restore(state)
            message = f"Training continues at step {state.step:,} of {self._steps.total:,}."
            warnings.warn(message, UserWarning, stacklevel=4)
        started = time.monotonic() - self._done.seconds
        while not self._is_over():
            self._step()
            self._done.seconds = time.monotonic() - started
            if self._done.step % _TIDY == 0 or self._steps.is_look(self._done.step):
                return_freed_memory()
            if self._steps.is_look(self._done.step):
                self._look_at_validation()
                self._done.seconds = time.monotonic() - started
            self._save_if_due()
        self._passes.release()
        del self._optimizer  # the moments make room for the weights that are put back
        self._put(self._kept)
        return self._done

    def _is_over(self) -> bool:
        patience = self._recipe.patience
        at_look = self._done.step > 0 and self._steps.is_look(self._done.step)
        stale = patience and at_look and self._done.stale >= patience
        return bool(stale) or self._done.step >= self._steps.total

    def _step(self) -> None:
        done, of_epoch = self._done, self._steps.of_epoch
        epoch, place = divmod(done.step, of_epoch)
        batch = self._batches(epoch)[place]
        touched = None
        if rows := self._optimizer.rows:
            rows.bring_up_to_date(touched := self._passes.touched(batch))
            self._passes.take_over(touched, dense=False)
        loss = self._passes.run(batch, [self._recipe.seed, done.step])
        norm = self._optimizer.update(self._passes.gradients) if np.isfinite(loss) else math.nan
        done.step += 1
        if not np.isfinite(norm):
            raise diverged(done.step, self._steps.total)
        self._passes.take_over(touched)
        self._note(loss)

    def _batches(self, epoch: int) -> list[np.ndarray]:
        if self._epoch != epoch:
            lengths, recipe = self._examples.tokens.lengths, self._recipe
            self._order = batches_of(lengths, recipe.batch_size, seed=recipe.seed, epoch=epoch)
            self._epoch = epoch
        return self._order

    def _note(self, loss: float) -> None:
        """Add the loss of a step to the curve."""
        done, steps = self._done, self._steps
        done.loss_sum += loss
        done.since += loss
        every = max(steps.total // _N_POINTS, 1)
        if done.step % every == 0 or done.step == steps.total:
            n = (done.step - 1) % every + 1
            done.training.append(LossPoint(done.step / steps.of_epoch, done.since / n))
            done.since = 0.0
            if self._tracker:
                rate = self._optimizer.rates[done.step - 1]
                values = {"train/loss": done.training[-1].loss, "train/learning_rate": rate}
                self._tracker.log(done.step, values)
        if self._progress:
            self._progress(done.step, steps.total)

    def _look_at_validation(self) -> None:
        done = self._done
        if self._optimizer.rows:
            self._optimizer.rows.bring_up_to_date()
            self._passes.take_over(dense=False)
        model = self._passes.model.eval()
        try:
            look = self._look(model, done.step / self._steps.of_epoch)
        except EncoderError as error:  # they are not finite
            raise diverged(done.step, self._steps.total) from error
        model.train()
        done.history.append(look.point)
        done.scores.append(look.score)
        done.n_rows = look.n_rows
        done.logits.append(look.logits)
        if self._tracker:
            values = asdict(look.point)
            epoch = values.pop("epoch")
            named = {f"validation/{name}": value for name, value in values.items()}
            self._tracker.log(done.step, {**named, "epoch": epoch})
        if done.kept == len(done.scores) - 1:
            self._kept = {name: weight.copy() for name, weight in self._weights().items()}

    def _save_if_due(self) -> None:
        """Save the state every two minutes, and after each epoch, if that takes 2 % of the time."""
        waited = time.monotonic() - self._saved_at
        due = _EVERY if not self._steps.is_look(self._done.step) else 0.0
        if waited < max(due, self._save_cost / _SHARE):
            return
        return_freed_memory()  # safetensors copies all arrays before it writes them
        done, started = self._done, time.monotonic()
        arrays = self._weights() | _numpy(self._optimizer.arrays())
        arrays |= {f"logits.{i}": logits for i, logits in enumerate(done.logits)}
        facts = {
            **{
                name: getattr(done, name)
                for name in ("seconds", "loss_sum", "since", "scores", "n_rows")
            },
            "training": [asdict(point) for point in done.training],
            "history": [asdict(point) for point in done.history],
        }
        kept = done.kept if done.scores else None
        if kept is not None and kept != self._written:
            self._checkpoints.keep_best(kept, self._kept)
            self._written = kept
        self._checkpoints.save(State(done.step, arrays, facts, kept))
        self._saved_at = time.monotonic()
        self._save_cost = self._saved_at - started

    def _weights(self) -> dict[str, np.ndarray]:
        return _numpy({f"weight.{name}": w.data for name, w in self._passes.weights.items()})

    def _put(self, arrays: dict[str, np.ndarray]) -> None:
        """Make these the weights of the model and of its copies."""
        torch = require("torch", "train")
        for name, weight in self._passes.weights.items():
            weight.data.copy_(torch.from_numpy(arrays[f"weight.{name}"]))
        self._passes.take_over()

    def _restore(self, state: State) -> None:
        self._put(state.arrays)
        if state.best is not None:
            self._kept, self._written = self._checkpoints.best(state.best), state.best
        self._optimizer.restore(state.arrays, step=state.step)
        facts = dict(state.facts)
        logits: list[np.ndarray] = []
        while (values := state.arrays.get(f"logits.{len(logits)}")) is not None:
            logits.append(values)
        training = [LossPoint(**point) for point in facts.pop("training")]
        history = [EpochPoint(**point) for point in facts.pop("history")]
        self._done = Progressed(
            state.step, training=training, history=history, logits=logits, **facts
        )


def _numpy(tensors: dict[str, Any]) -> dict[str, np.ndarray]:
    return {
        name: v if isinstance(v, np.ndarray) else v.cpu().numpy() for name, v in tensors.items()
    }


def diverged(step: int, total: int) -> EncoderError:
    """The loss is not a number: the likely cause, by how early that is."""
    early = step == 1  # before the learning rate could do harm
    cause = (
        "The weights of the encoder, or its numbers in this precision, are the likely cause"
        if early
        else "A learning rate that is too high is the likely cause"
    )
    return EncoderError(
        f"The training loss is not a number in step {step:,} of {total:,}. {cause}.",
        hint='Set finetune.precision = "fp32", or choose another encoder.'
        if early
        else 'Lower finetune.learning_rate, or set finetune.precision = "fp32".',
    )
