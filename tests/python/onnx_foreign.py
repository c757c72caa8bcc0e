#!/usr/bin/python3
"""Small ONNX models as other programs write them, for tests/test_onnx_foreign.c.

usage: onnx_foreign.py FOLDER

writes FOLDER/*.onnx. Exit code 77: no python3-onnx.
"""
import os
import sys

try:
    import onnx
    from onnx import TensorProto, helper, numpy_helper
    import numpy
except ImportError as missing:
    print(f"skipped: {missing}")
    sys.exit(77)

MODELS = {}


class Foreign:
    """Each method adds to the graph and returns the name of what it added."""

    def __init__(self, domains=()):
        self.nodes, self.inputs, self.outputs, self.initializers, self.info, self.sparse = [], [], [], [], [], []
        self.domains = domains

    def input(self, name, shape, type=TensorProto.FLOAT):
        self.inputs.append(helper.make_tensor_value_info(name, type, shape))
        return name

    def weight(self, name, shape, type=numpy.float32):
        self.initializers.append(numpy_helper.from_array(numpy.ones(shape, type), name))
        return name

    def integers(self, name, values):
        self.initializers.append(numpy_helper.from_array(numpy.array(values, numpy.int64), name))
        return name

    def node(self, kind, name, inputs, outputs=None, domain="", **attributes):
        outputs = outputs or [name + "_out"]
        self.nodes.append(helper.make_node(kind, inputs, outputs, name=name, domain=domain, **attributes))
        return outputs[0]

    def declare(self, name, shape, type=TensorProto.FLOAT):
        self.info.append(helper.make_tensor_value_info(name, type, shape))

    def save(self, path, *outputs):
        outputs = [helper.make_tensor_value_info(name, TensorProto.FLOAT, None) for name in outputs]
        graph = helper.make_graph(self.nodes, "graph", self.inputs, outputs, self.initializers, value_info=self.info,
                                  sparse_initializer=self.sparse)
        opsets = [helper.make_opsetid("", 17)] + [helper.make_opsetid(domain, 1) for domain in self.domains]
        onnx.save(helper.make_model(graph, opset_imports=opsets), path)


def model(build):
    """Registers FOLDER/<name>.onnx: build(m) returns the names of its outputs."""
    MODELS[build.__name__] = build
    return build


# ---- which axis is the batch ----


def convolved(m, image, channels=3):
    return m.node("Conv", "conv", [image, m.weight("w", [4, channels, 3, 3])], pads=[1] * 4)


def planes(m, x, axis=0):
    return m.node("Unsqueeze", "planes", [x, m.integers("axis", [axis])])


@model
def image_chw(m):
    return [convolved(m, planes(m, m.input("x", [3, 8, 8])))]


@model
def image_chw_both(m):
    """Channels first, last of the output, too: a batch of 3 would divide all."""
    y = m.node("Conv", "conv", [planes(m, m.input("x", [3, 8, 8])), m.weight("w", [3, 3, 3, 3])], pads=[1] * 4)
    return [m.node("Squeeze", "image", [y, "axis"])]


@model
def image_hwc(m):
    x = m.node("Cast", "cast", [m.input("x", [8, 8, 3], TensorProto.UINT8)], to=1)
    return [convolved(m, planes(m, m.node("Transpose", "turn", [x], perm=[2, 0, 1])))]


@model
def spectrogram(m):
    """[mel, steps], a dense layer on each step."""
    x = m.node("Transpose", "turn", [m.input("x", [80, 30])], perm=[1, 0])
    return [m.node("MatMul", "dense", [x, m.weight("w", [80, 20])])]


@model
def nodes_by_nodes(m):
    x = m.node("MatMul", "mix", [m.input("adjacency", [10, 10]), m.input("x", [10, 4])])
    return [m.node("MatMul", "dense", [x, m.weight("w", [4, 5])])]


@model
def nodes_open(m):
    x = m.node("MatMul", "mix", [m.input("adjacency", ["nodes", "nodes"]), m.input("x", ["nodes", 4])])
    return [m.node("MatMul", "dense", [x, m.weight("w", [4, 5])])]


@model
def time_major(m):
    return [m.node("MatMul", "dense", [m.input("x", [5, 1, 8]), m.weight("w", [8, 16])])]


@model
def time_major_open(m):
    return [m.node("MatMul", "dense", [m.input("x", [5, "batch", 8]), m.weight("w", [8, 16])])]


@model
def audio(m):
    """[batch, channel, samples] is not [steps, batch, features]."""
    x = m.input("x", [4, 1, 32])
    return [m.node("Conv", "conv", [x, m.weight("w", [2, 1, 3])], pads=[1, 1])]


@model
def masked(m):
    """Four sequences and one mask, which no batch stands in."""
    x, mask = m.input("mask", [6, 6]), m.input("x", [4, 6, 8])
    x, mask = mask, m.node("Sqrt", "root", [x])
    scores = m.node("MatMul", "scores", [x, m.node("Transpose", "turn", [x], perm=[0, 2, 1])])
    return [m.node("Softmax", "softmax", [m.node("Add", "add", [scores, mask])])]


@model
def rows(m):
    return [m.node("MatMul", "dense", [m.input("x", [12, 8]), m.weight("w", [8, 16])])]


# ---- parameters that several layers have ----


@model
def shared(m):
    """One dense layer three times, one bias with two matrices, one normalisation of two images."""
    x = m.input("x", ["batch", 4])
    w, b = m.weight("w", [4, 4]), m.weight("b", [4])
    for i in range(3):
        x = m.node("Gemm", f"fc{i}", [x, w, b])
    x = m.node("Add", "bias", [m.node("MatMul", "other", [x, m.weight("other_w", [4, 4])]), b])
    image = m.input("image", ["batch", 2, 6, 6])
    scales = [m.weight(name, [2]) for name in ("scale", "shift", "mean", "variance")]
    one, two = (m.node("BatchNormalization", f"norm{i}", [image] + scales) for i in range(2))
    half = m.node("BatchNormalization", "half", [image, m.weight("own_scale", [2])] + scales[1:])
    narrow = m.weight("narrow;\n" + 80 * "x", [2, 2, 3, 3])
    for i in range(2):
        half = m.node("Conv", f"conv{i}", [half, narrow])
    return [x, one, two, half]


def main(folder):
    for name, build in MODELS.items():
        m = Foreign()
        m.save(os.path.join(folder, name + ".onnx"), *build(m))


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main(sys.argv[1])
