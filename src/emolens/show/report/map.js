// @ts-check
"use strict";

/**
 * @typedef {object} MapOptions
 * @property {string} label  the accessible name
 * @property {(i: number, x: number, y: number) => void} [onHover]  the point under the pointer,
 *   finger or keyboard focus, -1 for none, and its place in CSS pixels inside of the host
 * @property {(i: number) => void} [onPick]  a click, tap or Enter on a point; -1: on no point
 * @property {'webgl2' | 'canvas'} [renderer]  instead of the faster one
 */

/** A map of points that can be moved, zoomed and asked. Knows nothing of the page around it. */
class PointMap {
  /** In CSS pixels: how near a point must be to the pointer, a hexagon, and the empty edge. */
  static #REACH = 12;
  static #HEXAGON = 10;
  static #EDGE = 24;
  /** Milliseconds without a move after which all points are drawn. */
  static #REST = 150;
  #points;
  #n;
  #options;
  #grid;
  #bounds;
  /** Every point once, in jumps: the first k are a sample of all. */
  #order;
  #places;
  #parts;
  #picture;
  #watcher;
  #rgba;
  #highlighted = new Uint32Array(0);
  /** @type {'points' | 'density'} */
  #kind = "points";
  /** @type {{ink: Rgb, paper: Rgb}} */
  #theme = { ink: [0, 0, 0], paper: [255, 255, 255] };
  /** What is in the middle, and how much larger than with all points in view. */
  #view = { x: 0, y: 0, zoom: 1 };
  #marked = -1;
  #hovered = -1;
  /** @type {{key: string, count: number, most: number} | null} the hexagons in the picture */
  #density = null;
  #frame = 0;
  #dirty = false;
  /** When the map was moved last; 0: at rest. */
  #moved = 0;
  /** When the last frame of a move was. */
  #ticked = Infinity;
  /** How many points a frame of a move draws; follows the speed of the frames. */
  #budget = 100_000;

