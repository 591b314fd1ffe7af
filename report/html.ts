/**
 * What pages for a browser are made of. Nothing is fetched, and no script runs but the page's own, which its policy names by hash:
 * a page can be mailed, archived and opened anywhere. Names come from files: every one of them is escaped.
 */
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { escaped } from "./markup.ts";
import { grouped } from "./numbers.ts";

export interface HtmlPage {
  readonly title: string;
  readonly style: string;
  /** Markup. */
  readonly body: string;
  /** What the scripts draw from. */
  readonly data: unknown;
  /** JavaScript, in order. */
  readonly scripts: readonly string[];
}

/** JSON that no name in it can end. */
const embedded = (value: unknown) => JSON.stringify(value).replaceAll("<", "\\u003c");

export function htmlPage({ title, style, body, data, scripts }: HtmlPage): string {
  const script = scripts.join("\n");
  const hash = createHash("sha256").update(script).digest("base64");
  const policy = `default-src 'none'; style-src 'unsafe-inline'; img-src data:; script-src 'sha256-${hash}'`;
  return `${[
    "<!doctype html>",
    '<html lang="en"><head><meta charset="utf-8">',
    '<meta name="viewport" content="width=device-width, initial-scale=1">',
    `<meta http-equiv="Content-Security-Policy" content="${policy}">`,
    `<title>${escaped(title)}</title>`,
    `<style>${style}</style></head><body><main>`,
    body,
    '</main><div id="tip" role="tooltip" hidden></div>',
    `<script type="application/json" id="data">${embedded(data)}</script>`,
    `<script>${script}</script></body></html>`,
  ].join("\n")}\n`;
}

/** A script of report/client. */
export const clientScript = (name: string) => readFileSync(new URL(`./client/${name}`, import.meta.url), "utf8");

/** Names may be of any length; headings and tooltips need not. */
export const LONGEST_NAME = 120;
export const shortName = (name: string) => (name.length > LONGEST_NAME ? `${name.slice(0, LONGEST_NAME)}…` : name);

export const section = (id: string, title: string, ...content: readonly string[]) =>
  `<section id="${id}"><h2>${title}</h2>${content.join("")}</section>`;
export const note = (text: string) => `<p class="dim">${text}</p>`;
export const swatch = (color: string) => `<span class="key" style="background:${color}"></span>`;
export const key = (color: string, text: string) => `<span>${swatch(color)} ${escaped(text)}</span>`;
export const keys = (items: readonly string[]) => `<p class="keys">${items.join("")}</p>`;

export interface Cell {
  /** Markup. */
  readonly html: string;
  /** What to sort by, as it is in the report. */
  readonly value: string | number;
  readonly className?: string;
}

export interface Row {
  readonly cells: readonly Cell[];
  readonly layer?: number;
}

export const numberCell = (value: number, html = grouped(value)): Cell => ({ html, value });
export const wordCell = (text: string): Cell => ({ html: escaped(text), value: text, className: "word" });

const LONGEST_VALUE = 200;

/** A table that sorts itself (client/page.js). */
export function table(label: string, headings: readonly string[], rows: readonly Row[]): string {
  const classOf = (className?: string) => (className === undefined ? "" : ` class="${className}"`);
  const head = headings.map(
    (heading, i) =>
      `<th scope="col"${classOf(rows[0]?.cells[i].className)}><button type="button">${heading}</button></th>`,
  );
  const body = rows.map(({ cells, layer }) => {
    const columns = cells.map(
      ({ html, value, className }) =>
        `<td${classOf(className)} data-value="${escaped(String(value).slice(0, LONGEST_VALUE))}">${html}</td>`,
    );
    return `<tr${layer === undefined ? "" : ` data-layer="${layer}"`}>${columns.join("")}</tr>`;
  });
  return `<div class="scroll" tabindex="0" role="region" aria-label="${label}"><table class="sortable"><thead><tr>${head.join("")}</tr></thead><tbody>${body.join("")}</tbody></table></div>`;
}

const share = (fraction: number) => `${Math.max(0, Math.min(100, 100 * fraction)).toFixed(2)}%`;

export const bar = (fraction: number, color = "var(--after)") =>
  `<span class="bar" style="width:${share(fraction)};background:${color}"></span>`;

export interface Part {
  /** of the whole bar */
  readonly fraction: number;
  readonly color: string;
  readonly tip: string;
}

/** A bar of parts side by side; what has no width is left out. */
export function partsBar(parts: readonly Part[]): string {
  const spans = parts
    .filter(({ fraction }) => fraction >= 0.0005)
    .map(
      ({ fraction, color, tip }) =>
        `<span style="width:${share(fraction)};background:${color}" data-tip="${escaped(tip)}"></span>`,
    );
  return `<div class="parts">${spans.join("")}</div>`;
}

/** A layer's name as a button that marks it everywhere. Names may be of any length: the whole one is in the tip, unless it is absurd. */
export function layerCell(name: string, i: number, color: string, more: readonly string[] = []): Cell {
  const tip = escaped([name, ...more].join(" + ").slice(0, 1000));
  return {
    html: `<button type="button" data-select="${i}" aria-pressed="false" data-tip="${tip}">${swatch(color)} <bdi>${escaped(name.slice(0, 1000))}</bdi></button>`,
    value: name,
  };
}
