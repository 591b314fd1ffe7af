/** What bounds the whole: limits no schedule passes, how far the run is from them, and what the units wait for. */
import type { StallCause, UnitResult } from "../sim/result.ts";
import { bar, grouped, percent } from "./numbers.ts";
import { type Page, tableLines, wrapped } from "./page.ts";
import type { Report } from "./report.ts";
import { boundText, CAUSE_TEXT, causeText } from "./words.ts";

const BAR_WIDTH = 20;

export function boundsLines(page: Page, { totals }: Report): string[] {
  if (totals === null) return [];
  const { intervalCycles, bounds } = totals;
  const rows = Object.entries(bounds)
    .map(([key, cycles]) => ({ text: boundText(key), cycles, share: cycles / intervalCycles }))
    .filter(({ cycles }) => cycles > 0)
    .sort((a, b) => b.cycles - a.cycles);
  if (rows.length === 0) return [];
  const heading = page.bold("What bounds a frame") + page.dim(`  ${grouped(intervalCycles)} cycles`);
  const table = tableLines(
    page,
    [
      { head: "bound", align: "left", cell: ({ text }) => text },
      { head: "cycles", align: "right", cell: ({ cycles }) => grouped(cycles) },
      { head: "of the frame", align: "right", cell: ({ share }) => percent(share) },
      { head: "", align: "left", cell: ({ share }) => bar(share, BAR_WIDTH), paint: page.accent, drop: 1 },
    ],
    rows,
  );
  // a bound above the run is not modelled as a limit (the report's last section says which)
  const nearest = rows.find(({ cycles }) => cycles <= intervalCycles);
  if (nearest === undefined) return [heading, ...table];
  const factor = (intervalCycles / nearest.cycles).toFixed(2);
  return [
    heading,
    ...table,
    ...wrapped(page, "  ", `The nearest bound is "${nearest.text}": a frame takes ${factor} times as long.`),
  ];
}

/** Units whose time is shown: the ones that do the work and the ones that feed them. */
const SHOWN_UNITS = ["mac", "load", "dram"] as const;
type ShownUnit = (typeof SHOWN_UNITS)[number];
const UNIT_TEXT: Record<ShownUnit, string> = { mac: "MAC arrays", load: "load DMA", dram: "DRAM" };

interface UnitTime {
  readonly total: number;
  readonly busy: number;
  readonly stalls: ReadonlyMap<StallCause, number>;
}

/** Busy and stalled cycles of all units of a kind together. */
function sumUnits(units: readonly UnitResult[], kind: ShownUnit): UnitTime {
  const stalls = new Map<StallCause, number>();
  let busy = 0;
  for (const unit of units) {
    if (unit.kind !== kind) continue;
    busy += unit.busyCycles;
    for (const [cause, cycles] of Object.entries(unit.stalls) as [StallCause, number][]) {
      stalls.set(cause, (stalls.get(cause) ?? 0) + cycles);
    }
  }
  const total = [...stalls.values()].reduce((sum, cycles) => sum + cycles, busy);
  return { total, busy, stalls };
}

interface WaitRow {
  readonly text: string;
  /** of the total time of each shown unit */
  readonly shares: readonly number[];
}

/** Shares below this are left out. */
const SHOWN_SHARE = 0.001;

export function waitsLines(page: Page, { units }: Report): string[] {
  const times = SHOWN_UNITS.map((kind) => ({ kind, time: sumUnits(units, kind) })).filter(({ time }) => time.total > 0);
  if (times.length === 0) return [];
  const causes = (Object.keys(CAUSE_TEXT) as StallCause[])
    .map((cause) => {
      const shares = times.map(({ time }) => (time.stalls.get(cause) ?? 0) / time.total);
      return { text: causeText(cause), shares, largest: Math.max(...shares) };
    })
    .filter(({ largest }) => largest >= SHOWN_SHARE)
    .sort((a, b) => b.largest - a.largest);
  const rows: WaitRow[] = [{ text: "busy", shares: times.map(({ time }) => time.busy / time.total) }, ...causes];
  const heading = page.bold("How the units spend the run") + page.dim("  all agents together");
  return [
    heading,
    ...tableLines(
      page,
      [
        { head: "", align: "left", cell: ({ text }) => text, shrinkTo: 16 },
        ...times.map(({ kind }, i) => ({
          head: UNIT_TEXT[kind],
          align: "right" as const,
          cell: ({ shares }: WaitRow) => (shares[i] > 0 ? percent(shares[i]) : "-"),
        })),
      ],
      rows,
    ),
  ];
}
