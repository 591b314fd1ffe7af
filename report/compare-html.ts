/** A comparison as one page for a browser. */
import { layerColor } from "./colors.ts";
import type { Change, ComparedRun, Comparison, LayerChange, TotalChange } from "./compare.ts";
import { findingLines } from "./compare-text.ts";
import { amountText, causeName, differenceText, isBetter, ratioText, totalText } from "./compare-words.ts";
import {
  type Cell,
  clientScript,
  htmlPage,
  layerCell,
  note,
  numberCell,
  section,
  shortName,
  table,
  wordCell,
} from "./html.ts";
import { escaped } from "./markup.ts";
import { grouped, percent } from "./numbers.ts";
import { RUN_STYLE } from "./run-style.ts";

const STYLE = `${RUN_STYLE}
:root { --better: #1b7f4d; --worse: #b4540a; }
@media (prefers-color-scheme: dark) { :root { --better: #56c08a; --worse: #f0a04b; } }
@media print { :root { --better: #1b7f4d; --worse: #b4540a; } }
.better { color: var(--better); }
.worse { color: var(--worse); }
.moved { position: relative; height: 0.85em; width: 12rem; background: linear-gradient(var(--line), var(--line)) center / 1px 100% no-repeat; }
.moved span { position: absolute; top: 0; height: 100%; border-radius: 2px; }
.runs { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 26rem), 1fr)); gap: 0.6rem; }
.runs > div { background: var(--card); border: 1px solid var(--line); border-radius: 0.5rem; padding: 0.5rem 0.8rem; overflow-wrap: anywhere; font-size: 0.9rem; }
.runs p { margin: 0; }
.tiles { grid-template-columns: repeat(auto-fit, minmax(10.5rem, 1fr)); }
@media (max-width: 600px) { .tiles { grid-template-columns: 1fr 1fr; } }
@media print { .moved span { print-color-adjust: exact; -webkit-print-color-adjust: exact; } }
.tile small { display: block; font-size: 0.82rem; }
`;

const worth = (better: boolean | null) => (better === null ? "" : better ? "better" : "worse");

/** To the right what grew, to the left what shrank; less is better here. */
function movedBar(difference: number, most: number): Cell {
  const width = most === 0 ? 0 : (50 * Math.abs(difference)) / most;
  const place = difference > 0 ? "left:50%" : "right:50%";
  const color = difference > 0 ? "var(--worse)" : "var(--better)";
  const bar = difference === 0 ? "" : `<span style="${place};width:${width.toFixed(2)}%;background:${color}"></span>`;
  return { html: `<div class="moved">${bar}</div>`, value: difference, className: "barcell" };
}

const differenceCell = (difference: number, unit: string, better: boolean | null): Cell => ({
  html: `<span class="${worth(better)}">${differenceText({ difference, unit })}</span>`,
  value: difference,
});

function changeTable(label: string, head: string, changes: readonly Change[], nameOf: (change: Change) => string) {
  const most = Math.max(0, ...changes.map(({ difference }) => Math.abs(difference)));
  const rows = changes.map((change) => {
    const { a, b, unit, difference, ratio } = change;
    return {
      cells: [
        wordCell(nameOf(change)),
        numberCell(a, amountText(a, unit)),
        numberCell(b, amountText(b, unit)),
        differenceCell(difference, unit, null),
        numberCell(ratio ?? 0, ratioText(ratio)),
        movedBar(difference, most),
      ],
    };
  });
  return table(label, [head, "A", "B", "B − A", "change", "less, more"], rows);
}

function totalTable(totals: readonly TotalChange[]): string {
  const rows = totals.map((total) => {
    const { a, b, unit, difference, ratio } = total;
    return {
      cells: [
        wordCell(totalText(total)),
        numberCell(a, amountText(a, unit)),
        numberCell(b, amountText(b, unit)),
        differenceCell(difference, unit, isBetter(total)),
        { html: `<span class="${worth(isBetter(total))}">${ratioText(ratio)}</span>`, value: ratio ?? 0 },
      ],
    };
  });
  return table("Totals", ["of a frame", "A", "B", "B − A", "change"], rows);
}

const HEADLINES = ["framesPerSecond", "latencySeconds", "macUtilization", "energyPj", "averagePowerW", "dramReadBytes"];

function tiles(totals: readonly TotalChange[]): string {
  const items = totals
    .filter(({ name }) => HEADLINES.includes(name))
    .map((total) => {
      const { a, b, unit, ratio } = total;
      return `<div class="tile" data-value="${b}"><b>${amountText(b, unit)}</b>${totalText(total)}<small>A: ${amountText(a, unit)} <span class="${worth(isBetter(total))}">${ratioText(ratio)}</span></small></div>`;
    });
  return `<div class="tiles">${items.join("")}</div>`;
}

