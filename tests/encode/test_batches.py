"""Batches are a permutation within the budget, and padding has an inverse."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from emolens.encode.batches import pad, padded_batch, token_budget_batches
from emolens.encode.tokenize import Tokenizer, Tokens

light = settings(max_examples=60, deadline=None)


def tokens_of(rows: list[list[int]]) -> Tokens:
    offsets = np.cumsum([0, *map(len, rows)])
    flat = np.array([i for row in rows for i in row], dtype=np.int32)
    return Tokens(flat, offsets, np.diff(offsets))


@light
@given(st.lists(st.integers(0, 600), max_size=80), st.integers(1, 2048))
def test_batches_are_a_permutation_within_the_budget(lengths: list[int], budget: int) -> None:
    counts = np.array(lengths, dtype=np.int64)
    batches = token_budget_batches(counts, budget=budget)
    together = np.concatenate([np.empty(0, dtype=np.int64), *batches])
    assert sorted(together.tolist()) == list(range(len(lengths)))
    for rows in batches:
        assert len(rows) == 1 or len(rows) * counts[rows].max() <= budget


@light
@given(st.lists(st.integers(1, 99), min_size=1, max_size=40))
def test_longest_rows_come_first(lengths: list[int]) -> None:
    counts = np.array(lengths)
    order = np.concatenate(token_budget_batches(counts, budget=128))
    assert (np.diff(counts[order]) <= 0).all()


@light
@given(st.lists(st.lists(st.integers(0, 999), max_size=20), min_size=1, max_size=12), st.data())
def test_the_mask_undoes_the_padding(rows: list[list[int]], data: st.DataObject) -> None:
    chosen = data.draw(st.lists(st.integers(0, len(rows) - 1), min_size=1, max_size=12))
    ids, mask = pad(tokens_of(rows), np.array(chosen), pad_id=7)
    assert ids.dtype == mask.dtype == np.int64
    assert [i[m == 1].tolist() for i, m in zip(ids, mask, strict=True)] == [rows[r] for r in chosen]
    assert (ids[mask == 0] == 7).all()
    assert ids.shape == (len(chosen), max(len(rows[r]) for r in chosen))


def test_no_rows_make_an_empty_batch() -> None:
    ids, mask = pad(tokens_of([[1, 2]]), np.array([], dtype=np.int64), pad_id=0)
    assert ids.shape == mask.shape == (0, 0)


def test_a_padded_batch_shows_ids_tokens_and_mask(tiny_encoder: Path) -> None:
    tokenizer = Tokenizer.from_folder(tiny_encoder, max_length=5)
    first, second, third = padded_batch(tokenizer, ["i am happy", "sad", "you are so very glad"])
    assert first["tokens"] == ["[CLS]", "i", "am", "happy", "[SEP]"]
    assert second["tokens"] == ["[CLS]", "sad", "[SEP]", "[PAD]", "[PAD]"]
    assert second["attention_mask"] == [1, 1, 1, 0, 0]
    assert [first["n_tokens"], second["n_tokens"]] == [5, 3]
    assert [first["truncated"], third["truncated"]] == [False, True]
