"use strict";
// The page reads whole without this script; it adds the pictures of a cell.
// Everything that comes from the data is written with textContent: nothing of it is ever read as HTML.
(() => {
  const data = JSON.parse(document.getElementById("page-data").textContent);
  const matrix = document.getElementById("matrix");
  const panel = document.getElementById("cell-pictures");

  const element = (tag, className, text) => {
    const made = document.createElement(tag);
    if (className) made.className = className;
    if (text !== undefined) made.textContent = text;
    return made;
  };

  const sourceOf = (index) => {
    const onPage = document.getElementById(`picture-${index}`);
    return data.sources[index] || (onPage ? onPage.src : "");
  };

  const pictureOf = (index, isRight, words) => {
    const [id, confidence] = data.pictures[index];
    const item = element("li", isRight ? "picture" : "picture wrong");
    const source = sourceOf(index);
    if (source) {
      const image = element("img");
      image.alt = words;
      image.src = source;
      item.append(image);
    } else if (panel.dataset.thing === "picture") {
      item.append(element("span", "no-picture", "no thumbnail was kept"));
    }
    const answer = element("p", "answer");
    answer.append(element("span", "sure", confidence));
    const file = element("p", "file");
    file.append(element("bdi", "", id));
    item.append(answer, file);
    return item;
  };

  const showCell = (key, n) => {
    const [trueClass, saidClass] = key.split("-").map((index) => data.classes[Number(index)]);
    const isRight = trueClass === saidClass;
    const shown = data.cells[key] || [];
    const title = document.getElementById("cell-title");
    title.replaceChildren(element("bdi", "", trueClass), isRight ? " named right" : " taken for ");
    if (!isRight) title.append(element("bdi", "said", saidClass));
    const order = shown.length < 2 ? "" : isRight ? ", least sure first" : ", surest first";
    document.getElementById("cell-count").textContent =
      shown.length ? `Showing ${shown.length} of ${n}${order}` : `${n} in this cell, none kept for this page`;
    const words = isRight ? `${trueClass}, named right` : `${trueClass}, taken for ${saidClass}`;
    panel.querySelector("ul").replaceChildren(...shown.map((index) => pictureOf(index, isRight, words)));
    panel.hidden = false;
    for (const button of document.querySelectorAll("[data-cell]")) {
      button.setAttribute("aria-pressed", String(button.dataset.cell === key));
    }
  };

  const cells = matrix ? [...matrix.querySelectorAll("[data-cell]")] : [];
  const rove = (button) => {
    for (const cell of cells) cell.tabIndex = cell === button ? 0 : -1;
  };

  document.getElementById("confusion").addEventListener("click", (event) => {
    const button = event.target.closest("[data-cell]");
    if (!button) return;
    if (cells.includes(button)) rove(button);
    showCell(button.dataset.cell, Number(button.dataset.n));
    panel.scrollIntoView({block: "nearest"});
  });

  // One tab stop for the whole matrix; the arrow keys go to the next cell with pictures in their direction.
  const steps = {ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0]};
  if (matrix) matrix.addEventListener("keydown", (event) => {
    const step = steps[event.key];
    const from = event.target.closest("[data-cell]");
    if (!step || !from) return;
    event.preventDefault();
    let [row, column] = from.dataset.cell.split("-").map(Number);
    const n = data.classes.length;
    for (row += step[0], column += step[1]; row >= 0 && row < n && column >= 0 && column < n;
      row += step[0], column += step[1]) {
      const next = matrix.tBodies[0].rows[row].cells[column + 1].querySelector("button");
      if (next) {
        rove(next);
        next.focus();
        return;
      }
    }
  });

  if (panel) {
    const first = document.querySelector(`[data-cell="${panel.dataset.first}"]`);
    if (first) showCell(first.dataset.cell, Number(first.dataset.n));
  }
})();
