// Is every wrong space file refused with file, line, value and rule, and nothing in it able to do harm?
import { describe, expect, test } from "vitest";
import { samplePoints } from "../../sweep/sampling.ts";
import { parseSpace } from "../../sweep/space.ts";

const parse = (text: string) => parseSpace(text, "space.yaml");
const points = (text: string, limit?: number) => samplePoints(parse(text), limit);
const settings = (text: string) => points(text).map((point) => Object.values(point.settings));

const head = "name: test\nsettings: { network: tiny }\n";

describe("axes", () => {
  test.each([
    ["[1, 4, 2]", [1, 4, 2]],
    ["{ from: 1, to: 9, step: 4 }", [1, 5, 9]],
    ["{ from: 2, to: 40, factor: 4 }", [2, 8, 32]],
    ["{ from: 1, to: 16, count: 3 }", [1, 9, 16]],
    ["{ from: 1, to: 64, count: 4, scale: log }", [1, 4, 16, 64]],
    ["{ from: 3, to: 3, count: 1 }", [3]],
  ])("agents: %s", (axis, values) => {
    expect(settings(`${head}axes:\n  agents: ${axis}\n`)).toEqual(values.map((value) => [value]));
  });

  test("steps do not drift, and round to what the parameter can be", () => {
    expect(settings(`${head}axes:\n  dram.bytesPerCycle: { from: 0.1, to: 0.5, step: 0.1 }\n`).flat()).toEqual([
      0.1, 0.2, 0.3, 0.4, 0.5,
    ]);
    expect(settings(`${head}axes:\n  array.cols: { from: 4, to: 64, count: 5, scale: log }\n`).flat()).toEqual([
      4, 8, 16, 32, 64,
    ]);
    // 1, 1.3, 1.7, 2.2, 2.8, 3.6, 4.6, 6, 7.7, 10: agents are whole, and each is there once
    expect(settings(`${head}axes:\n  agents: { from: 1, to: 10, count: 10, scale: log }\n`).flat()).toEqual([
      1, 2, 3, 4, 5, 6, 8, 10,
    ]);
  });

  test("grid: the last axis changes first", () => {
    expect(settings(`${head}axes:\n  agents: [1, 2]\n  activations: [i8, u8]\n`)).toEqual([
      [1, "i8"],
      [1, "u8"],
      [2, "i8"],
      [2, "u8"],
    ]);
  });

  test("derived settings, variables and constraints", () => {
    const text = `${head}axes:\n  agents: [1, 2, 4]\nvariables:\n  side: [8, 16]\nderived:\n  array.rows: side\n  array.cols: 64 / agents\nconstraints:\n  - agents * side < 64\n`;
    expect(points(text).map((point) => point.settings)).toEqual(
      [
        [1, 8, 64],
        [1, 16, 64],
        [2, 8, 32],
        [2, 16, 32],
        [4, 8, 16],
      ].map(([agents, side, cols]) => ({ agents, side, "array.rows": side, "array.cols": cols })),
    );
  });

  test("what follows from what stands further down finds it", () => {
    const text = `${head}axes:\n  agents: [2]\nderived:\n  array.rows: array.cols * 2\n  array.cols: 8 * agents\n`;
    expect(points(text)[0].settings).toEqual({ agents: 2, "array.cols": 16, "array.rows": 32 });
  });

  test("a point whose machine cannot be is a row with its error", () => {
    expect(points(`${head}axes:\n  agents: [3, 4]\nderived:\n  array.cols: 64 / agents\n`)).toEqual([
      expect.objectContaining({ index: 0, error: expect.stringContaining("array.cols = 21.333") }),
      expect.objectContaining({ index: 1, machine: expect.anything() }),
    ]);
  });

  test("structure: programs are made for the base machine's rates, machine: for each point's own", () => {
    const text = `${head}axes:\n  dram.bytesPerCycle: [1, 2]\n`;
    const rates = (more: string) =>
      points(text + more).map((point) => "machine" in point && point.compiledFor.parameters["dram.bytesPerCycle"]);
    expect(rates("")).toEqual([12.8, 12.8]);
    expect(rates("compileFor: machine\n")).toEqual([1, 2]);
  });
});

