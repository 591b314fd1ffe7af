import { type Region, regionEnd } from "../../isa/index.ts";

export interface ByteRange {
  readonly begin: number;
  readonly end: number;
}

/** The first run of bytes two regions share, or null: [begin, end) within one run of each. Exact. */
export function firstOverlap(a: Region, b: Region): ByteRange | null {
  if (regionEnd(a) <= b.base || regionEnd(b) <= a.base || lieInTurn(a, b)) return null;
  const spanA = rowSpan(a);
  const spanB = rowSpan(b);
  // Rows ascend and do not overlap within a region, so both lists of rows are walked once.
  let i = firstReaching(a.base, a.n0, a.pitch0, spanA, b.base);
  let j = firstReaching(b.base, b.n0, b.pitch0, spanB, a.base);
  while (i < a.n0 && j < b.n0) {
    const rowA = a.base + i * a.pitch0;
    const rowB = b.base + j * b.pitch0;
    if (rowA + spanA > rowB && rowB + spanB > rowA) {
      const found = overlapInRow(a, rowA, b, rowB);
      if (found !== null) return found;
    }
    // the row that ends first can meet no further row of the other
    if (rowA + spanA < rowB + spanB) i++;
    else j++;
  }
  return null;
}

function rowSpan(r: Region): number {
  return (r.n1 - 1) * r.pitch1 + r.bytes;
}

/** The first of n ascending pieces of `span` bytes that ends after `byte`. */
function firstReaching(base: number, n: number, pitch: number, span: number, byte: number): number {
  return n === 1 || base + span > byte ? 0 : Math.min(n, Math.floor((byte - base - span) / pitch) + 1);
}

function overlapInRow(a: Region, rowA: number, b: Region, rowB: number): ByteRange | null {
  let i = firstReaching(rowA, a.n1, a.pitch1, a.bytes, rowB);
  let j = firstReaching(rowB, b.n1, b.pitch1, b.bytes, rowA);
  while (i < a.n1 && j < b.n1) {
    const runA = rowA + i * a.pitch1;
    const runB = rowB + j * b.pitch1;
    const begin = Math.max(runA, runB);
    const end = Math.min(runA + a.bytes, runB + b.bytes);
    if (begin < end) return { begin, end };
    if (runA + a.bytes < runB + b.bytes) i++;
    else j++;
  }
  return null;
}

/**
 * True when both repeat with one pitch and their runs lie beside each other in it: interleaved channels. A quick proof of
 * disjointness; false says nothing.
 */
function lieInTurn(a: Region, b: Region): boolean {
  const pitch = a.pitch1;
  if (pitch === 0 || pitch !== b.pitch1 || a.pitch0 % pitch !== 0 || b.pitch0 % pitch !== 0) return false;
  const distance = (((b.base - a.base) % pitch) + pitch) % pitch;
  return distance >= a.bytes && pitch - distance >= b.bytes;
}
