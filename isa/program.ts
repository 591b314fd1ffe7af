/** A program: what the compiler produces, a `.bin` file holds, and the simulator runs. */
import { createHash } from "node:crypto";
import { z } from "zod";
import { decodeCode, encodeCode } from "./codec.ts";
import { type ContainerKind, packContainer, unpackContainer } from "./container.ts";
import { RapError } from "./errors.ts";
import type { DramTensor } from "./geometry.ts";
import { type HostSection, hostSectionSchema } from "./host-section.ts";
import { createMachine, type Machine } from "./machine.ts";
import { FORMAT_BYTES, FORMATS } from "./numerics.ts";
import { type ScheduleStep, scheduleStepSchema } from "./schedule-section.ts";
import { INSTRUCTION_BYTES, type Instruction, ISA_VERSION, UNIT_KINDS } from "./table.ts";

/** Where a tensor's bytes in DRAM come from. none: the tensor lives in SRAM only. */
export const TENSOR_ROLES = ["input", "output", "intermediate", "constant", "none"] as const;

const extent = z.number().int().min(1).max(65535);
const address = z.number().int().min(0).max(0xffffffff);

/** Ids are 16 bits wide in instructions and the source map, semaphores 8 bits with 0 for none. */
export const MAX_TENSORS = 65535;
export const MAX_LAYERS = 65535;
export const MAX_SEMAPHORES = 255;

export const tensorSchema = z.strictObject({
  name: z.string().max(20000),
  height: extent,
  width: extent,
  channels: extent,
  format: z.enum(FORMATS),
  role: z.enum(TENSOR_ROLES),
  /** DRAM byte address; 0 for role none. */
  address,
});
/** A tensor of a program; the index in `tensors` is its id. */
export type ProgramTensor = z.infer<typeof tensorSchema>;

const unitRefSchema = z.strictObject({ kind: z.enum(UNIT_KINDS), tp: z.number().int().min(0).max(3) });

export const semaphoreSchema = z.strictObject({
  producer: unitRefSchema,
  consumer: unitRefSchema,
  /** The agent grid the offset is in; 1 x 256 when the offset is (0, 0). */
  gridY: z.number().int().min(1).max(256),
  gridX: z.number().int().min(1).max(256),
  /** A signal from agent (iy, ix) goes to agent (iy + offsetY, ix + offsetX). */
  offsetY: z.number().int().min(-255).max(255),
  offsetX: z.number().int().min(-255).max(255),
  /** Signals already there when the first frame starts: waits for the frame before, which the first frame has not. */
  initial: z.number().int().min(0).max(65535),
});
/** A semaphore: one producer unit, one consumer unit; the k-th wait takes the (k - initial)-th signal. Ids start at 1. */
export type Semaphore = z.infer<typeof semaphoreSchema>;

export const layerSchema = z.strictObject({
  name: z.string().max(20000),
  op: z.string().max(40),
  /** Layers whose work this one's instructions do as well, for reports: "pool1". */
  fused: z.array(z.string().max(20000)).max(64),
});
export type ProgramLayer = z.infer<typeof layerSchema>;

export const persistentSchema = z.strictObject({ name: z.string(), address, bytes: address });
/** SRAM that keeps its contents from the prologue through all frames. */
export type PersistentArea = z.infer<typeof persistentSchema>;

export const provenanceSchema = z.strictObject({
  rapsim: z.string(),
  source: z.string(),
  sourceSha256: z.string(),
  options: z.record(z.string(), z.union([z.string(), z.number(), z.boolean()])),
});
export type Provenance = z.infer<typeof provenanceSchema>;

export const scheduleSchema = z.array(scheduleStepSchema).max(MAX_LAYERS);

const metaSchema = z.strictObject({
  name: z.string().max(20000),
  prologueInstructions: z.number().int().nonnegative(),
  constantsAddress: address,
  dramBytes: address,
  layers: z.array(layerSchema).max(MAX_LAYERS),
  persistent: z.array(persistentSchema).max(65535),
  schedule: scheduleSchema,
  provenance: provenanceSchema,
});

