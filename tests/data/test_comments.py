"""The bundled comments: test is as it was before the first text for training was written."""

from __future__ import annotations

import csv
import hashlib
from collections import Counter
from pathlib import Path

from emolens.data.audit import audit
from emolens.data.catalogue import CATALOGUE
from emolens.data.dataset import SPLITS
from emolens.data.sources import load_dataset

FOLDER = Path(CATALOGUE["comments"].location)
CARD = (FOLDER / "README.md").read_text(encoding="utf-8")
FROZEN = "28bf5377fafcc31050f8f6b214f913835e2707822f5d2bdf2efbd8a0d2acdbb8"
CLASSES = ("sadness", "joy", "love", "anger", "fear", "surprise", "neutral", "disgust")


def rows_of(split: str) -> list[dict[str, str]]:
    with (FOLDER / f"{split}.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file, strict=True))


ROWS = {split: rows_of(split) for split in SPLITS}
ALL = [row for rows in ROWS.values() for row in rows]


def test_the_test_split_is_frozen() -> None:
    assert hashlib.sha256((FOLDER / "test.csv").read_bytes()).hexdigest() == FROZEN


def test_every_row_is_well_formed_and_no_text_is_there_twice() -> None:
    for split, rows in ROWS.items():
        last = "domain" if split == "test" else "register"
        for row in rows:
            assert list(row) == ["id", "text", "label", "alternatives", last]
            assert row["text"] == row["text"].strip()
            assert row["label"] in CLASSES
            others = row["alternatives"].split()
            assert set(others) <= {*CLASSES} - {row["label"]}
            assert row[last]
    assert len({row["id"] for row in ALL}) == len(ALL)
    assert len({row["text"].casefold() for row in ALL}) == len(ALL)


def test_the_card_says_the_sizes_of_the_classes() -> None:
    assert CARD.count(f"{len(ALL):,} English texts in eight classes") == 1
    for split, rows in ROWS.items():
        counts = Counter(row["label"] for row in rows)
        cells = " | ".join(str(counts[name]) for name in CLASSES)
        assert f"| {split} | {len(rows):,} | {cells} |" in CARD
    assert CATALOGUE["comments"].licence in CARD


def test_comments_load_by_name_and_leak_nothing() -> None:
    dataset = load_dataset("comments")
    assert dataset.sizes == {split: len(rows) for split, rows in ROWS.items()}
    assert {*dataset.labels.names} == {*CLASSES}
    report = audit(dataset)
    assert not report.leaked_rows
    assert not report.repeated_texts
