/** Which format and exponent every tensor gets, from samples of it. */
import type { Format } from "../../isa/index.ts";
import type { SimpleGraph } from "../passes/index.ts";
import { exponentClasses } from "./classes.ts";
import { damage, readersOf } from "./damage.ts";
import { bestExponent, candidates } from "./exponents.ts";
import { fitShifts } from "./fit-shifts.ts";
import { chooseFormats, type FormatOptions, rawOutputs } from "./formats.ts";
import type { Samples } from "./observe.ts";

export interface Scales {
  format(tensor: string): Format;
  /** Of an output whose channels have exponents of their own: of the first group, and 0 for i32. */
  exponent(tensor: string): number;
  /** As `exponent`, but of one channel. */
  channelExponent(tensor: string, channel: number): number;
}

export function planScales(graph: SimpleGraph, samples: ReadonlyMap<string, Samples>, options: FormatOptions): Scales {
  const formats = chooseFormats(graph, options);
  const classes = exponentClasses(graph);
  const classOf = (tensor: string) => classes.of(tensor);
  const exponents = new Map<string, number>();
  for (const [name, tensors] of classes.members(graph.tensors.keys())) {
    const format = formats.get(name)!;
    exponents.set(name, format === "i32" ? 0 : classExponent(graph, samples, tensors, format));
  }
  fitShifts(graph, exponents, classOf, formats);
  const groups = options.head === "i8" ? groupExponents(graph, samples) : new Map<string, number[]>();
  const exponent = (tensor: string) => groups.get(tensor)?.[0] ?? exponents.get(classOf(tensor))!;
  return {
    format: (tensor) => formats.get(tensor)!,
    exponent,
    channelExponent: (tensor, channel) => groups.get(tensor)?.[channel] ?? exponent(tensor),
  };
}

/** The exponent of tensors that share one: the least damage to the layers that read any of them. */
function classExponent(
  graph: SimpleGraph,
  samples: ReadonlyMap<string, Samples>,
  tensors: readonly string[],
  format: Format,
): number {
  const read = tensors
    .map((name) => ({ own: samples.get(name)!, readers: readersOf(graph, samples, name) }))
    .filter(({ readers }) => readers.length > 0);
  let best = 0;
  let least = Infinity;
  for (const exponent of candidates(
    read.map(({ own }) => own.values),
    format,
  )) {
    const sum = read.reduce((total, { own, readers }) => total + damage(own, readers, exponent, format), 0);
    // finer steps make less rounding noise until clipping takes over; from there it only gets worse
    if (sum >= least) break;
    [best, least] = [exponent, sum];
  }
  return best;
}

/** i8 outputs written by a convolution: class scores, confidences and box deltas have different ranges, so each an exponent. */
function groupExponents(graph: SimpleGraph, samples: ReadonlyMap<string, Samples>): Map<string, number[]> {
  const result = new Map<string, number[]>();
  for (const name of rawOutputs(graph)) {
    const { channels, values } = samples.get(name)!;
    const { head } = graph;
    const ranges: (readonly [number, number])[] =
      head?.kind === "convdet" && head.tensor === name ? Object.values(head.channels) : [[0, channels]];
    const exponents = new Array<number>(channels).fill(0);
    for (const [from, to] of ranges) {
      const own = values.filter((_, i) => i % channels >= from && i % channels < to);
      exponents.fill(bestExponent(own, "i8"), from, to);
    }
    result.set(name, exponents);
  }
  return result;
}
