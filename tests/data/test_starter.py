"""The bundled corpus: its card says what its files hold, and its splits are even."""

from __future__ import annotations

import csv
import re
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from emolens.data.audit import audit
from emolens.data.catalogue import CATALOGUE
from emolens.data.dataset import SPLITS
from emolens.data.sources import load_dataset

FOLDER = Path(CATALOGUE["starter"].location)
CARD = (FOLDER / "README.md").read_text(encoding="utf-8")


def rows_of(split: str) -> list[dict[str, str]]:
    with (FOLDER / f"{split}.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file, strict=True))


ROWS = {split: rows_of(split) for split in SPLITS}
ALL = [row for rows in ROWS.values() for row in rows]


TEXTS = [row["text"] for row in ALL]
SHUFFLED = StratifiedKFold(5, shuffle=True, random_state=0)


def words_of(text: str) -> set[str]:
    return set(re.findall(r"\w+", text.lower()))


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
        # A zero-width joiner builds emoji of two; nothing else that can't be seen stands there.
        assert row["text"].replace("\u200d", "").isprintable()
        assert row["label"] and row["register"]
    assert sorted(row["id"] for row in ALL) == [f"s{i:04d}" for i in range(1, len(ALL) + 1)]
    assert len({row["text"].casefold() for row in ALL}) == len(ALL)


def test_classes_and_registers_are_even_in_every_split() -> None:
    labels = {row["label"] for row in ALL}
    registers = {row["register"] for row in ALL}
    assert Counter(row["label"] for row in ALL) == dict.fromkeys(labels, len(ALL) // len(labels))
    for rows in ROWS.values():
        by_class = Counter(row["label"] for row in rows)
        assert max(by_class.values()) - min(by_class.values()) <= 1
        by_register = Counter(row["register"] for row in rows)
        assert set(by_register) == registers
        assert max(by_register.values()) <= 1.3 * min(by_register.values())


def test_texts_rarely_name_their_label() -> None:
    named = {
        "sadness": "sad sadness sadly",
        "joy": "joy joyful happy happiness",
        "love": "love loved loves loving",
        "anger": "anger angry angrily",
        "fear": "fear feared fearful afraid scared",
        "surprise": "surprise surprised surprising",
        "neutral": "neutral",
    }
    for label, words in named.items():
        texts = [words_of(row["text"]) for row in ALL if row["label"] == label]
        assert sum(bool(text & set(words.split())) for text in texts) <= 0.12 * len(texts), label
    felt = {"feel", "feels", "feeling", "felt"}
    assert sum(bool(words_of(row["text"]) & felt) for row in ALL) <= 0.1 * len(ALL)


def test_no_text_repeats_another() -> None:
    beginnings = Counter(" ".join(re.findall(r"\w+", r["text"].lower())[:3]) for r in ALL)
    assert max(beginnings.values()) <= 0.01 * len(ALL)
    vocabulary = {word: i for i, word in enumerate(set().union(*map(words_of, TEXTS)))}
    holds = np.zeros((len(ALL), len(vocabulary)), dtype=np.float32)
    for row, text in enumerate(TEXTS):
        holds[row, [vocabulary[word] for word in words_of(text)]] = 1
    shared, sizes = holds @ holds.T, holds.sum(axis=1)
    jaccard = shared / (sizes[:, None] + sizes - shared)
    assert np.triu(jaccard, 1).max() <= 0.4


def surface(row: dict[str, str]) -> list[float]:
    """What can be seen of a text without reading it."""
    text, words = row["text"], row["text"].split()
    return [
        len(text),
        len(words),
        len(text) / len(words),
        *(text.count(mark) for mark in "!?,.;:'\"-#("),
        text.count("...") + text.count("…"),
        sum(sign.isdigit() for sign in text),
        sum(ord(sign) > 0x2190 for sign in text),  # emoji
        sum(word.isupper() and len(word) > 1 for word in words),
        sum(word[:1].isupper() for word in words),
        text[:1].islower(),
        text[-1].isalnum(),
        *(row["register"] == register for register in sorted({r["register"] for r in ALL})),
    ]


@pytest.mark.parametrize(
    "model",
    [
        make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000)),
        HistGradientBoostingClassifier(max_iter=60, random_state=0),
    ],
    ids=["linear", "trees"],
)
def test_the_surface_does_not_show_the_label(model: object) -> None:
    X, y = np.array([surface(row) for row in ALL], dtype=float), [row["label"] for row in ALL]
    accuracy = cross_val_score(model, X, y, cv=SHUFFLED).mean()
    assert abs(accuracy - 1 / 7) <= 0.05


def test_first_person_words_are_equally_frequent_in_all_classes() -> None:
    first_person = {"i", "my", "me", "im", "ive"}
    shares = [
        np.mean([bool(words_of(row["text"]) & first_person) for row in ALL if row["label"] == c])
        for c in {row["label"] for row in ALL}
    ]
    assert max(shares) - min(shares) <= 0.1


@pytest.mark.parametrize("split", SPLITS)
def test_the_card_says_the_sizes_of_the_splits(split: str) -> None:
    texts, per_class, per_register = card_row(split, f"`{split}.csv`")
    assert int(texts) == len(ROWS[split])
    for cell, column in ((per_class, "label"), (per_register, "register")):
        counts = sorted(Counter(row[column] for row in ROWS[split]).values())
        assert re.findall(r"\d+", cell) == [str(counts[0]), str(counts[-1])]


def test_the_card_says_the_registers_and_the_whole() -> None:
    for register, n in Counter(row["register"] for row in ALL).items():
        counts = [sum(row["register"] == register for row in ROWS[split]) for split in SPLITS]
        assert [int(cell) for cell in card_row(register)] == [n, *counts]
    assert card_row("all")[0] == str(len(ALL))
    classes = Counter(row["label"] for row in ALL)
    assert f"{len(ALL)} short English texts" in CARD
    assert all(name in CARD for name in classes)


def test_the_card_says_the_words_per_text() -> None:
    words = sorted(len(row["text"].split()) for row in ALL)
    median = (words[(len(words) - 1) // 2] + words[len(words) // 2]) / 2
    assert words[0] >= 3
    assert words[-1] <= 60
    assert f"{words[0]} to {words[-1]} words per text, median {median:.0f}." in CARD


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
