/** SRAM buffers and their allocation: addresses that never overlap while both buffers are in use. */
import type { Buffer, Draft } from "../../kernels/index.ts";

const ALIGNMENT = 64;

/** Bytes a buffer takes, rounded up to the alignment. */
export const aligned = (bytes: number) => Math.ceil(bytes / ALIGNMENT) * ALIGNMENT;

/** Makes the buffers of one group. */
export class Pool {
  readonly buffers: Buffer[] = [];

  constructor(private readonly group: string) {}

  /** `count` buffers of `bytes` each. */
  slots(name: string, bytes: number, count: number): Buffer[] {
    const made = Array.from({ length: count }, (_, i) => ({ name: `${this.group}/${name}${i}`, bytes, address: -1 }));
    this.buffers.push(...made);
    return made;
  }
}

/** Places buffers one behind the other from `base` on. Returns where they end. */
export function allocatePersistent(buffers: readonly Buffer[], base: number): number {
  let address = base;
  for (const buffer of buffers) {
    buffer.address = address;
    address += aligned(buffer.bytes);
  }
  return address;
}

/**
 * Places each group's buffers one behind the other, groups alternately from the bottom and from the top of
 * [base, sramBytes), so that a group can begin loading while the one before it still works.
 */
export function allocate(groups: readonly (readonly Buffer[])[], base: number, sramBytes: number): void {
  groups.forEach((buffers, i) => {
    let offset = 0;
    for (const buffer of buffers) {
      const bytes = aligned(buffer.bytes);
      buffer.address = i % 2 === 0 ? base + offset : Math.floor(sramBytes / ALIGNMENT) * ALIGNMENT - offset - bytes;
      offset += bytes;
    }
  });
}

/** When a buffer is in use, in program order; both ends included. */
export interface BufferUse {
  first: number;
  last: number;
}

/**
 * Places buffers by when they are used: the largest first, each at the lowest address that is free while it is in use.
 * Returns the SRAM taken.
 */
export function allocateByUse(uses: ReadonlyMap<Buffer, BufferUse>): number {
  const placed: { buffer: Buffer; first: number; last: number }[] = [];
  let top = 0;
  for (const [buffer, { first, last }] of [...uses].sort(
    ([a, useA], [b, useB]) => b.bytes - a.bytes || useA.first - useB.first,
  )) {
    const beside = placed
      .filter((other) => other.first <= last && first <= other.last)
      .sort((a, b) => a.buffer.address - b.buffer.address);
    let address = 0;
    for (const { buffer: other } of beside) {
      if (address + aligned(buffer.bytes) <= other.address) break;
      address = Math.max(address, other.address + aligned(other.bytes));
    }
    buffer.address = address;
    top = Math.max(top, address + aligned(buffer.bytes));
    placed.push({ buffer, first, last });
  }
  return top;
}

/**
 * The plain check of an allocation, sharing nothing with the allocator: no two buffers whose uses overlap in program
 * order may overlap in SRAM, persistent ones never with any other, and all lie inside. @throws Error (a compiler bug)
 */
export function checkAllocation(frame: readonly Draft[], persistent: readonly Buffer[], sramBytes: number): void {
  const uses = new Map<Buffer, { first: number; last: number }>(
    persistent.map((buffer) => [buffer, { first: 0, last: frame.length }]),
  );
  frame.forEach(({ views }, i) => {
    for (const { buffer } of Object.values(views)) {
      const use = uses.get(buffer);
      if (use === undefined) uses.set(buffer, { first: i, last: i });
      else if (i > use.last) use.last = i;
    }
  });
  const list = [...uses].sort(([, a], [, b]) => a.first - b.first);
  list.forEach(([a, useA], i) => {
    if (a.address < 0 || a.address + a.bytes > sramBytes) throw new Error(`buffer ${a.name} lies outside SRAM`);
    for (let j = i + 1; j < list.length && list[j][1].first <= useA.last; j++) {
      const b = list[j][0];
      if (a.address < b.address + b.bytes && b.address < a.address + a.bytes) {
        throw new Error(`buffers ${a.name} and ${b.name} overlap in SRAM while both are in use`);
      }
    }
  });
}
