"""Rows into batches of similar length, and padding. Knows nothing of models or texts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from emolens.encode.tokenize import Tokenizer, Tokens


def rows_per_batch(longest: int, budget: int) -> int:
    """How many rows of up to `longest` tokens make a full batch; at least one."""
    return max(budget // max(longest, 1), 1)


def token_budget_batches(lengths: np.ndarray, *, budget: int) -> list[np.ndarray]:
    """Group rows of similar length so that rows x longest stays within `budget` tokens.

    lengths: (n,) int, tokens per row. Returns index arrays, longest rows first, whose
    concatenation is a permutation of range(n); a row longer than `budget` gets a batch of its own.
    The longest row alone decides how many stand beside it: engines prepare each
    shape once, so there should be few (benchmarks/RESULTS.md).
    """
    # Longest first: what does not fit into memory fails at once, and progress only gets faster.
    order = np.argsort(-lengths, kind="stable")
    batches = []
    start = 0
    while start < len(order):
        stop = start + rows_per_batch(int(lengths[order[start]]), budget)
        batches.append(order[start:stop])
        start = stop
    return batches


def pad(tokens: Tokens, rows: np.ndarray, *, pad_id: int) -> tuple[np.ndarray, np.ndarray]:
    """The rows side by side: input_ids and attention_mask, both (rows, longest) int64."""
    lengths = tokens.lengths[rows]
    attention_mask = np.arange(lengths.max(initial=0)) < lengths[:, None]
    input_ids = np.full(attention_mask.shape, pad_id, dtype=np.int64)
    input_ids[attention_mask] = np.concatenate([tokens[row] for row in rows]) if len(rows) else []
    return input_ids, attention_mask.astype(np.int64)


def padded_batch(tokenizer: Tokenizer, texts: Sequence[str]) -> list[dict[str, Any]]:
    """Texts as one batch, for showing: each with input_ids, attention_mask and tokens.

    n_tokens: before padding. truncated: the text was longer than the limit.
    """
    tokens = tokenizer.encode(texts)
    ids, mask = pad(tokens, np.arange(len(tokens)), pad_id=tokenizer.pad_id)
    return [
        {
            "text": text,
            "n_tokens": int(tokens.lengths[row]),
            "input_ids": ids[row].tolist(),
            "attention_mask": mask[row].tolist(),
            "tokens": tokenizer.tokens(ids[row].tolist()),
            "truncated": bool(tokens.truncated[row]),
        }
        for row, text in enumerate(texts)
    ]
