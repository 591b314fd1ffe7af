/** What a phase takes: SRAM, cycles and DRAM bytes, from the machine's own parameters. */
import { type Machine, peakMacsPerCycle } from "../../isa/index.ts";
import { aligned } from "../lowering/buffers.ts";
import { phaseDelays, slotsOf } from "./delays.ts";
import type { Operator } from "./operators.ts";
import {
  colNeeds,
  hasBuffer,
  type PhaseChoice,
  type PhaseShape,
  type RootUse,
  rowNeeds,
  type Span,
  tableBytes,
  weightBytes,
  weightExtents,
} from "./phase.ts";
import {
  type ArrayContext,
  type Cuts,
  inputChannels,
  PIECE_SLOTS,
  pieceBytes,
  streamBytes,
  WEIGHT_SLOTS,
} from "./pieces.ts";
import { type Rates, ratesOf, transferCycles } from "./rates.ts";

const UNITS = ["mac", "shift", "pool", "link", "dma", "dram"] as const;

export interface PhaseCost {
  readonly sramBytes: number;
  readonly cycles: number;
  readonly dramBytes: number;
  /** the unit that takes longest */
  readonly bound: (typeof UNITS)[number];
}

/** A way to cut a phase's result in one direction. By tensor: rows (or columns) of stripes that stand for all. */
export interface Cut {
  /** of the result per stripe */
  readonly size: number;
  readonly stripes: number;
  readonly samples: readonly CutSample[];
  /** rows of the largest stripe */
  readonly most: Int32Array;
}

interface CutSample {
  /** stripes like this one */
  readonly count: number;
  /** rows that are new in the stripe */
  readonly fresh: Int32Array;
  /** rows taken over from the stripe before */
  readonly kept: Int32Array;
}

/** A tensor as the model sees it. */
interface ModelUse {
  readonly use: RootUse;
  readonly isInDram: boolean;
  /** bytes of a pixel's channels */
  readonly pixelBytes: number;
  /** pixels side by side lie side by side in DRAM */
  readonly isDense: boolean;
  /** part of all agents' shares that lies in the tensor */
  readonly inside: number;
  /** buffers, when there are several stripes */
  readonly slots: number;
}

/**
 * Where a tensor's rows (or columns) begin and end that a stretch lo..hi of the result needs: lo x ratio + before, hi x ratio + after. All windows
 * between the two have one ratio, so both are straight lines.
 */
interface Edge {
  readonly ratio: number;
  readonly before: number;
  readonly after: number;
  /** of the agent's whole tile */
  readonly end: number;
}

interface ModelOperator {
  readonly operator: Operator;
  readonly output: number;
  readonly outputUse: ModelUse;
}

/** What is loaded once for a phase, beside its input. */
interface Constants {
  readonly cycles: number;
  /** until the first operator has its own */
  readonly firstCycles: number;
  readonly bytes: number;
}

interface Work {
  mac: number;
  shift: number;
  pool: number;
  link: number;
  /** of the units that move between DRAM and SRAM, starting up included */
  load: number;
  store: number;
  dramBytes: number;
  instructions: number;
  /** waiting of one operator for the one before it, per stripe */
  bubbles: number;
  /** operators one behind the other, and the last of them */
  serial: number;
  last: number;
}

/** What a phase's tilings differ in, beside stripes. */
export type Keeping = Pick<PhaseChoice, "weightsResident" | "storeStripes">;
type Needs = ReadonlyMap<string, Span>;
type Fixed = Omit<PhaseChoice, "stripeRows" | "stripeCols" | keyof Keeping>;

/** A phase on one grid of agents, its tensors in their homes: what each way to cut it into stripes takes. */
export class PhaseModel {
  private readonly uses: readonly ModelUse[];
  private readonly operators: readonly ModelOperator[];
  private readonly rowEdges: readonly Edge[];
  private readonly colEdges: readonly Edge[];
  private readonly rates: Rates;
  private readonly agents: number;
  private readonly tableBytes: number;
  private readonly weightBytes: number;
  private readonly streamBytes: number;
  private readonly allConstants: Constants;
  private readonly tablesAlone: Constants;

