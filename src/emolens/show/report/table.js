// @ts-check
// The table of the rows to read: sorted by its heads, filtered, and downloaded as it is shown.
// Uses the small functions of report.js.
"use strict";

const FIRST_ROWS = 10;

/** @param {string} text one cell of a CSV file */
function quoted(text) {
  // A program for tables would take such a start for a formula.
  const safe = /^[=+\-@\t\r]/.test(text) && Number.isNaN(Number(text)) ? `'${text}` : text;
  return `"${safe.replaceAll('"', '""')}"`;
}

/** @param {Element} cell of the table; its whole text, without the signs that isolate names */
function contentOf(cell) {
  const whole = /** @type {HTMLElement} */ (cell).dataset.whole ?? cell.textContent ?? "";
  return whole.replaceAll(/[\u2068\u2069]/g, "");
}

/**
 * The order of two cells; an empty one is the last, whatever the direction.
 * @param {string} a
 * @param {string} b
 * @param {1 | -1} direction
 */
function compared(a, b, direction) {
  if (!a.trim() || !b.trim()) return Number(!a.trim()) - Number(!b.trim());
  return direction * a.localeCompare(b, "en", { numeric: true });
}

/**
 * Show only the first rows until the button is pressed. Paper shows all: it has no button.
 * @param {HTMLTableSectionElement} body
 * @returns {() => void} to be called after each change of the rows
 */
function shortened(body) {
  const button = byId("all-rows");
  let all = false;
  const update = () => {
    const rows = Array.from(body.rows).filter((row) => !row.hidden);
    rows.forEach((row, k) => row.classList.toggle("later", !all && k >= FIRST_ROWS));
    button.hidden = rows.length <= FIRST_ROWS;
    button.textContent = all ? `show only ${FIRST_ROWS}` : `show all ${rows.length}`;
  };
  button.addEventListener("click", () => {
    all = !all;
    update();
  });
  update();
  return update;
}

function connectTable() {
  const table = document.getElementById("worth-reading");
  if (!table) return;
  const body = /** @type {HTMLTableSectionElement} */ (table.querySelector("tbody"));
  const rows = Array.from(body.rows);
  const heads = Array.from(table.querySelectorAll("th"));
  const update = shortened(body);
  heads.forEach((head, column) => {
    const button = element("button", head.textContent ?? "");
    head.replaceChildren(button);
    button.addEventListener("click", () => {
      const up = head.getAttribute("aria-sort") !== "ascending";
      for (const other of heads) other.removeAttribute("aria-sort");
      head.setAttribute("aria-sort", up ? "ascending" : "descending");
      const of = (/** @type {HTMLTableRowElement} */ row) => contentOf(row.cells[column]);
      rows.sort((a, b) => compared(of(a), of(b), up ? 1 : -1));
      body.append(...rows);
      update();
    });
  });
  byId("filter").addEventListener("input", (event) => {
    const wanted = /** @type {HTMLInputElement} */ (event.target).value.trim().toLowerCase();
    let shown = 0;
    for (const row of rows) {
      row.hidden = !Array.from(row.cells, contentOf).join(" ").toLowerCase().includes(wanted);
      if (!row.hidden) shown += 1;
    }
    update();
    byId("filtered").textContent = wanted ? `${shown} of ${rows.length} rows` : "";
  });
  byId("download").addEventListener("click", () => {
    const lines = [heads.map((head) => head.textContent ?? "")];
    for (const row of rows) {
      if (!row.hidden) lines.push(Array.from(row.cells, contentOf));
    }
    const csv = "\ufeff" + lines.map((line) => line.map(quoted).join(",")).join("\r\n") + "\r\n";
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([csv], { type: "text/csv" }));
    link.download = "errors.csv";
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
  });
}
