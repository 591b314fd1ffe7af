import { crc32 } from "node:zlib";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { buildNetwork } from "../../compiler/builders.ts";
import { decodeRapq, encodeRapq, quantize } from "../../compiler/index.ts";
import type { QConv, QuantizedModel } from "../../compiler/quantized-model.ts";
import { verifyQuantizedModel } from "../../compiler/verify-quantized-model.ts";
import { RapError } from "../../isa/index.ts";
import { arbitraryQuantizedModel } from "../arbitrary/quantized-model.ts";

test("decode(encode(model)) is the model, also from a buffer that lies within a larger one", () => {
  fc.assert(
    fc.property(arbitraryQuantizedModel(), (model) => {
      const file = encodeRapq(model);
      const within = Buffer.concat([Buffer.alloc(13), file]).subarray(13);
      const decoded = decodeRapq(within, "test.rapq");
      expect({ ...decoded }).toEqual({ ...model });
      expect(Buffer.compare(encodeRapq(decoded), file)).toBe(0);
    }),
    { numRuns: 100 },
  );
});

const model = quantize(buildNetwork("tiny"));
const file = encodeRapq(model);

describe("a damaged file gives one line", () => {
  test("cut short anywhere", () => {
    for (let length = 0; length < file.length; length += 61) {
      expect(() => decodeRapq(file.subarray(0, length), "cut.rapq")).toThrow(RapError);
    }
  });
  test("a bit turned anywhere in the first 4 KiB, or at random behind", () => {
    const turned = (at: number) => {
      const bytes = file.slice();
      bytes[at] ^= 1;
      return bytes;
    };
    for (let at = 0; at < Math.min(4096, file.length); at++)
      expect(() => decodeRapq(turned(at), "turned.rapq"), `byte ${at}`).toThrow(RapError);
    fc.assert(
      fc.property(fc.nat(file.length - 1), (at) => {
        expect(() => decodeRapq(turned(at), "turned.rapq")).toThrow(/^turned\.rapq: /);
      }),
    );
  });
});

/** The model with its graph changed, in a file whose checksums are right: what a hostile writer would make. */
function hostile(
  change: (graph: {
    tensors: Record<string, unknown>[];
    nodes: Record<string, unknown>[];
    host: Record<string, unknown>;
  }) => void,
): Uint8Array {
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  const section = (i: number) => ({
    offset: view.getUint32(24 + 16 * i + 4, true),
    length: view.getUint32(24 + 16 * i + 8, true),
  });
  const [graphAt, weightsAt] = [section(0), section(1)];
  const text = Buffer.from(file.subarray(graphAt.offset, graphAt.offset + graphAt.length)).toString();
  const graph = JSON.parse(text);
  change(graph);
  const parts = [
    Buffer.from(JSON.stringify(graph)),
    file.subarray(weightsAt.offset, weightsAt.offset + weightsAt.length),
  ];
  const starts = [64, 64 + Math.ceil(parts[0].length / 64) * 64];
  const out = new Uint8Array(starts[1] + Math.ceil(parts[1].length / 64) * 64);
  out.set(file.subarray(0, 56));
  const table = new DataView(out.buffer);
  parts.forEach((part, i) => {
    table.setUint32(24 + 16 * i + 4, starts[i], true);
    table.setUint32(24 + 16 * i + 8, part.length, true);
    table.setUint32(24 + 16 * i + 12, crc32(part), true);
    out.set(part, starts[i]);
  });
  table.setUint32(16, out.length, true);
  table.setUint32(20, crc32(out.subarray(24, 56), crc32(out.subarray(0, 20))), true);
  return out;
}

describe("a hostile graph is refused by what it breaks", () => {
  test("unchanged, such a file is read", () => {
    expect(
      decodeRapq(
        hostile(() => {}),
        "h.rapq",
      ).nodes,
    ).toHaveLength(model.nodes.length);
  });
  test.each<[string, Parameters<typeof hostile>[0], RegExp]>([
    [
      "a huge kernel",
      ({ nodes }) => Object.assign(nodes[0], { kernel: [65535, 65535] }),
      /section WGHT: .* end within/,
    ],
    ["groups that divide nothing", ({ nodes }) => Object.assign(nodes[0], { groups: 7 }), /7 groups do not divide/],
    [
      "a tensor that is not there",
      ({ nodes }) => Object.assign(nodes[0], { output: "nowhere" }),
      /names a tensor that is not there/,
    ],
    [
      "a cycle",
      ({ nodes }) => nodes.reverse(),
      /reads '.*', which nothing before it makes|end within|more than the graph needs/,
    ],
    [
      "a tensor of another height",
      ({ tensors }) => Object.assign(tensors[1], { height: 3 }),
      /gives .* but its tensor is 3 x/,
    ],
    ["a field nobody knows", ({ host }) => Object.assign(host, { extra: 1 }), /Unrecognized key/],
    ["a negative extent", ({ tensors }) => Object.assign(tensors[0], { width: -1 }), /tensors\.0\.width/],
    [
      "an output nothing makes",
      ({ host }) => Object.assign((host.outputs as Record<string, unknown>[])[0], { tensor: "x" }),
      /nothing makes it/,
    ],
  ])("%s", (_, change, message) => {
    expect(() => decodeRapq(hostile(change), "h.rapq")).toThrow(message);
  });
});

describe("the invariants of a quantized model", () => {
  test("hold for random models and for what the quantizer makes", () => {
    fc.assert(
      fc.property(arbitraryQuantizedModel(), (random) => verifyQuantizedModel(random, "random")),
      { numRuns: 100 },
    );
    verifyQuantizedModel(model, "tiny");
  });
  test.each<[string, (conv: QConv) => Partial<QConv>, RegExp]>([
    ["a shift out of range", ({ shift }) => ({ shift: shift.map(() => 32) }), /shift 32 is not in -8\.\.31/],
    [
      "a bias shift out of range",
      ({ biasShift }) => ({ biasShift: biasShift.map(() => 24) }),
      /bias shift 24 is not in -31\.\.23/,
    ],
    ["a clamp outside the format", () => ({ high: 128 }), /clamp .*128 does not fit format i8/],
    ["a stride that gives another shape", () => ({ stride: [5, 5] }), /but its tensor is/],
  ])("%s", (_, change, message) => {
    const [first, ...rest] = model.nodes;
    const broken: QuantizedModel = { ...model, nodes: [{ ...(first as QConv), ...change(first as QConv) }, ...rest] };
    expect(() => verifyQuantizedModel(broken, "broken")).toThrow(message);
  });
});
