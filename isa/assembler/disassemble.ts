/** A program to assembly text that `assemble` turns into the same bytes again. */
import { type Machine, machineSha256, PARAMETER_KEYS } from "../machine.ts";
import { loadPreset, presetNames } from "../presets.ts";
import {
  NO_LAYER,
  type PersistentArea,
  type Program,
  type ProgramLayer,
  type ProgramTensor,
  type Semaphore,
  type SourceRef,
} from "../program.ts";
import { type Instruction, ISA_VERSION } from "../table.ts";
import { constantsText } from "./constants.ts";
import { NO_OFFSET_GRID } from "./directives.ts";
import { instructionText, type ProgramNames } from "./operands.ts";
import { NameList, NONE, nameText } from "./words.ts";

/** The whole program as text, `; #12` behind each instruction. Semaphores have no names in a program: they become s1, s2, ... */
export function disassemble(program: Program): string {
  const { prologue, body, constants, constantsAddress, tensors } = program;
  const names: ProgramNames = {
    tensors: new NameList("tensor", tensors, 0),
    semaphores: new NameList("semaphore", semaphoreNames(program.semaphores.length), 1),
  };
  const blocks = [
    [
      `; rapsim assembly, ISA ${ISA_VERSION}: ${prologue.length + body.length} instructions`,
      `.name ${nameText(program.name)}`,
      ...machineText(program.machine),
      `.dram ${program.dramBytes}`,
    ],
    tensors.map(tensorText),
    program.persistent.map(persistentText),
    program.semaphores.map((semaphore, i) => `.semaphore s${i + 1} ${semaphoreText(semaphore)}`),
    program.layers.map(layerText),
    prologue.length > 0 ? [".prologue", ...streamText(program, prologue, 0, names)] : [],
    [".body", ...streamText(program, body, prologue.length, names)],
    constantsText(constants, constantsAddress, tensors, names.tensors),
    program.schedule.length > 0 ? [".schedule", ...jsonLines(program.schedule), ".end"] : [],
    [".host", ...jsonLines(program.host), ".end"],
    [".provenance", ...jsonLines(program.provenance), ".end"],
  ];
  const text = blocks.filter((lines) => lines.length > 0).map((lines) => lines.join("\n"));
  return `${text.join("\n\n")}\n`;
}

const semaphoreNames = (count: number) => Array.from({ length: count }, (_, i) => ({ name: `s${i + 1}` }));

/** A preset by its name alone, any other machine with all its parameters. */
function machineText(machine: Machine): string[] {
  const { name, parameters } = machine;
  if (presetNames().includes(name) && machineSha256(loadPreset(name)) === machineSha256(machine))
    return [`.machine ${nameText(name)}`];
  return [`.machine ${nameText(name)} custom`, ...PARAMETER_KEYS.map((key) => `.parameter ${key} ${parameters[key]}`)];
}

function tensorText({ name, height, width, channels, format, role, address }: ProgramTensor): string {
  const place = role === "none" && address === 0 ? "" : ` ${role} at ${address}`;
  return `.tensor ${nameText(name)} ${height}x${width}x${channels} ${format}${place}`;
}

const unitText = ({ kind, tp }: Semaphore["producer"]) => (tp === 0 ? kind : `${kind}${tp}`);

function semaphoreText({ producer, consumer, gridY, gridX, offsetY, offsetX, initial }: Semaphore): string {
  const hasOffset = offsetY !== 0 || offsetX !== 0;
  const hasGrid = hasOffset || gridY !== NO_OFFSET_GRID.gridY || gridX !== NO_OFFSET_GRID.gridX;
  return [
    `${unitText(producer)} -> ${unitText(consumer)}`,
    ...(hasGrid ? [`grid ${gridY}x${gridX}`] : []),
    ...(hasOffset ? [`offset ${offsetY},${offsetX}`] : []),
    ...(initial > 0 ? [`initial ${initial}`] : []),
  ].join(" ");
}

function persistentText({ name, address, bytes }: PersistentArea): string {
  return `.persistent ${nameText(name)} at ${address} size ${bytes}`;
}

function layerText({ name, op, fused }: ProgramLayer): string {
  return [".layer", ...[name, op].map(nameText), ...(fused.length > 0 ? ["fused", ...fused.map(nameText)] : [])].join(
    " ",
  );
}

/** @param first index of the first instruction in the source map */
function streamText(
  { sourceMap, layers }: Program,
  instructions: readonly Instruction[],
  first: number,
  names: ProgramNames,
): string[] {
  const layerNames = new NameList("layer", layers, 0);
  const lines: string[] = [];
  let at: SourceRef = { layer: NO_LAYER, tile: 0 };
  instructions.forEach((instruction, i) => {
    const ref = sourceMap[first + i];
    if (ref.layer !== at.layer || ref.tile !== at.tile) {
      lines.push(`.tile ${ref.layer === NO_LAYER ? NONE : layerNames.text(ref.layer)} ${ref.tile}`);
      at = ref;
    }
    lines.push(`  ${instructionText(instruction, names)} ; #${first + i}`);
  });
  return lines;
}

const JSON_WIDTH = 110;

/** JSON with short values on one line and long ones opened up. */
function jsonLines(value: unknown, indent = "", before = "", after = ""): string[] {
  const line = `${indent}${before}${JSON.stringify(value)}${after}`;
  if (line.length <= JSON_WIDTH || typeof value !== "object" || value === null) return [line];
  const isList = Array.isArray(value);
  const entries = isList
    ? value.map((item) => ["", item])
    : Object.entries(value).map(([k, v]) => [`${JSON.stringify(k)}: `, v]);
  return [
    `${indent}${before}${isList ? "[" : "{"}`,
    ...entries.flatMap(([key, item], i) =>
      jsonLines(item, `${indent}  `, key as string, i < entries.length - 1 ? "," : ""),
    ),
    `${indent}${isList ? "]" : "}"}${after}`,
  ];
}
