/**
 * Random legal programs: a plan of small numbers, every step of which becomes one instruction, and edges between steps that
 * become semaphores. Any plan is legal, so shrinking works on the plan.
 */
import fc from "fast-check";
import { type CheckedProgram, type Semaphore, UNIT_KINDS, type UnitKind } from "../../isa/index.ts";
import { axis, Builder, whole } from "./build.ts";

const KINDS = [
  "load",
  "store",
  "conv",
  "shift",
  "pool",
  "add",
  "copy",
  "range",
  "exponent",
  "reduce",
  "sync",
  "fence",
  "view",
] as const;

interface Step {
  readonly kind: (typeof KINDS)[number];
  readonly y: readonly [base: number, extent: number, stepA: number, stepB: number];
  readonly x: readonly [base: number, extent: number];
  /** What the kind makes of it: tensor processor, multicast, unit sets, flags. */
  readonly choice: number;
}

interface Edge {
  readonly from: number;
  readonly to: number;
  /** Back edges wait first and signal later, with signals there from the start. */
  readonly back: boolean;
  readonly offset: readonly [y: number, x: number];
}

export interface Plan {
  readonly machine: Readonly<Record<string, unknown>>;
  readonly gridX: number;
  readonly prologue: readonly Step[];
  readonly body: readonly Step[];
  readonly edges: readonly Edge[];
}

const COLS = 8;
const SHAPE = [12, 8, 16] as const;
const MAX_LOADED = 6;

const small = (max: number) => fc.integer({ min: 0, max });
const step = (kinds: readonly Step["kind"][]): fc.Arbitrary<Step> =>
  fc.record({
    kind: fc.constantFrom(...kinds),
    y: fc.tuple(
      fc.integer({ min: -3, max: 11 }),
      fc.integer({ min: 0, max: 8 }),
      fc.integer({ min: -3, max: 6 }),
      small(3),
    ),
    x: fc.tuple(small(7), fc.integer({ min: 1, max: 8 })),
    choice: small(255),
  });
const edge: fc.Arbitrary<Edge> = fc.record({
  from: small(100),
  to: small(100),
  back: fc.boolean(),
  offset: fc.tuple(fc.integer({ min: -1, max: 1 }), fc.integer({ min: -1, max: 1 })),
});

type Rates = Readonly<Record<string, fc.Arbitrary<unknown>>>;

/** SRAM and DRAM of the machines. */
interface Memories {
  readonly sram: Rates;
  readonly dram: Rates;
}

export const WIDE_SRAM: Rates = { "sram.banks": fc.constant(1024), "sram.bankBytesPerCycle": fc.constant(4096) };
export const ANY_SRAM: Rates = {
  "sram.banks": fc.constantFrom(1, 4, 8, 1024),
  "sram.bankBytesPerCycle": fc.constantFrom(2, 8, 16, 4096),
};
export const IDEAL: Rates = {};
export const TIMED_DRAM: Rates = {
  "dram.banks": fc.constantFrom(1, 2, 8),
  "dram.rowBytes": fc.constantFrom(64, 1024, 4096),
  "dram.activateCycles": small(30),
  "dram.prechargeCycles": small(30),
  "dram.rowOpenCycles": small(60),
  "dram.activateSpacingCycles": small(20),
  "dram.writeRecoveryCycles": small(40),
  "dram.readToWriteCycles": small(20),
  "dram.writeToReadCycles": small(30),
  "dram.refreshIntervalCycles": fc.constantFrom(150, 1000),
  "dram.refreshCycles": fc.constantFrom(0, 75),
  "dram.quantumBytes": fc.constantFrom(64, 1000, 4096),
};

