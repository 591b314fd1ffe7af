/** Are machines what their table says: defaults valid, ranges tight, presets as pinned, hostile files refused? */
import { describe, expect, it } from "vitest";
import {
  createMachine,
  DEFAULT_MACHINE,
  fieldRange,
  INSTRUCTIONS,
  loadMachine,
  loadPreset,
  machineSha256,
  machineText,
  PARAMETER_KEYS,
  PARAMETERS,
  type Parameter,
  parseMachine,
  parseParameter,
  peakMacsPerCycle,
  presetNames,
  presetText,
  RapError,
  structureDifferences,
  withParameters,
} from "../../isa/index.ts";

const table: Readonly<Record<string, Parameter>> = PARAMETERS;
/** Other parameters that let one stand at the end of its range: rules join some of them. */
const ROOM: Readonly<Record<string, object>> = {
  "sram.bytes": { agents: 1 },
  "array.accumulatorBytes": { agents: 1, "array.cols": 64 },
  "array.cols": { "array.accumulatorBytes": 4096 },
  "dram.refreshIntervalCycles": { "dram.refreshCycles": 0 },
  "dram.refreshCycles": { "dram.refreshIntervalCycles": 1e9 },
};
const machineWith = (key: string, value: unknown) => createMachine("m", { ...ROOM[key], [key]: value }, "test");

describe("parameters", () => {
  it("have valid defaults, which are those of rap-e", () => {
    const machine = createMachine("m", {}, "test");
    expect(machine.parameters).toEqual(loadPreset(DEFAULT_MACHINE).parameters);
    expect(Object.isFrozen(machine.parameters)).toBe(true);
  });

  it.each(PARAMETER_KEYS)("%s: says its unit, meaning and source, and has tight limits", (key) => {
    const parameter = table[key];
    expect(parameter.meaning).not.toBe("");
    expect(parameter.source).not.toBe("");
    if (parameter.type !== "number") {
      expect(() => machineWith(key, 1)).toThrow(RapError);
      return;
    }
    const { min, max, step } = parameter;
    const lowest = key === "array.accumulatorBytes" ? 4 * 64 : min;
    expect(machineWith(key, lowest).parameters[key]).toBe(lowest);
    expect(machineWith(key, max).parameters[key]).toBe(max);
    const beyond = step === 0 ? 1e-9 : step;
    for (const wrong of [
      min - beyond,
      max * (1 + 1e-15) + beyond,
      Number.NaN,
      Number.POSITIVE_INFINITY,
      "1",
      null,
      true,
    ])
      expect(() => machineWith(key, wrong), String(wrong)).toThrow(`test: ${key} = `);
    if (step > 0) expect(() => machineWith(key, min + step / 2)).toThrow(step === 1 ? "whole number" : "multiple of");
  });

  it("agree with the widths of the instruction fields", () => {
    const { view, conv } = INSTRUCTIONS;
    expect(table.agents).toMatchObject({ max: 256 }); // gridY, gridX: 8 bits, minus 1
    expect(table["agent.tensorProcessors"]).toMatchObject({ max: 4 }); // tp: 2 bits
    expect(table["sram.bytes"]).toMatchObject({ max: 2 ** 26 });
    expect(2 ** 26 - 1).toBeLessThanOrEqual(fieldRange(view.fields.address).max);
    expect(fieldRange(conv.fields.accRow).max).toBe(2 ** 20 - 1);
    expect(() => createMachine("m", { agents: 1, "array.cols": 4, "array.accumulatorBytes": 2 ** 26 }, "test")).toThrow(
      new RapError(
        "test: array.accumulatorBytes = 67108864: 4194304 rows of array.cols int32; instructions can name 1048576",
      ),
    );
  });

  it.each<[object, string]>([
    [
      { agent: 1 },
      "test: agent is not a machine parameter; did you mean agents? rapsim machines --show rap-e has them all",
    ],
    [{ hertz: 1 }, "test: hertz is not a machine parameter; known: agents, agent.tensorProcessors, array.rows"],
    [{ agents: 1.5 }, "test: agents = 1.5: must be a whole number"],
    [{ agents: 257 }, "test: agents = 257: must be a number 1..256"],
    [{ "dram.bytesPerCycle": 0 }, "test: dram.bytesPerCycle = 0: must be a number 0.01..65536 B/cycle"],
    [{ "array.cols": 10 }, "test: array.cols = 10: must be a multiple of 4"],
    [{ "array.feeder": "half" }, 'test: array.feeder = "half": must be one of perTap, kernelRow, full'],
    [{ "array.passOverlap": "yes" }, 'test: array.passOverlap = "yes": must be true or false'],
    [
      { "array.cols": 64, "array.accumulatorBytes": 128 },
      "test: array.accumulatorBytes = 128: must hold at least one row of array.cols int32 (256 B)",
    ],
    [
      { agents: 256, "sram.bytes": 67108864 },
      "test: 256 agents with 67108864 B SRAM and their accumulators take 17188257792 B; at most 2147483648 B are simulated; make agents or sram.bytes smaller",
    ],
    [{ "dram.rowBytes": 3000 }, "test: dram.rowBytes = 3000: must be a power of two"],
    [{ "dram.interleaveBytes": 96 }, "test: dram.interleaveBytes = 96: must be a power of two"],
    [
      { "dram.refreshCycles": 1953 },
      "test: dram.refreshCycles = 1953: must be at most half of dram.refreshIntervalCycles (3904)",
    ],
  ])("%j is refused", (given, message) => {
    expect(() => createMachine("m", given as Record<string, unknown>, "test")).toThrow(message);
  });

  it.each<[string, string, unknown]>([
    ["agents", "8", 8],
    ["dram.bytesPerCycle", " 25.6 ", 25.6],
    ["clockHz", "1.5e9", 1.5e9],
    ["array.passOverlap", "false", false],
    ["array.feeder", "perTap", "perTap"],
    // what is no value of the type stays text, for createMachine to refuse
    ["agents", "", ""],
    ["agents", "eight", "eight"],
    ["array.passOverlap", "no", "no"],
  ])("--set %s=%s", (key, text, value) => {
    expect(parseParameter(key, text, "--set")).toEqual(value);
  });

  it.each(["__proto__", "constructor", "toString", "hasOwnProperty", ""])("--set %s=1 is refused", (key) => {
    expect(() => parseParameter(key, "1", "--set")).toThrow(`--set: ${key} is not a machine parameter; known: `);
  });
});

