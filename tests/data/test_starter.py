"""The bundled corpus: its card says what its files hold, and its splits are even."""

from __future__ import annotations

import csv
import re
from collections import Counter

import pytest

from emolens.data.audit import audit
from emolens.data.catalogue import CATALOGUE, bundled_folder
from emolens.data.dataset import SPLITS
from emolens.data.sources import load_dataset

FOLDER = bundled_folder(CATALOGUE["starter"])
CARD = (FOLDER / "README.md").read_text(encoding="utf-8")


def rows_of(split: str) -> list[dict[str, str]]:
    with (FOLDER / f"{split}.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file, strict=True))


ROWS = {split: rows_of(split) for split in SPLITS}
ALL = [row for rows in ROWS.values() for row in rows]


def card_row(*first: str) -> list[str]:
    """The cells of the card's table row that starts with these, after them."""
    start = "| " + " | ".join(first) + " |"
    line = next(line for line in CARD.splitlines() if line.startswith(start))
    return [cell.strip() for cell in line.removeprefix(start).strip(" |").split("|")]


def test_every_row_is_well_formed() -> None:
    for row in ALL:
        assert list(row) == ["id", "text", "label", "register"]
        assert re.fullmatch(r"s\d{4}", row["id"])
        assert row["text"] == row["text"].strip()
        assert row["text"].isprintable()
        assert row["label"] and row["register"]
    assert sorted(row["id"] for row in ALL) == [f"s{i:04d}" for i in range(1, len(ALL) + 1)]
    assert len({row["text"].casefold() for row in ALL}) == len(ALL)


def test_every_class_has_as_many_rows_as_any_other() -> None:
    labels = {row["label"] for row in ALL}
    for rows in ROWS.values():
        counts = Counter(row["label"] for row in rows)
        assert set(counts) == labels
        assert len(set(counts.values())) == 1


@pytest.mark.parametrize("split", ["validation", "test"])
def test_held_out_splits_hold_one_text_of_each_class_and_register(split: str) -> None:
    pairs = Counter((row["label"], row["register"]) for row in ROWS[split])
    assert set(pairs.values()) == {1}
    assert len(pairs) == len({row["label"] for row in ALL}) * len({row["register"] for row in ALL})


@pytest.mark.parametrize("split", SPLITS)
def test_the_card_says_the_sizes_of_the_splits(split: str) -> None:
    texts, a_class, _ = card_row(split, f"`{split}.csv`")
    n_classes = len({row["label"] for row in ALL})
    assert int(texts) == len(ROWS[split]) == int(a_class) * n_classes


def test_the_card_says_the_registers_and_the_whole() -> None:
    for register, n in Counter(row["register"] for row in ALL).items():
        counts = [sum(row["register"] == register for row in ROWS[split]) for split in SPLITS]
        assert [int(cell) for cell in card_row(register)] == [n, *counts]
    assert card_row("all")[0] == str(len(ALL))
    classes = Counter(row["label"] for row in ALL)
    assert f"{len(ALL)} short English texts" in CARD
    assert all(name in CARD for name in classes)


def test_the_card_says_the_words_a_text() -> None:
    words = sorted(len(row["text"].split()) for row in ALL)
    median = (words[(len(words) - 1) // 2] + words[len(words) // 2]) / 2
    assert f"{words[0]} to {words[-1]} words a text, median {median:.0f}." in CARD


def test_starter_loads_by_name_and_is_clean() -> None:
    dataset = load_dataset("starter")
    assert dataset.name == "starter"
    assert dataset.sizes == {split: len(rows) for split, rows in ROWS.items()}
    assert dataset.labels.names == (
        "sadness", "joy", "love", "anger", "fear", "surprise", "neutral",
    )  # fmt: skip
    assert audit(dataset).findings == []
    assert dataset["train"].texts[0] == ROWS["train"][0]["text"]


def test_the_licence_of_the_catalogue_is_that_of_the_card() -> None:
    assert CATALOGUE["starter"].licence in CARD