/** Rates over a wide range; `agents` as given. */
const machines = (agents: number, tensorProcessors: number, { sram, dram }: Memories) =>
  fc.record({
    agents: fc.constant(agents),
    "agent.tensorProcessors": fc.constant(tensorProcessors),
    "array.passOverlap": fc.boolean(),
    "array.hiddenPreload": fc.boolean(),
    "array.accumulatorBytes": fc.constant(65536),
    ...sram,
    "lanes.latencyCycles": small(20),
    "dma.bytesPerCycle": fc.constantFrom(1.5, 8, 16, 1000),
    "dma.setupCycles": small(40),
    "dma.requestBytes": fc.constantFrom(64, 128, 300, 1024),
    "dma.outstanding": fc.integer({ min: 1, max: 5 }),
    "dma.runCycles": small(3),
    "dma.multicastCycles": small(5),
    "dram.bytesPerCycle": fc.constantFrom(1.3, 3.75, 12.8, 64, 5000),
    "dram.latencyCycles": small(150),
    "dram.burstBytes": fc.constantFrom(1, 32, 64, 100),
    ...dram,
    "link.bytesPerCycle": fc.constantFrom(2.5, 16),
    "link.latencyCycles": small(30),
    "issue.cyclesPerInstruction": fc.constantFrom(1, 1, 2, 7),
    "issue.queueDepth": fc.integer({ min: 1, max: 6 }),
    "issue.fetchInstructions": fc.constantFrom(1, 5, 12, 64, 64),
    "issue.fetchBuffers": fc.integer({ min: 1, max: 3 }),
    "scalar.cyclesPerOperation": fc.integer({ min: 1, max: 9 }),
    "sync.latencyCycles": small(25),
  });

/** Plans for chips of up to `maxAgents` agents, of the given memories and kinds of steps. */
export function plans(
  maxAgents: number,
  memories: Memories = { sram: ANY_SRAM, dram: TIMED_DRAM },
  kinds: readonly Step["kind"][] = KINDS,
): fc.Arbitrary<Plan> {
  const chips = [
    { agents: 1, gridX: 1 },
    { agents: 2, gridX: 2 },
    { agents: 3, gridX: 1 },
    { agents: 4, gridX: 2 },
  ].filter(({ agents }) => agents <= maxAgents);
  return fc
    .record({ chip: fc.constantFrom(...chips), tensorProcessors: fc.integer({ min: 1, max: 2 }) })
    .chain(({ chip, tensorProcessors }) =>
      fc.record({
        machine: machines(chip.agents, tensorProcessors, memories),
        gridX: fc.constant(chip.gridX),
        prologue: fc.array(step(kinds), { maxLength: 6, size: "max" }),
        body: fc.array(step(kinds), { maxLength: 30, size: "max" }),
        edges: fc.array(edge, { maxLength: 30, size: "max" }),
      }),
    );
}

interface Ends {
  readonly waits: number[];
  readonly signals: number[];
}

/** Semaphores of the edges within one stream of steps. */
function synchronize(program: Builder, plan: Plan, steps: readonly Step[], mayGoBack: boolean): Ends[] {
  const ends = steps.map((): Ends => ({ waits: [], signals: [] }));
  const places = steps.map((one) => placeOf(plan, one));
  if (steps.length === 0) return ends;
  for (const { from, to, back, offset } of plan.edges) {
    const [i, j] = [from % steps.length, to % steps.length];
    const [first, second] = [Math.min(i, j), Math.max(i, j)];
    const [a, b] = [places[first], places[second]];
    if (first === second || a === null || b === null || (back && !mayGoBack)) continue;
    const [giver, taker] = back ? [second, first] : [first, second];
    if (ends[giver].signals.length === 6 || ends[taker].waits.length === 6) continue;
    const [producer, consumer] = back ? [b, a] : [a, b];
    const given: Partial<Semaphore> = {
      ...program.grid,
      offsetY: offset[0],
      offsetX: offset[1],
      initial: back ? 1 : 0,
      producer,
      consumer,
    };
    const id = program.semaphore(producer.kind, consumer.kind, given);
    ends[giver].signals.push(id);
    ends[taker].waits.push(id);
  }
  return ends;
}

const PER_TP: readonly UnitKind[] = ["mac", "shift", "pool", "range"];

function tpOf(plan: Plan, { choice }: Step, kind: UnitKind): number {
  return PER_TP.includes(kind) ? choice % (plan.machine["agent.tensorProcessors"] as number) : 0;
}

/** Unit of a step; null: done at issue. */
function placeOf(plan: Plan, one: Step): { kind: UnitKind; tp: number } | null {
  const kinds: { readonly [K in Step["kind"]]: UnitKind | null } = {
    load: "load",
    store: "store",
    conv: "mac",
    shift: "shift",
    pool: "pool",
    add: "pool",
    copy: "link",
    range: "range",
    exponent: "scalar",
    reduce: "scalar",
    sync: null,
    view: null,
    fence: UNIT_KINDS[one.choice % UNIT_KINDS.length],
  };
  const kind = kinds[one.kind];
  return kind === null ? null : { kind, tp: tpOf(plan, one, kind) };
}

