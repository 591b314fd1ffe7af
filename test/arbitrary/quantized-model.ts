/**
 * Random small quantized models that hold every invariant of compiler/quantized-model.ts, for fast-check.
 *
 * A model is built from a *plan*: a list of steps made of small integers, each resolved against the tensors there are so
 * far (a source counts back from the latest tensor, a kernel too large for its input is cut down). So any plan gives a
 * valid model, and shrinking works on the plan: fewer steps, smaller numbers, weights of all ones.
 */
import fc from "fast-check";
import type { Pads, Pair, QConv, QNode, QTensor, QuantizedModel } from "../../compiler/quantized-model.ts";

export interface ModelOptions {
  /** Steps of the plan; a concat step makes up to 5 nodes. Default 5. */
  readonly maxSteps?: number;
  /** Multiply-accumulates of one convolution at most. Default 300 000. */
  readonly maxMacs?: number;
  /** i32 outputs and 8-bit outputs with several exponents. Default true. */
  readonly mixedOutputs?: boolean;
  /** Concat parts that are also read elsewhere, read twice, the network's input, or concats themselves. Default true. */
  readonly sharedConcatParts?: boolean;
  /** Convolutions and average pooling as large as their input (up to 15 x 15). Default true. */
  readonly wholeKernels?: boolean;
}

export type Elements = Int8Array | Uint8Array;

/** How an array is filled: `ones` is the simplest, `extreme` picks the format's ends and 0. */
interface Fill {
  readonly kind: "ones" | "small" | "uniform" | "extreme";
  readonly seed: number;
}

interface ConvStep {
  readonly op: "conv";
  readonly source: number;
  readonly kernel: Pair;
  readonly stride: Pair;
  readonly dilation: Pair;
  readonly pads: Pads;
  readonly grouping: "dense" | "grouped" | "depthwise";
  /** Which divisor of the channels is the number of groups. */
  readonly divisor: number;
  readonly outChannels: number;
  readonly wholeKernel: boolean;
  readonly scale: Scale;
  readonly output: "8 bit" | "8 bit, several exponents" | "i32";
}

/** What follows the multiplications of a convolution. */
interface Scale {
  readonly activation: "none" | "relu" | "reluU8" | "leaky" | "clip" | "clipU8";
  readonly clip: Pair;
  readonly slope: { readonly a: number; readonly b: number };
  readonly exponent: number;
  /** fitted: results spread over the output's range; any: every shift the machine has. */
  readonly shifts: "fitted" | "any";
  readonly offset: number;
  readonly weights: Fill;
}

interface PoolStep {
  readonly op: "pool";
  readonly source: number;
  readonly mode: "max" | "average";
  readonly countPadding: boolean;
  readonly kernel: Pair;
  readonly stride: Pair;
  readonly pads: Pads;
  readonly wholeKernel: boolean;
}

interface AddStep {
  readonly op: "add";
  readonly source: number;
  /** The other operand: an existing tensor where one fits, or a convolution of the source. */
  readonly other: "existing" | "conv";
  readonly kernel: 1 | 3;
  readonly activation: "none" | "relu" | "reluU8" | "clip";
  readonly clip: Pair;
  readonly exponent: number;
  readonly scale: Scale;
}

interface ConcatStep {
  readonly op: "concat";
  readonly source: number;
  readonly parts: readonly {
    readonly kind: "conv1" | "conv3" | "pool3" | "source" | "existing";
    readonly outChannels: number;
  }[];
  readonly scale: Scale;
}

interface Plan {
  readonly input: {
    readonly height: number;
    readonly width: number;
    readonly channels: 1 | 3;
    readonly format: "i8" | "u8";
    readonly exponent: number;
  };
  readonly steps: readonly (ConvStep | PoolStep | AddStep | ConcatStep)[];
}

const EXPONENT_MIN = -4;
const EXPONENT_MAX = 11;
const WHOLE_KERNEL_MAX = 15;
const SIZE_MAX = 24;
const INT32_MAX = 2147483647;
const FULL = { i8: [-128, 127], u8: [0, 255] } as const;

