/** What the compiler decided, in the form a program keeps. */
import type { ScheduleStep } from "../../isa/index.ts";
import type { PhaseCost } from "../schedule/cost.ts";
import type { PhaseChoice } from "../schedule/phase.ts";
import type { Leg } from "../schedule/steps.ts";

/** The schedule as the program keeps it, for people. */
export function describeSchedule(legs: readonly Leg[]): ScheduleStep[] {
  const estimate = ({ cycles, dramBytes, bound }: PhaseCost) => ({
    cycles: Math.round(cycles),
    dramBytes: Math.round(dramBytes),
    bound,
  });
  const tiling = ({ stripeRows, stripeCols, weightsResident }: PhaseChoice) => ({
    stripe: [stripeRows, stripeCols] as [number, number],
    weights: weightsResident ? ("resident" as const) : ("streamed" as const),
  });
  return legs.flatMap(({ steps, other }) =>
    steps.flatMap((step): ScheduleStep[] => {
      if (step.kind === "layer") return [];
      const { shape, choice, cost, second } = step;
      const [operator] = shape.operators;
      const { group, output, firstChannel } = operator;
      const isSlice = group.kind === "conv" && output.channels < group.conv.bias.length;
      return [
        {
          layers: [choice.first, choice.end],
          channels: isSlice ? [firstChannel, output.channels] : null,
          grid: [choice.gridY, choice.gridX],
          tile: [choice.tile.height, choice.tile.width],
          ...tiling(choice),
          tensors: [...shape.uses.values()]
            .filter(({ kind }) => kind !== "within")
            .map(({ root: { name } }) => ({ name, home: choice.homes.get(name)! })),
          sramBytes: cost.sramBytes,
          estimate: estimate(cost),
          otherTiling: second === null ? null : { ...tiling(second.choice), estimate: estimate(second.cost) },
          otherCut: other === null ? null : { first: other.first, moreCycles: Math.round(other.moreCycles) },
        },
      ];
    }),
  );
}
