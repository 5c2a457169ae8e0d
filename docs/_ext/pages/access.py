"""Mends, in built pages, what keeps some readers out: names of regions, levels, keyboard focus.

Sphinx and the theme write these parts without them. `tests/site` looks at the pages with axe-core.
"""

from __future__ import annotations

import re

_MENDS = (
    # A heading for screen readers needs a level.
    (r'<p class="caption" role="heading">', '<p class="caption" role="heading" aria-level="2">'),
    # Two regions of one kind need names.
    (r'<aside class="sidebar-drawer">', '<aside class="sidebar-drawer" aria-label="All pages">'),
    (r'<aside class="toc-drawer([^"]*)">', r'<aside class="toc-drawer\1" aria-label="This page">'),
    # What can be scrolled must be reached with the keyboard.
    (r"<pre>", '<pre tabindex="0">'),
    (r'<div class="table-wrapper([^"]*)">', r'<div class="table-wrapper\1" tabindex="0">'),
    (r'<div class="output text_html">', '<div class="output text_html" tabindex="0">'),
    # An empty cell is no header.
    (r"<th[^>]*>(?:<p></p>)?</th>", "<td></td>"),
)
# The parameters of a call, one on each line: a list of definitions without terms.
_SIGNATURE = re.compile(r'(<span class="sig-paren">[\[(]</span>)\s*<dl>(.*?)</dl>', re.DOTALL)


def mended(page: str) -> str:
    """The HTML of a page, for everybody. What is mended already stays as it is."""
    for pattern, instead in _MENDS:
        page = re.sub(pattern, instead, page)
    return _SIGNATURE.sub(_lines, page)


def _lines(match: re.Match[str]) -> str:
    lines = match[2].replace("<dd>", '<span class="sig-line">').replace("</dd>", "</span>")
    return f'{match[1]}<span class="sig-lines">{lines}</span>'
