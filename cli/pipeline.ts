/** The stages behind the commands, in one place: files to networks, programs, values, time. Each loads what it needs. */
import type { QuantizedModel } from "../compiler/quantized-model.ts";
import type { CheckedProgram, Machine, Packing, Program } from "../isa/index.ts";
import type { Context } from "./command.ts";
import type { QuantizeChoices } from "./model-options.ts";

/** A program with the bytes of its file. */
export interface ProgramFile {
  readonly program: Program;
  readonly file: Uint8Array;
}

/** What `rapsim run` runs when it is given nothing. */
export const DEFAULT_NETWORK = "squeezedet";

/** A network by file or built-in name, as integers. A .rapq file is taken as it is. */
export async function quantizeModel(model: string, choices: QuantizeChoices, { log, progress }: Context): Promise<QuantizedModel> {
  const { loadModel } = await import("../compiler/front-end.ts");
  const start = performance.now();
  const quantized = await loadModel(model, { ...choices, onProgress: progress.stage("quantize") });
  log.info({ network: quantized.name, milliseconds: elapsed(start) }, "network loaded");
  return quantized;
}

export async function rapqFile(model: QuantizedModel): Promise<Uint8Array> {
  const { encodeRapq } = await import("../compiler/rapq.ts");
  return encodeRapq(model);
}

export interface CompileChoices extends QuantizeChoices {
  readonly machine: Machine;
  readonly packing: Packing | undefined;
}

export async function compileProgram(model: string, choices: CompileChoices, context: Context): Promise<ProgramFile> {
  const { machine, packing, ...quantizeChoices } = choices;
  const quantized = await quantizeModel(model, quantizeChoices, context);
  const { compileModel } = await import("../compiler/index.ts");
  const { encodeProgram } = await import("../isa/index.ts");
  const start = performance.now();
  const report = context.progress.stage("compile");
  const program = compileModel(quantized, machine, {
    ...(packing === undefined ? {} : { packing }),
    onProgress: (_stage, fraction) => report(fraction),
  });
  context.log.info({ program: program.name, machine: machine.name, milliseconds: elapsed(start) }, "compiled");
  return { program, file: encodeProgram(program) };
}

function elapsed(start: number): number {
  return Math.round(performance.now() - start);
}

export async function disassembly(file: Uint8Array, path: string): Promise<string> {
  const { decodeProgram, disassemble } = await import("../isa/index.ts");
  return disassemble(decodeProgram(file, path));
}

export async function assembled(source: Uint8Array, path: string): Promise<ProgramFile> {
  const { assemble, checkProgram, encodeProgram } = await import("../isa/index.ts");
  const program = assemble(Buffer.from(source).toString("utf8"), path);
  checkProgram(program, path);
  return { program, file: encodeProgram(program) };
}

export type DecodedFile =
  | { readonly kind: "program"; readonly program: Program }
  | { readonly kind: "model"; readonly model: QuantizedModel }
  | { readonly kind: "unknown" };

/** What the first bytes announce, decoded. */
export async function decodedFile(file: Uint8Array, path: string): Promise<DecodedFile> {
  const { decodeProgram, hasMagic, PROGRAM_KIND } = await import("../isa/index.ts");
  if (hasMagic(PROGRAM_KIND, file)) return { kind: "program", program: decodeProgram(file, path) };
  const { decodeRapq, RAPQ_KIND } = await import("../compiler/rapq.ts");
  if (hasMagic(RAPQ_KIND, file)) return { kind: "model", model: decodeRapq(file, path) };
  return { kind: "unknown" };
}
