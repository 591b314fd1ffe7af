// Of every page: tables that sort, one layer marked in every view, a tip with exact numbers beside the pointer.
const data = JSON.parse(document.getElementById("data").textContent);

// --- tables: a press on a heading sorts by it, a second one the other way round

for (const table of document.querySelectorAll("table.sortable")) {
  const headings = [...table.tHead.rows[0].cells];
  headings.forEach((heading, column) => {
    heading.firstElementChild.addEventListener("click", () => {
      const direction = heading.getAttribute("aria-sort") === "descending" ? "ascending" : "descending";
      for (const other of headings) other.removeAttribute("aria-sort");
      heading.setAttribute("aria-sort", direction);
      const value = (row) => row.cells[column].dataset.value ?? row.cells[column].textContent;
      const sign = direction === "ascending" ? 1 : -1;
      const rows = [...table.tBodies[0].rows].map((row) => ({ row, key: value(row) }));
      const compare = (a, b) => (a === "" || b === "" || Number.isNaN(a - b) ? a.localeCompare(b) : a - b);
      rows.sort((a, b) => sign * compare(a.key, b.key));
      table.tBodies[0].append(...rows.map(({ row }) => row));
    });
  });
}

// --- one layer, marked everywhere; `selectionListeners` draw what is no element

let selected = null;
const selectionListeners = [];

/** Marks a layer by its number, or none (null); the one that is marked already: unmarks it. */
function select(layer) {
  selected = layer === selected ? null : layer;
  document.body.classList.toggle("selecting", selected !== null);
  for (const mark of document.querySelectorAll("[data-layer]")) {
    mark.classList.toggle("selected", Number(mark.dataset.layer) === selected);
  }
  for (const button of document.querySelectorAll("[data-select]")) {
    button.setAttribute("aria-pressed", String(Number(button.dataset.select) === selected));
  }
  const chosen = document.getElementById("chosen");
  if (chosen) {
    chosen.hidden = selected === null;
    chosen.querySelector("p").textContent = selected === null ? "" : data.summaries[selected];
  }
  for (const listener of selectionListeners) listener();
}

document.addEventListener("click", (event) => {
  if (event.target.closest("#chosen button")) return select(null);
  const mark = event.target.closest("[data-select]");
  if (mark) select(Number(mark.dataset.select));
});
document.addEventListener("keydown", (event) => {
  if (event.key === "Escape") {
    hideTip();
    if (selected !== null) select(null);
  }
  // what looks like a button, but is drawn
  if ((event.key === "Enter" || event.key === " ") && event.target.matches?.("svg [data-select]")) {
    event.preventDefault();
    select(Number(event.target.dataset.select));
  }
});

// --- the tip

const tip = document.getElementById("tip");

/** Shows text beside a point of the window. */
function showTip(text, x, y) {
  tip.textContent = text;
  tip.hidden = false;
  const { width, height } = tip.getBoundingClientRect();
  tip.style.left = `${Math.max(4, Math.min(x + 14, document.documentElement.clientWidth - width - 4))}px`;
  tip.style.top = `${y + 18 + height > window.innerHeight ? Math.max(4, y - height - 10) : y + 18}px`;
}
function hideTip() {
  tip.hidden = true;
}
document.addEventListener("pointerover", (event) => {
  const owner = event.target.closest?.("[data-tip]");
  if (owner) showTip(owner.dataset.tip, event.clientX, event.clientY);
  else if (event.target.tagName !== "CANVAS") hideTip();
});
document.addEventListener("focusin", (event) => {
  const owner = event.target.closest?.("svg [data-tip]");
  if (!owner) return;
  const { left, bottom } = owner.getBoundingClientRect();
  showTip(owner.dataset.tip, left, bottom);
});
document.addEventListener("focusout", hideTip);
document.addEventListener("scroll", hideTip, { passive: true });
