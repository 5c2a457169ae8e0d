"""The map as its user meets it: what is drawn, found, moved and said, in both ways to draw."""

from __future__ import annotations

import base64
import io

import numpy as np
import pytest
from PIL import Image
from selenium.webdriver import Keys

from tests.show.map.conftest import HEIGHT, WIDTH, MapPage, OpenMap

# Five points on a cross, from left to right and then from below: 0 1 2, 3 4.
CROSS = ([0, 5, 10, 5, 5], [3.5, 3.5, 3.5, 0, 7])
RED, GREEN, BLUE, HIDDEN = [200, 0, 0, 255], [0, 150, 0, 255], [0, 0, 220, 255], [0, 0, 0, 0]


def near(color: np.ndarray, wanted: list[int], by: int = 70) -> bool:
    """Points let a quarter of the paper through."""
    return bool(np.abs(color - np.array(wanted[:3])).max() <= by)


def cloud(n: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    random = np.random.default_rng(7)
    group = random.integers(0, 3, n)
    x = np.array([0, 6, 9])[group] + random.normal(size=n)
    y = np.array([0, 5, 1])[group] + random.normal(size=n)
    return x, y, np.array([RED, GREEN, BLUE])[group]


def test_points_stand_at_their_places_in_their_colors(open_map: OpenMap, renderer: str) -> None:
    page = open_map(*CROSS, [RED, GREEN, BLUE, RED, HIDDEN], renderer)
    assert page.js("return map.renderer") == renderer
    picture = page.picture()
    for i, color in enumerate((RED, GREEN, BLUE, RED)):
        x, y = page.place(i)
        assert near(picture[round(y), round(x)], color)
    x, y = page.place(4)
    assert picture[round(y) - 5 : round(y) + 5, round(x) - 5 : round(x) + 5].min() == 255


def test_without_a_graphics_card_the_faster_way_is_chosen(open_map: OpenMap) -> None:
    page = open_map(*CROSS, renderer=None)
    assert page.js("return map.renderer") == "canvas"
    assert page.picture().min() < 100


def test_both_ways_give_alike_pictures(open_map: OpenMap) -> None:
    steps = ("", "map.setView('density')", "map.setHighlight([0, 1, 2, 3])")
    pictures = []
    for renderer in ("canvas", "webgl2"):
        page = open_map(*cloud(2000), renderer)
        for step in steps:
            page.js(step)
            pictures.append(page.picture())
    for one, other in zip(pictures[:3], pictures[3:], strict=True):
        assert (one < 200).any(axis=2).mean() > 0.01
        # The canvas puts points onto whole pixels, so compare means over ten pixels.
        cells = [a.reshape(60, 10, 80, 10, 3).mean(axis=(1, 3)) for a in (one, other)]
        assert np.abs(cells[0] - cells[1]).mean() < 1
        assert np.abs(cells[0] - cells[1]).max() < 40


def test_the_pointer_finds_the_nearest_visible_point_within_reach(open_map: OpenMap) -> None:
    page = open_map(*CROSS, [RED, GREEN, BLUE, RED, HIDDEN])
    x, y = page.place(2)
    page.move(x - 11, y)
    index, found_x, found_y = page.js("return hovers.at(-1)")
    assert (index, round(found_x), round(found_y)) == (2, round(x), round(y))
    page.move(x - 14, y)
    assert page.hovered() == -1
    hidden = page.place(4)
    page.move(*hidden)
    assert page.hovered() == -1
    page.js("map.setColors(new Uint8Array(20).fill(255))")
    page.move(hidden[0] + 1, hidden[1])
    assert page.hovered() == 4
    page.move(WIDTH + 100, 100)
    assert page.hovered() == -1


def test_a_point_that_is_hidden_under_the_pointer_is_left(open_map: OpenMap) -> None:
    page = open_map(*CROSS)
    page.move(*page.place(1))
    assert page.hovered() == 1
    page.js("map.setColors(new Uint8Array(20))")
    assert page.hovered() == -1


def test_a_drag_moves_the_map_and_a_click_picks(open_map: OpenMap, renderer: str) -> None:
    page = open_map(*CROSS, renderer=renderer)
    x, y = page.place(1)
    page.drag((x, y), 120, -80)
    assert page.js("return picks") == []
    assert page.at(x + 120, y - 80) == 1
    assert page.at(x, y) == -1
    assert page.picture()[round(y) - 80, round(x) + 120].max() < 100
    page.click(x + 120, y - 80)
    page.click(x, y + 60)
    assert page.js("return picks") == [1, -1]


def test_the_map_can_not_be_dragged_out_of_sight(open_map: OpenMap) -> None:
    page = open_map(*CROSS)
    for _ in range(4):
        page.drag((50, 300), 700, 0)
    assert page.at(WIDTH / 2, HEIGHT / 2) == 0


def test_the_wheel_belongs_to_the_page_until_a_click(open_map: OpenMap) -> None:
    page = open_map(*CROSS)
    x, y = page.place(1)
    page.wheel(x + 40, y + 20, 100)
    assert page.js("return window.scrollY") == 100
    assert page.js("return host.innerText").count("Ctrl + wheel to zoom") == 1
    page.js("window.scrollTo(0, 0)")
    page.click(x + 40, y + 20)
    page.wheel(x + 40, y + 20, -300)
    assert page.js("return window.scrollY") == 0
    grown = np.exp(0.6)  # what is under the pointer stays there
    assert page.at(x + 40 - 40 * grown, y + 20 - 20 * grown) == 1
    page.move(WIDTH + 50, 50)
    page.wheel(x, y, 100)
    assert page.js("return window.scrollY") == 100


def test_the_wheel_with_ctrl_zooms_at_once(open_map: OpenMap) -> None:
    page = open_map(*CROSS)
    x, y = page.place(1)
    page.wheel(x + 40, y, -300, key=Keys.CONTROL)
    assert page.js("return [window.scrollY, devicePixelRatio]") == [0, 1]
    assert page.at(x + 40 - 40 * np.exp(0.6), y) == 1


def test_a_double_click_zooms_in(open_map: OpenMap) -> None:
    page = open_map(*CROSS)
    x, y = page.place(1)
    page.click(x + 50, y, times=2)
    assert page.at(x + 50 - 100, y) == 1


def test_the_buttons_have_names_and_zoom(open_map: OpenMap) -> None:
    page = open_map(*CROSS)
    names = page.js("return [...host.querySelectorAll('button')].map(b => b.ariaLabel)")
    assert names == ["Zoom in", "Zoom out", "Back to the first view"]
    zoom_in, zoom_out, show_all = page.driver.find_elements("css selector", "button")
    zoom_in.click()
    zoom_in.click()
    assert page.at(*page.place(1)) == 1
    assert page.at(*page.place(3)) == -1  # it is out of view, below
    zoom_out.click()
    assert page.at(*page.place(4, zoom=1.5)) == 4
    page.drag((300, 300), 50, 50)
    show_all.click()
    assert [page.at(*page.place(i)) for i in range(5)] == [0, 1, 2, 3, 4]


def test_the_keyboard_moves_zooms_and_leaves(open_map: OpenMap) -> None:
    page = open_map(*CROSS)
    x, y = page.place(1)
    page.press(Keys.TAB)
    assert page.js("return document.activeElement.getAttribute('aria-label')").startswith("Texts.")
    page.press(Keys.ARROW_RIGHT, Keys.ARROW_UP)
    assert page.at(x - 60, y + 60) == 1
    page.press("0", "+")
    assert page.at(*page.place(0, zoom=1.5)) == 0
    page.press("-")
    assert page.at(*page.place(0)) == 0
    page.press(Keys.TAB)
    assert page.js("return document.activeElement.ariaLabel") == "Zoom in"


def test_the_keyboard_goes_from_neighbor_to_neighbor(open_map: OpenMap) -> None:
    x, y, rgba = cloud(60)
    rgba[::4] = HIDDEN
    page = open_map(x, y, rgba)
    page.press(Keys.TAB, *["n"] * 45)
    walked = [index for index, *_ in page.js("return hovers")]
    visible = [i for i in range(60) if i % 4]
    assert sorted(walked) == visible
    ways = np.hypot(np.diff(x[walked]), np.diff(y[walked]))
    at_random = np.hypot(np.diff(x[visible]), np.diff(y[visible]))
    assert ways.mean() < at_random.mean() / 2
    page.press("p", Keys.PAGE_DOWN, Keys.PAGE_UP, Keys.ENTER)
    assert [index for index, *_ in page.js("return hovers")][45:] == [
        walked[-2],
        walked[-1],
        walked[-2],
    ]
    assert page.js("return picks") == [walked[-2]]


def test_keys_with_ctrl_belong_to_the_browser(open_map: OpenMap) -> None:
    page = open_map(*CROSS)
    refused = page.js(
        "const stage = host.querySelector('[tabindex]');"
        "return ['n', '+', '0'].map(key => stage.dispatchEvent("
        "new KeyboardEvent('keydown', {key, ctrlKey: true, cancelable: true})))"
    )
    assert refused == [True, True, True]
    assert page.hovered() == -1


def test_fingers_move_and_pinch(open_map: OpenMap) -> None:
    page = open_map(*CROSS)
    x, y = page.place(1)

    def touch(kind: str, *places: tuple[float, float]) -> None:
        points = [{"x": px, "y": py, "id": k} for k, (px, py) in enumerate(places)]
        event = {"type": kind, "touchPoints": points}
        page.driver.execute_cdp_cmd("Input.dispatchTouchEvent", event)

    touch("touchStart", (x, y))
    touch("touchMove", (x + 30, y + 10))
    touch("touchMove", (x + 60, y + 40))
    touch("touchEnd")
    assert page.at(x + 60, y + 40) == 1
    assert page.js("return [picks.length, window.scrollY]") == [0, 0]
    page.js("map.reset()")
    touch("touchStart", (x - 50, y), (x + 50, y))
    touch("touchMove", (x - 75, y), (x + 75, y))
    touch("touchMove", (x - 100, y), (x + 100, y))
    touch("touchEnd")
    assert page.at(*page.place(4)) == -1  # it is out of view
    assert page.at(x, y) == 1
    assert page.js("return picks") == []
    page.js("map.reset()")
    touch("touchStart", page.place(2))
    touch("touchEnd")
    assert page.js("return picks") == [2]


def test_highlighted_points_have_rings_and_others_fade(open_map: OpenMap, renderer: str) -> None:
    page = open_map(*CROSS, [RED, RED, RED, RED, HIDDEN], renderer)
    page.js("map.setTheme({ink: 'rgb(0, 0, 255)', paper: 'white', line: 'gray'})")
    page.js("map.setHighlight([1, 4])")
    picture = page.picture()

    def around(i: int) -> np.ndarray:
        x, y = page.place(i)
        return picture[round(y) - 8 : round(y) + 9, round(x) - 8 : round(x) + 9].reshape(-1, 3)

    x, y = page.place(1)
    assert near(picture[round(y), round(x)], RED, by=10)
    assert any(near(pixel, [0, 0, 255], by=60) for pixel in around(1))
    assert around(2).min() > 180  # faded
    assert around(4).min() == 255  # hidden
    page.js("map.setHighlight(null)")
    x, y = page.place(2)
    assert near(page.picture()[round(y), round(x)], RED)


def test_density_says_its_scale_and_shows_the_most_frequent_color(
    open_map: OpenMap, renderer: str
) -> None:
    x = [0.0] * 50 + [10.0] * 4 + [5.0] * 9
    rgba = [RED] * 30 + [GREEN] * 20 + [BLUE] * 4 + [HIDDEN] * 9
    page = open_map(x, [6.0] * 50 + [0.0] * 4 + [3.0] * 9, rgba, renderer)
    page.js("map.setView('density')")
    assert "Strongest color: 50 points in a hexagon" in page.js("return host.innerText")
    picture = page.picture()

    def strongest(i: int) -> np.ndarray:
        px, py = (round(v) for v in page.place(i))
        block = picture[max(py - 6, 0) : py + 6, px - 6 : px + 6].reshape(-1, 3)
        return block[block.sum(axis=1).argmin()]

    assert near(strongest(0), RED, by=2)
    assert near(strongest(50), (255 - 0.4835 * (255 - np.array(BLUE[:3]))).tolist(), by=4)
    px, py = (round(v) for v in page.place(54))
    assert picture[py - 15 : py + 15, px - 15 : px + 15].min() == 255
    page.js("map.setView('points')")
    assert "hexagon" not in page.js("return host.innerText")


def test_focus_moves_only_to_what_is_out_of_view(open_map: OpenMap) -> None:
    page = open_map(*CROSS)
    page.js("map.focus(0)")
    assert page.at(*page.place(2)) == 2
    assert (page.picture()[:, :40] < 100).any(axis=2).sum() > 60  # the mark
    page.press(Keys.TAB, "+", "+", "+", "+")
    page.js("map.focus(4)")
    assert page.at(WIDTH / 2, HEIGHT / 2) == 4
    page.press(Keys.ENTER)
    assert page.js("return picks") == [4]
    page.js("map.focus(-1); map.reset()")
    page.press(Keys.ENTER)
    assert page.js("return picks") == [4, -1]


def test_a_theme_colors_paper_and_buttons(open_map: OpenMap, renderer: str) -> None:
    page = open_map(*CROSS, renderer=renderer)
    page.js("map.setTheme({ink: '#e5e9ef', paper: '#14181e', line: '#333b47'})")
    assert page.picture()[5, 5].tolist() == [0x14, 0x18, 0x1E]
    color = page.js("return getComputedStyle(host.querySelector('button')).color")
    assert color == "rgb(229, 233, 239)"


def test_the_map_follows_its_size_and_the_screen(open_map: OpenMap, renderer: str) -> None:
    page = open_map(*CROSS, renderer=renderer)
    page.js("host.style.width = '400px'")
    assert page.at(24, 300) == 0
    size = {"width": 1280, "height": 800, "deviceScaleFactor": 2, "mobile": False}
    page.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    try:
        page.js("host.style.width = '401px'")
        canvas = "const c = host.querySelector('canvas');"
        assert page.js(f"{canvas} return [c.width, c.height]") == [802, 1200]
        assert page.js(f"{canvas} return c.getBoundingClientRect().width") == 401
    finally:
        usual = size | {"deviceScaleFactor": 1}
        page.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", usual)


def test_nothing_is_drawn_unless_something_changed(open_map: OpenMap) -> None:
    page = open_map(*CROSS)
    page.js("frames = 0; await new Promise(d => setTimeout(d, 300))")
    assert page.js("return frames") == 0
    page.move(*page.place(1))
    page.js("")
    assert page.js("return frames") == 0
    page.js("map.setHighlight([1]); map.setView('points'); map.reset()")
    assert page.js("return frames") == 1


def test_a_picture_for_a_download_shows_the_map(open_map: OpenMap, renderer: str) -> None:
    page = open_map(*CROSS, [RED] * 5, renderer)
    kind, _, content = page.js("return map.toPNG()").partition(",")
    assert kind == "data:image/png;base64"
    with Image.open(io.BytesIO(base64.b64decode(content))) as image:
        assert image.size == (WIDTH, HEIGHT)
        x, y = page.place(1)
        assert near(np.array(image.convert("RGB").getpixel((round(x), round(y)))), RED)


def test_a_sample_is_drawn_while_it_moves_and_said(open_map: OpenMap, renderer: str) -> None:
    page = open_map([0, 1], [0, 1])
    notes = page.js(
        "map.destroy(); const n = 300000; const notes = [];"
        "const x = Float32Array.from({length: n}, (_, i) => i % 547);"
        "const y = Float32Array.from({length: n}, (_, i) => Math.floor(i / 547));"
        "await open(x, y, null, given[0]);"
        "const watch = new MutationObserver(() => notes.push(host.innerText));"
        "watch.observe(host, {subtree: true, childList: true, attributes: true});"
        "const key = new KeyboardEvent('keydown', {key: 'ArrowLeft'});"
        "host.querySelector('[tabindex]').dispatchEvent(key);"
        "await new Promise(d => setTimeout(d, 2500)); return notes",
        renderer,
    )
    assert any("of 300,000 while it moves" in note for note in notes)
    assert "while it moves" not in notes[-1]


def lose(page: MapPage, restored: bool) -> None:
    page.js(
        "const lost = host.querySelector('canvas').getContext('webgl2')"
        ".getExtension('WEBGL_lose_context'); lost.loseContext();"
        "await new Promise(d => setTimeout(d, 200));"
        "if (given[0]) lost.restoreContext();"
        "await new Promise(d => setTimeout(d, given[0] ? 500 : 2500))",
        restored,
    )


@pytest.mark.parametrize(("restored", "then"), [(True, "webgl2"), (False, "canvas")])
def test_a_lost_context_is_made_up_for(open_map: OpenMap, restored: bool, then: str) -> None:
    page = open_map(*CROSS, [RED] * 5, "webgl2")
    page.js("map.setHighlight([1])")
    before = page.picture()
    lose(page, restored)
    assert page.js("return map.renderer") == then
    assert np.abs(page.picture() - before).mean() < 0.5
    page.drag((300, 200), 40, 0)
    x, y = page.place(1)
    assert near(page.picture()[round(y), round(x) + 40], RED)
    page.driver.get_log("browser")  # Chromium itself warns of a lost context


def test_a_destroyed_map_leaves_nothing(open_map: OpenMap, renderer: str) -> None:
    page = open_map(*CROSS, renderer=renderer)
    page.js("map.setView('density'); map.destroy(); frames = 0")
    page.js("host.style.width = '500px'; await new Promise(d => setTimeout(d, 300))")
    assert page.js("return [host.innerHTML, frames]") == ["", 0]
    page.js("await open([0, 1], [0, 1], null, given[0])", renderer)
    assert page.at(24 + 100, 500) == -1


@pytest.mark.parametrize("n", [0, 1, 3])
def test_few_points_and_one_place_are_a_map(open_map: OpenMap, renderer: str, n: int) -> None:
    page = open_map([5.0] * n, [7.0] * n, renderer=renderer)
    page.js("map.setView('density')")
    page.js("map.setView('points')")
    page.press(Keys.TAB, "+", "n", "n", "p")
    assert (page.at(WIDTH / 2, HEIGHT / 2) >= 0) == (n > 0)


def test_points_without_a_place_are_left_out(open_map: OpenMap, renderer: str) -> None:
    page = open_map([0, 1], [0, 1])
    page.js(
        "map.destroy(); const [x, y] = [[NaN, 0, 5, 10, Infinity], [0, 3.5, NaN, 3.5, 1]];"
        "await open(x, y, null, given[0])",
        renderer,
    )
    assert page.at(24, 300) == 1
    assert page.at(WIDTH - 24, 300) == 3
    page.js("map.focus(0); map.setView('density')")
    assert "Strongest color: 1 point in a hexagon" in page.js("return host.innerText")
    page.press(Keys.TAB, "n", "n", "n", "n")
    assert {index for index, *_ in page.js("return hovers")} == {1, 3}


def test_colors_of_another_length_are_refused(open_map: OpenMap) -> None:
    page = open_map(*CROSS)
    with pytest.raises(AssertionError, match="setColors needs 4 bytes per point"):
        page.js("map.setColors(new Uint8Array(16))")


def drawn(page: MapPage) -> tuple[int, int]:
    """Width and height of what is drawn, without the note in the corner and the buttons."""
    dark = (page.picture() < 200).any(axis=2)
    dark[HEIGHT - 40 :, :450] = False
    dark[:140, WIDTH - 60 :] = False
    dark = dark[5:-5, 5:-5]  # without the sign of the focus
    rows, columns = np.nonzero(dark)
    return int(np.ptp(columns)), int(np.ptp(rows))


def test_a_few_far_points_do_not_make_all_others_small(open_map: OpenMap, renderer: str) -> None:
    x, y, rgba = cloud(1000)
    x[:9], y[:9] = 4000 + np.arange(9), 4000
    page = open_map(x, y, rgba, renderer)
    assert drawn(page)[1] > 0.7 * HEIGHT
    assert "9 points farther out; zoom out to see all" in page.js("return host.innerText")
    page.press(Keys.TAB)
    before = (page.picture() < 200).any(axis=2).sum()
    page.press(*["-"] * 20)
    assert (page.picture() < 200).any(axis=2).sum() < 0.5 * before
    assert "farther out" not in page.js("return host.innerText")
    page.js("map.focus(3)")
    assert page.hovered() == -1
    page.press(Keys.ARROW_RIGHT)
    assert page.hovered() == 3
    page.press("0")
    assert drawn(page)[1] > 0.7 * HEIGHT


def test_a_group_that_is_far_is_in_the_first_view(open_map: OpenMap) -> None:
    x, y, rgba = cloud(1000)
    x[:20], y[:20] = 4000, 4000  # 2 %
    page = open_map(x, y, rgba)
    assert "farther out" not in page.js("return host.innerText")
    assert page.at(*page.place(0)) in range(20)


def test_points_aside_do_not_decide_what_is_in_view(open_map: OpenMap) -> None:
    x, y, rgba = cloud(1000)
    x[:200], y[:200] = -4000, -4000
    page = open_map([0, 1], [0, 1])
    page.js(
        "map.destroy(); const [x, y, rgba] = given; map = new PointMap(host,"
        " {x: new Float32Array(x), y: new Float32Array(y)},"
        " {label: 'Texts', renderer: 'canvas', isAside: (i) => i < 200});"
        "map.setColors(new Uint8Array(rgba))",
        *(x.tolist(), y.tolist(), rgba.astype(int).ravel().tolist()),
    )
    assert drawn(page)[1] > 0.7 * HEIGHT


def test_faint_points_cover_no_strong_one(open_map: OpenMap, renderer: str) -> None:
    n = 200
    page = open_map([0, 10] + [5] * n, [0, 7] + [3.5] * n, renderer=renderer)
    rgba = np.array([[128, 136, 148, 60], [0, 150, 0, 180]] * (n // 2 + 1))
    rgba[50] = RED
    page.js("map.setColors(new Uint8Array(given[0]))", rgba.ravel().tolist())
    x, y = page.place(50)
    assert near(page.picture()[round(y), round(x)], RED)
    page.move(x, y)
    assert page.hovered() >= 2


def test_after_a_move_by_key_the_marked_point_says_again_what_it_is(open_map: OpenMap) -> None:
    page = open_map(*CROSS)
    page.press(Keys.TAB, "n")
    marked = page.hovered()
    assert page.js("return walks") == [marked]
    page.press("+")
    assert page.hovered() == marked
    page.press(Keys.ARROW_LEFT)
    index, x, _ = page.js("return hovers.at(-1)")
    assert index == marked
    assert round(x) == round(page.place(marked, zoom=1.5)[0]) + 60
    page.press(*[Keys.ARROW_LEFT] * 8)
    assert page.hovered() == -1  # it is out of view
    page.js("map.reset(); map.focus(0)")
    page.driver.find_elements("css selector", "button")[0].click()
    assert page.hovered() == -1
    page.driver.find_elements("css selector", "button")[1].click()
    assert page.hovered() == 0


def test_a_hexagon_names_the_points_that_it_holds(open_map: OpenMap, renderer: str) -> None:
    x, y, rgba = cloud(900)
    rgba[::5] = HIDDEN
    page = open_map(x, y, rgba, renderer)
    page.js("map.setView('density')")
    page.move(*page.place(1))
    rows, left, top = page.js("const [r, x, y] = hexagons.at(-1); return [[...r], x, y]")
    assert 1 in rows
    assert not [row for row in rows if row % 5 == 0]
    places = np.array([page.place(row) for row in rows]) - (left, top)
    assert np.hypot(*places.T).max() < 15
    shown = [
        i for i in range(900) if i % 5 and np.hypot(*(page.place(i) - np.array([left, top]))) < 7
    ]
    assert set(shown) <= set(rows)
    assert page.hovered() == -1
    page.press(Keys.TAB, Keys.ARROW_LEFT)
    assert page.js("return hovers.at(-1)[0]") == -1
    page.js("map.setView('points')")
    page.move(*page.place(1, zoom=1))
    page.js("map.reset()")
    page.move(*(np.array(page.place(1)) + 1))
    assert page.hovered() >= 0
