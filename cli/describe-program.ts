/** What a program file holds, as data and as text. */
import {
  allInstructions,
  INSTRUCTION_BYTES,
  ISA_VERSION,
  machineSha256,
  NO_LAYER,
  type Op,
  type Program,
  sha256,
  TENSOR_ROLES,
  tensorBytes,
} from "../isa/index.ts";
import {
  type Column,
  count,
  grouped,
  type Page,
  printable,
  scalingText,
  tableLines,
  withPrefix,
} from "../report/index.ts";
import { hostLines, labelled, provenanceLines, scalingLines } from "./describe-host.ts";
import { shown } from "./files.ts";

interface LayerFacts {
  readonly name: string;
  readonly op: string;
  readonly fused: readonly string[];
  readonly tiles: number;
  readonly instructions: number;
}

/** Instructions and tiles of each layer, in order. */
function layerFacts({ layers, sourceMap }: Program): LayerFacts[] {
  const counts = layers.map(() => ({ instructions: 0, tiles: new Set<number>() }));
  for (const { layer, tile } of sourceMap) {
    if (layer === NO_LAYER) continue;
    counts[layer].instructions++;
    counts[layer].tiles.add(tile);
  }
  return layers.map((layer, i) => ({ ...layer, tiles: counts[i].tiles.size, instructions: counts[i].instructions }));
}

export type ProgramFacts = ReturnType<typeof programFacts>;

export function programFacts(program: Program, file: Uint8Array) {
  const { name, machine, host, provenance, constants, dramBytes, persistent, prologue, body, tensors } = program;
  const byOp: { [O in Op]?: number } = {};
  for (const { op } of allInstructions(program)) byOp[op] = (byOp[op] ?? 0) + 1;
  const byRole = TENSOR_ROLES.map((role) => {
    const some = tensors.filter((tensor) => tensor.role === role);
    return { role, count: some.length, bytes: some.reduce((sum, tensor) => sum + tensorBytes(tensor), 0) };
  });
  return {
    kind: "program" as const,
    name,
    bytes: file.length,
    sha256: sha256(file),
    isaVersion: ISA_VERSION,
    machine: { name: machine.name, sha256: machineSha256(machine), parameters: machine.parameters },
    host,
    instructions: { prologue: prologue.length, body: body.length, byOp },
    layers: layerFacts(program),
    tensors: byRole.filter(({ count }) => count > 0),
    semaphores: program.semaphores.length,
    constantsBytes: constants.length,
    dramBytes,
    persistent,
    provenance,
  };
}

const LAYER_COLUMNS: readonly Column<LayerFacts>[] = [
  {
    head: "layer",
    align: "left",
    cell: ({ name, fused }) => printable([name, ...fused].join("+")),
    maxWidth: 50,
    shrinkTo: 16,
  },
  { head: "op", align: "left", cell: ({ op }) => printable(op) },
  { head: "tiles", align: "right", cell: ({ tiles }) => grouped(tiles) },
  { head: "instructions", align: "right", cell: ({ instructions }) => grouped(instructions) },
];

const ROLE_TEXT: Record<string, string> = { none: "in SRAM only" };

export function programLines(page: Page, path: string, facts: ProgramFacts): string[] {
  const { instructions, machine } = facts;
  const { agents, "array.rows": rows, "array.cols": cols } = machine.parameters;
  const code = instructions.prologue + instructions.body;
  const ops = Object.entries(instructions.byOp).sort(([, a], [, b]) => b - a);
  return [
    `${page.bold(path)}: a rapsim program (ISA ${facts.isaVersion}), ${grouped(facts.bytes)} bytes`,
    "",
    ...labelled(page, "name", printable(facts.name)),
    ...labelled(page, "SHA-256", facts.sha256),
    ...labelled(page, "machine", `${printable(machine.name)}: ${count(agents, "agent")}, arrays of ${rows} x ${cols}`),
    ...hostLines(page, facts.host),
    ...scalingLines(page, facts.provenance),
    ...labelled(
      page,
      "code",
      `${count(code, "instruction")} (${grouped(instructions.prologue)} in the prologue), ${withPrefix(code * INSTRUCTION_BYTES, "B")}: ${ops.map(([op, n]) => `${op} ${grouped(n)}`).join(", ")}`,
    ),
    ...labelled(
      page,
      "tensors",
      facts.tensors
        .map(({ role, count, bytes }) => `${grouped(count)} ${ROLE_TEXT[role] ?? role} (${withPrefix(bytes, "B")})`)
        .join(", "),
    ),
    ...labelled(
      page,
      "memory",
      `${withPrefix(facts.dramBytes, "B")} of DRAM, ${withPrefix(facts.constantsBytes, "B")} of it constants; ${count(facts.persistent.length, "area")} of SRAM kept between frames`,
    ),
    ...provenanceLines(page, facts.provenance),
    "",
    page.bold(count(facts.layers.length, "layer")),
    ...(facts.layers.length === 0 ? [] : tableLines(page, LAYER_COLUMNS, facts.layers)),
  ];
}

/** One line: what was just written. */
export function writtenProgramText(
  path: string,
  { program, file }: { readonly program: Program; readonly file: Uint8Array },
): string {
  const code = program.prologue.length + program.body.length;
  return `${shown(path)}: ${printable(program.name)} for ${printable(program.machine.name)}, ${count(program.layers.length, "layer")}${printable(scalingText(program.provenance))}, ${count(code, "instruction")}, ${grouped(file.length)} bytes\n`;
}
