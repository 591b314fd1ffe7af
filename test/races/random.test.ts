// Does the race check see every race there is, and no other, though it forgets most accesses as it goes?
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type Axis, type CheckedProgram, type Region, regionEnd, UNIT_KINDS, type UnitKind } from "../../isa/index.ts";
import { findRaces } from "../../sim/races/index.ts";
import { firstOverlap } from "../../sim/races/overlap.ts";
import { axis, type BoxAxes, ProgramBuilder } from "../functional/builder.ts";
import { allRaces, bytesOf } from "./brute-force.ts";

const SIZE = 4;
const small = (max: number) => fc.integer({ min: 0, max });
const extent = fc.integer({ min: 1, max: 2 });
const start = fc.integer({ min: -1, max: SIZE - 1 });
/** A box that may move with the agents, where its tile lies in SRAM, and how many bytes lie between pixels and rows. */
interface Tile {
  readonly box: BoxAxes;
  readonly address: number;
  readonly gap: number;
}

const tileShape: fc.Arbitrary<Tile> = fc.record({
  box: fc.record({
    y: fc.record({ base: start, stepA: small(2), stepB: fc.constant(0), extent }),
    x: fc.record({ base: start, stepA: fc.constant(0), stepB: small(2), extent }),
    c: fc.record({ base: small(1), stepA: fc.constant(0), stepB: small(1), extent: fc.constant(1) }),
  }),
  address: fc.constantFrom(0, 1, 8, 9, 16),
  gap: small(2),
});

const kinds = fc.subarray([...UNIT_KINDS], { minLength: 1 });
const offset = fc.integer({ min: -1, max: 1 });
/** Which of the program's tiles an operation works on: few, so that operations meet. */
const tile = small(2);
const operation = fc.oneof(
  fc.record({
    op: fc.constant("load" as const),
    tile,
    multicast: fc.constantFrom("none" as const, "all" as const, "row" as const, "column" as const),
    fill: fc.boolean(),
  }),
  fc.record({ op: fc.constant("store" as const), tile }),
  fc.record({ op: fc.constant("add" as const), tile, other: fc.constantFrom(0, 8, 20) }),
  fc.record({
    op: fc.constant("copy" as const),
    tile,
    to: fc.constantFrom(0, 8, 20),
    offsetY: offset,
    offsetX: offset,
  }),
  fc.record({ op: fc.constant("reduce" as const), histogram: small(1) }),
  fc.record({ op: fc.constant("exponent" as const), histogram: small(1), dst: small(2) }),
  fc.record({ op: fc.constant("scalar" as const), dst: small(2), a: small(2), b: small(2) }),
  fc.record({ op: fc.constant("sync" as const), after: kinds, before: kinds }),
  fc.record({ op: fc.constant("fence" as const), unit: fc.constantFrom(...UNIT_KINDS) }),
);
type Operation = typeof operation extends fc.Arbitrary<infer T> ? T : never;

/** A semaphore from one instruction to a later one, or into the next frame. */
const arrow = fc.record({ from: small(99), to: small(99), offsetY: offset, offsetX: offset });

const randomProgram = fc.record({
  tiles: fc.tuple(tileShape, tileShape, tileShape),
  operations: fc.array(operation, { minLength: 2, maxLength: 14 }),
  arrows: fc.array(arrow, { maxLength: 12 }),
  prologue: small(3),
});
type RandomProgram = typeof randomProgram extends fc.Arbitrary<infer T> ? T : never;

const UNITS: Record<Exclude<Operation["op"], "sync" | "fence">, UnitKind> = {
  load: "load",
  store: "store",
  add: "pool",
  copy: "link",
  reduce: "scalar",
  exponent: "scalar",
  scalar: "scalar",
};

/** The same box for all agents of a multicast group. */
function sharedBox({ y, x, c }: Tile["box"], multicast: "none" | "all" | "row" | "column"): Tile["box"] {
  const alongY = multicast === "none" || multicast === "row";
  const alongX = multicast === "none" || multicast === "column";
  const steps = (axis: Axis) => ({ ...axis, stepA: alongY ? axis.stepA : 0, stepB: alongX ? axis.stepB : 0 });
  return { y: steps(y), x: steps(x), c: steps(c) };
}

