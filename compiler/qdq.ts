/**
 * Quantized ONNX models in QDQ form (QuantizeLinear and DequantizeLinear around float operators) as quantized models: the
 * same integers where scales are powers of two and zero points nothing, others refused or moved (docs/interchange.md).
 */
import { type Format, RapError } from "../isa/index.ts";
import type { FloatGraph } from "./graph.ts";
import type { decodeModel } from "./onnx/schema.ts";
import { importModel } from "./onnx.ts";
import { type SimpleGraph, simplify } from "./passes/index.ts";
import { removeUnused } from "./passes/remove.ts";
import { buildConv, type StoredConv } from "./qdq/build.ts";
import { planScales, type QdqPlan } from "./qdq/plan.ts";
import { isQdq, type QdqModel, takeOutQdq } from "./qdq/read.ts";
import { Report, type Rescaled } from "./qdq/report.ts";
import type { Scales } from "./quantize/scales.ts";
import { hostSection, quantizeNode } from "./quantize.ts";
import type { QuantizedModel } from "./quantized-model.ts";
import type { Sidecar } from "./sidecar.ts";
import { verifyQuantizedModel } from "./verify-quantized-model.ts";
import { RAPSIM_VERSION } from "./version.ts";

export type { Rescaled } from "./qdq/report.ts";

export interface QdqOptions {
  /** Scales that are no powers of two, zero points and biases beyond 8 bits move to what is nearest. Default: refused. */
  readonly rescale?: boolean | undefined;
  /** Told of each tensor that moved, and what that costs. */
  readonly onRescale?: ((rescaled: Rescaled) => void) | undefined;
}

type Model = ReturnType<typeof decodeModel>;

/** Operators that compute in integers, or quantize at run time. */
const INTEGER_OPERATORS = /^(QLinear|QGemm$|ConvInteger$|MatMulInteger|DynamicQuantize)/;

/** Whether an ONNX model is quantized. @throws RapError for another form than QDQ */
export function isQuantized({ graph }: Model, path: string): boolean {
  const other = graph.node.find(({ opType }) => INTEGER_OPERATORS.test(opType));
  if (other !== undefined) {
    const place = `${path}: node ${other.name || other.output[0]} (${other.opType})`;
    throw new RapError(
      `${place}: operators on integers are not read; quantize in the QDQ form, QuantizeLinear and DequantizeLinear around float operators`,
    );
  }
  return graph.node.some(isQdq);
}

/** @param bytes the file's, for the provenance @throws RapError: the file, the node, the rule, the remedy */
export function importQdq(
  model: Model,
  bytes: Uint8Array,
  path: string,
  sidecar?: Sidecar,
  { rescale = false, onRescale = () => {} }: QdqOptions = {},
): QuantizedModel {
  const report = new Report(onRescale);
  const qdq = takeOutQdq(model, path, rescale);
  const graph = removeUnused(importModel(qdq.model, bytes, path, sidecar));
  const plan = planScales(graph, qdq.scales, path, rescale);
  for (const [tensor, scale] of qdq.scales) {
    const now = plan.scaleOf(tensor);
    // the two of a pair say the same
    if (now !== undefined && !qdq.scales.has(scale.of)) report.activation(scale.of, scale, now);
  }
  const simple = simplify(plan.graph);
  const scales = scalesOf(simple, plan, path);
  const stored = storedConvs(graph, qdq, plan);
  const context = { graph: simple, scales, stored, place: path, rescale, report };
  const nodes = simple.nodes.map((node) =>
    node.op === "conv" ? buildConv(node, context) : quantizeNode(simple, scales, node),
  );
  const tensors = [...simple.tensors.values()].map((tensor) => ({
    ...tensor,
    format: scales.format(tensor.name),
    exponent: scales.exponent(tensor.name),
  }));
  const quantized: QuantizedModel = {
    name: simple.name,
    tensors,
    nodes,
    host: hostSection(simple, tensors, nodes, scales),
    provenance: {
      source: simple.source.name,
      sourceSha256: simple.source.sha256,
      rapsim: RAPSIM_VERSION,
      options: { form: "QDQ", rescale },
    },
  };
  verifyQuantizedModel(quantized, path);
  return quantized;
}

/** The planned scales by tensor; what nothing quantizes are accumulators. */
function scalesOf(simple: SimpleGraph, plan: QdqPlan, path: string): Scales {
  const read = new Set(simple.nodes.flatMap((node) => node.inputs));
  const convs = new Set(simple.nodes.filter(({ op }) => op === "conv").map(({ output }) => output));
  for (const [name, { channels }] of simple.tensors) {
    const count = plan.scaleOf(name)?.exponents.length ?? 1;
    if (count === 1) continue;
    if (read.has(name) || !convs.has(name))
      throw new RapError(
        `${path}: '${name}' has ${count} scales; only a convolution's output that leaves the network may have several`,
      );
    if (count !== channels) throw new RapError(`${path}: '${name}' has ${count} scales for ${channels} channels`);
  }
  const format = (tensor: string): Format => plan.scaleOf(tensor)?.format ?? "i32";
  const exponent = (tensor: string) => plan.scaleOf(tensor)?.exponents[0] ?? 0;
  return {
    format,
    exponent,
    channelExponent: (tensor, channel) => plan.scaleOf(tensor)?.exponents[channel] ?? exponent(tensor),
  };
}

/** The constants of each convolution and Gemm, as the file has them. */
function storedConvs(graph: FloatGraph, { model, constants }: QdqModel, { folded }: QdqPlan): Map<string, StoredConv> {
  const protos = new Map(model.graph.node.map((proto) => [proto.output[0], proto]));
  const stored = new Map<string, StoredConv>();
  for (const node of graph.nodes) {
    if ((node.op !== "conv" && node.op !== "gemm") || folded.has(node.name)) continue;
    const proto = protos.get(node.output)!;
    const weights = constants.get(proto.input[1]);
    const bias = constants.get(proto.input[2] ?? "")?.values ?? node.bias;
    const transposed = proto.attribute.find(({ name }) => name === "transB")?.i ?? 0;
    const outputAxis = node.op === "conv" || transposed !== 0 ? 0 : 1;
    const channels = node.bias.length;
    const given = weights?.exponents ?? null;
    if (weights !== undefined && given !== null && given.length > 1 && weights.axis !== outputAxis) {
      throw new RapError(
        `${weights.place}: scales along axis ${weights.axis}; weights have one scale, or one per output channel (axis ${outputAxis})`,
      );
    }
    const exponents = given?.length === 1 ? new Array<number>(channels).fill(given[0]) : given;
    stored.set(node.name, { exponents, bias });
  }
  return stored;
}