// ---- Plans ----

const times = (max: number) => fc.integer({ min: 1, max });
const pairOf = (max: number): fc.Arbitrary<Pair> => fc.tuple(times(max), times(max));
/** Five times in six or so the usual value, which is also what it shrinks to. */
const mostly = <T>(usual: T, ...rare: T[]): fc.Arbitrary<T> =>
  fc.oneof(
    { withCrossShrink: true },
    { weight: 5, arbitrary: fc.constant(usual) },
    { weight: 1, arbitrary: fc.constantFrom(...rare) },
  );
const strideOf = (): fc.Arbitrary<Pair> => fc.tuple(mostly(1, 2, 3), mostly(1, 2, 3));
/** Channel counts, one in two with many divisors. */
const channelCount = fc.oneof(
  { withCrossShrink: true },
  times(70),
  fc.constantFrom(6, 9, 12, 15, 18, 24, 30, 36, 42, 45, 60),
);
const padsArbitrary: fc.Arbitrary<Pads> = fc.tuple(fc.nat(4), fc.nat(4), fc.nat(4), fc.nat(4));
const sourceArbitrary = mostly(0, 1, 2, 3);
const exponentArbitrary = fc.integer({ min: 0, max: EXPONENT_MAX - EXPONENT_MIN }).map((n) => EXPONENT_MAX - n);
const clipArbitrary: fc.Arbitrary<Pair> = fc.tuple(fc.nat(255), fc.nat(255));
const fillArbitrary: fc.Arbitrary<Fill> = fc.record({
  kind: fc.constantFrom<Fill["kind"]>("ones", "small", "uniform", "uniform", "uniform", "extreme"),
  seed: fc.nat(0xffff),
});

const scaleArbitrary: fc.Arbitrary<Scale> = fc.record({
  activation: fc.constantFrom<Scale["activation"]>("none", "relu", "reluU8", "leaky", "clip", "clipU8"),
  clip: clipArbitrary,
  slope: fc.record({ a: times(9), b: fc.nat(9) }),
  exponent: exponentArbitrary,
  shifts: mostly<Scale["shifts"]>("fitted", "any"),
  offset: fc.integer({ min: -2, max: 3 }),
  weights: fillArbitrary,
});

function stepArbitrary(options: Required<ModelOptions>): fc.Arbitrary<Plan["steps"][number]> {
  const wholeKernel = options.wholeKernels ? mostly(false, true) : fc.constant(false);
  const conv: fc.Arbitrary<ConvStep> = fc.record({
    op: fc.constant("conv"),
    source: sourceArbitrary,
    kernel: pairOf(5),
    stride: strideOf(),
    dilation: pairOf(2),
    pads: padsArbitrary,
    grouping: fc.constantFrom("dense", "dense", "grouped", "grouped", "depthwise"),
    divisor: fc.nat(10),
    outChannels: channelCount,
    wholeKernel,
    scale: scaleArbitrary,
    output: options.mixedOutputs
      ? mostly<ConvStep["output"]>("8 bit", "8 bit, several exponents", "i32")
      : fc.constant("8 bit"),
  });
  const pool: fc.Arbitrary<PoolStep> = fc.record({
    op: fc.constant("pool"),
    source: sourceArbitrary,
    mode: fc.constantFrom("max", "average"),
    countPadding: fc.boolean(),
    kernel: pairOf(5),
    stride: strideOf(),
    pads: padsArbitrary,
    wholeKernel,
  });
  const add: fc.Arbitrary<AddStep> = fc.record({
    op: fc.constant("add"),
    source: sourceArbitrary,
    other: fc.constantFrom("existing", "conv"),
    kernel: fc.constantFrom<1 | 3>(1, 3),
    activation: fc.constantFrom<AddStep["activation"]>("none", "relu", "reluU8", "clip"),
    clip: clipArbitrary,
    exponent: exponentArbitrary,
    scale: scaleArbitrary,
  });
  const part = fc.record({
    kind: options.sharedConcatParts
      ? fc.constantFrom<ConcatStep["parts"][number]["kind"]>("conv1", "conv3", "pool3", "source", "existing")
      : fc.constantFrom<ConcatStep["parts"][number]["kind"]>("conv1", "conv3", "pool3"),
    outChannels: times(24),
  });
  const concat: fc.Arbitrary<ConcatStep> = fc.record({
    op: fc.constant("concat"),
    source: sourceArbitrary,
    parts: fc.array(part, { minLength: 2, maxLength: 4 }),
    scale: scaleArbitrary,
  });
  return fc.oneof(
    { withCrossShrink: true },
    { weight: 5, arbitrary: conv },
    { weight: 2, arbitrary: pool },
    { weight: 1, arbitrary: add },
    { weight: 1, arbitrary: concat },
  );
}

