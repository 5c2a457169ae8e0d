// @ts-check
"use strict";

/**
 * @typedef {object} PointData
 * @property {Float32Array} x  n places, any units
 * @property {Float32Array} y  up is more
 */

/**
 * Points in square order: finds the nearest one, and walks from neighbor to neighbor.
 * Points without a finite place are in no cell. Knows nothing of pixels.
 *
 * The cells are numbered along Hilbert's curve, so cells with near numbers are near each other.
 */
class Grid {
  #points;
  #side;
  #left;
  #bottom;
  #width;
  #height;
  /** The number of the cell in each column and row. */
  #curve;
  /** Points by cell, and where each cell starts among them. */
  #order;
  #starts;

  /** @param {PointData} points */
  constructor(points) {
    const { x, y } = points;
    const n = x.length;
    this.#points = points;
    this.#side = 2 ** Math.min(Math.max(Math.round(Math.log2(Math.sqrt(n / 2))), 0), 10);
    [this.#left, this.#width] = Grid.#range(x, this.#side);
    [this.#bottom, this.#height] = Grid.#range(y, this.#side);
    this.#curve = Grid.#hilbert(this.#side);
    const cells = new Uint32Array(n);
    const ends = new Uint32Array(this.#side ** 2 + 1);
    for (let i = 0; i < n; i++) {
      if (!Number.isFinite(x[i] + y[i])) continue;
      cells[i] = this.#cell(x[i], y[i]) + 1;
      ends[cells[i]]++;
    }
    for (let c = 1; c < ends.length; c++) ends[c] += ends[c - 1];
    this.#order = new Uint32Array(ends[ends.length - 1]);
    this.#starts = ends.slice();
    for (let i = n - 1; i >= 0; i--) if (cells[i]) this.#order[--ends[cells[i]]] = i;
  }

  /**
   * First edge and size of the cells. They cover the middle 98 % of the values, so that one point
   * far away does not put all others into one cell; what is outside is in the first or last cell.
   * @param {Float32Array} values
   * @param {number} side
   */
  static #range(values, side) {
    const step = Math.max(1, Math.floor(values.length / 4000));
    const sample = [];
    for (let i = 0; i < values.length; i += step) {
      if (Number.isFinite(values[i])) sample.push(values[i]);
    }
    sample.sort((a, b) => a - b);
    const first = sample[Math.floor(sample.length * 0.01)] ?? 0;
    const last = sample[Math.floor(sample.length * 0.99)] ?? 0;
    return [first, (last - first) / side || 1];
  }

  /** @param {number} side  a power of 2 */
  static #hilbert(side) {
    const curve = new Uint32Array(side * side);
    for (let row = 0; row < side; row++) {
      for (let column = 0; column < side; column++) {
        let [x, y, number] = [column, row, 0];
        for (let half = side >> 1; half > 0; half >>= 1) {
          const right = x & half ? 1 : 0;
          const top = y & half ? 1 : 0;
          number += half * half * ((3 * right) ^ top);
          if (!top) {
            if (right) [x, y] = [side - 1 - x, side - 1 - y];
            [x, y] = [y, x];
          }
        }
        curve[row * side + column] = number;
      }
    }
    return curve;
  }

  /** @param {number} x */
  #column(x) {
    return Math.min(Math.max(Math.floor((x - this.#left) / this.#width), 0), this.#side - 1);
  }

  /** @param {number} y */
  #row(y) {
    return Math.min(Math.max(Math.floor((y - this.#bottom) / this.#height), 0), this.#side - 1);
  }

  /** @param {number} x @param {number} y */
  #cell(x, y) {
    return this.#curve[this.#row(y) * this.#side + this.#column(x)];
  }

  /**
   * The nearest visible point, or -1. Cells are searched in rings around the place.
   * @param {number} x
   * @param {number} y
   * @param {number} radius  in the units of the points
   * @param {Uint8Array} rgba  a point with alpha 0 is not visible
   */
  nearest(x, y, radius, rgba) {
    const column = this.#column(x);
    const row = this.#row(y);
    const size = Math.min(this.#width, this.#height);
    let best = { index: -1, distance: radius * radius };
    for (let ring = 0; ring < this.#side; ring++) {
      if (ring > 1 && ((ring - 1) * size) ** 2 > best.distance) break;
      for (let r = Math.max(row - ring, 0); r <= Math.min(row + ring, this.#side - 1); r++) {
        const step = Math.abs(r - row) === ring ? 1 : 2 * ring;
        for (let c = column - ring; c <= column + ring; c += step) {
          if (c >= 0 && c < this.#side) {
            best = this.#nearestIn(this.#curve[r * this.#side + c], x, y, rgba, best);
          }
        }
      }
    }
    return best.index;
  }

  /**
   * @param {number} cell
   * @param {number} x
   * @param {number} y
   * @param {Uint8Array} rgba
   * @param {{index: number, distance: number}} best  distance is squared
   */
  #nearestIn(cell, x, y, rgba, best) {
    let { index, distance } = best;
    for (let k = this.#starts[cell]; k < this.#starts[cell + 1]; k++) {
      const i = this.#order[k];
      const d = (this.#points.x[i] - x) ** 2 + (this.#points.y[i] - y) ** 2;
      if (d <= distance && rgba[4 * i + 3] > 0) [index, distance] = [i, d];
    }
    return index === best.index ? best : { index, distance };
  }

  /**
   * The next visible point along the curve, or -1 if none is visible.
   * @param {number} i  a point with a finite place
   * @param {1 | -1} step  -1 walks back
   * @param {Uint8Array} rgba
   */
  next(i, step, rgba) {
    const n = this.#order.length;
    let k = this.#starts[this.#cell(this.#points.x[i], this.#points.y[i])];
    while (k < n && this.#order[k] !== i) k++;
    for (let taken = 0; taken < n; taken++) {
      k = (k + step + n) % n;
      if (rgba[4 * this.#order[k] + 3] > 0) return this.#order[k];
    }
    return -1;
  }
}
