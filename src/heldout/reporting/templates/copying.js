"use strict";
// The button beside a command copies it; where the clipboard is refused, the command is selected.
(() => {
  const copy = document.getElementById("copy");
  copy.addEventListener("click", async () => {
    const source = document.getElementById(copy.dataset.copies);
    let done = true;
    try {
      await navigator.clipboard.writeText(source.textContent);
    } catch {
      getSelection().selectAllChildren(source);
      done = document.execCommand("copy");
    }
    copy.textContent = done ? "Copied" : "Selected: press Ctrl+C";
    setTimeout(() => { copy.textContent = "Copy"; }, 2500);
  });
})();
