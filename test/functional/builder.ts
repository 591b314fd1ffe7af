/** Small programs by hand: tensors, views and instructions in order, everything else filled in. */
import {
  type Axis,
  type CheckedProgram,
  checkProgram,
  createMachine,
  FORMAT_BYTES,
  type Format,
  type Instruction,
  type InstructionOf,
  instruction,
  type Op,
  type Program,
  type ProgramTensor,
  type Semaphore,
  UNIT_KINDS,
  VIEW_REGISTERS,
} from "../../isa/index.ts";

export type Shape = readonly [height: number, width: number, channels: number];
type Elements = Int8Array | Uint8Array | Int32Array;
type Fields<O extends Op> = Partial<Omit<InstructionOf<O>, "op">>;

/** `extent` elements from base + iy * stepA + ix * stepB on. */
export const axis = (base: number, extent: number, stepA = 0, stepB = 0): Axis => ({ base, extent, stepA, stepB });

export interface BoxAxes {
  readonly y: Axis;
  readonly x: Axis;
  readonly c: Axis;
}

/** A box that is the same for all agents. */
export const box = (y: number, h: number, x: number, w: number, c: number, channels: number): BoxAxes => ({
  y: axis(y, h),
  x: axis(x, w),
  c: axis(c, channels),
});

/** A whole tensor. */
export const whole = ([height, width, channels]: Shape): BoxAxes => box(0, height, 0, width, 0, channels);

const ALIGNMENT = 64;
const alignUp = (address: number) => Math.ceil(address / ALIGNMENT) * ALIGNMENT;

/** A machine small enough for the plain kernels: array.cols 4, 4 KiB of SRAM, 64 accumulator rows. */
const SMALL = { agents: 1, "array.rows": 4, "array.cols": 4, "array.accumulatorBytes": 1024, "sram.bytes": 4096 };

export class ProgramBuilder {
  private readonly tensors: (Omit<ProgramTensor, "address"> & { readonly data: Uint8Array | null })[] = [];
  private readonly semaphores: Semaphore[] = [];
  private readonly layers: { name: string; op: string; fused: string[] }[] = [];
  private readonly code: { readonly instruction: Instruction; readonly layer: number }[] = [];
  private prologueLength = 0;
  private views = 0;
  readonly machine;

  /** @param grid of every instruction and view unless it says otherwise */
  constructor(
    parameters: Readonly<Record<string, unknown>> = {},
    readonly grid: { readonly gridY: number; readonly gridX: number } = { gridY: 1, gridX: 1 },
  ) {
    const agents = grid.gridY * grid.gridX;
    this.machine = createMachine("test", { ...SMALL, agents, ...parameters }, "test");
  }

  /** Declares a tensor; role none: in SRAM only. */
  tensor(name: string, [height, width, channels]: Shape, format: Format, role: ProgramTensor["role"] = "none"): number {
    this.tensors.push({ name, height, width, channels, format, role, data: null });
    return this.tensors.length - 1;
  }

  constant(name: string, [height, width, channels]: Shape, format: Format, values: Elements): number {
    const data = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
    this.tensors.push({ name, height, width, channels, format, role: "constant", data });
    return this.tensors.length - 1;
  }

  /** A semaphore within each agent, unless it says otherwise. */
  semaphore(
    producer: Semaphore["producer"]["kind"],
    consumer: Semaphore["consumer"]["kind"],
    given: Partial<Semaphore> = {},
  ): number {
    const ends = { producer: { kind: producer, tp: 0 }, consumer: { kind: consumer, tp: 0 } };
    this.semaphores.push({ ...ends, gridY: 1, gridX: 256, offsetY: 0, offsetX: 0, initial: 0, ...given });
    return this.semaphores.length;
  }

  /** Later instructions belong to this layer. */
  layer(name: string, op = "test"): this {
    this.layers.push({ name, op, fused: [] });
    return this;
  }

  /** Sets the next view register and returns it. Pitches are dense unless given. */
  view(
    tensor: number,
    { y, x, c }: BoxAxes,
    address: number,
    given: { rowPitch?: number; pixelPitch?: number; gridY?: number; gridX?: number } = {},
  ): number {
    const register = this.views++ % VIEW_REGISTERS;
    const pixelPitch = given.pixelPitch ?? c.extent * FORMAT_BYTES[this.tensors[tensor].format];
    const rowPitch = given.rowPitch ?? pixelPitch * x.extent;
    this.emit("view", { tensor, y, x, c, address, ...given, view: register, rowPitch, pixelPitch });
    return register;
  }

