#!/usr/bin/python3
"""Small ONNX models as other programs write them, for tests/test_onnx_foreign.c.

usage: onnx_foreign.py FOLDER small|all

writes FOLDER/*.onnx; all of them are small. Exit code 77: no python3-onnx.
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
    """One dense layer three times, one bias with two matrices, one normalisation of two images, one of rows."""
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
    row = [m.weight(name, [2]) for name in ("row_scale", "row_shift")]
    for i in range(2):
        half = m.node("LayerNormalization", f"row_norm{i}", [half] + row)
    return [x, one, two, half]


# ---- weights that are stored or computed in other ways ----


@model
def sparse(m):
    values = numpy_helper.from_array(numpy.array([1, 2, 3], numpy.float32), "w")
    places = numpy_helper.from_array(numpy.array([0, 5, 9], numpy.int64), "places")
    m.sparse.append(helper.make_sparse_tensor(values, places, [8, 4]))
    return [m.node("MatMul", "dense", [m.input("x", ["batch", 8]), "w"])]


@model
def computed(m):
    """Weight norm of a depthwise convolution; a matrix that is joined of two."""
    x = m.input("x", ["batch", 8, 6, 6])
    w = m.node("Mul", "scaled", [m.weight("g", [8, 1, 1, 1]), m.weight("v", [8, 1, 3, 3])])
    y = m.node("Conv", "depthwise", [x, w], group=8)
    two = m.node("Concat", "two", [m.weight("left", [1, 6, 2]), m.weight("right", [1, 6, 3])], axis=2)
    return [y, m.node("MatMul", "stacked", [x, two])]


# ---- quantised operators ----


def quantised(m, x):
    for name, type in ("z", numpy.uint8), ("zw", numpy.int8):
        m.weight(name, [], type)
    m.weight("s", [])
    return m.node("QuantizeLinear", "quantize", [x, "s", "z"])


@model
def quantised_pairs(m):
    x = m.node("DequantizeLinear", "dequantize", [quantised(m, m.input("x", ["batch", 8, 6, 6])), "s", "z"])
    outputs = []
    for name, shape, group in ("conv", [4, 8, 3, 3], 1), ("depthwise", [8, 1, 3, 3], 8):
        w = m.node("DequantizeLinear", name + "_dq", [m.weight(name + "_w", shape, numpy.int8), "s", "zw"])
        outputs.append(m.node("Conv", name, [x, w], group=group, pads=[1] * 4))
    return outputs


@model
def quantised_fused(m):
    """Each with scales and zero points between what the float operator reads."""
    x = quantised(m, m.input("x", ["batch", 8, 6, 6]))
    w, b = m.weight("w", [4, 8, 3, 3], numpy.int8), m.weight("b", [4], numpy.int32)
    y = m.node("QLinearConv", "conv", [x, "s", "z", w, "s", "zw", "s", "z", b], pads=[1] * 4)
    m.node("QLinearConv", "bare", [x, "s", "z", w, "s", "zw", "s", "z"], pads=[1] * 4)
    m.node("ConvInteger", "integers", [x, w, "z", "zw"], pads=[1] * 4)
    y = m.node("QLinearMatMul", "product", [y, "s", "z", m.weight("p", [6, 5], numpy.int8), "s", "zw", "s", "z"])
    m.node("MatMulInteger", "product_integers", [x, m.weight("q", [6, 5], numpy.int8), "z", "zw"])
    y = m.node("QLinearAdd", "add", [y, "s", "z", y, "s", "z", "s", "z"], domain="com.microsoft")
    flat = m.node("Flatten", "flat", [y])
    gemm = m.node("QGemm", "gemm", [flat, "s", "z", m.weight("g", [120, 7], numpy.int8), "s", "zw", "", "s", "z"],
                  domain="com.microsoft")
    return [gemm, "bare_out", "integers_out", "product_integers_out"]


@model
def dynamic_quantised(m):
    m.weight("s1", [1])
    m.weight("z1", [1], numpy.int8)
    x = m.input("x", ["batch", 7, 20])
    q = m.node("DynamicQuantizeLinear", "dynamic", [x], ["q", "q_s", "q_z"])
    product = m.node("MatMulInteger", "product", [q, m.weight("p", [20, 5], numpy.int8), "q_z"])
    steps = m.node("Transpose", "turn", [x], perm=[1, 0, 2])
    lstm = m.node("DynamicQuantizeLSTM", "lstm", [steps, m.weight("w", [1, 20, 128], numpy.int8),
                                                  m.weight("r", [1, 32, 128], numpy.int8), "", "", "", "", "", "s1", "z1",
                                                  "s1", "z1"], domain="com.microsoft", hidden_size=32)
    return [lstm, product]


# ---- operators that onnxruntime fuses ----


@model
def fused(m):
    def node(kind, name, inputs, outputs=None, **attributes):
        return m.node(kind, name, inputs, outputs, domain="com.microsoft", **attributes)

    x = m.input("x", ["batch", 16, 64])
    y = node("Attention", "attention", [x, m.weight("aw", [64, 192]), m.weight("ab", [192])], num_heads=4)
    y = node("FusedMatMul", "turned", [y, m.weight("tw", [32, 64])], transB=1)
    y = node("BiasGelu", "gelu", [y, m.weight("gb", [32])])
    y = node("MatMulNBits", "bits", [y, m.weight("nb", [64, 1, 16], numpy.uint8), m.weight("ns", [64])], K=32, N=64, bits=4,
             block_size=32)
    y = node("SkipLayerNormalization", "skip", [y, x, m.weight("sg", [64]), m.weight("sb", [64])])
    y = node("MultiHeadAttention", "three", [y, x, x], num_heads=4)
    past = [m.input(name, ["batch", 2, 10, 16]) for name in ("past_k", "past_v")]
    few = m.node("Slice", "few", [x, m.integers("from", [0]), m.integers("to", [32]), m.integers("along", [2])])
    y = node("GroupQueryAttention", "grouped", [y, few, few] + past, ["grouped_out", "k", "v"], num_heads=4, kv_num_heads=2)
    image = node("FusedConv", "conv", [m.input("image", ["batch", 3, 8, 8]), m.weight("cw", [4, 3, 3, 3]), m.weight("cb", [4])],
                 pads=[1] * 4, activation="Relu")
    return [y, image]


@model
def fused_more(m):
    def node(kind, name, inputs, outputs=None, **attributes):
        return m.node(kind, name, inputs, outputs, domain="com.microsoft", **attributes)

    x = m.input("x", ["batch", 16, 64])
    y = node("Gelu", "erf", [x])
    y = node("FastGelu", "tanh", [y, m.weight("tb", [64])])
    y = node("QuickGelu", "quick", [y])
    places, table = m.input("places", ["batch", 16], TensorProto.INT64), m.weight("cosines", [16, 8])
    y = node("RotaryEmbedding", "rotary", [y, places, table, m.weight("sines", [16, 8])], num_heads=4)
    y = node("MatMulBnb4", "bits", [y, m.weight("nb", [1024], numpy.uint8), m.weight("ns", [32])], K=64, N=32, block_size=64,
             quant_type=1)
    y = node("FusedMatMulActivation", "relu", [y, m.weight("rw", [64, 32])], transB=1, activation="Relu")
    image = m.input("image", ["batch", 8, 8, 4])
    norm = [m.weight("gamma", [4]), m.weight("beta", [4])]
    grouped = node("GroupNorm", "groups", [image] + norm, groups=2, epsilon=1e-5, activation=0)
    skipped = node("SkipGroupNorm", "skip", [grouped] + norm + [image], ["skip_out", "skip_sum"], groups=2, epsilon=1e-5,
                   activation=0)
    return [y, skipped, "skip_sum"]


@model
def quantised_more(m):
    def node(kind, name, inputs, **attributes):
        return m.node(kind, name, inputs, domain="com.microsoft", **attributes)

    x = quantised(m, m.input("x", ["batch", 8, 6, 6]))
    pool = node("QLinearAveragePool", "pool", [x, "s", "z", "s", "z"], kernel_shape=[2, 2], strides=[2, 2])
    joined = node("QLinearConcat", "join", ["s", "z", x, "s", "z", x, "s", "z", x, "s", "z"], axis=1)
    mean = node("QLinearReduceMean", "mean", [joined, "s", "z", "s", "z"], axes=[2, 3], keepdims=0)
    rows = m.node("QuantizeLinear", "rows", [m.input("rows_in", ["batch", 5, 12]), "s", "z"])
    heads = node("QAttention", "heads", [rows, m.weight("aw", [12, 36], numpy.int8), m.weight("ab", [36]), "s", "s", "", "z",
                                         "zw"], num_heads=3)
    return [pool, mean, heads]


@model
def half(m):
    x = m.input("x", ["batch", 8], TensorProto.FLOAT16)
    y = m.node("MatMul", "dense", [x, m.weight("w", [8, 4], numpy.float16)])
    y = m.node("Magic", "magic", [y], ["magic_out"], domain="com.example")
    return [m.node("Relu", "relu", [y])]


def main(folder):
    for name, build in MODELS.items():
        m = Foreign(["com.microsoft", "com.example"])
        outputs = build(m)
        m.declare("magic_out", ["batch", 4], TensorProto.FLOAT16)
        m.save(os.path.join(folder, name + ".onnx"), *outputs)


if __name__ == "__main__":
    if len(sys.argv) != 3 or sys.argv[2] not in ("small", "all"):
        sys.exit(__doc__)
    main(sys.argv[1])
