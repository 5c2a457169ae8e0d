"""The own loop: AdamW with rows that wait, seeded dropout, batches; the Trainer is the oracle."""

from __future__ import annotations

import copy
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from emolens.data.dataset import Dataset
from emolens.encode.backbone import find_encoder, sequence_classifier, tokenizer_of
from emolens.errors import EncoderError
from emolens.learn.finetune.checkpoint import Checkpoints
from emolens.learn.finetune.functions import fast_functions
from emolens.learn.finetune.loop import Look, Steps, kept_look, train
from emolens.learn.finetune.optimizer import AdamW
from emolens.learn.finetune.order import batches_of, dealt
from emolens.learn.finetune.passes import Examples
from emolens.runtime import Runtime
from emolens.scores import EpochPoint, Recipe

FP32 = Runtime("torch", "cpu", "fp32", 2, "a test")


@given(
    st.lists(st.integers(1, 40), min_size=1, max_size=300), st.integers(1, 20), st.integers(0, 3)
)
def test_an_epoch_has_each_row_once(lengths: list[int], size: int, epoch: int) -> None:
    batches = batches_of(np.array(lengths), size, seed=5, epoch=epoch)
    assert sorted(np.concatenate(batches).tolist()) == list(range(len(lengths)))
    sizes = sorted(map(len, batches), reverse=True)
    assert set(sizes[:-1]) <= {size}
    assert sizes[-1] <= size


def test_batches_hold_rows_of_similar_length_in_another_order_each_epoch() -> None:
    lengths = np.random.default_rng(0).integers(5, 60, size=1000)
    first, again, second = (batches_of(lengths, 20, seed=1, epoch=epoch) for epoch in (0, 0, 1))
    assert all(map(np.array_equal, first, again))
    assert not all(map(np.array_equal, first, second))
    padding = sum(int((lengths[b].max() - lengths[b]).sum()) for b in first)
    assert padding < 0.05 * lengths.sum()
    longest = [int(lengths[b].max()) for b in first]
    assert longest != sorted(longest, reverse=True)


@given(
    st.lists(st.integers(1, 90), min_size=1, max_size=70), st.integers(1, 4), st.integers(30, 300)
)
def test_chunks_share_the_rows_of_a_batch_within_the_budget(
    lengths: list[int], workers: int, budget: int
) -> None:
    array = np.array(lengths)
    chunks = dealt(np.arange(len(lengths)), array, workers=workers, budget=budget)
    assert len(chunks) % workers == 0
    assert sorted(np.concatenate(chunks).tolist()) == list(range(len(lengths)))
    for chunk in chunks:
        assert len(chunk) <= 1 or array[chunk].max() * len(chunk) <= budget
    of_worker = [sum(len(c) for c in chunks[w::workers]) for w in range(workers)]
    assert max(of_worker) - min(of_worker) <= 1


def test_dropout_keeps_the_share_the_mean_and_its_stream() -> None:
    layer, ones = torch.nn.Dropout(0.1), torch.ones(200_000)
    with fast_functions([1, 2]):
        first, second = layer(ones), layer(ones)
    with fast_functions([1, 2]):
        again = layer(ones)
    assert torch.equal(first, again)
    assert not torch.equal(first, second)
    assert (first == 0).float().mean().item() == pytest.approx(26 / 256, abs=0.003)
    assert first.mean().item() == pytest.approx(1, abs=0.004)
    layer.eval()
    with fast_functions([1, 2]):
        assert torch.equal(layer(ones), ones)
    assert layer.train()(ones).eq(0).any()  # outside, torch's own dropout


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float32, torch.float64])
def test_kept_elements_are_multiplied_by_the_factor_that_keeps_the_mean(
    dtype: torch.dtype,
) -> None:
    with fast_functions([4]):
        out = torch.nn.functional.dropout(torch.full((3, 333), 2.0, dtype=dtype), p=0.25)
    wanted = torch.tensor([0, 2 * 256 / (256 - 64)], dtype=dtype)
    assert out.dtype == dtype
    assert torch.equal(out.unique(), wanted)


