"""Encoder folders: found, checked, and refused with a reason."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from emolens.encode.backbone import (
    EncoderFolder,
    backbone,
    find_encoder,
    logits_of,
    sequence_classifier,
    tokenizer_of,
)
from emolens.encode.layers import divide_logits
from emolens.errors import EncoderError
from emolens.output import sha256
from tests.conftest import HOSTILE, feeling_rows
from tests.encode.families import FAMILIES


@pytest.fixture
def folder(tiny_encoder: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(tiny_encoder, tmp_path / "encoder"))


def refused(name: str | Path, sha256_wanted: str | None = None) -> EncoderError:
    with pytest.raises(EncoderError) as caught:
        find_encoder(str(name), sha256_wanted=sha256_wanted)
    assert caught.value.hint
    return caught.value


def test_a_folder_is_found_by_path_and_named_by_its_weights(folder: Path) -> None:
    encoder = find_encoder(str(folder), sha256_wanted=sha256(folder / "model.safetensors"))
    assert encoder.folder == folder
    assert encoder.weights_sha256 == sha256(folder / "model.safetensors")


def test_a_folder_without_config_is_no_encoder(folder: Path) -> None:
    (folder / "config.json").unlink()
    assert "no config.json" in str(refused(folder))


def test_a_folder_without_weights_says_what_is_missing(folder: Path) -> None:
    (folder / "model.safetensors").rename(folder / "pytorch_model.bin")
    error = refused(folder)
    assert "no model.safetensors" in str(error)
    assert ".bin" in error.hint


def test_weights_with_another_sha256_are_refused(folder: Path) -> None:
    wanted = sha256(folder / "model.safetensors")
    with (folder / "model.safetensors").open("ab") as file:
        file.write(b"!")
    assert wanted[:12] in str(refused(folder, wanted))


def test_an_unknown_name_brings_the_nearest_known_one(monkeypatch: pytest.MonkeyPatch) -> None:
    error = refused("minilmm")
    assert "'minilmm'" in str(error)
    assert "Did you mean 'minilm'?" in error.hint


@pytest.mark.parametrize("share", [0.5, 0.0001])
def test_truncated_weights_are_an_encoder_error(folder: Path, share: float) -> None:
    weights = folder / "model.safetensors"
    whole = weights.read_bytes()
    weights.write_bytes(whole[: int(len(whole) * share)])
    encoder = find_encoder(str(folder))
    for load in (backbone, lambda e: sequence_classifier(e, {0: "a", 1: "b"})):
        with pytest.raises(EncoderError, match="can't be loaded") as caught:
            load(encoder)
        assert caught.value.hint


@pytest.mark.parametrize("config", ["{", "[]", '{"model_type": "no-such-model"}'])
def test_a_broken_config_is_an_encoder_error(folder: Path, config: str) -> None:
    (folder / "config.json").write_text(config)
    with pytest.raises(EncoderError) as caught:
        backbone(find_encoder(str(folder)))
    assert caught.value.hint


@pytest.mark.parametrize("gone", [(), ("tokenizer_config.json",)])
def test_a_vocabulary_alone_makes_the_same_tokenizer(
    folder: Path, tiny_encoder: Path, gone: tuple[str, ...]
) -> None:
    texts = [text for text, _ in feeling_rows(9)] + [*HOSTILE, "very " * 50]
    wanted = tokenizer_of(find_encoder(str(tiny_encoder))).encode(texts)
    for name in ("tokenizer.json", *gone):
        (folder / name).unlink()
    tokenizer = tokenizer_of(find_encoder(str(folder)))
    found = tokenizer.encode(texts)
    assert tokenizer.max_length == 32
    assert found.ids.tolist() == wanted.ids.tolist()
    assert found.n_truncated == wanted.n_truncated > 0


def test_a_folder_without_any_tokenizer_is_an_encoder_error(folder: Path) -> None:
    for name in ("tokenizer.json", "vocab.txt", "tokenizer_config.json"):
        (folder / name).unlink(missing_ok=True)
    with pytest.raises(EncoderError) as caught:
        tokenizer_of(find_encoder(str(folder)))
    assert caught.value.hint


def test_a_classifier_of_other_classes_gets_a_fresh_head(folder: Path, tmp_path: Path) -> None:
    encoder = EncoderFolder("x", folder, "")
    sequence_classifier(encoder, {0: "a", 1: "b"}).save_pretrained(tmp_path / "two")
    three = sequence_classifier(
        EncoderFolder("two", tmp_path / "two", ""), {0: "x", 1: "y", 2: "z"}
    )
    assert three.classifier.out_features == 3
    three.save_pretrained(tmp_path / "three")
    config = json.loads((tmp_path / "three" / "config.json").read_text())
    assert config["id2label"] == {"0": "x", "1": "y", "2": "z"}


def test_a_model_in_a_folder_inside_is_named(tiny_encoder: Path, tmp_path: Path) -> None:
    inside = shutil.copytree(tiny_encoder, tmp_path / "old" / "0_Transformer")
    pooling = tmp_path / "old" / "0_Pooling" / "config.json"
    pooling.parent.mkdir()
    pooling.write_text('{"pooling_mode_mean_tokens": true}', "utf-8")
    with pytest.raises(EncoderError, match=r"no config\.json") as caught:
        find_encoder(tmp_path / "old")
    assert caught.value.hint.endswith(f"--encoder {inside}")
    assert find_encoder(inside).weights_sha256


@pytest.mark.parametrize("family", sorted(FAMILIES))
@pytest.mark.parametrize("k", [3, 16])  # the hidden states have 16 numbers, too
def test_logits_are_divided_in_the_weights_of_each_family(family: str, k: int) -> None:
    import torch
    from transformers import AutoConfig, AutoModelForSequenceClassification

    config = AutoConfig.for_model(family, **FAMILIES[family], num_labels=k)
    torch.manual_seed(0)
    model = AutoModelForSequenceClassification.from_config(config).eval()
    ids = torch.randint(3, 90, (2, 7))
    divisors = tuple(1.5 + i for i in range(k))
    with torch.no_grad():
        before = logits_of(model)(ids, torch.ones_like(ids))
        divide_logits(model, divisors)
        after = logits_of(model)(ids, torch.ones_like(ids))
    torch.testing.assert_close(after, before / torch.tensor(divisors))
