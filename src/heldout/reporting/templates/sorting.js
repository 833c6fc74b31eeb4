"use strict";
// A click on a heading sorts its table; a second one turns the order round.
(() => {
  const words = new Intl.Collator(undefined, {numeric: true});
  const opposite = {ascending: "descending", descending: "ascending"};
  for (const table of document.querySelectorAll("table.sortable")) table.tHead.addEventListener("click", (event) => {
    const button = event.target.closest("button");
    if (!button) return;
    const heading = button.closest("th");
    const column = heading.cellIndex;
    const isText = button.dataset.sort === "text";
    const current = heading.getAttribute("aria-sort");
    // Unless the heading says otherwise a first click shows the lowest, which is where the work is.
    const direction = opposite[current] || button.dataset.first || "ascending";
    const sign = direction === "ascending" ? 1 : -1;
    const rows = [...table.tBodies[0].rows];
    const keyOf = (row) => row.cells[column].dataset.key;
    rows.sort((a, b) => sign * (isText ? words.compare(keyOf(a), keyOf(b)) : keyOf(a) - keyOf(b)));
    table.tBodies[0].replaceChildren(...rows);
    for (const other of table.tHead.querySelectorAll("th")) other.removeAttribute("aria-sort");
    heading.setAttribute("aria-sort", direction);
  });
})();
