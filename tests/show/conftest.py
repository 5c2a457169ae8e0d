"""What a browser makes of a page."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path

import pytest

from tests.show.browser import driver, shared_driver  # noqa: F401

CSP = re.compile(r'<meta http-equiv="Content-Security-Policy"[^>]*>')
VOID = {"meta", "br", "img", "link", "input", "hr"}
Browse = Callable[..., str]


class Page(HTMLParser):
    """The elements of a page with their attributes, and the text of each innermost element."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.texts: dict[str, list[str]] = {}
        self._open: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self._open.append(tag)
            self.texts.setdefault(tag, []).append("")

    def handle_endtag(self, tag: str) -> None:
        if tag in self._open:
            while self._open.pop() != tag:
                pass

    def handle_data(self, data: str) -> None:
        if self._open:
            self.texts[self._open[-1]][-1] += data

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.elements if name == tag]


@pytest.fixture(scope="session")
def chromium(tmp_path_factory: pytest.TempPathFactory) -> Browse:
    """Open a page in headless Chromium; returns its output, which is the DOM with --dump-dom."""
    program = shutil.which("chromium")
    if program is None:
        pytest.skip("there is no chromium to open the report in")
    options = [
        *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
        *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
    ]

    def browse(page: Path, *wanted: str) -> str:
        profile = tmp_path_factory.mktemp("profile")
        return subprocess.run(
            [program, *options, f"--user-data-dir={profile}", *wanted, page.as_uri()],
            capture_output=True,
            text=True,
            check=True,
            timeout=120,
        ).stdout

    return browse
