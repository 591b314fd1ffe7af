/** The table of `rapsim validate`. */
import { type Column, type Page, tableLines, wrapped } from "../report/index.ts";
import { type Elsewhere, errorText, type Row } from "../test/conformance/index.ts";

/** One line of the table; a check takes as many as its longest cell. */
interface Line {
  readonly result: string;
  readonly claim: string;
  readonly against: string;
  readonly error: string;
  readonly allowed: string;
}

const RESULT_WIDTH = 7;
const NUMBER_WIDTH = 8;

/** Columns share what the results leave of the page. */
function textWidth(page: Page): number {
  const gaps = 5 * 2;
  return Math.floor((page.width - RESULT_WIDTH - 2 * NUMBER_WIDTH - gaps) / 2);
}

function linesOf(page: Page, row: Row): Line[] {
  const cell = (text: string) => wrapped({ ...page, width: textWidth(page) }, "", text);
  const claim = cell(row.claim);
  const against = cell(row.against);
  return Array.from({ length: Math.max(claim.length, against.length) }, (_, i) => ({
    result: i === 0 ? row.status : "",
    claim: claim[i] ?? "",
    against: against[i] ?? "",
    error: i === 0 ? errorText(row.error, row.unit) : "",
    allowed: i === 0 ? errorText(row.allowed, row.unit) : "",
  }));
}

const columns = (page: Page): readonly Column<Line>[] => [
  {
    head: "result",
    align: "left",
    cell: ({ result }) => result,
    paint: (text) => (text === "fail" ? page.warn(text) : text),
  },
  { head: "claim", align: "left", cell: ({ claim }) => claim },
  { head: "checked against", align: "left", cell: ({ against }) => against },
  { head: "error", align: "right", cell: ({ error }) => error },
  { head: "allowed", align: "right", cell: ({ allowed }) => allowed },
];

export function validationLines(page: Page, rows: readonly Row[], elsewhere: readonly Elsewhere[]): string[] {
  const number = (status: Row["status"]) => rows.filter((row) => row.status === status).length;
  const summary = `${number("pass")} pass, ${number("fail")} fail, ${number("stated")} stated without a verdict, ${number("skipped")} skipped.`;
  return [
    ...tableLines(
      page,
      columns(page),
      rows.flatMap((row) => linesOf(page, row)),
    ),
    "",
    page.bold("What was compared"),
    ...rows.flatMap(({ id, detail }) => wrapped(page, `  ${id}: `, detail)),
    "",
    ...(elsewhere.length === 0 ? [] : [page.bold("Checked elsewhere")]),
    ...elsewhere.flatMap(({ claim, against, needs, command }) => [
      ...wrapped(page, "  ", `${claim}; against ${against}; needs ${needs}:`),
      `    ${command}`,
    ]),
    ...(elsewhere.length === 0 ? [] : [""]),
    summary,
  ];
}
