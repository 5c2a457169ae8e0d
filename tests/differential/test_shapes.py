"""Where emolens and other readers differ on a table, a named reason says why ours is right."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from tests.differential import delimited, typed
from tests.differential.shapes import REASONS, Shape
from tests.differential.tools import Content, differences

SHAPES = [*delimited.SHAPES, *typed.SHAPES]


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_each_difference_between_readers_has_a_reason(shape: Shape, tmp_path: Path) -> None:
    """A new difference fails, and so does a reason whose difference is gone."""
    path = tmp_path / shape.file
    path.write_bytes(shape.content)
    right = None
    if shape.right is not None:
        right = Content(tuple(shape.right[0]), tuple(map(tuple, shape.right[1:])))
    explained = {reader: kind for reader, (kind, _) in shape.differs.items()}
    assert differences(path, right) == explained


def test_each_reason_is_used_and_each_shape_stands_once() -> None:
    used = {reason for shape in SHAPES for _, reason in shape.differs.values()}
    assert used == set(REASONS)
    twice = [k for k, n in Counter((s.name, s.file) for s in SHAPES).items() if n > 1]
    assert twice == []


def test_emolens_alone_refuses_only_what_holds_no_rows() -> None:
    ours = {
        reason for shape in SHAPES for who, (_, reason) in shape.differs.items() if who == "emolens"
    }
    assert ours == {"no rows"}
