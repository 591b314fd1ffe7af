/**
 * The `.rapq` file: a quantized model in the container of isa. Section GRPH is JSON (graph, exponents, host section,
 * provenance), section WGHT holds the integers: for each convolution in turn its weights, biases, bias shifts, shifts
 * and accumulator exponents, each one byte.
 */
import { z } from "zod";
import {
  type ContainerKind,
  FORMATS,
  hostSectionSchema,
  packContainer,
  parseJsonSection,
  RapError,
  unpackContainer,
} from "../isa/index.ts";
import type { QConv, QNode, QuantizedModel } from "./quantized-model.ts";
import { checkHead } from "./sidecar.ts";
import { verifyQuantizedModel } from "./verify-quantized-model.ts";

export const RAPQ_KIND: ContainerKind = {
  magic: "RAPSIMQM",
  what: "a quantized model (.rapq)",
  contentVersion: 1,
  versioned: "quantized model",
  remedy: "rapsim quantize",
  tags: ["GRPH", "WGHT"],
};

const MAX_NODES = 20000;
const name = z.string().min(1).max(20000);
const extent = z.number().int().min(1).max(65535);
const pair = z.tuple([extent, extent]);
const pad = z.number().int().min(0).max(65535);
const pads = z.tuple([pad, pad, pad, pad]);
const int32 = z.number().int().min(-2147483648).max(2147483647);

const tensorSchema = z.strictObject({
  name,
  height: extent,
  width: extent,
  channels: extent,
  format: z.enum(FORMATS),
  exponent: z.number().int().min(-64).max(64),
  factor: z
    .number()
    .min(2 ** -64)
    .max(2 ** 64)
    .optional(),
});

const convSchema = z.strictObject({
  op: z.literal("conv"),
  name,
  inputs: z.tuple([name]),
  output: name,
  kernel: pair,
  stride: pair,
  dilation: pair,
  pads,
  groups: extent,
  low: int32,
  high: int32,
  slope: z.strictObject({ a: z.number().int().min(0).max(31), b: z.number().int().min(0).max(31) }).nullable(),
});
const poolSchema = z.strictObject({
  op: z.literal("pool"),
  name,
  inputs: z.tuple([name]),
  output: name,
  mode: z.enum(["max", "average"]),
  countPadding: z.boolean(),
  kernel: pair,
  stride: pair,
  pads,
});
const addSchema = z.strictObject({
  op: z.literal("add"),
  name,
  inputs: z.tuple([name, name]),
  output: name,
  low: int32,
  high: int32,
});
const concatSchema = z.strictObject({
  op: z.literal("concat"),
  name,
  inputs: z.array(name).min(1).max(65535),
  output: name,
});

/** Register arithmetic, and the tensor that tells the host, hold distances in this range. */
const DISTANCE_MAX = 14;
const runtimeSchema = z.strictObject({
  mode: z.enum(["dynamic", "delayed"]),
  exponents: z
    .array(
      z.strictObject({
        tensors: z
          .array(name)
          .min(1)
          .max(2 * MAX_NODES),
        low: z.number().int().min(-DISTANCE_MAX).max(0),
        high: z.number().int().min(0).max(DISTANCE_MAX),
        clipLog2: z.number().int().min(0).max(31).nullable(),
      }),
    )
    .max(MAX_NODES),
});

const graphSchema = z.strictObject({
  name,
  tensors: z
    .array(tensorSchema)
    .min(1)
    .max(2 * MAX_NODES),
  nodes: z.array(z.discriminatedUnion("op", [convSchema, poolSchema, addSchema, concatSchema])).max(MAX_NODES),
  host: hostSectionSchema,
  runtime: runtimeSchema.optional(),
  provenance: z.strictObject({
    source: z.string(),
    sourceSha256: z.string(),
    rapsim: z.string(),
    options: z.record(z.string(), z.union([z.string(), z.number(), z.boolean()])),
  }),
});
type StoredConv = z.infer<typeof convSchema>;

/** Arrays of a convolution, in the order of section WGHT. */
const ARRAYS = ["weights", "bias", "biasShift", "shift", "accExponents"] as const;

export function encodeRapq(model: QuantizedModel): Uint8Array {
  const integers: Int8Array[] = [];
  const nodes = model.nodes.map((node) => {
    if (node.op !== "conv") return node;
    const { weights, bias, biasShift, shift, accExponents, ...stored } = node;
    integers.push(weights, bias, biasShift, shift, accExponents);
    return stored;
  });
  const bytes = new Uint8Array(integers.reduce((sum, part) => sum + part.length, 0));
  let offset = 0;
  for (const part of integers) {
    bytes.set(new Uint8Array(part.buffer, part.byteOffset, part.length), offset);
    offset += part.length;
  }
  // parsing puts the keys into the schema's order, so that equal models give equal bytes
  const graph = graphSchema.parse({ ...model, nodes });
  return packContainer(RAPQ_KIND, { GRPH: Buffer.from(JSON.stringify(graph), "utf8"), WGHT: bytes });
}

/** @param path named in messages. @throws RapError for a damaged file and for a graph that does not hold together */
export function decodeRapq(file: Uint8Array, path: string): QuantizedModel {
  const sections = unpackContainer(RAPQ_KIND, file, path);
  const graph = parseJsonSection(graphSchema, sections.get("GRPH")!, `${path}: section GRPH`);
  const integers = sections.get("WGHT")!;
  const channels = new Map(graph.tensors.map((tensor) => [tensor.name, tensor.channels]));
  let offset = 0;
  const nodes = graph.nodes.map((node): QNode => {
    if (node.op !== "conv") return node;
    const lengths = arrayLengths(node, channels, path);
    const arrays = Object.fromEntries(
      ARRAYS.map((array, i) => {
        const end = offset + lengths[i];
        if (end > integers.length) {
          throw new RapError(
            `${path}: section WGHT: ${integers.length} bytes end within '${node.name}'.${array}, which needs ${lengths[i]}; the file is damaged`,
          );
        }
        const part = new Int8Array(integers.buffer, integers.byteOffset + offset, lengths[i]).slice();
        offset = end;
        return [array, part];
      }),
    ) as Pick<QConv, (typeof ARRAYS)[number]>;
    return { ...node, ...arrays };
  });
  if (offset !== integers.length)
    throw new RapError(
      `${path}: section WGHT: ${integers.length - offset} bytes more than the graph needs; the file is damaged`,
    );
  const model: QuantizedModel = { ...graph, nodes };
  verifyQuantizedModel(model, `${path}: section GRPH`);
  const { head, outputs } = model.host;
  if (head !== null) checkHead(head, outputs, `${path}: section GRPH: host`);
  return model;
}

function arrayLengths(node: StoredConv, channels: ReadonlyMap<string, number>, path: string): number[] {
  const inChannels = channels.get(node.inputs[0]);
  const outChannels = channels.get(node.output);
  if (inChannels === undefined || outChannels === undefined) {
    throw new RapError(`${path}: section GRPH: '${node.name}' names a tensor that is not there; the file is damaged`);
  }
  if (inChannels % node.groups !== 0 || outChannels % node.groups !== 0) {
    throw new RapError(
      `${path}: section GRPH: '${node.name}': ${node.groups} groups do not divide ${inChannels} to ${outChannels} channels`,
    );
  }
  const weights = outChannels * node.kernel[0] * node.kernel[1] * (inChannels / node.groups);
  return [weights, outChannels, outChannels, outChannels, outChannels];
}
