"""What the map is made of: the search against brute force, hexagons, sizes, and types."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from selenium.webdriver import Chrome

from emolens.show.report.mapscript import map_script
from tests.conftest import ROOT
from tests.show.browser import write_page

FOLDER = ROOT / "src" / "emolens" / "show" / "report"
TOOLS = """
function places(n, kind) {
  let seed = 3;
  const random = () => ((seed = (Math.imul(seed, 1664525) + 1013904223) | 0) >>> 0) / 2 ** 32;
  const x = new Float32Array(n), y = new Float32Array(n), rgba = new Uint8Array(4 * n);
  for (let i = 0; i < n; i++) {
    x[i] = kind === "line" ? 4 : kind === "far" && i === 5 ? 1e9 : random() ** 3 * 20;
    y[i] = kind === "grid" ? Math.floor(random() * 6) : random() * 10;
    rgba.set([40 * Math.floor(random() * 3), 7, 9, random() < 0.4 ? 0 : 255], 4 * i);
  }
  return {points: {x, y}, rgba};
}
function nearest({x, y}, rgba, px, py, radius) {
  let best = Infinity;
  for (let i = 0; i < x.length; i++) {
    if (rgba[4 * i + 3]) best = Math.min(best, (x[i] - px) ** 2 + (y[i] - py) ** 2);
  }
  return best <= radius * radius ? best : null;
}
"""


@pytest.fixture
def rooms(driver: Chrome, tmp_path: Path) -> Chrome:
    """A page with the classes and functions that map_script() keeps for itself."""
    scripts = [(FOLDER / f"{name}.js").read_text("utf-8") for name in ("grid", "density")]
    driver.get(write_page(tmp_path / "rooms.html", *scripts, TOOLS).as_uri())
    return driver


@pytest.mark.parametrize("kind", ["cloud", "line", "far", "grid"])
@pytest.mark.parametrize("n", [1, 7, 3000])
def test_the_grid_finds_what_brute_force_finds(rooms: Chrome, kind: str, n: int) -> None:
    wrong = rooms.execute_script(
        "const {points, rgba} = places(...arguments); const grid = new Grid(points);"
        "const wrong = [];"
        "for (let k = 0; k < 500; k++) for (const radius of [0.3, 4, Infinity]) {"
        "  const [px, py] = [(k * 7.3) % 30 - 5, (k * 3.1) % 20 - 5];"
        "  const i = grid.nearest(px, py, radius, rgba);"
        "  const far = i < 0 ? null : (points.x[i] - px) ** 2 + (points.y[i] - py) ** 2;"
        "  if (far !== nearest(points, rgba, px, py, radius)) wrong.push([k, radius, i]);"
        "} return wrong",
        n,
        kind,
    )
    assert wrong == []


@pytest.mark.parametrize("kind", ["cloud", "line", "far", "grid"])
def test_a_walk_meets_each_visible_point_once(rooms: Chrome, kind: str) -> None:
    there, back, visible = rooms.execute_script(
        "const {points, rgba} = places(500, arguments[0]); const grid = new Grid(points);"
        "const visible = Array.from({length: 500}, (_, i) => i).filter(i => rgba[4 * i + 3]);"
        "const walk = (step) => { const met = [visible[0]]; for (;;) {"
        "  const i = grid.next(met.at(-1), step, rgba); if (i === met[0] || met.length > 500)"
        "  return met; met.push(i); } };"
        "return [walk(1), walk(-1), visible]",
        kind,
    )
    assert sorted(there) == visible
    assert there[1:] == back[:0:-1]


def test_the_pointer_finds_one_of_a_million_points_at_once(rooms: Chrome) -> None:
    took = rooms.execute_script(
        "const {points, rgba} = places(1e6, 'cloud'); const grid = new Grid(points);"
        "const started = performance.now();"
        "for (let k = 0; k < 1000; k++) grid.nearest(k % 20, (k * 3.1) % 10, 0.2, rgba);"
        "return (performance.now() - started) / 1000"
    )
    assert took < 0.5  # milliseconds; 0.02 on a quiet machine


def hexagons(rooms: Chrome, box: dict[str, float], radius: float) -> dict[str, Any]:
    found = rooms.execute_script(
        "const {points, rgba} = places(3000, 'cloud');"
        "const found = countHexagons(points, rgba, ...arguments);"
        "const plain = (array) => [...array];"
        "return {...Object.fromEntries(Object.entries(found).map("
        "  ([k, v]) => [k, v.length === undefined ? v : plain(v)])),"
        "  px: plain(points.x), py: plain(points.y), rgba: plain(rgba)}",
        box,
        radius,
    )
    assert isinstance(found, dict)
    return found


def test_hexagons_count_visible_points_of_the_box_at_their_nearest_center(rooms: Chrome) -> None:
    box = {"left": 1.5, "right": 18, "bottom": 0.5, "top": 9}
    found = hexagons(rooms, box, 0.7)
    px, py = np.array(found["px"]), np.array(found["py"])
    rgba = np.array(found["rgba"]).reshape(-1, 4)
    inside = (px >= 1.5) & (px <= 18) & (py >= 0.5) & (py <= 9) & (rgba[:, 3] > 0)
    centers = np.column_stack([found["x"], found["y"]])
    away = np.hypot(px[inside, None] - centers[:, 0], py[inside, None] - centers[:, 1])
    nearest = away.argmin(axis=1)
    assert away.min(axis=1).max() <= 0.7 + 1e-4
    assert np.bincount(nearest, minlength=len(centers)).tolist() == found["counts"]
    assert found["most"] == max(found["counts"])
    numbers = rgba[inside, 0] | (rgba[inside, 1] << 8) | (rgba[inside, 2] << 16)
    for cell, color in enumerate(found["colors"]):
        kinds, counts = np.unique(numbers[nearest == cell], return_counts=True)
        assert kinds[counts.argmax()] == color
    # Neighbors are √3 radii apart.
    apart = np.hypot(*(centers[:, None] - centers[None]).transpose(2, 0, 1))
    assert abs(apart[apart > 0].min() - 0.7 * np.sqrt(3)) < 1e-4


def test_hexagons_stay_when_the_box_moves(rooms: Chrome) -> None:
    one = hexagons(rooms, {"left": 0, "right": 20, "bottom": 0, "top": 10}, 0.5)
    other = hexagons(rooms, {"left": -3.3, "right": 21, "bottom": -7.1, "top": 30}, 0.5)
    for key in ("x", "y", "counts", "colors"):
        assert one[key] == other[key]


def test_the_script_defines_one_name_and_asks_for_nothing_forbidden(
    driver: Chrome, tmp_path: Path
) -> None:
    before = "const before = new Set(Object.getOwnPropertyNames(window));"
    driver.get(write_page(tmp_path / "page.html", before, map_script()).as_uri())
    added = "return Object.getOwnPropertyNames(window).filter(name => !before.has(name))"
    assert driver.execute_script(added) == []  # const and class are no properties
    assert driver.execute_script("return [typeof PointMap, typeof Grid, typeof clamp]") == [
        "function",
        "undefined",
        "undefined",
    ]
    assert {path.name for path in FOLDER.glob("*.js")} >= {"map.js", "grid.js"}
    script = map_script()
    for word in ("eval(", "Function(", "innerHTML", "fetch(", "http", "</script", "<!--"):
        assert word not in script
    for path in FOLDER.glob("*.js"):
        assert path.read_text("utf-8").count("\n") < 400, path.name


def test_the_types_hold() -> None:
    compiler = shutil.which("tsc")
    if compiler is None:
        pytest.skip("there is no tsc to check the types: scripts/install-typescript")
    files = sorted(str(path) for path in FOLDER.glob("*.js"))
    options = ["--noEmit", "--checkJs", "--strict", "--target", "es2022", "--lib", "es2022,dom"]
    checked = subprocess.run(
        [compiler, *options, *files], capture_output=True, text=True, check=False
    )
    assert checked.stdout == ""
    assert checked.returncode == 0
