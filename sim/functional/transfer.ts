/** load, store, copy: exact copies of boxes. */
import {
  type Box,
  clamp,
  copyTarget,
  FORMAT_BYTES,
  FORMAT_MAX,
  FORMAT_MIN,
  fillBox,
  type InstructionOf,
  inDram,
  SHIFT_MAX,
  SHIFT_MIN,
  type View,
} from "../../isa/index.ts";
import {
  boxExtents,
  type Chip,
  isUnsigned,
  type Plane,
  planeAt,
  readScalar,
  type Step,
  type WorkSite,
} from "./chip.ts";

/** The box of a view's tensor in DRAM. */
function dramPlane(chip: Chip, view: View, box: Box): Plane {
  const tensor = inDram(chip.program.tensors[view.tensor]);
  const bytes = FORMAT_BYTES[view.format];
  const pixel = tensor.channels * bytes;
  const row = tensor.width * pixel;
  return { at: chip.map.dram + tensor.address + box.y0 * row + box.x0 * pixel + box.c0 * bytes, row, pixel };
}

function copyStep({ kernels }: Chip, from: Plane, to: Plane, box: Box, elementBytes: number): Step {
  const { height, width, channels } = boxExtents(box);
  const bytes = channels * elementBytes;
  return () => kernels.copyBox(from.at, from.row, from.pixel, to.at, to.row, to.pixel, height, width, bytes);
}

/** A multicast load is the same copy into each agent of the group. */
export function loadStep(load: InstructionOf<"load">, chip: Chip, { agent, work }: WorkSite): Step {
  const { box } = work;
  const view = work.view("dst");
  const copy = copyStep(
    chip,
    dramPlane(chip, view, box),
    planeAt(chip, agent, view, box.y0, box.x0, box.c0),
    box,
    FORMAT_BYTES[view.format],
  );
  if (!load.fill) return copy;
  const fill = fillStep(chip, agent, view, fillBox(work), load.fillValue);
  return () => {
    fill();
    copy();
  };
}

function fillStep(chip: Chip, agent: number, view: View, box: Box, value: number): Step {
  const { kernels } = chip;
  const to = planeAt(chip, agent, view, box.y0, box.x0, box.c0);
  const { height, width, channels } = boxExtents(box);
  if (view.format !== "i32") return () => kernels.fillBox(to.at, to.row, to.pixel, height, width, channels, value);
  // int32 elements: byte by byte of the value, each byte of an element in turn
  return () => {
    for (let byte = 0; byte < FORMAT_BYTES.i32; byte++) {
      for (let c = 0; c < channels; c++) {
        const at = to.at + c * FORMAT_BYTES.i32 + byte;
        kernels.fillBox(at, to.row, to.pixel, height, width, 1, (value >> (8 * byte)) & 0xff);
      }
    }
  };
}

export function storeStep(_: InstructionOf<"store">, chip: Chip, { agent, work }: WorkSite): Step {
  const { box } = work;
  const view = work.view("src");
  const from = planeAt(chip, agent, view, box.y0, box.x0, box.c0);
  return copyStep(chip, from, dramPlane(chip, view, box), box, FORMAT_BYTES[view.format]);
}

export function copyAcrossStep(copy: InstructionOf<"copy">, chip: Chip, { agent, work }: WorkSite): Step | null {
  const receiver = copyTarget(copy, agent);
  if (receiver === null) return null;
  const { box } = work;
  const { kernels } = chip;
  const src = work.view("src");
  const { format } = src;
  const from = planeAt(chip, agent, src, box.y0, box.x0, box.c0);
  const to = planeAt(chip, receiver, work.view("dst", receiver), box.y0, box.x0, box.c0 + copy.channelOffset);
  const exact = copyStep(chip, from, to, box, FORMAT_BYTES[format]);
  const { shift, exponentIn, exponentOut } = copy;
  if (format === "i32" || (shift === 0 && exponentIn === exponentOut)) return exact;
  const { height, width, channels } = boxExtents(box);
  const unsigned = isUnsigned(src);
  return () => {
    const s = clamp(
      shift + readScalar(chip, agent, exponentIn) - readScalar(chip, agent, exponentOut),
      SHIFT_MIN,
      SHIFT_MAX,
    );
    if (s === 0) exact();
    else {
      kernels.rescale(
        from.at,
        from.row,
        from.pixel,
        to.at,
        to.row,
        to.pixel,
        height,
        width,
        channels,
        s,
        FORMAT_MIN[format],
        FORMAT_MAX[format],
        unsigned,
      );
    }
  };
}
