/** A one-node ONNX model, ConvInteger, as protobuf bytes. Field numbers: onnx/onnx.proto3. */
import protobuf, { type Writer } from "protobufjs/minimal.js";
import type { ConvGeometry } from "../reference/index.ts";

/** onnx.TensorProto.DataType */
const DATA_TYPE = { uint8: 2, int8: 3, int32: 6 } as const;
/** onnx.AttributeProto.AttributeType */
const ATTRIBUTE_INT = 2;
const ATTRIBUTE_INTS = 7;
const IR_VERSION = 8;
/** ConvInteger has not changed since opset 10. */
const OPSET = 13;

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

/** y [1, K, OH, OW] int32 = ConvInteger(x [1, C, H, W], w [K, C / groups, R, S] int8), zero points 0. */
export function convIntegerModel(xType: "int8" | "uint8", geometry: ConvGeometry): Uint8Array {
  const model = protobuf.Writer.create();
  integer(model, 1, IR_VERSION);
  message(model, 7, (graph) => {
    message(graph, 1, (node) => {
      for (const input of ["x", "w"]) string(node, 1, input);
      string(node, 2, "y");
      string(node, 4, "ConvInteger");
      attribute(node, "kernel_shape", geometry.kernel);
      attribute(node, "strides", geometry.stride);
      attribute(node, "dilations", geometry.dilation);
      attribute(node, "pads", geometry.pads);
      attribute(node, "group", geometry.groups);
    });
    string(graph, 2, "conv");
    valueInfo(graph, 11, "x", xType);
    valueInfo(graph, 11, "w", "int8");
    valueInfo(graph, 12, "y", "int32");
  });
  message(model, 8, (opset) => {
    string(opset, 1, "");
    integer(opset, 2, OPSET);
  });
  return model.finish();
}
