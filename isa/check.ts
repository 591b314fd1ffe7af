/**
 * The checks a program must pass before anything runs it: forms and formats, semaphore order, and that every access of
 * every agent stays inside its view, its tensor and its memory.
 */
import { isWithinMemory, isWithinMemoryEverywhere, type MemoryBytes } from "./bounds.ts";
import { type BoundInstruction, bindViews, effects } from "./effects.ts";
import { RapError } from "./errors.ts";
import { hasBox, regionEnd } from "./geometry.ts";
import { PACKINGS } from "./machine.ts";
import { ADD_SHIFT_MAX, FORMAT_BYTES, FORMAT_MAX, FORMAT_MIN, type Format } from "./numerics.ts";
import { allInstructions, MAX_DRAM_BYTES, nameInstruction, type Program, tensorBytes } from "./program.ts";
import { type Instruction, type InstructionOf, type UnitKind, unitKindOf } from "./table.ts";

/** A program that passed every check, with its view registers looked up. */
export interface CheckedProgram {
  readonly program: Program;
  /** Prologue first, then body; indices name instructions. */
  readonly bound: readonly BoundInstruction[];
}

/** Checks a program. @param path named in messages. @throws RapError with the first violation */
export function checkProgram(program: Program, path: string): CheckedProgram {
  const within = <T>(check: () => T): T => {
    try {
      return check();
    } catch (error) {
      if (error instanceof RapError) throw new RapError(`${path}: ${error.message}`, { cause: error });
      throw error;
    }
  };
  return within(() => {
    checkMemory(program);
    const instructions = allInstructions(program);
    const nameOf = (index: number) => nameInstruction(program, index);
    checkStream(program.prologue, 0, nameOf, true);
    checkStream(program.body, program.prologue.length, nameOf, false);
    instructions.forEach((instruction, index) => {
      const wrong = instructionFault(program, instruction);
      if (wrong !== null) throw new RapError(`${nameOf(index)}: ${wrong}`);
    });
    checkOrder(program);
    const bound = [
      ...bindViews(program.prologue, nameOf),
      ...bindViews(program.body, (i) => nameOf(i + program.prologue.length)),
    ];
    bound.forEach((item, index) => {
      const wrong = operandFault(program, item);
      if (wrong !== null) throw new RapError(`${nameOf(index)}: ${wrong}`);
    });
    checkAccesses(program, bound);
    return { program, bound };
  });
}

function checkMemory(program: Program): void {
  const { dramBytes, constants, constantsAddress } = program;
  if (dramBytes > MAX_DRAM_BYTES)
    throw new RapError(`the program asks for ${dramBytes} B of DRAM; at most ${MAX_DRAM_BYTES} B are simulated`);
  if (constantsAddress + constants.length > dramBytes) {
    throw new RapError(`constants end at ${constantsAddress + constants.length}, DRAM at ${dramBytes}`);
  }
  for (const tensor of program.tensors) {
    const { name, role, address } = tensor;
    const end = address + tensorBytes(tensor);
    if (role !== "none" && end > dramBytes) throw new RapError(`tensor '${name}' ends at ${end}, DRAM at ${dramBytes}`);
    if (role === "constant" && (address < constantsAddress || end > constantsAddress + constants.length)) {
      throw new RapError(
        `constant tensor '${name}' takes DRAM bytes ${address}..${end}, the constants ${constantsAddress}..${constantsAddress + constants.length}`,
      );
    }
  }
  const { "sram.bytes": sramBytes, "agent.tensorProcessors": tensorProcessors } = program.machine.parameters;
  for (const { name, address, bytes } of program.persistent) {
    if (address + bytes > sramBytes)
      throw new RapError(`persistent area '${name}' ends at ${address + bytes}, SRAM at ${sramBytes}`);
  }
  program.semaphores.forEach(({ producer, consumer }, i) => {
    for (const { kind, tp } of [producer, consumer]) {
      if (tp >= tensorProcessors)
        throw new RapError(`semaphore ${i + 1}: ${kind}${tp}: the machine has ${tensorProcessors} tensor processors`);
    }
  });
  const { input, outputs, head } = program.host;
  if (head !== null && !outputs.some(({ tensor }) => tensor === head.tensor)) {
    throw new RapError(`host section: the head's tensor '${head.tensor}' is not an output`);
  }
  const find = (name: string) => program.tensors.find((tensor) => tensor.name === name);
  const image = find(input.tensor);
  if (image === undefined || image.role !== "input")
    throw new RapError(`host section: input tensor '${input.tensor}' is not an input of the program`);
  if (
    image.height !== input.height ||
    image.width !== input.width ||
    image.channels !== input.channels ||
    image.format !== input.format
  ) {
    throw new RapError(`host section: input '${input.tensor}' differs in shape or format from the program's tensor`);
  }
  for (const output of outputs) {
    const tensor = find(output.tensor);
    if (tensor === undefined || tensor.role !== "output")
      throw new RapError(`host section: output '${output.tensor}' is not an output of the program`);
    if (
      tensor.height !== output.height ||
      tensor.width !== output.width ||
      tensor.channels !== output.channels ||
      tensor.format !== output.format
    ) {
      throw new RapError(
        `host section: output '${output.tensor}' differs in shape or format from the program's tensor`,
      );
    }
    checkRuntimeScale(program, output);
    if (output.exponents.length !== output.channels) {
      throw new RapError(
        `host section: output '${output.tensor}' has ${output.exponents.length} exponents for ${output.channels} channels`,
      );
    }
  }
}