  /**
   * @param {HTMLElement} host  an empty element with a size; the map fills it and follows its size
   * @param {PointData} points
   * @param {MapOptions} options
   */
  constructor(host, points, options) {
    this.#points = points;
    this.#n = points.x.length;
    this.#options = options;
    this.#grid = new Grid(points);
    this.#bounds = boundsOf(points);
    this.#order = inJumps(this.#n);
    this.#places = this.#placesOf(this.#order);
    this.#rgba = new Uint8Array(4 * this.#n).fill(255);
    this.#parts = new MapParts(host, options.label);
    const { stage } = this.#parts;
    this.#picture = new Picture(stage, options.renderer, () => this.#changed());
    this.#parts.onButtons([
      () => this.#zoom(1.5),
      () => this.#zoom(1 / 1.5),
      () => this.reset(),
    ]);
    new Gestures(stage, {
      pan: (dx, dy) => this.#pan(dx, dy),
      zoom: (factor, x, y) => this.#zoom(factor, x, y),
      reset: () => this.reset(),
      point: (x, y) => this.#hover(this.at(x, y)),
      leave: () => this.#hover(-1),
      pick: (x, y) => options.onPick?.(this.at(x, y)),
      pickMarked: () => options.onPick?.(this.#marked),
      walk: (step) => this.#walk(step),
      wheelRefused: () => this.#parts.hint("Ctrl + wheel to zoom"),
    });
    this.setTheme({ ink: "#1f2937", paper: "#ffffff", line: "#e2e6eb" });
    this.reset();
    this.#watcher = new ResizeObserver(() => this.#changed());
    this.#watcher.observe(stage);
  }

  /** How it is drawn: 'webgl2' or 'canvas'. */
  get renderer() {
    return this.#picture.renderer;
  }

  /**
   * The nearest visible point within 12 CSS pixels of a place inside of the host, or -1.
   * @param {number} x
   * @param {number} y
   */
  at(x, y) {
    const { width, height, scale } = this.#screen();
    const px = this.#view.x + (x - width / 2) / scale;
    const py = this.#view.y - (y - height / 2) / scale;
    return this.#grid.nearest(px, py, PointMap.#REACH / scale, this.#rgba);
  }

  /** @param {Uint8Array} rgba  4 bytes per point; alpha 0 hides a point, also from the pointer */
  setColors(rgba) {
    if (rgba.length !== 4 * this.#n) throw new RangeError("setColors needs 4 bytes per point.");
    this.#rgba = rgba.slice();
    this.#picture.set("points", this.#layer(this.#order, this.#places));
    this.setHighlight(this.#highlighted);
    this.#density = null;
    if (this.#hovered >= 0 && this.#rgba[4 * this.#hovered + 3] === 0) this.#hover(-1);
  }

  /**
   * Draw points on top, larger and with a ring; all others fade. Hidden points stay hidden.
   * @param {Uint32Array | number[] | null} indices  empty or null: none
   */
  setHighlight(indices) {
    this.#highlighted = Uint32Array.from(indices ?? []);
    this.#picture.set("highlight", this.#layer(this.#highlighted));
    this.#changed();
  }

  /** @param {'points' | 'density'} view  density: hexagons, stronger where more points are */
  setView(view) {
    this.#kind = view;
    this.#changed();
  }

  /** @param {{ink: string, paper: string, line: string}} theme  CSS colors of the surroundings */
  setTheme(theme) {
    this.#theme = { ink: rgbOf(theme.ink), paper: rgbOf(theme.paper) };
    this.#parts.color(theme);
    this.#density = null;
    this.#changed();
  }

  /** Show all points again. */
  reset() {
    this.#view = { x: this.#bounds.x, y: this.#bounds.y, zoom: 1 };
    this.#hover(-1);
    this.#changed();
  }

  /**
   * Move so that a point is visible, and mark it.
   * @param {number} i  -1: no mark, as for a point without a finite place
   */
  focus(i) {
    this.#marked = Number.isFinite(this.#points.x[i] + this.#points.y[i]) ? i : -1;
    if (this.#marked >= 0) {
      const { width, height } = this.#screen();
      const { x, y } = this.#placeOf(i);
      const edge = Math.min(PointMap.#EDGE, width / 4, height / 4) - 1;
      const inside = x >= edge && y >= edge && x <= width - edge && y <= height - edge;
      if (!inside) Object.assign(this.#view, { x: this.#points.x[i], y: this.#points.y[i] });
    }
    this.#changed();
  }

  /** What is drawn, as a PNG data URL; without the marks of the pointer and of focus(). */
  toPNG() {
    this.#paint(this.#n);
    return this.#picture.toPNG();
  }

  /** Remove the map from the page. */
  destroy() {
    this.#watcher.disconnect();
    cancelAnimationFrame(this.#frame);
    this.#frame = -1; // no frame is asked for any more
    this.#picture.destroy();
    this.#parts.destroy();
  }

  /** Size in CSS pixels, and CSS pixels per unit. */
  #screen() {
    const { clientWidth: width, clientHeight: height } = this.#parts.stage;
    const wide = Math.max(width - 2 * PointMap.#EDGE, 1) / this.#bounds.width;
    const high = Math.max(height - 2 * PointMap.#EDGE, 1) / this.#bounds.height;
    return { width, height, scale: Math.min(wide, high) * this.#view.zoom };
  }

  /** @param {number} i */
  #placeOf(i) {
    const { width, height, scale } = this.#screen();
    return {
      x: width / 2 + (this.#points.x[i] - this.#view.x) * scale,
      y: height / 2 - (this.#points.y[i] - this.#view.y) * scale,
    };
  }

  /** @param {number} dx @param {number} dy */
  #pan(dx, dy) {
    const { scale } = this.#screen();
    const { x, y, width, height } = this.#bounds;
    // The middle of the view stays among the points, so that nobody gets lost.
    this.#view.x = clamp(this.#view.x - dx / scale, x - width / 2, x + width / 2);
    this.#view.y = clamp(this.#view.y + dy / scale, y - height / 2, y + height / 2);
    this.#moved = performance.now();
    this.#hover(-1);
    this.#changed();
  }

  /** @param {number} factor @param {number} [x] @param {number} [y] */
  #zoom(factor, x, y) {
    const { width, height, scale } = this.#screen();
    this.#view.zoom = clamp(this.#view.zoom * factor, 0.5, 5000);
    const grown = this.#screen().scale / scale - 1;
    this.#pan(-((x ?? width / 2) - width / 2) * grown, -((y ?? height / 2) - height / 2) * grown);
  }

  /** @param {number} i */
  #hover(i) {
    if (i < 0 && this.#hovered < 0) return;
    this.#hovered = i;
    const place = i < 0 ? null : this.#placeOf(i);
    this.#parts.ring("hovered", place);
    this.#options.onHover?.(i, place?.x ?? 0, place?.y ?? 0);
  }

  /** @param {1 | -1} step */
  #walk(step) {
    const { x, y } = this.#view;
    this.focus(
      this.#marked < 0
        ? this.#grid.nearest(x, y, Infinity, this.#rgba)
        : this.#grid.next(this.#marked, step, this.#rgba),
    );
    this.#hover(this.#marked);
  }

  /**
   * @param {Uint32Array} indices
   * @param {{x: Float32Array, y: Float32Array}} [places]  of these points, where they are known
   * @returns {Layer}
   */
  #layer(indices, places = this.#placesOf(indices)) {
    const colors = new Uint32Array(indices.length);
    const { buffer } = gather(new Uint32Array(this.#rgba.buffer), indices, colors);
    return { ...places, rgba: new Uint8Array(buffer) };
  }

  /** @param {Uint32Array} indices */
  #placesOf(indices) {
    const { x, y } = this.#points;
    return {
      x: gather(x, indices, new Float32Array(indices.length)),
      y: gather(y, indices, new Float32Array(indices.length)),
    };
  }

  #changed() {
    this.#dirty = true;
    this.#frame ||= requestAnimationFrame((now) => this.#tick(now));
  }

  /**
   * A frame. While the map moves there is one after the other, so that the time between two says
   * how fast this machine is; only those with something new are drawn.
   * @param {number} now
   */
  #tick(now) {
    this.#frame = 0;
    const moves = this.#moved > 0 && (this.#dirty || now - this.#moved < PointMap.#REST);
    if (moves) this.#adapt(now - this.#ticked);
    if (this.#dirty || !moves) this.#paint(moves ? Math.min(this.#budget, this.#n) : this.#n);
    this.#dirty = false;
    this.#ticked = moves ? now : Infinity;
    if (moves) this.#frame = requestAnimationFrame((then) => this.#tick(then));
    else this.#moved = 0;
  }

  /**
   * Fewer points where the frames of a move are slow, more where they are fast.
   * @param {number} taken  milliseconds since the last frame; less than 0 for the first
   */
  #adapt(taken) {
    if (taken > 50) this.#budget = Math.max(Math.floor(this.#budget * 0.7), 20_000);
    if (taken > 0 && taken < 25) this.#budget = Math.min(Math.floor(this.#budget * 1.3), 1e9);
  }

  /** @param {number} count  of the points, if they are shown */
  #paint(count) {
    const { width, height, scale } = this.#screen();
    if (width === 0 || height === 0) return;
    const fade = this.#highlighted.length > 0;
    const size = this.#pointSize();
    /** @type {Stroke[]} */
    const strokes = [{ name: "points", count, shape: "disc", size, alpha: fade ? 0.15 : 0.75 }];
    let note = count < this.#n ? `${numeral(count)} of ${numeral(this.#n)} while it moves` : "";
    if (this.#kind === "density") {
      const { corner, hexagons, most } = this.#hexagons();
      const alpha = fade ? 0.3 : 1;
      strokes[0] = { name: "density", count: hexagons, shape: "hexagon", size: 2 * corner, alpha };
      note = `Strongest color: ${numeral(most)} ${most === 1 ? "point" : "points"} in a hexagon`;
    }
    const ring = Math.max(size + 4, 8);
    const found = this.#highlighted.length;
    strokes.push({ name: "highlight", count: found, shape: "ring", size: ring, alpha: 1 });
    this.#picture.paint({ x: this.#view.x, y: this.#view.y, scale }, this.#theme, strokes);
    this.#parts.note(note);
    this.#parts.ring("marked", this.#marked < 0 ? null : this.#placeOf(this.#marked));
  }

  /** 4 CSS pixels for 20,000 points, 1.8 for a million; larger when they are zoomed. */
  #pointSize() {
    const base = clamp(4 * (20_000 / Math.max(this.#n, 1)) ** 0.21, 1.5, 8);
    return Math.min(base * Math.max(this.#view.zoom, 1) ** 0.25, Math.max(base, 10));
  }

  /** Count anew when the zoom changed by a step, or when the view left what was counted. */
  #hexagons() {
    const { width, height, scale } = this.#screen();
    const bounds = this.#bounds;
    const radius = PointMap.#HEXAGON / 2 ** (Math.round(2 * Math.log2(scale)) / 2);
    // What is counted changes in steps of half a view.
    const [wide, high] = [width / scale / 2, height / scale / 2];
    const [column, row] = [Math.round(this.#view.x / wide), Math.round(this.#view.y / high)];
    const key = [radius, column, row, width, height].join();
    if (this.#density?.key !== key) {
      const box = {
        left: Math.max((column - 2) * wide, bounds.x - bounds.width / 2 - radius),
        right: Math.min((column + 2) * wide, bounds.x + bounds.width / 2 + radius),
        bottom: Math.max((row - 2) * high, bounds.y - bounds.height / 2 - radius),
        top: Math.min((row + 2) * high, bounds.y + bounds.height / 2 + radius),
      };
      const found = countHexagons(this.#points, this.#rgba, box, radius);
      const rgba = shades(found, this.#theme.paper);
      this.#picture.set("density", { x: found.x, y: found.y, rgba });
      this.#density = { key, count: found.x.length, most: found.most };
    }
    const { count: hexagons, most } = this.#density;
    return { corner: radius * scale, hexagons, most };
  }
}

/** @param {number} value @param {number} low @param {number} high */
function clamp(value, low, high) {
  return Math.min(Math.max(value, low), high);
}

/** @param {number} n */
function numeral(n) {
  return n.toLocaleString("en-US");
}