/** The layer and the tile within it that an instruction works for. layer 65535: none. */
export interface SourceRef {
  readonly layer: number;
  readonly tile: number;
}
export const NO_LAYER = 65535;

export interface Program {
  readonly name: string;
  readonly machine: Machine;
  readonly tensors: readonly ProgramTensor[];
  readonly semaphores: readonly Semaphore[];
  /** Run once; ends in halt. May be empty. */
  readonly prologue: readonly Instruction[];
  /** One frame; ends in halt. */
  readonly body: readonly Instruction[];
  /** One per instruction, prologue first. */
  readonly sourceMap: readonly SourceRef[];
  /** Line of the assembly text each instruction comes from, for messages; not part of a file. */
  readonly sourceLines?: readonly number[];
  readonly layers: readonly ProgramLayer[];
  /** Bytes placed in DRAM at `constantsAddress` before the first instruction. */
  readonly constants: Uint8Array;
  readonly constantsAddress: number;
  /** DRAM the program uses: all tensors and constants lie below. */
  readonly dramBytes: number;
  readonly persistent: readonly PersistentArea[];
  /** What the compiler decided; nothing in a program written by hand. */
  readonly schedule: readonly ScheduleStep[];
  readonly host: HostSection;
  readonly provenance: Provenance;
}

export const PROGRAM_KIND: ContainerKind = {
  magic: "RAPSIMPG",
  what: "a rapsim program",
  contentVersion: ISA_VERSION,
  versioned: "ISA",
  remedy: "rapsim compile",
  tags: ["META", "MACH", "TENS", "SEMA", "CODE", "SMAP", "CNST", "HOST"],
};

/** Highest DRAM a program may ask for; the simulator keeps it in one linear memory. */
export const MAX_DRAM_BYTES = 2 ** 30;

/** SHA-256 of a program's file bytes. */
export function sha256(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}

const toJson = (value: unknown) => Buffer.from(JSON.stringify(value), "utf8");
/** JSON with the keys in the schema's order: equal programs give equal bytes. */
const inOrder = <T>(schema: z.ZodType<T>, value: T) => toJson(schema.parse(value));

/** The program as a file. @throws RapError or ZodError when it has no such form (a bug of who made it) */
export function encodeProgram(program: Program): Uint8Array {
  const {
    name,
    machine,
    tensors,
    semaphores,
    prologue,
    body,
    sourceMap,
    layers,
    constants,
    constantsAddress,
    dramBytes,
  } = program;
  const map = new DataView(new ArrayBuffer(sourceMap.length * 4));
  sourceMap.forEach(({ layer, tile }, i) => {
    map.setUint16(i * 4, layer, true);
    map.setUint16(i * 4 + 2, tile, true);
  });
  return packContainer(PROGRAM_KIND, {
    META: inOrder(metaSchema, {
      name,
      prologueInstructions: prologue.length,
      constantsAddress,
      dramBytes,
      layers: [...layers],
      persistent: [...program.persistent],
      schedule: [...program.schedule],
      provenance: program.provenance,
    }),
    MACH: toJson({ name: machine.name, parameters: machine.parameters }),
    TENS: inOrder(tensorsSchema, [...tensors]),
    SEMA: inOrder(semaphoresSchema, [...semaphores]),
    CODE: encodeCode([...prologue, ...body]),
    SMAP: new Uint8Array(map.buffer),
    CNST: constants,
    HOST: inOrder(hostSectionSchema, program.host),
  });
}

/** Parses a JSON section against its schema. @throws RapError naming path, section and the field */
export function parseJsonSection<T>(schema: z.ZodType<T>, bytes: Uint8Array, place: string): T {
  let content: unknown;
  try {
    content = JSON.parse(Buffer.from(bytes).toString("utf8"));
  } catch (error) {
    throw new RapError(`${place}: not JSON; the file is damaged`, { cause: error });
  }
  // to compile the schema takes longer than to read a section once
  const result = schema.safeParse(content, { jitless: true });
  if (result.success) return result.data;
  const issue = result.error.issues[0];
  throw new RapError(`${place}: ${issue.path.join(".") || "content"}: ${issue.message}`);
}

