/** A phase's instructions from its tiling: loads, operators and stores, stripe by stripe. */
import { type Axis, FORMAT_BYTES, type Machine, type Packing } from "../../isa/index.ts";
import {
  addTile,
  axis,
  type Buffer,
  convTile,
  copyTile,
  type Draft,
  loadTile,
  type Place,
  poolTile,
  shiftTile,
  storeTile,
  type TileView,
  tileView,
  within,
} from "../../kernels/index.ts";
import type { QConv } from "../quantized-model.ts";
import { phaseDelays, slotsOf, writersOf } from "../schedule/delays.ts";
import type { Operator } from "../schedule/operators.ts";
import {
  hasBuffer,
  type PhaseChoice,
  type PhaseShape,
  type RootUse,
  type Span,
  type Stripe,
  stripesOf,
  useBytes,
  weightExtents,
} from "../schedule/phase.ts";
import {
  cutBox,
  inputChannels,
  PIECE_SLOTS,
  pieceBytes,
  storesPieces,
  streamBytes,
  WEIGHT_SLOTS,
  weightChunk,
} from "../schedule/pieces.ts";
import { Pool } from "./buffers.ts";
import { addConvConstants, poolMode, WIDE } from "./conv-program.ts";
import type { PartView } from "./parts.ts";
import type { TensorTable } from "./tensors.ts";

/** Work in program order. Constants may be loaded any time before; everything else keeps its place. */
export interface PhaseItem {
  readonly constants: Draft[];
  readonly drafts: Draft[];
}

export interface EmitContext {
  readonly machine: Machine;
  readonly packing: Packing;
  readonly tensors: TensorTable;
  /** program tensor of a root */
  readonly idOf: (root: string) => number;
  /** tensors that lie in SRAM between phases */
  readonly parts: ReadonlyMap<string, PartView>;
  readonly exponentOf: (tensor: string) => number;
  /** by operator: weight and shift tables in DRAM, and the tensor that clips its boxes; a sliced operator's phases share them */
  readonly constants: Map<number, { readonly weights: number; readonly table: number }>;
  readonly virtuals: Map<number, number>;
  /** a name for the phase's buffers */
  readonly name: string;
}

export class PhaseEmitter {
  private readonly stripes: readonly Stripe[];
  private readonly delays: ReadonlyMap<number, number>;
  private readonly buffers: Pool;
  private readonly slots = new Map<string, Buffer[]>();
  private readonly views = new Map<string, Map<number, TileView>>();
  private readonly tables = new Map<number, TileView>();
  private readonly resident = new Map<number, TileView>();
  private readonly weightRing: Buffer[];
  private readonly pieceRing: Buffer[];
  private weightTurn = 0;
  private pieceTurn = 0;
  private accumulatorTiles = 0;
  private items: PhaseItem[] = [];
  private place!: Place;

  constructor(
    private readonly context: EmitContext,
    private readonly shape: PhaseShape,
    private readonly choice: PhaseChoice,
  ) {
    this.stripes = stripesOf(shape, choice);
    this.delays = phaseDelays(shape, choice, this.stripes.length);
    this.buffers = new Pool(context.name);
    for (const use of shape.uses.values()) {
      if (!hasBuffer(use, choice)) continue;
      const { name } = use.root;
      const bytes = Math.max(...this.stripes.map((s) => useBytes(use, s.needed.get(name)!, s.columns.get(name)!)));
      this.slots.set(name, this.buffers.slots(name, bytes, slotsOf(use, shape, this.delays, this.stripes.length)));
    }
    this.weightRing = choice.weightsResident
      ? []
      : this.buffers.slots("weights", streamBytes(shape, context.machine), WEIGHT_SLOTS);
    this.pieceRing = this.buffers.slots("piece", pieceBytes(context.machine), PIECE_SLOTS);
  }

  /** Adds the phase's constants; all constants come before all activations in DRAM. */
  addConstants(): void {
    const { machine, tensors, constants } = this.context;
    for (const { index, group } of this.shape.operators) {
      if (group.kind !== "conv" || constants.has(index)) continue;
      const { conv } = group;
      const chunk = weightChunk(conv, this.choice, machine);
      constants.set(
        index,
        addConvConstants(conv, inputChannels(conv), chunk, machine.parameters["array.cols"], tensors),
      );
    }
  }

