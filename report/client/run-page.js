// Runs in the page of `rapsim run --html`: sorts tables, marks a layer in every view, draws the timeline of units.
const data = JSON.parse(document.getElementById("data").textContent);

// --- tables: a click on a heading sorts by it, a second one the other way round

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

// --- one layer, marked everywhere

let selected = null;

function select(layer) {
  selected = layer === selected ? null : layer;
  document.body.classList.toggle("selecting", selected !== null);
  for (const mark of document.querySelectorAll("[data-layer]")) {
    mark.classList.toggle("selected", mark.dataset.layer === selected);
  }
  for (const button of document.querySelectorAll("button[data-select]")) {
    button.setAttribute("aria-pressed", String(button.dataset.select === selected));
  }
  requestDraw();
}

document.addEventListener("click", (event) => {
  const mark = event.target.closest("[data-select], circle[data-layer]");
  if (mark) select(mark.dataset.select ?? mark.dataset.layer);
});
document.addEventListener("keydown", (event) => {
  if (event.key === "Escape" && selected !== null) select(selected);
});

// --- the timeline

const canvas = document.querySelector("canvas");
const readout = document.querySelector("output");
const ROW = 11;
const HEAD = 18;
const LABELS = 96;

const tracks = data.tracks.map(({ name, work }) => {
  const count = work.length / 3;
  const [starts, ends, layers] = [new Float64Array(count), new Float64Array(count), new Int32Array(count)];
  let cycle = 0;
  for (let i = 0; i < count; i++) {
    starts[i] = cycle + work[3 * i];
    cycle = ends[i] = starts[i] + work[3 * i + 1];
    layers[i] = work[3 * i + 2];
  }
  return { name, starts, ends, layers };
});
const view = { from: 0, to: data.cycles };

/** The first interval that ends after a cycle. */
function firstAfter({ ends }, cycle) {
  let [low, high] = [0, ends.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (ends[middle] > cycle) high = middle;
    else low = middle + 1;
  }
  return low;
}

function draw() {
  const width = canvas.clientWidth;
  const height = HEAD + tracks.length * ROW;
  const ratio = window.devicePixelRatio || 1;
  canvas.style.height = `${height}px`;
  canvas.width = Math.round(width * ratio);
  canvas.height = Math.round(height * ratio);
  const context = canvas.getContext("2d");
  context.scale(ratio, ratio);
  const style = getComputedStyle(document.documentElement);
  const [ink, line] = [style.getPropertyValue("--dim"), style.getPropertyValue("--line")];
  const scale = (width - LABELS) / (view.to - view.from);
  context.font = "10px system-ui, sans-serif";
  context.fillStyle = ink;
  const steps = width < 600 ? 2 : 4;
  for (let i = 0; i <= steps; i++) {
    const cycle = view.from + ((view.to - view.from) * i) / steps;
    context.textAlign = i === steps ? "right" : i === 0 ? "left" : "center";
    context.fillText(Math.round(cycle).toLocaleString("en"), LABELS + (cycle - view.from) * scale, 12);
  }
  context.textAlign = "left";
  tracks.forEach((track, row) => {
    const top = HEAD + row * ROW;
    context.globalAlpha = 1;
    context.fillStyle = ink;
    context.fillText(track.name, 2, top + ROW - 2);
    context.fillStyle = line;
    context.fillRect(LABELS, top + ROW - 1, width - LABELS, 0.5);
    let drawn = -1;
    let painted = null;
    for (let i = firstAfter(track, view.from); i < track.starts.length && track.starts[i] < view.to; i++) {
      const left = LABELS + Math.max(0, (track.starts[i] - view.from) * scale);
      const right = Math.min(width, LABELS + (track.ends[i] - view.from) * scale);
      // what would lie within a pixel that is filled already
      if (right <= drawn && selected === null) continue;
      const layer = track.layers[i];
      if (layer !== painted) {
        painted = layer;
        context.globalAlpha = selected === null || Number(selected) === layer ? 1 : 0.12;
        context.fillStyle = data.colors[layer] ?? ink;
      }
      context.fillRect(left, top + 1, Math.max(0.6, right - left), ROW - 2);
      drawn = Math.ceil(right * ratio) / ratio;
    }
  });
  canvas.dataset.from = view.from;
  canvas.dataset.to = view.to;
}

