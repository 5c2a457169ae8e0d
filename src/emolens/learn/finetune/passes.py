"""Forward and backward passes of one step, by several workers at once.

Two halves of a batch, each on one core, take less time than the whole batch on both cores: most of
a step is many small operations, and threads that share one of them wait for each other. Each
worker has a copy of the model that shares its weights, and gradients of its own, so their sum does
not depend on which worker ends first.
"""

from __future__ import annotations

import contextlib
import copy
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np

from emolens.encode.batches import pad
from emolens.encode.engines.torch import set_threads
from emolens.encode.layers import first_token_only
from emolens.encode.tokenize import Tokens
from emolens.errors import require
from emolens.learn.finetune.functions import fast_functions
from emolens.learn.finetune.order import dealt
from emolens.runtime import Runtime

_MOST_WORKERS = 4
_BUDGET = 2048  # tokens of a chunk on a CPU: more take more memory, and no less time
_GPU_BUDGET = 2**16
# torch prepares each new shape of a product of matrices, and keeps a thousand of them. With even
# lengths alone it prepares fewer, which saves memory, and as much time as the padding takes.
_MULTIPLE = 2
_LARGE = 4096  # rows of a matrix of embeddings from which on its gradient comes by row


@dataclass(frozen=True)
class Examples:
    """What is learned: tokens of n rows, their class ids, (n,), and the weight of each class."""

    tokens: Tokens
    labels: np.ndarray
    class_weights: np.ndarray
    pad_id: int


