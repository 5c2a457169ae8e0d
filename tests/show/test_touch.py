"""The report in the hands of a reader: a real browser, the strict policy, and no network."""

from __future__ import annotations

import base64
import csv
import io
import itertools
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import selenium_axe_python
from selenium import webdriver
from selenium.webdriver import ActionChains, Keys
from selenium.webdriver.common.by import By
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.support.ui import Select, WebDriverWait

from emolens.show.report import render_report
from emolens.show.report.points import Points
from emolens.study import Run
from tests.show.test_report import contents

AXE = Path(selenium_axe_python.__file__).parent / "axe-core" / "axe.min.js"

# Without it, a click may come while the page still scrolls.
AT_ONCE = {"name": "prefers-reduced-motion", "value": "reduce"}


class Reader:
    """A page in a browser, and what a reader does with it."""

    def __init__(self, driver: webdriver.Chrome, points: Points) -> None:
        self.driver, self.points = driver, points

    def open(self, page: Path) -> Reader:
        self.driver.get(page.as_uri())
        self.until("return document.documentElement.dataset.ready === 'yes'")
        return self

    def until(self, condition: str, *values: Any) -> None:
        WebDriverWait(self.driver, 20).until(lambda d: d.execute_script(condition, *values))

    def run(self, script: str, *values: Any) -> Any:
        return self.driver.execute_script(script, *values)

    def get(self, css: str) -> WebElement:
        return self.driver.find_element(By.CSS_SELECTOR, css)

    def all(self, css: str) -> list[WebElement]:
        return self.driver.find_elements(By.CSS_SELECTOR, css)

    def press(self, css: str) -> None:
        self.show(self.get(css)).click()

    def show(self, element: WebElement) -> WebElement:
        """Scroll to it, at once."""
        self.run("arguments[0].scrollIntoView({block: 'center', behavior: 'instant'})", element)
        return element

    def pixels(self) -> np.ndarray:
        """(height, width, 3) of the map."""
        from matplotlib.image import imread

        self.show(self.get("#map-host"))
        self.until("return new Promise(r => requestAnimationFrame(() => setTimeout(r, 250, true)))")
        shot = self.get("#map-host").screenshot_as_png
        return np.asarray(imread(io.BytesIO(shot)))[..., :3]

    def colored(self) -> int:
        """How many pixels of the map have a color."""
        return int((np.ptp(self.pixels(), axis=2) > 0.2).sum())

    def violations(self) -> list[str]:
        self.run(AXE.read_text("utf-8"))
        found = self.driver.execute_async_script(
            "const done = arguments[0]; axe.run().then(r => done(r.violations.map("
            "v => `${v.id}: ${v.nodes.map(n => n.html.slice(0, 150)).join(' | ')}`)))"
        )
        return [str(violation) for violation in found]


@pytest.fixture(scope="module")
def page(tiny_run: Run, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("page") / "report.html"
    path.write_text(render_report(contents(tiny_run)), "utf-8")
    return path


@pytest.fixture(scope="module")
def points(tiny_run: Run) -> Points:
    shown = contents(tiny_run)
    return Points.of(shown.dataset, shown.exported, shown.projections)


@pytest.fixture
def reader(driver: webdriver.Chrome, page: Path, points: Points) -> Iterator[Reader]:
    driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "", "features": [AT_ONCE]})
    yield Reader(driver, points).open(page)


def test_a_point_under_the_pointer_shows_its_text_label_and_answer(reader: Reader) -> None:
    bubble = reader.get("#bubble")
    assert not bubble.is_displayed()
    host = reader.get("#map-host")
    reader.show(host)
    found = None
    for dx in range(-260, 261, 20):
        ActionChains(reader.driver, duration=0).move_to_element_with_offset(host, dx, 0).perform()
        if bubble.is_displayed():
            found = bubble.text
            break
    assert found is not None
    text, about = found.rsplit("\n", 1)
    texts = dict(zip(reader.points.shown.tolist(), reader.points.texts, strict=True))
    split, row = about.split(" · ")[-1].split()
    start = int((reader.points.split < reader.points.splits.index(split)).sum())
    assert " ".join(texts[start + int(row)].split()) == " ".join(text.split())
    assert about.startswith("label: ")
    assert ("answer: " in about) == (split != "train")


def test_the_legend_takes_classes_away_and_brings_them_back(reader: Reader) -> None:
    everything = reader.colored()
    buttons = reader.all("button[data-class]")
    for button in buttons:
        button.click()
        assert button.get_attribute("aria-pressed") == "false"
    assert reader.colored() < 0.05 * everything
    buttons[0].click()
    assert 0 < reader.colored() < everything
    for split in reader.all("input[data-split]"):
        if split.is_selected():
            split.click()
    assert reader.colored() < 0.05 * everything


