// @ts-check
"use strict";

/**
 * What a user can ask of a map; places and distances are CSS pixels inside of the element.
 * @typedef {object} Wishes
 * @property {(dx: number, dy: number) => void} pan
 * @property {(factor: number, x?: number, y?: number) => void} zoom  at a place, or the center
 * @property {() => void} reset
 * @property {(x: number, y: number) => void} point  the pointer or finger is here
 * @property {() => void} leave  no pointer and no keyboard is here any more
 * @property {(x: number, y: number) => void} pick
 * @property {() => void} pickMarked
 * @property {(step: 1 | -1) => void} walk  to the next or previous point
 * @property {() => void} keyed  a key moved or zoomed
 * @property {() => void} wheelRefused  the wheel was turned, but it belongs to the page
 */

/** The keys of which the wish itself says where the reader is. */
const WALKS = new Set(["n", "p", "PageDown", "PageUp", "Enter"]);

/** Turns pointers, wheel and keys over an element into wishes. Knows nothing of points. */
class Gestures {
  /** A press that moves less than this is a click. */
  static #CLICK = 5;
  /** One press of an arrow key. */
  static #STEP = 60;
  #element;
  #wishes;
  /** @type {Map<number, {x: number, y: number}>} those that are down */
  #pointers = new Map();
  /** How far the pointers went since the first of them went down. */
  #moved = 0;
  /** The wheel zooms without Ctrl: after a press, until the pointer leaves. */
  #engaged = false;

  /** @param {HTMLElement} element @param {Wishes} wishes */
  constructor(element, wishes) {
    this.#element = element;
    this.#wishes = wishes;
    element.addEventListener("pointerdown", (event) => this.#down(event));
    element.addEventListener("pointermove", (event) => this.#move(event));
    element.addEventListener("pointerup", (event) => this.#up(event));
    element.addEventListener("pointercancel", (event) => this.#pointers.delete(event.pointerId));
    element.addEventListener("pointerleave", () => {
      this.#engaged = false;
      wishes.leave();
    });
    element.addEventListener("blur", () => wishes.leave());
    element.addEventListener("dblclick", (event) => {
      const { x, y } = this.#place(event);
      wishes.zoom(2, x, y);
    });
    element.addEventListener("wheel", (event) => this.#wheel(event), { passive: false });
    element.addEventListener("keydown", (event) => this.#key(event));
  }

  /** @param {MouseEvent} event */
  #place(event) {
    const box = this.#element.getBoundingClientRect();
    return { x: event.clientX - box.left, y: event.clientY - box.top };
  }

  /** @param {PointerEvent} event */
  #down(event) {
    if (event.button !== 0) return;
    this.#engaged = true;
    if (this.#pointers.size === 0) this.#moved = 0;
    const place = this.#place(event);
    this.#pointers.set(event.pointerId, place);
    this.#element.setPointerCapture(event.pointerId);
    this.#wishes.point(place.x, place.y);
  }

  /** @param {PointerEvent} event */
  #move(event) {
    const now = this.#place(event);
    const before = this.#pointers.get(event.pointerId);
    if (!before) return this.#wishes.point(now.x, now.y);
    this.#moved += Math.hypot(now.x - before.x, now.y - before.y);
    if (this.#pointers.size === 1 && this.#moved < Gestures.#CLICK) return;
    this.#pointers.set(event.pointerId, now);
    if (this.#pointers.size === 1) return this.#wishes.pan(now.x - before.x, now.y - before.y);
    // Two fingers: this one moved, the other rests.
    const [other] = [...this.#pointers].filter(([id]) => id !== event.pointerId);
    const { x, y } = other[1];
    const factor = Math.hypot(now.x - x, now.y - y) / (Math.hypot(before.x - x, before.y - y) || 1);
    this.#wishes.pan((now.x - before.x) / 2, (now.y - before.y) / 2);
    this.#wishes.zoom(factor || 1, (now.x + x) / 2, (now.y + y) / 2);
  }

  /** @param {PointerEvent} event */
  #up(event) {
    if (!this.#pointers.delete(event.pointerId)) return;
    if (this.#pointers.size > 0) {
      this.#moved = Infinity; // the last finger of two is no click
    } else if (this.#moved < Gestures.#CLICK) {
      const { x, y } = this.#place(event);
      this.#wishes.pick(x, y);
    }
  }

  /** @param {WheelEvent} event */
  #wheel(event) {
    const ctrl = event.ctrlKey || event.metaKey;
    if (!this.#engaged && !ctrl) return this.#wishes.wheelRefused();
    event.preventDefault();
    const pixels = event.deltaY * [1, 16, 400][event.deltaMode];
    // A pinch on a touch pad comes as small turns with Ctrl.
    const turn = pixels * (ctrl && Math.abs(pixels) < 40 ? 0.01 : 0.002);
    const { x, y } = this.#place(event);
    this.#wishes.zoom(Math.exp(-Math.min(Math.max(turn, -0.7), 0.7)), x, y);
    this.#wishes.point(x, y);
  }

  /** @param {KeyboardEvent} event */
  #key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const wishes = this.#wishes;
    const step = Gestures.#STEP;
    /** @type {Record<string, () => void>} */
    const keys = {
      ArrowLeft: () => wishes.pan(step, 0),
      ArrowRight: () => wishes.pan(-step, 0),
      ArrowUp: () => wishes.pan(0, step),
      ArrowDown: () => wishes.pan(0, -step),
      "+": () => wishes.zoom(1.5),
      "=": () => wishes.zoom(1.5),
      "-": () => wishes.zoom(1 / 1.5),
      0: () => wishes.reset(),
      n: () => wishes.walk(1),
      PageDown: () => wishes.walk(1),
      p: () => wishes.walk(-1),
      PageUp: () => wishes.walk(-1),
      Enter: () => wishes.pickMarked(),
    };
    const wish = Object.hasOwn(keys, event.key) ? keys[event.key] : undefined;
    if (!wish) return;
    event.preventDefault();
    wish();
    if (!WALKS.has(event.key)) wishes.keyed();
  }
}
