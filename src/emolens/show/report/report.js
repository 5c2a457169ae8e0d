// @ts-check
// Lets the page be touched: the map with its legend and search, the matrices, the table of errors.
// All texts of the data come in as text nodes, never as markup.
"use strict";

/**
 * @typedef {object} Packed
 * @property {number} n
 * @property {string[]} labels
 * @property {string[]} colors
 * @property {string[]} splits
 * @property {string} x
 * @property {string} y
 * @property {string} split
 * @property {string} label
 * @property {string} answer
 * @property {string} probability
 * @property {string} shown
 * @property {string} texts
 */

const NO_ANSWER = 65535;
const MOST_LISTED = 200;

/** @param {string} id */
function byId(id) {
  const element = document.getElementById(id);
  if (!element) throw new Error(`no #${id}`);
  return element;
}

/**
 * @param {string} tag
 * @param {string} text
 * @returns {HTMLElement}
 */
function element(tag, text = "") {
  const made = document.createElement(tag);
  made.textContent = text;
  return made;
}

/** @param {string} packed base64 of deflated bytes */
async function unpacked(packed) {
  const bytes = Uint8Array.from(atob(packed), (c) => c.charCodeAt(0));
  // The types of older compilers do not know it.
  const inflated = new /** @type {any} */ (globalThis).DecompressionStream("deflate-raw");
  const stream = new Blob([bytes]).stream().pipeThrough(inflated);
  return new Response(stream).arrayBuffer();
}

/** @param {string} color #rrggbb */
function rgb(color) {
  return [1, 3, 5].map((i) => parseInt(color.slice(i, i + 2), 16));
}

/** Everything that is known of the points, and what is chosen. */
class Report {
  /**
   * @param {Packed} packed
   * @param {{x: Float32Array, y: Float32Array, split: Uint8Array, label: Uint16Array,
   *          answer: Uint16Array, probability: Uint8Array, texts: Map<number, string>}} points
   */
  constructor(packed, points) {
    this.packed = packed;
    this.points = points;
    this.colors = packed.colors.map(rgb);
    this.starts = packed.splits.map((_, s) => points.split.indexOf(s));
    this.hiddenClasses = new Set();
    this.hiddenSplits = new Set();
    this.view = "points";
    /** @type {"label" | "answer" | "right"} */
    this.coloring = "label";
    this.map = new PointMap(byId("map-host"), { x: points.x, y: points.y }, {
      label: "Map of the texts",
      onHover: (i, x, y) => this.showBubble(i, x, y),
      onPick: (i) => this.say(i),
    });
    this.bubble = element("div");
    this.bubble.id = "bubble";
    this.bubble.dir = "auto";
    this.bubble.hidden = true;
    byId("map-host").append(this.bubble);
  }

  /** Color all points; hidden ones get no alpha. */
  paint() {
    const { n } = this.packed;
    const { label, answer } = this.points;
    const rgba = new Uint8Array(4 * n);
    const right = [0, 114, 178], wrong = [213, 94, 0], unasked = [128, 136, 148];
    for (let i = 0; i < n; i++) {
      if (this.isHidden(i)) continue;
      const asked = answer[i] !== NO_ANSWER;
      // In a hexagon, the many texts of train would hide the answers.
      if (!asked && this.coloring !== "label" && this.view === "density") continue;
      let color = this.colors[label[i]];
      if (this.coloring === "answer") color = asked ? this.colors[answer[i]] : unasked;
      if (this.coloring === "right") {
        color = asked ? (answer[i] === label[i] ? right : wrong) : unasked;
      }
      rgba.set(color, 4 * i);
      rgba[4 * i + 3] = this.coloring !== "label" && !asked ? 60 : 255;
    }
    this.map.setColors(rgba);
    byId("color-note").hidden = this.coloring !== "right";
  }

  /** @param {number} i */
  about(i) {
    const { split, label, answer, probability } = this.points;
    const place = `${this.packed.splits[split[i]]} ${i - this.starts[split[i]]}`;
    const truth = `label: ${this.packed.labels[label[i]]}`;
    if (answer[i] === NO_ANSWER) return `${truth} · ${place}`;
    const share = probability[i] > 253 ? "> 99" : Math.round((100 * probability[i]) / 255);
    const mark = answer[i] === label[i] ? "right" : "wrong";
    return `${truth} · answer: ${this.packed.labels[answer[i]]}, ${share} % (${mark}) · ${place}`;
  }

  /** @param {number} i */
  text(i) {
    return this.points.texts.get(i) ?? "(the page does not hold this text)";
  }

