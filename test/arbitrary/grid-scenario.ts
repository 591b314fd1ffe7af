/** Random instructions of a grid of agents, with tensors, views and memories that more or less suit them. */
import fc from "fast-check";
import {
  bindViews,
  createMachine,
  type Extents,
  type Instruction,
  type InstructionOf,
  instruction,
} from "../../isa/index.ts";

/** Agents of the scenarios: as many as the largest grid has places. */
export const AGENTS = 12;
const machine = createMachine("m", { agents: AGENTS, "array.cols": 4 }, "test");
const small = (min: number, max: number) => fc.integer({ min, max });
const seldom = <T>(usual: T, other: fc.Arbitrary<T>) => fc.oneof({ weight: 12, arbitrary: fc.constant(usual) }, other);

const extents = fc.record({ height: small(1, 24), width: small(1, 24), channels: small(1, 9) });
const grid = fc.record({ gridY: small(1, 4), gridX: small(1, 3) });
const step = fc.oneof(fc.constant(0), small(-4, 6));
const axis = fc.record({ base: small(-3, 6), stepA: step, stepB: step, extent: small(1, 6) });
const still = fc.record({ base: seldom(0, small(-2, 8)), extent: small(1, 9) });
const channels = fc.tuple(still, seldom(0, small(-4, 4))).map(([given, stepA]) => ({ ...given, stepA, stepB: 0 }));
const boxed = { y: axis, x: axis, c: channels };

/** Those with a box; the views that they name are below. */
const OPERATIONS: Record<string, fc.Arbitrary<Instruction>> = {
  load: fc.record({ fill: fc.boolean() }).map((given) => instruction("load", { ...given, dst: 0 })),
  store: fc.constant(instruction("store", { src: 0 })),
  conv: fc
    .record({ kernel: small(1, 3), stride: small(1, 2), pad: small(0, 1), dilation: small(1, 2), cCount: small(1, 9) })
    .map(({ kernel, stride, pad, dilation, cCount }) => {
      const window = { kernelY: kernel, kernelX: kernel, strideY: stride, strideX: stride, padTop: pad, padLeft: pad };
      const dilations = { dilationY: dilation, dilationX: dilation };
      return instruction("conv", {
        ...window,
        ...dilations,
        src: 0,
        weights: 1,
        cCount,
        groupIn: cCount,
        groupOut: 99,
      });
    }),
  shift: small(-1, 2).map((channelOffset) => instruction("shift", { table: 1, dst: 2, channelOffset })),
  pool: fc
    .record({ kernelY: small(1, 3), strideY: small(1, 2), padTop: small(0, 1) })
    .map((given) => instruction("pool", { ...given, kernelX: 2, strideX: 1, src: 0, dst: 2 })),
  add: fc.constant(instruction("add", { a: 2, b: 2, dst: 2 })),
  copy: fc
    .record({ offsetY: small(-1, 1), offsetX: small(-1, 1) })
    .map((given) => instruction("copy", { ...given, src: 2, dst: 2 })),
};

type View = InstructionOf<"view">;
type Ax = View["y"];

/** A window around what a box reads, or nearly: how far it reaches beyond at either end, and how much its steps are off. */
const around = fc.record({
  before: seldom(1, small(-1, 3)),
  behind: seldom(2, small(-1, 4)),
  off: fc.oneof({ weight: 4, arbitrary: fc.constant(0) }, small(-2, 2)),
});
type Around = typeof around extends fc.Arbitrary<infer T> ? T : never;

function windowOf(box: Ax, { before, behind, off }: Around, stride = 1, pad = 0, reach = 1): Ax {
  return {
    base: box.base * stride - pad - before,
    stepA: box.stepA * stride + off,
    stepB: box.stepB * stride,
    extent: Math.max(1, (box.extent - 1) * stride + reach + before + behind),
  };
}

/** An instruction of some grid, its views about where they should be, and memories that may be too small for it. */
export const gridScenario = fc
  .record({
    operation: fc.oneof(...Object.values(OPERATIONS)),
    grid,
    viewColumns: fc.option(small(1, 4), { nil: undefined }),
    windowC: fc.record({ base: seldom(0, small(-2, 0)), stepA: seldom(0, small(-1, 1)) }),
    box: fc.record(boxed),
    clip: extents,
    source: extents,
    constantsIn: seldom({ height: 4, width: 99, channels: 9 }, extents),
    larger: fc.record({ height: small(-1, 2), width: small(-1, 2), channels: small(-1, 4) }),
    aroundY: around,
    aroundX: around,
    constants: seldom({ y: 4, x: 99, c: 9 }, fc.record({ y: small(1, 4), x: small(1, 99), c: small(1, 9) })),
    address: seldom(0, small(0, 300)),
    sram: seldom(1e6, small(100, 3000)),
    accumulators: seldom(1e6, small(16, 2000)),
  })
  .map(
    ({
      operation,
      grid: { gridY, gridX },
      viewColumns,
      windowC,
      box,
      aroundY,
      aroundX,
      constants,
      address,
      ...given
    }) => {
      const { clip, source, constantsIn, larger, ...sizes } = given;
      const destination = {
        height: Math.max(1, clip.height + larger.height),
        width: Math.max(1, clip.width + larger.width),
        channels: Math.max(1, clip.channels + larger.channels),
      };
      const tensors = [source, constantsIn, destination, clip].map(
        (extent: Extents, i) => ({ ...extent, name: `t${i}`, format: "i8", role: "input", address: 0 }) as const,
      );
      const {
        kernelY = 1,
        strideY = 1,
        padTop = 0,
        dilationY = 1,
        kernelX = 1,
        strideX = 1,
        padLeft = 0,
        dilationX = 1,
      } = operation as Partial<InstructionOf<"conv">>;
      const columns = viewColumns ?? gridX;
      const c = { ...windowC, stepB: 0, extent: 12 };
      const view = (number: number, y: Ax, x: Ax, c: Ax, tensor: number) =>
        instruction("view", {
          view: number,
          tensor,
          y,
          x,
          c,
          address,
          pixelPitch: c.extent,
          rowPitch: c.extent * x.extent,
          gridY: 4,
          gridX: columns,
        });
      const wide = (extent: number): Ax => ({ base: 0, stepA: 0, stepB: 0, extent });
      const input = view(
        0,
        windowOf(box.y, aroundY, strideY, padTop, (kernelY - 1) * dilationY + 1),
        windowOf(box.x, aroundX, strideX, padLeft, (kernelX - 1) * dilationX + 1),
        c,
        0,
      );
      const weights = view(1, wide(constants.y), wide(constants.x), wide(constants.c), 1);
      const output = view(2, windowOf(box.y, aroundX), windowOf(box.x, aroundY), c, 2);
      const whole = {
        ...operation,
        ...box,
        gridY,
        gridX,
        ...("tensor" in operation ? { tensor: 3 } : {}),
      } as Instruction;
      const bound = bindViews([input, weights, output, whole], String)[3];
      return { context: { machine, tensors }, bound, sizes: { ...sizes, dram: 3000, registers: 48 } };
    },
  );

export const GRID_OPS = Object.keys(OPERATIONS);
