/** Is box and region geometry right? Against sets of bytes and elements, counted one by one. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  type Box,
  boxVolume,
  clipBox,
  copyTarget,
  type DramTensor,
  dramRegion,
  FORMATS,
  type Format,
  gridPosition,
  instruction,
  multicastGroup,
  type Region,
  region,
  regionBytes,
  regionCovers,
  regionEnd,
  regionsOverlap,
  resolveView,
  unclippedBox,
  viewAddress,
  viewRegion,
} from "../../isa/index.ts";

/** Every byte of n0 x n1 runs, straight from the definition. */
function bytesOf({ base, n0, pitch0, n1, pitch1, bytes }: Region): Set<number> {
  const set = new Set<number>();
  for (let i = 0; i < n0; i++)
    for (let j = 0; j < n1; j++) for (let k = 0; k < bytes; k++) set.add(base + i * pitch0 + j * pitch1 + k);
  return set;
}

/** Raw arguments of `region`: runs ascend, as in every view; gaps may be 0. */
const arbitraryRuns = fc
  .record({
    base: fc.nat(120),
    n0: fc.integer({ min: 1, max: 5 }),
    n1: fc.integer({ min: 1, max: 5 }),
    bytes: fc.integer({ min: 1, max: 6 }),
    gap1: fc.nat(7),
    gap0: fc.nat(20),
  })
  .map(({ base, n0, n1, bytes, gap1, gap0 }) => {
    const pitch1 = bytes + gap1;
    return { base, n0, pitch0: (n1 - 1) * pitch1 + bytes + gap0, n1, pitch1, bytes };
  });
const normal = (r: Region) => region(r.base, r.n0, r.pitch0, r.n1, r.pitch1, r.bytes);
const arbitraryRegion = arbitraryRuns.map(normal);

/** A box inside a view of a small tensor, both anywhere. */
const arbitraryAxis = fc.record({ start: fc.integer({ min: -3, max: 5 }), size: fc.integer({ min: 1, max: 5 }) });
const arbitraryInner = (outer: { start: number; size: number }) =>
  fc
    .tuple(fc.nat(outer.size - 1), fc.nat(outer.size - 1))
    .map(([a, b]) => ({ start: outer.start + Math.min(a, b), size: Math.abs(a - b) + 1 }));
const boxOf = (
  y: { start: number; size: number },
  x: { start: number; size: number },
  c: { start: number; size: number },
): Box => ({
  y0: y.start,
  y1: y.start + y.size,
  x0: x.start,
  x1: x.start + x.size,
  c0: c.start,
  c1: c.start + c.size,
});

describe("regions", () => {
  it("keep their bytes when runs are joined", () => {
    fc.assert(
      fc.property(arbitraryRuns, (runs) => {
        const joined = normal(runs);
        expect(bytesOf(joined)).toEqual(bytesOf(runs));
        expect(regionBytes(joined)).toBe(bytesOf(runs).size);
        expect(regionEnd(joined)).toBe(Math.max(...bytesOf(runs)) + 1);
      }),
    );
  });

  it("overlap exactly when they share a byte, whatever their pitches", () => {
    let overlapping = 0;
    fc.assert(
      fc.property(arbitraryRegion, arbitraryRegion, (a, b) => {
        const inA = bytesOf(a);
        const shared = [...bytesOf(b)].some((byte) => inA.has(byte));
        if (shared) overlapping++;
        expect(regionsOverlap(a, b)).toBe(shared);
        expect(regionsOverlap(b, a)).toBe(shared);
      }),
      { numRuns: 20_000 },
    );
    // the generator must not be trivial
    expect(overlapping).toBeGreaterThan(4000);
    expect(overlapping).toBeLessThan(18_000);
  });

  it("interleave without overlap: columns of one picture", () => {
    // even and odd pixels of the same rows, 4 B each
    const even = region(0, 8, 64, 8, 8, 4);
    const odd = region(4, 8, 64, 8, 8, 4);
    expect(regionsOverlap(even, odd)).toBe(false);
    expect(regionsOverlap(even, region(3, 8, 64, 8, 8, 2))).toBe(true);
  });

  it("cover only what they hold", () => {
    let covered = 0;
    fc.assert(
      fc.property(arbitraryRegion, arbitraryRegion, (outer, inner) => {
        if (!regionCovers(outer, inner)) return;
        covered++;
        const inOuter = bytesOf(outer);
        expect([...bytesOf(inner)].every((byte) => inOuter.has(byte))).toBe(true);
      }),
      { numRuns: 20_000 },
    );
    expect(covered).toBeGreaterThan(50);
  });

  it("cover a smaller box of the same window", () => {
    const view = { tensor: 0, format: "i8" as const, address: 100, rowPitch: 200, pixelPitch: 10 };
    const window = boxOf({ start: 0, size: 8 }, { start: 0, size: 16 }, { start: 0, size: 10 });
    const outer = viewRegion({ ...view, window }, { ...window, c1: 6 });
    const cases: [Partial<Box>, boolean][] = [
      [{ c1: 6 }, true],
      [{ y0: 2, y1: 5, x0: 3, x1: 9, c0: 1, c1: 5 }, true],
      [{ y0: 7, x0: 15, c0: 5, c1: 6 }, true],
      [{ c1: 7 }, false],
      [{ c0: 6 }, false],
      [{ y0: 3, y1: 4 }, false],
    ];
    for (const [part, expected] of cases)
      expect(regionCovers(outer, viewRegion({ ...view, window }, { ...window, ...part })), JSON.stringify(part)).toBe(
        expected,
      );
  });
});