function planArbitrary(options: Required<ModelOptions>): fc.Arbitrary<Plan> {
  return fc.record({
    input: fc.record({
      height: times(20),
      width: times(20),
      channels: fc.constantFrom<1 | 3>(1, 3),
      format: fc.constantFrom<"i8" | "u8">("i8", "u8"),
      exponent: exponentArbitrary,
    }),
    steps: fc.array(stepArbitrary(options), { minLength: 1, maxLength: options.maxSteps, size: "max" }),
  });
}

// ---- From plan to model ----

/** mulberry32: a seeded stream of integers 0..2^32-1. */
function randomStream(seed: number): () => number {
  let state = seed | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return (t ^ (t >>> 14)) >>> 0;
  };
}

const between = (random: () => number, low: number, high: number) => low + (random() % (high - low + 1));

function filled<T extends Elements>(array: T, fill: Fill): T {
  const random = randomStream(fill.seed);
  const [low, high] = array instanceof Uint8Array ? FULL.u8 : FULL.i8;
  const ends = [low, high, 0];
  for (let i = 0; i < array.length; i++) {
    if (fill.kind === "ones") array[i] = 1;
    else if (fill.kind === "small") array[i] = between(random, Math.max(low, -3), 3);
    else if (fill.kind === "uniform") array[i] = between(random, low, high);
    else array[i] = ends[random() % 3];
  }
  return array;
}

/** Clamp of a layer and its output's format. */
function clampOf(activation: Scale["activation"], [p, q]: Pair): { format: "i8" | "u8"; low: number; high: number } {
  switch (activation) {
    case "none":
    case "leaky":
      return { format: "i8", low: -128, high: 127 };
    case "relu":
      return { format: "i8", low: 0, high: 127 };
    case "reluU8":
      return { format: "u8", low: 0, high: 255 };
    case "clip":
      return { format: "i8", low: Math.min(p, q) - 128, high: Math.max(p, q) - 128 };
    case "clipU8":
      return { format: "u8", low: 0, high: Math.max(p, q) };
  }
}

/** A clamp that must end in a given format: the activation where it fits, else the format's own range. */
function clampIn(format: "i8" | "u8", activation: Scale["activation"], clip: Pair): { low: number; high: number } {
  const wanted = clampOf(activation, clip);
  if (wanted.format === format) return { low: wanted.low, high: wanted.high };
  return { low: FULL[format][0], high: FULL[format][1] };
}

/** Kernel, dilation and pads that fit: pads smaller than the (dilated) kernel, the kernel no larger than the padded input. */
function fitWindow(size: number, kernel: number, dilation: number, before: number, after: number) {
  const extent = (k: number, d: number) => (k - 1) * d + 1;
  const padsOf = (k: number, d: number): Pair => [before % extent(k, d), after % extent(k, d)];
  let d = dilation;
  let pads = padsOf(kernel, d);
  if (extent(kernel, d) > size + pads[0] + pads[1] || size + pads[0] + pads[1] > SIZE_MAX + 4) {
    d = 1;
    pads = padsOf(kernel, d);
  }
  const k = Math.min(kernel, size + pads[0] + pads[1]);
  return { kernel: k, dilation: d, before: pads[0], after: pads[1] };
}

