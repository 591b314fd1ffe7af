/** The pictures of a run's page, as inline SVG: roofline, and bandwidth and power over time. */
import type { LayerResult } from "../sim/result.ts";
import { type Activity, cyclesOfBin } from "./activity.ts";
import { coordinate, escaped } from "./markup.ts";
import { significant, withPrefix } from "./numbers.ts";
import type { Report } from "./report.ts";

type Totals = NonNullable<Report["totals"]>;

/** A layer's colour in every view. */
export const layerColor = (i: number) => `hsl(${Math.round((i * 137.508) % 360)} 58% 52%)`;

const ROOF = { width: 720, height: 360, left: 58, right: 32, top: 14, bottom: 44 } as const;

/** Layers with work for the arrays: MACs per DRAM byte, and MACs per cycle from the layer's first cycle to its last. */
function rooflinePoints(layers: readonly LayerResult[]) {
  return layers.flatMap((layer, i) => {
    const bytes = layer.dramReadBytes + layer.dramWriteBytes;
    const cycles = layer.endCycle - layer.startCycle;
    return layer.macs > 0 && bytes > 0 && cycles > 0
      ? [{ layer, i, x: layer.macs / bytes, y: layer.macs / cycles }]
      : [];
  });
}

/** Null without layers that compute. */
export function rooflineSvg({ layers, totals, machine }: Report & { readonly totals: Totals }): string | null {
  const points = rooflinePoints(layers);
  if (points.length === 0) return null;
  const bandwidth = machine.parameters["dram.bytesPerCycle"];
  const peak = totals.macSlots / totals.cycles;
  const ridge = peak / bandwidth;
  const whole = { x: totals.macs / (totals.dramReadBytes + totals.dramWriteBytes), y: totals.macs / totals.cycles };
  const all = [...points, whole];
  const range = (values: number[]) => [
    10 ** Math.floor(Math.log10(Math.min(...values))),
    10 ** Math.ceil(Math.log10(Math.max(...values))),
  ];
  const [x0, x1] = range([...all.map(({ x }) => x), ridge / 2, ridge * 2]);
  const [y0, y1] = range([...all.map(({ y }) => y), peak]);
  const { width, height, left, right, top, bottom } = ROOF;
  const x = (v: number) => coordinate(left + (Math.log10(v / x0) / Math.log10(x1 / x0)) * (width - left - right));
  const y = (v: number) =>
    coordinate(height - bottom - (Math.log10(v / y0) / Math.log10(y1 / y0)) * (height - top - bottom));
  const decades = (from: number, to: number) =>
    Array.from({ length: Math.round(Math.log10(to / from)) + 1 }, (_, i) => from * 10 ** i);
  const least = Math.max(x0, y0 / bandwidth);
  const dots = points.map(({ layer, i, x: intensity, y: rate }) => {
    const radius = 3 + 12 * Math.sqrt(layer.attributedCycles / totals.cycles);
    const text = `${layer.name}: ${significant(intensity)} MAC/B, ${significant(rate)} MAC a cycle, ${layer.bound}`;
    return `<circle class="mark" data-layer="${i}" cx="${x(intensity)}" cy="${y(rate)}" r="${coordinate(radius)}" fill="${layerColor(i)}"><title>${escaped(text)}</title></circle>`;
  });
  const title = "Roofline: MACs per cycle against MACs per DRAM byte, a point for each layer";
  return [
    `<svg viewBox="0 0 ${width} ${height}" role="img" aria-label="${title}">`,
    ...decades(x0, x1).map(
      (v) =>
        `<path d="M${x(v)} ${top}V${height - bottom}" stroke="var(--line)"/><text x="${x(v)}" y="${height - bottom + 16}" text-anchor="middle">${significant(v, 1)}</text>`,
    ),
    ...decades(y0, y1).map(
      (v) =>
        `<path d="M${left} ${y(v)}H${width - right}" stroke="var(--line)"/><text x="${left - 6}" y="${Number(y(v)) + 4}" text-anchor="end">${significant(v, 1)}</text>`,
    ),
    `<text x="${width - right}" y="${height - 8}" text-anchor="end">MAC / DRAM byte</text><text x="${left + 4}" y="${top + 2}">MAC / cycle</text>`,
    `<path d="M${x(least)} ${y(least * bandwidth)}L${x(ridge)} ${y(peak)}H${width - right}" fill="none" stroke="var(--ink)" stroke-width="1.6"/>`,
    ...dots,
    `<path d="M${Number(x(whole.x)) - 7} ${y(whole.y)}h14m-7 -7v14" stroke="var(--ink)" stroke-width="2.4"><title>${escaped(`whole run: ${significant(whole.x)} MAC/B, ${significant(whole.y)} MAC a cycle`)}</title></path>`,
    "</svg>",
  ].join("");
}

