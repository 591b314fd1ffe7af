/** How a DMA transfer becomes DRAM requests. */
import type { Region } from "../../isa/index.ts";

/** A request may not cross this boundary (AMBA AXI). */
const PAGE_BYTES = 4096;

/** Requests of all transfers of a program, in columns. */
export class RequestList {
  length = 0;
  /** DRAM address of the first burst. */
  addresses = new Float64Array(1024);
  /** Bytes the DMA engine wants. */
  requested = new Int32Array(1024);
  /** Bytes of all bursts touched. */
  rounded = new Int32Array(1024);

  push(address: number, requested: number, rounded: number): void {
    if (this.length === this.addresses.length) this.grow();
    this.addresses[this.length] = address;
    this.requested[this.length] = requested;
    this.rounded[this.length++] = rounded;
  }

  private grow(): void {
    const { addresses, requested, rounded } = this;
    const capacity = 2 * this.length;
    this.addresses = new Float64Array(capacity);
    this.addresses.set(addresses);
    this.requested = new Int32Array(capacity);
    this.requested.set(requested);
    this.rounded = new Int32Array(capacity);
    this.rounded.set(rounded);
  }
}

/**
 * Appends the requests of one transfer. The region's runs of contiguous bytes are taken in ascending order; consecutive runs,
 * or parts of a run, share a request while they lie in one 4 KiB page and touch at most requestBytes of bursts (at least
 * one burst). Within a request, a burst that the end of one run and the start of the next share is moved once; a
 * burst that two requests touch is moved twice.
 */
export function appendRequests(list: RequestList, region: Region, requestBytes: number, burstBytes: number): void {
  const capacity = Math.max(1, Math.floor(requestBytes / burstBytes));
  let page = -1;
  let bursts = 0;
  let lastBurst = -1;
  let firstBurst = 0;
  let requested = 0;
  for (let i = 0; i < region.n0; i++) {
    for (let j = 0; j < region.n1; j++) {
      let at = region.base + i * region.pitch0 + j * region.pitch1;
      const end = at + region.bytes;
      while (at < end) {
        const burst = Math.floor(at / burstBytes);
        const itsPage = Math.floor(at / PAGE_BYTES);
        if (itsPage !== page || (bursts === capacity && burst !== lastBurst)) {
          if (requested > 0) list.push(firstBurst * burstBytes, requested, bursts * burstBytes);
          page = itsPage;
          bursts = 0;
          requested = 0;
          firstBurst = burst;
          lastBurst = -1;
        }
        const shared = burst === lastBurst ? 1 : 0;
        const stop = Math.min(end, (page + 1) * PAGE_BYTES, (burst + capacity - bursts + shared) * burstBytes);
        lastBurst = Math.floor((stop - 1) / burstBytes);
        bursts += lastBurst - burst + 1 - shared;
        requested += stop - at;
        at = stop;
      }
    }
  }
  list.push(firstBurst * burstBytes, requested, bursts * burstBytes);
}
