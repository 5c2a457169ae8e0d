"""What cells give when they run, and in which order they do."""

from __future__ import annotations

import struct
import sys
from pathlib import Path

import pytest

from emolens.errors import EmolensError, MissingExtra, UsageError
from emolens.journey.parts import Cell, Section
from emolens.journey.run import Output, Walk
from emolens.journey.tables import Table, read_table
from emolens.labels import LabelSet
from emolens.shown import html_table
from emolens.stopped import Stopped


def sections(*codes: tuple[str, ...]) -> list[Section]:
    return [
        Section(number, f"S{number}", "P", tuple(Cell("code", code) for code in cells))
        for number, cells in enumerate(codes, 1)
    ]


def outputs(*cells: str) -> list[Output]:
    (section,) = sections(cells)
    return list(Walk([section]).run(section))


def ran(walk: Walk, section: Section) -> tuple[list[int], str]:
    """The sections that ran before, and what was printed."""
    places = walk.missing(section)
    seen: list[int] = []
    walk.prepare(places, seen.append)
    assert sorted(set(seen)) == walk.sections_at(places)
    return walk.sections_at(places), "".join(output.text for output in walk.run(section))


def size_of(picture: bytes) -> tuple[int, int]:
    assert picture.startswith(b"\x89PNG")
    width, height = struct.unpack(">II", picture[16:24])
    return width, height


# --- what a cell gives ---


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ("1 + 1", "2\n"),
        ("print('a')\n'b'", "a\n'b'\n"),
        ("1 + 1;", ""),
        ("x = 1", ""),
        ("None", ""),
        ("# only words", ""),
        ("if True:\n    3", ""),
        ("print('a')", "a\n"),
    ],
)
def test_the_last_value_is_shown_as_in_jupyter(source: str, text: str) -> None:
    assert outputs(source) == [Output(text)]


def test_names_stay_from_cell_to_cell_but_not_from_walk_to_walk() -> None:
    first, second = outputs("x = 20; _ = 5", "x + 1")
    assert (first.text, second.text) == ("", "21\n")
    with pytest.raises(EmolensError, match="NameError"):
        outputs("x")


def test_a_dataclass_and_a_future_can_be_written() -> None:
    source = "from dataclasses import dataclass\n@dataclass\nclass A:\n    x: int\nA(1)"
    assert outputs(source)[0].text == "A(x=1)\n"


def test_open_figures_are_pictures_and_are_closed() -> None:
    plot = "import matplotlib.pyplot as plt\nfor n in (2, 4):\n    plt.figure(figsize=(n, 1))\n"
    two, none, one = outputs(plot + "    plt.plot([n])\nplt.show()", "1", "plt.subplots()")
    narrow, wide = map(size_of, two.pictures)
    assert narrow[0] < wide[0]
    assert (none.text, none.pictures) == ("1\n", ())
    assert (one.text, len(one.pictures)) == ("", 1)


def test_a_figure_and_its_parts_are_shown_once_and_not_in_words() -> None:
    start = "import matplotlib.pyplot as plt\nfigure, axes = plt.subplots(1, 2)\n"
    for value in ("figure", "axes", "axes[0].plot([1])"):
        (output,) = outputs(start + value)
        assert (output.text, len(output.pictures)) == ("", 1)


def test_a_display_of_emolens_is_a_picture() -> None:
    code = "import emolens as el\nel.ClassFrequencyDisplay.from_predictions(['joy', 'fear'])"
    (output,) = outputs(code)
    assert (output.text, len(output.pictures)) == ("", 1)


def test_a_value_of_emolens_is_shown_as_its_table() -> None:
    (output,) = outputs("import emolens as el\nel.load_dataset('starter')")
    assert output.table is not None
    assert output.text == ""
    assert output.table.title.startswith("Dataset('starter', 7 classes")
    assert output.table.columns == ("class", "train", "validation", "test")
    assert output.table.rows[0][0] == "sadness"


def test_a_frame_is_shown_as_pandas_prints_it() -> None:
    (output,) = outputs("import pandas as pd\npd.DataFrame({'a': [1, 2]})")
    assert output == Output("   a\n0  1\n1  2\n")


@pytest.mark.parametrize("show", ["frame", "print(frame)"])
def test_a_wide_frame_is_shown_whole(show: str) -> None:
    code = "import pandas as pd\nframe = pd.DataFrame([['so long'] * 30]);" + show
    (output,) = outputs(code)
    assert output.text.count("so long") == 30
    assert max(map(len, output.text.splitlines())) <= 84