class Passes:
    """The copies of a model that compute the gradients of its weights.

    weights: by name, in fp32, as the optimizer has them. rows: the name of the word embeddings if
    their gradient is sparse.
    """

    def __init__(self, model: Any, runtime: Runtime, examples: Examples, *, rdrop: float) -> None:
        self._torch = torch = require("torch", "train")
        self._runtime, self._examples, self._rdrop = runtime, examples, rdrop
        self.weights: dict[str, Any] = dict(model.to(runtime.device).named_parameters())
        self.rows = _sparse_rows(model) if runtime.device == "cpu" else None
        one_worker = runtime.device == "cuda" or _draws_itself(model, examples)
        self.workers = 1 if one_worker else min(runtime.threads, _MOST_WORKERS)
        self._half = runtime.device == "cpu" and runtime.precision == "bf16"
        self._copies = [self._copy(model) for _ in range(self.workers)]
        self._of_copy = [dict(one.named_parameters()) for one in self._copies]
        for of_copy in self._of_copy:
            for name, weight in of_copy.items():
                weight.data = (self._of_copy[0] if self._half else self.weights)[name].data
        self._class_weights = torch.tensor(
            examples.class_weights, dtype=torch.float32, device=runtime.device
        )
        self._pool = ThreadPoolExecutor(
            self.workers,
            initializer=set_threads,
            initargs=(max(runtime.threads // self.workers, 1),),
        )

    def _copy(self, model: Any) -> Any:
        one = copy.deepcopy(model)
        first_token_only(one)
        one.train()
        if self._half:
            one = one.to(self._torch.bfloat16)
        if self.rows:
            one.get_input_embeddings().sparse = True
        return one

    @contextlib.contextmanager
    def opened(self) -> Iterator[Passes]:
        """Ends the threads of the workers at the end."""
        with self._pool:
            yield self
        set_threads(self._runtime.threads)

    def touched(self, batch: np.ndarray) -> np.ndarray:
        """Which rows of the word embeddings this batch reads."""
        tokens = self._examples.tokens
        ids = [tokens[row] for row in batch.tolist()]
        return np.unique(np.concatenate([*ids, [self._examples.pad_id]])).astype(np.int64)

    def run(self, batch: np.ndarray, seeds: Sequence[int]) -> float:
        """Compute the gradients of the mean loss over the rows of a batch; returns this loss.

        seeds: decide the dropout. The gradients are in `gradients` then.
        """
        self._forget()
        passes = 2 if self._rdrop else 1
        budget = (_BUDGET if self._runtime.device == "cpu" else _GPU_BUDGET) // passes
        lengths = self._examples.tokens.lengths
        chunks = dealt(batch, lengths, workers=self.workers, budget=budget)
        # For what a model draws besides dropout; then there is one worker.
        self._torch.manual_seed(int(np.random.SeedSequence(list(seeds)).generate_state(1)[0]))

        def work(worker: int) -> list[float]:
            mine = range(worker, len(chunks), self.workers)
            return [self._pass(worker, chunks[i], [*seeds, i], len(batch)) for i in mine]

        return float(sum(sum(losses) for losses in self._pool.map(work, range(self.workers))))

    def _forget(self) -> None:
        for of_copy in self._of_copy:
            for weight in of_copy.values():
                weight.grad = None

    def release(self) -> None:
        """Free the memory of all gradients, when there are no more steps."""
        self._forget()
        for weight in self.weights.values():
            weight.grad = None

    def _pass(self, worker: int, rows: np.ndarray, seeds: list[int], n_rows: int) -> float:
        """Add the gradients of one chunk to those of the worker; returns its part of the loss."""
        if not len(rows):
            return 0.0
        torch, examples, device = self._torch, self._examples, self._runtime.device
        repeated = np.concatenate([rows, rows]) if self._rdrop else rows
        ids, mask = pad(examples.tokens, repeated, pad_id=examples.pad_id, width=self._width(rows))
        inputs, mask, labels = (
            torch.from_numpy(array).to(device) for array in (ids, mask, examples.labels[repeated])
        )
        half = self._runtime.precision == "bf16" and not self._half
        # A GPU is fast enough itself.
        faster = fast_functions(seeds) if device == "cpu" else contextlib.nullcontext()
        with faster, torch.autocast(device, torch.bfloat16, enabled=half):
            logits = self._copies[worker](inputs, attention_mask=mask).logits.float()
        loss = loss_of(logits, labels, self._class_weights, rdrop=self._rdrop) / n_rows
        loss.backward()
        return float(loss.item())

    def _width(self, rows: np.ndarray) -> int:
        """The columns of a chunk: an even number, but no more than the longest text needs."""
        lengths = self._examples.tokens.lengths
        return min(-(-int(lengths[rows].max()) // _MULTIPLE) * _MULTIPLE, int(lengths.max()))

    @property
    def gradients(self) -> list[dict[str, Any]]:
        """The gradients of each worker that had rows, by the names of the weights."""
        return [
            {name: weight.grad for name, weight in of_copy.items()}
            for of_copy in self._of_copy
            if any(weight.grad is not None for weight in of_copy.values())
        ]

    def take_over(self, rows: np.ndarray | None = None, *, dense: bool = True) -> None:
        """Copy the weights that have changed to the copies; None is all rows of the embeddings."""
        if not self._half:
            return
        torch, halves = self._torch, self._of_copy[0]
        if dense:
            names = [name for name in self.weights if name != self.rows]
            torch._foreach_copy_(
                [halves[name].data for name in names], [self.weights[name].data for name in names]
            )
        if self.rows:
            index = slice(None) if rows is None else torch.from_numpy(rows)
            halves[self.rows].data[index] = self.weights[self.rows].data[index].to(torch.bfloat16)

    @property
    def model(self) -> Any:
        """The model as it computes, with the present weights; to be set to evaluation mode."""
        return self._copies[0]


def loss_of(logits: Any, labels: Any, class_weights: Any, *, rdrop: float) -> Any:
    """The sum over rows of the weighted cross-entropy, and of R-Drop's term.

    logits: (rows, k). With R-Drop the second half of the rows are the first half again, with other
    dropout: the mean of both cross-entropies counts, and rdrop times the mean of the divergences
    of each answer from the other one (Liang et al., 2021).
    """
    functional = require("torch", "train").nn.functional
    cross_entropy = functional.cross_entropy(
        logits, labels, weight=class_weights, reduction="none"
    ).sum()
    if not rdrop:
        return cross_entropy
    first, second = functional.log_softmax(logits, dim=1).chunk(2)
    divergences = ((first.exp() - second.exp()) * (first - second)).sum()
    return cross_entropy / 2 + rdrop * divergences / 2


def _sparse_rows(model: Any) -> str | None:
    """The name of the word embeddings, if they are large and used for nothing else."""
    matrix = model.get_input_embeddings()
    plain = type(matrix) is require("torch", "train").nn.Embedding and matrix.max_norm is None
    if not plain or matrix.num_embeddings < _LARGE:
        return None
    names = [
        name
        for name, weight in model.named_parameters(remove_duplicate=False)
        if weight is matrix.weight
    ]
    return names[0] if len(names) == 1 else None


def _draws_itself(model: Any, examples: Examples) -> bool:
    """Whether a pass draws random numbers besides dropout: two workers would race for them."""
    torch = require("torch", "train")
    ids, mask = pad(examples.tokens, np.arange(1), pad_id=examples.pad_id)
    before = torch.get_rng_state()
    model.train()
    with torch.no_grad(), fast_functions([0]):
        model(torch.from_numpy(ids), attention_mask=torch.from_numpy(mask))
    return not bool(torch.equal(before, torch.get_rng_state()))
