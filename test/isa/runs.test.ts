// The end of an access's runs, which is all that the bounds check looks at, is that of the region that races are judged by.
import fc from "fast-check";
import { expect, test } from "vitest";
import { endOfRuns, region, regionEnd } from "../../isa/geometry.ts";

const count = fc.integer({ min: 1, max: 9 });
const size = fc.integer({ min: 1, max: 500 });

test("the end of runs is the end of their region; what begins before 0 ends nowhere", () => {
  fc.assert(
    fc.property(
      fc.integer({ min: -9, max: 999 }),
      count,
      size,
      count,
      size,
      size,
      (base, n0, pitch0, n1, pitch1, bytes) => {
        const runs = [base, n0, pitch0, n1, pitch1, bytes] as const;
        expect(endOfRuns(...runs)).toBe(base < 0 ? Number.POSITIVE_INFINITY : regionEnd(region(...runs)));
      },
    ),
  );
});
