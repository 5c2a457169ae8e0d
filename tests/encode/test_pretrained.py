"""Every family loads as transformers loads it; weights that do not fit are refused."""

from __future__ import annotations

import json
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file
from transformers import AutoModel

from emolens.encode.backbone import (
    EncoderFolder,
    backbone,
    find_encoder,
    sequence_classifier,
    trained_classifier,
)
from emolens.errors import EncoderError
from tests.encode.families import FAMILIES, TASKS, save_model

IDS = torch.tensor([[5, 6, 7, 8], [9, 10, 11, 12]])
TWO = {0: "a", 1: "b"}


@pytest.fixture
def encoder(tmp_path: Path) -> Path:
    return save_model(tmp_path / "encoder", "bert")


def of(folder: Path) -> EncoderFolder:
    return EncoderFolder("it", folder, "")


def change_weights(folder: Path, change: Callable[[dict[str, Any]], Any]) -> None:
    weights = load_file(folder / "model.safetensors")
    change(weights)
    save_file(weights, folder / "model.safetensors")


def change_config(folder: Path, **changes: Any) -> None:
    path = folder / "config.json"
    path.write_text(json.dumps(json.loads(path.read_text("utf-8")) | changes), "utf-8")


def refused(folder: Path, match: str, load: Callable[[EncoderFolder], Any] = backbone) -> None:
    with pytest.raises(EncoderError, match=match) as caught:
        load(of(folder))
    assert caught.value.hint
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("family", FAMILIES)
def test_a_family_gives_the_states_of_transformers_from_every_tasks_weights(
    tmp_path: Path, family: str
) -> None:
    for task in TASKS:
        folder = save_model(tmp_path / task, family, task)
        with warnings.catch_warnings(record=True) as notes:
            warnings.simplefilter("always")
            ours = backbone(find_encoder(folder))
            sequence_classifier(of(folder), TWO)
        assert bool(notes) == bool(task)
        assert all("tensors of another task" in str(note.message) for note in notes)
        theirs = AutoModel.from_pretrained(folder).eval()
        with torch.no_grad():
            states = [model(IDS).last_hidden_state for model in (ours, theirs)]
        assert torch.equal(*states)
        assert not ours.training
        if task == "ForSequenceClassification":
            trained_classifier(folder)


def test_old_names_of_layers_are_renamed(encoder: Path) -> None:
    wanted = load_file(encoder / "model.safetensors")

    def old(weights: dict[str, Any]) -> None:
        for name in list(weights):
            gamma = name.replace("LayerNorm.weight", "LayerNorm.gamma")
            weights[f"bert.{gamma.replace('LayerNorm.bias', 'LayerNorm.beta')}"] = weights.pop(name)
        weights["bert.embeddings.position_ids"] = torch.arange(40)[None]

    change_weights(encoder, old)
    model = backbone(of(encoder))
    for name, weight in model.named_parameters():
        assert torch.equal(weight, wanted[name]), name


@pytest.mark.parametrize("kept", [[], ["embeddings.word_embeddings.weight"]])
@pytest.mark.parametrize("load", [backbone, lambda e: sequence_classifier(e, TWO)])
def test_missing_weights_are_refused(
    encoder: Path, kept: list[str], load: Callable[[EncoderFolder], Any]
) -> None:
    change_weights(
        encoder, lambda w: [w.pop(name) for name in list(w) if name not in kept and len(w) > 0]
    )
    refused(encoder, r"lack (bert\.)?embeddings.* more", load)


def test_one_missing_bias_is_refused_and_a_missing_pooler_is_not(encoder: Path) -> None:
    change_weights(encoder, lambda w: [w.pop(name) for name in list(w) if "pooler" in name])
    assert backbone(of(encoder))
    change_weights(encoder, lambda w: w.pop("encoder.layer.1.output.dense.bias"))
    refused(encoder, r"lack encoder\.layer\.1\.output\.dense\.bias")


@pytest.mark.parametrize("load", [backbone, lambda e: sequence_classifier(e, TWO)])
def test_surplus_weights_of_the_encoder_are_refused(
    encoder: Path, load: Callable[[EncoderFolder], Any]
) -> None:
    change_config(encoder, num_hidden_layers=1)
    refused(encoder, r"encoder\.layer\.1\..* has no place", load)


