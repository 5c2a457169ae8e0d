"""Tiny models with random weights, of every family of encoders that emolens promises to load."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from string import ascii_lowercase
from typing import Any

SMALL = {
    "vocab_size": 90,
    "hidden_size": 16,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "intermediate_size": 32,
    "max_position_embeddings": 40,
}
_DEBERTA = {
    "relative_attention": True,
    "pos_att_type": ["p2c", "c2p"],
    "position_biased_input": False,
    "type_vocab_size": 0,
}
_DISTILBERT = {"dim": 16, "n_layers": 2, "n_heads": 2, "hidden_dim": 32}
_MODERN = dict.fromkeys(("pad_token_id", "bos_token_id", "eos_token_id"), 0)
_MODERN |= dict.fromkeys(("cls_token_id", "sep_token_id"), 0)
FAMILIES: dict[str, dict[str, Any]] = {
    "bert": SMALL,
    "distilbert": {"vocab_size": 90, "max_position_embeddings": 40, **_DISTILBERT},
    "roberta": SMALL,
    "xlm-roberta": SMALL,
    "camembert": SMALL,
    "mpnet": SMALL,
    "electra": {**SMALL, "embedding_size": 8},
    "albert": {**SMALL, "embedding_size": 8},
    "modernbert": {**SMALL, **_MODERN},
    "deberta-v2": {
        **SMALL,
        **_DEBERTA,
        "position_buckets": 8,
        "norm_rel_ebd": "layer_norm",
        "share_att_key": True,
    },
    "deberta": {**SMALL, **_DEBERTA},
    "xlm-roberta-xl": SMALL,
}
# The special tokens in the order of the ids that config.json of the family expects.
_BERT_SPECIAL = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")
_ROBERTA_SPECIAL = ("<s>", "<pad>", "</s>", "<unk>", "<mask>")
_ALBERT_SPECIAL = ("<pad>", "<unk>", "[CLS]", "[SEP]", "[MASK]")
# The class of the tokenizer, how it cuts words, and its special tokens.
TOKENIZERS: dict[str, tuple[str, str, tuple[str, ...]]] = {
    **dict.fromkeys(("bert", "distilbert", "electra"), ("Bert", "words", _BERT_SPECIAL)),
    "mpnet": ("MPNet", "words", ("<s>", "<pad>", "</s>", "[UNK]", "<mask>")),
    "roberta": ("Roberta", "bytes", _ROBERTA_SPECIAL),
    "deberta": ("Deberta", "bytes", _BERT_SPECIAL),
    "modernbert": ("Deberta", "bytes", _BERT_SPECIAL),  # it has no class of its own
    "xlm-roberta": ("XLMRoberta", "pieces", _ROBERTA_SPECIAL),
    "xlm-roberta-xl": ("XLMRoberta", "pieces", _ROBERTA_SPECIAL),
    "camembert": ("Camembert", "pieces", _ROBERTA_SPECIAL),
    "albert": ("Albert", "pieces", _ALBERT_SPECIAL),
    "deberta-v2": ("DebertaV2", "pieces", _BERT_SPECIAL),
}
TASKS = ("", "ForMaskedLM", "ForSequenceClassification", "ForQuestionAnswering")


def save_model(folder: Path, family: str, task: str = "", **changes: Any) -> Path:
    """A model of the family with the head of that task, and its weights."""
    import torch
    import transformers

    config = transformers.AutoConfig.for_model(family, **{**FAMILIES[family], **changes})
    torch.manual_seed(1)
    model = getattr(transformers, f"AutoModel{task}").from_config(config)
    model.save_pretrained(folder)
    return folder


def save_encoder(folder: Path, family: str, words: Sequence[str]) -> Path:
    """An encoder of the family with a tokenizer of its own kind. words: for the vocabulary."""
    import transformers

    kind, cut, special = TOKENIZERS[family]
    tokenizer = getattr(transformers, f"{kind}Tokenizer")(**_VOCABULARIES[cut](special, words))
    tokenizer.save_pretrained(folder)
    changes: dict[str, Any] = {"vocab_size": len(tokenizer), "initializer_range": 0.3}
    for name in ("pad", "bos", "eos", "cls", "sep"):
        changes[f"{name}_token_id"] = getattr(tokenizer, f"{name}_token_id")
    return save_model(folder, family, **changes)


def _words(special: Sequence[str], words: Sequence[str]) -> dict[str, Any]:
    pieces = dict.fromkeys([*special, *words, *ascii_lowercase])
    pieces |= dict.fromkeys(f"##{letter}" for letter in ascii_lowercase)
    return {"vocab": {piece: i for i, piece in enumerate(pieces)}}


def _bytes(special: Sequence[str], words: Sequence[str]) -> dict[str, Any]:
    """The 256 bytes, and each word as merges of its letters, with a space (Ġ) before it."""
    from tokenizers.pre_tokenizers import ByteLevel

    pieces = dict.fromkeys([*special, *sorted(ByteLevel.alphabet())])
    merges: dict[tuple[str, str], None] = {}
    for word in words:
        for end in range(1, len(word) + 1):
            left, right = f"Ġ{word[: end - 1]}", word[end - 1]
            merges[left, right] = pieces[left + right] = None
    return {"vocab": {piece: i for i, piece in enumerate(pieces)}, "merges": list(merges)}


def _pieces(special: Sequence[str], words: Sequence[str]) -> dict[str, Any]:
    pieces = dict.fromkeys([*(f"▁{word}" for word in words), "▁", *ascii_lowercase])
    scores = [(piece, -float(rank)) for rank, piece in enumerate(pieces, start=1)]
    return {"vocab": [*((sign, 0.0) for sign in special), *scores]}


_VOCABULARIES = {"words": _words, "bytes": _bytes, "pieces": _pieces}
