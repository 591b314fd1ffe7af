/** Are DRAM requests what the box in DRAM asks for, and do transfers take the cycles of docs/timing.md? */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { createMachine, type Region, region } from "../../isa/index.ts";
import { appendRequests, RequestList, requestPageBytes } from "../../sim/timing/requests.ts";
import { axis, Builder, run, type Shape, whole } from "./build.ts";

function requestsOf(of: Region, requestBytes: number, burstBytes: number, pageBytes = 4096) {
  const list = new RequestList();
  appendRequests(list, of, requestBytes, burstBytes, pageBytes);
  return Array.from({ length: list.length }, (_, i) => ({
    address: list.addresses[i],
    requested: list.requested[i],
    rounded: list.rounded[i],
  }));
}

describe("requests", () => {
  test("a contiguous transfer is cut at 1 KiB", () => {
    expect(requestsOf(region(4096, 1, 0, 1, 0, 2500), 1024, 64)).toEqual([
      { address: 4096, requested: 1024, rounded: 1024 },
      { address: 5120, requested: 1024, rounded: 1024 },
      // 452 B = 7 bursts and 4 B
      { address: 6144, requested: 452, rounded: 512 },
    ]);
  });

  test("never across 4 KiB", () => {
    expect(requestsOf(region(4096 - 100, 1, 0, 1, 0, 200), 1024, 64)).toEqual([
      { address: 3968, requested: 100, rounded: 128 },
      { address: 4096, requested: 100, rounded: 128 },
    ]);
  });

  test("an odd start costs one burst more, once", () => {
    // 63 B of the first burst, 15 whole ones; then 16 whole ones; then the last byte
    expect(requestsOf(region(1, 1, 0, 1, 0, 2048), 1024, 64)).toEqual([
      { address: 0, requested: 1023, rounded: 1024 },
      { address: 1024, requested: 1024, rounded: 1024 },
      { address: 2048, requested: 1, rounded: 64 },
    ]);
  });

  test("16 B of each of eight 512 B pixels: one request of eight bursts", () => {
    expect(requestsOf(region(32, 1, 0, 8, 512, 16), 1024, 64)).toEqual([{ address: 0, requested: 128, rounded: 512 }]);
  });

  test("32 B of each of four 96 B pixels: runs in one burst share it", () => {
    // runs 0..31, 96..127, 192..223, 288..319 touch bursts 0, 1, 3, 4
    expect(requestsOf(region(0, 1, 0, 4, 96, 32), 1024, 64)).toEqual([{ address: 0, requested: 128, rounded: 256 }]);
    // 48 B pixels: 0..31 in burst 0, 48..79 in 0 and 1, 96..127 in 1, 144..175 in 2
    expect(requestsOf(region(0, 1, 0, 4, 48, 32), 1024, 64)).toEqual([{ address: 0, requested: 128, rounded: 192 }]);
  });

  test("never across a row of DRAM or from channel to channel", () => {
    expect(requestsOf(region(200, 1, 0, 1, 0, 200), 1024, 64, 256)).toEqual([
      { address: 192, requested: 56, rounded: 64 },
      { address: 256, requested: 144, rounded: 192 },
    ]);
    const page = (given: object) =>
      requestPageBytes(createMachine("m", given as Record<string, unknown>, "test").parameters);
    expect(page({})).toBe(4096);
    expect(page({ "dram.rowBytes": 1024 })).toBe(1024);
    expect(page({ "dram.rowBytes": 8192, "dram.interleaveBytes": 512 })).toBe(4096);
    expect(page({ "dram.channels": 2, "dram.interleaveBytes": 512 })).toBe(512);
  });

  test("a request is at least one burst", () => {
    expect(requestsOf(region(0, 1, 0, 1, 0, 300), 64, 256)).toEqual([
      { address: 0, requested: 256, rounded: 256 },
      { address: 256, requested: 44, rounded: 256 },
    ]);
  });

  test("all bytes, in order, each burst of a request once, in one page and within the limit", () => {
    const regions = fc
      .record({
        base: fc.nat(10000),
        n0: fc.integer({ min: 1, max: 5 }),
        n1: fc.integer({ min: 1, max: 6 }),
        bytes: fc.integer({ min: 1, max: 3000 }),
        gap1: fc.nat(600),
        gap0: fc.nat(600),
      })
      .map(({ base, n0, n1, bytes, gap0, gap1 }) => {
        const pitch1 = bytes + gap1;
        return region(base, n0, n1 * pitch1 + gap0, n1, pitch1, bytes);
      });
    const bursts = fc.constantFrom(1, 16, 64, 96, 256, 4096);
    fc.assert(
      fc.property(regions, bursts, fc.integer({ min: 64, max: 4096 }), (of, burst, requestBytes) => {
        const requests = requestsOf(of, requestBytes, burst);
        // byte by byte: the requests, taken in order, cover the region's bytes in order
        const bytes: number[] = [];
        for (let i = 0; i < of.n0; i++)
          for (let j = 0; j < of.n1; j++)
            for (let b = 0; b < of.bytes; b++) bytes.push(of.base + i * of.pitch0 + j * of.pitch1 + b);
        let at = 0;
        for (const { address, requested, rounded } of requests) {
          const mine = bytes.slice(at, at + requested);
          at += requested;
          expect(mine.length).toBe(requested);
          expect(new Set(mine.map((byte) => Math.floor(byte / 4096))).size).toBe(1);
          const touched = new Set(mine.map((byte) => Math.floor(byte / burst)));
          expect(rounded).toBe(touched.size * burst);
          expect(rounded).toBeLessThanOrEqual(Math.max(requestBytes, burst));
          expect(address).toBe(Math.floor(mine[0] / burst) * burst);
        }
        expect(at).toBe(bytes.length);
      }),
      { numRuns: 100 },
    );
  });
});

