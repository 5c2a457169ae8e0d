// @ts-check
"use strict";

/**
 * Two painters with the same methods put points onto a canvas: one with WebGL2, one pixel by pixel.
 * Sizes are in device pixels. They know nothing of pointers and keys.
 *
 * @typedef {object} Layer
 * @property {Float32Array} x
 * @property {Float32Array} y
 * @property {Uint8Array} rgba  4 bytes a point; alpha 0 hides it
 *
 * @typedef {{x: number, y: number, scale: number}} View  the center, and pixels per unit
 *
 * @typedef {[number, number, number]} Rgb  0 to 255
 *
 * @typedef {object} Brush
 * @property {'disc' | 'ring' | 'hexagon'} shape
 * @property {number} size  diameter; of a hexagon, corner to corner
 * @property {number} alpha  0 to 1
 * @property {Rgb} ink  the color of the ring
 *
 * @typedef {object} Painter
 * @property {'webgl2' | 'canvas'} renderer
 * @property {(name: string, layer: Layer) => void} set  keep a layer under a name
 * @property {(paper: Rgb) => void} clear  also follows the size of the canvas
 * @property {(name: string, count: number, view: View, brush: Brush) => void} draw
 *   the first `count` points of a layer
 * @property {() => void} show  after the last draw of a frame
 * @property {() => void} destroy
 */

/** The width of the ring, as a share of the diameter. */
const RING = 0.16;
const SHAPES = { disc: 0, ring: 1, hexagon: 2 };

const VERTEX = `#version 300 es
in float x; in float y; in vec4 color;
uniform vec2 center, scale; uniform float size;
out vec4 fill;
void main() {
  fill = color;
  gl_PointSize = size;
  gl_Position = vec4((vec2(x, y) - center) * scale, color.a > 0. ? 0. : 2., 1);
}`;
const FRAGMENT = `#version 300 es
precision highp float;
in vec4 fill; uniform float size, alpha; uniform int shape; uniform vec3 ink;
out vec4 pixel;
void main() {
  vec2 at = abs(gl_PointCoord - .5) * size;
  float radius = size * .5, away = length(at);
  vec3 color = fill.rgb;
  if (shape == ${SHAPES.ring}) {
    color = mix(ink, color, clamp(radius - size * ${RING} - away + .5, 0., 1.));
  } else if (shape == ${SHAPES.hexagon}) {
    away = max(at.x, at.x * .5 + at.y * .8660254);
    radius = radius * .8660254 - .5;
  }
  float covered = size <= 2. ? 1. : clamp(radius - away + .5, 0., 1.);
  pixel = vec4(color, fill.a * alpha * covered);
}`;

/** @implements {Painter} */
class WebglPainter {
  /** @type {'webgl2'} */
  renderer = "webgl2";
  #gl;
  #program;
  /** @type {Map<string, {layout: WebGLVertexArrayObject, buffers: WebGLBuffer[]}>} */
  #layers = new Map();

