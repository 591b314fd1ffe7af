/**
 * Is the reference right? Its scalars give the worked numbers of docs/arithmetic.md, its convolution equals onnxruntime's,
 * its other operators equal small tables worked by hand.
 */
import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, it, test } from "vitest";
import { ortConvAccumulators } from "./oracle/onnxruntime.ts";
import * as reference from "./reference/index.ts";

const page = readFileSync(new URL("../docs/arithmetic.md", import.meta.url), "utf8");

/** What the page's blocks of worked numbers may call beside the reference's scalars. */
const examples: Record<string, (...args: never[]) => unknown> = {
  ...(reference as unknown as Record<string, (...args: never[]) => unknown>),
  chooseExponent: (pairs: [number, number][], bits: number, clipLog2: number) => {
    const bins = new Uint32Array(33);
    for (const [bin, count] of pairs) bins[bin] = count;
    return reference.chooseExponent(bins, bits, clipLog2);
  },
  maxPoolRow: (row: number[], kernel: number, left: number, right: number) =>
    poolRow(row, "max", kernel, left, right, false),
  averagePoolRow: (row: number[], kernel: number, left: number, right: number, countPadding: boolean) =>
    poolRow(row, "average", kernel, left, right, countPadding),
  convRow: (row: number[], weights: number[], left: number, right: number) => [
    ...reference.convAccumulators(rowMap(row), Int8Array.from(weights), {
      outChannels: 1,
      kernel: [1, weights.length],
      stride: [1, 1],
      dilation: [1, 1],
      pads: [0, left, 0, right],
      groups: 1,
    }),
  ],
};

const rowMap = (row: number[]) => ({ height: 1, width: row.length, channels: 1, data: Int8Array.from(row) });

function poolRow(
  row: number[],
  mode: "max" | "average",
  kernel: number,
  left: number,
  right: number,
  countPadding: boolean,
): number[] {
  const pads = [0, left, 0, right] as const;
  return [...reference.pool(rowMap(row), { mode, countPadding, kernel: [1, kernel], stride: [1, 1], pads }).data];
}

describe("worked numbers of docs/arithmetic.md", () => {
  const lines = [...page.matchAll(/```examples\n(.*?)```/gs)].flatMap(([, block]) => block.trim().split("\n"));
  test("there are many", () => expect(lines.length).toBeGreaterThan(70));
  test.each(lines)("%s", (line) => {
    const [, name, args, value] = /^(\w+)\((.*?)\) = ([^#]*)/.exec(line) ?? [];
    expect(examples, `no example function ${name}`).toHaveProperty(name);
    expect(examples[name](...(JSON.parse(`[${args}]`) as never[]))).toEqual(JSON.parse(value));
  });
});
