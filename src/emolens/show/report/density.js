// @ts-check
"use strict";

/**
 * @typedef {object} Hexagons  those with one point or more
 * @property {Float32Array} x  centers
 * @property {Float32Array} y
 * @property {Uint32Array} counts
 * @property {Uint32Array} colors  the most frequent color as 0xbbggrr
 * @property {number} most  the largest count
 */

/**
 * Count visible points in hexagons that stand on a corner. Their places depend on the radius only,
 * so they do not swim when the box moves.
 * @param {PointData} points
 * @param {Uint8Array} rgba
 * @param {{left: number, right: number, bottom: number, top: number}} box  what to count
 * @param {number} radius  from the center to a corner, in the units of the points
 * @returns {Hexagons}
 */
function countHexagons(points, rgba, box, radius) {
  const width = Math.sqrt(3) * radius;
  const height = 3 * radius; // of two rows
  const firstColumn = Math.floor(box.left / width) - 1;
  const firstRow = Math.floor(box.bottom / height) - 1;
  const columns = Math.ceil(box.right / width) + 2 - firstColumn;
  const rows = 2 * (Math.ceil(box.top / height) + 2 - firstRow);

  /** @param {number} px @param {number} py */
  const cellAt = (px, py) => {
    // The centers are two rectangular lattices; the nearer center of the two is the hexagon.
    const [u, v] = [px / width, py / height];
    const [c1, r1, c2, r2] = [Math.round(u), Math.round(v), Math.floor(u), Math.floor(v)];
    const d1 = ((u - c1) * width) ** 2 + ((v - r1) * height) ** 2;
    const d2 = ((u - c2 - 0.5) * width) ** 2 + ((v - r2 - 0.5) * height) ** 2;
    const [column, row] = d1 < d2 ? [c1, 2 * r1] : [c2, 2 * r2 + 1];
    return (row - 2 * firstRow) * columns + column - firstColumn;
  };
  const { starts, order } = sortByCell(points, rgba, box, cellAt, columns * rows);

  const used = [];
  for (let c = 0; c < columns * rows; c++) if (starts[c + 1] > starts[c]) used.push(c);
  const x = new Float32Array(used.length);
  const y = new Float32Array(used.length);
  used.forEach((cell, k) => {
    const row = Math.floor(cell / columns) + 2 * firstRow;
    x[k] = ((cell % columns) + firstColumn + (row % 2 ? 0.5 : 0)) * width;
    y[k] = (row / 2) * height;
  });
  const counts = Uint32Array.from(used, (c) => starts[c + 1] - starts[c]);
  const colors = Uint32Array.from(used, (c) =>
    mostFrequentColor(rgba, order.subarray(starts[c], starts[c + 1])),
  );
  return { x, y, counts, colors, most: counts.reduce((a, b) => Math.max(a, b), 0) };
}

/**
 * The visible points inside of the box by cell, and where each cell starts among them.
 * @param {PointData} points
 * @param {Uint8Array} rgba
 * @param {{left: number, right: number, bottom: number, top: number}} box
 * @param {(x: number, y: number) => number} cellAt
 * @param {number} n  cells
 */
function sortByCell({ x, y }, rgba, box, cellAt, n) {
  const cells = new Uint32Array(x.length);
  const ends = new Uint32Array(n + 1);
  for (let i = 0; i < x.length; i++) {
    const inside = x[i] >= box.left && x[i] <= box.right && y[i] >= box.bottom && y[i] <= box.top;
    if (!inside || rgba[4 * i + 3] === 0) continue;
    cells[i] = cellAt(x[i], y[i]) + 1;
    ends[cells[i]]++;
  }
  for (let c = 1; c <= n; c++) ends[c] += ends[c - 1];
  const starts = ends.slice();
  const order = new Uint32Array(ends[n]);
  for (let i = x.length - 1; i >= 0; i--) if (cells[i]) order[--ends[cells[i]]] = i;
  return { starts, order };
}

/**
 * As 0xbbggrr; of equally frequent colors the smaller number, so that the order does not matter.
 * @param {Uint8Array} rgba
 * @param {Uint32Array} indices
 */
