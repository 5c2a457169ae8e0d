"""How fast the map of the report is, in headless Chromium without a graphics card.

    python benchmarks/map.py [--points 20000 1000000] [--seconds 3] [--rounds 3]

For the way to draw that the map chooses, and for WebGL2: milliseconds from the places to the first
frame, frames while the map is moved (median and 95th percentile of the time between two), and the
search under the pointer. Of several rounds, the one with the lowest 95th percentile is shown.
"""

import argparse
import json
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from tests.show.browser import start, write_page

from emolens.show.report.mapscript import map_script

HARNESS = """
const next = () => new Promise(requestAnimationFrame);
function clusters(n) {
  let seed = 1;
  const random = () => ((seed = (Math.imul(seed, 1664525) + 1013904223) | 0) >>> 0) / 2 ** 32;
  const normal = () => Math.sqrt(-2 * Math.log(random() + 1e-9)) * Math.cos(6.2831853 * random());
  const centers = Array.from({length: 24}, () => [16 * random(), 10 * random(), 0.2 + random()]);
  const x = new Float32Array(n), y = new Float32Array(n), rgba = new Uint8Array(4 * n).fill(255);
  for (let i = 0; i < n; i++) {
    const k = Math.floor(24 * random());
    x[i] = centers[k][0] + normal() * centers[k][2];
    y[i] = centers[k][1] + normal() * centers[k][2];
    rgba.set([(k * 37) % 200, (k * 91) % 200, (k * 53) % 200], 4 * i);
  }
  return {x, y, rgba};
}
async function measure(n, renderer, seconds) {
  const {x, y, rgba} = clusters(n);
  const host = document.getElementById("host");
  const started = performance.now();
  const map = new PointMap(host, {x, y}, {label: "Map", renderer});
  map.setColors(rgba);
  await next();
  await next();
  const interactive = performance.now() - started;
  const stage = host.querySelector("[tabindex]");
  const send = (type, clientX, clientY) => stage.dispatchEvent(
    new PointerEvent(type, {pointerId: 1, button: 0, clientX, clientY, bubbles: true}));
  stage.setPointerCapture = () => {};  // there is no real pointer to capture
  await new Promise(d => setTimeout(d, 2000));
  send("pointerdown", 640, 400);
  const frames = [];
  const begin = await next();
  for (let last = begin; last - begin < 1000 * seconds; ) {
    const turn = (last - begin) / 400;
    send("pointermove", 640 + 300 * Math.sin(turn), 400 + 150 * Math.cos(turn));
    const now = await next();
    frames.push(now - last);
    last = now;
  }
  send("pointerup", 640, 400);
  const notes = [...host.querySelectorAll("div")].map(d => d.textContent);
  const note = notes.findLast(text => / of /.test(text));
  map.reset();
  const places = Array.from({length: 2000}, (_, k) => [(k * 397) % 1280, (k * 211) % 800]);
  const searched = performance.now();
  for (const [px, py] of places) map.at(px, py);
  const hover = (performance.now() - searched) / places.length;
  const used = map.renderer;
  map.destroy();
  return {used, interactive, frames, hover, note: note ?? ""};
}
"""


def quantile(values, share):
    return sorted(values)[min(int(share * len(values)), len(values) - 1)]


def measure(driver, page, n, renderer, seconds):
    """The figures of one map on a fresh page."""
    driver.get(page.as_uri())
    call = "const d = arguments[3]; measure(...[...arguments].slice(0, 3)).then(d)"
    found = driver.execute_async_script(call, n, renderer, seconds)
    frames = found.pop("frames")
    found |= {"points": n, "frames": len(frames), "median_ms": quantile(frames, 0.5)}
    return found | {"p95_ms": quantile(frames, 0.95)}


def sentence(found):
    return (
        f"{found['points']:,} points, {found['used']}: first frame after "
        f"{found['interactive']:.0f} ms; frames {found['median_ms']:.1f} ms, 95th percentile "
        f"{found['p95_ms']:.1f} ms; pointer {1000 * found['hover']:.0f} µs. {found['note']}"
    )


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--points", type=int, nargs="+", default=[20_000, 1_000_000])
    parser.add_argument("--seconds", type=float, default=3.0)
    parser.add_argument("--rounds", type=int, default=3)
    given = parser.parse_args()
    figures = {}
    with tempfile.TemporaryDirectory() as folder:
        host = '<div id="host" style="width: 1280px; height: 800px"></div>'
        page = write_page(Path(folder) / "map.html", map_script(), HARNESS, body=host)
        driver = start()
        try:
            for _ in range(given.rounds):
                for n in given.points:
                    for renderer in (None, "webgl2"):
                        found = measure(driver, page, n, renderer, given.seconds)
                        figures.setdefault((n, renderer), []).append(found)
        finally:
            driver.quit()
    best = [min(rounds, key=lambda found: found["p95_ms"]) for rounds in figures.values()]
    print("\n".join(sentence(found).rstrip() for found in best))
    print(json.dumps({"benchmark": "map", "rounds": given.rounds, "figures": best}))


if __name__ == "__main__":
    main()
