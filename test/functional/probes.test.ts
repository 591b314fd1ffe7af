import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, test } from "vitest";
import { assembleProbes, dumpTensors, Execution, type Probe, ProbeAssembler } from "../../sim/functional/index.ts";
import { encodeNpy, writeNpy } from "../../sim/npy.ts";
import { ProgramBuilder } from "./builder.ts";
import { type ConvCase, convData, convProgram, convReference } from "./conv-program.ts";

/** A program with two layers and two tensors; its instructions do not matter. */
function twoLayers() {
  const b = new ProgramBuilder();
  b.tensor("input", [2, 3, 2], "i8", "input");
  b.tensor("output", [2, 3, 2], "i8", "output");
  for (const layer of ["first", "second"]) {
    b.layer(layer);
    b.emit("fence", { unit: "mac" });
  }
  return b.build().program;
}

const probe = (given: Partial<Probe> & Pick<Probe, "box">): Probe => {
  const { y0, y1, x0, x1, c0, c1 } = given.box;
  const values = new Int32Array((y1 - y0) * (x1 - x0) * (c1 - c0)).fill(5);
  return { index: 0, layer: 0, tensor: 1, agent: 0, source: "accumulators", values, ...given };
};
const boxOf = (y0: number, y1: number, x0: number, x1: number, c0 = 0, c1 = 2) => ({ y0, y1, x0, x1, c0, c1 });

describe("assembleProbes", () => {
  const program = twoLayers();

  test("puts boxes together; recomputed elements agree", () => {
    const values = Int32Array.from({ length: 8 }, (_, i) => i);
    const { layers, errors } = assembleProbes(program, [
      probe({ box: boxOf(0, 2, 0, 2), values }),
      probe({ box: boxOf(0, 1, 1, 2, 1, 2), values: Int32Array.of(3), agent: 1 }),
      probe({ box: boxOf(0, 2, 2, 3, 0, 1) }),
      probe({ box: boxOf(0, 2, 2, 3, 1, 2) }),
    ]);
    expect(errors).toEqual([]);
    expect(layers.get(0)).toEqual({
      name: "first",
      shape: [2, 3, 2],
      values: Int32Array.of(0, 1, 2, 3, 5, 5, 4, 5, 6, 7, 5, 5),
    });
  });

  test("names what is missing, what disagrees, and what does not belong", () => {
    const { errors } = assembleProbes(program, [
      probe({ box: boxOf(0, 2, 0, 2) }),
      probe({ box: boxOf(1, 2, 1, 3), values: Int32Array.of(5, 6, 5, 5), index: 1, agent: 3 }),
      probe({ box: boxOf(0, 2, 0, 3), layer: 1, index: 1 }),
      probe({ box: boxOf(0, 2, 0, 3), layer: 1, index: 1, tensor: 0 }),
    ]);
    expect(errors).toEqual([
      "first: element [1, 1, 1] is 5, and 6 at #1 fence (second, tile 0), agent 3",
      "first: 2 of 12 elements never pass a shift, the first at [0, 2, 0]",
      "second: shifts tensor 'input' at #1 fence (second, tile 0), agent 0, tensor 'output' before",
    ]);
  });

  test("leaves out what belongs to no layer and what was spilled", () => {
    const probes = [probe({ box: boxOf(0, 2, 0, 3), layer: 65535 }), probe({ box: boxOf(0, 1, 0, 1), source: "view" })];
    expect(assembleProbes(program, probes)).toEqual({ layers: new Map(), errors: [] });
  });
});

const CASE: ConvCase = {
  input: [6, 5, 3],
  inputFormat: "i8",
  outputFormat: "u8",
  outChannels: 5,
  kernel: [3, 3],
  stride: [1, 1],
  dilation: [1, 1],
  pads: [1, 1, 1, 1],
  groups: 1,
  cols: 4,
  grid: [2, 2],
  tile: [3, 3, 4],
  chunk: 2,
  slope: null,
  fillValue: 0,
};

