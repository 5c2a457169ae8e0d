// @ts-check
"use strict";

/**
 * @typedef {object} Stroke  one layer of a frame
 * @property {string} name
 * @property {number} count  the first points of the layer
 * @property {'disc' | 'ring' | 'hexagon'} shape
 * @property {number} size  in CSS pixels
 * @property {number} alpha
 */

/** A canvas with the painter that suits this machine, also after the graphics card was lost. */
class Picture {
  /** Milliseconds until a lost context counts as gone. */
  static #PATIENCE = 2000;
  #stage;
  #canvas = document.createElement("canvas");
  /** @type {Painter} */
  #painter;
  #changed;
  #timer = 0;
  /** @type {Map<string, Layer>} for the next painter */
  #layers = new Map();

  /**
   * @param {HTMLElement} stage  the canvas fills it
   * @param {'webgl2' | 'canvas' | undefined} renderer  instead of the faster one
   * @param {() => void} changed  a frame must be painted
   */
  constructor(stage, renderer, changed) {
    this.#stage = stage;
    this.#changed = changed;
    const webgl = renderer === "canvas" ? null : WebglPainter.on(this.#canvas, renderer === "webgl2");
    this.#painter = webgl ?? this.#canvasPainter();
    this.#canvas.addEventListener("webglcontextlost", (event) => {
      event.preventDefault();
      if (!this.#canvas.isConnected) return; // destroy() lost it
      this.#timer = setTimeout(() => this.#replace(this.#canvasPainter()), Picture.#PATIENCE);
    });
    this.#canvas.addEventListener("webglcontextrestored", () => {
      clearTimeout(this.#timer);
      const painter = WebglPainter.on(this.#canvas, true);
      if (painter) this.#replace(painter);
    });
    stage.prepend(this.#canvas);
  }

  get renderer() {
    return this.#painter.renderer;
  }

  /** On a new canvas: one that was asked for WebGL gives nothing else. */
  #canvasPainter() {
    const canvas = document.createElement("canvas");
    this.#canvas.replaceWith(canvas);
    this.#canvas = canvas;
    return new CanvasPainter(canvas);
  }

  /** @param {Painter} painter */
  #replace(painter) {
    this.#painter = painter;
    this.#layers.forEach((layer, name) => painter.set(name, layer));
    this.#changed();
  }

  /** @param {string} name @param {Layer} layer */
  set(name, layer) {
    this.#layers.set(name, layer);
    this.#painter.set(name, layer);
  }

  /**
   * @param {View} view  in CSS pixels
   * @param {{ink: Rgb, paper: Rgb}} theme
   * @param {Stroke[]} strokes  from the lowest to the top
   */
  paint(view, theme, strokes) {
    const ratio = window.devicePixelRatio || 1;
    const width = Math.round(this.#stage.clientWidth * ratio);
    const height = Math.round(this.#stage.clientHeight * ratio);
    if (this.#canvas.width !== width || this.#canvas.height !== height) {
      Object.assign(this.#canvas, { width, height });
      this.#canvas.style.cssText = `display:block;width:${width / ratio}px;height:${height / ratio}px`;
    }
    this.#painter.clear(theme.paper);
    for (const { name, count, shape, size, alpha } of strokes) {
      const brush = { shape, size: size * ratio, alpha, ink: theme.ink };
      this.#painter.draw(name, count, { ...view, scale: view.scale * ratio }, brush);
    }
    this.#painter.show();
  }

  /** To be called in the same task as paint(): WebGL keeps no picture for later. */
  toPNG() {
    return this.#canvas.toDataURL("image/png");
  }

  destroy() {
    clearTimeout(this.#timer);
    this.#painter.destroy();
    this.#canvas.remove();
  }
}
