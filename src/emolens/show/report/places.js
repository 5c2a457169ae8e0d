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

/** How much larger all points may be than most of them, for a map to begin with all. */
const STRETCH = 1.5;
/** The share of the points that a map begins with at least. */
const MOST = 0.99;

/** How many points decide about it; of more, a sample does. */
const ENOUGH = 50_000;

/**
 * What a map begins with: all points; or where a few far ones make all others small, the 99 % that
 * are nearest to the middle. `outside` counts the others.
 * @param {PointData} points
 * @param {ReturnType<typeof boundsOf>} all
 * @param {(i: number) => boolean} isAside  points that do not matter
 */
function homeOf({ x, y }, all, isAside) {
  const counts = (/** @type {number} */ i) => Number.isFinite(x[i] + y[i]) && !isAside(i);
  const there = sampleOf(x.length, counts);
  const away = distances(gatherPlaces(x, there), gatherPlaces(y, there));
  // Those that are only a little farther than these 99 % are near, too.
  const limit = 1.25 * quantiles(away, [MOST])[0];
  const near = there.filter((_, k) => away[k] <= limit);
  const home = boundsOf({ x: gatherPlaces(x, near), y: gatherPlaces(y, near) });
  const stretch = Math.max(all.width / home.width, all.height / home.height);
  if (near.length === 0 || stretch <= STRETCH) return { ...all, outside: 0 };
  let outside = 0;
  for (let i = 0; i < x.length; i++) {
    const inside =
      Math.abs(x[i] - home.x) <= home.width / 2 && Math.abs(y[i] - home.y) <= home.height / 2;
    if (counts(i) && !inside) outside++;
  }
  return { ...home, outside };
}

/**
 * How far each place is from the middle, where the middle half of all places is 1 wide and high.
 * @param {Float32Array} x
 * @param {Float32Array} y
 */
function distances(x, y) {
  const [across, up] = [x, y].map((values) => {
    const [low, middle, high] = quantiles(values, [0.25, 0.5, 0.75]);
    return { middle, spread: high - low || 1e-9 };
  });
  return x.map((place, k) =>
    Math.max(Math.abs(place - across.middle) / across.spread, Math.abs(y[k] - up.middle) / up.spread),
  );
}

/**
 * Numbers from 0 to n - 1 that are wanted; of very many, a part.
 * @param {number} n
 * @param {(i: number) => boolean} isWanted
 */
function sampleOf(n, isWanted) {
  const step = Math.max(1, Math.floor(n / ENOUGH));
  const found = [];
  for (let i = 0; i < n; i += step) if (isWanted(i)) found.push(i);
  return Uint32Array.from(found);
}

/** @param {Float32Array} values @param {Uint32Array} indices */
function gatherPlaces(values, indices) {
  return gather(values, indices, new Float32Array(indices.length));
}

/**
 * At least these shares of the values are no larger than what is returned.
 * @param {Float32Array} values
 * @param {number[]} shares
 */
function quantiles(values, shares) {
  const sorted = values.slice().sort();
  return shares.map((share) => sorted[Math.max(Math.ceil(share * sorted.length) - 1, 0)] ?? 0);
}

/**
 * The points by how strong they are, each in their order: faint ones, others, and full ones where
 * there are weaker ones, too. Drawn in this order, no point is covered by many weaker ones.
 * @param {Uint32Array} order
 * @param {Uint8Array} rgba
 */
function byStrength(order, rgba) {
  const counts = new Uint32Array(256);
  for (let i = 3; i < rgba.length; i += 4) counts[rgba[i]]++;
  const none = new Uint32Array(0);
  const alike = counts[0] + counts[255] === order.length;
  if (alike) return { faint: none, points: order, strong: none };
  const strength = (/** @type {number} */ i) => rgba[4 * i + 3];
  return {
    faint: order.filter((i) => strength(i) < 128),
    points: order.filter((i) => strength(i) >= 128 && strength(i) < 255),
    strong: order.filter((i) => strength(i) === 255),
  };
}

/** @param {number} value @param {number} low @param {number} high */
function clamp(value, low, high) {
  return Math.min(Math.max(value, low), high);
}

/** @param {number} n */
function pointsIn(n) {
  return `${numeral(n)} ${n === 1 ? "point" : "points"}`;
}

/** @param {number} n */
function numeral(n) {
  return n.toLocaleString("en-US");
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
