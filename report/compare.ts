/** Two runs beside each other as data: what `rapsim compare --json` writes (schema docs/comparison.schema.json). Amounts are of one frame. */
import { RapError } from "../isa/index.ts";
import { type Better, TOTALS, TRAFFIC } from "./compare-amounts.ts";
import { groupBy } from "./recording.ts";
import type { Report, TimedReport } from "./report.ts";

export const COMPARISON_SCHEMA = "rapsim.comparison/1";

export interface Change {
  readonly name: string;
  readonly unit: string;
  readonly a: number;
  readonly b: number;
  /** b - a */
  readonly difference: number;
  /** b / a; null: a is 0 */
  readonly ratio: number | null;
}

export interface TotalChange extends Change {
  /** which way is better; null: neither */
  readonly better: Better;
}

/** A setting in which the runs differ; null: one does not have it. */
export interface SettingChange {
  readonly name: string;
  readonly a: string | number | boolean | null;
  readonly b: string | number | boolean | null;
}

/** What one run counts for a layer, a frame. */
export interface LayerAmounts {
  readonly cycles: number;
  readonly dramBytes: number;
  readonly energyPj: number;
  readonly macUtilization: number;
  readonly bound: string;
}

/** null: the run has no such layer */
export interface LayerChange {
  readonly name: string;
  readonly op: string;
  readonly a: LayerAmounts | null;
  readonly b: LayerAmounts | null;
  /** b - a; attributed cycles, so that layers add up to the run */
  readonly cycles: number;
  readonly dramBytes: number;
  readonly energyPj: number;
}

/** One of the runs. */
export interface ComparedRun {
  /** as it was given */
  readonly file: string;
  readonly rapsim: string;
  readonly program: { readonly name: string; readonly sha256: string };
  readonly source: { readonly name: string; readonly sha256: string };
  readonly machine: { readonly name: string; readonly sha256: string };
  readonly frames: number;
  readonly overlapFrames: boolean;
}

export interface Comparison {
  readonly schema: typeof COMPARISON_SCHEMA;
  readonly a: ComparedRun;
  readonly b: ComparedRun;
  readonly sameNetwork: boolean;
  /** What the reader must know before believing a difference. */
  readonly notes: readonly string[];
  readonly settings: { readonly machine: readonly SettingChange[]; readonly options: readonly SettingChange[] };
  readonly totals: readonly TotalChange[];
  /** Cycles of the average MAC array, busy or by why it stands still: they add up to the run's cycles. */
  readonly cycles: readonly Change[];
  readonly traffic: readonly Change[];
  /** By component: they add up to the run's energy. */
  readonly energy: readonly Change[];
  readonly layers: readonly LayerChange[];
  /** null: no pictures in common */
  readonly outputs: { readonly compared: number; readonly equal: number } | null;
  /** null: not both runs looked for any */
  readonly detections: { readonly a: number; readonly b: number } | null;
}

export interface GivenReport {
  readonly file: string;
  readonly report: Report;
}

/** @throws RapError without time, or on different networks unless `force` */
export function compareRuns(a: GivenReport, b: GivenReport, force = false): Comparison {
  const [from, to] = [timed(a), timed(b)];
  const sameNetwork = areSame(from, to);
  if (!sameNetwork && !force) {
    const source = ({ report: { program } }: GivenReport) =>
      `${quoted(program.name)} (${quoted(program.provenance.source)}, ${program.provenance.sourceSha256.slice(0, 12)})`;
    throw new RapError(
      `${a.file} and ${b.file}: different networks, ${source(a)} and ${source(b)}; --force compares them all the same`,
    );
  }
  return {
    schema: COMPARISON_SCHEMA,
    a: runOf(a),
    b: runOf(b),
    sameNetwork,
    notes: notesOf(from, to, sameNetwork),
    settings: {
      machine: settingChanges(from.machine.parameters, to.machine.parameters),
      options: settingChanges(from.program.provenance.options, to.program.provenance.options),
    },
    totals: totalChanges(from, to),
    cycles: causeChanges(from, to),
    traffic: TRAFFIC.map(([name, of]) => change(name, "B", of(from.totals) / from.frames, of(to.totals) / to.frames)),
    energy: energyChanges(from, to),
    layers: layerChanges(from, to),
    outputs: outputChanges(from, to),
    detections:
      from.images.length > 0 && to.images.length > 0 && from.program.head === "convdet"
        ? { a: from.detections.length, b: to.detections.length }
        : null,
  };
}

const quoted = (name: string) => `'${name.slice(0, 80).replace(/\p{Cc}/gu, "?")}'`;

function timed({ file, report }: GivenReport): TimedReport {
  if (report.totals !== null) return report as TimedReport;
  throw new RapError(`${file}: has no time: it was made with --mode functional; run it again without`);
}

function runOf({ file, report }: GivenReport): ComparedRun {
  const { program, machine, frames, overlapFrames, rapsim } = report;
  return {
    ...{ file, rapsim, frames, overlapFrames },
    program: { name: program.name, sha256: program.sha256 },
    source: { name: program.provenance.source, sha256: program.provenance.sourceSha256 },
    machine: { name: machine.name, sha256: machine.sha256 },
  };
}