function checkRuntimeScale({ tensors }: Program, { tensor, runtimeScale }: Program["host"]["outputs"][number]): void {
  if (runtimeScale === undefined) return;
  const scale = tensors.find(({ name }) => name === runtimeScale);
  const isOne = scale?.height === 1 && scale.width === 1 && scale.channels === 1;
  if (scale?.role !== "output" || scale.format !== "i32" || !isOne) {
    throw new RapError(
      `host section: output '${tensor}': its run-time scale '${runtimeScale}' is not an output of the program of one int32`,
    );
  }
}

function checkStream(
  stream: readonly Instruction[],
  first: number,
  nameOf: (index: number) => string,
  mayBeEmpty: boolean,
): void {
  if (stream.length === 0) {
    if (mayBeEmpty) return;
    throw new RapError("the program has no instructions; a frame ends in halt");
  }
  const halt = stream.findIndex(({ op }) => op === "halt");
  if (halt !== stream.length - 1) {
    throw new RapError(
      halt < 0
        ? `${nameOf(first + stream.length - 1)}: the stream does not end in halt`
        : `${nameOf(first + halt)}: instructions follow the halt`,
    );
  }
}

/** What is wrong with an instruction by itself, or null. */
function instructionFault(program: Program, instruction: Instruction): string | null {
  const { agents, "agent.tensorProcessors": tensorProcessors, "array.feeder": feeder } = program.machine.parameters;
  if (instruction.gridY * instruction.gridX > agents) {
    return `grid ${instruction.gridY} x ${instruction.gridX} has more places than the machine's ${agents} agents`;
  }
  if (instruction.tp >= tensorProcessors)
    return `tp = ${instruction.tp}: the machine has ${tensorProcessors} tensor processors`;
  const unit = unitKindOf(instruction);
  if (unit === null && instruction.waits.length + instruction.signals.length > 0)
    return "runs at issue and cannot wait or signal; use fence";
  for (const [ids, end] of [
    [instruction.waits, "consumer"],
    [instruction.signals, "producer"],
  ] as const) {
    for (const id of ids) {
      const semaphore = program.semaphores[id - 1];
      if (semaphore === undefined) return `semaphore ${id} is not one of the program's ${program.semaphores.length}`;
      const owner = semaphore[end];
      if (owner.kind !== unit || (isPerTp(owner.kind) && owner.tp !== instruction.tp)) {
        return `semaphore ${id}: its ${end} is ${owner.kind}${owner.tp}, not this unit`;
      }
    }
    if (new Set(ids).size !== ids.length)
      return `a semaphore stands twice in ${end === "consumer" ? "waits" : "signals"}`;
  }
  if ("tensor" in instruction && program.tensors[instruction.tensor] === undefined) {
    return `tensor ${instruction.tensor} is not one of the program's ${program.tensors.length}`;
  }
  if (instruction.op === "view") return viewFault(program, instruction);
  if ("strideY" in instruction && (instruction.strideY === 0 || instruction.strideX === 0)) return "a stride of 0";
  if ("kernelY" in instruction && (instruction.kernelY === 0 || instruction.kernelX === 0)) return "a kernel of 0";
  if (instruction.op === "range") {
    const { accHeight, accWidth, y, x } = instruction;
    if ((accHeight !== 0 && accHeight < y.extent) || (accWidth !== 0 && accWidth < x.extent))
      return `a box of ${y.extent} x ${x.extent} cannot be a part of an accumulator tile of ${accHeight} x ${accWidth}`;
  }
  if (instruction.op === "conv") {
    if (instruction.dilationY === 0 || instruction.dilationX === 0) return "a dilation of 0";
    if (PACKINGS.indexOf(instruction.packing) > PACKINGS.indexOf(feeder))
      return `packing ${instruction.packing}: the machine's feeder does ${feeder}`;
  }
  return null;
}

