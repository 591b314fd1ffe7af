/** A quantized model's network in float32, its weights dequantized: what other runtimes take a float frame of. */
import type { QuantizedModel } from "../compiler/index.ts";
import { QdqWriter } from "../test/support/qdq-writer.ts";

export function floatOnnx(model: QuantizedModel): Uint8Array {
  const writer = new QdqWriter();
  const tensors = new Map(model.tensors.map((tensor) => [tensor.name, tensor]));
  for (const node of model.nodes) {
    const { name, inputs, output } = node;
    if (node.op === "conv") {
      const { channels } = tensors.get(output)!;
      const perGroup = tensors.get(inputs[0])!.channels / node.groups;
      const taps = node.kernel[0] * node.kernel[1];
      const weights = new Float32Array(node.weights.length);
      for (let k = 0; k < channels; k++) {
        for (let c = 0; c < perGroup; c++) {
          for (let tap = 0; tap < taps; tap++) {
            const scale = 2 ** (tensors.get(inputs[0])!.exponent - node.accExponents[k]);
            weights[(k * perGroup + c) * taps + tap] = node.weights[(k * taps + tap) * perGroup + c] * scale;
          }
        }
      }
      const bias = Float32Array.from(node.bias, (value) => value / 128);
      const operands = [
        inputs[0],
        writer.floats(`${name}_weights`, [channels, perGroup, ...node.kernel], weights),
        writer.floats(`${name}_bias`, [channels], bias),
      ];
      const { kernel: kernel_shape, stride: strides, dilation: dilations, pads, groups: group } = node;
      const linear = node.low === 0 ? `${output}_linear` : output;
      writer.node("Conv", operands, linear, { kernel_shape, strides, dilations, pads, group }, name);
      if (node.low === 0) writer.node("Relu", [linear], output);
    } else if (node.op === "pool") {
      const { kernel: kernel_shape, stride: strides, pads } = node;
      writer.node(
        node.mode === "max" ? "MaxPool" : "AveragePool",
        inputs,
        output,
        { kernel_shape, strides, pads },
        name,
      );
    } else if (node.op === "concat") writer.node("Concat", inputs, output, { axis: 1 }, name);
    else writer.node("Add", inputs, output, {}, name);
  }
  const [input] = model.tensors;
  const shape = [1, input.channels, input.height, input.width];
  return writer.file(
    { name: input.name, shape },
    model.host.outputs.map(({ tensor }) => ({ name: tensor })),
  );
}