  emit(): PhaseItem[] {
    this.begin(0, 0);
    this.loadConstants();
    const last = Math.max(0, ...this.delays.values());
    for (let step = 0; step < this.stripes.length + last; step++) {
      if (step < this.stripes.length) this.loadInputs(step);
      for (const operator of this.shape.operators) {
        const index = step - this.delays.get(operator.index)!;
        if (index >= 0 && index < this.stripes.length) this.operate(operator, index);
      }
    }
    return this.items;
  }

  /** A new piece of work. */
  private begin(operator: number, tile: number): void {
    const { gridY, gridX } = this.choice;
    this.place = { grid: { gridY, gridX }, layer: this.shape.operators[operator].index, tile };
    this.items.push({ constants: [], drafts: [] });
  }

  private get item(): PhaseItem {
    return this.items[this.items.length - 1];
  }

  private loadConstants(): void {
    const cols = this.context.machine.parameters["array.cols"];
    for (const operator of this.shape.operators) {
      const { index, name, firstChannel, output } = operator;
      const extents = weightExtents(operator, cols);
      if (extents === null) continue;
      const { weights, table } = this.context.constants.get(index)!;
      const place = { ...this.place, layer: index };
      const [tableBuffer] = this.buffers.slots(`${name}/table`, output.channels * 4, 1);
      const channels = axis(firstChannel, output.channels);
      const tableView = tileView(table, "i8", axis(0, 1), channels, axis(0, 4), tableBuffer);
      this.tables.set(index, tableView);
      this.item.constants.push(loadTile(place, tableView, "all"));
      if (!this.choice.weightsResident) continue;
      const { blocks, rows } = extents;
      const [buffer] = this.buffers.slots(`${name}/weights`, blocks * rows * cols, 1);
      const view = tileView(weights, "i8", axis(firstChannel / cols, blocks), axis(0, rows), axis(0, cols), buffer);
      this.resident.set(index, view);
      this.item.constants.push(loadTile(place, view, "all"));
    }
  }

  private rows(use: RootUse, { lo, hi }: Span): Axis {
    return axis(lo, hi - lo, this.choice.tile.height * use.ratioY, 0);
  }

  private cols(use: RootUse, { lo, hi }: Span): Axis {
    return axis(lo, hi - lo, 0, this.choice.tile.width * use.ratioX);
  }

  /** What a tensor's buffer holds in a stripe. */
  private view(use: RootUse, stripe: number): TileView {
    const { name } = use.root;
    const part = this.context.parts.get(name);
    if (part !== undefined && !hasBuffer(use, this.choice)) return part.view;
    // instructions of a stripe share one view
    const views = this.views.get(name) ?? new Map<number, TileView>();
    this.views.set(name, views);
    const view = views.get(stripe) ?? this.stripeView(use, stripe);
    views.set(stripe, view);
    return view;
  }

  private stripeView(use: RootUse, stripe: number): TileView {
    const { name, format } = use.root;
    const slots = this.slots.get(name)!;
    const { needed, columns } = this.stripes[stripe];
    const c = axis(use.channels.lo, use.channels.hi - use.channels.lo);
    const y = this.rows(use, needed.get(name)!);
    return tileView(
      this.context.idOf(name),
      format,
      y,
      this.cols(use, columns.get(name)!),
      c,
      slots[stripe % slots.length],
    );
  }

  /** Rows that are new in this stripe; null when the stripe before had them all. */
  private freshRows(use: RootUse, stripe: number): Axis | null {
    const span = this.stripes[stripe].fresh.get(use.root.name)!;
    return span.hi > span.lo ? this.rows(use, span) : null;
  }

  /** Rows still needed from the stripe before move to this one's buffer. */
  private keepRows(use: RootUse, stripe: number): void {
    const { name } = use.root;
    const { needed, fresh, columns } = this.stripes[stripe];
    const [from, to] = [needed.get(name)!.lo, fresh.get(name)!.lo];
    if (to <= from || !hasBuffer(use, this.choice)) return;
    const source = this.view(use, stripe - 1);
    const box = { y: this.rows(use, { lo: from, hi: to }), x: this.cols(use, columns.get(name)!), c: source.c };
    this.item.drafts.push(copyTile(this.place, source, this.view(use, stripe), 0, box));
  }

