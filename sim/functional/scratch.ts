import { FORMAT_BYTES, RapError } from "../../isa/index.ts";
import { alignUp } from "./memory-map.ts";

const PAGE_BYTES = 65536;
const MAX_BYTES = 2 ** 32;

/** A working area that all instructions share, as large as the largest needs. Its address is known after `commit`. */
export class Area {
  address = 0;
  bytes = 0;

  need(bytes: number): void {
    this.bytes = Math.max(this.bytes, bytes);
  }
}

/**
 * The simulator's own part of the linear memory, behind the chip's: reserved while steps are prepared, there once
 * `commit` has grown the memory.
 */
export class Scratch {
  /** i16 input patch of a convolution. */
  readonly patch = new Area();
  /** Operands that must first be made dense. */
  readonly staging = new Area();
  /** A shift table that must first be made dense. */
  readonly table = new Area();
  /** Packed weights that are not remembered. */
  readonly weights = new Area();

  private readonly constants = new Map<string, { readonly address: number; readonly values: readonly number[] }>();

  constructor(private end: number) {}

  /** Address of so many bytes of its own. */
  reserve(bytes: number): number {
    const address = this.end;
    this.end = alignUp(address + bytes);
    return address;
  }

  /** Address of an int32 list with these values; equal lists are one. */
  int32List(values: readonly number[]): number {
    const key = values.join();
    const known = this.constants.get(key);
    if (known !== undefined) return known.address;
    const address = this.reserve(values.length * FORMAT_BYTES.i32);
    this.constants.set(key, { address, values });
    return address;
  }

  /** Places the areas, grows the memory and writes the lists; returns where all ends. @throws RapError naming `what` beyond 4 GiB */
  commit(memory: WebAssembly.Memory, what: string): number {
    for (const area of [this.patch, this.staging, this.table, this.weights]) area.address = this.reserve(area.bytes);
    if (this.end > MAX_BYTES) {
      throw new RapError(
        `${what}: chip, DRAM and the simulator's scratch take ${this.end} B; functional execution holds at most ${MAX_BYTES} B (4 GiB). Make agents, sram.bytes or the tiles smaller, or run without values (--mode timing)`,
      );
    }
    const missing = this.end - memory.buffer.byteLength;
    try {
      if (missing > 0) memory.grow(Math.ceil(missing / PAGE_BYTES));
    } catch (cause) {
      throw new RapError(`${what}: this computer does not grant ${this.end} B of memory`, { cause });
    }
    for (const { address, values } of this.constants.values()) {
      new Int32Array(memory.buffer, address, values.length).set(values);
    }
    return this.end;
  }
}
