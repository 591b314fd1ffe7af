// Margins of parts in SRAM: which does a phase have to get from its neighbours first?
import { expect, test } from "vitest";
import { quantize } from "../../compiler/index.ts";
import { groupModel } from "../../compiler/lowering/groups.ts";
import { toExchange } from "../../compiler/lowering/parts.ts";
import { NetworkBuilder } from "../../compiler/network-builder.ts";
import { randomParameters } from "../../compiler/parameters.ts";
import { networkOf } from "../../compiler/schedule/operators.ts";
import { type Home, phaseShape } from "../../compiler/schedule/phase.ts";
import type { PlannedPhase } from "../../compiler/schedule/steps.ts";
import { defaultPreprocess } from "../../compiler/sidecar.ts";

test("the margins of a concatenation are exchanged again when another part of it has been made", () => {
  const SAME = { pads: [1, 1, 1, 1] as const };
  const net = new NetworkBuilder(
    "case",
    randomParameters("case", 1),
    "x",
    defaultPreprocess({ height: 16, width: 16, channels: 3 }, "case"),
  );
  const a = net.conv("a", net.input, 4, 3, SAME);
  const c = net.conv("c", net.conv("b", a, 4, 3, SAME), 4, 3, SAME);
  const model = quantize(net.finish(net.conv("d", net.concat("ac", [a, c]), 4, 3, SAME), null), { seed: 1 });
  const network = networkOf(model, groupModel(model, false));
  const root = network.operators[0].output.root;
  expect(network.operators[2].output.root).toBe(root);

  /** One operator a phase, everything in the SRAM of two agents. */
  const phase = (index: number): PlannedPhase => {
    const shape = phaseShape(network, index, index + 1)!;
    const homes = new Map<string, Home>([...shape.uses.keys()].map((name) => [name, "sram"]));
    const tile = { height: 8, width: 16 };
    const tiling = {
      gridY: 2,
      gridX: 1,
      tile,
      stripeRows: 8,
      stripeCols: 16,
      weightsResident: true,
      storeStripes: true,
    };
    return {
      kind: "phase",
      shape,
      choice: { first: index, end: index + 1, homes, ...tiling },
      cost: null as never,
      second: null,
    };
  };
  const filled = new Set<string>();
  const exchanged = network.operators.map((_, i) => toExchange(phase(i), filled).includes(root));
  // a and c are parts of one tensor; b reads a, d reads both
  expect(exchanged).toEqual([false, true, false, true]);
});
