"""The hashed files are the loaded ones: one file, or the shards that the index names."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file

from emolens.encode.backbone import backbone, find_encoder, sequence_classifier
from emolens.encode.weights import Weights
from emolens.errors import EncoderError
from tests.encode.families import save_model

INDEX = "model.safetensors.index.json"
Shard = Callable[..., list[Path]]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return save_model(tmp_path / "encoder", "bert")


def shard(folder: Path, names: tuple[str, ...] = ("weights.safetensors", "x.safetensors")) -> None:
    """Split model.safetensors into shards of these names."""
    tensors = load_file(folder / "model.safetensors")
    where = {name: names[i % len(names)] for i, name in enumerate(tensors)}
    for shard in names:
        part = {name: tensors[name] for name in tensors if where[name] == shard}
        save_file(part, folder / shard)
    (folder / INDEX).write_text(json.dumps({"metadata": {}, "weight_map": where}), "utf-8")
    (folder / "model.safetensors").unlink()


def change_index(folder: Path, weight_map: Any) -> None:
    (folder / INDEX).write_text(json.dumps({"weight_map": weight_map}), "utf-8")


def refused(folder: Path, match: str) -> None:
    with pytest.raises(EncoderError, match=match) as caught:
        backbone(find_encoder(folder))
    assert caught.value.hint


@pytest.mark.parametrize(
    "names", [("weights.safetensors", "x.safetensors"), ("model-00001-of-00001.safetensors",)]
)
def test_shards_of_any_name_are_loaded_and_hashed(folder: Path, names: tuple[str, ...]) -> None:
    wanted = load_file(folder / "model.safetensors")
    shard(folder, names)
    encoder = find_encoder(folder)
    for name, weight in backbone(encoder).named_parameters():
        assert torch.equal(weight, wanted[name])
    joined = b"".join((folder / name).read_bytes() for name in sorted(names))
    assert encoder.weights_sha256 == hashlib.sha256(joined).hexdigest()


@pytest.mark.parametrize("changed", ["weights.safetensors", "x.safetensors"])
def test_every_shard_decides_the_sha256_and_the_fingerprint(folder: Path, changed: str) -> None:
    shard(folder)
    before = find_encoder(folder)
    tensors = load_file(folder / changed)
    next(iter(tensors.values())).add_(1)
    save_file(tensors, folder / changed)
    assert find_encoder(folder).fingerprint != before.fingerprint
    with pytest.raises(EncoderError, match="has changed"):
        find_encoder(folder, sha256_wanted=before.weights_sha256)


def test_one_file_is_loaded_and_hashed_even_beside_an_index(folder: Path) -> None:
    whole = (folder / "model.safetensors").read_bytes()
    shard(folder)
    (folder / "model.safetensors").write_bytes(whole)
    (folder / "x.safetensors").unlink()
    encoder = find_encoder(folder)
    assert encoder.weights_sha256 == hashlib.sha256(whole).hexdigest()
    assert backbone(encoder)


@pytest.mark.parametrize(
    "name",
    [
        *("../x.safetensors", "sub/x.safetensors", "/x.safetensors", "..\\x.safetensors"),
        *("C:x.safetensors", "x.bin", "pytorch_model.bin", "", "..", "x.safetensors\0.bin", 3),
        *(None, ["x.safetensors"]),
    ],
)
def test_an_index_may_name_only_weight_files_beside_it(folder: Path, name: object) -> None:
    (folder / "sub").mkdir()
    for place in (folder.parent, folder / "sub"):
        shutil.copy(folder / "model.safetensors", place / "x.safetensors")
    shard(folder)
    change_index(folder, {"a": "x.safetensors", "b": name})
    refused(folder, r"index\.json")


@pytest.mark.parametrize("weight_map", [None, {}, [], "x", ["x.safetensors"], {"a": {"b": 1}}])
def test_an_index_without_files_is_refused(folder: Path, weight_map: object) -> None:
    shard(folder)
    change_index(folder, weight_map)
    refused(folder, r"index\.json")


def test_a_missing_shard_is_named(folder: Path) -> None:
    shard(folder)
    (folder / "x.safetensors").unlink()
    refused(folder, r"has no x\.safetensors")


def test_a_tensor_in_two_shards_is_refused(folder: Path) -> None:
    shard(folder)
    shutil.copy(folder / "x.safetensors", folder / "weights.safetensors")
    refused(folder, "in two files")


@pytest.mark.skipif(os.name == "nt", reason="links need rights on Windows")
def test_files_of_the_hub_cache_are_links_to_blobs(folder: Path, tmp_path: Path) -> None:
    shard(folder)
    blobs, snapshot = tmp_path / "blobs", tmp_path / "snapshots" / "abc"
    snapshot.mkdir(parents=True)
    blobs.mkdir()
    for i, path in enumerate(sorted(folder.iterdir())):
        path.rename(blobs / str(i))
        (snapshot / path.name).symlink_to(Path("../../blobs") / str(i))
    assert backbone(find_encoder(snapshot))


@pytest.mark.parametrize(
    "content",
    [b"", b"\0" * 8, b"\xff" * 64, b"\x02\0\0\0\0\0\0\0{}", b"\x08" + b"\0" * 7 + b"[" * 8],
)
def test_a_file_that_is_no_safetensors_is_refused(folder: Path, content: bytes) -> None:
    (folder / "model.safetensors").write_bytes(content)
    refused(folder, "can't be loaded|lack")


def test_the_shapes_are_read_from_the_headers(folder: Path) -> None:
    weights = Weights.of(folder)
    tensors = load_file(folder / "model.safetensors")
    assert weights.shapes == {name: tuple(t.shape) for name, t in tensors.items()}
    assert weights.n_values == sum(t.numel() for t in tensors.values())


def test_an_adapter_is_named_and_not_taken_for_weights(folder: Path) -> None:
    (folder / "adapter_config.json").write_text('{"peft_type": "LORA"}', "utf-8")
    with pytest.warns(UserWarning, match=r"adapter_config\.json is not used.*merge_and_unload"):
        backbone(find_encoder(folder))
    backbone(find_encoder(folder))  # warns only once: another warning would be an error
    (folder / "model.safetensors").rename(folder / "adapter_model.safetensors")
    refused(folder, "holds an adapter")


@pytest.mark.parametrize("kind", [torch.int8, torch.uint8, torch.bool, torch.float8_e4m3fn])
@pytest.mark.parametrize("part", ["", "encoder.layer.1"])
def test_weights_of_a_type_that_is_not_read_are_named(
    folder: Path, kind: torch.dtype, part: str
) -> None:
    tensors = load_file(folder / "model.safetensors")
    stored = {n: t.to(kind) if n.startswith(part) else t for n, t in tensors.items()}
    for prefix in ("", "bert."):
        save_file({prefix + n: t for n, t in stored.items()}, folder / "model.safetensors")
        refused(folder, r"hold [\w.]+ as (I8|U8|BOOL|F8_E4M3), not as float32")
        with pytest.raises(EncoderError, match="not as float32"):
            sequence_classifier(find_encoder(folder), {0: "a", 1: "b"})
