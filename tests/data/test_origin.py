"""Splits of the same origin, and of another one."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence

import pytest

from emolens.data.audit.check import Check
from emolens.data.audit.facts import Facts
from emolens.data.audit.origin import same_origin
from emolens.data.sources import load_dataset


@pytest.fixture(scope="module")
def texts() -> list[str]:
    """Texts whose every second one is in small letters, so that train has both."""
    rows = load_dataset("starter")
    return [text for split in rows.splits.values() for text in split.texts]


def check(train: Sequence[str], test: Sequence[str]) -> Check:
    return same_origin(Facts({"train": train, "test": test}))


@pytest.mark.parametrize("size", [30, 100, 400])
def test_random_splits_are_of_one_origin(texts: list[str], size: int) -> None:
    rng = random.Random(size)
    for _ in range(25):
        rows = rng.sample(texts, 5 * size)
        assert check(rows[size:], rows[:size]).status == "passed"


def test_the_splits_of_starter_are_of_one_origin() -> None:
    rows = load_dataset("starter").splits
    assert (
        same_origin(Facts({name: split.texts for name, split in rows.items()})).status == "passed"
    )


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (str.lower, "have capital letters"),
        (lambda text: f"{text} {text}", "its median length is"),
        (lambda text: f"{text} https://example.org/a", "have links, @ or #"),
        (lambda text: f"<p>{text}</p>", "have tags of HTML"),
        (lambda text: "".join(c for c in text if c not in ",;:"), "have commas or colons"),
        (lambda text: " ".join(f"{word}x" for word in text.split()), "words of a text are new"),
    ],
)
def test_a_split_that_was_made_in_another_way_fails(
    texts: list[str], change: Callable[[str], str], reason: str
) -> None:
    result = check(texts[:1500], [change(text) for text in texts[1500:1900]])
    assert (result.status, result.n_rows) == ("failed", 400)
    assert result.reason.startswith("test is unlike train: ")
    assert reason in result.reason


def test_small_splits_and_a_table_without_splits_are_not_compared(texts: list[str]) -> None:
    assert check(texts[:100], ["xyz"] * 20).status == "skipped"
    assert same_origin(Facts({"train": texts})).status == "skipped"


def test_real_splits_of_emotion_are_of_one_origin(emotion_folder: object) -> None:
    rows = load_dataset(str(emotion_folder)).splits
    assert (
        same_origin(Facts({name: split.texts for name, split in rows.items()})).status == "passed"
    )
