/** Small programs for timing tests. Nothing computes: all windows may lie on top of each other in SRAM. */
import { expect } from "vitest";
import {
  type Axis,
  type CheckedProgram,
  checkProgram,
  createMachine,
  FORMAT_BYTES,
  type Format,
  type Instruction,
  type InstructionOf,
  instruction,
  type Machine,
  NO_LAYER,
  type Op,
  type Program,
  type ProgramTensor,
  type Semaphore,
  type UnitKind,
} from "../../isa/index.ts";
import { createSimulationEmitter, type DramEvent, type FrameEvent, type StallEvent } from "../../sim/events.ts";
import { checkLaws } from "../../sim/laws.ts";
import type { TimingResult, UnitResult } from "../../sim/result.ts";
import { simulateTiming, type TimingOptions } from "../../sim/timing/index.ts";

export type Shape = readonly [height: number, width: number, channels: number];
export type Fields<O extends Op> = Partial<Omit<InstructionOf<O>, "op">>;

export const axis = (base: number, extent: number, stepA = 0, stepB = 0): Axis => ({ base, extent, stepA, stepB });
/** The whole of a shape, the same in all agents. */
export const whole = ([h, w, c]: Shape) => ({ y: axis(0, h), x: axis(0, w), c: axis(0, c) });

/** Nothing but latency and peak bandwidth; one engine's requests in a row as far as its window goes. */
export const IDEAL_DRAM: Readonly<Record<string, unknown>> = {
  "dram.activateCycles": 0,
  "dram.prechargeCycles": 0,
  "dram.rowOpenCycles": 0,
  "dram.activateSpacingCycles": 0,
  "dram.writeRecoveryCycles": 0,
  "dram.readToWriteCycles": 0,
  "dram.writeToReadCycles": 0,
  "dram.refreshCycles": 0,
};

/** 8 x 8 arrays; everything around them as fast as the parameters' ranges allow, so that a test slows down what it is about. */
export const QUICK: Readonly<Record<string, unknown>> = {
  agents: 1,
  "array.rows": 8,
  "array.cols": 8,
  "sram.banks": 1024,
  "sram.bankBytesPerCycle": 4096,
  "shift.lanes": 8,
  "pool.lanes": 8,
  "range.lanes": 8,
  "lanes.latencyCycles": 5,
  "dma.setupCycles": 0,
  "dma.bytesPerCycle": 65536,
  "dram.bytesPerCycle": 65536,
  "dram.latencyCycles": 0,
  ...IDEAL_DRAM,
  "dma.runCycles": 0,
  "dma.multicastCycles": 0,
  "link.bytesPerCycle": 16,
  "link.latencyCycles": 16,
  "issue.cyclesPerInstruction": 1,
  "issue.queueDepth": 64,
  "issue.fetchInstructions": 512,
  "sync.latencyCycles": 16,
};

export class Builder {
  readonly machine: Machine;
  readonly grid: { readonly gridY: number; readonly gridX: number };
  readonly tensors: ProgramTensor[] = [];
  readonly semaphores: Semaphore[] = [];
  private readonly layers: { name: string; op: string; fused: string[] }[] = [];
  private readonly code: Instruction[] = [];
  private readonly layerOf: number[] = [];
  private prologueLength = 0;
  private dramBytes = 0;
  private readonly registers = new Map<string, number>();

  /** @param gridX agents per grid row; default all */
  constructor(parameters: Readonly<Record<string, unknown>> = {}, gridX?: number) {
    this.machine = createMachine("test", { ...QUICK, ...parameters }, "test");
    const { agents } = this.machine.parameters;
    this.grid = { gridY: agents / (gridX ?? agents), gridX: gridX ?? agents };
    this.tensor("image", [1, 1, 1], "input");
    this.tensor("result", [1, 1, 1], "output");
  }

  /** A tensor; those in DRAM follow each other at 4 KiB boundaries. */
  tensor(
    name: string,
    [height, width, channels]: Shape,
    role: ProgramTensor["role"] = "none",
    format: Format = "i8",
  ): number {
    const address = role === "none" ? 0 : this.dramBytes;
    this.tensors.push({ name, height, width, channels, format, role, address });
    if (role !== "none") this.dramBytes += Math.ceil((height * width * channels * FORMAT_BYTES[format]) / 4096) * 4096;
    return this.tensors.length - 1;
  }

  /** Instructions from here on work for this layer; null: for none. */
  layer(name: string | null): void {
    this.current = name === null ? NO_LAYER : this.layers.push({ name, op: "conv", fused: [] }) - 1;
  }
  private current = NO_LAYER;

  /** Ends the prologue. */
  endPrologue(): void {
    this.halt();
    this.prologueLength = this.code.length;
    this.registers.clear();
  }

  private halt(): void {
    const { current } = this;
    this.layer(null);
    this.add("halt");
    this.current = current;
  }

  semaphore(producer: UnitKind, consumer: UnitKind, given: Partial<Semaphore> = {}): number {
    const offset = { gridY: 1, gridX: 256, offsetY: 0, offsetX: 0, initial: 0 };
    this.semaphores.push({
      producer: { kind: producer, tp: 0 },
      consumer: { kind: consumer, tp: 0 },
      ...offset,
      ...given,
    });
    return this.semaphores.length;
  }