test("without a listener nothing is copied, and the outputs are the same", () => {
  const data = convData(CASE, 4);
  const execution = new Execution(convProgram(CASE, data));
  let calls = 0;
  execution.onProbe = () => calls++;
  const first = execution.runFrame(data.input);
  const heard = calls;
  execution.onProbe = null;
  expect(execution.runFrame(data.input)).toEqual(first);
  expect(heard).toBeGreaterThan(0);
  expect(calls).toBe(heard);
});

const NPY_HEADER_BYTES = 10;

/** Reads what encodeNpy writes: header dictionary and data bytes. */
function readNpy(file: Uint8Array): { header: string; data: Uint8Array } {
  expect([...file.subarray(0, 8)]).toEqual([0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59, 1, 0]);
  const start = NPY_HEADER_BYTES + file[8] + 256 * file[9];
  expect(start % 64).toBe(0);
  expect(file[start - 1]).toBe(0x0a);
  return {
    header: Buffer.from(file.subarray(NPY_HEADER_BYTES, start)).toString("latin1").trim(),
    data: file.subarray(start),
  };
}

describe("npy", () => {
  test.each([
    [Int8Array.of(1, -2, 3, 4, 5, 6), [2, 3], "{'descr': '|i1', 'fortran_order': False, 'shape': (2, 3), }"],
    [Uint8Array.of(255), [1], "{'descr': '|u1', 'fortran_order': False, 'shape': (1,), }"],
    [Int32Array.of(-70000, 1), [1, 2, 1], "{'descr': '<i4', 'fortran_order': False, 'shape': (1, 2, 1), }"],
    [Float32Array.of(0.5), [], "{'descr': '<f4', 'fortran_order': False, 'shape': (), }"],
  ])("%j as %j", (values, shape, header) => {
    const read = readNpy(encodeNpy(values, shape));
    expect(read.header).toBe(header);
    expect([...read.data]).toEqual([...new Uint8Array(values.buffer)]);
  });

  test("a shape that does not fit is a mistake", () => {
    expect(() => encodeNpy(Int8Array.of(1, 2), [3])).toThrow("shape [3] does not hold 2 elements");
  });
});

describe("files", () => {
  const directory = mkdtempSync(join(tmpdir(), "rapsim-dump-"));
  afterEach(() => rmSync(directory, { recursive: true, force: true }));

  test("a dump holds every layer's accumulators and every output", () => {
    const data = convData(CASE, 9);
    const checked = convProgram(CASE, data);
    const execution = new Execution(checked);
    const assembler = new ProbeAssembler(checked.program);
    execution.onProbe = (probe) => assembler.add(probe);
    const outputs = execution.runFrame(data.input);
    const target = join(directory, "frame", "0");
    const paths = dumpTensors(target, checked.program, assembler.finish(), outputs);
    expect(paths).toEqual([join(target, "conv.acc.npy"), join(target, "output.npy")]);
    expect(readdirSync(target).sort()).toEqual(["conv.acc.npy", "output.npy"]);
    const expected = convReference(CASE, data);
    const accumulators = readNpy(readFileSync(paths[0]));
    expect(accumulators.header).toContain("'shape': (6, 5, 5)");
    expect(accumulators.data).toEqual(Buffer.from(expected.accumulators.buffer));
    expect(readNpy(readFileSync(paths[1])).data).toEqual(Buffer.from(expected.output.buffer));
  });

  test("names that are no file names, or equal ones, still get files of their own", () => {
    const layers = ["a/b", "a:b", "../x"].map((name) => ({
      name,
      shape: [1, 1, 1] as const,
      values: Int32Array.of(1),
    }));
    const paths = dumpTensors(directory, twoLayers(), { layers: new Map(layers.entries()), errors: [] }, new Map());
    expect(paths.map((path) => path.slice(directory.length + 1))).toEqual([
      "a_b.acc.npy",
      "a_b.acc-2.npy",
      "__x.acc.npy",
    ]);
  });

  test("writing leaves no temporary file", () => {
    const path = join(mkdtempSync(join(tmpdir(), "rapsim-npy-")), "x.npy");
    writeNpy(path, Int8Array.of(1), [1]);
    expect(readdirSync(join(path, ".."))).toEqual(["x.npy"]);
    rmSync(join(path, ".."), { recursive: true });
  });
});
