"""A checkpoint as ONNX model with sidecar, and as weights of rapsim's built-in network (float16). See README.md."""

import argparse
import json
import os
from pathlib import Path

import numpy as np
import torch

import onnx_file
from squeezedet import (ANCHORS_PER_CELL, CLASSES, COLUMNS, FIRES, HEAD_CHANNELS, HEIGHT, MEAN_BGR, POOLED_BEFORE, ROWS,
                        WIDTH, SqueezeDet, folded)

BEHIND = [0, 0, 1, 1]
# where precision and recall of the shipped network are equal on drawn scenes: 0.64 on 60 of seed 1000
THRESHOLD = 0.7


def graph(layers):
    """Nodes and initializers of the network as published."""
    weights = {name: (weight.numpy(), bias.numpy()) for name, weight, bias in layers}
    nodes, initializers = [], []

    def convolution(name, source, relu=True, strides=1, pads=None):
        weight, bias = weights[name]
        kernel = weight.shape[2]
        pads = pads or [kernel // 2] * 4
        inputs = [source, f"{name}.weight", f"{name}.bias"]
        linear = f"{name}_linear" if relu else name
        nodes.append(onnx_file.node("Conv", name, inputs, linear, kernel_shape=[kernel] * 2, strides=[strides] * 2, pads=pads))
        initializers.extend([onnx_file.tensor(inputs[1], weight), onnx_file.tensor(inputs[2], bias)])
        if relu:
            nodes.append(onnx_file.node("Relu", f"{name}_relu", [linear], name))
        return name

    x = convolution("conv1", "image", strides=2, pads=BEHIND)
    for name in FIRES:
        if name in POOLED_BEFORE:
            pool = f"pool{int(name[4:]) - 1}"
            nodes.append(onnx_file.node("MaxPool", pool, [x], pool, kernel_shape=[3, 3], strides=[2, 2], pads=BEHIND))
            x = pool
        squeezed = convolution(f"{name}_squeeze1x1", x)
        parts = [convolution(f"{name}_expand{part}", squeezed) for part in ("1x1", "3x3")]
        nodes.append(node_concat(name, parts))
        x = name
    convolution("conv12", x, relu=False)
    return nodes, initializers


def node_concat(name, parts):
    axis = onnx_file.field(1, "axis") + onnx_file.field(3, 1) + onnx_file.field(20, 2)
    return onnx_file.node("Concat", name, parts, name) + onnx_file.field(5, axis)


def sidecar(anchors):
    classes = ANCHORS_PER_CELL * len(CLASSES)
    return {
        "network": "squeezedet",
        "input": {"name": "image", "layout": "NCHW", "shape": [1, 3, HEIGHT, WIDTH], "colorOrder": "BGR",
                  "mean": list(MEAN_BGR), "scale": 1.0},
        "head": {"kind": "convdet", "tensor": "conv12", "grid": [ROWS, COLUMNS], "anchorsPerCell": ANCHORS_PER_CELL,
                 "classes": list(CLASSES),
                 "channels": {"classScores": [0, classes], "confidence": [classes, classes + ANCHORS_PER_CELL],
                              "boxDeltas": [classes + ANCHORS_PER_CELL, HEAD_CHANNELS]},
                 "anchors": anchors, "confidenceThreshold": THRESHOLD, "topBoxes": 64, "nmsIou": 0.4},
    }


def rounded(weight):
    """To float16 of 7 significant bits (49 dB, finer than 8-bit integers): the zeros behind them pack well."""
    mantissa, exponent = torch.frexp(weight)
    return torch.ldexp(torch.round(mantissa * 128) / 128, exponent).half().float()


def write(path, content):
    partial = path.with_name(path.name + ".partial")
    partial.write_bytes(content)
    os.replace(partial, path)
    print(f"{path}: {len(content)} bytes")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("checkpoint", help="checkpoint.pt of train.py")
    parser.add_argument("-o", "--output", required=True, help="folder for squeezedet.onnx, .json and .f16")
    given = parser.parse_args()
    state = torch.load(given.checkpoint, map_location="cpu")
    network = SqueezeDet()
    network.load_state_dict(state["model"])
    # the weights that leave are those of the built-in network: both files hold the same numbers
    layers = [(name, rounded(weight), bias.half().float()) for name, weight, bias in folded(network)]
    if not all(torch.isfinite(part).all() for _, weight, bias in layers for part in (weight, bias)):
        raise SystemExit(f"{given.checkpoint}: a weight is beyond float16's range")
    output = Path(given.output)
    output.mkdir(parents=True, exist_ok=True)
    nodes, initializers = graph(layers)
    inputs = [onnx_file.value_info("image", (1, 3, HEIGHT, WIDTH))]
    outputs = [onnx_file.value_info("conv12", (1, HEAD_CHANNELS, ROWS, COLUMNS))]
    write(output / "squeezedet.onnx", onnx_file.model("squeezedet", nodes, initializers, inputs, outputs))
    write(output / "squeezedet.json", (json.dumps(sidecar(state["anchors"]), indent=1) + "\n").encode())
    # of each convolution: weights [outputs, rows, columns, inputs], then bias, as the compiler's graph has them
    halves = [part.reshape(-1).numpy().astype("<f2") for _, weight, bias in layers
              for part in (weight.permute(0, 2, 3, 1), bias)]
    write(output / "squeezedet.f16", np.concatenate(halves).tobytes())
