/**
 * The machine's parameters: the one table behind validation, `--set`, presets and docs/machine.md.
 * Structure is what a program is compiled for; rates may differ from run to run.
 */
import { createHash } from "node:crypto";
import { closest, distance } from "fastest-levenshtein";
import { listNames, RapError } from "./errors.ts";

interface ParameterBase {
  readonly kind: "structure" | "rate";
  readonly unit: string;
  readonly meaning: string;
  /** Where the default comes from; "estimate" where it is ours. */
  readonly source: string;
}
export interface NumberParameter extends ParameterBase {
  readonly type: "number";
  readonly default: number;
  readonly min: number;
  readonly max: number;
  /** 0: any number; else a multiple of this. */
  readonly step: number;
}
export interface BooleanParameter extends ParameterBase {
  readonly type: "boolean";
  readonly default: boolean;
}
export interface EnumParameter extends ParameterBase {
  readonly type: "enum";
  readonly default: string;
  readonly names: readonly string[];
}
export type Parameter = NumberParameter | BooleanParameter | EnumParameter;

type Kind = "structure" | "rate";
const number =
  <K extends Kind>(kind: K, step: number) =>
  (byDefault: number, min: number, max: number, unit: string, meaning: string, source = "estimate") =>
    ({ type: "number", kind, default: byDefault, min, max, step, unit, meaning, source }) as const;
const whole = number("structure", 1);
const wholeRate = number("rate", 1);
const rate = number("rate", 0);

export const PACKINGS = ["perTap", "kernelRow", "full"] as const;
export type Packing = (typeof PACKINGS)[number];

/** Array passes over one block of output channels: the kernel's taps of `channels` input channels on `rows` array rows. */
export const ARRAY_PASSES: {
  readonly [P in Packing]: (kernelY: number, kernelX: number, channels: number, rows: number) => number;
} = {
  perTap: (kernelY, kernelX, channels, rows) => kernelY * kernelX * Math.ceil(channels / rows),
  kernelRow: (kernelY, kernelX, channels, rows) => kernelY * Math.ceil((kernelX * channels) / rows),
  full: (kernelY, kernelX, channels, rows) => Math.ceil((kernelY * kernelX * channels) / rows),
};

const HOROWITZ = "Horowitz, ISSCC 2014 (45 nm, 0.9 V), times 0.35 for 16 nm (after Stillmaker and Baas 2017; estimate)";

