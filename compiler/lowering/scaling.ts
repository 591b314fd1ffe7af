/**
 * Run-time exponents in a frame: in which order groups work, when exponents are chosen, and which scalar and histogram
 * registers hold what. A register holds a distance from the static exponent; register 0 is always 0.
 */
import { HISTOGRAM_REGISTERS, RapError, SCALAR_REGISTERS } from "../../isa/index.ts";
import type { QuantizedModel, RuntimeExponent } from "../quantized-model.ts";
import type { Group, GroupedModel, Placement } from "./groups.ts";

/**
 * What a group does at a step. whole: everything, measuring on the way if asked; measure: only what its exponent needs to
 * be known; finish: the rest, when it is known.
 */
export type Pass = "whole" | "measure" | "finish";

/** Registers of one group at one step. */
export interface Registers {
  /** By input. */
  readonly inputs: readonly number[];
  readonly output: number;
  /** null: nothing is measured. */
  readonly histogram: number | null;
}

export type Step =
  | { readonly kind: "group"; readonly group: number; readonly pass: Pass; readonly registers: Registers }
  /** An exponent from its histogram. */
  | {
      readonly kind: "measured";
      readonly group: number;
      readonly exponent: RuntimeExponent;
      readonly register: number;
      readonly histogram: number;
    }
  /** An addition's exponent from those of its operands. */
  | {
      readonly kind: "followed";
      readonly group: number;
      readonly exponent: RuntimeExponent;
      readonly register: number;
      readonly operands: readonly number[];
    }
  /** An output's distance is stored for the host. */
  | { readonly kind: "told"; readonly group: number; readonly output: string; readonly register: number };

export interface Schedule {
  readonly steps: readonly Step[];
  /** Registers that keep their values from frame to frame: they start at 0, the static exponents. */
  readonly kept: readonly { readonly register: number; readonly group: number }[];
}

