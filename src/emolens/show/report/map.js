// @ts-check
"use strict";

/**
 * @typedef {object} MapOptions
 * @property {string} label  the accessible name
 * @property {(i: number, x: number, y: number) => void} [onHover]  the point under the pointer,
 *   finger or keyboard focus, -1 for none, and its place in CSS pixels inside of the host
 * @property {(i: number) => void} [onPick]  a click, tap or Enter on a point; -1: on no point
 * @property {(i: number) => void} [onWalk]  a key went to a point
 * @property {(rows: Uint32Array, x: number, y: number) => void} [onHexagon]  the pointer is over a
 *   hexagon of these points; onHover says when it left
 * @property {(i: number) => boolean} [isAside]  points that do not decide what is in view at first
 * @property {'webgl2' | 'canvas'} [renderer]  instead of the faster one
 */

/** A map of points that can be moved, zoomed and asked. Knows nothing of the page around it. */
class PointMap {
  /** In CSS pixels: how near a point must be to the pointer, and the empty edge. */
  static #REACH = 12;
  static #EDGE = 24;
  /** Milliseconds without a move after which all points are drawn. */
  static #REST = 150;
  #points;
  #n;
  #options;
  #grid;
  #bounds;
  /** What is in view at first, and how many points are outside of it. */
  #home;
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
  /** What is in the middle, and how much larger than at first. */
  #view = { x: 0, y: 0, zoom: 1 };
  #marked = -1;
  #hovered = -1;
  #hexagon = -1;
  /** @type {{name: string, share: number}[]} the points by strength, and their shares of all */
  #layers = [];
  #density;
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
    this.#density = new Density(points, this.#bounds);
    this.#home = homeOf(points, this.#bounds, options.isAside ?? (() => false));
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
    ].map((move) => () => {
      move();
      this.#showMarked();
    }));
    new Gestures(stage, {
      pan: (dx, dy) => this.#pan(dx, dy),
      zoom: (factor, x, y) => this.#zoom(factor, x, y),
      reset: () => this.reset(),
      point: (x, y) => this.#point(x, y),
      leave: () => this.#hover(-1),
      pick: (x, y) => options.onPick?.(this.at(x, y)),
      pickMarked: () => options.onPick?.(this.#marked),
      walk: (step) => this.#walk(step),
      keyed: () => this.#showMarked(),
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
    const place = this.#fromScreen(x, y);
    return this.#grid.nearest(place.x, place.y, PointMap.#REACH / place.scale, this.#rgba);
  }

  /** @param {Uint8Array} rgba  4 bytes per point; alpha 0 hides a point, also from the pointer */
  setColors(rgba) {
    if (rgba.length !== 4 * this.#n) throw new RangeError("setColors needs 4 bytes per point.");
    this.#rgba = rgba.slice();
    this.#layers = Object.entries(byStrength(this.#order, this.#rgba)).map(([name, order]) => {
      const places = order === this.#order ? this.#places : undefined;
      this.#picture.set(name, this.#layer(order, places));
      return { name, share: order.length / Math.max(this.#n, 1) };
    });
    this.setHighlight(this.#highlighted);
    this.#density.forget();
    const gone = this.#hovered >= 0 && this.#rgba[4 * this.#hovered + 3] === 0;
    if (gone || this.#hexagon >= 0) this.#hover(-1);
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
    this.#hover(-1);
    this.#changed();
  }

  /** @param {{ink: string, paper: string, line: string}} theme  CSS colors of the surroundings */
  setTheme(theme) {
    this.#theme = { ink: rgbOf(theme.ink), paper: rgbOf(theme.paper) };
    this.#parts.color(theme);
    this.#density.forget();
    this.#changed();
  }

  /** Show again what was in view at first: all points, but a few that are far from all others. */
  reset() {
    this.#view = { x: this.#home.x, y: this.#home.y, zoom: 1 };
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
      if (!this.#isInView(i)) Object.assign(this.#view, { x: this.#points.x[i], y: this.#points.y[i] });
    }
    this.#changed();
  }

  /** @param {number} i */
  #isInView(i) {
    const { width, height } = this.#screen();
    const { x, y } = this.#placeOf(i);
    const edge = Math.min(PointMap.#EDGE, width / 4, height / 4) - 1;
    return x >= edge && y >= edge && x <= width - edge && y <= height - edge;
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
    const wide = Math.max(width - 2 * PointMap.#EDGE, 1) / this.#home.width;
    const high = Math.max(height - 2 * PointMap.#EDGE, 1) / this.#home.height;
    return { width, height, scale: Math.min(wide, high) * this.#view.zoom };
  }

  /** @param {number} i */
  #placeOf(i) {
    return this.#toScreen(this.#points.x[i], this.#points.y[i]);
  }

  /** @param {number} x @param {number} y */
  #fromScreen(x, y) {
    const { width, height, scale } = this.#screen();
    return {
      x: this.#view.x + (x - width / 2) / scale,
      y: this.#view.y - (y - height / 2) / scale,
      scale,
    };
  }

  /** @param {number} x @param {number} y */
  #toScreen(x, y) {
    const { width, height, scale } = this.#screen();
    return {
      x: width / 2 + (x - this.#view.x) * scale,
      y: height / 2 - (y - this.#view.y) * scale,
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
    const far = Math.max(this.#bounds.width / this.#home.width, this.#bounds.height / this.#home.height);
    this.#view.zoom = clamp(this.#view.zoom * factor, 0.5 / far, 5000);
    const grown = this.#screen().scale / scale - 1;
    this.#pan(-((x ?? width / 2) - width / 2) * grown, -((y ?? height / 2) - height / 2) * grown);
  }

  /** @param {number} i */
  #hover(i) {
    if (i < 0 && this.#hovered < 0 && this.#hexagon < 0) return;
    this.#hovered = i;
    this.#hexagon = -1;
    const place = i < 0 ? null : this.#placeOf(i);
    this.#parts.ring("hovered", place);
    this.#options.onHover?.(i, place?.x ?? 0, place?.y ?? 0);
  }

  /** @param {number} x @param {number} y  of the pointer */
  #point(x, y) {
    if (this.#kind !== "density" || !this.#options.onHexagon) return this.#hover(this.at(x, y));
    const { hexagons } = this.#hexagons();
    const pointer = this.#fromScreen(x, y);
    const k = this.#density.at(pointer.x, pointer.y);
    if (k < 0) return this.#hover(-1);
    if (k === this.#hexagon) return;
    this.#hexagon = k;
    const place = this.#toScreen(hexagons.x[k], hexagons.y[k]);
    this.#parts.ring("hovered", place);
    this.#options.onHexagon(this.#density.pointsOf(k), place.x, place.y);
  }

  /** After a move: where the marked point can be seen, say again what it is. */
  #showMarked() {
    const i = this.#marked;
    if (i >= 0 && this.#rgba[4 * i + 3] > 0 && this.#isInView(i)) this.#hover(i);
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
    this.#options.onWalk?.(this.#marked);
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
    const strokes = [];
    let note = count < this.#n ? `${numeral(count)} of ${numeral(this.#n)} while it moves` : "";
    if (this.#kind === "density") {
      const { radius, hexagons } = this.#hexagons();
      const [corners, alpha] = [2 * radius * scale, fade ? 0.3 : 1];
      const n = hexagons.x.length;
      strokes.push({ name: "density", count: n, shape: "hexagon", size: corners, alpha });
      note = `Strongest color: ${pointsIn(hexagons.most)} in a hexagon`;
    } else {
      const alpha = fade ? 0.15 : 0.75;
      for (const { name, share } of this.#layers) {
        strokes.push({ name, count: Math.round(count * share), shape: "disc", size, alpha });
      }
    }
    note = [note, this.#outside()].filter(Boolean).join("; ");
    const ring = Math.max(size + 4, 8);
    const found = this.#highlighted.length;
    strokes.push({ name: "highlight", count: found, shape: "ring", size: ring, alpha: 1 });
    this.#picture.paint({ x: this.#view.x, y: this.#view.y, scale }, this.#theme, strokes);
    this.#parts.note(note);
    this.#parts.ring("marked", this.#marked < 0 ? null : this.#placeOf(this.#marked));
  }

  /** What the first view leaves out. */
  #outside() {
    const { x, y, outside } = this.#home;
    const atHome = this.#view.zoom === 1 && this.#view.x === x && this.#view.y === y;
    return atHome && outside > 0 ? `${pointsIn(outside)} farther out; zoom out to see all` : "";
  }

  /** 4 CSS pixels for 20,000 points, 1.8 for a million; larger when they are zoomed. */
  #pointSize() {
    const base = clamp(4 * (20_000 / Math.max(this.#n, 1)) ** 0.21, 1.5, 8);
    return Math.min(base * Math.max(this.#view.zoom, 1) ** 0.25, Math.max(base, 10));
  }

  /** The hexagons of this view. */
  #hexagons() {
    if (this.#density.update(this.#rgba, this.#view, this.#screen())) {
      const { hexagons } = this.#density;
      const rgba = shades(hexagons, this.#theme.paper);
      this.#picture.set("density", { x: hexagons.x, y: hexagons.y, rgba });
    }
    return this.#density;
  }
}
