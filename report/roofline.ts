/** The roofline as inline SVG: what arrays and DRAM allow, and a point for each layer. */
import type { LayerResult } from "../sim/result.ts";
import { layerColor } from "./colors.ts";
import { shortName } from "./html.ts";
import { coordinate, escaped } from "./markup.ts";
import { grouped, significant } from "./numbers.ts";
import type { TimedReport } from "./report.ts";

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
export function rooflineSvg({ layers, totals, machine }: TimedReport): string | null {
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
  const [x0, x1] = range([...all.map(({ x }) => x), ridge / 8, ridge * 2]);
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
    const text = `${shortName(layer.name)}: ${significant(intensity)} MAC/B, ${significant(rate)} MAC a cycle, ${layer.bound}`;
    return `<circle class="mark" tabindex="0" role="button" aria-pressed="false" aria-label="${escaped(text)}" data-select="${i}" data-layer="${i}" data-tip="${escaped(text)}" cx="${x(intensity)}" cy="${y(rate)}" r="${coordinate(radius)}" fill="${layerColor(i)}"/>`;
  });
  // along the slanting line, from a quarter of its length on
  const slopeAt = least * (ridge / least) ** 0.25;
  const slope =
    (-180 / Math.PI) * Math.atan2(Number(y(least * bandwidth)) - Number(y(peak)), Number(x(ridge)) - Number(x(least)));
  const wholeText = `whole run: ${significant(whole.x)} MAC/B, ${significant(whole.y)} MAC a cycle`;
  const title = "Roofline: MACs per cycle against MACs per DRAM byte, a point for each layer";
  return [
    `<svg viewBox="0 0 ${width} ${height}" role="group" aria-label="${title}">`,
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
    `<text x="${width - right - 4}" y="${Number(y(peak)) - 5}" text-anchor="end" class="ceiling">${grouped(peak)} MAC a cycle: the arrays' peak</text>`,
    `<text transform="translate(${x(slopeAt)} ${Number(y(slopeAt * bandwidth)) - 6}) rotate(${coordinate(slope)})" class="ceiling">${significant(bandwidth)} B a cycle: DRAM's peak</text>`,
    ...dots,
    `<path d="M${Number(x(whole.x)) - 7} ${y(whole.y)}h14m-7 -7v14" stroke="var(--ink)" stroke-width="2.4" data-tip="${wholeText}"/>`,
    "</svg>",
  ].join("");
}
