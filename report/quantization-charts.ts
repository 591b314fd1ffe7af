/** The pictures of a quantization report, as inline SVG: histograms, and decibels along the network. */
import { coordinate, escaped } from "./markup.ts";
import { grouped, significant } from "./numbers.ts";
import { decibelText, type LayerHistogram, type LayerReport } from "./quantization-report.ts";

const HISTOGRAM = { width: 320, height: 96, foot: 18 } as const;

/** Counts span five orders of magnitude: heights are logarithms, and a bin with one value still shows. */
const heightOf = (counted: number, most: number) =>
  counted === 0 ? 0 : (Math.log10(counted) + 0.5) / (Math.log10(most) + 0.5);

/** The upper edge of bins from left to right. */
function steps(counts: readonly number[], most: number): string {
  const width = HISTOGRAM.width / counts.length;
  const points = counts.map((counted, i) => {
    const y = coordinate(HISTOGRAM.height * (1 - heightOf(counted, most)));
    return `V${y}H${coordinate((i + 1) * width)}`;
  });
  return `M0 ${HISTOGRAM.height}${points.join("")}V${HISTOGRAM.height}`;
}

/** Values before quantization as an area, after it as a line over it. */
export function histogramSvg({ axis, low, high, before, after, below, above }: LayerHistogram, what: string): string {
  const { width, height, foot } = HISTOGRAM;
  const most = Math.max(1, ...before, ...after);
  const end = (value: number) => (axis === "integer" ? String(Math.round(value)) : significant(value));
  const clipped = below + above === 0 ? "nothing clipped" : `${grouped(below)} clipped below, ${grouped(above)} above`;
  const title = `${what}: values before and after quantization; ${clipped}`;
  const [first, last] = axis === "integer" ? [low + 0.5, high - 0.5] : [low, high];
  const zero = ((0 - low) / (high - low)) * width;
  const zeroMark =
    zero > 24 && zero < width - 24
      ? `<path d="M${coordinate(zero)} 0V${height}" stroke="var(--line)"/><text x="${coordinate(zero)}" y="${height + 13}" text-anchor="middle">0</text>`
      : "";
  return [
    `<svg viewBox="0 -2 ${width} ${height + foot}" role="img" aria-label="${escaped(title)}"><title>${escaped(title)}</title>`,
    zeroMark,
    `<path d="${steps(before, most)}" fill="var(--before)" fill-opacity="0.55"/>`,
    `<path d="${steps(after, most)}" fill="none" stroke="var(--after)" stroke-width="1.4" stroke-linejoin="round"/>`,
    `<path d="M0 ${height}H${width}" stroke="var(--dim)"/>`,
    `<text x="0" y="${height + 13}">${end(first)}</text>`,
    `<text x="${width}" y="${height + 13}" text-anchor="end">${end(last)}</text>`,
    "</svg>",
  ].join("");
}

const NETWORK = { left: 34, top: 10, height: 220, foot: 96, step: 22 } as const;

/** The lines of the chart along the network. */
export const SERIES = [
  { name: "weights", color: "var(--weights)", db: ({ weights }: LayerReport) => weights?.sqnrDb },
  { name: "the layer alone", color: "var(--alone)", db: ({ activations }: LayerReport) => activations.alone?.sqnrDb },
  { name: "input to here", color: "var(--after)", db: ({ activations }: LayerReport) => activations.cumulative.sqnrDb },
] as const;

/** Signal to noise of every layer, from input to head. Layers without a value of a series are passed over. */
export function networkSvg(layers: readonly LayerReport[]): string {
  const { left, top, height, foot, step } = NETWORK;
  const values = SERIES.flatMap(({ db }) => layers.map((layer) => db(layer) ?? 0));
  const most = Math.max(10, Math.ceil(Math.max(...values) / 10) * 10);
  const least = Math.min(0, Math.floor(Math.min(...values) / 10) * 10);
  const width = left + layers.length * step + 12;
  const x = (i: number) => coordinate(left + (i + 0.5) * step);
  const y = (db: number) => coordinate(top + ((most - db) / (most - least)) * height);
  const ticks = Array.from({ length: (most - least) / 10 + 1 }, (_, i) => least + 10 * i);
  const lines = SERIES.map(({ name, color, db }) => {
    const points = layers.flatMap((layer, i) => {
      const value = db(layer);
      return value === null || value === undefined ? [] : [{ i, value, layer }];
    });
    const dots = points.map(
      ({ i, value, layer }) =>
        `<circle cx="${x(i)}" cy="${y(value)}" r="3.2" fill="${color}"><title>${escaped(`${layer.name}, ${name}: ${decibelText(value)} dB`)}</title></circle>`,
    );
    const path = points.map(({ i, value }, n) => `${n === 0 ? "M" : "L"}${x(i)} ${y(value)}`).join("");
    return `<path d="${path}" fill="none" stroke="${color}" stroke-width="1.6"/>${dots.join("")}`;
  });
  return [
    `<svg viewBox="0 0 ${width} ${top + height + foot}" role="img" aria-label="Signal to noise of every layer"><title>Signal to noise of every layer, dB</title>`,
    ...ticks.map(
      (tick) =>
        `<path d="M${left} ${y(tick)}H${width}" stroke="var(--line)"/><text x="${left - 6}" y="${Number(y(tick)) + 4}" text-anchor="end">${tick}</text>`,
    ),
    ...layers.map(({ name }, i) => {
      const label = name.length > LONGEST_LABEL ? `${name.slice(0, LONGEST_LABEL - 1)}…` : name;
      return `<text transform="translate(${x(i)} ${top + height + 10}) rotate(-55)" text-anchor="end">${escaped(label)}</text>`;
    }),
    ...lines,
    "</svg>",
  ].join("");
}

const LONGEST_LABEL = 16;
