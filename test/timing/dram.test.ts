/** Does DRAM keep to the closed formulas of docs/timing.md: latency, peak, row misses, refresh, turn-around, fair turns? */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { createMachine, type MachineParameters } from "../../isa/index.ts";
import { Ports } from "../../sim/timing/dram.ts";
import type { CreateDram } from "../../sim/timing/engine.ts";
import { MemoryController } from "../../sim/timing/memory-controller.ts";
import { createBurstDram } from "../support/burst-dram.ts";
import { IDEAL_DRAM } from "./build.ts";

interface Request {
  readonly port?: number;
  readonly arrival?: number;
  readonly address: number;
  readonly bytes?: number;
  readonly write?: boolean;
}

const AGENTS = 4;
/** Round numbers for sums by hand: 64 B take 4 cycles. */
const DRAM = {
  "dram.bytesPerCycle": 16,
  "dram.banks": 8,
  "dram.rowBytes": 4096,
  "dram.activateCycles": 18,
  "dram.prechargeCycles": 18,
  "dram.rowOpenCycles": 42,
  "dram.activateSpacingCycles": 10,
  "dram.writeRecoveryCycles": 27,
  "dram.readToWriteCycles": 14,
  "dram.writeToReadCycles": 20,
  "dram.refreshCycles": 0,
};
const ROWS_OF_A_BANK = 8 * 4096;

const parametersOf = (given: object): MachineParameters =>
  createMachine("m", { agents: AGENTS, ...DRAM, ...given }, "test").parameters;

/** Serves requests, each port's in the order given; when each was on the bus, and what the bus did. */
function drive(given: object, requests: readonly Request[], create = controller) {
  const p = parametersOf(given);
  const events: { time: number; token: number }[] = [];
  const served: { slot: number; port: number; start: number; end: number }[] = [];
  const dram = create(p, new Ports(AGENTS), requests.length, {
    wakeDram: (time, token) => events.push({ time, token }),
    skipTo: () => false,
    dramServed: (port, slot, start, end) => served.push({ slot, port, start, end }),
  });
  requests.forEach(({ port = 0, arrival = 0, address, bytes = 64, write = false }, slot) => {
    dram.submit(port, slot, arrival, address, bytes, write);
  });
  while (events.length > 0) {
    events.sort((a, b) => b.time - a.time || b.token - a.token);
    const { time, token } = events.pop()!;
    dram.wake(token, time);
  }
  const spans = requests.map((_, slot) => {
    const { start, end } = served.find((one) => one.slot === slot)!;
    return [start, end];
  });
  return { spans, served, usage: dram.usage };
}
const controller: CreateDram = (...given) => new MemoryController(...given);

describe("one request after another", () => {
  test.each<[string, Request[], number[][]]>([
    ["a closed row opens first: 18", [{ address: 0 }], [[18, 22]]],
    [
      "an open row does not",
      [{ address: 0 }, { address: 64, arrival: 50 }],
      [
        [18, 22],
        [50, 54],
      ],
    ],
    [
      "another row of the bank, long after: 18 to close + 18 to open",
      [{ address: 0 }, { address: ROWS_OF_A_BANK, arrival: 100 }],
      [
        [18, 22],
        [136, 140],
      ],
    ],
    [
      "at once: the first row stays open for 42: 42 + 18 + 18",
      [{ address: 0 }, { address: ROWS_OF_A_BANK }],
      [
        [18, 22],
        [78, 82],
      ],
    ],
    [
      "after a write, 27 from its end: 22 + 27 + 18 + 18, + nothing for turning, which is over by then",
      [{ address: 0, write: true }, { address: ROWS_OF_A_BANK }],
      [
        [18, 22],
        [85, 89],
      ],
    ],
    [
      "another bank: 10 after the first row",
      [{ address: 0 }, { address: 4096 }],
      [
        [18, 22],
        [28, 32],
      ],
    ],
    [
      "from reading to writing 14, from writing to reading 20",
      [{ address: 0 }, { address: 64, write: true }, { address: 128 }],
      [
        [18, 22],
        [36, 40],
        [60, 64],
      ],
    ],
  ])("%s", (_, requests, spans) => {
    expect(drive({}, requests).spans).toEqual(spans);
  });

  test("the causes of a standing bus: no request, turning, a row", () => {
    const { usage } = drive({}, [
      { address: 0 },
      { address: 64, arrival: 30, write: true },
      { address: 2 * 4096, arrival: 36 },
    ]);
    // 0..18 row; 22..30 no request; 30..36 turning; 36..40 the write; then 20 for turning, while the row opens
    expect(usage[0]).toMatchObject({
      busyCycles: 12,
      rowCycles: 18,
      turnaroundCycles: 6 + 20,
      refreshCycles: 0,
      lastEnd: 64,
    });
  });
});

