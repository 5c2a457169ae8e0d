"""A small dataset of three feelings for the tests of learning."""

from __future__ import annotations

import numpy as np
import pytest

from emolens.data.dataset import Dataset, Split
from emolens.labels import LabelSet
from tests.conftest import FEELINGS, feeling_rows

LABELS = LabelSet(tuple(FEELINGS))


def split_of(rows: list[tuple[str, str]]) -> Split:
    texts, names = zip(*rows, strict=True)
    return Split(tuple(texts), np.array([LABELS.id_of(name) for name in names]))


def the_feelings() -> Dataset:
    """90, 24 and 24 rows of three classes."""
    sizes = {"train": (90, 0), "validation": (24, 90), "test": (24, 114)}
    splits = {name: split_of(feeling_rows(n, start=start)) for name, (n, start) in sizes.items()}
    return Dataset("feelings", LABELS, splits)


@pytest.fixture(scope="session")
def feelings() -> Dataset:
    """90, 24 and 24 rows of three classes."""
    return the_feelings()
