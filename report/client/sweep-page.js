// Runs in the page of `rapsim sweep`: filters points, draws them, and shows the files and commands of one.
const data = JSON.parse(document.getElementById("data").textContent);
const byId = (id) => document.getElementById(id);
const SVG = "http://www.w3.org/2000/svg";

/** An element with attributes and children; texts are put in as text. */
function element(name, attributes = {}, ...children) {
  const svg = ["svg", "circle", "path", "line", "text", "title", "g"].includes(name);
  const made = svg ? document.createElementNS(SVG, name) : document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...children);
  return made;
}

// --- columns: settings, then figures

const settingNames = [...data.axes, ...data.derived];
const known = data.figures.filter(({ name }) => data.points.some(({ figures }) => figures?.[name] != null));
const columns = [
  ...settingNames.map((name) => ({ name, exact: true, of: (point) => point.settings[name] })),
  ...known.map(({ name, unit }) => ({ name, unit, of: (point) => point.figures?.[name] ?? undefined })),
];
const column = (name) => columns.find((one) => one.name === name);
const isNumber = (one) => data.points.every((point) => ["number", "undefined"].includes(typeof one.of(point)));
const numeric = columns.filter(isNumber);
const title = ({ name, unit }) => (unit ? `${name} (${unit})` : name);

function shortNumber(value) {
  if (typeof value !== "number") return String(value ?? "");
  if (value === 0) return "0";
  const size = Math.abs(value);
  if (size >= 1e6 || size < 1e-3)
    return value
      .toPrecision(3)
      .replace(/\.?0+(e|$)/, "$1")
      .replace("e+", "e");
  return Number(value.toPrecision(4)).toLocaleString("en", { maximumFractionDigits: 6 });
}

/** Settings as they are, figures to a few digits. */
const shownValue = (one, point) => (one.exact ? String(one.of(point)) : shortNumber(one.of(point)));

// --- what is shown

const filters = [];
let shown = [];
let chosen = null;
let sorting = { name: null, sign: 1 };
const ROWS = 100;
let most = ROWS;
/** Beyond this, charts take a part of the points that are not on the front. */
const MOST_MARKS = 3000;

const RELATIONS = {
  "=": (a, b) => String(a) === b || Number(a) === Number(b || Number.NaN),
  "≠": (a, b) => !RELATIONS["="](a, b),
  "≤": (a, b) => Number(a) <= Number(b),
  "≥": (a, b) => Number(a) >= Number(b),
};

function update() {
  shown = data.points.filter(
    (point) =>
      (!byId("only-front").checked || point.onFront) &&
      (!byId("only-within").checked || point.withinLimits) &&
      filters.every(({ name, relation, value }) => {
        const own = column(name).of(point);
        return own !== undefined && RELATIONS[relation](own, value);
      }),
  );
  byId("shown").textContent =
    `${shown.length.toLocaleString("en")} of ${data.points.length.toLocaleString("en")} points are shown.`;
  most = ROWS;
  draw();
}

function draw() {
  drawScatter();
  drawParallel();
  drawTable();
}

function marks() {
  if (shown.length <= MOST_MARKS) return shown;
  const every = Math.ceil(shown.length / MOST_MARKS);
  return shown.filter((point, i) => point.onFront || point === chosen || i % every === 0);
}

const markClass = (name, point) => `${name}${point.onFront ? " front" : ""}${point === chosen ? " chosen" : ""}`;

// --- scales

/** Round numbers from below `low` to above `high`, about five. */
function ticksOf(low, high) {
  const span = high - low || Math.abs(high) || 1;
  const power = 10 ** Math.floor(Math.log10(span / 4));
  const step = [1, 2, 5, 10].map((n) => n * power).find((n) => span / n <= 6);
  const ticks = [];
  for (let i = Math.floor(low / step); i * step < high + step; i++) ticks.push(i * step);
  return ticks;
}

// --- scatter

const BOX = { left: 80, right: 940, top: 14, bottom: 370 };

