/** How a DMA transfer becomes DRAM requests. */
import type { MachineParameters, Region } from "../../isa/index.ts";

/** A burst may not cross this boundary (AMBA AXI). */
const AXI_PAGE_BYTES = 4096;

/** What a request may not cross: AXI's boundary, a row of DRAM, and the part of DRAM that lies in one channel. */
export function requestPageBytes(p: MachineParameters): number {
  const interleave = p["dram.channels"] > 1 ? p["dram.interleaveBytes"] : AXI_PAGE_BYTES;
  return Math.min(AXI_PAGE_BYTES, p["dram.rowBytes"], interleave);
}

/** Requests of all transfers of a program, in columns. */
export class RequestList {
  length = 0;
  /** DRAM address of the first burst. */
  addresses = new Float64Array(1024);
  /** Bytes the DMA engine wants. */
  requested = new Int32Array(1024);
  /** Bytes of all bursts touched. */
  rounded = new Int32Array(1024);
  /** Runs of contiguous bytes, or parts of them. */
  runs = new Int32Array(1024);

  push(address: number, requested: number, rounded: number, runs: number): void {
    if (this.length === this.addresses.length) this.grow();
    this.addresses[this.length] = address;
    this.requested[this.length] = requested;
    this.rounded[this.length] = rounded;
    this.runs[this.length++] = runs;
  }

  private grow(): void {
    const { addresses, requested, rounded, runs } = this;
    const capacity = 2 * this.length;
    this.addresses = new Float64Array(capacity);
    this.addresses.set(addresses);
    this.requested = new Int32Array(capacity);
    this.requested.set(requested);
    this.rounded = new Int32Array(capacity);
    this.rounded.set(rounded);
    this.runs = new Int32Array(capacity);
    this.runs.set(runs);
  }
}

/**
 * Appends the requests of one transfer. The region's runs of contiguous bytes are taken in ascending order; consecutive runs,
 * or parts of a run, share a request while they lie in one page and touch at most requestBytes of bursts (at least
 * one burst). Within a request, a burst that the end of one run and the start of the next share is moved once; a
 * burst that two requests touch is moved twice.
 */
export function appendRequests(
  list: RequestList,
  region: Region,
  requestBytes: number,
  burstBytes: number,
  pageBytes: number,
): void {
  const capacity = Math.max(1, Math.floor(requestBytes / burstBytes));
  let page = -1;
  let bursts = 0;
  let lastBurst = -1;
  let firstBurst = 0;
  let requested = 0;
  let runs = 0;
  for (let i = 0; i < region.n0; i++) {
    for (let j = 0; j < region.n1; j++) {
      let at = region.base + i * region.pitch0 + j * region.pitch1;
      const end = at + region.bytes;
      while (at < end) {
        const burst = Math.floor(at / burstBytes);
        const itsPage = Math.floor(at / pageBytes);
        if (itsPage !== page || (bursts === capacity && burst !== lastBurst)) {
          if (requested > 0) list.push(firstBurst * burstBytes, requested, bursts * burstBytes, runs);
          page = itsPage;
          bursts = 0;
          requested = 0;
          runs = 0;
          firstBurst = burst;
          lastBurst = -1;
        }
        const shared = burst === lastBurst ? 1 : 0;
        const stop = Math.min(end, (page + 1) * pageBytes, (burst + capacity - bursts + shared) * burstBytes);
        lastBurst = Math.floor((stop - 1) / burstBytes);
        bursts += lastBurst - burst + 1 - shared;
        requested += stop - at;
        runs++;
        at = stop;
      }
    }
  }
  list.push(firstBurst * burstBytes, requested, bursts * burstBytes, runs);
}
