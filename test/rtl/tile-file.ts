/** Tiles as test/rtl/bench.sv reads them, and its results. */
import { readFileSync } from "node:fs";
import {
  type AgentWork,
  agentWork,
  type BoundInstruction,
  type Instruction,
  PACKINGS,
  type UnitKind,
  unitKindOf,
  type View,
  viewAddress,
} from "../../isa/index.ts";
import type { TileProgram } from "./tiles.ts";

/** A field's type and name, by struct: the order in which tile.sv declares them is that of the file. */
const STRUCTS: ReadonlyMap<string, readonly (readonly [type: string, name: string])[]> = (() => {
  const source = readFileSync(new URL("tile.sv", import.meta.url), "utf8").replace(/\/\/.*/g, "");
  const structs = [...source.matchAll(/typedef struct packed \{([^}]*)\} (\w+);/g)];
  return new Map(
    structs.map(([, body, name]) => [
      name,
      [...body.matchAll(/(\w+)\s+([\w\s,]+);/g)].flatMap(([, type, names]) =>
        names.split(",").map((field) => [type, field.trim()] as const),
      ),
    ]),
  );
})();

type Fields = { readonly [name: string]: number | Fields };

function flatten(struct: string, fields: Fields): number[] {
  return STRUCTS.get(struct)!.flatMap(([type, name]) => {
    const value = fields[name];
    if (value === undefined) throw new Error(`${struct}.${name} is not given`);
    return typeof value === "number" ? [value] : flatten(type, value);
  });
}

const POOL_MODES = ["max", "average", "averageAll"];
const UNITS: readonly UnitKind[] = ["mac", "shift", "pool"];

const viewFields = ({ address, rowPitch, pixelPitch, window }: View): Fields => ({
  address,
  rowPitch,
  pixelPitch,
  ...window,
});

/** What the scalar processor hands to a unit. */
function fieldsOf({ checked }: TileProgram, bound: BoundInstruction, work: AgentWork, sync: Fields): number[] {
  const { tensors } = checked.program;
  const instruction = bound.instruction as Instruction;
  const plain = Object.fromEntries(
    Object.entries(instruction).flatMap(([name, value]) =>
      typeof value === "number" || typeof value === "boolean" ? [[name, Number(value)]] : [],
    ),
  );
  const common = { ...plain, sync, box: { ...work.box }, whole: { ...work.whole } };
  const view = (field: string) => viewFields(work.view(field));
  const source = (field: string) => {
    const { height, width, format } = tensors[work.view(field).tensor];
    return { src: view(field), height, width, isUnsigned: Number(format === "u8") };
  };
  switch (instruction.op) {
    case "conv": {
      const packing = PACKINGS.indexOf(instruction.packing);
      return flatten("conv_t", { ...common, ...source("src"), weights: view("weights"), packing });
    }
    case "shift": {
      const isWide = Number(work.view("dst").format === "i32");
      return flatten("shift_t", { ...common, tbl: view("table"), dst: view("dst"), isWide });
    }
    case "pool":
      return flatten("pool_t", {
        ...common,
        ...source("src"),
        dst: view("dst"),
        mode: POOL_MODES.indexOf(instruction.mode),
      });
    default:
      throw new Error(`${instruction.op}: not of a tensor processor`);
  }
}

/** Where the instructions of a tile stand in the program, in the order of the results: mac, shift, pool. */
export function unitIndices({ checked }: TileProgram): number[] {
  return UNITS.flatMap((unit) =>
    checked.bound.flatMap(({ instruction }, index) => (unitKindOf(instruction as Instruction) === unit ? [index] : [])),
  );
}

/** SRAM when the loads are done. */
function loadedSram({ checked, sramWords }: TileProgram): Uint8Array {
  const { program, bound } = checked;
  const sram = new Uint8Array(sramWords * 4);
  const dram = new Uint8Array(program.dramBytes);
  dram.set(program.constants, program.constantsAddress);
  for (const item of bound) {
    if (item.instruction.op !== "load") continue;
    const work = agentWork(program, item, 0)!;
    const view = work.view("dst");
    const { address, width, channels } = program.tensors[view.tensor];
    for (let y = work.box.y0; y < work.box.y1; y++) {
      for (let x = work.box.x0; x < work.box.x1; x++) {
        const from = address + (y * width + x) * channels;
        sram.set(dram.subarray(from, from + channels), viewAddress(view, y, x, 0));
      }
    }
  }
  return sram;
}

/** One tile of the file. */
export function tileText(tile: TileProgram): string {
  const { checked, sramWords, accumulatorRows } = tile;
  const { program, bound } = checked;
  const p = program.machine.parameters;
  const words = new Uint32Array(loadedSram(tile).buffer);
  const lines = [
    `${Number(p["array.passOverlap"])} ${Number(p["array.hiddenPreload"])} ${accumulatorRows} ${sramWords}`,
    [...words].map((word) => word.toString(16)).join(" "),
  ];
  // signals of the loads, and those there from the start, need not be waited for
  const given = program.semaphores.map(({ producer, initial }) =>
    producer.kind === "load" ? Number.POSITIVE_INFINITY : initial,
  );
  const texts = new Map(UNITS.map((unit) => [unit, [] as string[]]));
  for (const item of bound) {
    const unit = unitKindOf(item.instruction as Instruction);
    const text = unit === null ? undefined : texts.get(unit);
    if (text === undefined) continue;
    const { waits, signals } = item.instruction;
    const mask = (semaphores: readonly number[]) => semaphores.reduce((sum, id) => sum | (1 << id), 0);
    const sync = { waits: mask(waits.filter((id) => --given[id - 1] < 0)), signals: mask(signals) };
    text.push(fieldsOf(tile, item, agentWork(program, item, 0)!, sync).join(" "));
  }
  for (const unit of UNITS) lines.push(String(texts.get(unit)!.length), ...texts.get(unit)!);
  return lines.join("\n");
}

export interface TileResult {
  /** In the order of `unitIndices`, in cycles from the first start. */
  readonly spans: readonly { readonly start: number; readonly end: number }[];
  readonly sram: Uint8Array;
  /** [row][column] */
  readonly accumulators: Int32Array;
}

/** Reads the results of tiles with so many instructions each. */
export function readResults(text: string, counts: readonly number[]): TileResult[] {
  const lines = text.split("\n");
  let at = 0;
  const numbers = (line: string, radix: number) =>
    line
      .trim()
      .split(" ")
      .map((number) => Number.parseInt(number, radix));
  return counts.map((count) => {
    const spans = lines.slice(at, at + count).map((line) => {
      const [start, end] = numbers(line, 10);
      return { start, end };
    });
    const sram = new Uint8Array(Uint32Array.from(numbers(lines[at + count], 16)).buffer);
    const accumulators = Int32Array.from(numbers(lines[at + count + 1], 10));
    at += count + 2;
    return { spans, sram, accumulators };
  });
}
