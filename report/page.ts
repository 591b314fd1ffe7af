/** A page of text: its width, its colours, its headings and its tables. */
export interface PageOptions {
  /** ANSI colours. */
  readonly color: boolean;
  /** Columns the text may take. */
  readonly width: number;
}

type Paint = (text: string) => string;

export interface Page {
  readonly width: number;
  readonly bold: Paint;
  readonly dim: Paint;
  /** of bars */
  readonly accent: Paint;
  readonly warn: Paint;
}

export function createPage({ color, width }: PageOptions): Page {
  const paint =
    (on: number, off: number): Paint =>
    (text) =>
      color && text !== "" ? `\x1b[${on}m${text}\x1b[${off}m` : text;
  return {
    width: Math.max(MIN_WIDTH, width),
    bold: paint(1, 22),
    dim: paint(2, 22),
    accent: paint(36, 39),
    warn: paint(33, 39),
  };
}

/** Below this nothing useful fits; a narrower terminal wraps. */
const MIN_WIDTH = 60;

/** A name from a file as part of a line: control characters shown as `?`. */
export function printable(text: string): string {
  return text.replace(/\p{Cc}/gu, "?");
}

export interface Column<Row> {
  readonly head: string;
  readonly align: "left" | "right";
  /** Plain text of a cell. */
  cell(row: Row): string;
  /** Colours of the cell; the text's width stays. */
  readonly paint?: (text: string, row: Row) => string;
  /** Columns with a number go when the page is too narrow, the highest first. */
  readonly drop?: number;
  /** Longer cells are cut. */
  readonly maxWidth?: number;
  /** A left-aligned column that may shrink to this many characters before any column goes. */
  readonly shrinkTo?: number;
}

const GAP = 2;
const INDENT = 2;

const lengthOf = (text: string) => [...text].length;

function cut(text: string, width: number): string {
  const characters = [...text];
  return characters.length <= width ? text : `${characters.slice(0, width - 1).join("")}…`;
}

interface FittedColumn<Row> {
  readonly column: Column<Row>;
  /** One for each row. */
  readonly cells: readonly string[];
  readonly width: number;
}

/** Column widths that fit the page: columns that may shrink do so first, then the least important go. */
function fitColumns<Row>(page: Page, columns: readonly Column<Row>[], rows: readonly Row[]): FittedColumn<Row>[] {
  let fitted = columns.map((column) => {
    const cells = rows.map((row) => column.cell(row));
    const widest = Math.max(lengthOf(column.head), ...cells.map(lengthOf));
    return { column, cells, width: Math.min(widest, column.maxWidth ?? widest) };
  });
  const excess = () => INDENT + fitted.reduce((sum, { width }) => sum + width + GAP, -GAP) - page.width;
  for (;;) {
    const over = excess();
    if (over <= 0) return fitted;
    const shrinking = fitted.findIndex(({ column, width }) => width > (column.shrinkTo ?? width));
    if (shrinking >= 0) {
      const { column, width } = fitted[shrinking];
      fitted[shrinking] = { ...fitted[shrinking], width: Math.max(column.shrinkTo ?? width, width - over) };
      continue;
    }
    const least = Math.max(...fitted.map(({ column }) => column.drop ?? 0));
    if (least === 0) return fitted;
    fitted = fitted.filter(({ column }) => column.drop !== least);
  }
}

/** Lines of a table without rules, indented, fitted to the page. */
export function tableLines<Row>(page: Page, columns: readonly Column<Row>[], rows: readonly Row[]): string[] {
  const fitted = fitColumns(page, columns, rows);
  const line = (cellOf: (column: FittedColumn<Row>) => { text: string; painted: string }) => {
    const cells = fitted.map((column) => {
      const { text, painted } = cellOf(column);
      const blanks = " ".repeat(Math.max(0, column.width - lengthOf(text)));
      return column.column.align === "left" ? painted + blanks : blanks + painted;
    });
    return `${" ".repeat(INDENT)}${cells.join(" ".repeat(GAP))}`.trimEnd();
  };
  return [
    line(({ column: { head }, width }) => ({ text: cut(head, width), painted: page.dim(cut(head, width)) })),
    ...rows.map((row, i) =>
      line(({ column: { paint }, cells, width }) => {
        const text = cut(cells[i], width);
        return { text, painted: paint === undefined ? text : paint(text, row) };
      }),
    ),
  ];
}

/** A blank that lines do not break at. */
export const FIXED_BLANK = "\u00a0";

/** Wraps text at blanks; the first line begins with `first`, the others are indented as far. */
export function wrapped(page: Page, first: string, text: string): string[] {
  const indent = " ".repeat(lengthOf(first));
  const lines: string[] = [];
  let line = first;
  let empty = true;
  for (const word of text.split(/[ \n]+/)) {
    if (!empty && lengthOf(line) + 1 + lengthOf(word) > page.width) {
      lines.push(line);
      line = indent;
      empty = true;
    }
    line += empty ? word : ` ${word}`;
    empty = false;
  }
  return [...lines, line].map((whole) => whole.replaceAll(FIXED_BLANK, " "));
}