function groupsOf({ grouping, divisor }: ConvStep, channels: number): number {
  if (grouping === "dense") return 1;
  if (grouping === "depthwise") return channels;
  const divisors = Array.from({ length: channels }, (_, i) => i + 1).filter(
    (g) => g > 1 && g < channels && channels % g === 0,
  );
  return divisors.length === 0 ? 1 : divisors[divisor % divisors.length];
}

function outputLength(size: number, window: ReturnType<typeof fitWindow>, stride: number): number {
  const extent = (window.kernel - 1) * window.dilation + 1;
  return Math.floor((size + window.before + window.after - extent) / stride) + 1;
}

class ModelBuilder {
  readonly tensors: QTensor[] = [];
  readonly nodes: QNode[] = [];
  /** 8-bit convolution outputs that get several exponents if nothing reads them. */
  readonly #several = new Set<string>();
  readonly #plan: Plan;
  readonly #options: Required<ModelOptions>;

  constructor(plan: Plan, options: Required<ModelOptions>) {
    this.#plan = plan;
    this.#options = options;
    this.tensors.push({ name: "input", ...plan.input });
    for (const step of plan.steps) {
      if (step.op === "conv") this.#convStep(step);
      else if (step.op === "pool") this.#poolStep(step);
      else if (step.op === "add") this.#addStep(step);
      else this.#concatStep(step);
    }
  }

