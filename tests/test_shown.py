"""Whatever a value holds, it prints as one line of 100 characters, and as escaped HTML."""

from __future__ import annotations

import json
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emolens.shown import WIDTH, escaped, html_table, isolated, one_line, visible
from tests.conftest import HOSTILE


class Plain:
    """A value that prints as its one part."""

    def __init__(self, part: str) -> None:
        self.part = part

    def __repr__(self) -> str:
        return one_line(self, self.part)


@given(st.lists(st.text(), max_size=4))
def test_a_line_is_one_short_printable_line(parts: list[str]) -> None:
    line = one_line(Plain(""), *parts)
    assert len(line) <= WIDTH
    assert visible(line) == line
    assert len(line.splitlines()) == 1
    assert line.startswith("Plain(")
    assert line.endswith(")")


def test_short_parts_stand_whole_and_long_ones_are_cut() -> None:
    assert one_line(Plain(""), "a", 2) == "Plain(a, 2)"
    assert one_line(Plain(""), "x" * 93) == f"Plain({'x' * 93})"
    assert one_line(Plain(""), "x" * 94) == f"Plain({'x' * 92}…)"


class Tags(HTMLParser):
    """The tags of a page, and its text."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.words = ""

    def handle_starttag(self, tag: str, attrs: object) -> None:
        self.tags.add(tag)
        assert not attrs

    def handle_data(self, data: str) -> None:
        self.words += data


@pytest.mark.parametrize("text", HOSTILE)
def test_a_table_shows_any_text_as_text(text: str) -> None:
    page = Tags()
    page.feed(html_table(Plain(text), [text], [[text]]))
    assert page.tags == {"div", "code", "table", "tr", "th", "td"}
    start = " ".join(text.split())[:6].replace("\u202e", "·")
    assert page.words.count(start) == 3


def test_a_long_table_says_how_many_rows_it_leaves_out() -> None:
    page = html_table(Plain(""), ["n", "share"], [(n, n / 3) for n in range(1300)])
    assert "… and 1,288 more rows" in page
    assert "<td>2</td><td>0.6667</td>" in page
    assert "more rows" not in html_table(Plain(""), ["n"], [(n,) for n in range(12)])


STEERING = "\x1b[31m \x9b2J \x7f \u202e \u2066 \u200f \u061c \u2028 \ufeff \ud800 \U000e0041 \x00"
READABLE = "naïve 日本\u3000語 שלום مرحبا می\u200cخواهم 👩🏽\u200d💻\ufe0f bien\u00a0! \t"


def test_what_steers_a_terminal_is_a_dot_and_letters_of_all_scripts_stay() -> None:
    assert set(visible(STEERING)) <= set("· [31m2J")
    assert visible(READABLE) == READABLE.replace("\t", "·")


@given(st.text(st.characters(codec=None)))
def test_escaped_json_is_read_back_as_the_same_text(text: str) -> None:
    document = escaped(json.dumps([text], ensure_ascii=False))
    assert json.loads(document) == [text]
    assert visible(document) == document


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("\u05e9\u05de (12)", "\u2068\u05e9\u05de\u2069 (12)"),
        ("'\u05e9 \u05de', '\u0634'", "'\u2068\u05e9 \u05de\u2069', '\u2068\u0634\u2069'"),
        ("joy (12), 喜び, мир", "joy (12), 喜び, мир"),
    ],
)
def test_names_in_right_to_left_letters_are_kept_apart(text: str, wanted: str) -> None:
    assert isolated(text) == wanted