  /** @param {WebGL2RenderingContext} gl */
  constructor(gl) {
    this.#gl = gl;
    this.#program = /** @type {WebGLProgram} */ (gl.createProgram());
    for (const [kind, source] of /** @type {[number, string][]} */ ([
      [gl.VERTEX_SHADER, VERTEX],
      [gl.FRAGMENT_SHADER, FRAGMENT],
    ])) {
      const shader = /** @type {WebGLShader} */ (gl.createShader(kind));
      gl.shaderSource(shader, source);
      gl.compileShader(shader);
      gl.attachShader(this.#program, shader);
    }
    gl.linkProgram(this.#program);
    gl.useProgram(this.#program);
    gl.enable(gl.BLEND);
    gl.blendFunc(gl.SRC_ALPHA, gl.ONE_MINUS_SRC_ALPHA);
  }

  /**
   * Null where there is no WebGL2, and where the processor would have to do its work: Chromium's
   * SwiftShader draws about 1.5 million points per second on two cores, CanvasPainter 30 million.
   * @param {HTMLCanvasElement} canvas
   * @param {boolean} evenSlow  also where the processor does the work
   */
  static on(canvas, evenSlow) {
    const options = { alpha: false, antialias: false, depth: false };
    const context = canvas.getContext("webgl2", options);
    const gl = /** @type {WebGL2RenderingContext | null} */ (context);
    if (!gl || gl.isContextLost()) return null;
    const named = gl.getExtension("WEBGL_debug_renderer_info");
    const name = gl.getParameter(named ? named.UNMASKED_RENDERER_WEBGL : gl.RENDERER);
    const slow = /swiftshader|llvmpipe|softpipe|software|basic render/i.test(name);
    if (!slow || evenSlow) return new WebglPainter(gl);
    gl.getExtension("WEBGL_lose_context")?.loseContext();
    return null;
  }

  /** @param {string} name @param {Layer} layer */
  set(name, layer) {
    const gl = this.#gl;
    const old = this.#layers.get(name);
    old?.buffers.forEach((buffer) => gl.deleteBuffer(buffer));
    gl.deleteVertexArray(old?.layout ?? null);
    const layout = /** @type {WebGLVertexArrayObject} */ (gl.createVertexArray());
    gl.bindVertexArray(layout);
    const buffers = /** @type {const} */ ([
      ["x", layer.x, 1, gl.FLOAT],
      ["y", layer.y, 1, gl.FLOAT],
      ["color", layer.rgba, 4, gl.UNSIGNED_BYTE],
    ]).map(([attribute, values, size, type]) => {
      const buffer = /** @type {WebGLBuffer} */ (gl.createBuffer());
      gl.bindBuffer(gl.ARRAY_BUFFER, buffer);
      gl.bufferData(gl.ARRAY_BUFFER, values, gl.STATIC_DRAW);
      const place = gl.getAttribLocation(this.#program, attribute);
      gl.enableVertexAttribArray(place);
      gl.vertexAttribPointer(place, size, type, true, 0, 0);
      return buffer;
    });
    this.#layers.set(name, { layout, buffers });
  }

  /** @param {Rgb} paper */
  clear([r, g, b]) {
    const gl = this.#gl;
    gl.viewport(0, 0, gl.drawingBufferWidth, gl.drawingBufferHeight);
    gl.clearColor(r / 255, g / 255, b / 255, 1);
    gl.clear(gl.COLOR_BUFFER_BIT);
  }

  /** @param {string} name @param {number} count @param {View} view @param {Brush} brush */
  draw(name, count, view, { shape, size, alpha, ink }) {
    const gl = this.#gl;
    /** @param {string} uniform */
    const at = (uniform) => gl.getUniformLocation(this.#program, uniform);
    gl.bindVertexArray(this.#layers.get(name)?.layout ?? null);
    gl.uniform2f(at("center"), view.x, view.y);
    const [width, height] = [gl.drawingBufferWidth, gl.drawingBufferHeight];
    gl.uniform2f(at("scale"), (2 * view.scale) / width, (2 * view.scale) / height);
    gl.uniform1f(at("size"), size);
    gl.uniform1f(at("alpha"), alpha);
    gl.uniform1i(at("shape"), SHAPES[shape]);
    gl.uniform3f(at("ink"), ink[0] / 255, ink[1] / 255, ink[2] / 255);
    gl.drawArrays(gl.POINTS, 0, count);
  }

  show() {}

  destroy() {
    this.#gl.getExtension("WEBGL_lose_context")?.loseContext();
  }
}

/**
 * Mixes pixels in memory, then copies them to the canvas at once. Much faster than paths or
 * drawImage: a million points of two pixels in about 40 ms on one core.
 * @implements {Painter}
 */
class CanvasPainter {
  /** @type {'canvas'} */
  renderer = "canvas";
  /** Pixels around the canvas, so that no shape must be cut at its edges. */
  static #MARGIN = 64;
  #canvas;
  #context;
  #image = new ImageData(1, 1);
  #pixels = new Uint32Array(1);
  /** @type {Map<string, Layer & {colors: Uint32Array}>} */
  #layers = new Map();

  /** @param {HTMLCanvasElement} canvas */
  constructor(canvas) {
    this.#canvas = canvas;
    const context = canvas.getContext("2d", { alpha: false });
    this.#context = /** @type {CanvasRenderingContext2D} */ (context);
  }

  /** @param {string} name @param {Layer} layer */
  set(name, layer) {
    this.#layers.set(name, { ...layer, colors: new Uint32Array(layer.rgba.slice().buffer) });
  }

  /** @param {Rgb} paper */
  clear([r, g, b]) {
    const width = this.#canvas.width + 2 * CanvasPainter.#MARGIN;
    const height = this.#canvas.height + 2 * CanvasPainter.#MARGIN;
    if (this.#image.width !== width || this.#image.height !== height) {
      this.#image = new ImageData(width, height);
      this.#pixels = new Uint32Array(this.#image.data.buffer);
    }
    this.#pixels.fill(((255 << 24) | (b << 16) | (g << 8) | r) >>> 0);
  }

  destroy() {
    this.#layers.clear();
  }

  show() {
    this.#context.putImageData(this.#image, -CanvasPainter.#MARGIN, -CanvasPainter.#MARGIN);
  }

  /** @param {string} name @param {number} count @param {View} view @param {Brush} brush */
  draw(name, count, view, { shape, size, alpha, ink }) {
    const layer = this.#layers.get(name);
    if (!layer) return;
    const diameter = Math.min(size, 2 * CanvasPainter.#MARGIN - 4);
    const whole = this.#stamp(shape === "hexagon" ? shape : "disc", diameter, alpha);
    if (shape !== "ring") return this.#press(layer, count, view, [{ ...whole, color: -1 }]);
    const color = ink[0] | (ink[1] << 8) | (ink[2] << 16);
    const inner = this.#stamp("disc", diameter * (1 - 2 * RING), alpha);
    this.#press(layer, count, view, [{ ...whole, color }, { ...inner, color: -1 }]);
  }

  /**
   * How much of each pixel around a place a shape covers.
   * @param {'disc' | 'hexagon'} shape
   * @param {number} size
   * @param {number} alpha
   */
  #stamp(shape, size, alpha) {
    const side = size <= 2 ? Math.max(Math.round(size), 1) : 2 * Math.ceil(size / 2) + 1;
    const offsets = [];
    const weights = [];
    for (let row = 0; row < side; row++) {
      for (let column = 0; column < side; column++) {
        const [x, y] = [Math.abs(column - (side - 1) / 2), Math.abs(row - (side - 1) / 2)];
        const hexagon = shape === "hexagon";
        const away = hexagon ? Math.max(x, x * 0.5 + y * 0.8660254) : Math.hypot(x, y);
        const radius = hexagon ? size * 0.4330127 - 0.5 : size / 2;
        const covered = size <= 2 ? 1 : Math.min(Math.max(radius - away + 0.5, 0), 1);
        const weight = Math.round(64 * covered * alpha);
        if (weight > 0) {
          offsets.push(row * this.#image.width + column);
          weights.push(weight);
        }
      }
    }
    return { side, offsets: Int32Array.from(offsets), weights: Int32Array.from(weights) };
  }

  /**
   * @param {Layer & {colors: Uint32Array}} layer
   * @param {number} count
   * @param {View} view
   * @param {{side: number, offsets: Int32Array, weights: Int32Array, color: number}[]} stamps
   *   color -1: the color of the point
   */
  #press({ x, y, colors }, count, view, stamps) {
    const pixels = this.#pixels;
    const { width, height } = this.#image;
    const left = width / 2 - view.x * view.scale;
    const top = height / 2 + view.y * view.scale;
    const edge = stamps[0].side;
    for (let i = 0; i < count; i++) {
      const px = left + x[i] * view.scale;
      const py = top - y[i] * view.scale;
      const strength = colors[i] >>> 24;
      // Also false for a place that is no number.
      const inside = px >= edge && py >= edge && px < width - edge && py < height - edge;
      if (!inside || strength === 0) continue;
      for (const { side, offsets, weights, color } of stamps) {
        const first = ((py - (side - 1) / 2) | 0) * width + ((px - (side - 1) / 2) | 0);
        const source = color === -1 ? colors[i] : color;
        const [redBlue, green] = [source & 0xff00ff, source & 0x00ff00];
        for (let k = 0; k < offsets.length; k++) {
          // Red and blue are mixed in one number: between them there is room for 6 bits.
          const weight = (weights[k] * (strength + 1)) >> 8;
          const under = pixels[first + offsets[k]];
          pixels[first + offsets[k]] =
            0xff000000 |
            ((((under & 0xff00ff) * (64 - weight) + redBlue * weight) >>> 6) & 0xff00ff) |
            ((((under & 0x00ff00) * (64 - weight) + green * weight) >>> 6) & 0x00ff00);
        }
      }
    }
  }
}
