// @ts-check
// The matrices of the model: a click on a cell lists its texts, and lights them up on the map.
// Uses the small functions of report.js.
"use strict";

/**
 * Put a button into each cell of the matrices of the model.
 * @param {Report} report
 */
function connectMatrices(report) {
  for (const table of Array.from(document.querySelectorAll("table[data-touch]"))) {
    const name = /** @type {HTMLElement} */ (table).dataset.touch ?? "";
    for (const cell of Array.from(table.querySelectorAll("td[data-label]"))) {
      connectCell(report, name, /** @type {HTMLElement} */ (cell));
    }
  }
}

/**
 * @param {Report} report
 * @param {string} name  of the split
 * @param {HTMLElement} cell
 */
function connectCell(report, name, cell) {
  const { labels, splits } = report.packed;
  const [label, answer] = [Number(cell.dataset.label), Number(cell.dataset.answer)];
  const button = element("button");
  button.append(...Array.from(cell.childNodes));
  const title = `Texts of ${name} with the label '${labels[label]}' and the answer '${labels[answer]}'`;
  button.setAttribute("aria-label", `${title}: ${button.textContent}`);
  button.addEventListener("click", () => {
    const rows = rowsOf(report, splits.indexOf(name), label, answer);
    report.pick(`${title} (${rows.length.toLocaleString("en")}).`, rows);
    button.setAttribute("aria-current", "true");
  });
  cell.append(button);
}

/** No cell is the one whose texts are listed. */
function unmarkCells() {
  for (const button of Array.from(document.querySelectorAll("button[aria-current]"))) {
    button.removeAttribute("aria-current");
  }
}

/**
 * The points of one cell.
 * @param {Report} report
 * @param {number} wantedSplit
 * @param {number} wantedLabel
 * @param {number} wantedAnswer
 */
function rowsOf(report, wantedSplit, wantedLabel, wantedAnswer) {
  const { split, label, answer } = report.points;
  const rows = [];
  for (let i = 0; i < report.packed.n; i++) {
    const inCell = label[i] === wantedLabel && answer[i] === wantedAnswer;
    if (inCell && split[i] === wantedSplit) rows.push(i);
  }
  return rows;
}
