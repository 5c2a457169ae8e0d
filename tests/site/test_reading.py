"""The site in the hands of a reader: opened from its folder in a real browser, with no network."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import selenium_axe_python
from selenium import webdriver
from selenium.webdriver import Keys
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import WebDriverWait

from tests.show import browser

pytest.importorskip("myst_nb", reason="the extra docs is not installed")

AXE = Path(selenium_axe_python.__file__).parent / "axe-core" / "axe.min.js"
PAGES = (
    *("index.html", "confidence.html", "studies.html", "genindex.html"),
    *("generated/commands/index.html", "generated/commands/predict.html"),
    *("generated/library/index.html", "generated/library/data.html", "generated/settings.html"),
    *("generated/walkthrough/index.html", "generated/repository/CHANGELOG.html"),
)


@pytest.fixture(scope="module")
def reader() -> Iterator[webdriver.Chrome]:
    """A browser that keeps a list of what its pages ask for."""
    driver = browser.started(logs=("browser", "performance"))
    yield driver
    driver.quit()


def asked_for(driver: webdriver.Chrome) -> set[str]:
    """The schemes of everything that pages have asked for since the last call."""
    events = [json.loads(entry["message"])["message"] for entry in driver.get_log("performance")]
    sent = [e["params"] for e in events if e["method"] == "Network.requestWillBeSent"]
    return {urlsplit(params["request"]["url"]).scheme for params in sent}


def show(driver: webdriver.Chrome, page: Path, *, width: int = 1280, color: str = "light") -> None:
    size = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": False}
    features = [
        {"name": "prefers-color-scheme", "value": color},
        {"name": "prefers-reduced-motion", "value": "reduce"},
    ]
    driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})
    driver.get(page.as_uri())


def test_no_page_asks_for_anything_or_complains(reader: webdriver.Chrome, site: Path) -> None:
    browser.open_loopback()
    asked_for(reader)
    pages = sorted(site.rglob("*.html"))
    assert len(pages) > 50, len(pages)
    for page in pages:
        show(reader, page)
        assert browser.complaints(reader) == [], page
        assert asked_for(reader) <= {"file", "data"}, page


def test_the_search_finds_a_word_and_leads_to_it(reader: webdriver.Chrome, site: Path) -> None:
    browser.open_loopback()
    show(reader, site / "index.html")
    field = reader.find_element(By.CSS_SELECTOR, "input[name=q]")
    field.send_keys("undersample", Keys.ENTER)
    found = WebDriverWait(reader, 20).until(
        lambda d: [
            link
            for link in d.find_elements(By.CSS_SELECTOR, "#search-results li a")
            if "settings of a study" in link.text
        ]
    )
    found[0].click()
    WebDriverWait(reader, 20).until(lambda d: "/studies.html" in d.current_url)
    assert "undersample" in reader.find_element(By.TAG_NAME, "article").text
    assert browser.complaints(reader) == []


@pytest.mark.parametrize("color", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
def test_everybody_can_read_it(
    reader: webdriver.Chrome, site: Path, color: str, width: int
) -> None:
    browser.open_loopback()
    part = next(site.glob("generated/walkthrough/01-*.html")).relative_to(site).as_posix()
    for name in (*PAGES, part):
        show(reader, site / name, width=width, color=color)
        assert reader.execute_script("return document.documentElement.scrollWidth") <= width, name
        paper = reader.execute_script("return getComputedStyle(document.body).backgroundColor")
        assert (sum(map(int, re.findall(r"\d+", paper))) < 200) == (color == "dark")
        assert violations(reader) == [], name


def violations(driver: webdriver.Chrome) -> list[str]:
    """What axe-core finds: the rule, and the first elements that break it."""
    driver.execute_script(AXE.read_text(encoding="utf-8"))
    found = driver.execute_async_script(
        "const done = arguments[0]; axe.run().then(r => done(r.violations.map("
        "v => v.id + ': ' + v.nodes.slice(0, 3).map(n => n.html.slice(0, 120)).join(' | '))))"
    )
    return [str(line) for line in found]