describe("refused", () => {
  const axes = "axes:\n  agents: [1]\n";
  test.each([
    ["a list", "[1, 2]", "space.yaml:1: the file = [1,2]: must be keys with values"],
    ["an empty file", "", "space.yaml:1: the file = null: must be keys with values"],
    ["no name", axes, "space.yaml:1: name: is missing; must be a text (heading of the report)"],
    [
      "no axes",
      head,
      "space.yaml:1: axes: is missing; must be keys with values (settings that differ: every value of each)",
    ],
    ["axes that are a word", `${head}axes: all\n`, 'space.yaml:3: axes = "all": must be keys with values (settings'],
    [
      "a name of another list",
      `${head}${axes}compileFor: chip\n`,
      'space.yaml:5: compileFor = "chip": must be one of structure, machine (structure: one program',
    ],
    [
      "no number of points",
      `${head}${axes}sampling: { method: sobol }\n`,
      "space.yaml:5: sampling.points: is missing; must be a number",
    ],
    [
      "no folder of photographs",
      `${head}${axes}dataset: {}\n`,
      "space.yaml:5: dataset.folder: is missing; must be a text",
    ],
    [
      "settings that follow from each other",
      `${head}${axes}derived:\n  array.rows: array.cols * 2\n  array.cols: sram.banks\n  sram.banks: array.rows\n`,
      "space.yaml:6: array.rows follows from itself: array.rows <- array.cols <- sram.banks <- array.rows; give one of them a value under settings or axes",
    ],
    [
      "a setting that follows from itself",
      `${head}${axes}derived:\n  array.rows: agents\n  array.cols: array.cols * 2\n`,
      "space.yaml:7: array.cols follows from itself: array.cols <- array.cols; give",
    ],
    [
      "an unknown name",
      `${head}${axes}derived:\n  array.rows: agent * 2\n`,
      "space.yaml:6: 'agent * 2': agent is not known here; did you mean agents?",
    ],
    [
      "a constraint on nothing like a name",
      `${head}${axes}constraints: [zzz > 1]\n`,
      "space.yaml:5: 'zzz > 1': zzz is not known here; known: machine, network, activations",
    ],
    ["no axis", `${head}axes: {}\n`, "space.yaml:3: no axis"],
    ["an unknown key", `nmae: x\n${head}${axes}`, "space.yaml:1: 'nmae' is not a key here; did you mean name?"],
    [
      "an unknown axis",
      `${head}axes:\n  agent: [1]\n`,
      "space.yaml:4: agent is neither a machine parameter nor an option; did you mean agents?",
    ],
    [
      "a value out of range",
      `${head}axes:\n  agents: [1, 300]\n`,
      "space.yaml:4: agents = 300: must be a number 1..256",
    ],
    [
      "a value that is none",
      `${head}axes:\n  agents:\n    - 1\n    - 1.5\n`,
      "space.yaml:6: agents = 1.5: must be a whole number",
    ],
    [
      "an end out of range",
      `${head}axes:\n  agents: { from: 1, to: 512, factor: 2 }\n`,
      "space.yaml:4: agents = 512: must be",
    ],
    ["an option's value", `${head}axes:\n  scaling: [fast]\n`, 'space.yaml:4: scaling = "fast": must be one of static'],
    [
      "a range of words",
      `${head}axes:\n  scaling: { from: 1, to: 2 }\n`,
      "space.yaml:4: scaling: give the values as a list",
    ],
    [
      "two steps",
      `${head}axes:\n  agents: { from: 1, to: 8, step: 1, count: 3 }\n`,
      "space.yaml:4: agents: step and count",
    ],
    [
      "a step of nothing",
      `${head}axes:\n  agents: { from: 1, to: 8, step: 0 }\n`,
      "space.yaml:4: agents: step 0: must be above 0",
    ],
    ["a factor of one", `${head}axes:\n  agents: { from: 1, to: 8, factor: 1 }\n`, "agents: factor 1: must be above 1"],
    ["a range backwards", `${head}axes:\n  agents: { from: 8, to: 1, step: 1 }\n`, "agents: from 8 to 1"],
    [
      "a log of zero",
      `${head}axes:\n  dma.setupCycles: { from: 0, to: 8, count: 3, scale: log }\n`,
      "from 0: must be above 0",
    ],
    [
      "a grid without steps",
      `${head}axes:\n  agents: { from: 1, to: 8 }\n`,
      "space.yaml:4: agents: a grid needs values",
    ],
    ["given twice", `${head}axes:\n  network: [tiny]\n`, "space.yaml:1: network is given twice"],
    ["a derived machine", `${head}${axes}derived:\n  machine: agents\n`, "space.yaml:6: machine cannot be derived"],
    ["an unknown machine", `${head}axes:\n  machine: [rap-x]\n`, "space.yaml:4: machine '"],
    [
      "an unknown figure",
      `${head}${axes}objectives: { speed: maximize }\n`,
      "space.yaml:5: speed is not a figure; known: framesPerSecond",
    ],
    ["precision without photographs", `${head}${axes}objectives: { meanAp: maximize }\n`, "meanAp needs photographs"],
    [
      "a limit on what is not known",
      `${head}${axes}limits:\n  - meanAp > 0.5\n`,
      "space.yaml:6: 'meanAp > 0.5': meanAp is not known here",
    ],
    [
      "a variable called like a setting",
      `${head}${axes}variables: { optimize: [1] }\n`,
      "optimize has a meaning already",
    ],
    ["a variable that is no word", `${head}${axes}variables: { "a-b": [1] }\n`, "a-b: a variable's name is letters"],
    ["not YAML", `${head}axes: [`, "space.yaml:3: not YAML: Flow sequence"],
    ["keys twice", `${head}axes:\n  agents: [1]\n  agents: [2]\n`, "space.yaml:5: not YAML: Map keys must be unique"],
    [
      "overlap of one frame",
      `${head}${axes}overlapFrames: true\n`,
      "space.yaml:5: overlapFrames needs at least two frames",
    ],
    ["nothing left", `${head}${axes}constraints: [agents > 1]\n`, "the constraints leave out every point"],
  ])("%s", (_name, text, message) => expect(() => points(text)).toThrow(message));
});

