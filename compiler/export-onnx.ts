/**
 * A quantized model as a standard ONNX model of integer operators, which computes the same integers: input, intermediate
 * tensors and outputs, value by value (docs/interchange.md).
 */
import { RapError } from "../isa/index.ts";
import { ONNX_TYPE } from "./export/arithmetic.ts";
import { OnnxGraph, type OnnxTensor } from "./export/onnx-graph.ts";
import { exportNode } from "./export/operators.ts";
import type { QTensor, QuantizedModel } from "./quantized-model.ts";
import { verifyQuantizedModel } from "./verify-quantized-model.ts";
import { RAPSIM_VERSION } from "./version.ts";

/** The key of `metadata_props`, and the form of its JSON. */
const METADATA_KEY = "rapsim";
const METADATA_SCHEMA = "rapsim.onnx/1";

/** @throws RapError where the model does not hold together or a sum could leave int32 */
export function exportOnnx(model: QuantizedModel): Uint8Array {
  verifyQuantizedModel(model, model.name);
  if (model.runtime !== undefined) {
    throw new RapError(
      `${model.name}: its exponents are chosen at run time (${model.runtime.mode} scaling), which integer operators of ONNX cannot do; quantize with --scaling static or calibrated`,
    );
  }
  const tensors = new Map(model.tensors.map((tensor) => [tensor.name, tensor]));
  const tensor = (name: string): QTensor => {
    const found = tensors.get(name);
    if (found === undefined) throw new RapError(`${model.name}: tensor '${name}' is not there`);
    return found;
  };
  const graph = new OnnxGraph(tensors.keys());
  for (const node of model.nodes) exportNode(node, { graph, tensor, place: model.name });
  const inputs = [onnxTensor(model.tensors[0])];
  const outputs = model.host.outputs.map((output) => onnxTensor(tensor(output.tensor)));
  return graph.encode(model.name, RAPSIM_VERSION, inputs, outputs, { [METADATA_KEY]: metadata(model) });
}

/** [H, W, C] as [1, C, H, W] */
function onnxTensor({ name, format, height, width, channels }: QTensor): OnnxTensor {
  return { name, type: ONNX_TYPE[format], dims: [1, channels, height, width] };
}

/** What integers alone do not say: exponents, preprocessing, head, where the model came from. */
function metadata({ tensors, host, provenance }: QuantizedModel): string {
  const exponents = Object.fromEntries(tensors.map(({ name, exponent }) => [name, exponent]));
  return JSON.stringify({ schema: METADATA_SCHEMA, host, exponents, provenance });
}
