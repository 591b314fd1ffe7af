/** Speed of the WebAssembly kernels on tiles like SqueezeDet's, one thread: the best of many short runs. */
import { createWasmKernels } from "../sim/wasm-kernels.ts";

export interface KernelSpeed {
  readonly name: string;
  readonly value: number;
  readonly unit: "GMAC/s" | "ns per element";
}

const MIB = 2 ** 20;
const COLS = 16;

/** Least nanoseconds of one call, over about 0.1 s. */
function nanoseconds(call: () => void): number {
  const time = (calls: number) => {
    const start = process.hrtime.bigint();
    for (let i = 0; i < calls; i++) call();
    return Number(process.hrtime.bigint() - start) / calls;
  };
  time(20);
  const calls = Math.max(1, Math.ceil(2e6 / time(20)));
  return Math.min(...Array.from({ length: 40 }, () => time(calls)));
}

/** Speed of each kernel. */
export function kernelSpeeds(): KernelSpeed[] {
  const speeds: KernelSpeed[] = [];
  const kernels = createWasmKernels(64 * MIB);
  const [input, weights, acc, output, table] = [1, 16, 24, 40, 56].map((mib) => mib * MIB);

  const bytes = new Uint8Array(kernels.memory.buffer, input);
  for (let i = 0; i < bytes.length; i++) bytes[i] = Math.imul(i, 2654435761) >>> 13;
  // bias 3 << 2, shifts 8, 9, 10, 11 in turn
  new Uint8Array(kernels.memory.buffer, table, 4096).forEach((_, i, all) => {
    all[i] = [3, 2, 8 + ((i >> 2) % 4), 0][i % 4];
  });

  function conv(kernel: number, channels: number, cols: number, h: number, w: number, stride = 1): void {
    const evenChannels = channels + (channels % 2);
    const width = (w - 1) * stride + kernel;
    const macs = h * w * cols * channels * kernel * kernel;
    const ns = nanoseconds(() =>
      kernels.conv(input, width, evenChannels, weights, acc, w, cols, h, w, kernel, kernel, stride, stride, 1, 1, 0),
    );
    speeds.push({
      name: `conv ${kernel}x${kernel}/${stride} C=${channels} cols=${cols} ${h}x${w}`,
      value: macs / ns,
      unit: "GMAC/s",
    });
  }

  function elements(name: string, count: number, call: () => void): void {
    speeds.push({ name, value: nanoseconds(call) / count, unit: "ns per element" });
  }

  for (const [h, w] of [
    [6, 20],
    [16, 16],
  ]) {
    for (const channels of [16, 64, 96, 384]) conv(3, channels, COLS, h, w);
    for (const channels of [64, 256, 768]) conv(1, channels, COLS, h, w);
    conv(3, 3, COLS, h, w, 2);
  }
  for (const cols of [4, 8, 12, 32, 64]) conv(3, 96, cols, 16, 16);
  conv(1, 512, COLS, 1, 1);

  const [h, w] = [16, 16];
  new Int32Array(kernels.memory.buffer, table + 2048, COLS).forEach((_, i, all) => {
    all[i] = i;
  });
  const depthwise = nanoseconds(() =>
    kernels.convGrouped(input, w + 2, COLS, weights, acc, w, COLS, COLS, 1, table + 2048, h, w, 3, 3, 1, 1, 1, 1, 0),
  );
  speeds.push({ name: "convGrouped 3x3 depthwise 16x16", value: (h * w * COLS * 9) / depthwise, unit: "GMAC/s" });
  new Int32Array(kernels.memory.buffer, table + 2048, COLS).fill(0);
  const grouped = nanoseconds(() =>
    kernels.convGrouped(input, w + 2, 48, weights, acc, w, COLS, COLS, 48, table + 2048, h, w, 3, 3, 1, 1, 1, 1, 0),
  );
  speeds.push({
    name: "convGrouped 3x3 C=48 per group 16x16",
    value: (h * w * COLS * 9 * 48) / grouped,
    unit: "GMAC/s",
  });

  const patch = 18 * 18 * 96;
  elements("widen 18x18x96", patch, () => void kernels.widen(input, 18 * 96, 96, 96, 0, output, 18, 18, 0, 18, 0, 18));
  elements("widen 33x33x3", 33 * 33 * 3, () => void kernels.widen(input, 99, 3, 3, 1, output, 33, 33, 0, 33, 0, 33));
  elements("packWeights 3x3x96x16", 9 * 96 * 16, () => void kernels.packWeights(input, output, 9, 96, 16));
  elements("shift 16x16x16", h * w * COLS, () =>
    kernels.shift(acc, w, COLS, COLS, h, w, table, output, w * 64, 64, 0, 127, -1, 0, 0, 0),
  );
  elements("shift 16x16x16, leaky", h * w * COLS, () =>
    kernels.shift(acc, w, COLS, COLS, h, w, table, output, w * 64, 64, -128, 127, 3, 5, 0, 0),
  );
  elements("shift 16x16x16, to the left", h * w * COLS, () =>
    kernels.shift(acc, w, COLS, COLS, h, w, table, output, w * 64, 64, 0, 127, -1, 0, 0, 12),
  );
  elements("shiftWide 16x16x16", h * w * COLS, () =>
    kernels.shiftWide(acc, w, COLS, COLS, h, w, table, output, w * 64, 64, 0),
  );
  elements("range 16x16x16", h * w * COLS, () => kernels.range(acc, w, COLS, COLS, h, w, table, output, 0, 0));
  const pool = (kernel: number, stride: number, mode: number) => () =>
    kernels.pool(
      input,
      64 * 64,
      64,
      output,
      w * 64,
      64,
      h,
      w,
      64,
      0,
      0,
      0,
      64,
      0,
      64,
      kernel,
      kernel,
      stride,
      stride,
      1,
      1,
      mode,
      0,
    );
  elements("pool max 3x3/2 16x16x64", h * w * 64, pool(3, 2, 0));
  elements("pool average 3x3/2 16x16x64", h * w * 64, pool(3, 2, 1));
  elements("add 16x16x64", h * w * 64, () =>
    kernels.add(input, w * 64, 64, weights, w * 64, 64, output, w * 64, 64, h, w, 64, 1, 0, 2, -128, 127, 0),
  );
  elements("rescale 16x16x64", h * w * 64, () =>
    kernels.rescale(input, w * 64, 64, output, w * 64, 64, h, w, 64, 1, -128, 127, 0),
  );
  elements("copyBox 16x16x64", h * w * 64, () => kernels.copyBox(input, w * 64, 64, output, w * 128, 128, h, w, 64));
  elements("fillBox 16x16x64", h * w * 64, () => kernels.fillBox(output, w * 128, 128, h, w, 64, 0));
  elements("equalBytes 16 KiB", 16384, () => void kernels.equalBytes(input, input, 16384));
  return speeds;
}
