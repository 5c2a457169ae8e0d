"""Folders of save_to_disk are read without the library that wrote them."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import datasets
import pytest

from emolens.data.sources import load_dataset
from emolens.errors import DataError

NAMES = ["anger", "joy"]


def rows(n: int = 40, *, word: str = "row") -> datasets.Dataset:
    return datasets.Dataset.from_dict(
        {"text": [f"{word} {i}" for i in range(n)], "label": [i % 2 for i in range(n)]},
        features=datasets.Features(
            {"text": datasets.Value("string"), "label": datasets.ClassLabel(names=NAMES)}
        ),
    )


def test_one_data_set_is_for_training(tmp_path: Path) -> None:
    rows().save_to_disk(tmp_path / "saved")
    data = load_dataset(tmp_path / "saved")
    assert (len(data), set(data.labels.names)) == (40, set(NAMES))


def test_parts_are_one_table(tmp_path: Path) -> None:
    rows().save_to_disk(tmp_path / "one")
    rows().save_to_disk(tmp_path / "three", num_shards=3)
    one, three = load_dataset(tmp_path / "one"), load_dataset(tmp_path / "three")
    assert one.fingerprint == three.fingerprint


def test_splits_keep_their_names(tmp_path: Path) -> None:
    splits = {"train": rows(), "dev": rows(6, word="dev"), "test": rows(8, word="test")}
    datasets.DatasetDict(splits).save_to_disk(
        tmp_path / "saved", num_shards={"train": 2, "dev": 1, "test": 1}
    )
    data = load_dataset(tmp_path / "saved")
    assert {name: len(split) for name, split in data.splits.items()} == {
        "train": 40,
        "validation": 6,
        "test": 8,
    }


def test_the_rows_of_a_selection_are_those_that_were_chosen(tmp_path: Path) -> None:
    rows(100).select(range(10, 50)).shuffle(seed=1).save_to_disk(tmp_path / "saved")
    data = load_dataset(tmp_path / "saved")
    texts = {text for split in data.splits.values() for text in split.texts}
    assert texts == {f"row {i}" for i in range(10, 50)}


def test_class_names_come_from_the_folder_where_the_files_lack_them(tmp_path: Path) -> None:
    rows().save_to_disk(tmp_path / "saved")
    import pyarrow as pa

    (path,) = (tmp_path / "saved").glob("*.arrow")
    table = pa.ipc.open_stream(path.read_bytes()).read_all().replace_schema_metadata(None)
    with pa.ipc.new_stream(str(path), table.schema) as writer:
        writer.write_table(table)
    assert set(load_dataset(tmp_path / "saved").labels.names) == set(NAMES)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("state.json", None),
        ("state.json", "{"),
        ("state.json", "[]"),
        ("state.json", "{}"),
        ("state.json", json.dumps({"_data_files": []})),
        ("state.json", json.dumps({"_data_files": [{"filename": "../../secret.arrow"}]})),
        ("state.json", json.dumps({"_data_files": [{"filename": "/etc/passwd"}]})),
        ("state.json", json.dumps({"_data_files": [{"filename": 7}]})),
        ("state.json", json.dumps({"_data_files": [7]})),
        ("state.json", json.dumps({"_data_files": [{"filename": "absent.arrow"}]})),
        ("state.json", json.dumps({"_indices_data_files": [{"filename": "indices.arrow"}]})),
        ("dataset_info.json", "{"),
        ("../dataset_dict.json", "{}"),
        ("../dataset_dict.json", json.dumps({"splits": ["../train"]})),
        ("../dataset_dict.json", json.dumps({"splits": [["train"]]})),
    ],
)
def test_a_damaged_folder_is_a_sentence(tmp_path: Path, name: str, content: Any) -> None:
    folder = tmp_path / "saved"
    datasets.DatasetDict({"train": rows()}).save_to_disk(folder)
    if content is None:
        (folder / "train" / name).unlink()
    else:
        (folder / "train" / name).write_text(content)
    with pytest.raises(DataError) as caught:
        load_dataset(folder)
    assert str(folder) in str(caught.value)
    assert "\n" not in str(caught.value)
    assert caught.value.hint


def test_a_file_that_was_cut_off_is_a_sentence(tmp_path: Path) -> None:
    rows(2000).save_to_disk(tmp_path / "saved")
    (path,) = (tmp_path / "saved").glob("*.arrow")
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(DataError, match="not a readable arrow file"):
        load_dataset(tmp_path / "saved")
    shutil.rmtree(tmp_path / "saved")
