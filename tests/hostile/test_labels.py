"""Label columns that could take hours or gigabytes, and files of class names that are none."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from emolens.data.dataset import Dataset
from emolens.data.sources import load_dataset
from emolens.errors import DataError, UsageError
from tests.conftest import write_csv

QUICK = 5  # seconds; a regular expression that tries all ways would take years


@pytest.mark.parametrize(
    "label",
    [
        "1  " * 30_000 + "x",
        "1" * 1_000_000 + "x",
        "1" + " " * 200_000 + "x",
        "[" * 200_000,
        "['" * 100_000,
        "[" + "'a'," * 50_000,
        "joy," * 100_000,
        "\u200b" * 100_000 + "joy",
        "{" + '"a": ' * 50_000 + "}",
    ],
)
def test_one_strange_label_costs_no_time_and_no_other_row(label: str) -> None:
    texts = [f"text {i}" for i in range(41)]
    started = time.process_time()
    dataset = Dataset.from_texts(texts, [*["joy", "fear"] * 20, label])
    assert time.process_time() - started < QUICK
    left_out = sum(note.n_rows for note in dataset.notes if note.code == "L01")
    assert len(dataset) + left_out == 41
    assert {"joy", "fear"} <= set(dataset.labels.names)
    assert all(len(note.text) < 1_000 for note in dataset.notes)


def test_a_text_that_begins_like_a_list_costs_no_time() -> None:
    texts = [f"text {i}" for i in range(40)]
    for strange in ("['" + "a\\" * 200_000, "['a'" + ", 'a'" * 100_000, "['a'" + " " * 300_000):
        started = time.process_time()
        dataset = Dataset.from_texts([*texts, strange], [*["joy", "fear"] * 20, "joy"])
        assert time.process_time() - started < QUICK
        assert strange in [text for split in dataset.splits.values() for text in split.texts]


def test_a_text_in_place_of_the_label_is_refused_soon(tmp_path: Path) -> None:
    rows = [(f"text {i}", f"a sentence, number {i}; and more of it") for i in range(30_000)]
    path = write_csv(tmp_path / "rows.csv", rows)
    started = time.process_time()
    with pytest.raises(DataError, match="30,000 different labels in 30,000 rows"):
        load_dataset(path)
    assert time.process_time() - started < 2 * QUICK


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"", "holds no two names"),
        (b"\xff\xfe\x00", "utf-8"),
        (b"joy\n" * 400_000, "more than 1,000,000 bytes"),
    ],
)
def test_a_file_that_holds_no_class_names_is_a_sentence(
    tmp_path: Path, content: bytes, why: str
) -> None:
    path = write_csv(tmp_path / "rows.csv", [(f"text {i}", str(i % 2)) for i in range(40)])
    names = tmp_path / "names.txt"
    names.write_bytes(content)
    with pytest.raises(UsageError, match=r"The class names in .* can't be read") as caught:
        load_dataset(path, class_names=str(names))
    assert why in str(caught.value)


@pytest.mark.parametrize("content", ["[" * 100_000, '{"a": [1]}', "3", '{"x": "joy", "y": "fear"}'])
def test_a_json_file_that_holds_no_class_names_is_a_sentence(tmp_path: Path, content: str) -> None:
    path = write_csv(tmp_path / "rows.csv", [(f"text {i}", str(i % 2)) for i in range(40)])
    names = tmp_path / "names.json"
    names.write_text(content)
    with pytest.raises(UsageError, match=r"The class names in .* can't be read"):
        load_dataset(path, class_names=str(names))
