/** Probes: the int32 values each shift takes, and whole tensors put together from them. */
import { type Box, nameInstruction, type Program } from "../../isa/index.ts";

/** What one agent's shift reads. */
export interface Probe {
  /** The shift, an index into all instructions. */
  readonly index: number;
  /** Index into the program's layers, or NO_LAYER. */
  readonly layer: number;
  /** Id of the tensor whose coordinates the box is in. */
  readonly tensor: number;
  readonly agent: number;
  /** accumulators: before the bias; view: int32 values that were spilled to SRAM. */
  readonly source: "accumulators" | "view";
  /** The clipped box. */
  readonly box: Box;
  /** [rows, columns, channels] of the box. */
  readonly values: Int32Array;
}
export type ProbeListener = (probe: Probe) => void;

/** One layer's accumulators as a whole. */
export interface LayerTensor {
  readonly name: string;
  /** height, width, channels */
  readonly shape: readonly [number, number, number];
  readonly values: Int32Array;
}

export interface AssembledProbes {
  /** By layer index. */
  readonly layers: ReadonlyMap<number, LayerTensor>;
  /** Elements nobody computed, and elements computed twice with different results: one line per layer and kind. */
  readonly errors: readonly string[];
}

/** Collects the probes of one frame, as they come. */
export class ProbeAssembler {
  private readonly parts = new Map<number, LayerParts>();

  constructor(private readonly program: Program) {}

  /** Probes outside any layer, and of values that already passed a shift unit once, are left out. */
  add(probe: Probe): void {
    const layer = this.program.layers[probe.layer];
    if (layer === undefined || probe.source === "view") return;
    let parts = this.parts.get(probe.layer);
    if (parts === undefined) {
      parts = new LayerParts(this.program, layer.name, probe.tensor);
      this.parts.set(probe.layer, parts);
    }
    parts.add(probe);
  }

  finish(): AssembledProbes {
    return {
      layers: new Map([...this.parts].map(([layer, parts]) => [layer, parts.tensor])),
      errors: [...this.parts.values()].flatMap((parts) => parts.errors()),
    };
  }
}

/** Whole int32 tensors, layer by layer, from the probes of one frame. */
export function assembleProbes(program: Program, probes: Iterable<Probe>): AssembledProbes {
  const assembler = new ProbeAssembler(program);
  for (const probe of probes) assembler.add(probe);
  return assembler.finish();
}

class LayerParts {
  readonly tensor: LayerTensor;
  private readonly covered: Uint8Array;
  private readonly faults: string[] = [];

  constructor(
    private readonly program: Program,
    name: string,
    private readonly tensorId: number,
  ) {
    const { height, width, channels } = program.tensors[tensorId];
    const size = height * width * channels;
    this.tensor = { name, shape: [height, width, channels], values: new Int32Array(size) };
    this.covered = new Uint8Array(size);
  }

  add(probe: Probe): void {
    const { index, agent, tensor, box, values } = probe;
    const place = `${nameInstruction(this.program, index)}, agent ${agent}`;
    if (tensor !== this.tensorId) {
      const [own, other] = [this.tensorId, tensor].map((id) => this.program.tensors[id].name);
      this.fault(`shifts tensor '${other}' at ${place}, tensor '${own}' before`);
      return;
    }
    const [, width, channels] = this.tensor.shape;
    const run = box.c1 - box.c0;
    let from = 0;
    for (let y = box.y0; y < box.y1; y++) {
      for (let x = box.x0; x < box.x1; x++) {
        const to = (y * width + x) * channels + box.c0;
        for (let i = 0; i < run; i++) {
          const value = values[from + i];
          if (this.covered[to + i] === 0) this.tensor.values[to + i] = value;
          else if (this.tensor.values[to + i] !== value) {
            const known = this.tensor.values[to + i];
            this.fault(`element [${y}, ${x}, ${box.c0 + i}] is ${known}, and ${value} at ${place}`);
          }
          this.covered[to + i] = 1;
        }
        from += run;
      }
    }
  }

  errors(): string[] {
    const missing = this.covered.indexOf(0);
    if (missing < 0) return this.faults;
    const [, width, channels] = this.tensor.shape;
    const [y, x, c] = [
      Math.floor(missing / (width * channels)),
      Math.floor(missing / channels) % width,
      missing % channels,
    ];
    const count = this.covered.reduce((sum, bit) => sum + 1 - bit, 0);
    const uncovered = `${this.tensor.name}: ${count} of ${this.covered.length} elements never pass a shift, the first at [${y}, ${x}, ${c}]`;
    return [...this.faults, uncovered];
  }

  /** Only the first of a layer: the others follow from it. */
  private fault(what: string): void {
    if (this.faults.length === 0) this.faults.push(`${this.tensor.name}: ${what}`);
  }
}
