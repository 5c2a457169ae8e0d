// @ts-check
"use strict";

/** Words beside a place of the map. Knows nothing of points. */
class Bubble {
  #host;
  #box = document.createElement("div");

  /** @param {HTMLElement} host  the map; places are in CSS pixels inside of it */
  constructor(host) {
    this.#host = host;
    this.#box.id = "bubble";
    this.#box.dir = "auto";
    this.#box.hidden = true;
    host.append(this.#box);
  }

  hide() {
    this.#box.hidden = true;
  }

  /**
   * @param {string} text
   * @param {string} small  below it
   * @param {number} x
   * @param {number} y
   */
  show(text, small, x, y) {
    this.#box.hidden = false;
    this.#box.replaceChildren(document.createTextNode(text), element("small", small));
    const { offsetWidth: width, offsetHeight: height, style } = this.#box;
    style.left = `${Math.max(4, Math.min(x + 14, this.#host.clientWidth - width - 6))}px`;
    const above = y + 16 + height > this.#host.clientHeight;
    style.top = `${Math.max(4, above ? y - height - 12 : y + 16)}px`;
  }
}
