/** The program's tensors: constants first in DRAM, then activations, and tensors that exist only to clip boxes. */
import { type Format, MAX_DRAM_BYTES, type ProgramTensor, RapError, tensorBytes } from "../../isa/index.ts";
import type { QTensor, QuantizedModel } from "../quantized-model.ts";
import type { GroupedModel, Placement } from "./groups.ts";

const DRAM_ALIGNMENT = 4096;

export interface PlacedTensor extends Placement {
  /** id of the root tensor */
  readonly id: number;
}

export class TensorTable {
  readonly list: ProgramTensor[] = [];
  private readonly ids = new Map<string, number>();
  private readonly quantizedByName: ReadonlyMap<string, QTensor>;
  private readonly parts: { address: number; bytes: Uint8Array }[] = [];
  private end = 0;
  private constantsEnd = 0;

  constructor(
    model: QuantizedModel,
    private readonly grouped: GroupedModel,
  ) {
    this.quantizedByName = new Map(model.tensors.map((tensor) => [tensor.name, tensor]));
  }

  private reserve(bytes: number): number {
    const address = this.end;
    this.end = Math.ceil((address + bytes) / DRAM_ALIGNMENT) * DRAM_ALIGNMENT;
    if (this.end > MAX_DRAM_BYTES)
      throw new RapError(`the network needs more than ${MAX_DRAM_BYTES} B of DRAM; it is too large to simulate`);
    return address;
  }

  /** Adds a constant with its bytes; all constants come before all activations. */
  constant(
    name: string,
    height: number,
    width: number,
    channels: number,
    bytes: Uint8Array,
    format: Format = "i8",
  ): number {
    if (width > 65535 || height > 65535)
      throw new RapError(`${name}: ${height} x ${width} rows of weights; a tensor has at most 65535 x 65535`);
    const address = this.reserve(bytes.length);
    this.parts.push({ address, bytes });
    this.constantsEnd = address + bytes.length;
    return this.list.push({ name, height, width, channels, format, role: "constant", address }) - 1;
  }

  /** Adds the tensors that cross DRAM: the input and what groups write, but for those kept in SRAM. */
  activations(model: QuantizedModel, inSram: (root: string) => boolean = () => false): void {
    const outputs = new Set(model.host.outputs.map(({ tensor }) => tensor));
    const written = this.grouped.groups.map(
      ({ output }) => this.placementOf(typeof output === "string" ? output : output.root).root,
    );
    for (const name of new Set([model.host.input.tensor, ...written])) {
      const { height, width, channels, format } = this.quantized(name);
      if (inSram(name)) {
        this.ids.set(name, this.virtual(name, height, width, channels, format));
        continue;
      }
      const role = name === model.host.input.tensor ? "input" : outputs.has(name) ? "output" : "intermediate";
      const tensor: ProgramTensor = { name, height, width, channels, format, role, address: 0 };
      tensor.address = this.reserve(tensorBytes(tensor));
      this.ids.set(name, this.list.push(tensor) - 1);
    }
  }

  /** Adds a tensor that only this machine's program has in DRAM. */
  intermediate(
    name: string,
    { height, width, channels }: { readonly height: number; readonly width: number; readonly channels: number },
    format: Format,
    role: "intermediate" | "output",
  ): number {
    const tensor: ProgramTensor = { name, height, width, channels, format, role, address: 0 };
    tensor.address = this.reserve(tensorBytes(tensor));
    return this.list.push(tensor) - 1;
  }

  /** A name that no tensor has. */
  freeName(name: string): string {
    let free = name;
    for (let i = 2; this.list.some((tensor) => tensor.name === free); i++) free = `${name} ${i}`;
    return free;
  }

  /** Adds a tensor that never exists in DRAM. */
  virtual(name: string, height: number, width: number, channels: number, format: Format): number {
    return this.list.push({ name, height, width, channels, format, role: "none", address: 0 }) - 1;
  }

  quantized(name: string): QTensor {
    return this.quantizedByName.get(name)!;
  }

  placementOf(name: string): Placement {
    return this.grouped.placements.get(name)!;
  }

  /** A place given within a tensor that may itself lie in another. */
  rootPlacement({ root, offset }: Placement): Placement {
    const outer = this.placementOf(root);
    return { root: outer.root, offset: outer.offset + offset };
  }

  /** Whether the tensor this one lies in has channels behind it. */
  channelsFollow(name: string): boolean {
    const { root, offset } = this.placementOf(name);
    return offset + this.quantized(name).channels < this.quantized(root).channels;
  }

  idOf(root: string): number {
    return this.ids.get(root)!;
  }

  /** Where a tensor of the model lies in DRAM. */
  placed(name: string): PlacedTensor {
    const placement = this.placementOf(name);
    return { ...placement, id: this.idOf(placement.root) };
  }

  get constants(): Uint8Array {
    const bytes = new Uint8Array(this.constantsEnd);
    for (const part of this.parts) bytes.set(part.bytes, part.address);
    return bytes;
  }

  get dramBytes(): number {
    return this.end;
  }
}
