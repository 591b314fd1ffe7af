/**
 * Which stripe each operator works on in a step: loads are a stripe ahead of what reads them, and so is a pooling, whose lanes would
 * otherwise keep the arrays waiting.
 */
import { hasBuffer, type PhaseChoice, type PhaseShape, type RootUse } from "./phase.ts";

/** Steps by which each operator (by its index) lags behind the loads. */
export function phaseDelays(
  shape: PhaseShape,
  choice: Pick<PhaseChoice, "homes" | "storeStripes">,
  stripes: number,
): Map<number, number> {
  const delays = new Map<number, number>();
  for (const { index, inputs } of shape.operators) {
    let delay = 0;
    for (const { root } of inputs) {
      const use = shape.uses.get(root)!;
      if (use.kind === "input") delay = Math.max(delay, stripes > 1 && hasBuffer(use, choice) ? 1 : 0);
      for (const writer of shape.operators) {
        if (writer.output.root !== root) continue;
        const isSlow = stripes > 1 && writer.group.kind === "pool";
        delay = Math.max(delay, delays.get(writer.index)! + (isSlow ? 1 : 0));
      }
    }
    delays.set(index, delay);
  }
  return delays;
}

/** Buffers a tensor needs so that its writers may be ahead of its readers, and kept rows be copied from stripe to stripe. */
export function slotsOf(use: RootUse, shape: PhaseShape, delays: ReadonlyMap<number, number>, stripes: number): number {
  if (stripes === 1) return 1;
  const of = (operators: PhaseShape["operators"]) => operators.map(({ index }) => delays.get(index)!);
  const writes = use.kind === "input" ? [0] : of(writersOf(use, shape));
  const reads = of(shape.operators.filter(({ inputs }) => inputs.some(({ root }) => root === use.root.name)));
  const first = Math.min(...writes);
  return Math.max(2, Math.max(...reads, 0) - first + 1, Math.max(...writes) - first + 2);
}

/** Operators of a phase that write a tensor. */
export function writersOf(use: RootUse, shape: PhaseShape): PhaseShape["operators"] {
  return shape.operators.filter(({ output }) => output.root === use.root.name);
}
