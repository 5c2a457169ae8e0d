"""Whatever a value holds, it prints as one line of 100 characters, and as escaped HTML."""

from __future__ import annotations

from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emolens.shown import WIDTH, html_table, one_line
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
    assert line.isprintable()
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