  constructor(
    shape: PhaseShape,
    private readonly fixed: Fixed,
    private readonly context: ArrayContext,
    private readonly cuts: Cuts,
  ) {
    const { gridY, gridX, tile, homes } = fixed;
    const { machine } = context;
    const delays = phaseDelays(shape, { ...fixed, storeStripes: true }, 2);
    this.uses = [...shape.uses.values()].map((use) => {
      const { root, channels, ratioY, ratioX } = use;
      return {
        use,
        isInDram: homes.get(root.name) === "dram" && use.kind !== "within",
        pixelBytes: (channels.hi - channels.lo) * root.bytes,
        isDense: channels.hi - channels.lo === root.channels,
        inside: Math.min(1, (root.height * root.width) / (gridY * tile.height * ratioY * gridX * tile.width * ratioX)),
        slots: slotsOf(use, shape, delays, 2),
      };
    });
    const nothing = { lo: 0, hi: 0 };
    const edges = (none: Needs, whole: Needs, ratioOf: (use: RootUse) => number): Edge[] =>
      this.uses.map(({ use }) => {
        const { lo, hi } = none.get(use.root.name)!;
        return { ratio: ratioOf(use), before: lo, after: hi, end: whole.get(use.root.name)!.hi };
      });
    this.rowEdges = edges(rowNeeds(shape, fixed, nothing), rowNeeds(shape, fixed), ({ ratioY }) => ratioY);
    this.colEdges = edges(colNeeds(shape, fixed, nothing), colNeeds(shape, fixed), ({ ratioX }) => ratioX);
    const index = new Map([...shape.uses.keys()].map((name, i) => [name, i]));
    this.operators = shape.operators.map((operator) => {
      const output = index.get(operator.output.root)!;
      return { operator, output, outputUse: this.uses[output] };
    });
    this.rates = ratesOf(machine);
    this.agents = gridY * gridX;
    this.tableBytes = tableBytes(shape);
    this.weightBytes = weightBytes(shape, machine);
    this.streamBytes = aligned(streamBytes(shape, machine));
    this.allConstants = this.constants(true);
    this.tablesAlone = this.constants(false);
  }

  /** Shift tables, and weights that stay for the phase. */
  private constants(weightsResident: boolean): Constants {
    const cols = this.context.machine.parameters["array.cols"];
    let [cycles, firstCycles, bytes] = [0, 0, 0];
    for (const { operator } of this.operators) {
      const extents = weightExtents(operator, cols);
      if (extents === null) continue;
      const table = operator.output.channels * 4;
      const weights = weightsResident ? extents.blocks * extents.rows * cols : 0;
      cycles += transferCycles(table, table, this.rates);
      if (weights > 0) cycles += transferCycles(weights, weights, this.rates);
      if (firstCycles === 0) firstCycles = cycles;
      bytes += table + weights;
    }
    return { cycles, firstCycles, bytes };
  }

  /** The first, the second and the last stripe stand for all: those between are like the second. */
  rows(size: number): Cut {
    return this.cut(size, this.fixed.tile.height, this.rowEdges, true);
  }

  /** Columns are like each other but the last. */
  cols(size: number): Cut {
    return this.cut(size, this.fixed.tile.width, this.colEdges, false);
  }

  private cut(size: number, whole: number, edges: readonly Edge[], keeps: boolean): Cut {
    const stripes = Math.ceil(whole / size);
    const end = ({ ratio, after, end }: Edge, i: number) =>
      (i + 1) * size >= whole ? end : (i + 1) * size * ratio + after;
    const picked = [...new Set(keeps ? [0, 1, stripes - 1] : [0, stripes - 1])].filter((i) => i < stripes);
    const most = new Int32Array(edges.length);
    const samples = picked.map((i, at): CutSample => {
      const fresh = new Int32Array(edges.length);
      const kept = new Int32Array(edges.length);
      edges.forEach((edge, u) => {
        const lo = i * size * edge.ratio + edge.before;
        const hi = end(edge, i);
        const from = keeps && i > 0 ? Math.min(Math.max(lo, end(edge, i - 1)), hi) : lo;
        fresh[u] = hi - from;
        kept[u] = from - lo;
        most[u] = Math.max(most[u], hi - lo);
      });
      // the one before the last stands for those between as well
      return { count: at === picked.length - 2 ? stripes - picked.length + 1 : 1, fresh, kept };
    });
    return { size, stripes, samples, most };
  }

  private hasBuffer({ use }: ModelUse, storeStripes: boolean): boolean {
    return hasBuffer(use, { homes: this.fixed.homes, storeStripes });
  }

  private storesPieces(of: ModelUse, storeStripes: boolean): boolean {
    return of.use.kind === "output" && of.isInDram && !this.hasBuffer(of, storeStripes);
  }

  /** SRAM that a phase takes beside tensors lying there before and after. */
  private sramBytes(rows: Cut, cols: Cut, { weightsResident, storeStripes }: Keeping): number {
    const isCut = rows.stripes * cols.stripes > 1;
    let bytes = this.tableBytes + (weightsResident ? this.weightBytes : WEIGHT_SLOTS * this.streamBytes);
    let storesPieces = false;
    for (let u = 0; u < this.uses.length; u++) {
      const use = this.uses[u];
      if (this.storesPieces(use, storeStripes)) storesPieces = true;
      if (!this.hasBuffer(use, storeStripes)) continue;
      bytes += (isCut ? use.slots : 1) * aligned(rows.most[u] * cols.most[u] * use.pixelBytes);
    }
    return bytes + (storesPieces ? PIECE_SLOTS * aligned(pieceBytes(this.context.machine)) : 0);
  }