def test_the_views_and_colors_change_the_picture(reader: Reader) -> None:
    reader.press('input[data-split="2"]')  # the map begins without test
    pictures = [reader.pixels()]
    for wanted in ("answer", "right"):
        Select(reader.get("#color")).select_by_value(wanted)
        pictures.append(reader.pixels())
    Select(reader.get("#view")).select_by_value("density")
    pictures.append(reader.pixels())
    for first, second in itertools.pairwise(pictures):
        assert np.abs(first - second).mean() > 0.0005


def test_a_search_counts_the_texts_and_lights_them_up(reader: Reader) -> None:
    before = reader.pixels()
    word = max(reader.points.texts[3].split(), key=len)
    wanted = sum(word.lower() in text.lower() for text in reader.points.texts)
    reader.get("#find").send_keys(word)
    reader.until("return document.getElementById('found').textContent !== ''")
    assert reader.get("#found").text.split()[0] == f"{wanted:,}"
    assert np.abs(before - reader.pixels()).mean() > 0.001
    reader.get("#find").send_keys(" and no such words")
    reader.until("return document.getElementById('found').textContent.startsWith('0')")


def test_a_cell_of_the_matrix_lists_its_texts(reader: Reader) -> None:
    points = reader.points
    [cell, *_] = reader.all('table[data-touch="test"] td:not(.right) button')
    place = cell.find_element(By.XPATH, "..")
    label, answer = (int(str(place.get_attribute(f"data-{n}"))) for n in ("label", "answer"))
    mine = (points.label == label) & (points.answer == answer)
    mine &= points.split == points.splits.index("test")
    texts = dict(zip(points.shown.tolist(), points.texts, strict=True))
    reader.show(cell).click()
    listed = [item.text.rsplit("\n", 1)[0] for item in reader.all("#picked li button")]
    wanted = [" ".join(texts[row].split()) for row in np.flatnonzero(mine)]
    assert [" ".join(text.split()) for text in listed] == wanted
    assert f"({len(wanted)})" in reader.get("#picked h2").text
    assert "The map now shows test, too." in reader.get("#picked h2").text
    assert reader.driver.switch_to.active_element == reader.get("#picked")
    assert reader.all("[aria-current]") == [cell]
    other = reader.all('table[data-touch="validation"] td button')[0]
    reader.show(other).click()
    assert reader.all("[aria-current]") == [other]
    assert "The map now" not in reader.get("#picked h2").text
    reader.show(cell).click()
    reader.press("#picked li button")
    reader.press("#picked > button")
    assert not reader.get("#picked").is_displayed()
    assert reader.all("[aria-current]") == []


def test_the_table_of_errors_is_sorted_and_filtered(reader: Reader) -> None:
    def rows() -> list[list[str]]:
        script = """
            const rows = [...document.querySelectorAll('#worth-reading tbody tr')];
            return rows.filter(r => !r.hidden).map(r => [...r.cells].map(c => c.textContent));"""
        return list(reader.run(script))

    everything = rows()
    assert len(everything) > 2
    reader.press("#worth-reading th:nth-child(3) button")
    numbers = [int(row[2]) for row in rows()]
    assert numbers == sorted(numbers)
    reader.press("#worth-reading th:nth-child(3) button")
    assert [int(row[2]) for row in rows()] == numbers[::-1]
    heads = reader.all("#worth-reading th")
    assert [head.get_attribute("aria-sort") for head in heads].count("descending") == 1
    reader.press("#worth-reading th:nth-child(7) button")
    for _ in range(2):  # in both directions, empty cells come last
        empty = [not row[6] for row in rows()]
        assert True in empty
        assert empty == sorted(empty)
        reader.press("#worth-reading th:nth-child(7) button")
    label = everything[0][4]
    reader.get("#filter").send_keys(label.upper())
    assert 0 < len(rows()) <= len(everything)
    assert all(label in " ".join(row) for row in rows())
    assert reader.get("#filtered").text == f"{len(rows())} of {len(everything)} rows"


def test_the_table_of_errors_is_downloaded_as_it_is_shown(reader: Reader, tmp_path: Path) -> None:
    allow = {"behavior": "allow", "downloadPath": str(tmp_path)}
    reader.driver.execute_cdp_cmd("Page.setDownloadBehavior", allow)
    whole = "long " * 200  # of a text that is cut on the page
    reader.driver.execute_script(
        "document.querySelector('#worth-reading tbody td.text').dataset.whole = arguments[0]", whole
    )
    reader.press("#download")
    file = tmp_path / "errors.csv"
    WebDriverWait(reader.driver, 20).until(lambda _: file.exists())
    [heads, *rows] = csv.reader(io.StringIO(file.read_text("utf-8-sig")))
    assert heads[:5] == ["why", "split", "row", "text", "label"]
    assert len(rows) == len(reader.all("#worth-reading tbody tr"))
    assert not [cell for row in rows for cell in row if re.match(r"[=+@]", cell)]
    assert rows[0][3] == whole
    assert not [cell for row in rows for cell in row if {"\u2068", "\u2069"} & set(cell)]


