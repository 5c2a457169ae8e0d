"""Any JSON value at any key of a model folder's files: it works, or one sentence says why not."""

from __future__ import annotations

import json
import shutil
import tempfile
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from emolens.encode.backbone import backbone, find_encoder, pretrained_tokenizer, tokenizer_of
from emolens.encode.tokenize import Tokenizer
from emolens.errors import EmolensError
from emolens.export.head import read_head

VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.sampled_from((-1, 0, 1, 2, 7, 512, 10**9, 2**63, 10**30, -(10**30)))
    | st.sampled_from((0.5, -1.0, 1e30, float("inf"), float("nan")))
    | st.sampled_from(("", "x", "512", "bert", "../x", "owner/name", "\ud83d\ude00", "a" * 5000))
    | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=5,
)
KEYS = {
    "config.json": (
        *("model_type", "architectures", "hidden_size", "num_hidden_layers", "vocab_size"),
        *("num_attention_heads", "intermediate_size", "max_position_embeddings", "pad_token_id"),
        *("type_vocab_size", "hidden_act", "layer_norm_eps", "hidden_dropout_prob", "is_decoder"),
        *("id2label", "label2id", "num_labels", "problem_type", "function_to_apply", "auto_map"),
        *("dtype", "torch_dtype", "attn_implementation", "_attn_implementation", "rope_scaling"),
        *("quantization_config", "fusion_config", "per_layer_config", "is_encoder_decoder"),
        *("chunk_size_feed_forward", "add_cross_attention", "tie_word_embeddings", "use_cache"),
        *("initializer_range", "bos_token_id", "eos_token_id", "tokenizer_class", "pruned_heads"),
        *("transformers_version", "_name_or_path", "rope_parameters", "layer_types"),
    ),
    "tokenizer_config.json": (
        *("model_max_length", "tokenizer_class", "auto_map", "added_tokens_decoder", "pad_token"),
        *("do_lower_case", "extra_special_tokens", "additional_special_tokens", "init_inputs"),
        *("vocab_file", "tokenizer_file", "fast_tokenizer_files", "cls_token", "is_local"),
        *("padding_side", "truncation_side", "backend", "chat_template", "name_or_path"),
    ),
    "emolens.json": ("weights_sha256", "base_sha256", "files", "pending", "training_data"),
    "tokenizer.json": (
        *("normalizer", "pre_tokenizer", "post_processor", "decoder", "model", "added_tokens"),
        *("truncation", "padding", "version"),
    ),
}
PLACES = [(name, key) for name, keys in KEYS.items() for key in keys]
CHANGES = st.tuples(st.sampled_from(PLACES), VALUES)
MANY = settings(
    max_examples=600,
    deadline=20_000,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


def works_or_says_why(encoder: Path, change: tuple[tuple[str, str], Any]) -> None:
    (name, key), value = change
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(shutil.copytree(encoder, Path(temporary) / "folder"))
        path = folder / name
        content = json.loads(path.read_text("utf-8")) if path.exists() else {}
        path.write_text(json.dumps({**content, key: value}), "utf-8")
        loads: tuple[Callable[[], Any], ...] = (
            lambda: read_head(folder),
            lambda: Tokenizer.from_folder(folder).encode(["happy", ""]),
            lambda: tokenizer_of(find_encoder(folder)).encode(["happy", "so sad " * 20]),
            lambda: backbone(find_encoder(folder)),
            lambda: pretrained_tokenizer(find_encoder(folder)),
        )
        for load in loads:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                try:
                    load()
                except EmolensError as error:
                    assert error.hint
                    assert "\n" not in str(error)
                    assert len(str(error)) < 600


@settings(MANY, max_examples=60)
@given(CHANGES)
def test_any_value_at_any_key(tiny_encoder: Path, change: tuple[tuple[str, str], Any]) -> None:
    works_or_says_why(tiny_encoder, change)


@pytest.mark.soak
@settings(MANY)
@given(CHANGES)
def test_many_values_at_any_key(tiny_encoder: Path, change: tuple[tuple[str, str], Any]) -> None:
    works_or_says_why(tiny_encoder, change)


@pytest.mark.parametrize("name", KEYS)
@pytest.mark.parametrize(
    "content", [b"", b"[]", b"3", b"{", b"\xff\xfe\x00", b"[" * 200_000, b'{"a":' * 200_000]
)
def test_a_file_that_is_no_json_object(
    tiny_encoder: Path, tmp_path: Path, name: str, content: bytes
) -> None:
    folder = Path(shutil.copytree(tiny_encoder, tmp_path / "folder"))
    (folder / name).write_bytes(content)
    with pytest.raises(EmolensError) as caught:
        tokenizer_of(find_encoder(folder))
        backbone(find_encoder(folder))
    assert name in str(caught.value)
    assert caught.value.hint