  /** Appends an instruction and returns its index. */
  emit<O extends Op>(op: O, fields: Fields<O> = {}): number {
    const made = instruction(op, { ...this.grid, ...fields } as Fields<O>);
    this.code.push({ instruction: made as Instruction, layer: this.layers.length - 1 });
    return this.code.length - 1;
  }

  /** What was emitted so far is the prologue. */
  endPrologue(): this {
    this.emit("halt");
    this.prologueLength = this.code.length;
    return this;
  }

  /** A barrier between everything before and everything after. */
  barrier(): number {
    return this.emit("sync", { after: UNIT_KINDS, before: UNIT_KINDS });
  }

  /** Finishes the program. serial: a barrier after every instruction, so that nothing can race. */
  build({ serial = false }: { serial?: boolean } = {}): CheckedProgram {
    return checkProgram(this.program(serial), "test");
  }

  program(serial = false): Program {
    const tensors = this.placeTensors();
    const inDram = tensors.filter(({ role }) => role !== "none");
    const dramBytes = Math.max(0, ...inDram.map(({ address, bytes }) => address + bytes));
    const constants = new Uint8Array(
      Math.max(0, ...tensors.map(({ data, address, bytes }) => (data === null ? 0 : address + bytes))),
    );
    for (const { data, address } of tensors) if (data !== null) constants.set(data, address);
    const input = this.tensors.find(({ role }) => role === "input")!;
    const outputs = this.tensors.filter(({ role }) => role === "output");
    const barrier = {
      instruction: instruction("sync", { after: UNIT_KINDS, before: UNIT_KINDS }) as Instruction,
      layer: -1,
    };
    const withBarriers = (part: typeof this.code) => (serial ? part.flatMap((item) => [barrier, item]) : part);
    const prologue = withBarriers(this.code.slice(0, this.prologueLength));
    const body = withBarriers([
      ...this.code.slice(this.prologueLength),
      { instruction: instruction("halt", {}) as Instruction, layer: -1 },
    ]);
    return {
      name: "test",
      machine: this.machine,
      tensors: tensors.map(({ data: _, bytes: __, ...tensor }) => tensor),
      semaphores: this.semaphores,
      prologue: prologue.map(({ instruction }) => instruction),
      body: body.map(({ instruction }) => instruction),
      sourceMap: [...prologue, ...body].map(({ layer }) => ({ layer: layer < 0 ? 65535 : layer, tile: 0 })),
      layers: this.layers,
      constants,
      constantsAddress: 0,
      dramBytes,
      persistent: [],
      schedule: [],
      host: {
        input: {
          tensor: input.name,
          height: input.height,
          width: input.width,
          // the host's pictures have 1 or 3 channels, test tensors any number
          channels: input.channels as 1,
          format: input.format as "i8",
          colorOrder: "BGR",
          mean: [0],
          scale: 1,
          exponent: 0,
        },
        outputs: outputs.map(({ name: tensor, height, width, channels, format }) => ({
          tensor,
          height,
          width,
          channels,
          format,
          exponents: Array.from({ length: channels }, () => 0),
        })),
        head: null,
        trained: false,
      },
      provenance: { rapsim: "test", source: "test", sourceSha256: "", options: {} },
    };
  }

  /** Constants first, from address 0. */
  private placeTensors() {
    let next = 0;
    const placed = new Map<(typeof this.tensors)[number], { address: number; bytes: number }>();
    for (const constants of [true, false]) {
      for (const tensor of this.tensors) {
        if ((tensor.data !== null) !== constants) continue;
        const bytes = tensor.height * tensor.width * tensor.channels * FORMAT_BYTES[tensor.format];
        placed.set(tensor, { address: tensor.role === "none" ? 0 : next, bytes });
        if (tensor.role !== "none") next = alignUp(next + bytes);
      }
    }
    return this.tensors.map((tensor) => ({ ...tensor, ...placed.get(tensor)! }));
  }
}