/** Rates for sums by hand. Fetch: a program of up to 512 instructions takes 64 B / 16 = 4 cycles each + 100. */
const RATES = {
  "dma.setupCycles": 32,
  "dma.bytesPerCycle": 32,
  "dma.requestBytes": 1024,
  "dma.outstanding": 4,
  "dram.bytesPerCycle": 16,
  "dram.latencyCycles": 100,
  "dram.burstBytes": 64,
};

/** A program that loads or stores a tensor once. */
function transfer(op: "load" | "store", shape: Shape, parameters: object = {}) {
  const program = new Builder({ ...RATES, ...parameters });
  const tensor = program.tensor("tile", shape, "intermediate");
  const view = program.view(tensor);
  const index =
    op === "load"
      ? program.add("load", { dst: view, ...whole(shape) })
      : program.add("store", { src: view, ...whole(shape) });
  return { program, index, ...run(program) };
}

describe("load", () => {
  test.each<[string, Shape, object, number]>([
    ["1 KiB: 32 set-up + 1024 / 16 service + 100 latency", [1, 1, 1024], {}, 32 + 64 + 100],
    ["2 requests: DRAM serves them without a gap: 32 + 2048 / 16 + 100", [1, 1, 2048], {}, 32 + 128 + 100],
    ["a slow engine moves behind the first byte: 32 + 100 + 1024 / 4", [1, 1, 1024], { "dma.bytesPerCycle": 4 }, 388],
    ["one request in flight: 4 x (64 + 100) + 32", [1, 1, 4096], { "dma.outstanding": 1 }, 32 + 4 * 164],
    [
      "two in flight: the third starts when the first is there, 32 + 164 + 164 (+ 64 for the fourth, behind it)",
      [1, 1, 4096],
      { "dma.outstanding": 2 },
      32 + 164 + 164 + 64,
    ],
    ["odd bytes fill a burst: 32 + 64 / 16 + 100", [1, 1, 3], {}, 32 + 4 + 100],
  ])("%s", (_, shape, parameters, cycles) => {
    const load = transfer("load", shape, parameters);
    expect(load.cycles(load.index)).toBe(cycles);
  });

  test.each([
    // 64 runs of 16 B, 256 B apart: requests of 16 bursts, four of them; the second goes out 16 x 2 cycles after the first
    [2, 32 + 3 * 64 + 64 + 100, "DRAM sets the pace: 4 x 16 x 64 B / 16"],
    [10, 32 + 100 + 64 * 10, "so do addresses: 64 x 10"],
  ])("address generation of %i cycles per run: %i cycles, %s", (runCycles, cycles) => {
    const program = new Builder({ ...RATES, "dma.runCycles": runCycles, "dma.outstanding": 8 });
    const tensor = program.tensor("tile", [1, 64, 256], "intermediate");
    const box = { y: axis(0, 1), x: axis(0, 64), c: axis(0, 16) };
    const load = program.add("load", { dst: program.view(tensor, box), ...box });
    expect(run(program).cycles(load)).toBe(cycles);
  });

  test("addresses that cost nothing: one request per cycle at most", () => {
    // 64 requests of 64 B, which DRAM serves at 1 KiB per cycle: the last goes out 63 cycles after the first
    const fast = {
      "dma.requestBytes": 64,
      "dma.outstanding": 64,
      "dma.bytesPerCycle": 1024,
      "dram.bytesPerCycle": 1024,
    };
    const load = transfer("load", [1, 1, 4096], { ...fast, "dma.runCycles": 0 });
    expect(load.cycles(load.index)).toBe(32 + 63 + 1 + 100);
  });

  test("requests go out when their addresses are made", () => {
    const program = new Builder({ ...RATES, "dma.runCycles": 10, "dma.outstanding": 8 });
    const tensor = program.tensor("tile", [1, 64, 256], "intermediate");
    const box = { y: axis(0, 1), x: axis(0, 64), c: axis(0, 16) };
    const load = program.add("load", { dst: program.view(tensor, box), ...box });
    const { span, dram } = run(program);
    const first = span(load).start + 32;
    const loads = dram.filter(({ layer }) => layer !== "(fetch)").map(({ startCycle }) => startCycle - first);
    expect(loads).toEqual([0, 160, 320, 480]);
  });

  test("bytes asked for and bytes moved are two counters", () => {
    const { result } = transfer("load", [1, 1, 3]);
    // view, load, halt: 3 x 64 B of fetch
    expect(result.totals.dramRequestedBytes).toBe(3 + 3 * 64);
    expect(result.totals.dramReadBytes).toBe(64 + 3 * 64);
  });

  test("fractions of cycles do not pile up", () => {
    // 64 KiB / 3.75 = 17476.27, rounded up once, + 32 + 100
    const load = transfer("load", [1, 64, 1024], { "dram.bytesPerCycle": 3.75, "dma.outstanding": 64 });
    expect(load.cycles(load.index)).toBe(32 + 17477 + 100);
  });

  test("padding is written while the first bytes are on their way", () => {
    const program = new Builder(RATES);
    const tensor = program.tensor("tile", [4, 8, 64], "intermediate");
    // the window has two rows above and below: 4 x 512 B of padding
    const window = { y: axis(-2, 8), x: axis(0, 8), c: axis(0, 64) };
    const load = program.add("load", { dst: program.view(tensor, window), ...window, fill: true });
    const { cycles, result } = run(program);
    // 2048 / 32 = 64 cycles of padding end before the first data come: 32 + 128 + 100
    expect(cycles(load)).toBe(32 + 128 + 100);
    expect(result.totals.fillBytes).toBe(2048);
    expect(result.totals.sramWriteBytes).toBe(4096);
  });

  test("much padding holds the data up", () => {
    const program = new Builder({ ...RATES, "dma.bytesPerCycle": 8 });
    const tensor = program.tensor("tile", [4, 8, 64], "intermediate");
    const window = { y: axis(-2, 8), x: axis(0, 8), c: axis(0, 64) };
    const load = program.add("load", { dst: program.view(tensor, window), ...window, fill: true });
    // 32 + 2048 / 8 of padding + 2048 / 8 of data
    expect(run(program).cycles(load)).toBe(32 + 256 + 256);
  });

  test("of a group, the agent with the most padding counts", () => {
    const program = new Builder({ ...RATES, "dma.bytesPerCycle": 8, agents: 2 });
    const tensor = program.tensor("tile", [4, 8, 64], "intermediate");
    // the window of agent 0 has four rows of padding above the tile, that of agent 1 two
    const window = { y: axis(-4, 8, 0, 2), x: axis(0, 8), c: axis(0, 64) };
    const box = { ...window, y: axis(-4, 8) };
    const load = program.add("load", { dst: program.view(tensor, window), ...box, fill: true, multicast: "all" });
    const { cycles, result } = run(program);
    // 32 + 4 x 512 / 8 of padding + 2048 / 8 of data, for both
    expect([cycles(load, 0), cycles(load, 1)]).toEqual([32 + 256 + 256, 32 + 256 + 256]);
    expect(result.totals.fillBytes).toBe((4 + 2) * 512);
  });

  test("a box outside its tensor takes no time", () => {
    const program = new Builder(RATES);
    const tensor = program.tensor("tile", [4, 8, 64], "intermediate");
    const window = { y: axis(4, 2), x: axis(0, 8), c: axis(0, 64) };
    const load = program.add("load", { dst: program.view(tensor, window), ...window, fill: true });
    const { cycles, result } = run(program);
    expect(cycles(load)).toBe(0);
    expect(result.totals.fillBytes).toBe(0);
  });
});

