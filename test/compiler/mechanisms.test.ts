// Each means of a schedule by itself: does it come to pass where it is needed, and are the values right?
import { describe, expect, test } from "vitest";
import { compileModel, quantize } from "../../compiler/index.ts";
import { NetworkBuilder } from "../../compiler/network-builder.ts";
import { randomParameters } from "../../compiler/parameters.ts";
import { defaultPreprocess } from "../../compiler/sidecar.ts";
import { createMachine } from "../../isa/index.ts";
import { runReference } from "../reference/index.ts";
import { checkLowered } from "../support/lowering-property.ts";
import type { Mechanism } from "../support/mechanisms.ts";

interface Case {
  readonly size: readonly [height: number, width: number];
  readonly build: (net: NetworkBuilder) => string;
  readonly agents: number;
  readonly sramKiB: number;
  readonly accumulatorKiB?: number;
  readonly expected: readonly Mechanism[];
}

const SAME = { pads: [1, 1, 1, 1] as const };
/** 3x3 convolutions one behind the other. */
const chain =
  (...channels: number[]) =>
  (net: NetworkBuilder) =>
    channels.reduce((x, count, i) => net.conv(`conv${i}`, x, count, 3, SAME), net.input);

const CASES: Readonly<Record<string, Case>> = {
  "stripes keep rows from one to the next": {
    size: [48, 16],
    build: chain(16, 16, 16),
    agents: 1,
    sramKiB: 12,
    expected: ["stripes", "kept rows"],
  },
  "halos between agents are computed again": {
    size: [32, 32],
    build: (net) => net.conv("b", net.pool("p", net.conv("a", net.input, 64, 3, SAME), "max", 3, 2), 8, 3, SAME),
    agents: 4,
    sramKiB: 18,
    expected: ["halos computed again"],
  },
  "margins go over links, edges uneven": {
    size: [30, 27],
    build: chain(64, 64, 64),
    agents: 16,
    sramKiB: 96,
    expected: ["parts in SRAM", "exchanged margins", "uneven edges"],
  },
  "weights that leave little room": {
    size: [6, 6],
    build: chain(128, 96),
    agents: 1,
    sramKiB: 16,
    expected: ["stripes", "kept rows"],
  },
  "an addition reads a part from before its phase": {
    size: [24, 24],
    build: (net) => {
      const a = net.conv("a", net.input, 32, 3, SAME);
      const b = net.conv("b", a, 32, 3, SAME);
      const c = net.conv("c", b, 32, 3, SAME);
      return net.conv("d", net.add("sum", a, c), 16, 1);
    },
    agents: 4,
    sramKiB: 40,
    expected: ["several layers in a phase", "columns", "exchanged corners"],
  },
  "parts of a concatenation are read before the whole is there": {
    size: [16, 16],
    build: (net) => {
      const a = net.conv("a", net.input, 16, 3, SAME);
      const b = net.conv("b", a, 16, 3, SAME);
      const ab = net.concat("ab", [a, b]);
      const c = net.conv("c", ab, 16, 3, SAME);
      return net.conv("e", net.concat("abc", [ab, c]), 16, 1);
    },
    agents: 4,
    sramKiB: 64,
    expected: [],
  },
  "margins of a concatenation go over links again when its second part is there": {
    size: [30, 27],
    build: (net) => {
      const a = net.conv("a", net.input, 64, 3, SAME);
      const c = net.conv("c", net.conv("b", a, 64, 3, SAME), 64, 3, SAME);
      return net.conv("d", net.concat("ac", [a, c]), 64, 3, SAME);
    },
    agents: 16,
    sramKiB: 96,
    expected: ["parts in SRAM", "exchanged margins"],
  },
  "output channels in slices, stored as they are made": {
    size: [12, 12],
    build: (net) => net.conv("b", net.conv("a", net.input, 32, 1), 256, 3, SAME),
    agents: 1,
    sramKiB: 16,
    expected: ["slices of output channels", "stored pieces"],
  },
  "slices of a tensor that stays in SRAM": {
    size: [24, 24],
    build: (net) => {
      const a = net.conv("a", net.input, 32, 3, SAME);
      const c = net.conv("c", net.conv("b", a, 32, 3, SAME), 32, 3, SAME);
      return net.conv("d", net.add("sum", a, c), 16, 1);
    },
    agents: 4,
    sramKiB: 24,
    expected: ["slices of output channels", "parts in SRAM", "additions across a border"],
  },
  "weights again for every stripe, some input channels at a time": {
    size: [24, 16],
    build: (net) => net.conv("b", net.conv("a", net.input, 64, 1), 96, 3, SAME),
    agents: 4,
    sramKiB: 24,
    expected: ["streamed weights", "input chunks"],
  },
  "a layer for which no phase is good": {
    size: [12, 12],
    build: (net) => net.conv("b", net.conv("a", net.input, 128, 1), 64, 3, SAME),
    agents: 1,
    sramKiB: 16,
    expected: ["a layer by itself"],
  },
  "a convolution over few pixels, pooled to one": {
    size: [24, 24],
    build: (net) => {
      const small = net.pool("p", net.conv("a", net.input, 64, 3, SAME), "max", 2, 2);
      return net.pool("q", net.conv("b", net.conv("c", small, 64, 3, SAME), 512, 1), "average", 12, 1);
    },
    agents: 16,
    sramKiB: 64,
    expected: ["a convolution with its pooling by itself"],
  },
  "strides that skip pixels": {
    size: [31, 29],
    build: (net) => {
      const a = net.conv("a", net.input, 16, 1, { stride: 3 });
      return net.pool("b", net.conv("c", a, 16, 3, SAME), "max", 1, 2);
    },
    agents: 4,
    sramKiB: 16,
    expected: ["uneven edges", "exchanged margins"],
  },
  "one row": {
    size: [1, 60],
    build: chain(16, 16),
    agents: 16,
    sramKiB: 16,
    expected: [],
  },
  "one column": {
    size: [60, 1],
    build: chain(16, 16),
    agents: 16,
    sramKiB: 16,
    expected: [],
  },
};

describe.each([1, 2] as const)("level %i", (optimize) => {
  test.each(Object.entries(CASES))("%s", (_name, { size, build, agents, sramKiB, accumulatorKiB = 4, expected }) => {
    const [height, width] = size;
    const net = new NetworkBuilder(
      "case",
      randomParameters("case", 1),
      "x",
      defaultPreprocess({ height, width, channels: 3 }, "case"),
    );
    const model = quantize(net.finish(build(net), null), { seed: 1 });
    const input = Int8Array.from({ length: height * width * 3 }, (_, i) => Math.imul(i + 1, 2654435761) >> 24);
    const parameters = {
      agents,
      "sram.bytes": sramKiB * 1024,
      "array.accumulatorBytes": accumulatorKiB * 1024,
    };
    const program = compileModel(model, createMachine("case", parameters, "case"), { optimize });
    const { mechanisms } = checkLowered(program, input, runReference(model, input));
    for (const mechanism of expected) expect([...mechanisms]).toContain(mechanism);
  });
});
