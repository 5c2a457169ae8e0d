// @ts-check
// Lets the page be touched: the map with its legend and search, and the list of texts.
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

/** @param {number} n */
function counted(n) {
  return `${n.toLocaleString("en")} ${n === 1 ? "text" : "texts"}`;
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
      onWalk: (i) => this.follow(i),
      onHexagon: (rows, x, y) => this.showHexagon(rows, x, y),
      // Texts without a place are drawn in the corner.
      isAside: (i) => points.x[i] === 0 && points.y[i] === 0,
    });
    this.bubble = new Bubble(byId("map-host"));
  }

  /** Color all points; hidden ones get no alpha. */
  paint() {
    const { n } = this.packed;
    const { label, answer } = this.points;
    const rgba = new Uint8Array(4 * n);
    const [calm, alarm] = [rgb(this.theme("--right")), rgb(this.theme("--wrong"))];
    const unasked = [128, 136, 148];
    for (let i = 0; i < n; i++) {
      if (this.isHidden(i)) continue;
      const asked = answer[i] !== NO_ANSWER;
      // In a hexagon, the many texts of train would hide the answers.
      if (!asked && this.coloring !== "label" && this.view === "density") continue;
      let color = this.colors[label[i]];
      if (this.coloring === "answer") color = asked ? this.colors[answer[i]] : unasked;
      if (this.coloring === "right") {
        color = asked ? (answer[i] === label[i] ? calm : alarm) : unasked;
      }
      rgba.set(color, 4 * i);
      // The map draws strong points last: no wrong answer is covered by the many right ones.
      const right = this.coloring === "right" && answer[i] === label[i];
      rgba[4 * i + 3] = this.coloring === "label" ? 255 : !asked ? 60 : right ? 180 : 255;
    }
    this.map.setColors(rgba);
    this.describeColors();
  }

  /** What the colors stand for, and how many texts of the chosen splits each class has. */
  describeColors() {
    const judged = this.coloring === "right";
    byId("color-note").hidden = !judged;
    byId("legend").classList.toggle("uncolored", judged);
    const { split, label } = this.points;
    const counts = new Uint32Array(this.packed.labels.length);
    for (let i = 0; i < this.packed.n; i++) if (!this.hiddenSplits.has(split[i])) counts[label[i]]++;
    for (const count of Array.from(document.querySelectorAll("button[data-class] small"))) {
      const button = /** @type {HTMLElement} */ (count.parentElement);
      count.textContent = counts[Number(button.dataset.class)].toLocaleString("en");
    }
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
    if (i < 0) this.bubble.hide();
    else this.bubble.show(this.text(i), this.about(i), x, y);
  }

  /**
   * How many points of each color a hexagon holds: its own color is only the most frequent one.
   * @param {Uint32Array} rows
   * @param {number} x
   * @param {number} y
   */
  showHexagon(rows, x, y) {
    const { label, answer } = this.points;
    const { labels } = this.packed;
    const names = {
      label: (/** @type {number} */ i) => labels[label[i]],
      answer: (/** @type {number} */ i) => labels[answer[i]],
      right: (/** @type {number} */ i) => (answer[i] === label[i] ? "right" : "wrong"),
    };
    /** @type {Map<string, number>} */
    const counts = new Map();
    for (const i of rows) {
      const name = names[this.coloring](i);
      counts.set(name, (counts.get(name) ?? 0) + 1);
    }
    const sorted = Array.from(counts).sort((a, b) => b[1] - a[1]);
    const each = sorted.map(([name, n]) => `${name}: ${n.toLocaleString("en")}`).join(" · ");
    this.bubble.show(counted(rows.length), each, x, y);
  }

  /** @param {number} i */
  say(i) {
    const line = byId("at-point");
    line.hidden = i < 0;
    line.textContent = i < 0 ? "" : `${this.text(i)} — ${this.about(i)}`;
  }

  /**
   * The text that stands below the map is the one of the last point that was asked for.
   * @param {number} i
   */
  follow(i) {
    if (!byId("at-point").hidden) this.say(i);
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
    const back = rows.length ? this.bringBack(rows[0]) : "";
    box.replaceChildren(element("h2", title + more + back), list, close);
    box.hidden = false;
    unmarkCells();
    this.forgetWord();
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
   * Bring back the split and the class of a point, if they were taken off the map, and say so.
   * @param {number} i
   */
  bringBack(i) {
    const [split, label] = [this.points.split[i], this.points.label[i]];
    const box = document.querySelector(`input[data-split="${split}"]`);
    const button = document.querySelector(`button[data-class="${label}"]`);
    const back = [];
    if (this.hiddenSplits.delete(split)) {
      /** @type {HTMLInputElement} */ (box).checked = true;
      back.push(this.packed.splits[split]);
    }
    if (this.hiddenClasses.delete(label)) {
      button?.setAttribute("aria-pressed", "true");
      back.push(`'${this.packed.labels[label]}'`);
    }
    this.paint();
    return back.length ? ` The map now shows ${back.join(" and ")}, too.` : "";
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
    unmarkCells();
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
    const n = rows.filter((i) => this.isHidden(i)).length;
    const hidden = n ? `, ${n.toLocaleString("en")} of them not shown now` : "";
    out.textContent = `${counted(rows.length)}${all}${hidden}`;
    byId("picked").hidden = true;
    unmarkCells();
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
