// @ts-check
"use strict";

/**
 * Middle and size of the points that have finite places.
 * @param {PointData} points
 */
function boundsOf({ x, y }) {
  let [left, right, bottom, top] = [Infinity, -Infinity, Infinity, -Infinity];
  for (let i = 0; i < x.length; i++) {
    if (!Number.isFinite(x[i] + y[i])) continue;
    if (x[i] < left) left = x[i];
    if (x[i] > right) right = x[i];
    if (y[i] < bottom) bottom = y[i];
    if (y[i] > top) top = y[i];
  }
  if (left > right) return { x: 0, y: 0, width: 1, height: 1 };
  const [width, height] = [right - left, top - bottom];
  // A line or a single place has no area; it gets some.
  const least = Math.max(width, height) / 1000 || 1;
  return {
    x: (left + right) / 2,
    y: (bottom + top) / 2,
    width: Math.max(width, least),
    height: Math.max(height, least),
  };
}

/**
 * 0 to n - 1 in jumps of about 0.618 n, so that each first part is spread over the whole.
 * @param {number} n
 */
function inJumps(n) {
  const common = (/** @type {number} */ a, /** @type {number} */ b) => {
    while (b) [a, b] = [b, a % b];
    return a;
  };
  let jump = Math.max(Math.round(n * 0.6180339887), 1);
  while (common(jump, n) > 1) jump++;
  const order = new Uint32Array(n);
  for (let k = 1; k < n; k++) order[k] = (order[k - 1] + jump) % n;
  return order;
}

/**
 * A loop, because typed arrays need ten times as long for from() with a function.
 * @template {Float32Array | Uint32Array} Values
 * @param {Values} values
 * @param {Uint32Array} indices
 * @param {Values} into  of the length of indices
 */
function gather(values, indices, into) {
  for (let k = 0; k < indices.length; k++) into[k] = values[indices[k]];
  return into;
}