@pytest.mark.parametrize("load", [backbone, lambda e: sequence_classifier(e, TWO)])
def test_another_shape_is_refused(encoder: Path, load: Callable[[EncoderFolder], Any]) -> None:
    change_config(encoder, vocab_size=91)
    refused(encoder, r"word_embeddings.*\(90, 16\).*\(91, 16\)", load)


def test_a_much_larger_model_than_the_weights_is_refused_before_it_is_made(encoder: Path) -> None:
    change_config(encoder, hidden_size=65_536, num_hidden_layers=512, intermediate_size=524_288)
    refused(encoder, "much larger model")


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_a_weight_that_is_not_finite_is_refused(encoder: Path, value: float) -> None:
    change_weights(encoder, lambda w: w["embeddings.word_embeddings.weight"][3].fill_(value))
    refused(encoder, "word_embeddings.*not finite")


def test_weights_as_whole_numbers_are_no_weights(encoder: Path) -> None:
    name = "encoder.layer.0.output.dense.weight"
    change_weights(encoder, lambda w: w.update({name: w[name].to(torch.int8)}))
    refused(encoder, rf"hold {name} as I8")


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float64])
def test_other_floats_are_read_as_fp32(encoder: Path, dtype: torch.dtype) -> None:
    change_weights(encoder, lambda w: w.update({name: t.to(dtype) for name, t in w.items()}))
    change_config(encoder, dtype="no such type", torch_dtype=[1])
    wanted = load_file(encoder / "model.safetensors")
    for name, weight in backbone(of(encoder)).named_parameters():
        assert torch.equal(weight, wanted[name].float())


def test_a_head_of_other_classes_is_replaced_and_an_equal_one_is_kept(tmp_path: Path) -> None:
    folder = save_model(tmp_path, "bert", "ForSequenceClassification")
    assert sequence_classifier(of(folder), dict(enumerate("abc"))).classifier.out_features == 3
    stored = load_file(folder / "model.safetensors")["classifier.weight"]
    assert torch.equal(sequence_classifier(of(folder), TWO).classifier.weight, stored)


@pytest.mark.parametrize(
    "changes",
    [
        {"quantization_config": {"quant_method": "bitsandbytes", "load_in_4bit": True}},
        {"fusion_config": {"patch_embeddings": True}},
        {"per_layer_config": {"0": {"hidden_size": 3}}},
        {"transformers_weights": "../x.safetensors"},
    ],
)
def test_a_setting_that_would_load_something_else_is_refused(
    encoder: Path, changes: dict[str, Any]
) -> None:
    change_config(encoder, **changes)
    refused(encoder, next(iter(changes)))


@pytest.mark.parametrize(
    "changes",
    [
        {"attn_implementation": "kernels-community/flash-attn"},
        {"_attn_implementation": "kernels-community/flash-attn"},
        {"_attn_implementation_internal": "kernels-community/flash-attn"},
        {"experts_implementation": "owner/name"},
        {"to_dict": 3, "__class__": "x", "from_dict": None, "get_text_config": []},
        {"auto_map": {"AutoModel": "evil.Model", "AutoConfig": "owner/name--evil.Config"}},
        {"id2label": [], "label2id": 3, "num_labels": 7, "problem_type": "x"},
        {"architectures": {"a": 1}},
        {"_name_or_path": ["x"], "name_or_path": {}},
        {"output_hidden_states": True, "return_dict": False, "output_attentions": True},
    ],
)
def test_a_setting_that_is_not_the_models_changes_nothing(
    encoder: Path, changes: dict[str, Any]
) -> None:
    wanted = backbone(of(encoder))(IDS).last_hidden_state
    change_config(encoder, **changes)
    assert torch.equal(backbone(of(encoder))(IDS).last_hidden_state, wanted)


@pytest.mark.parametrize(
    ("changes", "match"),
    [
        ({"model_type": None}, "no model_type"),
        ({"model_type": "no-such"}, "unknown model_type 'no-such'"),
        ({"model_type": ["bert"]}, "unknown model_type"),
        ({"model_type": "evil", "auto_map": {"AutoModel": "evil.Model"}}, "never runs"),
        ({"hidden_act": "no-such"}, "can't be loaded"),
        ({"hidden_size": 17}, "can't be loaded"),
        ({"layer_norm_eps": "x"}, "must be a number from"),
    ],
)
def test_a_config_that_no_model_has_is_refused(
    encoder: Path, changes: dict[str, Any], match: str
) -> None:
    change_config(encoder, **changes)
    refused(encoder, match)
