/** The network as a schedule sees it: operators in order, and the tensors ("roots") they read and write parts of. */
import { FORMAT_BYTES, type Format } from "../../isa/index.ts";
import type { Group, GroupedModel } from "../lowering/groups.ts";
import type { Pads, Pair, QuantizedModel } from "../quantized-model.ts";

/** Channels `offset`.. of a root tensor. */
export interface Part {
  readonly root: string;
  readonly offset: number;
  readonly channels: number;
}

/** A sliding window; a point for operators that take element by element. */
export interface Window {
  readonly kernel: Pair;
  readonly stride: Pair;
  readonly dilation: Pair;
  readonly pads: Pads;
}

export interface Operator {
  readonly index: number;
  readonly name: string;
  readonly group: Group;
  readonly inputs: readonly Part[];
  readonly output: Part;
  readonly window: Window;
  /** first of the operator's own output channels; others than 0 when they are made in several goes */
  readonly firstChannel: number;
}

export interface Root {
  readonly name: string;
  readonly height: number;
  readonly width: number;
  readonly channels: number;
  readonly format: Format;
  /** bytes per element */
  readonly bytes: number;
  /** lies in DRAM in any case: the network's input and outputs */
  readonly external: boolean;
  readonly writers: readonly number[];
  readonly readers: readonly number[];
}

export interface Network {
  readonly operators: readonly Operator[];
  readonly roots: ReadonlyMap<string, Root>;
}

const POINT: Window = { kernel: [1, 1], stride: [1, 1], dilation: [1, 1], pads: [0, 0, 0, 0] };

/** @param grouped without fused pooling: each operator is a group of its own */
export function networkOf(model: QuantizedModel, { groups, placements }: GroupedModel): Network {
  const tensors = new Map(model.tensors.map((tensor) => [tensor.name, tensor]));
  const part = (name: string): Part => ({ ...placements.get(name)!, channels: tensors.get(name)!.channels });
  const operatorOf = (group: Group, index: number): Operator => {
    switch (group.kind) {
      case "conv": {
        const { name, inputs, kernel, stride, dilation, pads } = group.conv;
        const window = { kernel, stride, dilation, pads };
        return { index, name, group, inputs: [part(inputs[0])], output: part(group.output), window, firstChannel: 0 };
      }
      case "pool": {
        const { name, inputs, kernel, stride, pads } = group.pool;
        const window: Window = { kernel, stride, dilation: [1, 1], pads };
        return { index, name, group, inputs: [part(inputs[0])], output: part(group.output), window, firstChannel: 0 };
      }
      case "add": {
        const { name, inputs } = group.add;
        return {
          index,
          name,
          group,
          inputs: inputs.map(part),
          output: part(group.output),
          window: POINT,
          firstChannel: 0,
        };
      }
      case "copy": {
        const outer = placements.get(group.output.root)!;
        const input = part(group.input);
        const output = { root: outer.root, offset: outer.offset + group.output.offset, channels: input.channels };
        return {
          index,
          name: `${group.name}:${group.input}`,
          group,
          inputs: [input],
          output,
          window: POINT,
          firstChannel: 0,
        };
      }
    }
  };
  const operators = groups.map(operatorOf);
  const outputs = new Set(model.host.outputs.map(({ tensor }) => tensor));
  const names = new Set([
    model.host.input.tensor,
    ...operators.flatMap(({ inputs, output }) => [...inputs.map(({ root }) => root), output.root]),
  ]);
  const roots = new Map<string, Root>();
  for (const name of names) {
    const { height, width, channels, format } = tensors.get(name)!;
    roots.set(name, {
      name,
      height,
      width,
      channels,
      format,
      bytes: FORMAT_BYTES[format],
      external: outputs.has(name) || name === model.host.input.tensor,
      writers: operators.filter(({ output }) => output.root === name).map(({ index }) => index),
      readers: operators.filter(({ inputs }) => inputs.some(({ root }) => root === name)).map(({ index }) => index),
    });
  }
  return { operators, roots };
}

/** A convolution's output channels first.. alone. */
export function slice(operator: Operator, first: number, channels: number): Operator {
  const { root, offset } = operator.output;
  return { ...operator, firstChannel: first, output: { root, offset: offset + first, channels } };
}
