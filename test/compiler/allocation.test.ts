import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { allocate, allocatePersistent, checkAllocation } from "../../compiler/lowering/buffers.ts";
import { instruction } from "../../isa/index.ts";
import { axis, type Buffer, type Draft, tileView } from "../../kernels/index.ts";

/** An instruction that uses these buffers. */
function use(...buffers: Buffer[]): Draft {
  const views = Object.fromEntries(
    buffers.map((buffer, i) => [`v${i}`, tileView(0, "i8", axis(0, 1), axis(0, 1), axis(0, 1), buffer)]),
  );
  return { instruction: instruction("fence", {}), views, layer: 0, tile: 0 };
}

const buffer = (name: string, address: number, bytes: number): Buffer => ({ name, address, bytes });

describe("the allocation checker", () => {
  const a = buffer("a", 0, 100);
  const b = buffer("b", 99, 100);
  const c = buffer("c", 100, 100);

  test("refuses buffers that overlap by one byte while both are in use", () => {
    expect(() => checkAllocation([use(a), use(b), use(a)], [], 1024)).toThrow(
      "buffers a and b overlap in SRAM while both are in use",
    );
  });
  test("lets buffers touch, and lets one follow the other at the same place", () => {
    expect(() => checkAllocation([use(a), use(c), use(a)], [], 1024)).not.toThrow();
    expect(() => checkAllocation([use(a), use(b)], [], 1024)).not.toThrow();
  });
  test("counts one instruction that uses both as both in use", () => {
    expect(() => checkAllocation([use(a), use(a, b)], [], 1024)).toThrow("overlap");
  });
  test("never lets anything into a persistent area", () => {
    expect(() => checkAllocation([use(b)], [a], 1024)).toThrow("overlap");
    expect(() => checkAllocation([use(c)], [a], 1024)).not.toThrow();
  });
  test("refuses what ends behind SRAM, or was never placed", () => {
    expect(() => checkAllocation([use(c)], [], 199)).toThrow("buffer c lies outside SRAM");
    expect(() => checkAllocation([use(buffer("d", -1, 8))], [], 1024)).toThrow("outside SRAM");
  });
});

test("whatever fits is allocated without overlap", () => {
  const sizes = fc.array(fc.integer({ min: 1, max: 5000 }), { minLength: 1, maxLength: 6 });
  fc.assert(
    fc.property(fc.array(sizes, { minLength: 1, maxLength: 6 }), sizes, (groups, resident) => {
      const make = (name: string, bytes: readonly number[]) => bytes.map((size, i) => buffer(`${name}${i}`, -1, size));
      const persistent = make("resident", resident);
      const pools = groups.map((group, i) => make(`group${i}/`, group));
      const base = allocatePersistent(persistent, 0);
      const largest = Math.max(
        ...pools.map((pool) => pool.reduce((sum, { bytes }) => sum + Math.ceil(bytes / 64) * 64, 0)),
      );
      // SRAM that just holds the largest group, and need not be a multiple of the alignment
      const sramBytes = base + largest + 63;
      allocate(pools, base, sramBytes);
      // within a group all buffers are in use from the first instruction to the last
      const drafts = pools.flatMap((pool) => [use(...pool), use(...pool)]);
      expect(() => checkAllocation(drafts, persistent, sramBytes)).not.toThrow();
    }),
  );
});