function drawScatter() {
  const svg = byId("scatter");
  svg.replaceChildren();
  const [x, y] = [column(byId("x").value), column(byId("y").value)];
  const points = marks().filter((point) => x.of(point) !== undefined && y.of(point) !== undefined);
  if (points.length === 0) {
    svg.append(element("text", { x: 480, y: 200, "text-anchor": "middle" }, "no point to show"));
    return;
  }
  const scale = (one, from, to) => {
    const values = points.map(one.of);
    const ticks = ticksOf(Math.min(...values), Math.max(...values));
    const [low, high] = [ticks[0], ticks.at(-1)];
    return { ticks, at: (value) => from + ((value - low) / (high - low || 1)) * (to - from) };
  };
  const across = scale(x, BOX.left, BOX.right);
  const up = scale(y, BOX.bottom, BOX.top);
  for (const tick of across.ticks) {
    const at = across.at(tick);
    svg.append(element("line", { class: "grid", x1: at, x2: at, y1: BOX.top, y2: BOX.bottom }));
    svg.append(element("text", { x: at, y: BOX.bottom + 16, "text-anchor": "middle" }, shortNumber(tick)));
  }
  for (const tick of up.ticks) {
    const at = up.at(tick);
    svg.append(element("line", { class: "grid", x1: BOX.left, x2: BOX.right, y1: at, y2: at }));
    svg.append(element("text", { x: BOX.left - 6, y: at + 4, "text-anchor": "end" }, shortNumber(tick)));
  }
  svg.append(
    element("text", { class: "label", x: (BOX.left + BOX.right) / 2, y: 408, "text-anchor": "middle" }, title(x)),
  );
  svg.append(
    element(
      "text",
      { class: "label", x: 14, y: 200, transform: "rotate(-90 14 200)", "text-anchor": "middle" },
      title(y),
    ),
  );
  // the front above the others, the chosen one above all
  const order = (point) => (point === chosen ? 2 : point.onFront ? 1 : 0);
  for (const point of [...points].sort((a, b) => order(a) - order(b))) {
    const mark = element(
      "circle",
      {
        class: markClass("mark", point),
        cx: across.at(x.of(point)),
        cy: up.at(y.of(point)),
        r: point.onFront ? 5.5 : 4,
      },
      element("title", {}, describe(point)),
    );
    mark.addEventListener("click", () => choose(point));
    svg.append(mark);
  }
}

const describe = (point) =>
  [`point ${point.index}`, ...data.axes.map((name) => `${name} ${point.settings[name]}`)].join("; ");

// --- parallel coordinates

function drawParallel() {
  const svg = byId("parallel");
  svg.replaceChildren();
  const axes = [...data.axes.map(column), ...data.objectives.map(({ figure }) => column(figure))].filter(Boolean);
  const points = marks().filter((point) => axes.every((axis) => axis.of(point) !== undefined));
  if (points.length === 0 || axes.length < 2) return;
  const place = axes.map((axis, i) => {
    const at = 60 + (i * 840) / (axes.length - 1);
    const distinct = [...new Set(points.map(axis.of))].sort((a, b) => (a < b ? -1 : 1));
    const even = distinct.length <= 12 || !isNumber(axis);
    const [low, high] = [distinct[0], distinct.at(-1)];
    const share = even
      ? (value) => (distinct.length === 1 ? 0.5 : distinct.indexOf(value) / (distinct.length - 1))
      : (value) => (value - low) / (high - low || 1);
    const up = (value) => 370 - share(value) * 320;
    svg.append(element("line", { class: "grid", x1: at, x2: at, y1: 50, y2: 370 }));
    svg.append(
      element("text", { class: "label", x: at, y: i % 2 === 0 ? 20 : 36, "text-anchor": "middle" }, axis.name),
    );
    const labelled = even && distinct.length <= 12 ? distinct : [low, high];
    for (const value of labelled) {
      svg.append(element("text", { x: at + 5, y: up(value) + 4 }, shortNumber(value)));
    }
    return { at, up };
  });
  const order = (point) => (point === chosen ? 2 : point.onFront ? 1 : 0);
  for (const point of [...points].sort((a, b) => order(a) - order(b))) {
    const steps = axes.map(
      (axis, i) => `${i === 0 ? "M" : "L"}${place[i].at} ${place[i].up(axis.of(point)).toFixed(1)}`,
    );
    const line = element(
      "path",
      { class: markClass("line", point), d: steps.join("") },
      element("title", {}, describe(point)),
    );
    line.addEventListener("click", () => choose(point));
    svg.append(line);
  }
}

// --- table

const ORDER = { "": (point) => point.index, error: (point) => point.error ?? undefined };

function drawTable() {
  const table = byId("points");
  const value = sorting.name === null ? ORDER[""] : (ORDER[sorting.name] ?? column(sorting.name).of);
  const compare = (a, b) => {
    const [x, y] = [value(a), value(b)];
    if (x === undefined || y === undefined) return (x === undefined) - (y === undefined);
    return sorting.sign * (x < y ? -1 : x > y ? 1 : a.index - b.index);
  };
  const rows = [...shown].sort(compare).slice(0, most);
  table.tBodies[0].replaceChildren(
    ...rows.map((point) => {
      const button = element("button", { type: "button" }, `${point.onFront ? "★ " : ""}${point.index}`);
      button.addEventListener("click", () => choose(point));
      const row = element(
        "tr",
        { class: markClass("mark", point).replace("mark", "") },
        element("td", {}, button),
        ...columns.map((one) => element("td", {}, shownValue(one, point))),
      );
      if (hasErrors) row.append(element("td", { class: "text" }, point.error ?? ""));
      return row;
    }),
  );
  byId("more").hidden = rows.length >= shown.length;
}

