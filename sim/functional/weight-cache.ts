import type { Kernels } from "../kernel-api.ts";
import type { Scratch } from "./scratch.ts";

/** Packed weights and the bytes they were made from take at most this; further ones are packed at each use. */
const CACHE_BYTES = 512 * 2 ** 20;

/** Weights of one block of output channels: int8 rows, taps x channels, each of `array.cols` bytes. */
export interface PackedWeights {
  readonly taps: number;
  readonly channels: number;
  /** Addresses of the form the dense convolution reads, and of its source's bytes; null: not remembered. */
  readonly stored: { readonly packed: number; readonly copy: number } | null;
  filled: boolean;
}

/**
 * Packs each piece of weights once, though sixteen agents hold it and every frame loads it again. An entry stands for
 * a place in a weight tensor, but is trusted for its content alone: it keeps the source's bytes and compares.
 */
export class WeightCache {
  /** By place, as one number: a program asks for tens of thousands. */
  private readonly entries = new Map<number, PackedWeights[]>();
  private usedBytes = 0;

  constructor(
    private readonly kernels: Kernels,
    private readonly scratch: Scratch,
    private readonly cols: number,
  ) {}

  /** The entry for a piece of a weight tensor: of its block `block`, from row `row` on. All three have 16 bits. */
  entry(tensor: number, block: number, row: number, taps: number, channels: number): PackedWeights {
    const place = (tensor * 2 ** 16 + block) * 2 ** 16 + row;
    let pieces = this.entries.get(place);
    if (pieces === undefined) {
      pieces = [];
      this.entries.set(place, pieces);
    }
    let entry = pieces.find((piece) => piece.taps === taps && piece.channels === channels);
    if (entry === undefined) {
      const copyBytes = taps * channels * this.cols;
      const packedBytes = taps * (channels + (channels % 2)) * this.cols * 2;
      const remembered = this.usedBytes + copyBytes + packedBytes <= CACHE_BYTES;
      if (remembered) this.usedBytes += copyBytes + packedBytes;
      else this.scratch.weights.need(packedBytes);
      const { scratch } = this;
      const stored = remembered ? { packed: scratch.reserve(packedBytes), copy: scratch.reserve(copyBytes) } : null;
      entry = { taps, channels, stored, filled: false };
      pieces.push(entry);
    }
    return entry;
  }

  /** Address of the packed form of the rows at `source`. */
  pack(entry: PackedWeights, source: number): number {
    const { taps, channels, stored } = entry;
    const bytes = taps * channels * this.cols;
    if (stored !== null) {
      if (entry.filled && this.kernels.equalBytes(source, stored.copy, bytes) === 1) return stored.packed;
      this.kernels.copyBox(source, 0, 0, stored.copy, 0, 0, 1, 1, bytes);
      entry.filled = true;
    }
    const packed = stored === null ? this.scratch.weights.address : stored.packed;
    this.kernels.packWeights(source, packed, taps, channels, this.cols);
    return packed;
  }
}