def test_a_reader_with_a_keyboard_gets_to_the_texts(reader: Reader) -> None:
    stage = reader.get('[role="application"]')
    stage.send_keys("n")
    reader.until("return !document.getElementById('bubble').hidden")
    first = reader.get("#bubble").text
    stage.send_keys("n")
    assert reader.get("#bubble").text != first
    stage.send_keys(Keys.ENTER)
    assert reader.get("#bubble").text.split("\n")[0] in reader.get("#at-point").text
    stage.send_keys("n")  # what stands below the map follows
    assert reader.get("#bubble").text.split("\n")[0] in reader.get("#at-point").text
    assert reader.all("#map #at-point")
    stage.send_keys(Keys.TAB)
    assert reader.driver.switch_to.active_element != stage


def test_the_table_of_errors_begins_short(reader: Reader) -> None:
    rows = reader.all("#worth-reading tbody tr")
    assert len(rows) > 10
    button = reader.get("#all-rows")
    assert [row.is_displayed() for row in rows].count(True) == 10
    assert button.text == f"show all {len(rows)}"
    last = rows[-1].find_element(By.CSS_SELECTOR, "td.text")
    word = str(last.get_property("textContent"))
    reader.get("#filter").send_keys(word[:40])
    assert rows[-1].is_displayed()  # the filter looks at all
    assert not button.is_displayed()
    reader.get("#filter").send_keys(Keys.CONTROL, "a", Keys.DELETE)
    reader.show(button).click()
    assert all(row.is_displayed() for row in rows)
    reader.show(button).click()
    assert not rows[-1].is_displayed()
    reader.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "print"})
    assert rows[-1].is_displayed()


def test_the_legend_counts_what_the_map_shows(reader: Reader) -> None:
    points = reader.points

    def shown() -> list[int]:
        texts = (small.text for small in reader.all("button[data-class] small"))
        return [int(text.replace(",", "")) for text in texts]

    of_test = points.split == points.splits.index("test")
    assert shown() == np.bincount(points.label[~of_test]).tolist()
    reader.press('input[data-split="2"]')
    assert shown() == np.bincount(points.label).tolist()


def test_right_and_wrong_have_colors_of_their_own(reader: Reader) -> None:
    reader.press('input[data-split="2"]')
    Select(reader.get("#color")).select_by_value("right")
    dots = reader.run(
        "return [...document.querySelectorAll('#color-note .dot, #legend button .dot')]"
        ".map(d => getComputedStyle(d).backgroundColor)"
    )
    right, wrong, _, *classes = dots
    assert right != wrong
    assert set(classes) == {"rgba(0, 0, 0, 0)"}
    of_classes = set(reader.run("return JSON.parse(document.getElementById('points').text).colors"))
    own = ["#{:02x}{:02x}{:02x}".format(*map(int, re.findall(r"\d+", c))) for c in (right, wrong)]
    assert not of_classes & set(own)


def test_a_hexagon_says_how_many_texts_of_each_class_it_holds(reader: Reader) -> None:
    Select(reader.get("#view")).select_by_value("density")
    host, bubble = reader.show(reader.get("#map-host")), reader.get("#bubble")
    found = ""
    for dx, dy in itertools.product(range(-260, 261, 26), (-60, 0, 60)):
        ActionChains(reader.driver, duration=0).move_to_element_with_offset(host, dx, dy).perform()
        if bubble.is_displayed():
            found = bubble.text
            break
    total, each = found.split("\n")
    assert re.fullmatch(r"\d+ texts?", total)
    counts = [int(part.rsplit(": ")[1]) for part in each.split(" · ")]
    assert sum(counts) == int(total.split()[0])


WORDS = r"""
const broken = [], range = document.createRange();
for (const cell of document.querySelectorAll("td:not(.text), th")) {
  if (!cell.checkVisibility() || getComputedStyle(cell).overflowWrap === "anywhere") continue;
  const walker = document.createTreeWalker(cell, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    for (const word of walker.currentNode.data.matchAll(/[\p{L}\p{N}.,]+/gu)) {
      range.setStart(walker.currentNode, word.index);
      range.setEnd(walker.currentNode, word.index + word[0].length);
      if (new Set([...range.getClientRects()].map(r => Math.round(r.top))).size > 1)
        broken.push(word[0]);
    }
  }
}
return broken;
"""


