/** Precision against recall as an SVG picture: a panel for each class, INT8 in full lines and float in broken ones. */
import type { EvaluatedLevel, EvaluationReport } from "./eval-report.ts";
import { escaped, coordinate as number } from "./markup.ts";

/** pixels */
const PANEL = { width: 300, height: 240, left: 46, top: 34, gap: 26 } as const;
const FOOT = 74;
const TICKS = [0, 0.2, 0.4, 0.6, 0.8, 1];

/** ColorBrewer's Dark2: told apart with any colour vision. */
const COLORS = ["#1b9e77", "#d95f02", "#7570b3"];

/** Samples in a panel's pixels, up to the last recall that is reached and then down. */
function path(curve: readonly number[]): string {
  const reached = curve.filter((precision) => precision > 0);
  const x = (i: number) => number((i / (curve.length - 1)) * PANEL.width);
  const y = (precision: number) => number((1 - precision) * PANEL.height);
  const line = reached.map((precision, i) => `${i === 0 ? "M" : "L"}${x(i)} ${y(precision)}`);
  if (reached.length > 0 && reached.length < curve.length) line.push(`V${PANEL.height}`);
  return line.join("");
}

function curveElement(curve: readonly number[] | null | undefined, color: string, dash: string): string[] {
  if (curve === null || curve === undefined) return [];
  return [`<path d="${path(curve)}" fill="none" stroke="${color}" stroke-width="1.8"${dash}/>`];
}

const FULL = "";
const BROKEN = ' stroke-dasharray="5 3"';

function panel(name: string, levels: readonly EvaluatedLevel[], index: number): string[] {
  const x = PANEL.left + index * (PANEL.width + PANEL.left + PANEL.gap);
  return [
    `<g transform="translate(${x} ${PANEL.top})">`,
    `<text x="${PANEL.width / 2}" y="-12" text-anchor="middle" font-weight="bold">${escaped(name)}</text>`,
    ...TICKS.flatMap((tick) => {
      const [tx, ty] = [number(tick * PANEL.width), number((1 - tick) * PANEL.height)];
      return [
        `<path d="M${tx} 0V${PANEL.height}M0 ${ty}H${PANEL.width}" stroke="#ddd"/>`,
        `<text x="${tx}" y="${PANEL.height + 15}" text-anchor="middle">${tick}</text>`,
        `<text x="-6" y="${number(Number(ty) + 4)}" text-anchor="end">${tick}</text>`,
      ];
    }),
    `<rect width="${PANEL.width}" height="${PANEL.height}" fill="none" stroke="#555"/>`,
    `<text x="${PANEL.width / 2}" y="${PANEL.height + 32}" text-anchor="middle">recall</text>`,
    `<text transform="translate(-33 ${PANEL.height / 2}) rotate(-90)" text-anchor="middle">precision</text>`,
    ...levels.flatMap(({ int8, float }, i) => [
      ...curveElement(float?.curve, COLORS[i % COLORS.length], BROKEN),
      ...curveElement(int8.curve, COLORS[i % COLORS.length], FULL),
    ]),
    "</g>",
  ];
}

function legend(report: EvaluationReport, y: number): string[] {
  const difficulties = [...new Set(report.levels.map(({ difficulty }) => difficulty))];
  const keys = [
    ...difficulties.map((name, i) => ({ name, color: COLORS[i % COLORS.length], dash: FULL })),
    { name: "INT8", color: "#333", dash: FULL },
    ...(report.float === null ? [] : [{ name: "float", color: "#333", dash: BROKEN }]),
  ];
  return keys.flatMap(({ name, color, dash }, i) => {
    const x = PANEL.left + i * 100;
    return [
      `<path d="M${x} ${y - 4}h26" stroke="${color}" stroke-width="1.8"${dash}/>`,
      `<text x="${x + 32}" y="${y}">${escaped(name)}</text>`,
    ];
  });
}

/** The whole picture. */
export function precisionRecallSvg(report: EvaluationReport): string {
  const classes = [...new Set(report.levels.map((level) => level.class))];
  const width = Math.max(classes.length * (PANEL.width + PANEL.left + PANEL.gap), 560);
  const height = PANEL.top + PANEL.height + FOOT;
  return `${[
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" font-family="sans-serif" font-size="12">`,
    `<title>Precision and recall of ${escaped(report.program.name)} on ${report.dataset.evaluated} photographs</title>`,
    `<rect width="${width}" height="${height}" fill="#fff"/>`,
    ...classes.flatMap((name, i) =>
      panel(
        name,
        report.levels.filter((level) => level.class === name),
        i,
      ),
    ),
    ...legend(report, height - 14),
    "</svg>",
  ].join("\n")}\n`;
}