function build({ tiles, operations, arrows, prologue }: RandomProgram): CheckedProgram {
  const b = new ProgramBuilder({}, { gridY: 2, gridX: 2 });
  const input = b.tensor("input", [SIZE, SIZE, 3], "i8", "input");
  b.tensor("output", [SIZE, SIZE, 3], "i8", "output");
  const unitOf = (o: Operation) => (o.op === "sync" ? null : o.op === "fence" ? o.unit : UNITS[o.op]);
  const waits = operations.map((): number[] => []);
  const signals = operations.map((): number[] => []);
  for (const { from, to, offsetY, offsetX } of arrows) {
    const [i, j] = [from % operations.length, to % operations.length];
    const [producer, consumer] = [unitOf(operations[i]), unitOf(operations[j])];
    // both ends in the body; backwards: into the next frame
    if (producer === null || consumer === null || i < prologue || j < prologue) continue;
    if (signals[i].length === 6 || waits[j].length === 6) continue;
    const initial = i < j ? 0 : 1;
    const id = b.semaphore(producer, consumer, { gridY: 2, gridX: 2, offsetY, offsetX, initial });
    signals[i].push(id);
    waits[j].push(id);
  }
  const view = ({ box, gap }: Tile, address: number) => {
    const pixelPitch = box.c.extent + gap;
    return b.view(input, box, address, { pixelPitch, rowPitch: pixelPitch * box.x.extent + gap });
  };
  for (const [i, o] of operations.entries()) {
    if (i === prologue && i > 0) b.endPrologue();
    const ends = { waits: waits[i], signals: signals[i] };
    switch (o.op) {
      case "load": {
        const tile = tiles[o.tile];
        const box = sharedBox(tile.box, o.multicast);
        const dst = view({ ...tile, box }, tile.address);
        b.emit("load", { dst, ...box, ...ends, multicast: o.multicast, fill: o.fill });
        break;
      }
      case "store": {
        const tile = tiles[o.tile];
        b.emit("store", { src: view(tile, tile.address), ...tile.box, ...ends });
        break;
      }
      case "add": {
        const tile = tiles[o.tile];
        const a = view(tile, tile.address);
        const dst = view(tile, o.other);
        b.emit("add", { a, b: a, dst, tensor: input, ...tile.box, ...ends, low: -128, high: 127 });
        break;
      }
      case "copy": {
        const tile = tiles[o.tile];
        // every agent's window of the destination is large enough for any sender's box
        const dst = b.view(input, { y: axis(-1, 6), x: axis(-1, 6), c: axis(0, 3) }, o.to);
        const { offsetY, offsetX } = o;
        b.emit("copy", { src: view(tile, tile.address), dst, ...tile.box, ...ends, offsetY, offsetX });
        break;
      }
      case "sync":
        b.emit("sync", { after: o.after, before: o.before });
        break;
      default: {
        const { op, ...fields } = o;
        b.emit(op, { ...fields, ...ends });
      }
    }
  }
  if (operations.length === prologue) b.endPrologue();
  return b.build();
}

describe("random programs", () => {
  const seconds = (races: readonly { readonly second: number; readonly space: string }[]) =>
    [...new Set(races.map(({ second, space }) => `${second} ${space}`))].sort();

  test("what is reported is what a comparison of all accesses finds", () => {
    let withRaces = 0;
    fc.assert(
      fc.property(
        randomProgram,
        fc.boolean(),
        fc.integer({ min: 1, max: 3 }),
        fc.constantFrom(1, 256),
        (random, overlapFrames, frames, forgetAt) => {
          const checked = build(random);
          const expected = allRaces(checked, frames, overlapFrames);
          const found = findRaces(checked, { frames, overlapFrames, limit: Number.POSITIVE_INFINITY, forgetAt })
            .filter(
              ({ first, second }) =>
                !(first.index === second.index && first.agent === second.agent && first.frame === second.frame),
            )
            .map(({ first, second, space }) => ({ first: first.index, second: second.index, space }));
          // an access that was forgotten was forgotten for one that races in its place: with the same later access
          expect(seconds(found)).toEqual(seconds(expected));
          for (const race of found) expect(expected).toContainEqual(race);
          if (expected.length > 0) withRaces++;
        },
      ),
      { numRuns: 400 },
    );
    expect(withRaces).toBeGreaterThan(50);
  });
});

describe("firstOverlap", () => {
  const region: fc.Arbitrary<Region> = fc
    .record({
      base: small(30),
      bytes: fc.integer({ min: 1, max: 5 }),
      n1: fc.integer({ min: 1, max: 4 }),
      gap1: small(6),
      n0: fc.integer({ min: 1, max: 3 }),
      gap0: small(9),
    })
    .map(({ base, bytes, n1, gap1, n0, gap0 }) => {
      const pitch1 = n1 === 1 ? 0 : bytes + gap1;
      return { base, bytes, n1, pitch1, n0, pitch0: n0 === 1 ? 0 : (n1 - 1) * pitch1 + bytes + gap0 };
    });

  test("is the first byte both hold, and holds no others", () => {
    fc.assert(
      fc.property(region, region, (a, b) => {
        const other = bytesOf(b);
        const shared = [...bytesOf(a)].filter((byte) => other.has(byte)).sort((x, y) => x - y);
        const found = firstOverlap(a, b);
        expect(found === null).toBe(shared.length === 0);
        if (found === null) return;
        expect(found.begin).toBe(shared[0]);
        expect(found.end).toBeGreaterThan(found.begin);
        for (let byte = found.begin; byte < found.end; byte++) expect(shared).toContain(byte);
        expect(found.end).toBeLessThanOrEqual(Math.min(regionEnd(a), regionEnd(b)));
      }),
      { numRuns: 2000 },
    );
  });

  test("channels side by side", () => {
    const channels = (from: number, count: number): Region => ({
      base: from,
      bytes: count,
      n1: 40,
      pitch1: 64,
      n0: 8,
      pitch0: 64 * 50,
    });
    expect(firstOverlap(channels(0, 16), channels(16, 48))).toBe(null);
    expect(firstOverlap(channels(64 * 3 + 16, 16), channels(0, 16))).toBe(null);
    expect(firstOverlap(channels(0, 17), channels(16, 48))).toEqual({ begin: 16, end: 17 });
  });
});