export const PARAMETERS = {
  agents: whole(16, 1, 256, "", "agents on the chip", "AlphaICs: the family spans 16 to 256 agents"),
  "agent.tensorProcessors": whole(1, 1, 4, "", "tensor processors per agent"),
  "array.rows": whole(16, 1, 256, "", "rows of a MAC array: input channels (and taps) summed per cycle"),
  "array.cols": { ...whole(16, 4, 256, "", "columns of a MAC array: output channels per cycle"), step: 4 },
  "array.accumulatorBytes": whole(32768, 64, 67108864, "B", "int32 accumulators of one array"),
  "array.feeder": {
    type: "enum",
    kind: "structure",
    default: "full",
    names: PACKINGS,
    unit: "",
    meaning: "how the feeder can put kernel taps on array rows: one tap per pass, a kernel row, or all taps",
    source: "full: SCALE-Sim's mapping; perTap: ONNXim's",
  },
  "array.passOverlap": {
    type: "boolean",
    kind: "rate",
    default: true,
    unit: "",
    meaning: "passes follow each other without draining the array",
    source: "estimate; SCALE-Sim: false",
  },
  "array.hiddenPreload": {
    type: "boolean",
    kind: "rate",
    default: true,
    unit: "",
    meaning: "weights of the next pass are loaded during this one (double-buffered weight registers)",
    source: "estimate; SCALE-Sim: false",
  },
  "sram.bytes": whole(262144, 4096, 67108864, "B", "SRAM per agent"),
  "sram.banks": wholeRate(8, 1, 1024, "", "SRAM banks per agent"),
  "sram.bankBytesPerCycle": wholeRate(16, 1, 4096, "B/cycle", "width of one SRAM bank"),
  "shift.lanes": wholeRate(16, 1, 4096, "values/cycle", "accumulators the shift unit takes per cycle"),
  "pool.lanes": wholeRate(
    16,
    1,
    4096,
    "values/cycle",
    "elements the pool unit takes in per cycle; additions count once",
  ),
  "range.lanes": wholeRate(16, 1, 4096, "values/cycle", "accumulators the range unit takes per cycle"),
  "lanes.latencyCycles": wholeRate(
    8,
    0,
    100000,
    "cycles",
    "shift, pool and range units: from the last value in to its result written (pipeline depth)",
  ),
  "dma.bytesPerCycle": rate(16, 0.01, 65536, "B/cycle", "one DMA direction between the chip's memory bus and SRAM"),
  "dma.setupCycles": wholeRate(32, 0, 100000, "cycles", "from start of a transfer to its first request"),
  "dma.requestBytes": wholeRate(
    1024,
    64,
    4096,
    "B",
    "largest request a DMA engine makes (never across 4 KiB, AMBA AXI)",
  ),
  "dma.outstanding": wholeRate(4, 1, 64, "requests", "requests of one DMA engine in flight"),
  "dram.bytesPerCycle": rate(
    12.8,
    0.01,
    65536,
    "B/cycle",
    "peak bandwidth",
    "12.8 GB/s at 1 GHz: one 32-bit LPDDR4-3200 channel",
  ),
  "dram.latencyCycles": wholeRate(100, 0, 100000, "cycles", "from a request's service to its first byte"),
  "dram.burstBytes": wholeRate(
    64,
    1,
    4096,
    "B",
    "smallest transfer; requests are rounded out to aligned bursts",
    "LPDDR4 BL16 x 32 bits",
  ),
  "link.bytesPerCycle": rate(16, 0.01, 65536, "B/cycle", "copies within an agent and to another"),
  "link.latencyCycles": wholeRate(16, 0, 100000, "cycles", "a copy to another agent, first byte"),
  "issue.cyclesPerInstruction": wholeRate(
    4,
    1,
    10000,
    "cycles",
    "scalar processor: decode and dispatch of one instruction",
  ),
  "issue.queueDepth": wholeRate(
    8,
    1,
    4096,
    "instructions",
    "issued instructions a unit can hold, the running one included",
  ),
  "issue.fetchInstructions": wholeRate(32, 1, 4096, "instructions", "instructions per fetch; two fetches are buffered"),
  "scalar.cyclesPerOperation": wholeRate(4, 1, 10000, "cycles", "exponent and scalar instructions"),
  "sync.latencyCycles": wholeRate(
    16,
    0,
    100000,
    "cycles",
    "from the last arrival at a barrier or reduction to its release",
  ),
  "host.bytesPerCycle": rate(4, 0.01, 65536, "B/cycle", "host to DRAM over AXI, for the input of a frame"),
  clockHz: wholeRate(1e9, 1e6, 1e11, "Hz", "clock of the whole chip"),
  "energy.macPj": rate(0.08, 0, 1e6, "pJ", "one int8 multiply, int32 add", HOROWITZ),
  "energy.shiftPj": rate(0.12, 0, 1e6, "pJ", "one value through the shift, pool or range unit", HOROWITZ),
  "energy.accumulatorPj": rate(0.5, 0, 1e6, "pJ", "one int32 accumulator read or written", HOROWITZ),
  "energy.sramPjPerByte": rate(0.9, 0, 1e6, "pJ/B", "SRAM read or write, 32 KiB banks", HOROWITZ),
  "energy.dmaPjPerByte": rate(0.5, 0, 1e6, "pJ/B", "DMA engine and on-chip bus, per byte"),
  "energy.linkPjPerByte": rate(1, 0, 1e6, "pJ/B", "link, per byte"),
  "energy.dramPjPerByte": rate(
    32,
    0,
    1e6,
    "pJ/B",
    "DRAM access with interface, per byte of burst",
    "4 pJ/bit, LPDDR4 class (estimate)",
  ),
  "energy.instructionPj": rate(50, 0, 1e6, "pJ", "fetch buffer, decode and dispatch of one instruction in one agent"),
  "energy.leakageW": rate(0.1, 0, 1e4, "W", "leakage of the whole chip"),
  "energy.clockPjPerCycle": rate(200, 0, 1e6, "pJ/cycle", "clock tree of the whole chip"),
} as const satisfies Record<string, Parameter>;

export type ParameterKey = keyof typeof PARAMETERS;
type Value<P> = P extends { names: readonly (infer N)[] } ? N : P extends { type: "boolean" } ? boolean : number;

/** All parameters of one machine, validated and frozen. */
export type MachineParameters = { readonly [K in ParameterKey]: Value<(typeof PARAMETERS)[K]> };

export interface Machine {
  readonly name: string;
  readonly parameters: MachineParameters;
}

export const PARAMETER_KEYS = Object.keys(PARAMETERS) as ParameterKey[];

/** Holds one value against its parameter's type and range. @param place named in messages. @throws RapError */
export function checkParameter(key: ParameterKey, value: unknown, place: string): void {
  const parameter: Parameter = PARAMETERS[key];
  const fail = (rule: string): never => {
    throw new RapError(`${place}: ${key} = ${JSON.stringify(value)}: ${rule}`);
  };
  switch (parameter.type) {
    case "number":
      if (typeof value !== "number" || !(value >= parameter.min && value <= parameter.max)) {
        fail(`must be a number ${parameter.min}..${parameter.max}${parameter.unit ? ` ${parameter.unit}` : ""}`);
      } else if (parameter.step > 0 && value % parameter.step !== 0) {
        fail(parameter.step === 1 ? "must be a whole number" : `must be a multiple of ${parameter.step}`);
      }
      break;
    case "boolean":
      if (typeof value !== "boolean") fail("must be true or false");
      break;
    case "enum":
      if (!parameter.names.includes(value as string)) fail(`must be one of ${listNames(parameter.names)}`);
      break;
  }
}

