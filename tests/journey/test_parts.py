"""The sections of a walkthrough, read from the percent format."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emolens.errors import StorageError, UsageError
from emolens.journey import parts
from emolens.journey.parts import (
    Cell,
    Section,
    cells_of,
    find_section,
    read_walkthrough,
    sections_of,
)
from tests.conftest import ROOT
from tests.journey.conftest import FIRST, SECOND

SECTIONS = sections_of([FIRST, SECOND])
LINES = st.lists(
    st.text(st.characters(exclude_categories=["C", "Zl", "Zp"]), max_size=12), min_size=1
)
SOURCES = LINES.map("\n".join).filter(lambda text: text == text.strip("\n") and text)
CODE = SOURCES.filter(lambda text: "# %%" not in text)


def joined(cells: list[Cell]) -> str:
    """Cells as jupytext writes them."""
    written = []
    for cell in cells:
        lines = cell.source.split("\n")
        if cell.kind == "markdown":
            lines = [f"# {line}" if line else "#" for line in lines]
        mark = "# %% [markdown]" if cell.kind == "markdown" else "# %%"
        written.append("\n".join([mark, *lines]))
    return "\n\n".join(written) + "\n"


@given(
    st.lists(
        st.builds(Cell, st.just("code"), CODE) | st.builds(Cell, st.just("markdown"), SOURCES),
        max_size=5,
    )
)
def test_cells_that_are_written_are_read_again(cells: list[Cell]) -> None:
    assert cells_of(joined(cells)) == cells


def test_a_header_is_no_cell_and_a_mark_may_have_more_words() -> None:
    text = "# ---\n# jupyter: x\n# ---\n\n# %% tags=[]\n1\n# %% [markdown] a\n# so\n#\n# it\n"
    assert cells_of(text) == [Cell("code", "1"), Cell("markdown", "so\n\nit")]
    assert cells_of("# %%\n# %% [markdown]\n") == []
    assert cells_of("1 + 1\n") == [Cell("code", "1 + 1")]


def test_sections_are_numbered_through_all_parts() -> None:
    assert [(s.number, s.part, s.title) for s in SECTIONS] == [
        (1, "The rows", "Sorted rows"),
        (2, "The rows", "A slow one"),
        (3, "Pictures", "Two pictures, one value"),
        (4, "Pictures", "What fails"),
    ]


def test_what_stands_before_the_first_section_belongs_to_it() -> None:
    first, _, third, _ = SECTIONS
    assert [cell.kind for cell in first.cells] == ["markdown", "code"] * 2 + ["markdown"]
    assert first.code == ["import json\n\nROWS = [3, 1, 2]", 'print("sorting")\nROWS.sort()\nROWS']
    assert third.cells[0].source == "# Pictures"
    every = [cell for section in SECTIONS for cell in section.cells]
    assert every == cells_of(FIRST) + cells_of(SECOND)


def test_a_title_is_in_plain_words() -> None:
    (section,) = sections_of(["# %% [markdown]\n# ##  Why `cosine`, *and when* \n"])
    assert section.title == "Why cosine, and when"


def test_a_deeper_heading_begins_no_section() -> None:
    (section,) = sections_of(["# %% [markdown]\n# ## A\n\n# %% [markdown]\n# ### B\n"])
    assert section.title == "A"
    assert len(section.cells) == 2


@pytest.mark.parametrize(
    ("title", "stem"),
    [
        ("Class balance", "07-class-balance"),
        ("Life isn't fair?", "07-life-isnt-fair"),
        ("UMAP, and why *cosine* ☕", "07-umap-and-why-cosine"),
        ("../../x", "07-x"),
        ("很高兴", "07"),
        ("so " * 40, "07" + "-so" * 13),
    ],
)
def test_a_section_gives_its_files_a_name(title: str, stem: str) -> None:
    assert Section(7, title, "", ()).stem == stem


@pytest.mark.parametrize(
    ("wanted", "number"),
    [("1", 1), ("04", 4), ("sorted", 1), ("SORTED ROWS", 1), ("fail", 4), ("one value", 3)],
)
def test_a_section_is_found_by_number_or_words(wanted: str, number: int) -> None:
    assert find_section(SECTIONS, wanted).number == number


def test_a_whole_word_is_preferred() -> None:
    titles = ["Tokenizing everything", "Token", "A map"]
    sections = [Section(n, title, "", ()) for n, title in enumerate(titles, 1)]
    assert find_section(sections, "token").number == 2
    assert find_section(sections, "thing").number == 1


@pytest.mark.parametrize(
    ("wanted", "says", "hint"),
    [
        ("0", "no section 0: .* 1 to 4", "emolens learn"),
        ("5", "no section 5", "emolens learn"),
        ("umap", "No section has 'umap' in its title", "emolens learn"),
        ("one", "2 sections have 'one'", r"emolens learn 2 (A slow one), emolens learn 3 (Two"),
    ],
)
def test_a_section_that_is_not_clear_is_an_error(wanted: str, says: str, hint: str) -> None:
    with pytest.raises(UsageError, match=says) as caught:
        find_section(SECTIONS, wanted)
    assert hint in caught.value.hint


def test_the_files_are_read_in_the_order_of_their_names(walkthrough: Path) -> None:
    assert read_walkthrough() == SECTIONS
    (walkthrough / "00-before.py").write_text("# %% [markdown]\n# ## Before\n")
    assert [section.title for section in read_walkthrough()][:2] == ["Before", "Sorted rows"]


def test_without_files_it_says_so(walkthrough: Path) -> None:
    for file in walkthrough.iterdir():
        file.unlink()
    with pytest.raises(StorageError, match="not there"):
        read_walkthrough()


def test_a_wheel_has_it_where_it_is_looked_for() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    included = project["tool"]["hatch"]["build"]["targets"]["wheel"]["force-include"]
    (source,) = included
    in_package, in_checkout = parts.PLACES
    assert ROOT / source == in_checkout
    assert ROOT / "src" / included[source] == in_package


def test_the_walkthrough_that_comes_with_emolens_is_found() -> None:
    sections = read_walkthrough()
    assert len(sections) > 10
    assert all(section.title and section.part for section in sections)
    assert sum(len(section.code) for section in sections) > 20
    files = next(folder for folder in parts.PLACES if folder.is_dir()).iterdir()
    assert all(file.suffix == ".py" for file in files if file.is_file()), "they go into the wheel"