describe("store", () => {
  test.each<[string, Shape, object, number]>([
    ["1 KiB: 32 set-up + 1024 / 32 out of SRAM + 1024 / 16 into DRAM", [1, 1, 1024], {}, 32 + 32 + 64],
    ["2 requests: the second leaves SRAM meanwhile", [1, 1, 2048], {}, 32 + 32 + 128],
    ["a slow engine: 32 + 2048 / 8 + 1024 / 16", [1, 1, 2048], { "dma.bytesPerCycle": 8 }, 32 + 256 + 64],
    [
      "1344 / 0.7 is 1920, though not in binary fractions: 32 + 42 + 1920",
      [1, 1, 1344],
      { "dram.bytesPerCycle": 0.7, "dma.requestBytes": 4096 },
      32 + 42 + 1920,
    ],
    ["one in flight: 32 + 2 x (32 + 64)", [1, 1, 2048], { "dma.outstanding": 1 }, 32 + 192],
  ])("%s", (_, shape, parameters, cycles) => {
    const store = transfer("store", shape, parameters);
    expect(store.cycles(store.index)).toBe(cycles);
    expect(store.result.totals.dramWriteBytes).toBe(shape[2]);
  });
});

describe("agents share DRAM", () => {
  const share = (multicast: "none" | "all", parameters: object = {}) => {
    const program = new Builder({ ...RATES, agents: 4, ...parameters });
    const tensor = program.tensor("tile", [1, 1, 2048], "intermediate");
    const load = program.add("load", { dst: program.view(tensor), ...whole([1, 1, 2048]), multicast });
    return { load, ...run(program) };
  };

  test.each([
    // each agent asks for 1 KiB in the first cycle and for 1 KiB in the second: two rounds of 4 x 64 cycles
    [1024, [5, 6, 7, 8]],
    // both in its turn
    [4096, [2, 4, 6, 8]],
  ])("agent by agent, each so long as it has had no more than %i B", (quantumBytes, rounds) => {
    const { load, cycles, dram } = share("none", { "dram.quantumBytes": quantumBytes });
    expect([0, 1, 2, 3].map((agent) => cycles(load, agent))).toEqual(rounds.map((k) => 32 + k * 64 + 100));
    const loads = dram.filter(({ layer }) => layer !== "(fetch)");
    expect(loads.map(({ endCycle, startCycle }) => endCycle - startCycle)).toEqual(Array(8).fill(64));
    for (let i = 1; i < 8; i++) expect(loads[i].startCycle).toBe(loads[i - 1].endCycle);
  });

  test("multicast: one read, delivered to all", () => {
    const { load, cycles, result, unit } = share("all");
    for (let agent = 0; agent < 4; agent++) {
      expect(cycles(load, agent)).toBe(32 + 128 + 100);
      expect(unit("load", agent).busyCycles).toBe(260);
    }
    expect(result.totals.dramRequestedBytes).toBe(2048 + 3 * 64);
    expect(result.totals.dmaBytes).toBe(4 * 2048);
    expect(result.totals.sramWriteBytes).toBe(4 * 2048);
  });

  test("multicast: the last byte takes a while to all agents; one agent alone has it", () => {
    for (const [agents, extra] of [
      [4, 7],
      [1, 0],
    ]) {
      const program = new Builder({ ...RATES, agents, "dma.multicastCycles": 7 });
      const tensor = program.tensor("tile", [1, 1, 2048], "intermediate");
      const load = program.add("load", {
        dst: program.view(tensor),
        ...whole([1, 1, 2048]),
        multicast: "all",
      });
      expect(run(program).cycles(load)).toBe(32 + 128 + 100 + extra);
    }
  });

  test("multicast by grid row and by column", () => {
    for (const [multicast, step] of [
      ["row", { stepA: 1, stepB: 0 }],
      ["column", { stepA: 0, stepB: 1 }],
    ] as const) {
      const program = new Builder({ ...RATES, agents: 6 }, 3);
      const tensor = program.tensor("tile", [3, 1, 1024], "intermediate");
      const y = { base: 0, extent: 1, ...step };
      const window = { y, x: axis(0, 1), c: axis(0, 1024) };
      program.add("load", { dst: program.view(tensor, window), ...window, multicast });
      const { result } = run(program);
      // 2 rows of 3 agents, 3 columns of 2
      const reads = multicast === "row" ? 2 : 3;
      expect(result.totals.dramRequestedBytes).toBe(reads * 1024 + 3 * 64);
      expect(result.totals.dmaBytes).toBe(6 * 1024);
    }
  });

  test("the group starts when its last agent has arrived", () => {
    const program = new Builder({ ...RATES, agents: 2 });
    const tensor = program.tensor("tile", [2, 1, 1024], "intermediate");
    // agent 1 alone loads 1 KiB first
    const own = { y: axis(-1, 1, 0, 1), x: axis(0, 1), c: axis(0, 1024) };
    const alone = program.add("load", { dst: program.view(tensor, own), ...own });
    const both = { y: axis(0, 1), x: axis(0, 1), c: axis(0, 1024) };
    const together = program.add("load", { dst: program.view(tensor, both), ...both, multicast: "all" });
    const { span, unit } = run(program);
    expect(span(together, 0).start).toBe(span(alone, 1).end);
    expect(span(together, 1).start).toBe(span(alone, 1).end);
    // the second view takes an instruction's issue between the loads
    expect(unit("load", 0).stalls.group).toBe(32 + 64 + 100 - 2);
  });
});
