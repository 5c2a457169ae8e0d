"""Vectors are transformers' own, whatever stands beside a text in its batch."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import get_args

import numpy as np
import pytest
import torch
from safetensors.numpy import load_file, save_file
from transformers import AutoModel, AutoTokenizer, BertConfig, BertModel, BertTokenizer

from emolens.encode.backbone import Pooling
from emolens.encode.batches import padded_batch
from emolens.encode.embed import Embeddings, Encoder
from emolens.errors import DataError, EncoderError, UsageError
from tests.conftest import WORDS, feeling_rows

pytestmark = pytest.mark.filterwarnings("ignore:Texts cut at")

TEXTS = [text for text, _ in feeling_rows(12)] + ["", "happy", "very " * 60, "😀 我"]


def plain(folder: Path, text: str, pooling: str, layer: int) -> np.ndarray:
    """One text, padded to the limit, through transformers alone."""
    tokenizer, model = AutoTokenizer.from_pretrained(folder), AutoModel.from_pretrained(folder)
    batch = tokenizer(
        text, padding="max_length", max_length=32, truncation=True, return_tensors="pt"
    )
    with torch.inference_mode():
        states = model.eval()(**batch, output_hidden_states=True).hidden_states[layer][0]
    own = states[batch["attention_mask"][0].bool()]
    pooled: np.ndarray = (own[0] if pooling == "cls" else own.mean(0)).numpy()
    return pooled


@pytest.mark.parametrize("layer", [0, 1, -1])
@pytest.mark.parametrize("pooling", ["cls", "mean"])
def test_vectors_are_those_of_plain_transformers_in_the_order_given(
    tiny_encoder: Path, pooling: Pooling, layer: int
) -> None:
    encoder = Encoder(str(tiny_encoder), pooling=pooling, precision="fp32", layer=layer)
    vectors = encoder.encode(TEXTS)
    assert vectors.shape == (len(TEXTS), 16)
    assert vectors.dtype == np.float32
    for row in (0, 7, 12, 14):
        wanted = plain(tiny_encoder, TEXTS[row], pooling, layer)
        np.testing.assert_allclose(vectors[row], wanted, atol=1e-5)


@pytest.mark.parametrize("layer", [0, 1, -1])
def test_hidden_states_are_what_the_vectors_of_texts_are_made_of(
    tiny_encoder: Path, layer: int
) -> None:
    by_pooling = {
        pooling: Encoder(str(tiny_encoder), pooling=pooling, precision="fp32", layer=layer)
        for pooling in get_args(Pooling)
    }
    texts = ["happy", "i am so very happy today", ""]
    states = by_pooling["cls"].hidden_states(texts)
    mask = [row["attention_mask"] for row in padded_batch(by_pooling["cls"].tokenizer, texts)]
    assert states.shape == (*np.shape(mask), 16)
    np.testing.assert_allclose(states[:, 0], by_pooling["cls"].encode(texts), atol=1e-5)
    for row, vector in enumerate(by_pooling["mean"].encode(texts)):
        own = states[row][np.array(mask[row], dtype=bool)]
        np.testing.assert_allclose(own.mean(axis=0), vector, atol=1e-5)


@pytest.mark.parametrize("pooling", ["cls", "mean"])
def test_a_vector_does_not_depend_on_its_neighbors(tiny_encoder: Path, pooling: Pooling) -> None:
    encoder = Encoder(str(tiny_encoder), pooling=pooling, precision="fp32")
    together = encoder.encode(TEXTS * 20)[: len(TEXTS)]
    alone = np.concatenate([encoder.encode([text]) for text in TEXTS])
    backwards = encoder.encode(TEXTS[::-1])[::-1]
    np.testing.assert_allclose(together, alone, atol=1e-5)
    np.testing.assert_allclose(backwards, alone, atol=1e-5)


def test_bf16_stays_close_to_fp32(tiny_encoder: Path) -> None:
    full, half = (
        Encoder(str(tiny_encoder), pooling="mean", precision=p).encode(TEXTS)
        for p in ("fp32", "bf16")
    )
    cosine = (full * half).sum(1) / np.linalg.norm(full, axis=1) / np.linalg.norm(half, axis=1)
    assert cosine.min() > 0.999
    assert not np.array_equal(full, half)


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_identical_texts_get_identical_vectors(tiny_encoder: Path, precision: str) -> None:
    encoder = Encoder(str(tiny_encoder), precision=precision)
    vectors = encoder.encode(["i am happy", *["so very sad"] * 10_000, "i am happy"])
    assert (vectors[1:-1] == vectors[1]).all()
    assert (vectors[0] == vectors[-1]).all()
    assert not (vectors[0] == vectors[1]).all()


def test_normalized_vectors_point_the_same_way_and_have_length_one(tiny_encoder: Path) -> None:
    plainly, unit = (
        Encoder(str(tiny_encoder), precision="fp32", pooling="mean", normalize=n).encode(TEXTS)
        for n in (False, True)
    )
    np.testing.assert_allclose(np.linalg.norm(unit, axis=1), 1, atol=1e-6)
    lengths = np.linalg.norm(plainly, axis=1, keepdims=True)
    np.testing.assert_allclose(plainly / lengths, unit, atol=1e-6)


@pytest.mark.parametrize("text", ["", "😀" * 40, "\x00", "x" * 1_000_000, "שלום", "नमस्ते 你好"])
def test_odd_texts_get_a_vector_each(tiny_encoder: Path, text: str) -> None:
    vectors = Encoder(str(tiny_encoder), precision="fp32").encode([text, "happy"])
    assert vectors.shape == (2, 16)
    assert np.isfinite(vectors).all()


def test_half_a_surrogate_pair_is_an_error_that_names_the_row(tiny_encoder: Path) -> None:
    with pytest.raises(DataError, match=r"Text 1 .* half a surrogate pair"):
        Encoder(str(tiny_encoder)).encode(["happy", "\ud83d"])


@pytest.mark.parametrize("layer", [3, -4])
def test_a_layer_that_is_not_there_is_a_usage_error(tiny_encoder: Path, layer: int) -> None:
    with pytest.raises(UsageError, match=f"no layer {layer}") as caught:
        Encoder(str(tiny_encoder), layer=layer)
    assert "-3 to 2" in caught.value.hint


def test_weights_that_are_not_finite_are_an_encoder_error(
    tiny_encoder: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "damaged"
    shutil.copytree(tiny_encoder, folder)
    weights = load_file(folder / "model.safetensors")
    weights["encoder.layer.1.output.dense.weight"][0, 0] = np.nan
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(EncoderError, match="not finite") as caught:
        Encoder(str(folder), precision="fp32").encode(["happy"])
    assert caught.value.hint


def test_progress_counts_every_row_once(tiny_encoder: Path) -> None:
    seen: list[tuple[int, int]] = []
    texts = [f"{text} {'happy ' * n}" for text in TEXTS for n in range(25)] * 2
    Encoder(str(tiny_encoder)).encode(texts, progress=lambda done, n: seen.append((done, n)))
    assert len(seen) > 1
    assert [done for done, _ in seen] == sorted({done for done, _ in seen})
    assert seen[-1] == (len(texts), len(texts))


@pytest.mark.parametrize("budget", [4, 64, 1024])
def test_many_batches_give_the_vectors_of_few(tiny_encoder: Path, budget: int) -> None:
    texts = [f"{a} {b} {c}" for a in WORDS[:15] for b in WORDS[:15] for c in (*WORDS[:15], "")]
    seen: list[int] = []
    encoder = Encoder(str(tiny_encoder), precision="fp32", cache=False)
    hundreds = (texts[i : i + 100] for i in range(0, len(texts), 100))
    wanted = np.concatenate([encoder.encode(hundred) for hundred in hundreds])
    encoder._engine.budget = budget
    found = encoder.encode(texts, progress=lambda done, n: seen.append(done))
    assert len(seen) > 16
    assert seen[-1] == len(texts) == 3600
    np.testing.assert_allclose(found, wanted, atol=1e-5)


def test_embeddings_come_back_as_they_were_saved(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    embeddings = Embeddings(
        {s: rng.normal(size=(n, 4)).astype(np.float32) for s, n in (("train", 5), ("test", 2))}
    )
    embeddings.save(tmp_path)
    again = Embeddings.load(tmp_path, ["train", "test"])
    assert again.shapes == {"train": (5, 4), "test": (2, 4)}
    assert all(np.array_equal(again[s], embeddings[s]) for s in again.vectors)


def test_texts_over_the_limit_are_counted_in_a_warning(tiny_encoder: Path) -> None:
    encoder = Encoder(str(tiny_encoder), precision="fp32")
    with pytest.warns(UserWarning, match="Texts cut at 32 tokens: 1"):
        encoder.encode(["i am happy", "so " * 100])


def test_long_texts_and_short_ones_agree_with_plain_transformers(tmp_path: Path) -> None:
    """Long texts run through another compilation of the model than short ones."""
    config = BertConfig(
        vocab_size=60,
        hidden_size=16,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=32,
        max_position_embeddings=300,
    )
    torch.manual_seed(1)
    BertModel(config).save_pretrained(tmp_path)
    words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *"abcdefghijklmnopqrstuvwxyz"]
    (tmp_path / "vocab.txt").write_text("\n".join(words) + "\n", "utf-8")
    BertTokenizer(vocab=str(tmp_path / "vocab.txt")).save_pretrained(tmp_path)
    texts = ["a b c", "d " * 98, "e f " * 50, "g h i " * 90, "j"]
    encoder = Encoder(str(tmp_path), pooling="mean", precision="fp32")
    assert (encoder.tokenizer.encode(texts).lengths > 100).sum() == 2
    model, tokenizer = AutoModel.from_pretrained(tmp_path), AutoTokenizer.from_pretrained(tmp_path)
    with torch.inference_mode():
        wanted = [model(**tokenizer(t, return_tensors="pt"))[0][0].mean(0).numpy() for t in texts]
    np.testing.assert_allclose(encoder.encode(texts), wanted, atol=1e-5)
    np.testing.assert_allclose(encoder.encode(texts * 30)[-5:], wanted, atol=1e-5)
