/** The head of the text report: what ran, how fast, with how much traffic and energy. */
import { peakMacsPerCycle } from "../isa/index.ts";
import type { EnergyPj } from "../sim/result.ts";
import { count, grouped, percent, significant, withPrefix } from "./numbers.ts";
import { FIXED_BLANK, type Page, printable, wrapped } from "./page.ts";
import { type Report, scalingText } from "./report.ts";

const MODE_TEXT = { full: "values and time", timing: "time only", functional: "values only" } as const;

function framesText({ mode, frames, overlapFrames }: Report): string {
  if (mode === "functional") return count(frames, "picture");
  return count(frames, "frame") + (overlapFrames ? ", overlapped" : "");
}

function machineText({ machine: { parameters: p } }: Report): string {
  const arrays = `${p["agent.tensorProcessors"] === 1 ? "" : `${p["agent.tensorProcessors"]} x `}${p["array.rows"]} x ${p["array.cols"]} MACs`;
  return [
    `${count(p.agents, "agent")} of ${arrays} and ${grouped(p["sram.bytes"] / 1024)} KiB SRAM`,
    `DRAM ${significant(p["dram.bytesPerCycle"])} B/cycle`,
    withPrefix(p.clockHz, "Hz"),
  ].join(", ");
}

export function headLines(page: Page, report: Report): string[] {
  const { program, machine } = report;
  const title = `${page.bold(printable(program.name))} on ${page.bold(printable(machine.name))}`;
  return [
    `${title}: ${framesText(report)}, ${MODE_TEXT[report.mode]}${printable(scalingText(program.provenance))}`,
    ...wrapped(page, "", machineText(report)).map(page.dim),
  ];
}

const COMPONENT_TEXT: { readonly [C in Exclude<keyof EnergyPj, "total">]: string } = {
  mac: "MACs",
  shift: "shift and pool",
  sram: "SRAM",
  accumulator: "accumulators",
  dma: "DMA",
  link: "links",
  dram: "DRAM",
  scalar: "instructions",
  leakage: "leakage",
  clock: "clock",
};

const part = (name: string, share: number) => `${name}${FIXED_BLANK}${(share * 100).toFixed(0)}${FIXED_BLANK}%`;

/** Components from the largest on, the small ones together. */
function energyShares({ total, ...components }: EnergyPj): string {
  if (total === 0) return "";
  const shares = Object.entries(components)
    .map(([name, value]) => ({ name: COMPONENT_TEXT[name as keyof typeof components], share: value / total }))
    .sort((a, b) => b.share - a.share);
  const shown = shares.filter(({ share }) => share >= 0.02);
  const rest = shares.slice(shown.length).reduce((sum, { share }) => sum + share, 0);
  const texts = shown.map(({ name, share }) => part(name, share));
  return [...texts, ...(rest >= 0.005 ? [part("other", rest)] : [])].join(", ");
}

/** label, the number, and what stands behind it */
type Line = readonly [label: string, value: string, detail: string];

function lines(report: Report): Line[] {
  const { totals, machine, frames } = report;
  if (totals === null) return [];
  const perFrame = frames > 1 ? " a frame" : "";
  const clockHz = machine.parameters.clockHz;
  const each = (total: number) => total / frames;
  const latency: Line = [
    "latency",
    withPrefix(totals.latencyCycles / clockHz, "s"),
    frames > 1
      ? `${grouped(totals.latencyCycles)} cycles; a frame every ${grouped(totals.intervalCycles)} cycles`
      : `${grouped(totals.latencyCycles)} cycles from input to output`,
  ];
  const useful = withPrefix(each(totals.macs), "MAC", 4);
  const peak = grouped(peakMacsPerCycle({ name: machine.name, parameters: machine.parameters }));
  const executed =
    totals.macsExecuted === totals.macs ? "" : `, ${withPrefix(each(totals.macsExecuted), "", 4).trim()} executed`;
  return [
    ["speed", `${significant(totals.framesPerSecond, 4)} frames/s`, ""],
    latency,
    ["MAC utilisation", percent(totals.macUtilization), `${useful} useful${executed}${perFrame}; peak ${peak} a cycle`],
    ["DRAM read", withPrefix(each(totals.dramReadBytes), "B"), `${perFrame.trim()}`],
    ["DRAM written", withPrefix(each(totals.dramWriteBytes), "B"), `${perFrame.trim()}`],
    ["energy", withPrefix(each(totals.energyPj.total) * 1e-12, "J/frame"), energyShares(totals.energyPj)],
    ["power", `${significant(totals.averagePowerW)} W`, `on average; ${significant(totals.framesPerJoule)} frames/J`],
  ];
}

export function totalsLines(page: Page, report: Report): string[] {
  const rows = lines(report).map(([label, value, detail]) => {
    const [number, unit = ""] = value.split(" ");
    return { label, number, unit, detail };
  });
  const widest = (key: "label" | "number" | "unit") => Math.max(0, ...rows.map((row) => row[key].length));
  const [labelWidth, numberWidth, unitWidth] = [widest("label"), widest("number"), widest("unit")];
  const indent = labelWidth + numberWidth + unitWidth + 8;
  return rows.flatMap(({ label, number, unit, detail }) => {
    const [first, ...rest] = wrapped({ ...page, width: page.width - indent }, "", detail);
    const value = page.bold(`${number.padStart(numberWidth)} ${unit}`);
    const gap = " ".repeat(unitWidth - unit.length + 3);
    const head = `  ${label.padEnd(labelWidth)}  ${value}`;
    return [
      detail === "" ? head : head + gap + page.dim(first),
      ...rest.map((line) => `${" ".repeat(indent)}${page.dim(line)}`),
    ];
  });
}