def test_a_table_is_read_from_html() -> None:
    html = html_table("<so>", ["a", "b & c"], [["1", "<td>x"], ["2\u202e", 3]])
    rows = (("1", "<td>x"), ("2·", "3"))
    assert read_table(html) == Table("'<so>'", ("a", "b & c"), rows)
    assert read_table("<p>no</p>") is None
    assert read_table("<table><tr><td>1</td></tr><tr><td>2</td><td>3</td></tr></table>") == Table(
        "", ("", ""), (("1", ""), ("2", "3"))
    )


def test_transformers_shows_no_bars_in_a_cell(capsys: pytest.CaptureFixture[str]) -> None:
    from transformers.utils import logging

    logging.enable_progress_bar()
    bar = "from transformers.utils import logging\nlist(logging.tqdm([1, 2]));"
    assert outputs(bar) == [Output()]
    assert capsys.readouterr().err == ""
    assert logging.is_progress_bar_enabled()


# --- what fails ---


def test_an_error_names_the_section_and_the_line() -> None:
    walk = sections(("x = 1",), ("y = {}\n\ny[x] = y['joy']\n",))
    with pytest.raises(EmolensError) as caught:
        ran(Walk(walk), walk[1])
    assert str(caught.value) == (
        "Section 2 of the walkthrough failed at `y[x] = y['joy']`: KeyError: 'joy'."
    )
    assert "emolens learn 2 --debug" in caught.value.hint
    assert isinstance(caught.value.__cause__, KeyError)


def test_an_error_of_emolens_passes_as_it_is() -> None:
    with pytest.raises(UsageError) as caught:
        outputs("from emolens.errors import UsageError\nraise UsageError('No.', hint='Yes.')")
    assert (str(caught.value), caught.value.hint) == ("No.", "Yes.")


def test_a_stop_stays_a_stop() -> None:
    for code in ("raise KeyboardInterrupt", "from emolens.stopped import Stopped\nraise Stopped"):
        with pytest.raises(KeyboardInterrupt):
            outputs(code)
    with pytest.raises(Stopped):  # a library turned the exception of the signal into its own
        outputs(
            "from emolens.stopped import ASKED\nASKED.set()\nraise RuntimeError",
        )


@pytest.fixture(autouse=True)
def not_asked_to_stop() -> object:
    from emolens.stopped import ASKED

    yield
    ASKED.clear()


def test_what_is_not_installed_is_said_before_anything_runs(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    walk = sections(("import no_such_library as n",), ("1",), ("n",))
    Walk(walk).check_installed(walk[1])
    for section in (walk[0], walk[2]):
        with pytest.raises(MissingExtra, match="no_such_library") as caught:
            Walk(walk).check_installed(section)
    assert caught.value.hint == 'pip install "emolens[starter]"'
    monkeypatch.setitem(sys.modules, "torch", None)
    with pytest.raises(MissingExtra, match="torch is needed"):
        Walk(walk).check_installed(walk[1])


# --- what runs before ---


def test_only_what_is_needed_runs_and_once() -> None:
    walk = sections(("a = [1]",), ("b = 1/0",), ("a.append(2)\n1",), ("print(a)",), ("print(a)",))
    way = Walk(walk)
    assert ran(way, walk[3]) == ([1, 3], "[1, 2]\n")
    assert ran(way, walk[4]) == ([], "[1, 2]\n")
    assert ran(Walk(walk), walk[0]) == ([], "")


def test_what_would_come_too_late_begins_anew() -> None:
    walk = sections(("a = 1",), ("b = a",), ("a = 2",), ("print(a)",), ("print(a, b)",))
    way = Walk(walk)
    assert ran(way, walk[3]) == ([3], "2\n")
    assert ran(way, walk[4]) == ([1, 2, 3], "2 1\n")


def test_a_section_that_runs_again_gives_the_same() -> None:
    walk = sections(("a = [1]",), ("a.append(2)\nprint(a)",))
    way = Walk(walk)
    assert ran(way, walk[1]) == ([1], "[1, 2]\n")


def test_trainings_are_found_among_what_is_needed() -> None:
    walk = sections(("m = el.finetune(d)",), ("m",), ("1",))
    way = Walk(walk)
    assert way.train(way.missing(walk[1]))
    assert not way.train(way.missing(walk[2]))


def test_a_section_without_code_needs_nothing() -> None:
    walk = sections(("a = 1",), ())
    assert ran(Walk(walk), walk[1]) == ([], "")


def test_a_traceback_shows_the_lines_of_the_cell(tmp_path: Path) -> None:
    import traceback

    with pytest.raises(EmolensError) as caught:
        outputs("x = 1\nx / 0")
    assert "x / 0" in "".join(traceback.format_exception(caught.value))


def test_the_labels_of_a_set_are_no_picture() -> None:
    from emolens.show.canvas import is_drawn

    assert not is_drawn(LabelSet(("joy", "fear")))
    assert not is_drawn([])
    assert not is_drawn("")
