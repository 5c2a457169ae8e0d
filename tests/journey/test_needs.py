"""Which cells must run before others."""

from __future__ import annotations

import pytest

from emolens.journey.needs import can_run_late, modules_of, names_of, needed, trains


def needed_by(*sources: str) -> list[int]:
    """The places of the cells that the last one needs."""
    return needed(names_of(sources), range(len(sources) - 1, len(sources)))


@pytest.mark.parametrize(
    ("cells", "places"),
    [
        (["a = 1", "b = 2", "a"], [0]),
        (["a = 1", "b = a", "c = 3", "b"], [0, 1]),
        (["a = 1", "a = 2", "a"], [1]),
        (["a = 1", "a += 1", "a"], [0, 1]),
        (["a = 1", "a = a + 1", "a"], [0, 1]),
        (["a = 1", "a = 2; a"], []),
        (["import json as j", "from os import path, sep", "path, j"], [0, 1]),
        (["import os.path", "os"], [0]),
        (["a, (b, *c) = x = f()", "c"], [0]),
        (["def f(x, y=a):\n    z = x\n    return z + b", "f"], [0]),
        (["b = 1", "def f(x):\n    return x + b", "x = 2", "f(3)"], [0, 1]),
        (["a = 1", "z = 1", "def f(z):\n    return z", "f(a)"], [0, 2]),
        (["class A:\n    x = 1", "x = 2", "A"], [0]),
        (["k = 1", "r = [2]", "[k for k in r]"], [1]),
        (["k = 1", "r = [2]", "{k: v for k, v in r}, (lambda k: k)(r)"], [1]),
        (["k = [1]", "[k for k in k]"], [0]),
        (["if (n := 1):\n    pass", "n"], [0]),
        (["for x in [1]:\n    y = x", "y"], [0]),
        (["x = 1", "for x in [1]:\n    print(x)", "x = 5", "for x in [1]:\n    print(x)"], []),
        (["with f() as file:\n    text = file", "text"], [0]),
        (["a: int = 1", "a"], [0]),
        (["a = 1", "if c:\n    a = 2", "a"], [0, 1]),
        (["a = 1", "try:\n    a = 2\nexcept E:\n    pass", "a"], [0, 1]),
        (["if c:\n    a = 2\n    a", "if c:\n    a = 2\n    a"], []),
    ],
    ids=str,
)
def test_a_cell_needs_those_that_make_its_names(cells: list[str], places: list[int]) -> None:
    assert needed_by(*cells) == places


@pytest.mark.parametrize(
    "change",
    [
        'frame["x"] = 1',
        "frame.x = 1",
        'frame["x"]["y"] += 1',
        'del frame["x"]',
        "frame.sort()\n1",
        "frame.anything().more(2)\n1",
        "frame.fit(1)",
        "frame.axes[0].set_title('x')",
        "for part in frame.parts():\n    part['x'] = 1",
        "if c:\n    frame.append(1)",
    ],
)
def test_a_cell_that_changes_a_value_makes_it(change: str) -> None:
    assert needed_by("frame = f()", change, "other = 1", "frame") == [0, 1]


@pytest.mark.parametrize(
    "look", ["frame.head()", "frame", "x = frame.copy()", "len(frame)", "print(frame)\n1"]
)
def test_a_cell_that_only_looks_at_a_value_is_not_needed(look: str) -> None:
    assert needed_by("frame = f()", look, "frame") == [0]


def test_a_call_of_a_module_is_needed_only_if_it_sets_something() -> None:
    load, seed, draw = "import numpy as np", "np.random.seed(0)\n1", "np.zeros(3)\n1"
    assert needed_by(load, seed, draw, "np.ones(2)") == [0, 1]


def test_a_folder_that_a_cell_writes_is_needed_by_those_that_name_it() -> None:
    train, export = 'm = el.finetune(E, d, "a")', 'el.export_openvino("a")\n1'
    assert needed_by(train, export, 'list(Path("a").glob("*"))') == [0, 1]
    assert needed_by(train, export, "m") == [0]
    assert needed_by(train, export, 'd["b"]') == []
    assert needed_by('f.to_csv(path_or_buf="a")', 'pd.read_csv("a")') == [0]
    assert needed_by('print("a")', 'open("a")') == []


def test_a_section_of_several_cells_needs_nothing_that_it_makes_itself() -> None:
    names = names_of(["a = 1", "b = 2", "c = a", "b = c", "b"])
    assert needed(names, range(2, 5)) == [0]


def test_a_late_cell_must_not_meet_what_was_done() -> None:
    cells = names_of(["import os", "a = 1", "a = 2", "b = a", "import os\nc = os", "a[0] = c"])
    assert can_run_late(cells, 0, [4])
    assert not can_run_late(cells, 1, [2])
    assert not can_run_late(cells, 2, [3])
    assert not can_run_late(cells, 3, [5])
    assert can_run_late(cells, 3, [0, 1, 2])
    assert can_run_late(cells, 3, [4])


def test_trainings_and_modules_are_seen_in_the_code() -> None:
    assert trains("scores = el.finetune(data)")
    assert trains("from emolens import run_study\nrun_study(s)")
    assert not trains("finetune = 1\nel.probe(data)")
    assert modules_of("import os.path as p\nfrom json import loads") == ["json", "os"]
