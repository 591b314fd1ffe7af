/** pool and add. */
import { addShifts, INSTRUCTIONS, type InstructionOf } from "../../isa/index.ts";
import { boxExtents, type Chip, isUnsigned, planeAt, readScalar, type Step, type WorkSite } from "./chip.ts";

/** In the order the kernel numbers them. */
const POOL_MODES: readonly string[] = INSTRUCTIONS.pool.fields.mode.names;

export function poolStep(pool: InstructionOf<"pool">, chip: Chip, { agent, work }: WorkSite): Step {
  const { kernels, program } = chip;
  const { box } = work;
  const { height, width, channels } = boxExtents(box);
  const src = work.view("src");
  const dst = work.view("dst");
  const tensor = program.tensors[src.tensor];
  // The kernel addresses the input by the tensor's own coordinates, so its origin may lie outside the tile, or memory.
  const from = planeAt(chip, agent, src, 0, 0, box.c0);
  const to = planeAt(chip, agent, dst, box.y0, box.x0, box.c0 + pool.channelOffset);
  const { kernelY, kernelX, strideY, strideX, padTop, padLeft } = pool;
  const mode = POOL_MODES.indexOf(pool.mode);
  const unsigned = isUnsigned(src);
  return () =>
    kernels.pool(
      from.at,
      from.row,
      from.pixel,
      to.at,
      to.row,
      to.pixel,
      height,
      width,
      channels,
      box.y0,
      box.x0,
      0,
      tensor.height,
      0,
      tensor.width,
      kernelY,
      kernelX,
      strideY,
      strideX,
      padTop,
      padLeft,
      mode,
      unsigned,
    );
}

export function addStep(add: InstructionOf<"add">, chip: Chip, { agent, work }: WorkSite): Step {
  const { kernels } = chip;
  const { box } = work;
  const { height, width, channels } = boxExtents(box);
  const viewA = work.view("a");
  const a = planeAt(chip, agent, viewA, box.y0, box.x0, box.c0);
  const b = planeAt(chip, agent, work.view("b"), box.y0, box.x0, box.c0);
  const to = planeAt(chip, agent, work.view("dst"), box.y0, box.x0, box.c0 + add.channelOffset);
  const unsigned = isUnsigned(viewA);
  const { low, high } = add;
  return () => {
    const shifts = addShifts(
      add.exponentA + readScalar(chip, agent, add.registerA),
      add.exponentB + readScalar(chip, agent, add.registerB),
      add.exponentOut + readScalar(chip, agent, add.registerOut),
    );
    kernels.add(
      a.at,
      a.row,
      a.pixel,
      b.at,
      b.row,
      b.pixel,
      to.at,
      to.row,
      to.pixel,
      height,
      width,
      channels,
      shifts.a,
      shifts.b,
      shifts.out,
      low,
      high,
      unsigned,
    );
  };
}