const TIME = { width: 720, height: 150, left: 58, right: 10, top: 16, bottom: 26 } as const;

interface Area {
  readonly name: string;
  readonly color: string;
  readonly series: Float64Array;
}

/** Series over time, one on top of the other, per second. */
function timeSvg(
  areas: readonly Area[],
  unit: string,
  scale: number,
  { binCycles }: Activity,
  totals: Totals,
  ceiling = 0,
): string {
  const { width, height, left, right, top, bottom } = TIME;
  const clockHz = totals.cycles / totals.seconds;
  const count = areas[0].series.length;
  const sums = areas.map(() => new Float64Array(count));
  for (let i = 0; i < count; i++) {
    const seconds = cyclesOfBin(i, binCycles, totals.cycles) / clockHz;
    let sum = 0;
    areas.forEach(({ series }, n) => {
      sum += (series[i] * scale) / seconds;
      sums[n][i] = sum;
    });
  }
  const most = Math.max(ceiling, ...sums[sums.length - 1]) || 1;
  const x = (cycle: number) =>
    coordinate(left + (Math.min(cycle, totals.cycles) / totals.cycles) * (width - left - right));
  const y = (v: number) => coordinate(height - bottom - (v / most) * (height - top - bottom));
  // drawn from the highest down: each covers the lower part of the one before
  const paths = areas
    .map(({ color, name }, n) => {
      const steps = Array.from(sums[n], (v, i) => `V${y(v)}H${x((i + 1) * binCycles)}`).join("");
      return `<path d="M${left} ${y(0)}${steps}V${y(0)}Z" fill="${color}"><title>${name}</title></path>`;
    })
    .reverse();
  const title = `${areas.map(({ name }) => name).join(", ")} over time, ${unit}`;
  return [
    `<svg viewBox="0 0 ${width} ${height}" role="img" aria-label="${title}">`,
    ...paths,
    ...[0, most].map(
      (v) =>
        `<path d="M${left} ${y(v)}H${width - right}" stroke="var(--dim)"/><text x="${left - 6}" y="${Number(y(v)) + 4}" text-anchor="end">${significant(v)}</text>`,
    ),
    `<text x="${left}" y="${height - 8}">0</text><text x="${width - right}" y="${height - 8}" text-anchor="end">${withPrefix(totals.seconds, "s")}</text>`,
    `<text x="${left + 4}" y="11">${unit}</text></svg>`,
  ].join("");
}

/** Up to the machine's peak. */
export function bandwidthSvg(activity: Activity, { totals, machine }: Report & { readonly totals: Totals }): string {
  const { clockHz, "dram.bytesPerCycle": bytesPerCycle } = machine.parameters;
  const areas = [
    { name: "read", color: "var(--after)", series: activity.dramReadBytes },
    { name: "written", color: "var(--alone)", series: activity.dramWriteBytes },
  ];
  return timeSvg(areas, "GB/s", 1e-9, activity, totals, bytesPerCycle * clockHz * 1e-9);
}

/** A component's colour. */
export const componentColor = (i: number) =>
  `hsl(${(i * 36 + 205) % 360} ${i % 2 === 0 ? 60 : 38}% ${i % 2 === 0 ? 52 : 60}%)`;

export function powerSvg(activity: Activity, totals: Totals): string {
  const areas = Object.entries(activity.energyPj).map(([name, series], i) => ({
    name,
    color: componentColor(i),
    series,
  }));
  return timeSvg(areas, "W", 1e-12, activity, totals);
}
