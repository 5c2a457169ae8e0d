"""What goes along when a model folder is pushed: nothing private, and nothing from elsewhere."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path, PurePath, PurePosixPath, PureWindowsPath
from typing import Any

import pytest
from safetensors.numpy import load_file, save_file

from emolens.errors import StorageError
from emolens.output import sha256
from emolens.publish.outgoing import File, _spellings, outgoing
from emolens.study import Run

links = pytest.mark.skipif(os.name == "nt", reason="there, links need rights")


@pytest.fixture
def folder(tmp_path: Path, tiny_run: Run) -> Path:
    shutil.copytree(tiny_run.folder / "model", tmp_path / "model")
    return tmp_path / "model"


def read(path: Path) -> dict[str, Any]:
    content: dict[str, Any] = json.loads(path.read_text("utf-8"))
    return content


def change(folder: Path, name: str, **entries: Any) -> dict[str, Any]:
    """Add entries to a file of JSON, as if emolens had written it so. Returns what it held."""
    before = read(folder / name)
    (folder / name).write_text(json.dumps({**before, **entries}), "utf-8")
    listed_again(folder, name)
    return before


def listed_again(folder: Path, name: str) -> None:
    facts = read(folder / "emolens.json")
    if name in facts["files"]:
        facts["files"][name] = sha256(folder / name)
        (folder / "emolens.json").write_text(json.dumps(facts), "utf-8")


def sent(folder: Path) -> dict[str, File]:
    card = (folder / "README.md").read_text("utf-8")
    return outgoing(folder).with_card(card, words_here="")


@pytest.mark.parametrize(
    ("name", "entries"),
    [
        ("config.json", {"train_file": "private.csv", "inner": {"_name_or_path": "private/x"}}),
        ("config.json", {"logs": "/data/private/x", "parts": ["a", "~/private"]}),
        ("tokenizer_config.json", {"vocab_file": "private.txt", "name_or_path": "private"}),
        ("tokenizer_config.json", {"from": "file:///private", "other": "D:/private"}),
        ("tokenizer_config.json", {"from": "C:\\private\\x", "other": "\\\\private\\x"}),
        ("emolens.json", {"made_from": {"table": "/data/private.csv"}}),
    ],
)
def test_places_in_a_configuration_stay_here(
    folder: Path, name: str, entries: dict[str, Any]
) -> None:
    before = change(folder, name, **entries)
    going = outgoing(folder)
    content = sent(folder)[name].read()
    assert b"private" not in content
    if name != "emolens.json":
        assert {k: v for k, v in json.loads(content).items() if k in before} == before
    (note,) = going.notes
    assert note.startswith(f"Left out of {name}, because they name places of a machine: ")
    keys = entries if name == "tokenizer_config.json" else []
    assert all(key in note for key in keys)


def test_classes_and_tokens_that_look_like_places_stay(folder: Path) -> None:
    names = {**read(folder / "config.json")["id2label"], "0": "/r/joy/"}
    change(folder, "config.json", id2label=names, label2id={"my_file": 0})
    change(folder, "tokenizer_config.json", cls_token="/", sep_token="</s>")
    files = sent(folder)
    assert json.loads(files["config.json"].read())["id2label"] == names
    assert json.loads(files["config.json"].read())["label2id"] == {"my_file": 0}
    assert json.loads(files["tokenizer_config.json"].read())["cls_token"] == "/"


@links
@pytest.mark.parametrize(
    "name", ["vocab.txt", "tokenizer_config.json", "README.md", "emolens.json", "openvino"]
)
def test_a_link_to_another_folder_is_not_followed(folder: Path, name: str) -> None:
    outside, path = folder.parent / "outside", folder / name
    if path.exists():
        path.rename(outside)
    else:
        outside.write_text("secret", "utf-8")
    path.symlink_to(outside)
    with pytest.raises(StorageError, match="is a link to a file outside") as caught:
        outgoing(folder)
    assert str(path) in str(caught.value)
    assert "copy" in caught.value.hint


@links
def test_a_link_inside_of_the_folder_and_one_to_the_folder_are_followed(folder: Path) -> None:
    (folder / "notes.txt").write_text("mine", "utf-8")
    (folder / "vocab.txt").symlink_to("notes.txt")
    (folder.parent / "link").symlink_to(folder)
    assert sent(folder.parent / "link")["vocab.txt"].read() == b"mine"


@pytest.mark.parametrize("name", ["README.md", "special_tokens_map.json", "model.safetensors"])
def test_a_file_that_holds_a_path_of_this_machine_is_refused(folder: Path, name: str) -> None:
    path, place = folder / name, str(folder.resolve())
    if name == "README.md":
        path.write_text(f"{path.read_text('utf-8')}\nSee {place}.\n", "utf-8")
    elif name == "special_tokens_map.json":
        path.write_text(json.dumps({"made_in": place}), "utf-8")
    else:
        save_file(load_file(path), path, metadata={"format": "pt", "made_in": place})
        shutil.rmtree(folder / "openvino")  # it was made from other weights
        listed_again(folder, name)
    with pytest.raises(StorageError) as caught:
        sent(folder)
    assert f"{name} holds the path " in str(caught.value)
    assert caught.value.hint


@pytest.mark.parametrize(
    ("place", "text"),
    [
        (PurePosixPath("/home/anna"), '{"a": "/home/anna"}'),
        (PurePosixPath("/home/Jörg"), '"/home/J\\u00f6rg/x"'),
        (PurePosixPath("/home/a b"), "file:///home/a%20b/x"),
        (PureWindowsPath("C:/Users/anna"), r'"C:\\Users\\anna\\x"'),
        (PureWindowsPath("C:/Users/anna"), "C:/Users/anna/x"),
    ],
)
def test_a_folder_is_recognized_in_each_spelling(place: PurePath, text: str) -> None:
    assert any(spelling in text for spelling in _spellings(place))
