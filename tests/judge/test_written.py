"""What a person may write into a cell for labels."""

from __future__ import annotations

import pytest

from emolens.judge.written import Written, written_labels

PLAIN = ("joy", "sadness", "strange_one")
WITH_SIGNS = ("joy", "joy, mild", "fear; of loss", "a/b/c", " spaced ", "none")


@pytest.mark.parametrize(
    ("cell", "written"),
    [
        ("", Written()),
        (" ,; ", Written()),
        (" JOY ", Written((0,))),
        ("Strange one", Written((2,))),
        ("joy,Sadness", Written((0, 1))),
        ("joy/ sadness\nstrange-one|joy", Written((0, 1, 2))),
        ("None", Written(none=True)),
        ("joy, none", Written((0,), none=True)),
        ("joyy; sadness,?", Written((1,), unknown=("joyy", "?"))),
        ("joy and sadness", Written(unknown=("joy and sadness",))),
    ],
)
def test_classes_stand_with_commas_between_them(cell: str, written: Written) -> None:
    assert written_labels(cell, PLAIN) == written
    assert bool(written_labels(cell, PLAIN)) == bool(cell.strip(" ,;"))


@pytest.mark.parametrize(
    ("cell", "ids"),
    [
        *((name, (place,)) for place, name in enumerate(WITH_SIGNS)),
        ("Joy,mild", (1,)),
        ("joy , MILD; fear;of loss", (1, 2)),
        ("joy, joy, mild, spaced, a/b/c", (0, 1, 4, 3)),
        ("fear; of loss/a / b / c/joy", (2, 3, 0)),
        ("none", (5,)),
    ],
)
def test_a_class_name_may_hold_what_separates(cell: str, ids: tuple[int, ...]) -> None:
    assert written_labels(cell, WITH_SIGNS) == Written(ids)


def test_names_that_differ_by_spaces_only_are_told_apart_by_the_whole_cell() -> None:
    assert written_labels(" joy", ("joy", " joy")).ids == (1,)
    assert written_labels("joy", (" joy", "joy")).ids == (1,)
    assert written_labels("joy ", (" joy", "  joy")).unknown == ("joy",)


def test_a_cell_full_of_commas_takes_no_time() -> None:
    assert len(written_labels("x," * 16_000, WITH_SIGNS).unknown) == 16_000