@pytest.mark.parametrize(("width", "media"), [(1280, ""), (390, ""), (700, "print")])
def test_no_word_or_number_of_a_table_is_broken(reader: Reader, width: int, media: str) -> None:
    driver = reader.driver
    size = {"width": width, "height": 800, "deviceScaleFactor": 1, "mobile": False}
    driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": media})
    try:
        for summary in reader.all("details"):
            reader.run("arguments[0].open = true", summary)
        assert reader.run(WORDS) == []
        narrow = "document.querySelector('#worth-reading').style.width = '1px';"
        if width > 640:  # on a phone, the rows are cards
            assert reader.run(narrow + WORDS) == []
        assert reader.run(
            "const e = document.createElement('style'); document.head.append(e);"
            "e.textContent = 'td, th {overflow-wrap: break-word; max-width: 1ch !important;"
            " white-space: normal !important}';" + WORDS
        )  # the test can see a broken word
    finally:
        wide = {"width": 1280, "height": 800, "deviceScaleFactor": 1, "mobile": False}
        driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", wide)


def test_a_phone_shows_no_empty_field_and_speaks_of_fingers(reader: Reader, page: Path) -> None:
    driver = reader.driver
    size = {"width": 390, "height": 800, "deviceScaleFactor": 2, "mobile": True}
    by_touch, by_mouse = (
        f"return document.querySelector('.by-{k}').checkVisibility()" for k in ("touch", "mouse")
    )
    assert [reader.run(by_touch), reader.run(by_mouse)] == [False, True]
    driver.execute_cdp_cmd("Emulation.setTouchEmulationEnabled", {"enabled": True})
    driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    try:
        reader.open(page)
        assert [reader.run(by_touch), reader.run(by_mouse)] == [True, False]
        reader.press("#all-rows")
        empty = [
            cell for cell in reader.all("#worth-reading td") if not cell.get_property("textContent")
        ]
        assert empty
        assert not any(cell.is_displayed() for cell in empty)
        sizes = reader.run(
            "return [...document.querySelectorAll('.chart text')]"
            ".map(t => t.getBoundingClientRect().height)"
        )
        assert min(sizes) > 11
    finally:
        driver.execute_cdp_cmd("Emulation.setTouchEmulationEnabled", {"enabled": False})
        wide = {"width": 1280, "height": 800, "deviceScaleFactor": 1, "mobile": False}
        driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", wide)


@pytest.mark.parametrize("color", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
def test_everybody_can_use_it_in_every_state(reader: Reader, color: str, width: int) -> None:
    driver = reader.driver
    size = {"width": width, "height": 800, "deviceScaleFactor": 1, "mobile": False}
    scheme = {"name": "prefers-color-scheme", "value": color}
    driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [scheme, AT_ONCE]})
    try:
        assert reader.run("return document.documentElement.scrollWidth") <= width
        paper = reader.run("return getComputedStyle(document.body).backgroundColor")
        assert (sum(map(int, re.findall(r"\d+", paper))) < 200) == (color == "dark")
        assert reader.violations() == []
        reader.press('table[data-touch="test"] td.right button')
        for summary in reader.all("summary"):
            reader.run("arguments[0].parentElement.open = true", summary)
        if width > 640:  # on a phone, the rows are cards
            reader.press("#worth-reading th:nth-child(3) button")
        Select(reader.get("#view")).select_by_value("density")
        reader.press("button[data-class]")
        assert reader.violations() == []
    finally:
        wide = {"width": 1280, "height": 800, "deviceScaleFactor": 1, "mobile": False}
        driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", wide)


def test_where_no_script_runs_the_pictures_are_there(reader: Reader, page: Path) -> None:
    reader.driver.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": True})
    try:
        reader.driver.get(page.as_uri())
        for css in ("figure.without-js img", ".verdict", ".ladder .bar", "table.matrix", ".chart"):
            assert reader.get(css).is_displayed(), css
        for css in ("#map-host", "#download", "#color"):
            assert not reader.get(css).is_displayed(), css
        picture = reader.get("figure.without-js img")
        assert int(str(picture.get_property("naturalWidth"))) > 100
    finally:
        reader.driver.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": False})


def test_it_prints_with_the_picture_of_the_map(reader: Reader) -> None:
    reader.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "print"})
    assert reader.get("figure.without-js img").is_displayed()
    assert not reader.get("#map-host").is_displayed()
    assert not reader.get("#download").is_displayed()
    # Chromium leaves out a button in a head that it repeats.
    button = reader.get("#worth-reading th button")
    assert button.value_of_css_property("display") == "contents"
    pdf = base64.b64decode(reader.driver.print_page())
    assert pdf.startswith(b"%PDF")
    assert 3 < len(re.findall(rb"/Type\s*/Page\b", pdf)) < 40