  /**
   * @param {number} i
   * @param {number} x
   * @param {number} y
   */
  showBubble(i, x, y) {
    this.bubble.hidden = i < 0;
    if (i < 0) return;
    this.bubble.replaceChildren(document.createTextNode(this.text(i)), element("small", this.about(i)));
    const host = byId("map-host");
    const { offsetWidth: width, offsetHeight: height } = this.bubble;
    this.bubble.style.left = `${Math.max(4, Math.min(x + 14, host.clientWidth - width - 6))}px`;
    const above = y + 16 + height > host.clientHeight;
    this.bubble.style.top = `${Math.max(4, above ? y - height - 12 : y + 16)}px`;
  }

  /** @param {number} i */
  say(i) {
    const line = byId("at-point");
    line.hidden = i < 0;
    line.textContent = i < 0 ? "" : `${this.text(i)} — ${this.about(i)}`;
  }

  /**
   * List texts below the map and light them up on it.
   * @param {string} title
   * @param {number[]} rows
   */
  pick(title, rows) {
    const box = byId("picked");
    const close = element("button", "close");
    close.addEventListener("click", () => this.unpick());
    const list = element("ol");
    const held = rows.filter((i) => this.points.texts.has(i));
    for (const i of held.slice(0, MOST_LISTED)) {
      const item = element("li");
      const show = element("button", this.text(i));
      show.dir = "auto";
      show.append(element("small", this.about(i)));
      show.addEventListener("click", () => {
        this.map.focus(i);
        byId("map").scrollIntoView({ block: "center" });
      });
      item.append(show);
      list.append(item);
    }
    const missing = rows.length - held.length;
    const more =
      (held.length > MOST_LISTED ? ` These are the first ${MOST_LISTED}.` : "") +
      (missing ? ` The page does not hold ${missing.toLocaleString("en")} of these texts.` : "");
    box.replaceChildren(element("h2", title + more), list, close);
    box.hidden = false;
    this.forgetWord();
    for (const i of rows.slice(0, 1)) this.bringBack(i);
    this.light(rows);
    letScroll();
    box.focus();
  }

  /** Empty the search: only one thing is lit up at a time. */
  forgetWord() {
    const box = /** @type {HTMLInputElement | null} */ (document.getElementById("find"));
    if (!box) return; // a page without texts
    box.value = "";
    byId("found").textContent = "";
  }

  /**
   * Bring back the split and the class of a point, if they were taken off the map.
   * @param {number} i
   */
  bringBack(i) {
    const [split, label] = [this.points.split[i], this.points.label[i]];
    const box = document.querySelector(`input[data-split="${split}"]`);
    const button = document.querySelector(`button[data-class="${label}"]`);
    if (this.hiddenSplits.delete(split)) /** @type {HTMLInputElement} */ (box).checked = true;
    if (this.hiddenClasses.delete(label)) button?.setAttribute("aria-pressed", "true");
    this.paint();
  }

  /**
   * Whether a point is taken off the map.
   * @param {number} i
   */
  isHidden(i) {
    const { split, label } = this.points;
    return this.hiddenSplits.has(split[i]) || this.hiddenClasses.has(label[i]);
  }

  /** @param {number[] | null} rows */
  light(rows) {
    byId("clear").hidden = !rows;
    this.map.setHighlight(rows);
  }

  unpick() {
    byId("picked").hidden = true;
    this.light(null);
    this.map.focus(-1);
  }

  /** @param {string} word */
  find(word) {
    const out = byId("found");
    const wanted = word.trim().toLowerCase();
    if (!wanted) {
      out.textContent = "";
      this.unpick();
      return;
    }
    const rows = [];
    for (const [i, text] of this.points.texts) if (text.toLowerCase().includes(wanted)) rows.push(i);
    const all = this.points.texts.size === this.packed.n ? "" : " of those on this page";
    const noun = rows.length === 1 ? "text" : "texts";
    const n = rows.filter((i) => this.isHidden(i)).length;
    const hidden = n ? `, ${n.toLocaleString("en")} of them not shown now` : "";
    out.textContent = `${rows.length.toLocaleString("en")} ${noun}${all}${hidden}`;
    byId("picked").hidden = true;
    this.light(rows.length ? rows : [-1]);
  }

  /** @param {string} color */
  theme(color) {
    return getComputedStyle(document.documentElement).getPropertyValue(color).trim();
  }

  useTheme() {
    this.map.setTheme({
      ink: this.theme("--ink"), paper: this.theme("--paper"), line: this.theme("--line"),
    });
  }
}

