"""A page with nothing but the map, and what a test does with it: move, click, read pixels."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from selenium.webdriver import ActionChains, Chrome
from selenium.webdriver.common.actions.action_builder import ActionBuilder
from selenium.webdriver.common.actions.wheel_input import ScrollOrigin

from emolens.show.report.mapscript import map_script
from tests.show.browser import write_page

WIDTH, HEIGHT, EDGE = 800, 600, 24
BODY = f'<div id="host" style="width:{WIDTH}px;height:{HEIGHT}px"></div><p style="height:3000px">'
HARNESS = """
let map, hovers = [], picks = [], hexagons = [], walks = [], frames = 0;
const host = document.getElementById("host");
const ask = requestAnimationFrame.bind(window);
window.requestAnimationFrame = (f) => { frames++; return ask(f); };
const settle = () => new Promise((done) => ask(() => ask(() => ask(done))));
function open(x, y, rgba, renderer) {
  map = new PointMap(host, {x: new Float32Array(x), y: new Float32Array(y)}, {
    label: "Texts", renderer,
    onHover: (...found) => hovers.push(found), onPick: (i) => picks.push(i),
    onHexagon: (...found) => hexagons.push(found), onWalk: (i) => walks.push(i),
  });
  if (rgba) map.setColors(new Uint8Array(rgba));
  return settle();
}
"""


class MapPage:
    """Places are CSS pixels inside of the map, which is at the corner of the page."""

    def __init__(self, driver: Chrome) -> None:
        self.driver = driver
        self.x, self.y = np.zeros(0), np.zeros(0)

    def js(self, code: str, *arguments: Any) -> Any:
        """What a piece of JavaScript returns, after the frame that it caused."""
        wrapped = (
            "const done = arguments[arguments.length - 1];"
            f"(async (...given) => {{ {code} }})(...[...arguments].slice(0, -1))"
            ".then(async (r) => { await settle(); done([r ?? null]); },"
            " (e) => done(String(e)))"
        )
        answer = self.driver.execute_async_script(wrapped, *arguments)
        assert isinstance(answer, list), answer
        return answer[0]

    def place(self, i: int, *, zoom: float = 1.0) -> tuple[float, float]:
        """Where a point is with all points in view, or after a zoom at the center."""
        wide, high = np.ptp(self.x), np.ptp(self.y)
        scale = zoom * min((WIDTH - 2 * EDGE) / wide, (HEIGHT - 2 * EDGE) / high)
        x = WIDTH / 2 + (self.x[i] - self.x.min() - wide / 2) * scale
        y = HEIGHT / 2 - (self.y[i] - self.y.min() - high / 2) * scale
        return float(x), float(y)

    def move(self, x: float, y: float) -> None:
        builder = ActionBuilder(self.driver, duration=0)
        builder.pointer_action.move_to_location(round(x), round(y))
        builder.perform()

    def click(self, x: float, y: float, *, times: int = 1) -> None:
        builder = ActionBuilder(self.driver, duration=0)
        builder.pointer_action.move_to_location(round(x), round(y))
        for _ in range(times):
            builder.pointer_action.click()
        builder.perform()
        self.js("")

    def drag(self, start: tuple[float, float], dx: int, dy: int) -> None:
        builder = ActionBuilder(self.driver, duration=20)
        pointer = builder.pointer_action
        pointer.move_to_location(round(start[0]), round(start[1])).pointer_down()
        pointer.move_to_location(round(start[0]) + dx, round(start[1]) + dy).pointer_up()
        builder.perform()
        self.js("")

    def wheel(self, x: float, y: float, delta: int, *, key: str = "") -> None:
        actions = ActionChains(self.driver, duration=0)
        if key:
            actions.key_down(key)
        actions.scroll_from_origin(ScrollOrigin.from_viewport(round(x), round(y)), 0, delta)
        if key:
            actions.key_up(key)
        actions.perform()
        self.js("await new Promise(d => setTimeout(d, 100))")

    def press(self, *keys: str) -> None:
        ActionChains(self.driver, duration=0).send_keys(*keys).perform()
        self.js("")

    def hovered(self) -> int:
        """The point that onHover named last, or -1."""
        return int(self.js("return hovers.length ? hovers.at(-1)[0] : -1"))

    def at(self, x: float, y: float) -> int:
        return int(self.js("return map.at(...given)", x, y))

    def picture(self) -> np.ndarray:
        """What the user sees, rows × columns × 3."""
        self.js("")
        with Image.open(io.BytesIO(self.driver.get_screenshot_as_png())) as image:
            return np.asarray(image.convert("RGB")).astype(int)[:HEIGHT, :WIDTH]


OpenMap = Callable[..., MapPage]


@pytest.fixture(params=["canvas", "webgl2"])
def renderer(request: pytest.FixtureRequest) -> str:
    """The two ways to draw."""
    return str(request.param)


@pytest.fixture
def open_map(driver: Chrome, tmp_path: Path) -> OpenMap:
    """Open a page with a map of these places and colors (n × 4; by default all are black)."""

    def call(x: Any, y: Any, rgba: Any = None, renderer: str | None = "canvas") -> MapPage:
        driver.get(write_page(tmp_path / "map.html", map_script(), HARNESS, body=BODY).as_uri())
        page = MapPage(driver)
        page.x, page.y = np.asarray(x, dtype=float), np.asarray(y, dtype=float)
        colors = np.asarray([[0, 0, 0, 255]] * len(page.x) if rgba is None else rgba)
        given = (page.x.tolist(), page.y.tolist(), colors.astype(int).ravel().tolist())
        page.js("await open(...given)", *given, renderer)
        return page

    return call