@pytest.mark.parametrize("length", [1, 8, 16, 22, 32, 47, 63, 64, 70])
@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float32])
def test_softmax_is_that_of_torch(length: int, dtype: torch.dtype) -> None:
    values = torch.randn(4, 3, length).to(dtype)
    for dim in (-1, 2, 0):
        ours, theirs = (values.clone().requires_grad_() for _ in range(2))
        with fast_functions([0]):
            out = torch.nn.functional.softmax(ours, dim=dim)
        wanted = torch.nn.functional.softmax(theirs, dim=dim)
        assert out.dtype == dtype
        torch.testing.assert_close(out, wanted)
        weights = torch.arange(out.numel(), dtype=dtype).view(out.shape).cos()
        (out * weights).sum().backward()
        (wanted * weights).sum().backward()
        torch.testing.assert_close(ours.grad, theirs.grad, rtol=0.02, atol=2e-3)


def test_gradients_flow_only_through_kept_elements() -> None:
    values = torch.ones(1000, requires_grad=True)
    with fast_functions([3]):
        out = torch.nn.functional.dropout(values, p=0.5)
    out.sum().backward()
    assert values.grad is not None
    assert torch.equal(values.grad == 0, out == 0)


@pytest.mark.parametrize("decay", [0.0, 0.1])
def test_rows_that_wait_end_where_those_of_torch_end(decay: float) -> None:
    """A matrix of which each step touches few rows: by rows, and whole with AdamW of torch."""
    rng = np.random.default_rng(0)

    def drawn(*shape: int) -> torch.Tensor:
        return torch.from_numpy(rng.normal(size=shape).astype(np.float32))

    start, bias = drawn(60, 8), drawn(8)
    rates = [min(step / 30, 1) * 1e-2 for step in range(300)]
    ours, theirs = ([torch.nn.Parameter(w.clone()) for w in (start, bias)] for _ in range(2))
    decays = [{"params": theirs[0], "weight_decay": decay}, {"params": theirs[1]}]
    adam = torch.optim.AdamW(decays, lr=1, weight_decay=0)
    names = dict(zip("wb", ours, strict=True))
    lazy = AdamW(names, decayed={"w"}, decay=decay, rates=rates, rows="w")
    assert lazy.rows
    for step, rate in enumerate(rates):
        touched = rng.choice(50 if step > 5 else 60, size=6)  # some rows for the first steps only
        place = torch.from_numpy(touched)[None]
        gradient = torch.sparse_coo_tensor(
            place, drawn(6, 8) * 0.05, (60, 8), check_invariants=False
        )
        of_bias = drawn(8) * 0.3
        lazy.rows.bring_up_to_date(np.unique(touched))
        np.testing.assert_allclose(ours[0].data[touched], theirs[0].data[touched], atol=1e-4)
        halves = [{"w": gradient * part, "b": of_bias * part} for part in (0.25, 0.75)]
        norm = lazy.update(halves)
        theirs[0].grad, theirs[1].grad = gradient.to_dense(), of_bias
        assert norm == pytest.approx(torch.nn.utils.clip_grad_norm_(theirs, 1.0).item(), rel=1e-5)
        for group in adam.param_groups:
            group["lr"] = rate
        adam.step()
    lazy.rows.bring_up_to_date()
    for one, other, before in zip(ours, theirs, (start, bias), strict=True):
        np.testing.assert_allclose(one.data, other.data, atol=1e-4)
        assert (one.data - before).abs().max() > 0.1


def test_a_weight_without_a_gradient_stays_as_it_is() -> None:
    """Some families have a part that the classifier does not use, such as a pooler."""
    used, unused = (torch.nn.Parameter(torch.ones(3)) for _ in range(2))
    adam = AdamW(
        {"used": used, "unused": unused}, decayed={"used", "unused"}, decay=0.1, rates=[0.1] * 4
    )
    for _ in range(2):
        adam.update([{"used": torch.ones(3), "unused": None}] * 2)
    assert torch.equal(unused.data, torch.ones(3))
    assert (used.data < 0.9).all()
    again = AdamW({"used": used, "unused": unused}, decayed=set(), decay=0.1, rates=[0.1] * 4)
    again.restore({name: array.numpy() for name, array in adam.arrays().items()}, step=2)
    before = used.data.clone()
    again.update([{"used": torch.ones(3), "unused": None}])
    assert (used.data < before).all()


