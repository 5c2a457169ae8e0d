"""A blank text is one in which nothing can be seen."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emolens.blank import is_blank

INVISIBLE = (
    " \t\n\r\v\f\x00\x7f\x85\xa0\u00ad\u1680\u2003\u2028\u3000"  # spaces, ends, controls
    "\u180e\u200b\u200c\u200d\u200e\u2060\u2066\ufeff"  # formats
    "\u034f\u115f\u2800\u3164\ufe0f\uffa0"  # drawn empty
    "\u180b\u180d\u180f\u2065\U000e0100\U000e01ef"
)


@given(st.text(alphabet=INVISIBLE))
def test_what_cannot_be_seen_is_blank(text: str) -> None:
    assert is_blank(text)


@given(st.text(alphabet=INVISIBLE), st.sampled_from("a0.😀我é\u0301\ufffd"))
def test_one_sign_to_be_seen_is_enough(text: str, sign: str) -> None:
    assert not is_blank(text + sign)
    assert not is_blank(sign + text)


@pytest.mark.parametrize("text", ["so sad", ":(", "👍🏽", "\ud83d"])
def test_texts_are_not_blank(text: str) -> None:
    assert not is_blank(text)


def test_a_text_that_reddit_says_is_gone_is_blank() -> None:
    assert is_blank("[deleted]")
    assert is_blank(" [removed]\n")
    assert not is_blank("[deleted] by mistake")