describe("views", () => {
  it("take the bytes of each element of a box and no others", () => {
    const cases = fc.tuple(arbitraryAxis, arbitraryAxis, arbitraryAxis).chain(([y, x, c]) =>
      fc.record({
        window: fc.constant(boxOf(y, x, c)),
        box: fc.tuple(arbitraryInner(y), arbitraryInner(x), arbitraryInner(c)).map((parts) => boxOf(...parts)),
        format: fc.constantFrom(...FORMATS),
        slack: fc.tuple(fc.nat(5), fc.nat(5)),
      }),
    );
    fc.assert(
      fc.property(cases, ({ window, box, format, slack }) => {
        const bytes = format === "i32" ? 4 : 1;
        const pixelPitch = (window.c1 - window.c0) * bytes + slack[0];
        const rowPitch = (window.x1 - window.x0) * pixelPitch + slack[1];
        const view = { tensor: 0, format, window, address: 64, rowPitch, pixelPitch };
        const expected = new Set<number>();
        for (let y = box.y0; y < box.y1; y++)
          for (let x = box.x0; x < box.x1; x++)
            for (let c = box.c0; c < box.c1; c++)
              for (let b = 0; b < bytes; b++) expected.add(viewAddress(view, y, x, c) + b);
        expect(expected.size).toBe(boxVolume(box) * bytes);
        expect(bytesOf(viewRegion(view, box))).toEqual(expected);
      }),
    );
  });

  it("of a dense tensor in DRAM are its elements in the order row, column, channel", () => {
    const tensor: DramTensor = { height: 3, width: 4, channels: 5, format: "i32", address: 1000 };
    const box = { y0: 1, y1: 3, x0: 1, x1: 3, c0: 2, c1: 5 };
    const expected = new Set<number>();
    for (let y = 1; y < 3; y++)
      for (let x = 1; x < 3; x++)
        for (let c = 2; c < 5; c++) for (let b = 0; b < 4; b++) expected.add(1000 + ((y * 4 + x) * 5 + c) * 4 + b);
    expect(bytesOf(dramRegion(tensor, box))).toEqual(expected);
  });

  it("move with the agent's place in the grid", () => {
    const view = instruction("view", {
      gridY: 2,
      gridX: 3,
      y: { base: -1, stepA: 8, stepB: 0, extent: 10 },
      x: { base: 0, stepA: 0, stepB: 20, extent: 20 },
      c: { base: 0, stepA: 1, stepB: 2, extent: 4 },
      address: 512,
    });
    const at = gridPosition(view, 5);
    expect(at).toEqual({ iy: 1, ix: 2 });
    expect(gridPosition(view, 6)).toBeNull();
    const format: Format = "i8";
    expect(resolveView(view, format, { iy: 1, ix: 2 }).window).toEqual({
      y0: 7,
      y1: 17,
      x0: 40,
      x1: 60,
      c0: 1 * 1 + 2 * 2,
      c1: 9,
    });
  });
});

describe("boxes", () => {
  it("are clipped to the elements inside the tensor, and to nothing when there is none", () => {
    const extents = fc.record({
      height: fc.integer({ min: 1, max: 4 }),
      width: fc.integer({ min: 1, max: 4 }),
      channels: fc.integer({ min: 1, max: 4 }),
    });
    fc.assert(
      fc.property(arbitraryAxis, arbitraryAxis, arbitraryAxis, extents, (y, x, c, tensor) => {
        const box = boxOf(y, x, c);
        let inside = 0;
        for (let i = box.y0; i < box.y1; i++)
          for (let j = box.x0; j < box.x1; j++)
            for (let k = box.c0; k < box.c1; k++)
              if (i >= 0 && j >= 0 && k >= 0 && i < tensor.height && j < tensor.width && k < tensor.channels) inside++;
        const clipped = clipBox(box, tensor);
        expect(clipped === null ? 0 : boxVolume(clipped)).toBe(inside);
        if (clipped !== null) {
          expect(clipped.y0).toBe(Math.max(0, box.y0));
          expect(clipped.x1).toBe(Math.min(tensor.width, box.x1));
        }
      }),
    );
  });

  it("of extent 0 are nothing", () => {
    const axis = { base: 2, stepA: 0, stepB: 0, extent: 0 };
    const box = unclippedBox({ y: axis, x: axis, c: axis }, { iy: 0, ix: 0 });
    expect(clipBox(box, { height: 8, width: 8, channels: 8 })).toBeNull();
  });
});

describe("groups of agents", () => {
  const load = (multicast: "none" | "all" | "row" | "column") => instruction("load", { gridY: 2, gridX: 3, multicast });

  it.each([
    ["none", 4, [4]],
    ["all", 4, [0, 1, 2, 3, 4, 5]],
    ["row", 4, [3, 4, 5]],
    ["column", 4, [1, 4]],
    ["all", 7, [7]],
  ] as const)("multicast %s, agent %i: %j", (multicast, agent, group) => {
    expect(multicastGroup(load(multicast), agent)).toEqual(group);
  });

  it.each([
    [0, 1, 1],
    [4, -3, null],
    [2, 1, null],
    [3, -2, null],
    [6, 0, null],
  ])("a copy from agent %i by %i columns arrives at %o", (agent, offsetX, target) => {
    expect(copyTarget(instruction("copy", { gridY: 2, gridX: 3, offsetX }), agent)).toBe(target);
  });
});
