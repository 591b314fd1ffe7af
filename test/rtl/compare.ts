/** Values and cycles of random tiles: the SystemVerilog model against the simulator. */
import fc from "fast-check";
import { Execution, type Probe } from "../../sim/functional/index.ts";
import { run } from "../timing/build.ts";
import { arbitraryCase, type Case, type TensorProcessor } from "./cases.ts";
import { type TileResult, unitIndices } from "./tile-file.ts";
import { type TileProgram, tileProgram } from "./tiles.ts";
import { runTiles } from "./verilate.ts";

export interface Comparison {
  readonly instructions: number;
  /** One line for each tile that differs. */
  readonly values: readonly string[];
  /** One line for each instruction that ends earlier or later. */
  readonly cycles: readonly string[];
}

export interface Item {
  readonly case: Case;
  readonly tile: TileProgram;
}

/** So many random tiles, always the same for one seed. */
export function randomTiles(processor: TensorProcessor, count: number, seed: number): Item[] {
  // more than needed: not every case has a tile
  const cases = fc.sample(arbitraryCase(processor), { seed, numRuns: 4 * count });
  const items = cases.flatMap((drawn) => {
    const tile = tileProgram(drawn, processor);
    return tile === null ? [] : [{ case: drawn, tile }];
  });
  if (items.length < count) throw new Error(`${items.length} of ${cases.length} cases have a tile`);
  return items.slice(0, count);
}

/** What is different, or null. */
function valueFault({ checked, sramWords }: TileProgram, result: TileResult): string | null {
  const execution = new Execution(checked);
  const probes: Probe[] = [];
  execution.onProbe = (probe) => probes.push(probe);
  execution.runFrame(Int8Array.of(0));

  const sram = execution.readSram(0);
  for (let i = 0; i < sramWords * 4; i++)
    if (sram[i] !== result.sram[i]) return `SRAM byte ${i}: ${sram[i]}, not ${result.sram[i]}`;

  const { "array.cols": cols } = checked.program.machine.parameters;
  const seen = new Set<number>();
  for (const { index, box, values } of probes.reverse()) {
    const { instruction } = checked.bound[index];
    if (instruction.op !== "shift" || seen.has(instruction.accRow)) continue; // overwritten by a later tile
    seen.add(instruction.accRow);
    let i = 0;
    for (let y = box.y0; y < box.y1; y++) {
      for (let x = box.x0; x < box.x1; x++) {
        for (let c = box.c0; c < box.c1; c++, i++) {
          const channel = c - instruction.c.base;
          const block = Math.floor(channel / cols) * instruction.y.extent * instruction.x.extent;
          const pixel = (y - instruction.y.base) * instruction.x.extent + x - instruction.x.base;
          const value = result.accumulators[(instruction.accRow + block + pixel) * cols + (channel % cols)];
          if (values[i] !== value) return `accumulator (${y}, ${x}, ${c}): ${values[i]}, not ${value}`;
        }
      }
    }
  }
  return null;
}

/** Instructions that do not end when the simulator says. Cycles count from the first convolution's start. */
function cycleFaults(tile: TileProgram, { spans }: TileResult): string[] {
  const { span } = run(tile.checked);
  const indices = unitIndices(tile);
  const origin = span(indices[0]).start;
  return indices.flatMap((index, i) => {
    const { op } = tile.checked.bound[index].instruction;
    const start = span(index).start - origin;
    const end = span(index).end - origin;
    if (end === spans[i].end) return [];
    return [`${op} ${index} ${start}..${end}, not ${spans[i].start}..${spans[i].end}`];
  });
}

/** Runs tiles in the built model. @param fault number of the planted one, 0: none */
export function compare(program: string, items: readonly Item[], fault = 0): Comparison {
  const results = runTiles(
    program,
    items.map(({ tile }) => tile),
    fault,
  );
  const at = (item: Item, difference: string) => `${difference}: ${JSON.stringify(item.case)}`;
  return {
    instructions: results.reduce((sum, { spans }) => sum + spans.length, 0),
    values: items.flatMap((item, i) => {
      const fault = valueFault(item.tile, results[i]);
      return fault === null ? [] : [at(item, fault)];
    }),
    cycles: items.flatMap((item, i) => cycleFaults(item.tile, results[i]).map((fault) => at(item, fault))),
  };
}