/** A step before registers are given out: exponents by their index in the model. */
type Plan =
  | { readonly kind: "group"; readonly group: number; readonly pass: Pass }
  | { readonly kind: "measured" | "followed"; readonly group: number; readonly exponent: number }
  | { readonly kind: "told"; readonly group: number; readonly output: string; readonly exponent: number };

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
    const owner = this.owners.get(tensor);
    if (owner === undefined || this.exponents[owner].clipLog2 === null) return [];
    return this.groups.flatMap((group, i) =>
      group.kind === "conv" && this.owners.get(group.conv.output) === owner ? [i] : [],
    );
  }

  /** The steps of a frame with their registers. @throws RapError when there are too few registers */
  schedule(): Schedule {
    const plans = this.mode === "dynamic" ? this.dynamicOrder() : this.givenOrder();
    plans.push(...this.toldOutputs());
    if (this.mode === "delayed") this.chooseForNextFrame(plans);
    return this.assignRegisters(plans);
  }

  private ownerOf(group: Group): number | undefined {
    if (group.kind === "conv") return this.owners.get(group.conv.output);
    return typeof group.output === "string" ? this.owners.get(group.output) : undefined;
  }

  private givenOrder(): Plan[] {
    return this.groups.flatMap((group, i): Plan[] => [
      ...this.followed(group, i),
      { kind: "group", group: i, pass: "whole" },
    ]);
  }

  private followed(group: Group, i: number): Plan[] {
    const owner = this.ownerOf(group);
    return group.kind === "add" && owner !== undefined ? [{ kind: "followed", group: i, exponent: owner }] : [];
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
        plans.push(...this.followed(group, i), { kind: "group", group: i, pass: "whole" });
        done.add(i);
        return;
      }
      for (const member of together) plans.push({ kind: "group", group: member, pass: "measure" });
      plans.push({ kind: "measured", group: i, exponent: this.ownerOf(group)! });
      for (const member of together) {
        plans.push({ kind: "group", group: member, pass: "finish" });
        done.add(member);
      }
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
    const wanted = span(tensor, this.grouped.placements.get(tensor)!);
    return this.groups.flatMap((group, i) => {
      const written =
        group.kind === "copy"
          ? span(group.input, this.rootOf(group.output))
          : span(group.output, this.grouped.placements.get(group.output)!);
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
      const exponent = this.owners.get(format === "i32" ? writer.inputs[0] : tensor);
      return exponent === undefined
        ? []
        : [{ kind: "told", group: this.writersOf(tensor)[0], output: tensor, exponent }];
    });
  }

  /** In delayed mode an exponent may change only when nothing of this frame reads it any more. */
  private chooseForNextFrame(plans: Plan[]): void {
    this.exponents.forEach(({ clipLog2 }, exponent) => {
      if (clipLog2 === null) return;
      const last = plans.findLastIndex((plan) => this.reads(plan).includes(exponent));
      plans.splice(last + 1, 0, { kind: "measured", group: plans[last].group, exponent });
    });
  }

  /** Exponents whose register, or histogram, a step uses. */
  private reads(plan: Plan): number[] {
    if (plan.kind === "measured") return [];
    const group = this.groups[plan.group];
    if (plan.kind === "told") return [plan.exponent];
    const inputs = inputsOf(group).map((input) => this.owners.get(input));
    return [...inputs, this.ownerOf(group)].filter((owner) => owner !== undefined);
  }

  private assignRegisters(plans: readonly Plan[]): Schedule {
    const count = this.exponents.length;
    const isKept = (exponent: number) => this.mode === "delayed" && this.exponents[exponent].clipLog2 !== null;
    const uses = plans.map((plan) => this.usesOf(plan));
    const scalars = giveOut(
      Array.from({ length: count }, (_, exponent) =>
        isKept(exponent)
          ? { first: -1, last: plans.length }
          : extentOf(
              uses.map(({ scalars }) => scalars),
              exponent,
            ),
      ),
      SCALAR_REGISTERS - 1,
      (most) => this.refusal("exponents", most, "scalar registers"),
    ).map((register) => register + 1);
    const histograms = giveOut(
      Array.from({ length: count }, (_, exponent) =>
        extentOf(
          uses.map(({ histograms }) => histograms),
          exponent,
        ),
      ),
      HISTOGRAM_REGISTERS,
      (most) => this.refusal("ranges", most, "histogram registers"),
    );
    const registerOf = (owner: number | undefined) => (owner === undefined ? 0 : scalars[owner]);
    const steps = plans.map((plan, i): Step => {
      const { group } = plan;
      switch (plan.kind) {
        case "group": {
          const inputs = inputsOf(this.groups[group]).map((input) => registerOf(this.owners.get(input)));
          const [measured] = uses[i].histograms;
          const histogram = measured === undefined ? null : histograms[measured];
          return { ...plan, registers: { inputs, output: registerOf(this.ownerOf(this.groups[group])), histogram } };
        }
        case "measured": {
          const [register, histogram] = [scalars[plan.exponent], histograms[plan.exponent]];
          return { kind: "measured", group, exponent: this.exponents[plan.exponent], register, histogram };
        }
        case "followed": {
          const operands = inputsOf(this.groups[group]).map((input) => registerOf(this.owners.get(input)));
          const register = scalars[plan.exponent];
          return { kind: "followed", group, exponent: this.exponents[plan.exponent], register, operands };
        }
        case "told":
          return { kind: "told", group, output: plan.output, register: scalars[plan.exponent] };
      }
    });
    const groupOf = (exponent: number) => plans.find((plan) => this.reads(plan).includes(exponent))!.group;
    const kept = scalars.flatMap((register, exponent) =>
      isKept(exponent) ? [{ register, group: groupOf(exponent) }] : [],
    );
    return { steps, kept };
  }

  /** Exponents whose registers a step needs. */
  private usesOf(plan: Plan): { scalars: number[]; histograms: number[] } {
    if (plan.kind === "measured") return { scalars: [plan.exponent], histograms: [plan.exponent] };
    const scalars = this.reads(plan);
    if (plan.kind !== "group" || plan.pass === "finish") return { scalars, histograms: [] };
    const group = this.groups[plan.group];
    const measures = group.kind === "conv" && this.measuredWith(group.conv.output).length > 0;
    const own = this.ownerOf(group);
    // while it is measured, a dynamic exponent has no value yet
    if (plan.pass === "measure") return { scalars: scalars.filter((exponent) => exponent !== own), histograms: [own!] };
    return { scalars, histograms: measures ? [own!] : [] };
  }

  private refusal(what: string, most: number, registers: string): RapError {
    return new RapError(
      `${this.model.name}: ${this.mode} scaling of this network needs more than ${most} ${what} at a time, and an agent has ${most} ${registers} for them; take another scaling mode`,
    );
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

interface Extent {
  readonly first: number;
  readonly last: number;
}

/** First and last step that uses an exponent; null: none does. */
function extentOf(uses: readonly (readonly number[])[], exponent: number): Extent | null {
  const first = uses.findIndex((list) => list.includes(exponent));
  return first < 0 ? null : { first, last: uses.findLastIndex((list) => list.includes(exponent)) };
}

/** A number below `most` for each extent, -1 for null; where two overlap they differ. */
function giveOut(extents: readonly (Extent | null)[], most: number, refusal: (most: number) => RapError): number[] {
  const numbers = extents.map(() => -1);
  /** by number: the last step of its latest user */
  const busyUntil = new Array<number>(most).fill(-2);
  const inOrder = extents
    .flatMap((extent, i) => (extent === null ? [] : [{ ...extent, i }]))
    .sort((a, b) => a.first - b.first);
  for (const { first, last, i } of inOrder) {
    numbers[i] = busyUntil.findIndex((end) => end < first);
    if (numbers[i] < 0) throw refusal(most);
    busyUntil[numbers[i]] = last;
  }
  return numbers;
}
