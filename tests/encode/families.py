"""Tiny models with random weights, of every family of encoders that emolens promises to load."""

from __future__ import annotations

from pathlib import Path
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
