"""config.json: sizes of the published encoders are admitted, those of no encoder are named."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from emolens.encode.config import model_config, read_config, stated_limit
from emolens.errors import EncoderError

# As published: layers, width, inner width, heads, tokens, positions.
PUBLISHED = {
    "bert-large-uncased": ("bert", 24, 1024, 4096, 16, 30522, 512),
    "bert-tiny": ("bert", 2, 128, 512, 2, 30522, 512),
    "distilroberta-base": ("roberta", 6, 768, 3072, 12, 50265, 514),
    "roberta-large": ("roberta", 24, 1024, 4096, 16, 50265, 514),
    "xlm-roberta-base": ("xlm-roberta", 12, 768, 3072, 12, 250002, 514),
    "xlm-roberta-xxl": ("xlm-roberta-xl", 48, 4096, 16384, 32, 250880, 514),
    "bge-m3": ("xlm-roberta", 24, 1024, 4096, 16, 250002, 8194),
    "camembert-base": ("camembert", 12, 768, 3072, 12, 32005, 514),
    "all-mpnet-base-v2": ("mpnet", 12, 768, 3072, 12, 30527, 514),
    "electra-large": ("electra", 24, 1024, 4096, 16, 30522, 512),
    "albert-xxlarge-v2": ("albert", 12, 4096, 16384, 64, 30000, 512),
    "ModernBERT-large": ("modernbert", 28, 1024, 2624, 16, 50368, 8192),
    "deberta-v3-base": ("deberta-v2", 12, 768, 3072, 12, 128100, 512),
    "deberta-v2-xxlarge": ("deberta-v2", 48, 1536, 6144, 24, 128100, 512),
}
SIZES = (
    *("num_hidden_layers", "hidden_size", "intermediate_size", "num_attention_heads"),
    *("vocab_size", "max_position_embeddings"),
)


def config_of(folder: Path, content: dict[str, Any]) -> dict[str, Any]:
    (folder / "config.json").write_text(json.dumps(content), "utf-8")
    return model_config(folder)


@pytest.mark.parametrize("name", PUBLISHED)
def test_published_encoders_are_within_the_limits(tmp_path: Path, name: str) -> None:
    kind, *sizes = PUBLISHED[name]
    content = {"model_type": kind, "pad_token_id": 1, "type_vocab_size": 0}
    content |= dict(zip(SIZES, sizes, strict=True))
    config = config_of(tmp_path, content)
    assert config == content
    assert 512 <= stated_limit(tmp_path, config, tokenizer_limit=int(1e30)) <= sizes[-1]


def test_a_distilbert_with_its_own_names_is_within_the_limits(tmp_path: Path) -> None:
    content = {"n_layers": 6, "dim": 768, "hidden_dim": 3072, "n_heads": 12, "vocab_size": 30522}
    assert config_of(tmp_path, content) == content


@pytest.mark.parametrize("key", [*SIZES, "n_layers", "dim", "n_heads", "num_hidden_groups"])
@pytest.mark.parametrize(
    "value", [0, -1, 10**30, 10**400, "12", 12.0, True, [12], {}, float("nan"), float("inf")]
)
def test_a_size_that_no_encoder_has_is_named(tmp_path: Path, key: str, value: object) -> None:
    with pytest.raises(EncoderError, match=key) as caught:
        config_of(tmp_path, {key: value})
    assert "config.json" in str(caught.value)
    assert len(str(caught.value)) < 300 + len(str(tmp_path))
    assert caught.value.hint


@pytest.mark.parametrize("value", [-1, 10**9, 7, "0", [0], 0.0, True])
def test_a_padding_outside_the_vocabulary_is_named(tmp_path: Path, value: object) -> None:
    with pytest.raises(EncoderError, match="pad_token_id"):
        config_of(tmp_path, {"vocab_size": 7, "pad_token_id": value})
    assert config_of(tmp_path, {"vocab_size": 7, "pad_token_id": None})["pad_token_id"] is None


@pytest.mark.parametrize(
    ("config", "tokenizer_limit", "limit"),
    [
        ({"max_position_embeddings": 512}, 256, 256),
        ({"max_position_embeddings": 512}, 256.0, 256),
        ({"max_position_embeddings": 512}, int(1e30), 512),
        ({"max_position_embeddings": 512}, float("inf"), 512),
        ({"max_position_embeddings": 514, "model_type": "roberta", "pad_token_id": 1}, None, 512),
        ({"n_positions": 1024}, None, 1024),
        ({}, None, 512),
    ],
)
def test_the_limit_is_the_smallest_that_is_stated(
    tmp_path: Path, config: dict[str, Any], tokenizer_limit: object, limit: int
) -> None:
    assert stated_limit(tmp_path, config, tokenizer_limit=tokenizer_limit) == limit


@pytest.mark.parametrize("value", [0, -1, 0.5, "512", True, [], {}, float("nan"), -float("inf")])
def test_a_limit_that_is_none_is_named(tmp_path: Path, value: object) -> None:
    with pytest.raises(EncoderError, match="model_max_length"):
        stated_limit(tmp_path, {}, tokenizer_limit=value)


def test_positions_that_the_padding_uses_up_are_named(tmp_path: Path) -> None:
    config = {"max_position_embeddings": 5, "model_type": "roberta", "pad_token_id": 4}
    with pytest.raises(EncoderError, match=r"max_position_embeddings = 5, .* larger .*\(5\)"):
        stated_limit(tmp_path, config, tokenizer_limit=None)


@pytest.mark.parametrize(
    "content",
    [
        b"{",
        b"[]",
        b'"text"',
        b"1" * 5000,
        b'{"a": \xff}',
        b"\xff\xfe{\x00}\x00",
        b"[" * 100_000,
        b'{"a":' * 100_000,
        b"",
    ],
)
def test_what_is_no_json_object_is_named(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "config.json").write_bytes(content)
    with pytest.raises(EncoderError, match=r"config\.json") as caught:
        read_config(tmp_path / "config.json")
    assert caught.value.hint


def test_no_file_is_an_empty_configuration(tmp_path: Path) -> None:
    assert read_config(tmp_path / "config.json") == {}


@pytest.mark.parametrize("key", ["layer_norm_eps", "layer_norm_epsilon", "norm_eps"])
@pytest.mark.parametrize("value", ["0", "0.0", "-1e-12", "NaN", "Infinity", "1e999", "2.0", '"1"'])
def test_a_small_number_that_no_encoder_has_is_named(tmp_path: Path, key: str, value: str) -> None:
    (tmp_path / "config.json").write_text(f'{{"{key}": {value}}}', "utf-8")
    with pytest.raises(EncoderError, match=f"{key} = .* from 1e-30 to 1"):
        model_config(tmp_path)
    assert config_of(tmp_path, {key: 1e-12}) == {key: 1e-12}


@pytest.mark.parametrize("value", ["NaN", "-Infinity", '{"rope_theta": 1e999}', "[NaN]"])
def test_a_number_that_is_not_finite_is_named(tmp_path: Path, value: str) -> None:
    (tmp_path / "config.json").write_text(f'{{"rope_parameters": {value}}}', "utf-8")
    with pytest.raises(EncoderError, match=r"rope_parameters = .* must be finite"):
        model_config(tmp_path)
