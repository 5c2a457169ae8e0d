// @ts-check
// The table of the rows to read: sorted by its heads, filtered, and downloaded as it is shown.
// Uses the small functions of report.js.
"use strict";

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

function connectTable() {
  const table = document.getElementById("worth-reading");
  if (!table) return;
  const body = /** @type {HTMLTableSectionElement} */ (table.querySelector("tbody"));
  const rows = Array.from(body.rows);
  const heads = Array.from(table.querySelectorAll("th"));
  heads.forEach((head, column) => {
    const button = element("button", head.textContent ?? "");
    head.replaceChildren(button);
    button.addEventListener("click", () => {
      const up = head.getAttribute("aria-sort") !== "ascending";
      for (const other of heads) other.removeAttribute("aria-sort");
      head.setAttribute("aria-sort", up ? "ascending" : "descending");
      const of = (/** @type {HTMLTableRowElement} */ row) => contentOf(row.cells[column]);
      rows.sort((a, b) => (up ? 1 : -1) * of(a).localeCompare(of(b), "en", { numeric: true }));
      body.append(...rows);
    });
  });
  byId("filter").addEventListener("input", (event) => {
    const wanted = /** @type {HTMLInputElement} */ (event.target).value.trim().toLowerCase();
    let shown = 0;
    for (const row of rows) {
      row.hidden = !Array.from(row.cells, contentOf).join(" ").toLowerCase().includes(wanted);
      if (!row.hidden) shown += 1;
    }
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
