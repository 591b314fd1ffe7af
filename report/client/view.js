// The part of the run that all charts over time show, and what moves it: buttons, keys, wheel, dragging.
const GUTTER = window.innerWidth < 600 ? 76 : 100;
/** A single instruction fills the width. */
const LEAST_CYCLES = 16;
const view = { from: 0, to: data.cycles ?? 0 };
const number = (value) => value.toLocaleString("en");

/** Each draws one chart for `view` and `selected`. */
const drawings = [];
let waiting = false;
function requestDraw() {
  if (waiting) return;
  waiting = true;
  requestAnimationFrame(() => {
    waiting = false;
    for (const draw of drawings) draw();
    document.body.dataset.from = view.from;
    document.body.dataset.to = view.to;
  });
}
selectionListeners.push(requestDraw);

/** Shows `span` cycles from `from` on, as far as there are any. */
function show(from, span) {
  const cycles = Math.min(data.cycles, Math.max(LEAST_CYCLES, span));
  view.from = Math.max(0, Math.min(from, data.cycles - cycles));
  view.to = view.from + cycles;
  hideTip();
  requestDraw();
}

/** Around a share of the width, 0 its left end. */
function zoom(factor, share = 0.5) {
  const span = view.to - view.from;
  const next = Math.min(data.cycles, Math.max(LEAST_CYCLES, span * factor));
  show(view.from + share * (span - next), next);
}

const ACTIONS = {
  in: () => zoom(0.5),
  out: () => zoom(2),
  left: () => show(view.from - (view.to - view.from) / 4, view.to - view.from),
  right: () => show(view.from + (view.to - view.from) / 4, view.to - view.from),
  all: () => show(0, data.cycles),
};
const KEYS = { "+": "in", "=": "in", "-": "out", ArrowLeft: "left", ArrowRight: "right", Home: "all" };

for (const button of document.querySelectorAll("[data-zoom]")) {
  button.addEventListener("click", ACTIONS[button.dataset.zoom]);
}

/** Keys and wheel on an element with a chart that begins `GUTTER` from its left. @returns where in the chart's width an event is, 0..1 */
function movesView(element, chart) {
  const shareAt = ({ clientX }) => {
    const { left, width } = chart.getBoundingClientRect();
    return Math.max(0, Math.min(1, (clientX - left - GUTTER) / (width - GUTTER)));
  };
  element.addEventListener("keydown", (event) => {
    const action = KEYS[event.key];
    if (action === undefined || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    ACTIONS[action]();
  });
  element.addEventListener(
    "wheel",
    (event) => {
      if (!event.ctrlKey && !event.shiftKey) return;
      event.preventDefault();
      zoom((event.deltaY || event.deltaX) > 0 ? 1.25 : 0.8, shareAt(event));
    },
    { passive: false },
  );
  return shareAt;
}

/** A canvas whose rows one may point at: `hit` says what is at a cycle and a height, with its text and layer. */
function pointsAt(canvas, hit) {
  const shareAt = movesView(canvas.parentElement, canvas);
  const at = (event) => {
    const { left, top } = canvas.getBoundingClientRect();
    if (event.clientX - left < GUTTER) return null;
    return hit(view.from + shareAt(event) * (view.to - view.from), event.clientY - top);
  };
  let drag = null;
  canvas.addEventListener("pointerdown", (event) => {
    drag = { x: event.clientX, from: view.from, moved: false };
  });
  canvas.addEventListener("pointermove", (event) => {
    if (drag !== null && event.buttons > 0) {
      const moved = event.clientX - drag.x;
      if (Math.abs(moved) > 3) drag.moved = true;
      const span = view.to - view.from;
      if (drag.moved) show(drag.from - (moved * span) / (canvas.clientWidth - GUTTER), span);
      return;
    }
    const found = at(event);
    if (found === null) hideTip();
    else showTip(found.text, event.clientX, event.clientY);
  });
  canvas.addEventListener("pointerleave", hideTip);
  window.addEventListener("pointerup", (event) => {
    const clicked = drag !== null && !drag.moved && event.target === canvas ? at(event) : null;
    drag = null;
    if (clicked !== null && clicked.layer >= 0) select(clicked.layer);
  });
}

/** Makes a canvas as large as it is shown, for the screen's own pixels. @returns its context and the pixels' ratio */
function sized(canvas, width, height) {
  const ratio = window.devicePixelRatio || 1;
  canvas.style.height = `${height}px`;
  canvas.width = Math.round(width * ratio);
  canvas.height = Math.round(height * ratio);
  return { context: canvas.getContext("2d"), ratio };
}

/** A colour of the theme in use, as CSS has it. */
const themed = (name) => getComputedStyle(document.body).getPropertyValue(name).trim();

/** #rrggbb as a pixel of ImageData, mixed with another: share 1 is all of it. */
function pixel(color, ground, share) {
  const part = (at) => {
    const [a, b] = [color, ground].map((hex) => Number.parseInt(hex.slice(at, at + 2), 16));
    return Math.round(a * share + b * (1 - share));
  };
  return ((255 << 24) | (part(5) << 16) | (part(3) << 8) | part(1)) >>> 0;
}

/** Round cycles at which to write, about `count` of them. */
function ticks(count) {
  const span = view.to - view.from;
  const raw = span / count;
  const power = 10 ** Math.floor(Math.log10(raw));
  const step = Math.max(1, [1, 2, 5, 10].find((n) => n * power >= raw) * power);
  const first = Math.ceil(view.from / step) * step;
  return Array.from({ length: Math.floor((view.to - first) / step) + 1 }, (_, i) => first + i * step);
}

const printing = matchMedia("print");
for (const media of [printing, matchMedia("(prefers-color-scheme: dark)")]) {
  // at once: a page that is printed waits for no frame
  media.addEventListener("change", () => {
    for (const draw of drawings) draw();
  });
}