const tensorsSchema = z.array(tensorSchema).max(MAX_TENSORS);
const semaphoresSchema = z.array(semaphoreSchema).max(MAX_SEMAPHORES);
const machineSectionSchema = z.strictObject({ name: z.string(), parameters: z.record(z.string(), z.unknown()) });

/**
 * Decodes a program file. Checks the form of everything; `checkProgram` checks what the instructions do.
 * @param path named in messages. @throws RapError
 */
export function decodeProgram(file: Uint8Array, path: string): Program {
  const sections = unpackContainer(PROGRAM_KIND, file, path);
  const section = (tag: string) => sections.get(tag)!;
  const json = <T>(schema: z.ZodType<T>, tag: string) =>
    parseJsonSection(schema, section(tag), `${path}: section ${tag}`);
  const meta = json(metaSchema, "META");
  const mach = json(machineSectionSchema, "MACH");
  const machine = createMachine(mach.name, mach.parameters, `${path}: section MACH`);
  const tensors = json(tensorsSchema, "TENS");
  const semaphores = json(semaphoresSchema, "SEMA");
  const host = json(hostSectionSchema, "HOST");
  const code = decodeCode(section("CODE"), `${path}: section CODE`);
  const map = section("SMAP");
  const fail = (message: string): never => {
    throw new RapError(`${path}: ${message}; the file is damaged`);
  };
  if (map.length !== code.length * 4)
    fail(`section SMAP: ${map.length} bytes for ${code.length} instructions, expected ${code.length * 4}`);
  if (meta.prologueInstructions > code.length) {
    fail(
      `section META: prologue of ${meta.prologueInstructions} instructions in a program of ${code.length * INSTRUCTION_BYTES} bytes`,
    );
  }
  const view = new DataView(map.buffer, map.byteOffset, map.byteLength);
  const sourceMap = code.map((_, i) => ({ layer: view.getUint16(i * 4, true), tile: view.getUint16(i * 4 + 2, true) }));
  const wrong = sourceMap.findIndex(({ layer }) => layer !== NO_LAYER && layer >= meta.layers.length);
  if (wrong >= 0)
    fail(`section SMAP: instruction ${wrong} names layer ${sourceMap[wrong].layer} of ${meta.layers.length}`);
  return {
    name: meta.name,
    machine,
    tensors,
    semaphores,
    prologue: code.slice(0, meta.prologueInstructions),
    body: code.slice(meta.prologueInstructions),
    sourceMap,
    layers: meta.layers,
    constants: section("CNST"),
    constantsAddress: meta.constantsAddress,
    dramBytes: meta.dramBytes,
    persistent: meta.persistent,
    schedule: meta.schedule,
    host,
    provenance: meta.provenance,
  };
}

export function tensorBytes(tensor: ProgramTensor): number {
  return tensor.height * tensor.width * tensor.channels * FORMAT_BYTES[tensor.format];
}

/** The tensor's place in DRAM. @throws RapError when it has none */
export function inDram(tensor: ProgramTensor): DramTensor {
  if (tensor.role === "none") throw new RapError(`tensor '${tensor.name}' has no place in DRAM`);
  return tensor;
}

/** All instructions, prologue first: indices into this list name instructions everywhere. */
export function allInstructions(program: Program): readonly Instruction[] {
  return [...program.prologue, ...program.body];
}

/** `#12 conv (fire2, tile 3)`, `#12 conv (fire2, tile 3, line 40)`: how messages and reports name an instruction. */
export function nameInstruction(program: Program, index: number): string {
  const instruction =
    index < program.prologue.length ? program.prologue[index] : program.body[index - program.prologue.length];
  const { layer, tile } = program.sourceMap[index];
  const where = layer === NO_LAYER ? [] : [program.layers[layer].name, `tile ${tile}`];
  const line = program.sourceLines?.[index];
  if (line !== undefined) where.push(`line ${line}`);
  return `#${index} ${instruction.op}${where.length > 0 ? ` (${where.join(", ")})` : ""}`;
}