  /** The tensor `back` places before the latest among those that may be read. */
  #source(back: number): QTensor {
    const readable = this.tensors.filter((tensor) => tensor.format !== "i32");
    return readable[Math.max(0, readable.length - 1 - back)];
  }

  #tensor(shape: Omit<QTensor, "name">): QTensor {
    const tensor = { ...shape, name: `t${this.tensors.length}` };
    this.tensors.push(tensor);
    return tensor;
  }

  #convStep(step: ConvStep): void {
    const source = this.#source(step.source);
    const whole = step.wholeKernel && Math.max(source.height, source.width) <= WHOLE_KERNEL_MAX;
    const y = whole
      ? fitWindow(source.height, source.height, 1, 0, 0)
      : fitWindow(source.height, step.kernel[0], step.dilation[0], step.pads[0], step.pads[2]);
    const x = whole
      ? fitWindow(source.width, source.width, 1, 0, 0)
      : fitWindow(source.width, step.kernel[1], step.dilation[1], step.pads[1], step.pads[3]);
    const groups = groupsOf(step, source.channels);
    const shape = {
      height: outputLength(source.height, y, step.stride[0]),
      width: outputLength(source.width, x, step.stride[1]),
    };
    const macsPerChannel = shape.height * shape.width * y.kernel * x.kernel * (source.channels / groups);
    const affordable = Math.max(1, Math.floor(this.#options.maxMacs / macsPerChannel));
    const wanted =
      step.grouping === "depthwise" ? source.channels * (1 + Math.floor(step.outChannels / 60)) : step.outChannels;
    const outChannels = Math.max(1, Math.floor(Math.min(wanted, affordable) / groups)) * groups;
    const wide = step.output === "i32";
    const clamp = clampOf(step.scale.activation, step.scale.clip);
    const out = this.#conv(source, step.scale, {
      kernel: [y.kernel, x.kernel],
      stride: step.stride,
      dilation: [y.dilation, x.dilation],
      pads: [y.before, x.before, y.after, x.after],
      groups,
      shape: {
        ...shape,
        channels: outChannels,
        format: wide ? "i32" : clamp.format,
        exponent: wide ? 0 : step.scale.exponent,
      },
    });
    if (step.output === "8 bit, several exponents") this.#several.add(out.name);
  }

  /** A convolution that keeps height and width. */
  #sameConv(
    source: QTensor,
    kernel: 1 | 3,
    scale: Scale,
    out: Pick<QTensor, "channels" | "format" | "exponent">,
  ): QTensor {
    const pad = kernel === 3 ? 1 : 0;
    const macsPerChannel = source.height * source.width * kernel * kernel * source.channels;
    // Too large: depthwise where the channels allow it, else 1 x 1.
    const groups =
      macsPerChannel * out.channels > this.#options.maxMacs && out.channels === source.channels ? source.channels : 1;
    return this.#conv(source, scale, {
      kernel: [kernel, kernel],
      stride: [1, 1],
      dilation: [1, 1],
      pads: [pad, pad, pad, pad],
      groups,
      shape: { ...out, height: source.height, width: source.width },
    });
  }

  #conv(
    source: QTensor,
    scale: Scale,
    layer: Pick<QConv, "kernel" | "stride" | "dilation" | "pads" | "groups"> & {
      readonly shape: Omit<QTensor, "name">;
    },
  ): QTensor {
    const { shape, ...geometry } = layer;
    const taps = layer.kernel[0] * layer.kernel[1] * (source.channels / layer.groups);
    const weights = filled(new Int8Array(shape.channels * taps), scale.weights);
    const bias = filled(new Int8Array(shape.channels), { ...scale.weights, seed: scale.weights.seed + 1 });
    const wide = shape.format === "i32";
    const slope = scale.activation === "leaky" && shape.format === "i8" ? scale.slope : null;
    const limits =
      shape.format === "i32" ? { low: -128, high: 127 } : clampIn(shape.format, scale.activation, scale.clip);
    const biasShift = new Int8Array(shape.channels);
    const shift = new Int8Array(shape.channels);
    const accExponents = new Int8Array(shape.channels);
    const random = randomStream(scale.weights.seed + 2);
    for (let k = 0; k < shape.channels; k++) {
      const ofChannel = weights.subarray(k * taps, (k + 1) * taps);
      const typical = Math.ceil(Math.log2(80 * Math.hypot(...ofChannel) + 1));
      const any = scale.shifts === "any";
      if (!wide)
        shift[k] = any ? between(random, -8, 31) : clampTo(typical - 6 + scale.offset + between(random, 0, 1), -8, 31);
      accExponents[k] = wide ? scale.exponent + between(random, 0, 8) : shift[k] + shape.exponent;
      const wanted = any ? between(random, -31, 23) : clampTo(typical - 7 + between(random, -2, 2), -31, 23);
      biasShift[k] = largestBiasShift(wanted, bias[k], ofChannel, source, shift[k], slope);
    }
    const output = this.#tensor(shape);
    this.nodes.push({
      op: "conv",
      name: `conv${this.nodes.length}`,
      inputs: [source.name],
      output: output.name,
      ...geometry,
      weights,
      bias,
      biasShift,
      shift,
      accExponents,
      ...limits,
      slope,
    });
    return output;
  }

  #poolStep(step: PoolStep): void {
    const source = this.#source(step.source);
    const whole = step.wholeKernel && Math.max(source.height, source.width) <= WHOLE_KERNEL_MAX;
    this.#pool(source, whole ? { ...step, kernel: [source.height, source.width], pads: [0, 0, 0, 0] } : step);
  }

  #pool(source: QTensor, step: Pick<PoolStep, "mode" | "countPadding" | "kernel" | "stride" | "pads">): QTensor {
    const y = fitWindow(source.height, step.kernel[0], 1, step.pads[0], step.pads[2]);
    const x = fitWindow(source.width, step.kernel[1], 1, step.pads[1], step.pads[3]);
    const output = this.#tensor({
      height: outputLength(source.height, y, step.stride[0]),
      width: outputLength(source.width, x, step.stride[1]),
      channels: source.channels,
      format: source.format,
      exponent: source.exponent,
    });
    this.nodes.push({
      op: "pool",
      name: `pool${this.nodes.length}`,
      inputs: [source.name],
      output: output.name,
      mode: step.mode,
      countPadding: step.mode === "average" && step.countPadding,
      kernel: [y.kernel, x.kernel],
      stride: step.stride,
      pads: [y.before, x.before, y.after, x.after],
    });
    return output;
  }

  #addStep(step: AddStep): void {
    const a = this.#source(step.source);
    const fits = (b: QTensor) =>
      b !== a && b.height === a.height && b.width === a.width && b.channels === a.channels && b.format === a.format;
    const existing = step.other === "existing" ? this.tensors.findLast(fits) : undefined;
    const b = existing ?? this.#sameConv(a, step.kernel, step.scale, { ...a, exponent: step.scale.exponent });
    const unsigned = a.format === "u8" || step.activation === "reluU8";
    const format = unsigned ? "u8" : "i8";
    const exponent = Math.min(step.exponent, Math.max(a.exponent, b.exponent) + 8);
    const output = this.#tensor({ ...a, format, exponent });
    this.nodes.push({
      op: "add",
      name: `add${this.nodes.length}`,
      inputs: [a.name, b.name],
      output: output.name,
      ...clampIn(format, step.activation, step.clip),
    });
  }

  #concatStep(step: ConcatStep): void {
    const source = this.#source(step.source);
    const own = clampOf(step.scale.activation, step.scale.clip).format;
    const keeps = step.parts.some(({ kind }) => kind === "source" || kind === "pool3" || kind === "existing");
    const scale = keeps ? source : { format: own, exponent: step.scale.exponent };
    const before = [...this.tensors];
    const parts: QTensor[] = [];
    step.parts.forEach(({ kind, outChannels }, i) => {
      const convScale = { ...step.scale, weights: { ...step.scale.weights, seed: step.scale.weights.seed + 10 * i } };
      const conv = (kernel: 1 | 3) => {
        const affordable = Math.floor(
          this.#options.maxMacs / (source.height * source.width * kernel * kernel * source.channels),
        );
        const channels = Math.max(1, Math.min(outChannels, affordable));
        return this.#sameConv(source, kernel, convScale, { ...scale, channels });
      };
      const fits = (other: QTensor) =>
        !parts.includes(other) &&
        other.height === source.height &&
        other.width === source.width &&
        other.format === scale.format &&
        other.exponent === scale.exponent;
      const existing = kind === "source" ? source : kind === "existing" ? before.findLast(fits) : undefined;
      if (existing !== undefined && !parts.includes(existing)) parts.push(existing);
      else if (kind === "pool3") {
        parts.push(
          this.#pool(source, { mode: "max", countPadding: false, kernel: [3, 3], stride: [1, 1], pads: [1, 1, 1, 1] }),
        );
      } else parts.push(conv(kind === "conv3" ? 3 : 1));
    });
    const channels = parts.reduce((sum, part) => sum + part.channels, 0);
    const output = this.#tensor({ ...scale, height: source.height, width: source.width, channels });
    this.nodes.push({
      op: "concat",
      name: `concat${this.nodes.length}`,
      inputs: parts.map(({ name }) => name),
      output: output.name,
    });
  }

  model(): QuantizedModel {
    const read = new Set(this.nodes.flatMap((node) => node.inputs as readonly string[]));
    const outputs = this.tensors.filter((tensor, i) => i > 0 && !read.has(tensor.name));
    const { channels, format, exponent, height, width } = this.#plan.input;
    return {
      name: "arbitrary",
      tensors: this.tensors,
      nodes: this.nodes,
      host: {
        input: {
          tensor: "input",
          height,
          width,
          channels,
          format,
          exponent,
          colorOrder: "BGR",
          mean: new Array<number>(channels).fill(0),
          scale: 1,
        },
        outputs: outputs.map((tensor) => ({
          tensor: tensor.name,
          height: tensor.height,
          width: tensor.width,
          channels: tensor.channels,
          format: tensor.format,
          exponents: this.#outputExponents(tensor),
        })),
        head: null,
        trained: false,
      },
      provenance: { source: "arbitrary", sourceSha256: "0".repeat(64), rapsim: "0.0.0", options: {} },
    };
  }

  /** One exponent per channel. With several, the accumulator's exponents move along, so the shifts stay. */
  #outputExponents(tensor: QTensor): number[] {
    const exponents = new Array<number>(tensor.channels).fill(tensor.exponent);
    const conv = this.nodes.find((node): node is QConv => node.op === "conv" && node.output === tensor.name);
    if (conv === undefined) return exponents;
    if (tensor.format === "i32") return [...conv.accExponents];
    if (!this.#several.has(tensor.name)) return exponents;
    return exponents.map((exponent, k) => {
      const offset = Math.floor((3 * k) / tensor.channels);
      conv.accExponents[k] += offset;
      return exponent + offset;
    });
  }
}

