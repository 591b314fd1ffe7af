/**
 * Seeded random numbers and smooth noise, the same bits on every machine: additions, multiplications and integer
 * operations alone, nothing of Math whose last bit an engine may choose.
 */

/** mulberry32 (Tommy Ettinger, public domain), 32 bits of state. */
export class Random {
  private state: number;

  constructor(seed: number) {
    this.state = seed | 0;
  }

  /** Uniform in [0, 1). */
  next(): number {
    this.state = (this.state + 0x6d2b79f5) | 0;
    let t = Math.imul(this.state ^ (this.state >>> 15), this.state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  }

  between(low: number, high: number): number {
    return low + (high - low) * this.next();
  }

  /** Uniform integer in low..high, both included. */
  integer(low: number, high: number): number {
    return low + Math.floor(this.next() * (high - low + 1));
  }

  chance(probability: number): boolean {
    return this.next() < probability;
  }

  /** -1 or 1. */
  sign(): number {
    return this.next() < 0.5 ? -1 : 1;
  }

  pick<T>(items: readonly T[]): T {
    return items[Math.floor(this.next() * items.length)];
  }
}

/** Mixes integers into a seed: neighbours give unrelated seeds (the finalizer of MurmurHash3). */
export function mixSeed(...parts: readonly number[]): number {
  let h = 0x9747b28c;
  for (const part of parts) {
    h = Math.imul(h ^ part, 0x85ebca6b);
    h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
    h ^= h >>> 16;
  }
  return h | 0;
}

/** A number in 0..1 that belongs to a pair of integers. */
export function hashUnit(x: number, y: number): number {
  let h = Math.imul(x, 0x27d4eb2d) ^ Math.imul(y, 0x165667b1);
  h = Math.imul(h ^ (h >>> 15), 0x85ebca6b);
  h ^= h >>> 13;
  return (h >>> 0) / 4294967296;
}

/** Smooth noise in 0..1 over the plane, one lattice point per unit. */
export class Noise {
  private readonly lattice: Float64Array;

  constructor(random: Random) {
    this.lattice = Float64Array.from({ length: 4096 }, () => random.next());
  }

  at(x: number, y: number): number {
    const { lattice } = this;
    const x0 = Math.floor(x);
    const y0 = Math.floor(y);
    const s = x - x0;
    const t = y - y0;
    const u = s * s * (3 - 2 * s);
    const v = t * t * (3 - 2 * t);
    const row0 = Math.imul(y0, 19349663);
    const row1 = Math.imul(y0 + 1, 19349663);
    const column0 = Math.imul(x0, 73856093);
    const column1 = Math.imul(x0 + 1, 73856093);
    const a = lattice[(column0 ^ row0) & 4095];
    const b = lattice[(column1 ^ row0) & 4095];
    const c = lattice[(column0 ^ row1) & 4095];
    const d = lattice[(column1 ^ row1) & 4095];
    const top = a + (b - a) * u;
    return top + (c + (d - c) * u - top) * v;
  }
}