const dim = (min: number, max: number) => fc.integer({ min, max });

describe("throughput", () => {
  test("peak: rows that follow each other open behind the data, if they last long enough", () => {
    fc.assert(
      fc.property(dim(1, 40), fc.constantFrom(3.75, 12.8, 16), (rows, bytesPerCycle) => {
        const requests = Array.from({ length: 4 * rows }, (_, i) => ({ address: 1024 * i, bytes: 1024 }));
        const { spans } = drive({ "dram.bytesPerCycle": bytesPerCycle }, requests);
        // 1 KiB takes longer than closing and opening a row
        expect(spans[spans.length - 1][1]).toBeCloseTo(18 + (4096 * rows) / bytesPerCycle, 6);
      }),
      { numRuns: 30 },
    );
  });

  test("rows of one bank: each takes max(tRAS, tRCD + data) + tRP", () => {
    fc.assert(
      fc.property(dim(2, 30), dim(0, 40), dim(0, 40), dim(0, 90), dim(1, 16), (n, tRCD, tRP, tRAS, bursts) => {
        const timing = { "dram.activateCycles": tRCD, "dram.prechargeCycles": tRP, "dram.rowOpenCycles": tRAS };
        const requests = Array.from({ length: n }, (_, i) => ({ address: i * ROWS_OF_A_BANK, bytes: 64 * bursts }));
        const { spans } = drive({ ...timing, "dram.activateSpacingCycles": 0 }, requests);
        const period = Math.max(tRAS, tRCD + 4 * bursts) + tRP;
        expect(spans.map(([start]) => start)).toEqual(requests.map((_, i) => tRCD + i * period));
      }),
      { numRuns: 50 },
    );
  });

  test("writes to rows of one bank: max(tRAS, tRCD + data + tWR) + tRP", () => {
    const requests = Array.from({ length: 9 }, (_, i) => ({ address: i * ROWS_OF_A_BANK, write: true }));
    expect(drive({}, requests).spans.map(([start]) => start)).toEqual(
      requests.map((_, i) => 18 + i * (18 + 4 + 27 + 18)),
    );
  });

  test("a burst of every row, bank after bank: max(data, tRRD, one bank's cycle over all banks)", () => {
    fc.assert(
      fc.property(fc.constantFrom(1, 2, 4, 8), dim(0, 30), dim(1, 8), (banks, tRRD, bursts) => {
        const given = { "dram.banks": banks, "dram.activateSpacingCycles": tRRD };
        const n = 40 * banks;
        const requests = Array.from({ length: n }, (_, i) => ({ address: i * 4096, bytes: 64 * bursts }));
        const { spans } = drive(given, requests);
        const data = 4 * bursts;
        const bank = Math.max(42, 18 + data) + 18;
        const period = Math.max(data, tRRD, bank / banks);
        const measured = (spans[n - 1][0] - spans[n / 2 - 1][0]) / (n / 2);
        // the next row is asked for no earlier than 36 cycles before the bus is free
        expect(measured).toBeGreaterThanOrEqual(period - 1e-9);
        expect(measured).toBeLessThanOrEqual(Math.max(period, (bank + data) / banks) + 1);
      }),
      { numRuns: 50 },
    );
  });

  test("refresh takes its part: data + one duration for each interval begun", () => {
    fc.assert(
      fc.property(dim(100, 4000), dim(2, 10), dim(50, 400), (interval, part, n) => {
        const duration = Math.floor(interval / part);
        const given = { ...IDEAL_DRAM, "dram.refreshIntervalCycles": interval, "dram.refreshCycles": duration };
        const requests = Array.from({ length: n }, (_, i) => ({ address: 1024 * i, bytes: 1024 }));
        const { spans, usage } = drive(given, requests);
        const [lastStart, end] = spans[n - 1];
        const refreshes = (end - 64 * n) / duration;
        expect(Number.isInteger(refreshes)).toBe(true);
        // every refresh due by the last request's start was done, and none before its time
        expect(refreshes * interval).toBeLessThanOrEqual(lastStart);
        expect((refreshes + 1) * interval).toBeGreaterThan(lastStart - 64 - duration);
        expect(usage[0].refreshCycles).toBe(refreshes * duration);
      }),
      { numRuns: 100 },
    );
  });

  test("refreshes while nobody asks cost nothing; one in progress is waited for, and closes all rows", () => {
    const given = { "dram.refreshIntervalCycles": 1000, "dram.refreshCycles": 200 };
    const at = (arrival: number) => drive(given, [{ address: 0 }, { address: 64, arrival }]).spans[1][0];
    expect(at(999)).toBe(999);
    expect(at(1000)).toBe(1200 + 18);
    expect(at(1199)).toBe(1200 + 18);
    expect(at(1250)).toBe(1250 + 18);
    // of the last one only
    expect(at(5100)).toBe(5200 + 18);
    expect(at(5900)).toBe(5900 + 18);
  });

  test("channels share the bandwidth and take parts of the addresses in turn", () => {
    const requests = Array.from({ length: 64 }, (_, i) => ({ address: 1024 * i, bytes: 1024 }));
    const given = { ...IDEAL_DRAM, "dram.channels": 4, "dram.interleaveBytes": 1024 };
    const { spans, usage } = drive(given, requests);
    // a channel moves 4 B/cycle: 256 cycles for 1 KiB
    expect(spans).toEqual(requests.map((_, i) => [256 * Math.floor(i / 4), 256 * Math.floor(i / 4) + 256]));
    expect(usage.map(({ busyCycles }) => busyCycles)).toEqual([4096, 4096, 4096, 4096]);
    // all in one channel: a quarter of the peak
    const one = drive(
      given,
      requests.map((_, i) => ({ address: 4096 * i, bytes: 1024 })),
    );
    expect(one.spans[63][1]).toBe(64 * 256);
  });

  test("a channel's rows hold its own addresses without gaps", () => {
    const given = { "dram.channels": 2, "dram.interleaveBytes": 1024, "dram.bytesPerCycle": 32, "dram.rowBytes": 2048 };
    // in channel 0: addresses 0 and 2048 share a row, 4096 begins the next
    const { spans } = drive(given, [{ address: 0 }, { address: 2048, arrival: 100 }, { address: 4096, arrival: 200 }]);
    expect(spans.map(([start]) => start)).toEqual([18, 100, 218]);
  });
});