  /** What a tiling takes, or null when that is more than `freeBytes` of SRAM. */
  cost(rows: Cut, cols: Cut, keeping: Keeping, freeBytes: number): PhaseCost | null {
    const sramBytes = this.sramBytes(rows, cols, keeping);
    if (sramBytes > freeBytes) return null;
    const { rates, fixed } = this;
    const p = this.context.machine.parameters;
    const work: Work = {
      mac: 0,
      shift: 0,
      pool: 0,
      link: 0,
      load: 0,
      store: 0,
      dramBytes: 0,
      instructions: 0,
      bubbles: 0,
      serial: 0,
      last: 0,
    };
    for (const col of cols.samples) for (const row of rows.samples) this.addStripe(work, row, col, keeping);
    const constants = keeping.weightsResident ? this.allConstants : this.tablesAlone;
    work.load += constants.cycles;
    work.dramBytes += constants.bytes;
    work.dramBytes += 64 * work.instructions;
    const tps = p["agent.tensorProcessors"];
    const times = {
      mac: work.mac / tps,
      shift: work.shift / tps,
      pool: work.pool / tps,
      link: work.link,
      dma: Math.max(work.load, work.store),
      dram: work.dramBytes / rates.dram,
    };
    const stripes = rows.stripes * cols.stripes;
    const together = Math.max(times.mac, times.shift, times.pool, times.link) + work.bubbles;
    // in one stripe operators follow each other; else one works beside another
    const compute = stripes === 1 ? work.serial : Math.min(together, work.serial);
    const last = stripes === 1 ? work.last : compute / stripes;
    // constants come during the phase before, where a phase like this one leaves them room
    const residentBytes = keeping.weightsResident ? this.weightBytes : 0;
    const isAhead = fixed.first > 0 && sramBytes + residentBytes <= freeBytes;
    // the first stripe's data come before anything can be done, and the last one's go when all is done
    let [begin, end] = [isAhead ? 0 : constants.firstCycles, 0];
    for (let u = 0; u < this.uses.length; u++) {
      const use = this.uses[u];
      if (!use.isInDram) continue;
      const stripe = rows.samples[0].fresh[u] * cols.samples[0].fresh[u] * use.pixelBytes;
      const bytes = this.hasBuffer(use, keeping.storeStripes)
        ? stripe
        : Math.min(stripe, pieceBytes(this.context.machine));
      const cycles = transferCycles(bytes, bytes * this.agents, rates);
      if (use.use.kind === "input") begin += cycles;
      else end += cycles;
    }
    // the first instructions of a program
    if (fixed.first === 0)
      begin += p["dram.latencyCycles"] + (64 * p["issue.fetchInstructions"]) / p["dram.bytesPerCycle"];
    const cycles = Math.max(begin + compute, work.load + (isAhead ? 0 : last), work.store, times.dram) + end;
    return { sramBytes, cycles, dramBytes: work.dramBytes, bound: largestOf(times) };
  }

  /** Operators of a stripe, and its transfers. */
  private addStripe(work: Work, row: CutSample, col: CutSample, keeping: Keeping): void {
    const count = row.count * col.count;
    let pieceBytesInRun = 0;
    for (const { operator, output, outputUse } of this.operators) {
      const [height, width] = [row.fresh[output], col.fresh[output]];
      if (height <= 0) continue;
      if (operator.group.kind !== "conv") this.addElementwise(work, count, operator, height * width);
      else pieceBytesInRun = this.addConv(work, count, operator, outputUse, height, width, keeping) || pieceBytesInRun;
    }
    const p = this.context.machine.parameters;
    for (let u = 0; u < this.uses.length; u++) {
      const use = this.uses[u];
      const { kind } = use.use;
      const width = col.fresh[u];
      const isBuffered = this.hasBuffer(use, keeping.storeStripes);
      if (kind !== "output" && isBuffered)
        work.link += (count * row.kept[u] * width * use.pixelBytes) / p["link.bytesPerCycle"];
      if (!use.isInDram) continue;
      const bytes = row.fresh[u] * width * use.pixelBytes;
      const run =
        kind === "output" && !isBuffered && pieceBytesInRun > 0
          ? pieceBytesInRun
          : (use.isDense ? width : 1) * use.pixelBytes;
      const rounded = run % p["dram.burstBytes"] === 0 ? bytes : (bytes * (run + p["dram.burstBytes"])) / run;
      const dramBytes = this.agents * use.inside * rounded;
      work[kind === "input" ? "load" : "store"] += count * transferCycles(bytes, dramBytes, this.rates);
      work.dramBytes += count * dramBytes;
      work.instructions += 3 * count;
    }
  }

