import {
  alignBias,
  average,
  clamp,
  FORMAT_MIN,
  type LeakySlope,
  rangeBin,
  roundShift,
  type ShiftEntry,
  saturate32,
  shiftUnit,
} from "../isa/numerics.ts";
import type { Kernels } from "./kernel-api.ts";
import { createKernelMemory } from "./wasm-kernels.ts";

/** The kernels as plain loops over isa's arithmetic: slow, and easy to believe. */
export function createTwinKernels(memoryBytes: number): Kernels {
  return new TwinKernels(createKernelMemory(memoryBytes));
}

class TwinKernels implements Kernels {
  readonly memory: WebAssembly.Memory;

  constructor(memory: WebAssembly.Memory) {
    this.memory = memory;
  }

  /** Made anew for each call, because memory may have grown. All multi-byte values are little-endian. */
  private view(): DataView {
    return new DataView(this.memory.buffer);
  }

  private bytes(): Uint8Array {
    return new Uint8Array(this.memory.buffer);
  }

  copyBox(
    src: number,
    srcRow: number,
    srcPixel: number,
    dst: number,
    dstRow: number,
    dstPixel: number,
    h: number,
    w: number,
    bytes: number,
  ): void {
    const memory = this.bytes();
    for (let y = 0; y < h; y++) {
      for (let x = 0; x < w; x++) {
        const from = src + y * srcRow + x * srcPixel;
        memory.copyWithin(dst + y * dstRow + x * dstPixel, from, from + bytes);
      }
    }
  }

  fillBox(dst: number, dstRow: number, dstPixel: number, h: number, w: number, bytes: number, value: number): void {
    const memory = this.bytes();
    for (let y = 0; y < h; y++) {
      for (let x = 0; x < w; x++) {
        const to = dst + y * dstRow + x * dstPixel;
        memory.fill(value, to, to + bytes);
      }
    }
  }

  equalBytes(a: number, b: number, bytes: number): number {
    const memory = this.bytes();
    for (let i = 0; i < bytes; i++) {
      if (memory[a + i] !== memory[b + i]) return 0;
    }
    return 1;
  }

  widen(
    src: number,
    srcRow: number,
    srcPixel: number,
    channels: number,
    unsigned: number,
    dst: number,
    h: number,
    w: number,
    y0: number,
    y1: number,
    x0: number,
    x1: number,
  ): void {
    const view = this.view();
    const evenChannels = roundUpToEven(channels);
    for (let y = 0; y < h; y++) {
      for (let x = 0; x < w; x++) {
        for (let c = 0; c < evenChannels; c++) {
          const exists = y >= y0 && y < y1 && x >= x0 && x < x1 && c < channels;
          const from = src + (y - y0) * srcRow + (x - x0) * srcPixel + c;
          view.setInt16(dst + 2 * ((y * w + x) * evenChannels + c), exists ? get8(view, from, unsigned) : 0, true);
        }
      }
    }
  }

  /** Here: i16 [tap][evenChannels][cols]. */
  packWeights(src: number, dst: number, taps: number, channels: number, cols: number): number {
    const view = this.view();
    const evenChannels = roundUpToEven(channels);
    for (let tap = 0; tap < taps; tap++) {
      for (let c = 0; c < evenChannels; c++) {
        for (let k = 0; k < cols; k++) {
          const weight = c < channels ? view.getInt8(src + (tap * channels + c) * cols + k) : 0;
          view.setInt16(dst + 2 * ((tap * evenChannels + c) * cols + k), weight, true);
        }
      }
    }
    return taps * evenChannels * cols * 2;
  }

