/**
 * The inner loops of functional execution, over one linear memory. Two implementations, equal bit for bit:
 * WebAssembly SIMD (`wasm-kernels.ts`) and plain TypeScript (`twin-kernels.ts`).
 *
 * All pointers are byte addresses in the memory; pitches are bytes. Accumulators are int32, in rows of `cols`
 * (the MAC array's width, a multiple of 4): row index = block * blockRows + pixel, where a block is `cols` output channels.
 */
export interface Kernels {
  /** Same memory the addresses point into; the object's buffer changes when memory grows. */
  readonly memory: WebAssembly.Memory;

  /** Copies h x w runs of `bytes` bytes. */
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
  ): void;

  /** Writes `value` (a byte) into h x w runs of `bytes` bytes. */
  fillBox(dst: number, dstRow: number, dstPixel: number, h: number, w: number, bytes: number, value: number): void;

  /** 1 when the two ranges hold the same bytes. */
  equalBytes(a: number, b: number, bytes: number): number;

  /**
   * Copies an 8-bit window into an i16 patch [h][w][evenChannels] (evenChannels = channels rounded up to even, the odd one 0).
   * The window is h x w pixels; only its rows y0..y1-1 and columns x0..x1-1 exist in memory, the rest become 0.
   * `src` addresses window pixel (y0, x0). unsigned: 1 when the bytes are u8.
   */
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
  ): void;

  /**
   * Repacks int8 weights, `taps` x `channels` rows of `cols` bytes, into the i16 layout `conv` reads; channels are padded to even.
   * One call per block of `cols` output channels. Returns the bytes written at dst, which is taps * evenChannels * cols * 2.
   */
  packWeights(src: number, dst: number, taps: number, channels: number, cols: number): number;

  /**
   * Dense convolution of one block of `cols` output channels from a patch made by `widen` and weights made by `packWeights`.
   * Output pixel (y, x), 0 <= y < h, 0 <= x < w, adds sum over r, s, c of
   * patch[y * strideY + r * dilationY][x * strideX + s * dilationX][c] * weight[r][s][c][k] to
   * acc[(y * accRowPixels + x) * cols + k] (int32, wrapping), or sets it when add = 0.
   */
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
  ): void;

  /**
   * Grouped convolution of one block: column j of the block (0 <= j < columns) reads patch channels
   * channelOf(j)..channelOf(j) + channels - 1, where channelOf(j) = int32 at `channelTable` + 4 j. Weights are the raw int8 rows
   * [kernelY][kernelX][channels][cols]. Otherwise as `conv`. Columns >= columns are set to 0 when add = 0, else left.
   */
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
  ): void;

  /**
   * Shift unit on one block: for each pixel and each of `channels` <= cols channels, isa's shiftUnit() on acc, 8-bit result to
   * dst + y * dstRow + x * dstPixel + channel. `table`: 4 bytes per channel: int8 bias, int8 biasShift, int8 shift, 0.
   * slopeA < 0: no LeakyReLU. low/high: clamp. fIn, fOut: run-time exponents.
   */
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
  ): void;

  /** The same with int32 output: saturate32(acc + alignedBias), 4 bytes per channel at dst. */
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
  ): void;

  /**
   * Pooling of an h x w output tile over `channels` channels. `src` addresses input row 0, column 0 of the *tensor* (it may lie
   * outside the tile's memory; only rows y0..y1-1 and columns x0..x1-1, the tensor's, are read). Output (y, x) covers input rows
   * oy * strideY - padTop .. + kernelY - 1 with oy = originY + y, and columns likewise.
   * mode 0: max over existing elements (the format's minimum when there is none); 1: average, excluding what does not exist
   * (0 when there is none); 2: average over kernelY * kernelX. Averages as isa's average().
   */
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
  ): void;

  /** isa's addUnit() elementwise on h x w runs of `channels` bytes; shifts as addShifts() gives them. */
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
  ): void;

  /** clamp(roundShift(x, shift)) elementwise on h x w runs of `channels` bytes. */
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
  ): void;

  /** Adds the block's biased accumulators to the 33-bin u32 histogram at `bins` as isa's rangeBin(); relu = 1 counts negatives as 0. */
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
  ): void;
}