/** Of the same source, or with the same work in the same layers. */
function areSame(a: TimedReport, b: TimedReport): boolean {
  const work = ({ layers, frames }: TimedReport) =>
    layers
      .filter(({ macs }) => macs > 0)
      .map(({ name, op, macs }) => `${name}\n${op}\n${macs / frames}`)
      .sort()
      .join("\n\n");
  return a.program.provenance.sourceSha256 === b.program.provenance.sourceSha256 || work(a) === work(b);
}

function notesOf(a: TimedReport, b: TimedReport, sameNetwork: boolean): string[] {
  const differ = (what: (report: TimedReport) => unknown) => what(a) !== what(b);
  return [
    ...(sameNetwork ? [] : ["The networks are different: layers are matched by name."]),
    ...(sameNetwork && differ(({ program }) => program.provenance.sourceSha256)
      ? ["The layers are the same, the sources are not: other weights may find other things."]
      : []),
    ...(differ(({ frames }) => frames)
      ? [
          "The runs have different numbers of frames: amounts are averages of a frame, and what is done once before the first frame is averaged in.",
        ]
      : []),
    ...(differ(({ overlapFrames }) => overlapFrames) ? ["In one of the runs frames overlap."] : []),
    ...(differ(({ rapsim }) => rapsim) ? ["The reports were made by different versions of rapsim."] : []),
  ];
}

function settingChanges(a: Report["machine"]["parameters"] | object, b: object): SettingChange[] {
  const [from, to] = [a, b] as Record<string, string | number | boolean>[];
  return [...new Set([...Object.keys(from), ...Object.keys(to)])]
    .filter((name) => from[name] !== to[name])
    .map((name) => ({ name, a: from[name] ?? null, b: to[name] ?? null }));
}

function change(name: string, unit: string, a: number, b: number): Change {
  return { name, unit, a, b, difference: b - a, ratio: a === 0 ? null : b / a };
}

const totalChanges = (a: TimedReport, b: TimedReport): TotalChange[] =>
  TOTALS.map(([name, unit, better, of]) => ({ ...change(name, unit, of(a), of(b)), better }));

function causeChanges(a: TimedReport, b: TimedReport): Change[] {
  const average = ({ units, frames }: TimedReport) => {
    const arrays = units.filter(({ kind }) => kind === "mac");
    const causes = new Map<string, number>();
    for (const { busyCycles, stalls } of arrays) {
      for (const [cause, cycles] of Object.entries({ busy: busyCycles, ...stalls })) {
        causes.set(cause, (causes.get(cause) ?? 0) + cycles / (arrays.length * frames));
      }
    }
    return causes;
  };
  const [from, to] = [average(a), average(b)];
  return [...new Set([...from.keys(), ...to.keys()])].map((cause) =>
    change(cause, "cycles", from.get(cause) ?? 0, to.get(cause) ?? 0),
  );
}

function energyChanges(a: TimedReport, b: TimedReport): Change[] {
  const [{ total: _a, ...from }, { total: _b, ...to }] = [a.totals.energyPj, b.totals.energyPj];
  return (Object.keys({ ...from, ...to }) as (keyof typeof from)[]).map((component) =>
    change(component, "pJ", (from[component] ?? 0) / a.frames, (to[component] ?? 0) / b.frames),
  );
}

/** In the order of B, then what only A has. Layers of one name and operation are matched in their order. */
function layerChanges(a: TimedReport, b: TimedReport): LayerChange[] {
  const numbered = ({ layers, frames }: TimedReport) =>
    new Map(
      [...groupBy(layers, ({ name, op }) => `${name}\n${op}`)].flatMap(([key, group]) =>
        group.map((layer, i) => [`${key}\n${i}`, { layer, amounts: amountsOf(layer, frames) }] as const),
      ),
    );
  const [from, to] = [numbered(a), numbered(b)];
  return [...new Set([...to.keys(), ...from.keys()])].map((key) => {
    const [left, right] = [from.get(key), to.get(key)];
    const { name, op } = (right ?? left)!.layer;
    const difference = (of: (amounts: LayerAmounts) => number) =>
      (right === undefined ? 0 : of(right.amounts)) - (left === undefined ? 0 : of(left.amounts));
    return {
      ...{ name, op, a: left?.amounts ?? null, b: right?.amounts ?? null },
      cycles: difference(({ cycles }) => cycles),
      dramBytes: difference(({ dramBytes }) => dramBytes),
      energyPj: difference(({ energyPj }) => energyPj),
    };
  });
}

function amountsOf(layer: Report["layers"][number], frames: number): LayerAmounts {
  return {
    cycles: layer.attributedCycles / frames,
    dramBytes: (layer.dramReadBytes + layer.dramWriteBytes) / frames,
    energyPj: layer.energyPj.total / frames,
    macUtilization: layer.macUtilization,
    bound: layer.bound,
  };
}

/** Output tensors of the same name made from the picture of the same name. */
function outputChanges(a: Report, b: Report): Comparison["outputs"] {
  const hashes = new Map(a.outputs.map(({ image, tensor, sha256 }) => [`${image}\n${tensor}`, sha256]));
  const common = b.outputs.filter(({ image, tensor }) => hashes.has(`${image}\n${tensor}`));
  if (common.length === 0) return null;
  const equal = common.filter(({ image, tensor, sha256 }) => hashes.get(`${image}\n${tensor}`) === sha256);
  return { compared: common.length, equal: equal.length };
}

export function comparisonJson(comparison: Comparison): string {
  return `${JSON.stringify(comparison, null, 2)}\n`;
}
