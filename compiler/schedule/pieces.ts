/** How a convolution's box in one stripe is cut into instructions: output-channel groups, rectangles of pixels, input chunks. */
import { ARRAY_PASSES, accumulatorRows, type Machine, type Packing } from "../../isa/index.ts";
import type { QConv } from "../quantized-model.ts";
import type { Operator } from "./operators.ts";
import { hasBuffer, type PhaseChoice, type PhaseShape } from "./phase.ts";

/** What a schedule of convolutions depends on. */
export interface ArrayContext {
  readonly machine: Machine;
  readonly packing: Packing;
}

export interface Pieces {
  /** blocks of array.cols output channels per instruction */
  readonly blocks: number;
  /** pixels per instruction */
  readonly rows: number;
  readonly cols: number;
  /** input channels per instruction */
  readonly chunk: number;
  readonly instructions: number;
  /** of the array, over the box */
  readonly cycles: number;
}

/** An instruction costs issue, two views, and the unevenness of its neighbours. */
const CYCLES_PER_INSTRUCTION = 12;
/** Pieces of streamed weights in SRAM: one in use, the others on their way. */
export const WEIGHT_SLOTS = 3;
/** Streamed weights may take this part of SRAM. */
const STREAM_SHARE = 0.25;

export function inputChannels(conv: QConv): number {
  return conv.weights.length / (conv.bias.length * conv.kernel[0] * conv.kernel[1]);
}

/** Array passes for one block of output channels over all input channels. */
function passesPerBlock(conv: QConv, { machine, packing }: ArrayContext): number {
  const { "array.rows": rows, "array.cols": cols } = machine.parameters;
  const channels = inputChannels(conv) * Math.min(conv.groups, Math.ceil(cols / (conv.bias.length / conv.groups)));
  return ARRAY_PASSES[packing](conv.kernel[0], conv.kernel[1], channels, rows);
}

/** Blocks and input channels of one piece of streamed weights. */
function streamedPiece(conv: QConv, machine: Machine): { maxBlocks: number; chunk: number } {
  const { "array.rows": arrayRows, "array.cols": arrayCols, "sram.bytes": sramBytes } = machine.parameters;
  const bytes = Math.floor((sramBytes * STREAM_SHARE) / WEIGHT_SLOTS);
  const taps = conv.kernel[0] * conv.kernel[1];
  const groupIn = inputChannels(conv);
  const block = groupIn * taps * arrayCols;
  if (block <= bytes || conv.groups > 1) return { maxBlocks: Math.max(1, Math.floor(bytes / block)), chunk: groupIn };
  const fitting = Math.max(1, Math.floor(bytes / (taps * arrayCols)));
  const even = Math.ceil(groupIn / Math.ceil(groupIn / fitting));
  return { maxBlocks: 1, chunk: Math.min(fitting, Math.ceil(even / arrayRows) * arrayRows) };
}

/** Input channels per instruction. */
export function weightChunk(conv: QConv, choice: PhaseChoice, machine: Machine): number {
  return choice.weightsResident ? inputChannels(conv) : streamedPiece(conv, machine).chunk;
}

/** Bytes of one buffer for streamed weights. */
export function streamBytes({ operators }: PhaseShape, machine: Machine): number {
  const cols = machine.parameters["array.cols"];
  let bytes = 0;
  for (const { group, output } of operators) {
    if (group.kind !== "conv") continue;
    const { maxBlocks, chunk } = streamedPiece(group.conv, machine);
    const blocks = Math.min(maxBlocks, Math.ceil(output.channels / cols));
    bytes = Math.max(bytes, blocks * chunk * group.conv.kernel[0] * group.conv.kernel[1] * cols);
  }
  return bytes;
}

/** Whether an operator's result goes to DRAM piece by piece, without a buffer for the stripe. */
export function storesPieces({ output }: Operator, shape: PhaseShape, choice: PhaseChoice): boolean {
  const use = shape.uses.get(output.root)!;
  return use.kind === "output" && choice.homes.get(output.root) === "dram" && !hasBuffer(use, choice);
}

/** Pieces of output on their way to DRAM. */
export const PIECE_SLOTS = 2;

/** An output stored piece by piece: what half the accumulators hold, at 4 bytes. */
export function pieceBytes(machine: Machine): number {
  return Math.floor(machine.parameters["array.accumulatorBytes"] / 2);
}

/**
 * The cut of a box with least time: half of the accumulators for one instruction, so that the shift unit empties the other half meanwhile.
 * Pieces stored by themselves hold enough channels for a DRAM burst where they can.
 * @param storedBytes of an element stored piece by piece; 0: a buffer holds the stripe
 */
export function cutBox(
  operator: Operator,
  conv: QConv,
  height: number,
  width: number,
  weightsResident: boolean,
  storedBytes: number,
  context: ArrayContext,
): Pieces {
  const p = context.machine.parameters;
  const { "array.rows": arrayRows, "array.cols": arrayCols } = p;
  const total = Math.ceil(operator.output.channels / arrayCols);
  const { maxBlocks, chunk } = weightsResident
    ? { maxBlocks: total, chunk: inputChannels(conv) }
    : streamedPiece(conv, context.machine);
  const half = Math.max(1, Math.floor(accumulatorRows(context.machine) / 2));
  const wanted = storedBytes > 0 ? Math.ceil(p["dram.burstBytes"] / (arrayCols * storedBytes)) : 1;
  const least = Math.min(total, maxBlocks, wanted, half);
  const passes = passesPerBlock(conv, context);
  const cols = Math.ceil(width / Math.ceil(width / Math.floor(half / least)));
  const across = Math.ceil(width / cols);
  const pixels = (count: number) => Math.max(count, arrayRows);
  let best: Pieces | null = null;
  let before = 0;
  for (let n = 1; n <= height; n++) {
    const rows = Math.ceil(height / n);
    if (rows === before || rows * cols * least > half) continue;
    before = rows;
    const fitting = Math.min(total, maxBlocks, Math.floor(half / (rows * cols)));
    const blocks = Math.ceil(total / Math.ceil(total / fitting));
    const down = Math.ceil(height / rows);
    const instructions = Math.ceil(total / blocks) * down * across;
    const lastRows = height - (down - 1) * rows;
    const cycles =
      total * passes * across * ((down - 1) * pixels(rows * cols) + pixels(lastRows * cols)) +
      CYCLES_PER_INSTRUCTION * instructions;
    if (best === null || cycles < best.cycles) best = { blocks, rows, cols, chunk, instructions, cycles };
    // fewer rows per instruction only make more instructions
    if (rows === 1 || n > 64) break;
  }
  return best!;
}

/** Cuts already made: operators that stand in many phases are asked for the same boxes over and over. */
export class Cuts {
  private readonly known = new Map<Operator, Map<number, Pieces>>();

  constructor(private readonly context: ArrayContext) {}

  of(operator: Operator, conv: QConv, height: number, width: number, resident: boolean, storedBytes: number): Pieces {
    let ofOperator = this.known.get(operator);
    if (ofOperator === undefined) {
      ofOperator = new Map();
      this.known.set(operator, ofOperator);
    }
    const key = ((height * 65536 + width) * 8 + storedBytes) * 2 + (resident ? 1 : 0);
    let pieces = ofOperator.get(key);
    if (pieces === undefined) {
      pieces = cutBox(operator, conv, height, width, resident, storedBytes, this.context);
      ofOperator.set(key, pieces);
    }
    return pieces;
  }
}