  conv(
    patch: number,
    patchWidth: number,
    evenChannels: number,
    weights: number,
    acc: number,
    accRowPixels: number,
    cols: number,
    h: number,
    w: number,
    kernelY: number,
    kernelX: number,
    strideY: number,
    strideX: number,
    dilationY: number,
    dilationX: number,
    add: number,
  ): void {
    const view = this.view();
    for (let y = 0; y < h; y++) {
      for (let x = 0; x < w; x++) {
        for (let k = 0; k < cols; k++) {
          const to = acc + 4 * ((y * accRowPixels + x) * cols + k);
          let sum = add === 0 ? 0 : view.getInt32(to, true);
          for (let r = 0; r < kernelY; r++) {
            for (let s = 0; s < kernelX; s++) {
              const pixel = (y * strideY + r * dilationY) * patchWidth + x * strideX + s * dilationX;
              for (let c = 0; c < evenChannels; c++) {
                const value = view.getInt16(patch + 2 * (pixel * evenChannels + c), true);
                const tap = r * kernelX + s;
                sum = (sum + value * view.getInt16(weights + 2 * ((tap * evenChannels + c) * cols + k), true)) | 0;
              }
            }
          }
          view.setInt32(to, sum, true);
        }
      }
    }
  }

  convGrouped(
    patch: number,
    patchWidth: number,
    evenChannels: number,
    weights: number,
    acc: number,
    accRowPixels: number,
    cols: number,
    columns: number,
    channels: number,
    channelTable: number,
    h: number,
    w: number,
    kernelY: number,
    kernelX: number,
    strideY: number,
    strideX: number,
    dilationY: number,
    dilationX: number,
    add: number,
  ): void {
    const view = this.view();
    for (let y = 0; y < h; y++) {
      for (let x = 0; x < w; x++) {
        for (let k = 0; k < cols; k++) {
          const to = acc + 4 * ((y * accRowPixels + x) * cols + k);
          let sum = add === 0 ? 0 : view.getInt32(to, true);
          for (let tap = 0; tap < kernelY * kernelX && k < columns; tap++) {
            const r = Math.floor(tap / kernelX);
            const s = tap % kernelX;
            const pixel = (y * strideY + r * dilationY) * patchWidth + x * strideX + s * dilationX;
            const channel = view.getInt32(channelTable + 4 * k, true);
            for (let c = 0; c < channels; c++) {
              const value = view.getInt16(patch + 2 * (pixel * evenChannels + channel + c), true);
              sum = (sum + value * view.getInt8(weights + (tap * channels + c) * cols + k)) | 0;
            }
          }
          view.setInt32(to, sum, true);
        }
      }
    }
  }

  shift(
    acc: number,
    accRowPixels: number,
    cols: number,
    channels: number,
    h: number,
    w: number,
    table: number,
    dst: number,
    dstRow: number,
    dstPixel: number,
    low: number,
    high: number,
    slopeA: number,
    slopeB: number,
    fIn: number,
    fOut: number,
  ): void {
    const view = this.view();
    const slope: LeakySlope | null = slopeA < 0 ? null : { a: slopeA, b: slopeB };
    for (let y = 0; y < h; y++) {
      for (let x = 0; x < w; x++) {
        for (let k = 0; k < channels; k++) {
          const value = view.getInt32(acc + 4 * ((y * accRowPixels + x) * cols + k), true);
          const result = shiftUnit(value, entryAt(view, table, k), low, high, slope, fIn, fOut);
          view.setUint8(dst + y * dstRow + x * dstPixel + k, result);
        }
      }
    }
  }

  shiftWide(
    acc: number,
    accRowPixels: number,
    cols: number,
    channels: number,
    h: number,
    w: number,
    table: number,
    dst: number,
    dstRow: number,
    dstPixel: number,
    fIn: number,
  ): void {
    const view = this.view();
    for (let y = 0; y < h; y++) {
      for (let x = 0; x < w; x++) {
        for (let k = 0; k < channels; k++) {
          const value = view.getInt32(acc + 4 * ((y * accRowPixels + x) * cols + k), true);
          const biased = saturate32(value + alignBias(entryAt(view, table, k), fIn));
          view.setInt32(dst + y * dstRow + x * dstPixel + 4 * k, biased, true);
        }
      }
    }
  }