  /** Appends an instruction; returns its index. */
  add<O extends Op>(op: O, given: Fields<O> = {}): number {
    this.layerOf.push(this.current);
    return this.code.push(instruction(op, { ...this.grid, ...given } as Fields<O>) as Instruction) - 1;
  }

  /** A view register with the whole of a tensor, or the window given; set where it is first asked for. */
  view(tensor: number, window?: { y: Axis; x: Axis; c: Axis }): number {
    const key = `${tensor} ${JSON.stringify(window)}`;
    const known = this.registers.get(key);
    if (known !== undefined) return known;
    const { height, width, channels, format } = this.tensors[tensor];
    const box = window ?? whole([height, width, channels]);
    const pixelPitch = box.c.extent * FORMAT_BYTES[format];
    const register = this.registers.size;
    this.registers.set(key, register);
    this.add("view", { view: register, tensor, ...box, pixelPitch, rowPitch: box.x.extent * pixelPitch });
    return register;
  }

  /** Fields of a convolution of a whole [h, w, cOut] output from cIn channels, without padding. */
  conv(shape: Shape, cIn: number, given: Fields<"conv"> = {}): Fields<"conv"> {
    const { kernelY = 1, kernelX = 1, strideY = 1, strideX = 1 } = given;
    const [h, w, channels] = shape;
    const cols = this.machine.parameters["array.cols"];
    const id = this.tensors.length;
    const input = this.tensor(`in${id}`, [(h - 1) * strideY + kernelY, (w - 1) * strideX + kernelX, cIn]);
    const taps = kernelY * kernelX * (given.cCount ?? cIn);
    const weights = this.tensor(`weights${id}`, [Math.ceil(channels / cols), taps, cols]);
    const tensor = this.tensor(`out${id}`, shape);
    return {
      src: this.view(input),
      weights: this.view(weights),
      tensor,
      ...whole(shape),
      cCount: cIn,
      groupIn: cIn,
      groupOut: channels,
      packing: "full",
      ...given,
    };
  }

  /** Fields of a shift of a whole shape from the accumulators. */
  shift(shape: Shape, given: Fields<"shift"> = {}): Fields<"shift"> {
    const id = this.tensors.length;
    const table = this.tensor(`table${id}`, [1, shape[2], 4]);
    const dst = this.tensor(`shifted${id}`, shape);
    return {
      source: "accumulators",
      table: this.view(table),
      dst: this.view(dst),
      tensor: dst,
      ...whole(shape),
      ...given,
    };
  }

  check(): CheckedProgram {
    if (this.code.length === this.prologueLength || this.code[this.code.length - 1].op !== "halt") this.halt();
    const host = { height: 1, width: 1, channels: 1, format: "i8" } as const;
    const program: Program = {
      name: "test",
      machine: this.machine,
      tensors: this.tensors,
      semaphores: this.semaphores,
      prologue: this.code.slice(0, this.prologueLength),
      body: this.code.slice(this.prologueLength),
      sourceMap: this.layerOf.map((layer) => ({ layer, tile: 0 })),
      layers: this.layers,
      constants: new Uint8Array(this.dramBytes),
      constantsAddress: 0,
      dramBytes: this.dramBytes,
      persistent: [],
      schedule: [],
      host: {
        input: { ...host, colorOrder: "RGB", mean: [0], scale: 1, tensor: "image", exponent: 0 },
        outputs: [{ ...host, tensor: "result", exponents: [0] }],
        head: null,
        trained: false,
      },
      provenance: { rapsim: "", source: "", sourceSha256: "", options: {} },
    };
    return checkProgram(program, "test");
  }
}

/** When an instruction ran in an agent. */
export interface Span {
  readonly start: number;
  readonly end: number;
}

export interface Run {
  readonly result: TimingResult;
  /** In the first frame it ran in. */
  readonly span: (index: number, agent?: number) => Span;
  /** end - start */
  readonly cycles: (index: number, agent?: number) => number;
  readonly unit: (name: string, agent?: number) => UnitResult;
  readonly stalls: readonly StallEvent[];
  readonly dram: readonly DramEvent[];
  readonly frames: readonly FrameEvent[];
}

/** Simulates, holds the result against the laws, and keeps what the events said. */
export function run(program: Builder | CheckedProgram, options: TimingOptions = {}): Run {
  const checked = program instanceof Builder ? program.check() : program;
  const spans = new Map<string, Span>();
  const [stalls, dram, frames]: [StallEvent[], DramEvent[], FrameEvent[]] = [[], [], []];
  const events = createSimulationEmitter();
  events.on("instruction", ({ index, agent, startCycle, endCycle }) => {
    const key = `${index} ${agent}`;
    if (!spans.has(key)) spans.set(key, { start: startCycle, end: endCycle });
  });
  events.on("stall", (event) => stalls.push(event));
  events.on("dram", (event) => dram.push(event));
  events.on("frame", (event) => frames.push(event));
  const result = simulateTiming(checked, { ...options, events });
  expect(checkLaws(checked, result, options.machine)).toEqual([]);
  const span = (index: number, agent = 0) => spans.get(`${index} ${agent}`)!;
  return {
    result,
    span,
    cycles: (index, agent = 0) => span(index, agent).end - span(index, agent).start,
    unit: (name, agent = 0) => result.units.find((unit) => unit.unit === name && unit.agent === agent)!,
    stalls,
    dram,
    frames,
  };
}