  private loadInputs(stripe: number): void {
    for (const use of this.shape.uses.values()) {
      if (use.kind !== "input" || !hasBuffer(use, this.choice)) continue;
      const reader = this.shape.operators.findIndex(({ inputs }) => inputs.some(({ root }) => root === use.root.name));
      this.begin(reader, stripe);
      this.keepRows(use, stripe);
      const y = this.freshRows(use, stripe);
      if (y === null) continue;
      const view = this.view(use, stripe);
      this.item.drafts.push(loadTile(this.place, view, "none", { ...view, y }));
    }
  }

  private operate(operator: Operator, stripe: number): void {
    const use = this.shape.uses.get(operator.output.root)!;
    const position = operator.index - this.choice.first;
    // rows are kept, and results stored, when the writer that lags most has come to them
    const writers = writersOf(use, this.shape);
    const delay = (writer: Operator) => this.delays.get(writer.index)!;
    const latest = Math.max(...writers.map(delay));
    const lagging = writers.filter((writer) => delay(writer) === latest);
    this.begin(position, stripe);
    if (operator === lagging[0]) this.keepRows(use, stripe);
    const y = this.freshRows(use, stripe);
    if (y !== null) {
      const x = this.cols(use, this.stripes[stripe].columns.get(use.root.name)!);
      if (operator.group.kind === "conv") this.convolve(operator, operator.group.conv, use, stripe, y, x);
      else this.elementwise(operator, use, stripe, y, x);
    }
    if (operator === lagging[lagging.length - 1]) this.storeStripe(use, stripe);
  }

  /** A result's own rows to DRAM, when it is stored by stripes. */
  private storeStripe(use: RootUse, stripe: number): void {
    const { name } = use.root;
    if (use.kind !== "output" || this.choice.homes.get(name) !== "dram" || !hasBuffer(use, this.choice)) return;
    const { rows, cols } = this.stripes[stripe];
    const scaled = ({ lo, hi }: Span, ratio: number) => ({ lo: lo * ratio, hi: hi * ratio });
    const view = this.view(use, stripe);
    const y = this.rows(use, scaled(rows, use.ratioY));
    const x = this.cols(use, scaled(cols, use.ratioX));
    this.item.drafts.push(storeTile(this.place, view, { y, x, c: view.c }));
  }

  private convolve(operator: Operator, conv: QConv, use: RootUse, stripe: number, y: Axis, x: Axis): void {
    const { machine, packing, constants } = this.context;
    const { output, index, firstChannel } = operator;
    const arrayCols = machine.parameters["array.cols"];
    const taps = conv.kernel[0] * conv.kernel[1];
    const groupIn = inputChannels(conv);
    const storedBytes = storesPieces(operator, this.shape, this.choice) ? use.root.bytes : 0;
    const { weightsResident } = this.choice;
    const pieces = cutBox(operator, conv, y.extent, x.extent, weightsResident, storedBytes, this.context);
    const chunks = Math.ceil(groupIn / pieces.chunk);
    const last = firstChannel + output.channels;
    let isFirst = true;
    for (let channel = firstChannel; channel < last; channel += pieces.blocks * arrayCols) {
      const channels = axis(channel, Math.min(pieces.blocks * arrayCols, last - channel));
      const blocks = axis(channel / arrayCols, Math.ceil(channels.extent / arrayCols));
      let loaded: TileView | null = this.resident.get(index) ?? null;
      for (let row = 0; row < y.extent; row += pieces.rows) {
        for (let column = 0; column < x.extent; column += pieces.cols) {
          const boxY = within(y, row, Math.min(pieces.rows, y.extent - row));
          const boxX = within(x, column, Math.min(pieces.cols, x.extent - column));
          const accumulator = this.accumulator();
          for (let c = 0; c < chunks; c++) {
            if (!isFirst) this.begin(index - this.choice.first, stripe);
            isFirst = false;
            const first = c * pieces.chunk;
            const count = Math.min(pieces.chunk, groupIn - first);
            if (loaded === null || chunks > 1) {
              const buffer = this.weightRing[this.weightTurn++ % this.weightRing.length];
              const rows = axis(first * taps, count * taps);
              loaded = tileView(constants.get(index)!.weights, "i8", blocks, rows, axis(0, arrayCols), buffer);
              this.item.constants.push(loadTile(this.place, loaded, "all"));
            }
            this.item.drafts.push(
              convTile(this.place, {
                src: this.view(this.shape.uses.get(operator.inputs[0].root)!, stripe),
                weights: loaded,
                tensor: this.virtual(operator, 0),
                y: boxY,
                x: boxX,
                c: channels,
                ...accumulator,
                add: c > 0,
                weightRow: first * taps,
                cBegin: operator.inputs[0].offset + first,
                cCount: count,
                groupIn,
                groupOut: conv.bias.length / conv.groups,
                geometry: conv,
                packing,
              }),
            );
          }
          this.shift(operator, conv, use, stripe, { y: boxY, x: boxX, c: channels }, accumulator);
        }
      }
    }
  }

