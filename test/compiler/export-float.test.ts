// Is a float network that was written as ONNX the same network when it is read again?
import { expect, test } from "vitest";
import { buildNetwork } from "../../compiler/builders.ts";
import { exportFloatOnnx } from "../../compiler/export-float.ts";
import { importOnnx } from "../../compiler/index.ts";
import { simplify } from "../../compiler/passes/index.ts";

test("squeezedet, node by node", () => {
  const network = simplify(buildNetwork("squeezedet"));
  const read = simplify(importOnnx(exportFloatOnnx(network), "squeezedet.onnx", undefined));
  expect(read.nodes.map(({ op, output }) => [op, output])).toEqual(network.nodes.map(({ op, output }) => [op, output]));
  for (const [i, node] of network.nodes.entries()) {
    const other = read.nodes[i];
    if (node.op === "pool" && other.op === "pool") expect(other.pads).toEqual(node.pads);
    if (node.op !== "conv" || other.op !== "conv") continue;
    expect({ ...other, weights: null, name: "" }).toEqual({ ...node, weights: null, name: "" });
    expect(Buffer.from(other.weights.buffer).equals(Buffer.from(node.weights.buffer))).toBe(true);
  }
});

test("other operators are refused by name", () => {
  expect(() => exportFloatOnnx(buildNetwork("tiny"))).toThrow("tiny: 'add3': add is not written to float ONNX models");
});
