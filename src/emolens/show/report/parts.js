// @ts-check
"use strict";

const MAP_HELP =
  "Arrow keys move the map, plus and minus zoom, 0 goes back to the first view. " +
  "N and P go to the next and the previous point, Enter picks it.";

/** The elements of a map around its canvas: stage, buttons, notes and rings. */
class MapParts {
  /** @type {HTMLDivElement} takes the focus, the pointer and the canvas */
  stage;
  #root;
  #buttons;
  #note;
  #hint;
  #hintTimer = 0;
  #rings;

  /** @param {HTMLElement} host @param {string} label */
  constructor(host, label) {
    const filling = "position:relative;width:100%;height:100%;overflow:hidden;user-select:none";
    this.#root = add(host, "div", filling);
    this.stage = add(this.#root, "div", "position:absolute;inset:0;touch-action:none;cursor:grab");
    this.stage.tabIndex = 0;
    this.stage.setAttribute("role", "application");
    this.stage.setAttribute("aria-label", `${label}. ${MAP_HELP}`);
    this.stage.style.outlineOffset = "-2px";
    const corner = "position:absolute;top:8px;right:8px;display:grid;gap:4px";
    const box = add(this.#root, "div", corner);
    this.#buttons = [
      mapButton(box, "+", "Zoom in"),
      mapButton(box, "−", "Zoom out"),
      mapButton(box, "⌂", "Back to the first view"),
    ];
    const text = "position:absolute;pointer-events:none;padding:2px 8px;border-radius:4px;";
    this.#note = add(this.#root, "div", `${text}left:8px;bottom:8px;font-size:12px`);
    this.#hint = add(this.#root, "div", `${text}left:50%;top:45%;translate:-50% 0;border:1px solid`);
    this.#hint.hidden = this.#note.hidden = true;
    const ring =
      "position:absolute;left:0;top:0;box-sizing:border-box;border-radius:50%;pointer-events:none;";
    this.#rings = {
      hovered: add(this.#root, "div", `${ring}width:16px;height:16px;margin:-8px;border:2px solid`),
      marked: add(this.#root, "div", `${ring}width:26px;height:26px;margin:-13px;border:3px solid`),
    };
    this.ring("hovered", null);
    this.ring("marked", null);
  }

  /** @param {(() => void)[]} actions  of +, − and ⌂ */
  onButtons(actions) {
    actions.forEach((action, k) => this.#buttons[k].addEventListener("click", action));
  }

  /** @param {{ink: string, paper: string, line: string}} theme */
  color({ ink, paper, line }) {
    for (const part of [...this.#buttons, this.#note, this.#hint]) {
      Object.assign(part.style, { color: ink, backgroundColor: paper, borderColor: line });
    }
    this.#root.style.backgroundColor = paper;
    for (const ring of Object.values(this.#rings)) {
      Object.assign(ring.style, { borderColor: ink, boxShadow: `0 0 0 2px ${paper}` });
    }
  }

  /** @param {string} text  in the corner; empty: none */
  note(text) {
    if (this.#note.textContent !== text) this.#note.textContent = text;
    this.#note.hidden = text === "";
  }

  /** @param {string} text  in the middle, for a moment */
  hint(text) {
    this.#hint.textContent = text;
    this.#hint.hidden = false;
    clearTimeout(this.#hintTimer);
    this.#hintTimer = setTimeout(() => (this.#hint.hidden = true), 1500);
  }

  /** @param {'hovered' | 'marked'} which @param {{x: number, y: number} | null} place */
  ring(which, place) {
    const { style } = this.#rings[which];
    style.display = place ? "block" : "none";
    if (place) style.transform = `translate(${place.x}px, ${place.y}px)`;
  }

  destroy() {
    clearTimeout(this.#hintTimer);
    this.#root.remove();
  }
}

/**
 * @template {keyof HTMLElementTagNameMap} Tag
 * @param {HTMLElement} parent @param {Tag} tag @param {string} css
 */
function add(parent, tag, css) {
  const element = document.createElement(tag);
  element.style.cssText = css;
  parent.append(element);
  return element;
}

/** @param {HTMLElement} parent @param {string} sign @param {string} name */
function mapButton(parent, sign, name) {
  const css = "width:36px;height:36px;padding:0;font:20px/1 sans-serif;border:1px solid;";
  const button = add(parent, "button", `${css}border-radius:6px;cursor:pointer`);
  Object.assign(button, { type: "button", textContent: sign, title: name, ariaLabel: name });
  return button;
}

/** @param {string} color  any CSS color @returns {Rgb} */
function rgbOf(color) {
  const canvas = document.createElement("canvas");
  canvas.width = canvas.height = 1;
  const context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
  context.fillStyle = color;
  context.fillRect(0, 0, 1, 1);
  const [r, g, b] = context.getImageData(0, 0, 1, 1).data;
  return [r, g, b];
}
