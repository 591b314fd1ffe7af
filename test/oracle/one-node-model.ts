/** A one-node ONNX model as protobuf bytes. Field numbers: onnx/onnx.proto3. */
import protobuf, { type Writer } from "protobufjs/minimal.js";

/** onnx.TensorProto.DataType */
const DATA_TYPE = { uint8: 2, int8: 3, int32: 6 } as const;
/** onnx.AttributeProto.AttributeType */
const ATTRIBUTE_INT = 2;
const ATTRIBUTE_INTS = 7;
const IR_VERSION = 8;
/** Has ConvInteger (since 10) and MaxPool of 8-bit integers (since 12). */
const OPSET = 13;

export interface OneNode {
  readonly op: string;
  /** Names and element types of the inputs, in the operator's order; all tensors have rank 4. */
  readonly inputs: Readonly<Record<string, keyof typeof DATA_TYPE>>;
  readonly output: keyof typeof DATA_TYPE;
  readonly attributes: Readonly<Record<string, number | readonly number[]>>;
}

const message = (writer: Writer, field: number, body: (writer: Writer) => void) => {
  writer.uint32((field << 3) | 2).fork();
  body(writer);
  writer.ldelim();
};
const string = (writer: Writer, field: number, text: string) => writer.uint32((field << 3) | 2).string(text);
const integer = (writer: Writer, field: number, value: number) => writer.uint32(field << 3).int64(value);

function attribute(node: Writer, name: string, value: number | readonly number[]): void {
  message(node, 5, (attr) => {
    string(attr, 1, name);
    if (typeof value === "number") {
      integer(attr, 3, value);
      integer(attr, 20, ATTRIBUTE_INT);
    } else {
      for (const item of value) integer(attr, 8, item);
      integer(attr, 20, ATTRIBUTE_INTS);
    }
  });
}

/** ValueInfoProto of a tensor of rank 4 with free dimensions. */
function valueInfo(graph: Writer, field: number, name: string, type: keyof typeof DATA_TYPE): void {
  message(graph, field, (value) => {
    string(value, 1, name);
    message(value, 2, (typeProto) =>
      message(typeProto, 1, (tensor) => {
        integer(tensor, 1, DATA_TYPE[type]);
        message(tensor, 2, (shape) => {
          for (let i = 0; i < 4; i++) message(shape, 1, (dimension) => string(dimension, 2, `${name}${i}`));
        });
      }),
    );
  });
}

/** The model's bytes; its output is named `y`. */
export function oneNodeModel({ op, inputs, output, attributes }: OneNode): Uint8Array {
  const model = protobuf.Writer.create();
  integer(model, 1, IR_VERSION);
  message(model, 7, (graph) => {
    message(graph, 1, (node) => {
      for (const input of Object.keys(inputs)) string(node, 1, input);
      string(node, 2, "y");
      string(node, 4, op);
      for (const [name, value] of Object.entries(attributes)) attribute(node, name, value);
    });
    string(graph, 2, op);
    for (const [name, type] of Object.entries(inputs)) valueInfo(graph, 11, name, type);
    valueInfo(graph, 12, "y", output);
  });
  message(model, 8, (opset) => {
    string(opset, 1, "");
    integer(opset, 2, OPSET);
  });
  return model.finish();
}