export function build(plan: Plan): CheckedProgram {
  const program = new Builder({ ...plan.machine, "array.cols": COLS }, plan.gridX);
  const tile = program.tensor("tile", SHAPE, "intermediate");
  const weightRows = program.tensor("weights", [2, 9 * 16, COLS], "constant");
  const entries = program.tensor("table", [1, 16, 4], "constant");
  const emit = (steps: readonly Step[], mayGoBack: boolean) => {
    const ends = synchronize(program, plan, steps, mayGoBack);
    const dense = program.view(tile);
    const padded = { y: axis(-4, 24), x: axis(-1, 10), c: axis(0, 16) };
    const wide = program.view(tile, padded);
    const weights = program.view(weightRows);
    const table = program.view(entries);
    steps.forEach((one, i) => {
      if (i % 4 === 0) program.layer(one.choice % 7 === 0 ? null : `layer ${i}`);
      emitStep(one, { ...ends[i], tp: placeOf(plan, one)?.tp ?? 0 }, { dense, wide, weights, table });
    });
  };
  const emitStep = (
    { kind, y, x, choice }: Step,
    common: Ends & { tp: number },
    views: { dense: number; wide: number; weights: number; table: number },
  ) => {
    const box = { y: axis(y[0], y[1], y[2], y[3]), x: axis(x[0], x[1]), c: axis(8 * (choice % 2), 9) };
    const flag = choice % 3 === 0;
    switch (kind) {
      case "load": {
        const multicast = (["none", "all", "row", "column"] as const)[choice % 4];
        const varies = { none: [1, 1], all: [0, 0], row: [1, 0], column: [0, 1] }[multicast];
        const rows = axis(y[0], Math.min(y[1], MAX_LOADED), y[2] * varies[0], y[3] * varies[1]);
        const isInside = rows.base >= -3;
        program.add("load", { ...common, dst: views.wide, ...box, y: rows, multicast, fill: flag && isInside });
        break;
      }
      case "store":
        program.add("store", { ...common, src: views.dense, ...box });
        break;
      case "conv": {
        const kernel = flag ? { kernelY: 3, kernelX: 3, padTop: 1, padLeft: 1 } : {};
        const groups =
          choice % 5 === 0 ? { cCount: 1, groupIn: 1, groupOut: 1 } : { cCount: 16, groupIn: 16, groupOut: 16 };
        const packing = (["perTap", "kernelRow", "full"] as const)[choice % 3];
        const operands = { src: views.dense, weights: views.weights, tensor: tile };
        program.add("conv", { ...common, ...operands, ...box, ...kernel, ...groups, packing, add: choice % 2 === 0 });
        break;
      }
      case "shift":
        program.add("shift", { ...common, table: views.table, dst: views.dense, tensor: tile, ...box });
        break;
      case "range":
        program.add("range", { ...common, table: views.table, tensor: tile, ...box });
        break;
      case "pool":
        program.add("pool", {
          ...common,
          src: views.dense,
          dst: views.dense,
          tensor: tile,
          ...box,
          kernelY: 2,
          kernelX: 2,
        });
        break;
      case "add":
        program.add("add", { ...common, a: views.dense, b: views.dense, dst: views.dense, tensor: tile, ...box });
        break;
      case "copy": {
        const offset = { offsetY: (choice % 3) - 1, offsetX: (choice % 5) - 2 };
        program.add("copy", { ...common, src: views.dense, dst: views.dense, ...box, ...offset });
        break;
      }
      case "exponent":
        program.add("exponent", { ...common, dst: 1, bits: 7 });
        break;
      case "reduce":
        program.add("reduce", common);
        break;
      case "fence":
        program.add("fence", { ...common, unit: UNIT_KINDS[choice % UNIT_KINDS.length] });
        break;
      case "sync": {
        const set = (bits: number) => UNIT_KINDS.filter((_, k) => ((bits >> k) & 1) === 1);
        program.add("sync", { after: set(choice), before: set(choice ^ (y[0] & 255)) });
        break;
      }
      case "view":
        program.add("view", { view: 60, tensor: tile, ...whole(SHAPE), rowPitch: 128, pixelPitch: 16 });
        break;
    }
  };
  if (plan.prologue.length > 0) {
    emit(plan.prologue, false);
    program.endPrologue();
  }
  emit(plan.body, true);
  program.layer(null);
  return program.check();
}
