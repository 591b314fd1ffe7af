"""Writes ONNX files without the onnx package: just the few messages of onnx.proto3 that a convolutional network needs."""


def varint(value):
    out = bytearray()
    value &= (1 << 64) - 1
    while value > 127:
        out.append(value & 127 | 128)
        value >>= 7
    return bytes(out + bytes([value]))


def field(number, value):
    """A protobuf field: int, or bytes / str / message."""
    if isinstance(value, int):
        return varint(number << 3) + varint(value)
    data = value.encode() if isinstance(value, str) else value
    return varint(number << 3 | 2) + varint(len(data)) + data


def fields(number, values):
    return b"".join(field(number, value) for value in values)


INTS, FLOAT32 = 7, 1


def attribute(name, values):
    return field(1, name) + fields(8, values) + field(20, INTS)


def node(operator, name, inputs, output, **attributes):
    listed = b"".join(field(5, attribute(key, values)) for key, values in attributes.items())
    return fields(1, inputs) + field(2, output) + field(3, name) + field(4, operator) + listed


def tensor(name, array):
    """A float32 initializer."""
    return fields(1, array.shape) + field(2, FLOAT32) + field(8, name) + field(9, array.astype("<f4").tobytes())


def value_info(name, shape):
    dimensions = b"".join(field(1, field(1, extent)) for extent in shape)
    return field(1, name) + field(2, field(1, field(1, FLOAT32) + field(2, dimensions)))


def model(name, nodes, initializers, inputs, outputs):
    graph = fields(1, nodes) + field(2, name) + fields(5, initializers) + fields(11, inputs) + fields(12, outputs)
    opset = field(1, "") + field(2, 13)
    return field(1, 7) + field(2, "rapsim training") + field(7, graph) + field(8, opset)


assert varint(300) == bytes([0xAC, 2])