describe("hostile files", () => {
  const axes = "axes:\n  agents: [1]\n";
  test.each([
    [
      "prototype as a key",
      `${head}__proto__: { polluted: 1 }\n${axes}`,
      "space.yaml:3: '__proto__' cannot be a key here",
    ],
    ["prototype as an axis", `${head}axes:\n  __proto__: [1]\n`, "space.yaml:4: '__proto__' cannot be a key here"],
    [
      "constructor as an axis",
      `${head}axes:\n  constructor: [1]\n`,
      "space.yaml:4: 'constructor' cannot be a key here",
    ],
    ["an alias", `${head}axes:\n  agents: &a [1]\n  array.rows: *a\n`, "are not read; write the value itself"],
    ["a merge", `${head}axes:\n  <<: { agents: [1] }\n`, "space.yaml:4: axes.<< ="],
    ["a tag", `${head}axes:\n  agents: !!js/function "x"\n`, "space.yaml:4:"],
    ["a list as a key", `${head}axes:\n  ? [1]\n  : [1]\n`, "space.yaml:4: a key must be a text"],
    ["depth", `${head}axes: ${"[".repeat(40)}${"]".repeat(40)}\n`, "nested more than 8 deep"],
    ["depth beyond the stack", `${head}axes: ${"[".repeat(30_000)}`, "space.yaml"],
    ["size", `${head}about: ${"x".repeat(70_000)}\n`, "a file of this kind has at most 65536"],
    ["huge numbers", `${head}axes:\n  agents: { from: 1, to: 1e300, step: 1 }\n`, "space.yaml:4: axes.agents"],
    ["not a number", `${head}axes:\n  agents: [.nan]\n`, "space.yaml:4: axes.agents"],
    [
      "a range of a billion",
      `${head}axes:\n  dram.latencyCycles: { from: 0, to: 100000, step: 0.0001 }\n`,
      "1,000,000,001 points; more than 100,000 are evaluated only with --limit N",
    ],
    [
      "a product of ranges",
      `${head}axes:\n  agents: { from: 1, to: 256, step: 1 }\n  array.rows: { from: 1, to: 256, step: 1 }\n  sram.banks: { from: 1, to: 1024, step: 1 }\n`,
      "67,108,864 points",
    ],
    ["a million random points", `${head}${axes}sampling: { method: random, points: 1000000 }\n`, "1,000,000 points"],
  ])("%s", (_name, text, message) => {
    expect(() => points(text)).toThrow(message);
    expect(({} as Record<string, unknown>).polluted).toBeUndefined();
  });

  test("ten levels of aliases cost no more than a line", () => {
    const levels = Array.from({ length: 10 }, (_, i) => `v${i}: &v${i} [${i === 0 ? "1" : `*v${i - 1}, `.repeat(10)}]`);
    expect(() => parse(`${levels.join("\n")}\n${head}${axes}`)).toThrow(/space\.yaml:\d+: /);
  });

  test("a limit takes the first of a huge space", () => {
    const text = `${head}axes:\n  dram.latencyCycles: { from: 0, to: 100000, step: 1 }\n  dma.setupCycles: { from: 0, to: 100000, step: 1 }\n`;
    expect(points(text, 5).map((point) => point.settings["dma.setupCycles"])).toEqual([0, 1, 2, 3, 4]);
  });
});