function isPerTp(kind: UnitKind): boolean {
  return kind === "mac" || kind === "shift" || kind === "pool" || kind === "range";
}

function viewFault(program: Program, view: InstructionOf<"view">): string | null {
  const bytes = view.c.extent * FORMAT_BYTES[program.tensors[view.tensor].format];
  if (view.y.extent * view.x.extent * view.c.extent === 0) return "an empty window";
  if (view.x.extent > 1 && view.pixelPitch < bytes)
    return `pixelPitch ${view.pixelPitch} is less than a pixel's ${bytes} B`;
  const row = (view.x.extent - 1) * view.pixelPitch + bytes;
  if (view.y.extent > 1 && view.rowPitch < row) return `rowPitch ${view.rowPitch} is less than a row's ${row} B`;
  const end = view.address + (view.y.extent - 1) * view.rowPitch + row;
  const sramBytes = program.machine.parameters["sram.bytes"];
  return end > sramBytes ? `the window ends at ${end}, SRAM at ${sramBytes}` : null;
}

/**
 * Semaphores: in program order every wait finds its signal already given. As all agents run one stream, this holds in
 * every agent or in none; it proves that nothing deadlocks and that program order is a legal order of execution.
 * Over prologue and frame, signals and waits must balance, so that every frame starts alike.
 */
function checkOrder(program: Program): void {
  const streams = [
    { stream: program.prologue, first: 0, initial: () => 0 },
    {
      stream: program.body,
      first: program.prologue.length,
      initial: (id: number) => program.semaphores[id - 1].initial,
    },
  ];
  for (const { stream, first, initial } of streams) {
    const given = program.semaphores.map((_, i) => initial(i + 1));
    stream.forEach((instruction, i) => {
      for (const id of instruction.waits) {
        if (--given[id - 1] < 0) {
          throw new RapError(
            `${nameInstruction(program, first + i)}: order: waits for semaphore ${id}, whose signal comes later in the program or never (${ends(program, id)}); signal it earlier, or take the wait away`,
          );
        }
      }
      for (const id of instruction.signals) given[id - 1]++;
    });
    given.forEach((count, i) => {
      const left = count - initial(i + 1);
      if (left === 0) return;
      const list = left > 0 ? "signals" : "waits";
      const last = stream.findLastIndex((instruction) => instruction[list].includes(i + 1));
      throw new RapError(
        `order: semaphore ${i + 1}: ${Math.abs(left)} ${left > 0 ? "signals without a wait" : "waits without a signal"} at the end of the ` +
          `${stream === program.prologue ? "prologue" : "frame"} (${ends(program, i + 1)}; the last in ${nameInstruction(program, first + last)}); ` +
          `add the ${left > 0 ? "wait" : "signal"}, or take the ${left > 0 ? "signal" : "wait"} away`,
      );
    });
  }
}

/** `shift to pool`: a semaphore by its ends, as its number says little to who wrote its name. */
function ends(program: Program, id: number): string {
  const { producer, consumer } = program.semaphores[id - 1];
  return `${producer.kind} to ${consumer.kind}`;
}

const is8Bit = (format: Format) => format !== "i32";

/** A clamp must lie in the destination's format; an i32 destination has none. */
function clampFault({ low, high }: { low: number; high: number }, format: Format): string | null {
  if (!is8Bit(format)) return null;
  if (low > high) return `low ${low} is above high ${high}`;
  return low < FORMAT_MIN[format] || high > FORMAT_MAX[format]
    ? `clamp ${low}..${high} exceeds the destination's ${FORMAT_MIN[format]}..${FORMAT_MAX[format]}`
    : null;
}

function fillFault({ fill, fillValue }: InstructionOf<"load">, format: Format): string | null {
  return fill && (fillValue < FORMAT_MIN[format] || fillValue > FORMAT_MAX[format])
    ? `fillValue ${fillValue} exceeds the destination's ${FORMAT_MIN[format]}..${FORMAT_MAX[format]}`
    : null;
}