  /** Returns contiguous bytes of a piece stored by itself; 0: none is. */
  private addConv(
    work: Work,
    count: number,
    operator: Operator,
    outputUse: ModelUse,
    height: number,
    width: number,
    keeping: Keeping,
  ): number {
    const { group, output } = operator;
    if (group.kind !== "conv") return 0;
    const { conv } = group;
    const p = this.context.machine.parameters;
    const tps = p["agent.tensorProcessors"];
    const elementBytes = outputUse.use.root.bytes;
    const isPiece = this.storesPieces(outputUse, keeping.storeStripes);
    const { weightsResident } = keeping;
    const pieces = this.cuts.of(operator, conv, height, width, weightsResident, isPiece ? elementBytes : 0);
    const channelGroups = Math.ceil(output.channels / (pieces.blocks * p["array.cols"]));
    const values = height * width * output.channels;
    const shift = values / p["shift.lanes"];
    work.mac += count * pieces.cycles;
    work.shift += count * shift;
    work.instructions += 5 * count * pieces.instructions;
    const lastValues = Math.min(values, pieces.rows * pieces.cols * pieces.blocks * p["array.cols"]);
    const tail = p["array.rows"] + p["array.cols"] + p["lanes.latencyCycles"];
    const bubble = tail + lastValues / p["shift.lanes"];
    work.bubbles += count * bubble;
    this.inTurn(work, count, Math.max(pieces.cycles, shift) / tps + bubble);
    if (!weightsResident) {
      const groupIn = inputChannels(conv);
      const reload = pieces.chunk < groupIn;
      const times = reload ? Math.ceil(height / pieces.rows) * Math.ceil(width / pieces.cols) : 1;
      const bytes = (conv.weights.length / conv.bias.length) * output.channels * times;
      const loads = (reload ? pieces.instructions : channelGroups) * Math.ceil(groupIn / pieces.chunk);
      work.load += count * (loads * this.rates.startUp + bytes / Math.min(this.rates.dma, this.rates.dram));
      work.dramBytes += count * bytes;
    }
    return isPiece ? (output.channels / channelGroups) * elementBytes : 0;
  }

  private addElementwise(work: Work, count: number, { group, output, window }: Operator, pixels: number): void {
    const p = this.context.machine.parameters;
    const values = pixels * output.channels;
    work.instructions += 3 * count;
    if (group.kind === "pool") {
      const cycles = (values * window.kernel[0] * window.kernel[1]) / p["pool.lanes"];
      work.pool += count * cycles;
      this.inTurn(work, count, cycles + p["lanes.latencyCycles"]);
    } else if (group.kind === "add") {
      const cycles = values / p["pool.lanes"];
      work.pool += count * cycles;
      work.bubbles += count * cycles;
      this.inTurn(work, count, cycles + p["lanes.latencyCycles"]);
    } else {
      const cycles = values / p["link.bytesPerCycle"];
      work.link += count * cycles;
      this.inTurn(work, count, cycles);
    }
  }

  /** Operators of a stripe one behind the other. */
  private inTurn(work: Work, count: number, cycles: number): void {
    work.serial += count * cycles;
    work.last = cycles;
  }
}

/** What no tiling undercuts: the arrays' time at their peak, and each tensor in DRAM and each weight moved once. */
export function leastCost(
  shape: PhaseShape,
  { gridY, gridX, tile, homes }: Pick<PhaseChoice, "gridY" | "gridX" | "tile" | "homes">,
  machine: Machine,
): Pick<PhaseCost, "cycles" | "dramBytes"> {
  const agents = gridY * gridX;
  let [macs, dramBytes] = [0, 0];
  for (const { group, output } of shape.operators) {
    if (group.kind !== "conv") continue;
    const { ratioY, ratioX } = shape.uses.get(output.root)!;
    const weights = (group.conv.weights.length / group.conv.bias.length) * output.channels;
    macs += agents * tile.height * ratioY * tile.width * ratioX * weights;
    dramBytes += weights;
  }
  for (const { root, channels, kind } of shape.uses.values())
    if (kind !== "within" && homes.get(root.name) === "dram")
      dramBytes += root.height * root.width * (channels.hi - channels.lo) * root.bytes;
  return { cycles: Math.max(macs / peakMacsPerCycle(machine), dramBytes / ratesOf(machine).dram), dramBytes };
}

function largestOf(times: Readonly<Record<PhaseCost["bound"], number>>): PhaseCost["bound"] {
  let largest: PhaseCost["bound"] = "mac";
  for (const unit of UNITS) if (times[unit] > times[largest]) largest = unit;
  return largest;
}
