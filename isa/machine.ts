/**
 * The machine's parameters: the one table behind validation, `--set`, presets and docs/machine.md.
 * Structure is what a program is compiled for; rates may differ from run to run.
 */
import { createHash } from "node:crypto";
import { closest, distance } from "fastest-levenshtein";
import { listNames, RapError } from "./errors.ts";
import { shapeOf } from "./shape.ts";

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

/** At 1 GHz, a cycle is a nanosecond. */
const LPDDR4 = "JESD209-4 (LPDDR4-3200)";
const HOROWITZ = "Horowitz, ISSCC 2014";

export const PARAMETERS = {
  agents: whole(16, 1, 256, "", "agents on the chip", "AlphaICs: the family spans 16 to 256 agents"),
  "agent.tensorProcessors": whole(1, 1, 4, "", "tensor processors per agent"),
  "array.rows": whole(16, 1, 256, "", "rows of a MAC array: input channels (and taps) summed per cycle"),
  "array.cols": { ...whole(16, 4, 256, "", "columns of a MAC array: output channels per cycle"), step: 4 },
  "array.accumulatorBytes": whole(32768, 64, 2 ** 28, "B", "int32 accumulators of one array"),
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
  "dma.outstanding": wholeRate(4, 1, 64, "requests", "requests of one DMA engine in flight (AXI: outstanding bursts)"),
  "dma.runCycles": wholeRate(
    1,
    0,
    1000,
    "cycles",
    "address generation: one run of contiguous DRAM bytes of a transfer (a row of its box)",
  ),
  "dma.multicastCycles": wholeRate(
    4,
    0,
    100000,
    "cycles",
    "from the first agent of a multicast load having its last byte to all agents having it",
    "estimate: one register stage per doubling of 16 agents",
  ),
  "dram.bytesPerCycle": rate(
    12.8,
    0.01,
    65536,
    "B/cycle",
    "peak bandwidth of all channels",
    "12.8 GB/s at 1 GHz: one 32-bit LPDDR4-3200 channel",
  ),
  "dram.latencyCycles": wholeRate(
    100,
    0,
    100000,
    "cycles",
    "from a request's service to its first byte on the chip, its row being open: controller, CAS latency, interface, interconnect",
    "estimate; of it 17.5 ns are CAS latency (RL 28 at 1600 MHz, Micron MT53B)",
  ),
  "dram.burstBytes": wholeRate(
    64,
    1,
    4096,
    "B",
    "smallest transfer; requests are rounded out to aligned bursts",
    "LPDDR4 BL16 x 32 bits",
  ),
  "dram.channels": wholeRate(
    1,
    1,
    64,
    "",
    "channels, each with a bus of its own",
    "two 16-bit channels in step count as one",
  ),
  "dram.interleaveBytes": wholeRate(
    1024,
    64,
    65536,
    "B",
    "consecutive bytes in one channel, a power of two; without effect with one channel",
  ),
  "dram.banks": wholeRate(8, 1, 1024, "", "banks of a channel, each with one open row", LPDDR4),
  "dram.rowBytes": wholeRate(
    4096,
    64,
    65536,
    "B",
    "bytes of a row, a power of two; consecutive rows of a channel lie in consecutive banks",
    `${LPDDR4}: 2 KiB on each of two 16-bit channels in step`,
  ),
  "dram.activateCycles": wholeRate(18, 0, 100000, "cycles", "opening a row until it can be read (tRCD)", LPDDR4),
  "dram.prechargeCycles": wholeRate(18, 0, 100000, "cycles", "closing a row (tRP)", LPDDR4),
  "dram.rowOpenCycles": wholeRate(42, 0, 100000, "cycles", "from opening a row to closing it, at least (tRAS)", LPDDR4),
  "dram.activateSpacingCycles": wholeRate(
    10,
    0,
    100000,
    "cycles",
    "between opening two rows of a channel, at least (tRRD; four of them are tFAW)",
    LPDDR4,
  ),
  "dram.writeRecoveryCycles": wholeRate(
    27,
    0,
    100000,
    "cycles",
    "from a write to closing its row, at least (WL + tWR)",
    `${LPDDR4}: 14 / 1.6 GHz + 18 ns`,
  ),
  "dram.readToWriteCycles": wholeRate(
    14,
    0,
    100000,
    "cycles",
    "turning the bus from reading to writing (RL + tDQSCK + 2 - WL)",
    `${LPDDR4}: (28 + 6 + 2 - 14) / 1.6 GHz`,
  ),
  "dram.writeToReadCycles": wholeRate(
    20,
    0,
    100000,
    "cycles",
    "turning the bus from writing to reading (WL + 1 + tWTR)",
    `${LPDDR4}: 15 / 1.6 GHz + 10 ns`,
  ),
  "dram.refreshIntervalCycles": wholeRate(3904, 1, 1e9, "cycles", "between two refreshes (tREFI)", LPDDR4),
  "dram.refreshCycles": wholeRate(
    201,
    0,
    100000,
    "cycles",
    "a refresh, which closes all rows; 0: no refresh; at most half of the interval",
    `${LPDDR4}: tRPab 21 + tRFCab 180 ns of an 8 Gb die`,
  ),
  "dram.quantumBytes": wholeRate(
    4096,
    64,
    1048576,
    "B",
    "what a DMA engine may move before it is the next one's turn",
    "estimate: a row",
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
  "issue.fetchInstructions": wholeRate(32, 1, 4096, "instructions", "instructions per fetch"),
  "issue.fetchBuffers": wholeRate(2, 1, 16, "fetches", "fetches buffered or on their way"),
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
  "tech.nodeNm": rate(
    16,
    7,
    65,
    "nm",
    "process node: scales energies of logic and SRAM, and areas",
    "estimate (AlphaICs names none); scaling: Stillmaker and Baas 2017",
  ),
  "tech.voltage": rate(0.8, 0.5, 1.2, "V", "supply of logic and SRAM", "nominal at 16 nm: Stillmaker and Baas 2017"),
  "energy.macPj": rate(
    0.3,
    0,
    1e6,
    "pJ",
    "int8 multiply and int32 add, at 45 nm and 0.9 V",
    `${HOROWITZ}: 0.2 + 0.1 pJ`,
  ),
  "energy.shiftPj": rate(
    0.33,
    0,
    1e6,
    "pJ",
    "one value through the shift, pool or range unit, at 45 nm and 0.9 V",
    `${HOROWITZ}: two int32 adds 0.2, an int8 compare 0.03; the shifter as one more add (estimate)`,
  ),
  "energy.accumulatorPj": rate(
    2.5,
    0,
    1e6,
    "pJ",
    "one int32 accumulator read or written in a bank of 2 KiB, at 45 nm and 0.9 V",
    `${HOROWITZ}: 10 pJ for 64 bits of 8 KiB; square root of the bank's size (after CACTI)`,
  ),
  "energy.sramPjPerByte": rate(
    2.5,
    0,
    1e6,
    "pJ/B",
    "SRAM read or write in a bank of 32 KiB, at 45 nm and 0.9 V; by the square root of the bank's size",
    `${HOROWITZ}: 20 pJ for 64 bits of 32 KiB`,
  ),
  "energy.dmaPjPerByte": rate(
    3.9,
    0,
    1e6,
    "pJ/B",
    "DMA engine and on-chip bus, at 0.9 V",
    "4 mm (estimate) of wire at 0.97 pJ/B/mm: Keckler et al., IEEE Micro 2011",
  ),
  "energy.linkPjPerByte": rate(
    1.9,
    0,
    1e6,
    "pJ/B",
    "link to another agent, at 0.9 V",
    "2 mm (estimate) of wire at 0.97 pJ/B/mm: Keckler et al., IEEE Micro 2011",
  ),
  "energy.dramPjPerByte": rate(
    32,
    0,
    1e6,
    "pJ/B",
    "DRAM access with row activation and interface, per byte of burst; whatever the node",
    "4 pJ/bit, LPDDR4 class (estimate; HBM2 has 3.9: O'Connor et al., MICRO 2017)",
  ),
  "energy.instructionPj": rate(
    130,
    0,
    1e6,
    "pJ",
    "fetch buffer, decode and dispatch of one instruction in one agent, at 45 nm and 0.9 V",
    `${HOROWITZ}: 70 pJ for a RISC instruction; 64 B out of a 4 KiB buffer besides`,
  ),
  "energy.registerPj": rate(
    0.005,
    0,
    1e6,
    "pJ",
    "one clocked bit of arrays and lanes for one cycle, its part of the clock tree included, at 45 nm and 0.9 V",
  ),
  "energy.leakageWPerMm2": rate(0.01, 0, 100, "W/mm2", "leakage by area, at 0.9 V"),
  "area.macUm2": rate(
    670,
    0,
    1e6,
    "um2",
    "a cell of the array at 45 nm: multiplier, adder, 56 register bits",
    "Dally, NIPS 2015 tutorial: 282 + 137 um2 synthesized; flip-flops of 4.5 um2: NanGate 45 nm library",
  ),
  "area.sramUm2PerBit": rate(
    0.58,
    0,
    1e6,
    "um2/bit",
    "SRAM at 45 nm, periphery included",
    "cell of 0.346 um2: Mistry et al., IEDM 2007; 60 % of the array (estimate)",
  ),
  "area.laneUm2": rate(
    800,
    0,
    1e6,
    "um2",
    "a lane of the shift, pool or range unit at 45 nm",
    "two adders, a shifter like two, a compare, 40 register bits, with the areas of area.macUm2 (estimate)",
  ),
  "area.agentUm2": rate(1e5, 0, 1e9, "um2", "scalar processor, DMA engines and queues of an agent at 45 nm"),
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

const SHAPE = shapeOf(PARAMETER_KEYS);

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
  const parameters: Record<string, unknown> = { ...SHAPE };
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
  checkDram(machine, place);
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

function checkDram({ parameters: p }: Machine, place: string): void {
  for (const key of ["dram.rowBytes", "dram.interleaveBytes"] as const) {
    if (!Number.isInteger(Math.log2(p[key])))
      throw new RapError(`${place}: ${key} = ${p[key]}: must be a power of two`);
  }
  if (2 * p["dram.refreshCycles"] > p["dram.refreshIntervalCycles"]) {
    throw new RapError(
      `${place}: dram.refreshCycles = ${p["dram.refreshCycles"]}: must be at most half of dram.refreshIntervalCycles (${p["dram.refreshIntervalCycles"]})`,
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
