/** A log-log plot as SVG. */

export interface Series {
  readonly name: string;
  readonly points: readonly { readonly x: number; readonly y: number }[];
}

const WIDTH = 620;
const HEIGHT = 400;
const LEFT = 60;
const RIGHT = 600;
const TOP = 20;
const BOTTOM = 350;
/** Told apart without color as well: by the marks' shapes. */
const STYLES = [
  { color: "#1b6ca8", mark: (x: number, y: number) => `<circle cx="${x}" cy="${y}" r="4"/>` },
  { color: "#c2571a", mark: (x: number, y: number) => `<rect x="${x - 4}" y="${y - 4}" width="8" height="8"/>` },
  { color: "#2f7d32", mark: (x: number, y: number) => `<path d="M${x} ${y - 5}l5 9h-10z"/>` },
];

/** Powers of ten around the values. */
function decades(values: readonly number[]): { from: number; to: number } {
  const logs = values.map(Math.log10);
  return { from: Math.floor(Math.min(...logs)), to: Math.ceil(Math.max(...logs)) };
}

const between = ({ from, to }: { from: number; to: number }) =>
  Array.from({ length: to - from + 1 }, (_, i) => from + i);

export function logLogPlot(title: string, xName: string, yName: string, series: readonly Series[]): string {
  const points = series.flatMap((one) => one.points);
  const [dx, dy] = [decades(points.map(({ x }) => x)), decades(points.map(({ y }) => y))];
  const px = (x: number) => Math.round(LEFT + ((Math.log10(x) - dx.from) / (dx.to - dx.from)) * (RIGHT - LEFT));
  const py = (y: number) => Math.round(BOTTOM - ((Math.log10(y) - dy.from) / (dy.to - dy.from)) * (BOTTOM - TOP));
  const grid = [
    ...between(dx).map((e) => `<path d="M${px(10 ** e)} ${TOP}V${BOTTOM}"/>`),
    ...between(dy).map((e) => `<path d="M${LEFT} ${py(10 ** e)}H${RIGHT}"/>`),
  ];
  const label = (e: number) => (10 ** e).toLocaleString("en-US");
  const labels = [
    ...between(dx).map((e) => `<text x="${px(10 ** e)}" y="${BOTTOM + 16}" text-anchor="middle">${label(e)}</text>`),
    ...between(dy).map((e) => `<text x="${LEFT - 6}" y="${py(10 ** e) + 4}" text-anchor="end">${label(e)}</text>`),
    `<text x="${(LEFT + RIGHT) / 2}" y="${HEIGHT - 14}" text-anchor="middle">${xName}</text>`,
    `<text transform="translate(14 ${(TOP + BOTTOM) / 2}) rotate(-90)" text-anchor="middle">${yName}</text>`,
  ];
  const drawn = series.map(({ name, points: own }, i) => {
    const { color, mark } = STYLES[i];
    const line = own.map(({ x, y }) => `${px(x)},${py(y)}`).join(" ");
    const y = TOP + 16 + 18 * i;
    return `<g fill="${color}" stroke="${color}"><polyline fill="none" points="${line}"/>${own
      .map((point) => mark(px(point.x), py(point.y)))
      .join("")}${mark(LEFT + 16, y)}<text x="${LEFT + 28}" y="${y + 4}" stroke="none">${name}</text></g>`;
  });
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" font-family="sans-serif" font-size="12">
<title>${title}</title>
<rect width="${WIDTH}" height="${HEIGHT}" fill="#fff"/>
<g fill="none" stroke="#ddd">${grid.join("")}</g>
<g fill="#333">${labels.join("")}</g>
${drawn.join("\n")}
</svg>
`;
}