const clampTo = (value: number, low: number, high: number) => Math.min(high, Math.max(low, value));

/** The largest biasShift up to `wanted` with which accumulator, bias and rounding addend stay within int32. */
function largestBiasShift(
  wanted: number,
  bias: number,
  weights: Int8Array,
  source: QTensor,
  shift: number,
  slope: { readonly a: number; readonly b: number } | null,
): number {
  const largestInput = source.format === "u8" ? 255 : 128;
  const sum = weights.reduce((total, weight) => total + Math.abs(weight), 0) * largestInput;
  const addend = 2 ** (Math.max(shift, slope?.a ?? 0, slope?.b ?? 0, 1) - 1);
  let biasShift = wanted;
  while (biasShift > 0 && sum + Math.abs(bias) * 2 ** biasShift + addend > INT32_MAX) biasShift--;
  return biasShift;
}

// ---- Arbitraries ----

const DEFAULTS: Required<ModelOptions> = {
  maxSteps: 5,
  maxMacs: 300_000,
  mixedOutputs: true,
  sharedConcatParts: true,
  wholeKernels: true,
};

/** A line per tensor and node, for a failing property's message. */
function describeModel(model: QuantizedModel): string {
  const tensors = new Map(model.tensors.map((tensor) => [tensor.name, tensor]));
  const shape = (name: string) => {
    const t = tensors.get(name)!;
    return `${name}[${t.height},${t.width},${t.channels}] ${t.format} f=${t.exponent}`;
  };
  const lines = model.nodes.map((node) => {
    const { op, name, inputs, output, ...rest } = node;
    const details = Object.entries(rest).map(([key, value]) =>
      ArrayBuffer.isView(value)
        ? `${key}=[${[...(value as Int8Array).slice(0, 8)]}..]`
        : `${key}=${JSON.stringify(value)}`,
    );
    return `${name}: ${inputs.map(shape).join(" ")} -> ${shape(output)} ${details.join(" ")}`;
  });
  return [`model from ${shape(model.tensors[0].name)}`, ...lines].join("\n  ");
}