let waiting = false;
function requestDraw() {
  if (waiting || !canvas) return;
  waiting = true;
  requestAnimationFrame(() => {
    waiting = false;
    draw();
  });
}

/** Shows `span` cycles from `from` on, as far as there are any. */
function show(from, span) {
  const cycles = Math.min(data.cycles, Math.max(16, span));
  view.from = Math.max(0, Math.min(from, data.cycles - cycles));
  view.to = view.from + cycles;
  requestDraw();
}

/** Around a share of the width, 0 its left end. */
function zoom(factor, share = 0.5) {
  const span = view.to - view.from;
  show(view.from + span * share * (1 - factor), span * factor);
}

const ACTIONS = {
  in: () => zoom(0.5),
  out: () => zoom(2),
  left: () => show(view.from - (view.to - view.from) / 4, view.to - view.from),
  right: () => show(view.from + (view.to - view.from) / 4, view.to - view.from),
  all: () => show(0, data.cycles),
};
const KEYS = { "+": "in", "=": "in", "-": "out", ArrowLeft: "left", ArrowRight: "right", Home: "all" };

if (canvas) {
  for (const button of document.querySelectorAll("button[data-zoom]")) {
    button.addEventListener("click", ACTIONS[button.dataset.zoom]);
  }
  canvas.addEventListener("keydown", (event) => {
    const action = KEYS[event.key];
    if (action === undefined || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    ACTIONS[action]();
  });
  const shareAt = (event) => Math.max(0, Math.min(1, (event.offsetX - LABELS) / (canvas.clientWidth - LABELS)));
  canvas.addEventListener(
    "wheel",
    (event) => {
      if (!event.ctrlKey && !event.shiftKey && document.activeElement !== canvas) return;
      event.preventDefault();
      zoom((event.deltaY || event.deltaX) > 0 ? 1.25 : 0.8, shareAt(event));
    },
    { passive: false },
  );
  const hit = (event) => {
    const track = tracks[Math.floor((event.offsetY - HEAD) / ROW)];
    if (track === undefined || event.offsetX < LABELS) return null;
    const cycle = view.from + shareAt(event) * (view.to - view.from);
    const i = firstAfter(track, cycle);
    return track.starts[i] <= cycle ? { track, i, cycle } : { track, i: -1, cycle };
  };
  let drag = null;
  canvas.addEventListener("pointerdown", (event) => {
    drag = { x: event.offsetX, from: view.from, moved: false };
  });
  canvas.addEventListener("pointermove", (event) => {
    if (drag !== null && event.buttons > 0) {
      if (Math.abs(event.offsetX - drag.x) > 3) drag.moved = true;
      const span = view.to - view.from;
      if (drag.moved) show(drag.from - ((event.offsetX - drag.x) * span) / (canvas.clientWidth - LABELS), span);
      return;
    }
    const at = hit(event);
    if (at === null) return;
    const { track, i, cycle } = at;
    const number = (n) => n.toLocaleString("en");
    readout.textContent =
      i < 0
        ? `${track.name}, cycle ${number(Math.floor(cycle))}: idle`
        : `${track.name}, cycles ${number(track.starts[i])} to ${number(track.ends[i])} (${number(track.ends[i] - track.starts[i])}): ${data.layers[track.layers[i]] ?? "instruction fetch"}`;
  });
  window.addEventListener("pointerup", (event) => {
    const clicked = drag !== null && !drag.moved && event.target === canvas ? hit(event) : null;
    drag = null;
    if (clicked !== null && clicked.i >= 0) select(String(clicked.track.layers[clicked.i]));
  });
  new ResizeObserver(requestDraw).observe(canvas);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", requestDraw);
  draw();
}