function mostFrequentColor(rgba, indices) {
  /** @type {Map<number, number>} */
  const counts = new Map();
  for (const i of indices) {
    const color = rgba[4 * i] | (rgba[4 * i + 1] << 8) | (rgba[4 * i + 2] << 16);
    counts.set(color, (counts.get(color) ?? 0) + 1);
  }
  let [best, most] = [0, 0];
  for (const [color, count] of counts) {
    if (count > most || (count === most && color < best)) [best, most] = [color, count];
  }
  return best;
}

/**
 * The color of each hexagon: the logarithm of its count, on one scale for all, is how far it is
 * from the paper to its own color.
 * @param {Hexagons} hexagons
 * @param {Rgb} paper
 */
function shades({ counts, colors, most }, paper) {
  const rgba = new Uint8Array(4 * counts.length).fill(255);
  counts.forEach((count, k) => {
    const share = 0.2 + 0.8 * (most > 1 ? Math.log(count) / Math.log(most) : 1);
    for (const channel of [0, 1, 2]) {
      const color = (colors[k] >> (8 * channel)) & 255;
      rgba[4 * k + channel] = Math.round(paper[channel] + share * (color - paper[channel]));
    }
  });
  return rgba;
}

/**
 * Whether a place is inside of a hexagon that stands on a corner.
 * @param {number} dx  from its center
 * @param {number} dy
 * @param {number} radius
 */
function isInHexagon(dx, dy, radius) {
  const half = 0.8660254 * radius;
  return Math.abs(dx) <= half && Math.abs(dx) * 0.5 + Math.abs(dy) * 0.8660254 <= half;
}

/** The hexagons of a view: counted anew only when they must be. */
class Density {
  /** From the center of a hexagon to a corner, in CSS pixels. */
  static #SIZE = 10;
  #points;
  #bounds;
  #rgba = new Uint8Array();
  #key = "";
  radius = 0;
  /** @type {Hexagons} */
  hexagons = {
    ...{ x: new Float32Array(), y: new Float32Array(), counts: new Uint32Array() },
    ...{ colors: new Uint32Array(), most: 0 },
  };

  /** @param {PointData} points @param {ReturnType<typeof boundsOf>} bounds */
  constructor(points, bounds) {
    this.#points = points;
    this.#bounds = bounds;
  }

  /** The colors changed. */
  forget() {
    this.#key = "";
  }

  /**
   * Count anew when the zoom changed by a step, or when the view left what was counted.
   * @param {Uint8Array} rgba
   * @param {{x: number, y: number}} view
   * @param {{width: number, height: number, scale: number}} screen
   * @returns {boolean} whether it did
   */
  update(rgba, view, { width, height, scale }) {
    const bounds = this.#bounds;
    const radius = Density.#SIZE / 2 ** (Math.round(2 * Math.log2(scale)) / 2);
    // What is counted changes in steps of half a view.
    const [wide, high] = [width / scale / 2, height / scale / 2];
    const [column, row] = [Math.round(view.x / wide), Math.round(view.y / high)];
    const key = [radius, column, row, width, height].join();
    if (this.#key === key) return false;
    const box = {
      left: Math.max((column - 2) * wide, bounds.x - bounds.width / 2 - radius),
      right: Math.min((column + 2) * wide, bounds.x + bounds.width / 2 + radius),
      bottom: Math.max((row - 2) * high, bounds.y - bounds.height / 2 - radius),
      top: Math.min((row + 2) * high, bounds.y + bounds.height / 2 + radius),
    };
    this.hexagons = countHexagons(this.#points, rgba, box, radius);
    this.radius = radius;
    this.#rgba = rgba;
    this.#key = key;
    return true;
  }

  /**
   * The number of the hexagon at a place, or -1.
   * @param {number} px
   * @param {number} py
   */
  at(px, py) {
    const { x, y } = this.hexagons;
    return x.findIndex((center, k) => isInHexagon(px - center, py - y[k], this.radius));
  }

  /** @param {number} k  of a hexagon; its visible points */
  pointsOf(k) {
    const { x, y } = this.#points;
    const [cx, cy] = [this.hexagons.x[k], this.hexagons.y[k]];
    const found = [];
    for (let i = 0; i < x.length; i++) {
      const inside = isInHexagon(x[i] - cx, y[i] - cy, this.radius);
      if (inside && this.#rgba[4 * i + 3] > 0) found.push(i);
    }
    return Uint32Array.from(found);
  }
}
