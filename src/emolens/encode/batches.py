"""Puts rows of similar length into batches and pads them. Knows nothing of models."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from emolens.encode.tokenize import Tokenizer, Tokens


def rows_per_batch(longest: int, budget: int) -> int:
    """How many rows of up to `longest` tokens are a full batch; at least one."""
    return max(budget // max(longest, 1), 1)


def token_budget_batches(lengths: np.ndarray, *, budget: int) -> list[np.ndarray]:
    """Row indices by batch: rows of similar length, at most `budget` tokens with the padding.

    lengths: (n,) int, tokens per row. Each row is in one batch; the longest rows come first. A row
    longer than `budget` gets a batch of its own. The number of rows follows from the longest row
    alone, so that batches have few different shapes: an engine prepares each shape once
    (benchmarks/RESULTS.md).
    """
    # Longest first: if memory is too small, the first batch already fails.
    order = np.argsort(-lengths, kind="stable")
    batches = []
    start = 0
    while start < len(order):
        stop = start + rows_per_batch(int(lengths[order[start]]), budget)
        batches.append(order[start:stop])
        start = stop
    return batches


def pad(
    tokens: Tokens, rows: np.ndarray, *, pad_id: int, width: int = 0
) -> tuple[np.ndarray, np.ndarray]:
    """The rows as one batch: input_ids and attention_mask, both (rows, longest) int64.

    width: the fewest columns.
    """
    lengths = tokens.lengths[rows]
    attention_mask = np.arange(lengths.max(initial=width)) < lengths[:, None]
    input_ids = np.full(attention_mask.shape, pad_id, dtype=np.int64)
    input_ids[attention_mask] = np.concatenate([tokens[row] for row in rows]) if len(rows) else []
    return input_ids, attention_mask.astype(np.int64)


def padded_batch(tokenizer: Tokenizer, texts: Sequence[str]) -> list[dict[str, Any]]:
    """Texts as one padded batch, to be printed: a dict per text with its ids, mask and tokens.

    n_tokens: without the padding. truncated: the text was longer than the limit and was cut.
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
