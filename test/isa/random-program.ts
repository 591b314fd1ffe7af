/** Random programs that have a file form, however odd: names with any character, names twice, any machine, any host. */
import fc from "fast-check";
import {
  createMachine,
  FORMATS,
  type HostSection,
  loadPreset,
  type Machine,
  NO_LAYER,
  type Program,
  type ProgramTensor,
  type ScheduleStep,
  type SourceRef,
  TENSOR_ROLES,
  UNIT_KINDS,
} from "../../isa/index.ts";
import { arbitraryInstruction } from "../arbitrary/instruction.ts";

const name = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.constantFrom("conv1", "fire2/squeeze1x1:0", "none", "12", "", 'a "b"', "ä\n;#\\", "a,b=c"),
  },
  { weight: 1, arbitrary: fc.string({ unit: "binary", maxLength: 6 }) },
);
const uint32 = fc.oneof(fc.nat(4096), fc.integer({ min: 0, max: 0xffffffff }));
const extent = fc.oneof(fc.integer({ min: 1, max: 16 }), fc.integer({ min: 1, max: 65535 }));
const unit = fc.record({ kind: fc.constantFrom(...UNIT_KINDS), tp: fc.nat(3) });
const finite = fc.double({ noNaN: true, noDefaultInfinity: true });

const machine: fc.Arbitrary<Machine> = fc.oneof(
  fc.constantFrom("rap-e", "rap-small").map(loadPreset),
  fc
    .record({
      name: fc.oneof(fc.constant("rap-e"), name),
      agents: fc.integer({ min: 1, max: 256 }),
      "dram.bytesPerCycle": fc.double({ min: 0.01, max: 65536, noNaN: true }),
      "array.feeder": fc.constantFrom("perTap", "kernelRow", "full"),
      "array.passOverlap": fc.boolean(),
    })
    .map(({ name: own, ...parameters }) => createMachine(own, parameters, "test")),
);

const tensor: fc.Arbitrary<ProgramTensor> = fc.record({
  name,
  height: extent,
  width: extent,
  channels: extent,
  format: fc.constantFrom(...FORMATS),
  role: fc.constantFrom(...TENSOR_ROLES),
  address: uint32,
});

/** Constant tensors that lie in the constants, some of them on top of each other. */
const constantTensor = fc
  .tuple(name, fc.integer({ min: 1, max: 8 }), fc.integer({ min: 1, max: 40 }), fc.nat(600))
  .map(([own, width, channels, address]): ProgramTensor => {
    return { name: own, height: 2, width, channels, format: "i8", role: "constant", address: 1000 + address };
  });

const semaphore = fc.record({
  producer: unit,
  consumer: unit,
  gridY: fc.integer({ min: 1, max: 256 }),
  gridX: fc.oneof(fc.constant(256), fc.integer({ min: 1, max: 256 })),
  offsetY: fc.oneof(fc.constant(0), fc.integer({ min: -255, max: 255 })),
  offsetX: fc.oneof(fc.constant(0), fc.integer({ min: -255, max: 255 })),
  initial: fc.oneof(fc.constant(0), fc.nat(65535)),
});

const layer = fc.record({ name, op: fc.string({ maxLength: 8 }), fused: fc.array(name, { maxLength: 3 }) });

const host: fc.Arbitrary<HostSection> = fc.record({
  input: fc.record({
    height: extent,
    width: extent,
    channels: fc.constantFrom(1 as const, 3 as const),
    colorOrder: fc.constantFrom("BGR" as const, "RGB" as const),
    mean: fc.array(finite, { minLength: 1, maxLength: 3 }),
    scale: fc.double({ min: 1e-9, max: 1e9, noNaN: true }),
    tensor: name,
    format: fc.constantFrom("i8" as const, "u8" as const),
    exponent: fc.integer({ min: -64, max: 64 }),
  }),
  outputs: fc.array(
    fc.record({
      tensor: name,
      height: extent,
      width: extent,
      channels: extent,
      format: fc.constantFrom(...FORMATS),
      exponents: fc.array(fc.integer({ min: -64, max: 64 }), { minLength: 1, maxLength: 40 }),
    }),
    { minLength: 1, maxLength: 2 },
  ),
  head: fc.option(
    fc.record({
      kind: fc.constant("classes" as const),
      tensor: name,
      classes: fc.array(name, { minLength: 1, maxLength: 20 }),
      softmax: fc.boolean(),
      topK: fc.integer({ min: 1, max: 5 }),
    }),
  ),
  trained: fc.boolean(),
});

const provenance = fc.record({
  rapsim: name,
  source: name,
  sourceSha256: name,
  options: fc.dictionary(name, fc.oneof(name, finite, fc.boolean()), { maxKeys: 4 }),
});

const bytes = fc.oneof(
  fc.uint8Array({ maxLength: 900 }),
  fc.nat(2000).map((length) => new Uint8Array(length)),
);

/** Any program that `decodeProgram` could give; `checkProgram` would refuse nearly all of them. */
export const arbitraryProgram: fc.Arbitrary<Program> = fc
  .record({
    name,
    machine,
    tensors: fc.tuple(fc.array(tensor, { maxLength: 4 }), fc.array(constantTensor, { maxLength: 5 })),
    semaphores: fc.array(semaphore, { maxLength: 4 }),
    prologue: fc.array(arbitraryInstruction(), { maxLength: 4 }),
    body: fc.array(arbitraryInstruction(), { maxLength: 12 }),
    layers: fc.array(layer, { maxLength: 4 }),
    constants: bytes,
    constantsAddress: fc.constantFrom(0, 1000, 1064),
    dramBytes: uint32,
    persistent: fc.array(fc.record({ name, address: uint32, bytes: uint32 }), { maxLength: 2 }),
    schedule: fc.array(arbitraryScheduleStep(name), { maxLength: 2 }),
    host,
    provenance,
    marks: fc.array(fc.tuple(fc.nat(), fc.nat(65535)), { minLength: 16, maxLength: 16 }),
  })
  .map(({ tensors: [any, constant], marks, ...parts }) => {
    const count = parts.layers.length;
    const ref = ([layerChoice, tile]: [number, number]): SourceRef => {
      const choice = layerChoice % (count + 1);
      return { layer: choice === count ? NO_LAYER : choice, tile: tile % 3 === 0 ? 0 : tile };
    };
    const length = parts.prologue.length + parts.body.length;
    return { ...parts, tensors: [...any, ...constant], sourceMap: marks.slice(0, length).map(ref) };
  });

function arbitraryScheduleStep(name: fc.Arbitrary<string>): fc.Arbitrary<ScheduleStep> {
  const pair = fc.tuple(fc.nat(1000), fc.nat(1000));
  const weights = fc.constantFrom("resident", "streamed");
  const estimate = fc.record({
    cycles: fc.nat(),
    dramBytes: fc.nat(),
    bound: fc.constantFrom("mac", "shift", "pool", "link", "dma", "dram"),
  });
  return fc.record({
    layers: pair,
    channels: fc.option(pair),
    grid: pair,
    tile: pair,
    stripe: pair,
    weights,
    tensors: fc.array(fc.record({ name, home: fc.constantFrom("dram", "sram") }), { maxLength: 2 }),
    sramBytes: fc.nat(),
    estimate,
    otherTiling: fc.option(fc.record({ stripe: pair, weights, estimate })),
    otherCut: fc.option(fc.record({ first: fc.nat(100), moreCycles: fc.nat() })),
  });
}
