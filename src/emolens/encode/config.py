"""Reads the JSON files of a model folder, and refuses values that no encoder has.

Knows nothing of weights, of tokens or of transformers.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from emolens.errors import EncoderError, first_line
from emolens.store import load_object

AGAIN = "Download or save the folder again."
# The largest published encoders (xlm-roberta-xxl, deberta-v2-xxlarge) have 48 layers, a width of
# 4,096, inner layers of 16,384 and 250,880 tokens. These limits leave room for ten times as much.
_LAYERS, _WIDTH, _INNER, _HEADS = (1, 512), (1, 65_536), (1, 524_288), (1, 4096)
_VOCABULARY, _POSITIONS, _SMALL = (1, 10_000_000), (2, 10_000_000), (0, 100_000)
_WHOLE_NUMBERS = {
    **dict.fromkeys(("num_hidden_layers", "n_layers", "n_layer", "num_layers"), _LAYERS),
    **dict.fromkeys(("num_hidden_groups", "inner_group_num"), _LAYERS),
    **dict.fromkeys(("hidden_size", "dim", "d_model", "n_embd", "embedding_size"), _WIDTH),
    **dict.fromkeys(("intermediate_size", "hidden_dim", "d_inner"), _INNER),
    **dict.fromkeys(("num_attention_heads", "n_heads", "n_head"), _HEADS),
    **dict.fromkeys(("max_position_embeddings", "n_positions"), _POSITIONS),
    **dict.fromkeys(("type_vocab_size", "conv_kernel_size"), _SMALL),
    "num_labels": (1, _SMALL[1]),
    "vocab_size": _VOCABULARY,
    "pad_token_id": (0, _VOCABULARY[1]),
}
# What a model adds to a variance before it divides by its root. 1e-12 is the smallest published.
_SMALL_NUMBERS = {"layer_norm_eps", "layer_norm_epsilon", "norm_eps", "rms_norm_eps"}
_SMALLEST = 1e-30  # float32 has no smaller numbers than 1e-38
# These models count positions from the padding id + 1 on, so a text may have fewer tokens than
# max_position_embeddings says.
_OFFSET_MODELS = ("roberta", "xlm-roberta", "camembert", "xlm-roberta-xl", "data2vec-text", "mpnet")
_NO_LIMIT = 1_000_000  # a tokenizer without a limit has 1e30 as model_max_length


def read_config(path: Path, **limit: int) -> dict[str, Any]:
    """The JSON object in a file; empty if there is no file. limit: `largest` of load_object.

    Raises EncoderError if it holds no JSON object.
    """
    if not path.is_file():
        return {}
    try:
        return load_object(path, **limit)
    except (ValueError, OSError) as error:
        raise EncoderError(f"{path} can't be read: {first_line(error)}.", hint=AGAIN) from error


def model_config(folder: Path) -> dict[str, Any]:
    """The content of config.json; EncoderError for a number that no encoder has."""
    path = folder / "config.json"
    config = read_config(path)
    for key, (low, high) in _WHOLE_NUMBERS.items():
        value = config.get(key)
        if value is not None and not (is_whole(value) and low <= value <= high):
            raise _odd(path, key, value, wanted=f"a whole number from {low:,} to {high:,}")
    for key in _SMALL_NUMBERS & config.keys():
        value = config[key]
        if not (isinstance(value, float) and _SMALLEST <= value <= 1):
            raise _odd(path, key, value, wanted=f"a number from {_SMALLEST} to 1")
    for key, value in config.items():
        try:
            json.dumps(value, allow_nan=False)
        except ValueError as error:
            raise _odd(path, key, value, wanted="finite") from error
    vocabulary, pad = config.get("vocab_size"), config.get("pad_token_id")
    if vocabulary is not None and pad is not None and pad >= vocabulary:
        raise _odd(path, "pad_token_id", pad, wanted=f"lower than vocab_size ({vocabulary:,})")
    return config


def stated_limit(folder: Path, config: dict[str, Any], *, tokenizer_limit: Any) -> int:
    """The most tokens per text that both configurations allow; 512 if neither has a limit.

    config: the result of model_config. tokenizer_limit: `model_max_length` of the tokenizer.
    """
    positions = config.get("max_position_embeddings") or config.get("n_positions")
    if positions and config.get("model_type") in _OFFSET_MODELS:
        first = (config.get("pad_token_id") or 0) + 1
        if positions <= first:
            path, wanted = folder / "config.json", f"larger than pad_token_id + 1 ({first:,})"
            raise _odd(path, "max_position_embeddings", positions, wanted=wanted)
        positions -= first
    number = isinstance(tokenizer_limit, (int, float)) and not isinstance(tokenizer_limit, bool)
    if tokenizer_limit is not None and not (number and tokenizer_limit >= 1):
        path = folder / "tokenizer_config.json"
        raise _odd(path, "model_max_length", tokenizer_limit, wanted="a number of 1 or more")
    limits = [int(limit) for limit in (positions, tokenizer_limit) if limit and limit < _NO_LIMIT]
    return min(limits, default=512)


def is_whole(value: object) -> bool:
    """Whether a JSON value is a whole number, which true and false are not."""
    return isinstance(value, int) and not isinstance(value, bool)


def _odd(path: Path, key: str, value: Any, *, wanted: str) -> EncoderError:
    shown = repr(value)
    return EncoderError(
        f"{path} has {key} = {shown[:60]}{'…' if len(shown) > 60 else ''}, which must be {wanted}.",
        hint=f"{AGAIN} If you changed the file, change it back.",
    )
