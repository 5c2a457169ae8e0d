// @ts-check
// What stands around the map: colors, views, splits, classes and the search.
// Uses the small functions of report.js.
"use strict";

/** @param {Report} report */
function connectMap(report) {
  const dark = matchMedia("(prefers-color-scheme: dark)");
  dark.addEventListener("change", () => {
    report.useTheme();
    report.paint();
  });
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
