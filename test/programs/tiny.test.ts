/** Does the hand-written program of the tutorial compute what the tutorial says? Against test/reference. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { checkProgram } from "../../isa/index.ts";
import { Execution, findRaces, simulateTiming } from "../../sim/index.ts";
import { convAccumulators, pool, shiftUnit } from "../reference/index.ts";
import { loadProgram, programText } from "./index.ts";

type Filter = (y: number, x: number, colour: number) => number;
const centre = (y: number, x: number) => y === 1 && x === 1;
const RED = 0;
const GREEN = 1;
/** The eight filters as the tutorial describes them: weight of each tap and colour, and the shift behind them. */
const FILTERS: readonly { readonly weight: Filter; readonly shift: number; readonly bias: number }[] = [
  ...[0, 1, 2].map((own) => ({
    weight: (y: number, x: number, colour: number) => (centre(y, x) && colour === own ? 1 : 0),
    shift: 0,
    bias: 0,
  })),
  { weight: (y, x) => (centre(y, x) ? 1 : 0), shift: 2, bias: 0 },
  { weight: (y, x, colour) => (colour === GREEN ? (x - 1) * (y === 1 ? 2 : 1) : 0), shift: 3, bias: 0 },
  { weight: (y, x, colour) => (colour === GREEN ? (y - 1) * (x === 1 ? 2 : 1) : 0), shift: 3, bias: 0 },
  { weight: (_y, _x, colour) => (colour === RED ? 1 : 0), shift: 3, bias: 3 },
  {
    weight: (y, x, colour) => (colour !== GREEN ? 0 : centre(y, x) ? 4 : y === 1 || x === 1 ? -1 : 0),
    shift: 2,
    bias: 3,
  },
];

function expected(image: Int8Array): Int8Array {
  const channels = [1, -1].flatMap((sign) => FILTERS.map((filter) => ({ ...filter, sign })));
  const weights = channels.flatMap(({ weight, sign }) =>
    [0, 1, 2].flatMap((y) => [0, 1, 2].flatMap((x) => [0, 1, 2].map((colour) => sign * weight(y, x, colour)))),
  );
  const sums = convAccumulators({ height: 8, width: 8, channels: 3, data: image }, Int8Array.from(weights), {
    outChannels: 16,
    kernel: [3, 3],
    stride: [1, 1],
    dilation: [1, 1],
    pads: [1, 1, 1, 1],
    groups: 1,
  });
  const data = Int8Array.from(sums, (sum, i) => {
    const { shift, bias } = channels[i % 16];
    return shiftUnit(sum, bias, bias === 0 ? 0 : shift, shift, 0, 127);
  });
  const maximum = { mode: "max", countPadding: false, kernel: [2, 2], stride: [2, 2], pads: [0, 0, 0, 0] } as const;
  return pool({ height: 8, width: 8, channels: 16, data }, maximum).data as Int8Array;
}

const checked = checkProgram(loadProgram("tiny"), "tiny.s");

describe("tiny.s", () => {
  it("computes its sixteen channels from any picture, frame after frame", () => {
    const execution = new Execution(checked, { kernels: "twin" });
    fc.assert(
      fc.property(fc.int8Array({ minLength: 192, maxLength: 192 }), (image) => {
        expect(execution.runFrame(image).get("pool1")).toEqual(expected(image));
      }),
      { numRuns: 20 },
    );
  });

  it("has no race, and has one where a wait and its signal are missing", () => {
    expect(findRaces(checked).map(String)).toEqual([]);
    const text = programText("tiny", [" waits=shifted", ""], [" signals=shifted", ""]);
    expect(findRaces(checkProgram(loadProgram("tiny", text), "tiny.s")).length).toBeGreaterThan(0);
  });

  it("does 27,648 multiply-accumulates", () => {
    // 8 x 8 outputs x 16 channels x 27 products
    expect(simulateTiming(checked).totals.macs).toBe(27_648);
  });
});