describe("turns", () => {
  const waiting = (port: number, bytes: number, total: number) =>
    Array.from({ length: Math.ceil(total / bytes) }, (_, i) => ({
      port,
      bytes,
      address: port * 65536 + ((i * bytes) % 4096),
    }));

  test("ports that always wait get the same bytes, whatever the sizes of their requests", () => {
    const sizes = fc.array(fc.constantFrom(64, 128, 576, 1024, 4096), { minLength: 2, maxLength: 2 * AGENTS });
    fc.assert(
      fc.property(sizes, fc.constantFrom(64, 1024, 4096), (bytesOf, quantumBytes) => {
        const total = 65536;
        const requests = bytesOf.flatMap((bytes, port) => waiting(port, bytes, total));
        const { served } = drive({ "dram.quantumBytes": quantumBytes }, requests);
        const had = bytesOf.map(() => 0);
        for (const { port, slot } of served) {
          had[port] += requests[slot].bytes;
          if (had[port] >= total) break;
          // a turn, and what one request may take too much, on either side
          expect(Math.max(...had) - Math.min(...had)).toBeLessThanOrEqual(quantumBytes + 2 * Math.max(...bytesOf));
        }
      }),
      { numRuns: 60 },
    );
  });

  test("fetch goes first", () => {
    const loads = waiting(0, 1024, 8192);
    const { spans } = drive(IDEAL_DRAM, [...loads, { port: 2 * AGENTS, arrival: 100, address: 1 << 20 }]);
    // decided on when the second KiB has gone
    expect(spans[8]).toEqual([128, 132]);
  });

  test("a port whose next turn just makes up for what it took too much passes", () => {
    // port 0 takes 2 KiB in its turn of 1 KiB, and so misses the next one
    const { served } = drive({ ...IDEAL_DRAM, "dram.quantumBytes": 1024 }, [
      ...waiting(0, 2048, 8192),
      ...waiting(1, 1024, 8192),
    ]);
    expect(served.slice(0, 9).map(({ port }) => port)).toEqual([0, 1, 1, 0, 1, 1, 0, 1, 1]);
  });

  test("a port that comes back has no more than the others", () => {
    // port 0 waits from 0 on, port 1 from 512 on: from then on they alternate by 1 KiB
    const late = waiting(1, 1024, 4096).map((request) => ({ ...request, arrival: 512 }));
    const { served } = drive({ ...IDEAL_DRAM, "dram.quantumBytes": 1024 }, [...waiting(0, 1024, 16384), ...late]);
    expect(served.slice(8, 16).map(({ port }) => port)).toEqual([1, 0, 1, 0, 1, 0, 1, 0]);
  });

  test("the bus is never idle while a request waits, on an ideal DRAM", () => {
    const request = fc.record({
      port: dim(0, 2 * AGENTS),
      arrival: dim(0, 3000),
      bytes: dim(1, 16).map((n) => 64 * n),
    });
    fc.assert(
      fc.property(fc.array(request, { minLength: 1, maxLength: 40 }), dim(1, 3), (list, seed) => {
        const requests = list
          .sort((a, b) => a.arrival - b.arrival)
          .map((one, i) => ({ ...one, address: ((i * seed * 7919) % 64) * 4096 }));
        const { served } = drive(IDEAL_DRAM, requests);
        let [free, done] = [0, new Set<number>()];
        for (const { slot, start, end } of served) {
          const left = requests.flatMap(({ arrival }, i) => (done.has(i) ? [] : [arrival]));
          expect(start).toBeCloseTo(Math.max(free, Math.min(...left)), 6);
          [free, done] = [end, done.add(slot)];
        }
      }),
      { numRuns: 100 },
    );
  });
});

test("any requests: within 3 % and a row's time of the burst-by-burst reference", () => {
  const request = fc.record({
    port: dim(0, 2 * AGENTS - 1),
    page: dim(0, 60),
    bytes: dim(1, 16).map((n) => 64 * n),
  });
  fc.assert(
    fc.property(fc.array(request, { minLength: 20, maxLength: 150 }), fc.constantFrom(0, 201), (list, refresh) => {
      const given = { "dram.refreshCycles": refresh, "dram.refreshIntervalCycles": 1000 };
      const requests = list.map(({ port, page, bytes }) => ({
        port,
        bytes,
        address: 4096 * page,
        write: port >= AGENTS,
      }));
      const last = ({ spans }: { spans: number[][] }) => Math.max(...spans.map(([, end]) => end));
      const [modelled, reference] = [last(drive(given, requests)), last(drive(given, requests, createBurstDram))];
      expect(Math.abs(modelled - reference)).toBeLessThanOrEqual(0.03 * reference + 201 + 78);
    }),
    { numRuns: 60 },
  );
});