function printable(model: QuantizedModel): QuantizedModel {
  return Object.defineProperty(model, fc.toStringMethod, { value: () => describeModel(model) });
}

/** Random quantized models: chains and small DAGs. */
export function arbitraryQuantizedModel(options: ModelOptions = {}): fc.Arbitrary<QuantizedModel> {
  const all = { ...DEFAULTS, ...options };
  return planArbitrary(all).map((plan) => printable(new ModelBuilder(plan, all).model()));
}

function inputOf(model: QuantizedModel, fill: Fill): Elements {
  const { height, width, channels, format } = model.tensors[0];
  const length = height * width * channels;
  return format === "u8" ? filled(new Uint8Array(length), fill) : filled(new Int8Array(length), fill);
}

/** A model and an input for it; both shrink. */
export function arbitraryModelWithInput(
  options: ModelOptions = {},
): fc.Arbitrary<{ model: QuantizedModel; input: Elements }> {
  return fc
    .tuple(arbitraryQuantizedModel(options), fillArbitrary)
    .map(([model, fill]) => ({ model, input: inputOf(model, fill) }));
}

/** The structure of a random machine; shrinks towards one small array with large memories. */
interface MachineShape {
  readonly agents: number;
  readonly rows: number;
  /** A multiple of 4. */
  readonly cols: number;
  readonly sramKiB: number;
  readonly accumulatorKiB: number;
  readonly tensorProcessors: number;
}

export const arbitraryMachineShape: fc.Arbitrary<MachineShape> = fc.record({
  agents: times(16),
  rows: fc.integer({ min: 4, max: 32 }),
  cols: times(8).map((n) => 4 * n),
  sramKiB: fc.integer({ min: 8, max: 256 }).map((n) => 264 - n),
  accumulatorKiB: times(64).map((n) => 65 - n),
  tensorProcessors: times(2),
});