function layerTable(layers: readonly LayerChange[]): string {
  const most = Math.max(0, ...layers.map(({ cycles }) => Math.abs(cycles)));
  const amount = (of: LayerChange["a"], text: (amounts: NonNullable<LayerChange["a"]>) => [number, string]): Cell => {
    if (of === null) return { html: "", value: "" };
    const [value, html] = text(of);
    return numberCell(value, html);
  };
  const useText = ({ macUtilization: use }: NonNullable<LayerChange["a"]>): [number, string] => [
    use,
    use === 0 ? "" : percent(use),
  ];
  const rows = layers.map(({ name, op, a, b, cycles, dramBytes, energyPj }, i) => ({
    layer: i,
    cells: [
      layerCell(name, i, layerColor(i)),
      wordCell(op),
      amount(a, (of) => [of.cycles, grouped(of.cycles)]),
      amount(b, (of) => [of.cycles, grouped(of.cycles)]),
      differenceCell(cycles, "cycles", cycles === 0 ? null : cycles < 0),
      movedBar(cycles, most),
      amount(a, useText),
      amount(b, useText),
      differenceCell(dramBytes, "B", dramBytes === 0 ? null : dramBytes < 0),
      differenceCell(energyPj, "pJ", energyPj === 0 ? null : energyPj < 0),
      wordCell([...new Set([a?.bound ?? "-", b?.bound ?? "-"])].join(" → ")),
    ],
  }));
  const headings = [
    ...["layer", "op", "cycles A", "cycles B", "cycles B − A", "less, more", "MAC use A", "MAC use B"],
    ...["DRAM B − A", "energy B − A", "bound by"],
  ];
  return table("Layers", headings, rows);
}

function runCard(letter: string, { file, program, source, machine, frames, rapsim }: ComparedRun): string {
  const lines = [
    `<b>${letter}</b> <bdi>${escaped(shortName(program.name))}</bdi> on <bdi>${escaped(shortName(machine.name))}</bdi>, ${grouped(frames)} ${frames === 1 ? "frame" : "frames"}`,
    `<span class="dim"><bdi>${escaped(shortName(file))}</bdi>; from <bdi>${escaped(shortName(source.name))}</bdi>; program ${escaped(program.sha256.slice(0, 12))}, source ${escaped(source.sha256.slice(0, 12))}, machine ${escaped(machine.sha256.slice(0, 12))}; rapsim ${escaped(rapsim)}</span>`,
  ];
  return `<div>${lines.map((line) => `<p>${line}</p>`).join("")}</div>`;
}

function settingSection({ settings }: Comparison): string {
  const changed = [...settings.machine, ...settings.options];
  if (changed.length === 0) return "";
  const rows = changed.map(({ name, a, b }) => ({
    cells: [wordCell(shortName(name)), ...[a, b].map((value) => wordCell(shortName(String(value ?? "-"))))],
  }));
  return section("settings", "Settings that differ", table("Settings", ["setting", "A", "B"], rows));
}

/** The whole page. */
export function comparisonHtml(comparison: Comparison): string {
  const { a, b, notes, totals, cycles, traffic, energy, layers } = comparison;
  const summaries = layers.map(({ name, a: from, b: to, ...moved }) =>
    [
      `${shortName(name)}: ${from === null ? "not in A" : grouped(from.cycles)} → ${to === null ? "not in B" : grouped(to.cycles)} cycles`,
      `DRAM ${differenceText({ difference: moved.dramBytes, unit: "B" })}`,
      `energy ${differenceText({ difference: moved.energyPj, unit: "pJ" })}`,
    ].join(" · "),
  );
  const findings = findingLines(comparison);
  return htmlPage({
    title: `${shortName(a.program.name)}: two runs`,
    style: STYLE,
    body: [
      "<h1>Two runs beside each other</h1>",
      `<div class="runs">${runCard("A", a)}${runCard("B", b)}</div>`,
      ...notes.map((text) => `<p class="warn">${escaped(text)}</p>`),
      tiles(totals),
      settingSection(comparison),
      section("totals", "A frame", totalTable(totals), ...findings.map((line) => note(line))),
      section(
        "where",
        "Where cycles went",
        changeTable("Cycles", "average MAC array", cycles, causeName),
        note(
          "Cycles of the average MAC array, at work or by why it stands still: they add up to the cycles of a frame.",
        ),
      ),
      section(
        "energy",
        "Energy by component",
        changeTable("Energy", "component", energy, ({ name }) => name),
      ),
      section(
        "traffic",
        "Traffic",
        changeTable("Traffic", "kind", traffic, ({ name }) => name),
      ),
      section(
        "layers",
        "Layers",
        layerTable(layers),
        note(
          "Cycles of the layer of the oldest instruction not finished: they add up to the run. A press on a heading sorts.",
        ),
      ),
      '<div id="chosen" role="status" hidden><p></p><button type="button" aria-label="Unmark the layer">×</button></div>',
    ].join("\n"),
    data: { summaries },
    scripts: [clientScript("page.js")],
  });
}