/** What is wrong with an instruction's operands, or null. */
function operandFault(program: Program, { instruction, views }: BoundInstruction): string | null {
  const format = (field: string) => program.tensors[views[field].tensor].format;
  const cols = program.machine.parameters["array.cols"];
  switch (instruction.op) {
    case "load":
    case "store": {
      const field = instruction.op === "load" ? "dst" : "src";
      if (program.tensors[views[field].tensor].role === "none")
        return `tensor '${program.tensors[views[field].tensor].name}' has no place in DRAM`;
      return instruction.op === "load" ? fillFault(instruction, format("dst")) : null;
    }
    case "conv":
      if (!is8Bit(format("src"))) return `src: tensor format ${format("src")}; the MAC arrays take 8 bits`;
      if (format("weights") !== "i8") return `weights: tensor format ${format("weights")}, must be i8`;
      if (program.tensors[views.weights.tensor].channels !== cols) {
        return `weights: blocks of ${program.tensors[views.weights.tensor].channels} columns, the array has ${cols}`;
      }
      return null;
    case "shift":
    case "range":
      if (instruction.source === "view" && format("src") !== "i32")
        return `src: tensor format ${format("src")}, must be i32`;
      if (format("table") !== "i8" || program.tensors[views.table.tensor].channels !== 4) {
        return "table: must be an i8 tensor [1, channels, 4]";
      }
      if (instruction.op === "range") return null;
      if (instruction.leaky && instruction.slopeA === 0) return "slopeA = 0: the first shift of a LeakyReLU is 1..31";
      return clampFault(instruction, format("dst"));
    case "pool":
      return format("src") === format("dst") && is8Bit(format("src"))
        ? null
        : `formats ${format("src")} and ${format("dst")}: must be the same 8-bit format`;
    case "add":
      if (format("a") !== format("b") || !is8Bit(format("a"))) {
        return `formats ${format("a")} and ${format("b")}: must be the same 8-bit format`;
      }
      if (Math.abs(instruction.exponentA - instruction.exponentB) > ADD_SHIFT_MAX) {
        return `exponents ${instruction.exponentA} and ${instruction.exponentB} are more than ${ADD_SHIFT_MAX} apart`;
      }
      return is8Bit(format("dst"))
        ? clampFault(instruction, format("dst"))
        : `dst: format ${format("dst")}, must be 8 bits`;
    case "copy": {
      if (format("src") !== format("dst")) return `formats ${format("src")} and ${format("dst")} differ`;
      const shifts = instruction.shift !== 0 || instruction.exponentIn !== 0 || instruction.exponentOut !== 0;
      return shifts && !is8Bit(format("src"))
        ? "an i32 tile is copied as it is; a shift or exponent has no meaning"
        : null;
    }
    default:
      return null;
  }
}

/** The sizes of the memories. */
function memoryBytes({ dramBytes, machine: { parameters: p } }: Program): MemoryBytes {
  return {
    dram: dramBytes,
    sram: p["sram.bytes"],
    accumulators: Math.floor(p["array.accumulatorBytes"] / (4 * p["array.cols"])) * 4 * p["array.cols"],
    registers: Number.POSITIVE_INFINITY,
  };
}

function checkAccesses(program: Program, bound: readonly BoundInstruction[]): void {
  const { agents } = program.machine.parameters;
  const sizes = memoryBytes(program);
  bound.forEach((item, index) => {
    if (!hasBox(item.instruction) || item.instruction.op === "view") return;
    const name = () => nameInstruction(program, index);
    if (item.instruction.op === "load") checkMulticast(item.instruction, name);
    if (isWithinMemoryEverywhere(program, item, sizes)) return;
    for (let agent = 0; agent < agents; agent++) {
      try {
        if (!isWithinMemory(program, item, agent, sizes)) throw new RapError(memoryFault(program, item, agent, sizes));
      } catch (error) {
        if (error instanceof RapError)
          throw new RapError(`${name()}, agent ${agent}: ${error.message}`, { cause: error });
        throw error;
      }
    }
  });
}

/** Which access is not within the memories. */
function memoryFault(program: Program, item: BoundInstruction, agent: number, sizes: MemoryBytes): string {
  const access = effects(program, item, agent).find(
    ({ space, region }) => region.base < 0 || regionEnd(region) > sizes[space],
  )!;
  const { space, region, write } = access;
  return `${write ? "writes" : "reads"} ${space} bytes ${region.base}..${regionEnd(region)} of ${sizes[space]}`;
}

/** All agents of a multicast group must ask for the same box. */
function checkMulticast(load: InstructionOf<"load">, name: () => string): void {
  const { multicast } = load;
  if (multicast === "none") return;
  for (const axis of ["y", "x", "c"] as const) {
    const { stepA, stepB } = load[axis];
    const varies =
      (multicast !== "row" && stepA !== 0 && load.gridY > 1) ||
      (multicast !== "column" && stepB !== 0 && load.gridX > 1);
    if (varies)
      throw new RapError(`${name()}: ${axis}: the box differs between the agents of a multicast group (${multicast})`);
  }
}
