/** Random convolution layers, and how a part of one is computed. */
import fc from "fast-check";
import { type Format, PACKINGS } from "../../isa/index.ts";

/** Parameters of tensor_processor.sv. */
export interface TensorProcessor {
  readonly rows: number;
  readonly cols: number;
  /** Lanes of the shift and of the pooling unit, at most `cols`, and their pipeline's depth in cycles. */
  readonly lanes: number;
  readonly latency: number;
}

const pair = (min: number, max: number) => fc.tuple(fc.integer({ min, max }), fc.integer({ min, max }));
const upTo = (max: number, min = 1) => fc.integer({ min, max });

/**
 * A convolution layer, what part of it is computed, and how: in tiles of rows and columns, or of output channels with a pooling
 * behind each; each tile takes its input channels in chunks that add up in the accumulators.
 */
export const arbitraryCase = ({ rows, cols }: TensorProcessor) =>
  fc.record({
    passOverlap: fc.boolean(),
    hiddenPreload: fc.boolean(),
    packing: fc.constantFrom(...PACKINGS),
    input: pair(1, 9),
    inputFormat: fc.constantFrom<"i8" | "u8">("i8", "u8"),
    outputFormat: fc.constantFrom<Format>("i8", "i8", "u8", "i32"),
    /** dense: 1; input and output channels of each group */
    groups: fc.oneof({ weight: 3, arbitrary: fc.constant(1) }, { weight: 1, arbitrary: upTo(6, 2) }),
    groupIn: upTo(Math.ceil(2.3 * rows)),
    groupOut: upTo(Math.ceil(2.3 * cols)),
    kernel: pair(1, 4),
    stride: pair(1, 3),
    dilation: pair(1, 2),
    pads: fc.tuple(upTo(3, 0), upTo(3, 0), upTo(3, 0), upTo(3, 0)),
    chunk: upTo(Math.ceil(2.3 * rows)),
    /** whole: all rows and columns, with pooling; its extents otherwise. It may stick out of the tensor. */
    tile: fc.oneof(fc.constant("whole" as const), pair(1, 6)),
    /** Blocks of output channels of a tile. */
    blocks: upTo(3),
    /** Tiles that find room in the accumulators at a time. */
    buffers: upTo(2),
    /** Bytes between pixels and between rows of the input in SRAM. */
    gaps: pair(0, 3),
    /** Mostly such that something is left of negative values. */
    slope: fc.option(fc.record({ a: fc.oneof(upTo(4), upTo(31)), b: fc.oneof(fc.constant(0), upTo(31)) }), {
      nil: null,
    }),
    clamp: fc.option(pair(-20, 20), { nil: null }),
    pool: fc.record({
      mode: fc.constantFrom("max" as const, "average" as const, "averageAll" as const),
      kernel: pair(1, 3),
      stride: pair(1, 3),
      pads: fc.tuple(upTo(2, 0), upTo(2, 0), upTo(2, 0), upTo(2, 0)),
    }),
    seed: upTo(1 << 20),
  });
export type Case = ReturnType<typeof arbitraryCase> extends fc.Arbitrary<infer C> ? C : never;