const hasErrors = data.points.some(({ error }) => error !== null);

function drawHead() {
  const heads = [{ name: null, text: "point" }, ...columns.map((one) => ({ name: one.name, text: title(one) }))];
  if (hasErrors) heads.push({ name: "error", text: "error" });
  const row = element("tr");
  for (const { name, text } of heads) {
    const button = element("button", { type: "button" }, text);
    const head = element("th", { scope: "col" }, button);
    button.addEventListener("click", () => {
      sorting = { name, sign: sorting.name === name ? -sorting.sign : 1 };
      for (const other of row.cells) other.removeAttribute("aria-sort");
      head.setAttribute("aria-sort", sorting.sign > 0 ? "ascending" : "descending");
      drawTable();
    });
    row.append(head);
  }
  byId("points").tHead.replaceChildren(row);
}

// --- one point

/** The machine as a file that --machine takes. Keys and values are the house's own: names of parameters, numbers, words. */
function machineText(point) {
  const lines = Object.entries(point.machine).map(([key, value]) => `  ${key}: ${value}`);
  return `name: point-${point.index}\nparameters:${lines.length === 0 ? " {}" : ""}\n${lines.join("\n")}\n`;
}

let link = null;

function choose(point) {
  chosen = point;
  draw();
  const panel = byId("point");
  const pairs = columns.filter((one) => one.of(point) !== undefined);
  const text = machineText(point);
  if (link !== null) URL.revokeObjectURL(link);
  link = URL.createObjectURL(new Blob([text], { type: "application/yaml" }));
  const download = element("a", { href: link, download: `point-${point.index}.yaml` }, `point-${point.index}.yaml`);
  const code = (content, label) => element("pre", { tabindex: "0", role: "region", "aria-label": label }, content);
  panel.replaceChildren(
    element("h3", {}, `Point ${point.index}${point.onFront ? ", on the front" : ""}`),
    element(
      "p",
      {},
      pairs.map((one) => `${one.name} ${shownValue(one, point)}${one.unit ? ` ${one.unit}` : ""}`).join("; "),
    ),
    ...(point.error === null ? [] : [element("p", { class: "warn" }, point.error)]),
    ...(point.commands.length === 0
      ? []
      : [
          element("p", {}, "Repeated by hand:"),
          code(point.commands.join("\n"), "Command lines"),
          element("p", {}, "Its machine, as a file for --machine: ", download),
          code(text, "Machine file"),
        ]),
  );
}

/** Arrow keys go from point to point, in the order of what is across. */
byId("scatter").addEventListener("keydown", (event) => {
  const step = { ArrowRight: 1, ArrowUp: 1, ArrowLeft: -1, ArrowDown: -1 }[event.key];
  if (step === undefined || shown.length === 0) return;
  event.preventDefault();
  const across = column(byId("x").value).of;
  const sorted = shown
    .filter((point) => across(point) !== undefined)
    .sort((a, b) => across(a) - across(b) || a.index - b.index);
  const at = sorted.indexOf(chosen);
  choose(sorted[at < 0 ? 0 : Math.min(sorted.length - 1, Math.max(0, at + step))]);
});

// --- controls

function fill(id, names, selected) {
  byId(id).replaceChildren(...names.map((name) => element("option", name === selected ? { selected: "" } : {}, name)));
  byId(id).addEventListener("change", drawScatter);
}

function drawFilters() {
  byId("filters").replaceChildren(
    ...filters.map((filter) => {
      const text = `${filter.name} ${filter.relation} ${filter.value}`;
      const button = element("button", { type: "button", "aria-label": `Remove filter ${text}` }, `${text} ✕`);
      button.addEventListener("click", () => {
        filters.splice(filters.indexOf(filter), 1);
        drawFilters();
        update();
      });
      return button;
    }),
  );
}

byId("filter").addEventListener("submit", (event) => {
  event.preventDefault();
  const value = byId("filter-value").value.trim();
  if (value === "") return;
  filters.push({ name: byId("filter-column").value, relation: byId("filter-relation").value, value });
  drawFilters();
  update();
});
for (const id of ["only-front", "only-within"]) byId(id).addEventListener("change", update);
byId("more").addEventListener("click", () => {
  most += 10 * ROWS;
  drawTable();
});

const names = numeric.map(({ name }) => name);
const [first, second] = data.objectives.map(({ figure }) => figure).filter((name) => names.includes(name));
fill("x", names, second ?? names[0]);
fill("y", names, first ?? names[1] ?? names[0]);
fill(
  "filter-column",
  columns.map(({ name }) => name),
);
fill("filter-relation", Object.keys(RELATIONS));
drawHead();
update();