def test_the_rate_rises_in_the_warm_up_and_falls_to_zero() -> None:
    from transformers import get_linear_schedule_with_warmup

    recipe = Recipe(epochs=2.5, learning_rate=1e-3, batch_size=8, warmup=0.2)
    steps = Steps.of(recipe, 90)
    assert (steps.of_epoch, steps.total) == (12, 30)
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.ones(1))], lr=1e-3)
    schedule = get_linear_schedule_with_warmup(optimizer, 6, 30)
    theirs = []
    for _ in range(30):
        theirs.append(schedule.get_last_lr()[0])
        optimizer.step()
        schedule.step()
    assert steps.rates(recipe) == pytest.approx(theirs)
    assert [step for step in range(1, 31) if steps.is_look(step)] == [12, 24, 30]


@pytest.mark.parametrize(
    ("scores", "n_rows", "kept"),
    [
        ([0.5], 10, 0),
        ([0.9, 0.895], 1000, 1),  # the standard error is 0.0095
        ([0.9, 0.89], 1000, 0),
        ([0.9, 0.89], 100, 1),
        ([0.7, 0.91, 0.902, 0.88], 1000, 2),
        ([0.0, 0.0], 10, 1),
        ([1.0, 0.999], 1000, 0),
    ],
)
def test_the_last_look_is_kept_unless_one_is_better_beyond_chance(
    scores: list[float], n_rows: int, kept: int
) -> None:
    assert kept_look(scores, n_rows) == kept


@given(st.lists(st.integers(0, 50).map(lambda n: n / 50), min_size=1, max_size=12))
def test_what_is_kept_never_goes_back_to_an_earlier_look(scores: list[float]) -> None:
    kept = [kept_look(scores[:n], 50) for n in range(1, len(scores) + 1)]
    assert kept == sorted(kept)


def without_dropout(model: Any) -> Any:
    for module in model.modules():
        if isinstance(module, torch.nn.Dropout):
            module.p = 0.0
    return model


def no_look(_: Any, epoch: float) -> Look:
    return Look(EpochPoint(epoch, 0.0, 0.0, 0.0, 0.0), np.zeros((1, 3)), epoch / 10, n_rows=10)