/** @param {Report} report */
function connectMap(report) {
  const dark = matchMedia("(prefers-color-scheme: dark)");
  dark.addEventListener("change", () => report.useTheme());
  report.useTheme();
  byId("color").addEventListener("change", (event) => {
    const chosen = /** @type {HTMLSelectElement} */ (event.target).value;
    report.coloring = /** @type {"label" | "answer" | "right"} */ (chosen);
    report.paint();
  });
  byId("view").addEventListener("change", (event) => {
    const chosen = /** @type {HTMLSelectElement} */ (event.target).value;
    report.view = chosen;
    report.paint();
    report.map.setView(/** @type {"points" | "density"} */ (chosen));
  });
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let waiting;
  document.getElementById("find")?.addEventListener("input", (event) => {
    const word = /** @type {HTMLInputElement} */ (event.target).value;
    clearTimeout(waiting);
    waiting = setTimeout(() => report.find(word), 120);
  });
  byId("clear").addEventListener("click", () => {
    report.forgetWord();
    report.unpick();
  });
  for (const box of Array.from(document.querySelectorAll("input[data-split]"))) {
    const unticked = !(/** @type {HTMLInputElement} */ (box).checked);
    if (unticked) report.hiddenSplits.add(Number(/** @type {HTMLElement} */ (box).dataset.split));
    box.addEventListener("change", () => {
      const input = /** @type {HTMLInputElement} */ (box);
      const split = Number(input.dataset.split);
      if (input.checked) report.hiddenSplits.delete(split);
      else report.hiddenSplits.add(split);
      report.paint();
    });
  }
  report.paint();
  for (const button of Array.from(document.querySelectorAll("button[data-class]"))) {
    button.addEventListener("click", () => {
      const id = Number(/** @type {HTMLElement} */ (button).dataset.class);
      const shown = button.getAttribute("aria-pressed") === "true";
      button.setAttribute("aria-pressed", String(!shown));
      if (shown) report.hiddenClasses.add(id);
      else report.hiddenClasses.delete(id);
      report.paint();
    });
  }
}

/**
 * Put a button into each cell of the matrices of the model.
 * @param {Report} report
 */
function connectMatrices(report) {
  const { split, label, answer } = report.points;
  const { labels, splits } = report.packed;
  for (const table of Array.from(document.querySelectorAll("table[data-touch]"))) {
    const name = /** @type {HTMLElement} */ (table).dataset.touch ?? "";
    /** @type {HTMLElement[]} */
    const cells = Array.from(table.querySelectorAll("td[data-label]"));
    for (const cell of cells) {
      const [l, a] = [Number(cell.dataset.label), Number(cell.dataset.answer)];
      const button = element("button");
      button.append(...Array.from(cell.childNodes));
      const title = `Texts of ${name} with the label '${labels[l]}' and the answer '${labels[a]}'`;
      button.setAttribute("aria-label", `${title}: ${button.textContent}`);
      button.addEventListener("click", () => {
        const s = splits.indexOf(name);
        const rows = [];
        for (let i = 0; i < report.packed.n; i++) {
          if (split[i] === s && label[i] === l && answer[i] === a) rows.push(i);
        }
        report.pick(`${title} (${rows.length.toLocaleString("en")}).`, rows);
      });
      cell.append(button);
    }
  }
}

/** Let a keyboard scroll what is wider than the page. */
function letScroll() {
  for (const box of Array.from(document.querySelectorAll(".scroll, pre, #picked ol"))) {
    const inside = /** @type {HTMLElement} */ (box);
    const wide = inside.scrollWidth > inside.clientWidth || inside.scrollHeight > inside.clientHeight;
    if (wide) inside.tabIndex = 0;
    else inside.removeAttribute("tabindex");
  }
}

async function start() {
  connectTable();
  letScroll();
  addEventListener("resize", letScroll);
  const packed = /** @type {Packed} */ (JSON.parse(byId("points").textContent ?? ""));
  const names = ["x", "y", "split", "label", "answer", "probability", "shown", "texts"];
  const parts = await Promise.all(
    names.map((name) => unpacked(/** @type {Record<string, any>} */ (packed)[name])),
  );
  const [x, y, split, label, answer, probability, shown, texts] = parts;
  const held = /** @type {string[]} */ (JSON.parse(new TextDecoder().decode(texts)));
  const report = new Report(packed, {
    x: Float32Array.from(new Uint16Array(x)),
    y: Float32Array.from(new Uint16Array(y)),
    split: new Uint8Array(split),
    label: new Uint16Array(label),
    answer: new Uint16Array(answer),
    probability: new Uint8Array(probability),
    texts: new Map(Array.from(new Uint32Array(shown), (row, k) => [row, held[k]])),
  });
  connectMap(report);
  connectMatrices(report);
  document.documentElement.dataset.ready = "yes";
}

// Only now, so that a browser that can't run this script shows the pictures.
document.documentElement.classList.add("js");
start().catch((problem) => {
  document.documentElement.classList.remove("js");
  console.error(problem);
});