  /** Accumulators by turns: tensor processors first, then halves. */
  private accumulator(): { tp: number; accRow: number } {
    const {
      "agent.tensorProcessors": tps,
      "array.accumulatorBytes": bytes,
      "array.cols": cols,
    } = this.context.machine.parameters;
    const tp = this.accumulatorTiles % tps;
    const half = Math.floor(this.accumulatorTiles++ / tps) % 2;
    return { tp, accRow: half * Math.floor(Math.floor(bytes / (cols * FORMAT_BYTES.i32)) / 2) };
  }

  private shift(
    operator: Operator,
    conv: QConv,
    use: RootUse,
    stripe: number,
    box: { y: Axis; x: Axis; c: Axis },
    accumulator: { tp: number; accRow: number },
  ): void {
    const { output, index, firstChannel } = operator;
    const { name, format } = use.root;
    const { low, high, slope } = conv;
    const isPiece = storesPieces(operator, this.shape, this.choice);
    const channelOffset = output.offset - firstChannel;
    const moved = { ...box.c, base: box.c.base + channelOffset };
    const destination = isPiece
      ? tileView(this.context.idOf(name), format, box.y, box.x, moved, this.pieceRing[this.pieceTurn++ % PIECE_SLOTS])
      : this.view(use, stripe);
    this.item.drafts.push(
      shiftTile(this.place, {
        table: this.tables.get(index)!,
        dst: destination,
        tensor: this.virtual(operator, 0),
        ...box,
        ...accumulator,
        channelOffset,
        exponentIn: 0,
        exponentOut: 0,
        ...(format === "i32" ? WIDE : { low, high, slope }),
      }),
    );
    if (isPiece) this.item.drafts.push(storeTile(this.place, destination));
  }

  private elementwise(operator: Operator, use: RootUse, stripe: number, y: Axis, x: Axis): void {
    const { group, inputs, output } = operator;
    const sources = inputs.map(({ root }) => this.view(this.shape.uses.get(root)!, stripe));
    const destination = this.view(use, stripe);
    const [{ offset }] = inputs;
    const tp = stripe % this.context.machine.parameters["agent.tensorProcessors"];
    // boxes count channels as the source does, so the tensor that clips them has the source's channels before its own
    const c = axis(offset, output.channels);
    const common = {
      dst: destination,
      tensor: this.virtual(operator, offset),
      y,
      x,
      c,
      tp,
      channelOffset: output.offset - offset,
    };
    if (group.kind === "pool") {
      this.item.drafts.push(
        poolTile(this.place, { ...common, src: sources[0], mode: poolMode(group.pool), geometry: group.pool }),
      );
    } else if (group.kind === "add") {
      const { inputs: names, output: result, low, high } = group.add;
      const [exponentA, exponentB, exponentOut] = [...names, result].map(this.context.exponentOf);
      this.item.drafts.push(
        addTile(this.place, {
          ...common,
          a: sources[0],
          b: sources[1],
          exponentA,
          exponentB,
          exponentOut,
          registerA: 0,
          registerB: 0,
          registerOut: 0,
          low,
          high,
        }),
      );
    } else {
      this.item.drafts.push(copyTile(this.place, sources[0], destination, output.offset - offset, { y, x, c }));
    }
  }

  /** A tensor that clips an operator's boxes. */
  private virtual({ index, name, group, output }: Operator, channelsBefore: number): number {
    const { tensors, virtuals } = this.context;
    const known = virtuals.get(index);
    if (known !== undefined) return known;
    const { height, width, format } = this.shape.uses.get(output.root)!.root;
    const channels = group.kind === "conv" ? group.conv.bias.length : channelsBefore + output.channels;
    const id = tensors.virtual(name, height, width, channels, format);
    virtuals.set(index, id);
    return id;
  }
}