/** A parameter's name. @throws RapError naming the nearest, or all where none is near */
export function parameterKey(key: string, place: string): ParameterKey {
  if (!Object.hasOwn(PARAMETERS, key)) {
    const nearest = closest(key, PARAMETER_KEYS);
    throw new RapError(
      distance(key, nearest) <= key.length / 2
        ? `${place}: ${key} is not a machine parameter; did you mean ${nearest}? rapsim machines --show rap-e has them all`
        : `${place}: ${key} is not a machine parameter; known: ${listNames(PARAMETER_KEYS)}`,
    );
  }
  return key as ParameterKey;
}

/** A machine from given parameters, the rest at their defaults (those of rap-e). @param place named in messages */
export function createMachine(name: string, given: Readonly<Record<string, unknown>>, place: string): Machine {
  const parameters: Record<string, unknown> = {};
  for (const key of PARAMETER_KEYS) parameters[key] = PARAMETERS[key].default;
  for (const [key, value] of Object.entries(given)) {
    checkParameter(parameterKey(key, place), value, place);
    parameters[key] = value;
  }
  const machine = { name, parameters: Object.freeze(parameters) as unknown as MachineParameters };
  checkTogether(machine, place);
  return Object.freeze(machine);
}

/** Rules that join several parameters. */
function checkTogether(machine: Machine, place: string): void {
  const p = machine.parameters;
  const accumulatorRowBytes = 4 * p["array.cols"];
  if (p["array.accumulatorBytes"] < accumulatorRowBytes) {
    throw new RapError(
      `${place}: array.accumulatorBytes = ${p["array.accumulatorBytes"]}: must hold at least one row of array.cols int32 (${accumulatorRowBytes} B)`,
    );
  }
  const rows = accumulatorRows(machine);
  if (rows > MAX_ACCUMULATOR_ROWS) {
    throw new RapError(
      `${place}: array.accumulatorBytes = ${p["array.accumulatorBytes"]}: ${rows} rows of array.cols int32; instructions can name ${MAX_ACCUMULATOR_ROWS}`,
    );
  }
  const total = p.agents * (p["sram.bytes"] + p["agent.tensorProcessors"] * p["array.accumulatorBytes"]);
  if (total > MAX_ON_CHIP_BYTES) {
    throw new RapError(
      `${place}: ${p.agents} agents with ${p["sram.bytes"]} B SRAM and their accumulators take ${total} B; at most ${MAX_ON_CHIP_BYTES} B are simulated; make agents or sram.bytes smaller`,
    );
  }
}

/** What an instruction's field accRow can name: 20 bits. */
const MAX_ACCUMULATOR_ROWS = 2 ** 20;

/** All SRAM and accumulators of the chip must fit the simulator's memory together with DRAM. */
const MAX_ON_CHIP_BYTES = 2 ** 31;

/** Text of one value as `--set key=value` gives it. @throws RapError */
export function parseParameter(key: string, text: string, place: string): unknown {
  const parameter: Parameter = PARAMETERS[parameterKey(key, place)];
  if (parameter.type === "number") {
    const value = text.trim() === "" ? Number.NaN : Number(text);
    return Number.isNaN(value) ? text : value;
  }
  if (parameter.type === "boolean") return text === "true" ? true : text === "false" ? false : text;
  return text;
}

/** The same machine with some parameters changed. */
export function withParameters(machine: Machine, changes: Readonly<Record<string, unknown>>, place: string): Machine {
  return createMachine(machine.name, { ...machine.parameters, ...changes }, place);
}

/** The structural parameters that differ between two machines, as `key: a, b`. */
export function structureDifferences(a: Machine, b: Machine): string[] {
  return PARAMETER_KEYS.filter(
    (key) => PARAMETERS[key].kind === "structure" && a.parameters[key] !== b.parameters[key],
  ).map((key) => `${key}: ${a.parameters[key]}, ${b.parameters[key]}`);
}

/** SHA-256 of all parameters: names the machine in results. */
export function machineSha256(machine: Machine): string {
  return createHash("sha256").update(JSON.stringify(machine.parameters)).digest("hex");
}

/** MACs per cycle of the whole chip. */
export function peakMacsPerCycle({ parameters: p }: Machine): number {
  return p.agents * p["agent.tensorProcessors"] * p["array.rows"] * p["array.cols"];
}

/** Accumulator rows (of `array.cols` int32) of one tensor processor. */
export function accumulatorRows({ parameters: p }: Machine): number {
  return Math.floor(p["array.accumulatorBytes"] / (4 * p["array.cols"]));
}