describe("changes", () => {
  const machine = loadPreset("rap-e");
  it("keep everything else", () => {
    const faster = withParameters(machine, { "dram.bytesPerCycle": 25.6 }, "test");
    expect(faster.parameters).toEqual({ ...machine.parameters, "dram.bytesPerCycle": 25.6 });
    expect(machine.parameters["dram.bytesPerCycle"]).toBe(12.8);
    expect(machineSha256(faster)).not.toBe(machineSha256(machine));
  });

  it("of rates are no difference in structure", () => {
    expect(structureDifferences(machine, withParameters(machine, { clockHz: 2e9, "sram.banks": 4 }, "test"))).toEqual(
      [],
    );
    expect(structureDifferences(machine, withParameters(machine, { agents: 4, "array.rows": 8 }, "test"))).toEqual([
      "agents: 16, 4",
      "array.rows: 16, 8",
    ]);
  });
});

describe("presets", () => {
  // comparisons rest on these numbers; a change is recorded with its effect
  const pinned = {
    "rap-e": {
      agents: 16,
      "agent.tensorProcessors": 1,
      "array.rows": 16,
      "array.cols": 16,
      clockHz: 1e9,
      "sram.bytes": 256 * 1024,
      "sram.banks": 8,
      "sram.bankBytesPerCycle": 16,
      "array.accumulatorBytes": 32 * 1024,
      "dram.bytesPerCycle": 12.8,
      "dram.latencyCycles": 100,
      "shift.lanes": 16,
      "pool.lanes": 16,
      "dma.bytesPerCycle": 16,
      "dma.setupCycles": 32,
      "link.bytesPerCycle": 16,
      "link.latencyCycles": 16,
      "array.passOverlap": true,
      "array.hiddenPreload": true,
    },
    "peer-vela-u65-512": {
      agents: 1,
      "agent.tensorProcessors": 1,
      "array.rows": 16,
      "array.cols": 32,
      clockHz: 1e9,
      "sram.bytes": 384 * 1024,
      "sram.banks": 8,
      "sram.bankBytesPerCycle": 16,
      "array.accumulatorBytes": 48 * 1024,
      "dram.bytesPerCycle": 3.75,
      "dram.latencyCycles": 100,
      "shift.lanes": 32,
      "pool.lanes": 32,
      "dma.bytesPerCycle": 16,
      "dma.setupCycles": 32,
      "array.passOverlap": true,
      "array.hiddenPreload": true,
    },
    "peer-onnxim-ws32": {
      agents: 1,
      "agent.tensorProcessors": 1,
      "array.rows": 32,
      "array.cols": 32,
      clockHz: 1e9,
      "sram.bytes": 1024 * 1024,
      "sram.banks": 8,
      "sram.bankBytesPerCycle": 32,
      "array.accumulatorBytes": 512 * 1024,
      "dram.bytesPerCycle": 76.8,
      "dram.latencyCycles": 100,
      "shift.lanes": 32,
      "pool.lanes": 32,
      "dma.bytesPerCycle": 64,
      "dma.setupCycles": 32,
      "array.passOverlap": true,
      "array.hiddenPreload": true,
    },
    // "unlimited" is the end of the range
    "peer-scalesim-ws32": {
      agents: 1,
      "agent.tensorProcessors": 1,
      "array.rows": 32,
      "array.cols": 32,
      clockHz: 1e9,
      "sram.bytes": 1536 * 1024,
      "sram.banks": 1024,
      "sram.bankBytesPerCycle": 4096,
      "array.accumulatorBytes": 67108864,
      "dram.bytesPerCycle": 65536,
      "dram.latencyCycles": 0,
      "dma.bytesPerCycle": 65536,
      "dma.setupCycles": 0,
      "array.passOverlap": false,
      "array.hiddenPreload": false,
    },
    "rap-small": { agents: 1, "array.rows": 8, "array.cols": 8, "sram.bytes": 64 * 1024, "dram.bytesPerCycle": 1 },
  } as const;

  it.each(Object.entries(pinned))("%s is as pinned", (name, expected) => {
    expect(loadPreset(name).parameters).toMatchObject(expected);
  });

  it("have four times the MACs from small to large and beyond", () => {
    expect(["rap-small", "rap-e", "rap-large"].map((name) => peakMacsPerCycle(loadPreset(name)))).toEqual([
      64, 4096, 65536,
    ]);
  });

  it.each(presetNames())("%s: explains itself and survives being written out", (name) => {
    const machine = loadPreset(name);
    expect(machine.name).toBe(name);
    expect(presetText(name)).toMatch(/^#/);
    expect(parseMachine(machineText(machine), "test")).toEqual(machine);
    expect(loadMachine(name)).toEqual(machine);
  });

  it("are the only names", () => {
    expect(() => loadMachine("rap-x")).toThrow(
      new RapError(`machine 'rap-x': no such preset or file; presets: ${presetNames().join(", ")}`),
    );
    expect(() => presetText("../presets/rap-e")).toThrow("no such preset");
    expect(() => loadMachine("/")).toThrow(new RapError("machine '/': cannot be read (EISDIR)"));
  });
});

/** Eight levels of nine aliases each: 9^8 values in 300 characters. */
const bomb = [
  "name: bomb",
  "a: &a [x,x,x,x,x,x,x,x,x]",
  ..."bcdefgh".split("").map((c) => {
    const before = `*${String.fromCharCode(c.charCodeAt(0) - 1)}`;
    return `${c}: &${c} [${Array(9).fill(before).join(",")}]`;
  }),
].join("\n");

describe("machine files", () => {
  it.each<[string, string, string]>([
    ["nothing", "", "a machine file holds 'name' and 'parameters'; see rapsim machines --show rap-e"],
    ["a list", "- 1", "a machine file holds 'name' and 'parameters'; see rapsim machines --show rap-e"],
    ["no name", "parameters: {}", "name = undefined: must be a text"],
    ["another key", "name: m\nspeed: 1", "'speed' is not one of name, about, parameters"],
    ["a poisoned key", "name: m\n__proto__: {agents: 4}", "'__proto__' is not one of name, about, parameters"],
    [
      "a poisoned parameter",
      "name: m\nparameters: {__proto__: {agents: 4}}",
      "__proto__ is not a machine parameter; known",
    ],
    ["a list of parameters", "name: m\nparameters: [1]", "parameters = [1]: must be a map of parameter to value"],
    ["about a number", "name: m\nabout: 3", "about: must be a text"],
    ["an alias", "name: &n m\nabout: *n", "not YAML: Alias resolution is disabled"],
    ["a bomb of aliases", bomb, "not YAML: Alias resolution is disabled"],
    ["a key twice", "name: m\nname: n", "not YAML: Map keys must be unique at line 2, column 1"],
    ["two documents", "name: m\n---\nname: n", "not YAML: Source contains multiple documents"],
    ["a number as text", 'name: m\nparameters: {agents: "4"}', 'agents = "4": must be a number 1..256'],
    ["a very deep list", `name: m\nparameters: ${"[".repeat(20_000)}`, ""],
    ["a very long file", `# ${"x".repeat(2 ** 16)}\nname: m`, "65546 characters; a machine file has at most 65536"],
  ])("%s is refused", (_, text, message) => {
    let thrown: unknown;
    try {
      parseMachine(text, "m.yaml");
    } catch (error) {
      thrown = error;
    }
    expect(thrown).toBeInstanceOf(RapError);
    expect((thrown as RapError).message).toContain(`m.yaml: ${message}`);
    expect((thrown as RapError).message).not.toContain("\n");
  });

  it("leave the prototype of objects alone", () => {
    expect(({} as Record<string, unknown>).agents).toBeUndefined();
  });

  it("may give only what differs", () => {
    const machine = parseMachine("name: twice\nparameters:\n  agents: 32 # double", "m.yaml");
    expect(machine.parameters).toEqual({ ...loadPreset("rap-e").parameters, agents: 32 });
  });
});