@pytest.mark.parametrize("rows_wait", [False, True])
def test_it_ends_where_the_trainer_ends(
    feelings: Dataset,
    tiny_encoder: Path,
    tmp_path: Path,
    rows_wait: bool,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Without dropout, in fp32, with the same batches: the weights after 33 steps."""
    from transformers import DataCollatorWithPadding, Trainer, TrainingArguments

    from emolens.encode.backbone import pretrained_tokenizer

    if rows_wait:
        monkeypatch.setattr("emolens.learn.finetune.passes._LARGE", 1)
    encoder = find_encoder(tiny_encoder)
    torch.manual_seed(3)
    start = without_dropout(sequence_classifier(encoder, feelings.labels.id2label))
    rows = feelings["train"].take(np.arange(88))  # whole batches: the Trainer cuts the order anew
    tokens, labels = tokenizer_of(encoder).encode(rows.texts), rows.labels
    recipe = Recipe(epochs=3, learning_rate=3e-3, batch_size=8, warmup=0.1, precision="fp32")
    ours, theirs = copy.deepcopy(start), copy.deepcopy(start)
    places = Checkpoints(tmp_path / "c", "key")
    examples = Examples(tokens, labels, np.ones(3), pad_id=0)
    train(ours, examples, recipe, runtime=FP32, checkpoints=places, look=no_look)

    class NewOrder(torch.utils.data.Sampler[int]):
        """The Trainer makes one sampler for all epochs."""

        epoch = -1

        def __iter__(self) -> Any:
            self.epoch += 1
            order = batches_of(tokens.lengths, 8, seed=42, epoch=self.epoch)
            return iter(np.concatenate(order).tolist())

        def __len__(self) -> int:
            return len(labels)

    class InOurOrder(Trainer):
        def _get_train_sampler(self, *_: Any) -> Any:
            return NewOrder()

    arguments = TrainingArguments(
        output_dir=str(tmp_path / "t"),
        num_train_epochs=3,
        learning_rate=3e-3,
        per_device_train_batch_size=8,
        weight_decay=0.01,
        warmup_steps=0.1,
        use_cpu=True,
        save_strategy="no",
        report_to=[],
        disable_tqdm=True,
        dataloader_pin_memory=False,
    )
    data = [
        {"input_ids": tokens[row].tolist(), "labels": int(labels[row])}
        for row in range(len(labels))
    ]
    trainer = InOurOrder(
        model=theirs,
        args=arguments,
        data_collator=DataCollatorWithPadding(pretrained_tokenizer(encoder)),
        train_dataset=data,
    )
    trainer.train()
    for (name, one), other, before in zip(
        ours.named_parameters(), theirs.parameters(), start.parameters(), strict=True
    ):
        moved, apart = ((other - w).norm().item() for w in (before, one))
        assert apart < 1e-5 + 0.01 * moved, name


@pytest.mark.parametrize(("after", "cause"), [(0, "encoder"), (3, "learning rate")])
def test_a_loss_that_is_no_number_names_the_step_and_the_likely_cause(
    feelings: Dataset, tiny_encoder: Path, tmp_path: Path, after: int, cause: str
) -> None:
    encoder = find_encoder(tiny_encoder)
    model = sequence_classifier(encoder, feelings.labels.id2label)
    tokens = tokenizer_of(encoder).encode(feelings["train"].texts)
    weights = np.ones(3)
    examples = Examples(tokens, feelings["train"].labels, weights, pad_id=0)
    recipe = Recipe(epochs=2, learning_rate=1e-3, batch_size=8, precision="fp32")

    def spoil(done: int, _: int) -> None:
        if done == after:
            model.classifier.weight.data[:] = np.nan

    if not after:
        spoil(0, 0)
    with pytest.raises(EncoderError, match=rf"in step {after + 1} of 24.*{cause}.*likely"):
        train(
            model,
            examples,
            recipe,
            runtime=FP32,
            checkpoints=Checkpoints(tmp_path, "key"),
            look=no_look,
            listeners=(spoil, None),
        )


@pytest.mark.parametrize(
    ("scores", "n_rows", "looks"),
    [
        ([0.5, 0.9, 0.8, 0.8, 0.9, 0.9], 1000, 4),  # two in a row are worse beyond chance
        ([0.5, 0.9, 0.8, 0.8, 0.9, 0.9], 5, 6),  # five rows can't tell
        ([0.5, 0.9, 0.8, 0.9, 0.8, 0.9], 1000, 6),  # never two in a row
    ],
)
def test_it_stops_early_where_it_gets_worse_beyond_chance(
    feelings: Dataset,
    tiny_encoder: Path,
    tmp_path: Path,
    scores: list[float],
    n_rows: int,
    looks: int,
) -> None:
    encoder, rows = find_encoder(tiny_encoder), feelings["train"].take(np.arange(16))
    model = sequence_classifier(encoder, feelings.labels.id2label)
    tokens = tokenizer_of(encoder).encode(rows.texts)

    def look(_: Any, epoch: float) -> Look:
        return replace(no_look(_, epoch), score=scores[int(epoch) - 1], n_rows=n_rows)

    done = train(
        model,
        Examples(tokens, rows.labels, np.ones(3), pad_id=0),
        Recipe(epochs=6, batch_size=16, precision="fp32", patience=2),
        runtime=FP32,
        checkpoints=Checkpoints(tmp_path / "c", "key"),
        look=look,
    )
    assert len(done.history) == looks