  pool(
    src: number,
    srcRow: number,
    srcPixel: number,
    dst: number,
    dstRow: number,
    dstPixel: number,
    h: number,
    w: number,
    channels: number,
    originY: number,
    originX: number,
    y0: number,
    y1: number,
    x0: number,
    x1: number,
    kernelY: number,
    kernelX: number,
    strideY: number,
    strideX: number,
    padTop: number,
    padLeft: number,
    mode: number,
    unsigned: number,
  ): void {
    const view = this.view();
    for (let y = 0; y < h; y++) {
      for (let x = 0; x < w; x++) {
        for (let c = 0; c < channels; c++) {
          let largest = unsigned === 1 ? FORMAT_MIN.u8 : FORMAT_MIN.i8;
          let sum = 0;
          let existing = 0;
          for (let r = 0; r < kernelY; r++) {
            for (let s = 0; s < kernelX; s++) {
              const inY = (originY + y) * strideY - padTop + r;
              const inX = (originX + x) * strideX - padLeft + s;
              if (inY < y0 || inY >= y1 || inX < x0 || inX >= x1) continue;
              const value = get8(view, src + inY * srcRow + inX * srcPixel + c, unsigned);
              largest = Math.max(largest, value);
              sum += value;
              existing++;
            }
          }
          const count = mode === 1 ? existing : kernelY * kernelX;
          const result = mode === 0 ? largest : existing === 0 ? 0 : average(sum, count);
          view.setUint8(dst + y * dstRow + x * dstPixel + c, result);
        }
      }
    }
  }

  add(
    a: number,
    aRow: number,
    aPixel: number,
    b: number,
    bRow: number,
    bPixel: number,
    dst: number,
    dstRow: number,
    dstPixel: number,
    h: number,
    w: number,
    channels: number,
    shiftA: number,
    shiftB: number,
    shiftOut: number,
    low: number,
    high: number,
    unsigned: number,
  ): void {
    const view = this.view();
    for (let y = 0; y < h; y++) {
      for (let x = 0; x < w; x++) {
        for (let c = 0; c < channels; c++) {
          const left = get8(view, a + y * aRow + x * aPixel + c, unsigned);
          const right = get8(view, b + y * bRow + x * bPixel + c, unsigned);
          const sum = left * 2 ** shiftA + right * 2 ** shiftB;
          view.setUint8(dst + y * dstRow + x * dstPixel + c, clamp(roundShift(sum, shiftOut), low, high));
        }
      }
    }
  }

  rescale(
    src: number,
    srcRow: number,
    srcPixel: number,
    dst: number,
    dstRow: number,
    dstPixel: number,
    h: number,
    w: number,
    channels: number,
    shift: number,
    low: number,
    high: number,
    unsigned: number,
  ): void {
    const view = this.view();
    for (let y = 0; y < h; y++) {
      for (let x = 0; x < w; x++) {
        for (let c = 0; c < channels; c++) {
          const value = get8(view, src + y * srcRow + x * srcPixel + c, unsigned);
          view.setUint8(dst + y * dstRow + x * dstPixel + c, clamp(roundShift(value, shift), low, high));
        }
      }
    }
  }

  range(
    acc: number,
    accRowPixels: number,
    cols: number,
    channels: number,
    h: number,
    w: number,
    table: number,
    bins: number,
    fIn: number,
    relu: number,
  ): void {
    const view = this.view();
    for (let y = 0; y < h; y++) {
      for (let x = 0; x < w; x++) {
        for (let k = 0; k < channels; k++) {
          const entry = entryAt(view, table, k);
          const value = view.getInt32(acc + 4 * ((y * accRowPixels + x) * cols + k), true);
          const biased = saturate32(value + alignBias(entry, fIn));
          const bin = rangeBin(relu === 1 ? Math.max(0, biased) : biased, entry.shift + fIn);
          view.setUint32(bins + 4 * bin, view.getUint32(bins + 4 * bin, true) + 1, true);
        }
      }
    }
  }
}

function roundUpToEven(channels: number): number {
  return channels + (channels % 2);
}

function get8(view: DataView, address: number, unsigned: number): number {
  return unsigned === 1 ? view.getUint8(address) : view.getInt8(address);
}

function entryAt(view: DataView, table: number, channel: number): ShiftEntry {
  const at = table + 4 * channel;
  return { bias: view.getInt8(at), biasShift: view.getInt8(at + 1), shift: view.getInt8(at + 2) };
}
