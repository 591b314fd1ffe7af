/**
 * Run-time exponents in a frame: in which order groups work, and when exponents are chosen. Which registers hold them is
 * said in scaling-registers.ts.
 */
import type { QuantizedModel, RuntimeExponent } from "../quantized-model.ts";
import type { Group, GroupedModel, Placement } from "./groups.ts";
import { assignRegisters, type Plan, type Schedule } from "./scaling-registers.ts";

/** What the stages ask about run-time exponents. */
export class Scaling {
  readonly mode: "static" | "dynamic" | "delayed";
  private readonly exponents: readonly RuntimeExponent[];
  private readonly owners = new Map<string, number>();
  private readonly groups: readonly Group[];
  private readonly channels: ReadonlyMap<string, number>;

  constructor(
    private readonly model: QuantizedModel,
    private readonly grouped: GroupedModel,
  ) {
    this.mode = model.runtime?.mode ?? "static";
    this.exponents = model.runtime?.exponents ?? [];
    this.exponents.forEach(({ tensors }, i) => {
      for (const name of tensors) this.owners.set(name, i);
    });
    this.groups = grouped.groups;
    this.channels = new Map(model.tensors.map(({ name, channels }) => [name, channels]));
  }

  /** Convolutions, by group, that share a measured exponent with this tensor; empty: it has none. */
  measuredWith(tensor: string): number[] {
    const owner = this.ownerOf(tensor);
    if (owner === null || this.exponents[owner].clipLog2 === null) return [];
    return this.groups.flatMap((group, i) =>
      group.kind === "conv" && this.ownerOf(group.conv.output) === owner ? [i] : [],
    );
  }

  /** The steps of a frame with their registers. @throws RapError when there are too few registers */
  schedule(): Schedule {
    const plans = this.mode === "dynamic" ? this.dynamicOrder() : this.groups.flatMap((_, i) => this.atOnce(i));
    plans.push(...this.toldOutputs());
    if (this.mode === "delayed") this.chooseForNextFrame(plans);
    return assignRegisters(plans, this.model.name, this.model.runtime);
  }

  private ownerOf(tensor: string): number | null {
    return this.owners.get(tensor) ?? null;
  }

  /** A group in one pass; a sum learns its exponent before. */
  private atOnce(i: number): Plan[] {
    const group = this.groups[i];
    const inputs = inputsOf(group).map((input) => this.ownerOf(input));
    const output = this.ownerOf(outputOf(group));
    const isMeasured = group.kind === "conv" && this.measuredWith(group.conv.output).length > 0;
    const plan: Plan = { kind: "whole", group: i, inputs, output, histogram: isMeasured ? output : null, tensor: null };
    return group.kind === "add" && output !== null ? [{ ...plan, kind: "followed" }, plan] : [plan];
  }

  /** Groups that share an exponent are all measured before any of them is finished. */
  private dynamicOrder(): Plan[] {
    const plans: Plan[] = [];
    const done = new Set<number>();
    const prepare = (i: number) => {
      for (const input of inputsOf(this.groups[i])) for (const writer of this.writersOf(input)) finish(writer);
    };
    const finish = (i: number) => {
      if (done.has(i)) return;
      const group = this.groups[i];
      const together = group.kind === "conv" ? this.measuredWith(group.conv.output) : [];
      for (const member of together.length === 0 ? [i] : together) prepare(member);
      if (together.length === 0) {
        plans.push(...this.atOnce(i));
        done.add(i);
        return;
      }
      const passes = together.flatMap((member) => this.atOnce(member));
      const { output } = passes[0];
      // while it is measured, the exponent has no value yet
      plans.push(...passes.map((plan): Plan => ({ ...plan, kind: "measure", output: null })));
      plans.push({ kind: "measured", group: i, inputs: [], output, histogram: output, tensor: null });
      plans.push(...passes.map((plan): Plan => ({ ...plan, kind: "finish", histogram: null })));
      for (const member of together) done.add(member);
    };
    this.groups.forEach((_, i) => {
      finish(i);
    });
    return plans;
  }

  /** Groups that write any channel of a tensor. */
  private writersOf(tensor: string): number[] {
    const span = (name: string, { root, offset }: Placement) => ({
      root,
      offset,
      end: offset + this.channels.get(name)!,
    });
    const { placements } = this.grouped;
    const wanted = span(tensor, placements.get(tensor)!);
    return this.groups.flatMap((group, i) => {
      const written =
        group.kind === "copy"
          ? span(group.input, this.rootOf(group.output))
          : span(group.output, placements.get(group.output)!);
      return written.root === wanted.root && written.offset < wanted.end && wanted.offset < written.end ? [i] : [];
    });
  }

  private rootOf({ root, offset }: Placement): Placement {
    const outer = this.grouped.placements.get(root)!;
    return { root: outer.root, offset: outer.offset + offset };
  }

  /** Outputs whose scale the host cannot know beforehand: their own exponent moves, or that of the accumulators. */
  private toldOutputs(): Plan[] {
    return this.model.host.outputs.flatMap(({ tensor, format }): Plan[] => {
      const writer = this.model.nodes.find(({ output }) => output === tensor)!;
      const owner = this.ownerOf(format === "i32" ? writer.inputs[0] : tensor);
      if (owner === null) return [];
      const [group] = this.writersOf(tensor);
      return [{ kind: "told", group, inputs: [owner], output: null, histogram: null, tensor }];
    });
  }

  /** In delayed mode an exponent may change only when nothing of this frame reads it any more. */
  private chooseForNextFrame(plans: Plan[]): void {
    this.exponents.forEach(({ clipLog2 }, owner) => {
      if (clipLog2 === null) return;
      const last = plans.findLastIndex(({ inputs, output }) => inputs.includes(owner) || output === owner);
      const { group } = plans[last];
      plans.splice(last + 1, 0, { kind: "measured", group, inputs: [], output: owner, histogram: owner, tensor: null });
    });
  }
}

function inputsOf(group: Group): readonly string[] {
  switch (group.kind) {
    case "conv":
      return group.conv.inputs;
    case "pool":
      return group.pool.inputs;
    case "add":
      return group.add.inputs;
    case "copy":
      return [group.input];
  }
}

/** A tensor that has the exponent of what the group writes. */
function outputOf(group: Group): string {
  if (group.kind === "copy") return group.input;
  return group.kind === "conv" ? group.conv.output : group.output;
}
