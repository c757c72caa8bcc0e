#!/usr/bin/python3
"""Small ONNX models for tests/test_onnx.c and the fuzz target.

usage: onnx_models.py FOLDER small|all

writes FOLDER/*.onnx; all: also the networks of onnx_networks.py, damaged models as FOLDER/bad_*.onnx, and beside
every sound model MODEL.shapes, the shapes that onnx.shape_inference finds with a batch of 1: lines "tensor d0 d1 ...".
Exit code 77: no python3-onnx.
"""
import os
import sys

try:
    import onnx
    from onnx import TensorProto, helper, numpy_helper, shape_inference
    import numpy
except ImportError as missing:
    print(f"skipped: {missing}")
    sys.exit(77)

import onnx_networks
from onnx_model import Model
from onnx_sequence_networks import encoder_block


class Small(Model):
    """Weights in the file; every tensor that nothing reads is an output, or it would not be run."""

    def save(self, path, *outputs):
        read = {name for node in self.nodes for name in node.input}
        made = [name for node in self.nodes for name in node.output if name]
        super().save(path, *outputs)
        leaves = [name for name in made if name not in read and name not in outputs]
        edit(path, lambda model: model.graph.output.extend(onnx.ValueInfoProto(name=name) for name in leaves))

    def weight(self, name, shape, type=TensorProto.FLOAT):
        dtype = {TensorProto.FLOAT: numpy.float32, TensorProto.BOOL: bool}[type]
        self.initializers.append(numpy_helper.from_array(numpy.zeros(shape, dtype), name))
        return name

    def numbers(self, name, values):
        self.initializers.append(numpy_helper.from_array(numpy.array(values, numpy.float32), name))
        return name


def convolutions(path):
    m = Small()
    x = m.input("x", ["n", 8, 13, 13])

    def conv(name, kernel, **attributes):
        group = attributes.get("group", 1)
        return m.node("Conv", name, [x, m.weight(name + "_w", [4 * group, 8 // group, *kernel])], **attributes)

    upper = conv("upper", [3, 3], auto_pad="SAME_UPPER", strides=[2, 2])
    lower = conv("lower", [4, 4], auto_pad="SAME_LOWER")
    conv("valid", [5, 5], auto_pad="VALID", strides=[3, 3])
    conv("dilated", [3, 3], dilations=[2, 3], pads=[1, 2, 3, 4])
    conv("depthwise", [3, 3], group=8)
    conv("grouped", [3, 3], group=2, strides=[1, 2])
    conv("wide", [1, 7], pads=[0, 3, 0, 3])
    conv("even", [3, 3], dilations=[2, 2], pads=[2, 2, 2, 2])
    conv("pairs", [3, 3], group=4, pads=[1, 1, 1, 1], strides=[2, 2])
    conv("slow", [1, 3], strides=[1, 2], pads=[0, 1, 0, 1])
    conv("shrunk", [3, 3], pads=[1, 0, 1, 0])
    oblong = m.input("oblong", ["n", 8, 6, 20])
    m.node("Conv", "mobile", [oblong, m.weight("mobile_w", [8, 1, 3, 3])], group=8, pads=[1, 1, 1, 1])
    for name, kind, attributes in [("ceil", "MaxPool", {"ceil_mode": 1}), ("floor", "MaxPool", {}),
                                   ("average", "AveragePool", {"pads": [1, 1, 1, 1]}),
                                   ("ceil_pad", "AveragePool", {"ceil_mode": 1, "pads": [0, 0, 1, 1]}),
                                   ("same", "MaxPool", {"auto_pad": "SAME_UPPER"})]:
        m.node(kind, name, [x], kernel_shape=[3, 3], strides=[2, 2], **attributes)
    m.node("GlobalMaxPool", "global", [x])
    m.node("ConvTranspose", "up", [x, m.weight("up_w", [8, 5, 3, 3])], strides=[2, 2], output_padding=[1, 1],
           pads=[1, 1, 1, 1])
    m.node("ConvTranspose", "up_groups", [x, m.weight("upg_w", [8, 5, 2, 2])], strides=[2, 2], group=4)
    m.node("LRN", "lrn", [upper], size=3)
    m.node("Conv", "line", [m.node("Squeeze", "sq", [m.node("ReduceSum", "rs", [x, m.integers("rs_axes", [3])]),
                                                     m.integers("sq_axes", [3])]), m.weight("line_w", [6, 8, 3])],
           pads=[1, 1], strides=[2])
    bias = m.node("ReduceSum", "bias", [upper, m.integers("bias_axes", [0, 2, 3])], keepdims=0)
    m.node("Conv", "computed", [x, m.weight("computed_w", [4, 8, 3, 3]), bias])
    m.node("InstanceNormalization", "instance", [lower, m.weight("in_s", [4]), m.weight("in_b", [4])])
    m.save(path, "upper_out", "lower_out")


def moves(path):
    m = Small(opset=13)
    x = m.input("x", ["n", 4, 6, 8])
    shape = m.node("Shape", "shape", [x])
    first = m.node("Gather", "first", [shape, m.integers("i0", [0])])
    rest = m.node("Slice", "rest", [shape, m.integers("one", [1]), m.integers("end", [2 ** 63 - 1])])
    area = m.node("ReduceProd", "area", [rest], keepdims=1)
    m.node("Reshape", "to_rows", [x, m.node("Concat", "rows", [first, area], axis=0)])
    m.node("Reshape", "zero", [x, m.integers("zero_s", [0, -1, 8])])
    half = m.node("Div", "half", [m.node("Gather", "width", [shape, m.integers("i3", [-1])]), m.integers("two", [2])])
    m.node("Reshape", "halves", [x, m.node("Concat", "halves_s", [m.integers("ones", [-1, 2]), half], axis=0)])
    for axis in 0, 2, -1:
        m.node("Flatten", f"flatten{axis + 1}", [x], axis=axis)
    m.node("Transpose", "turn", [x])
    m.node("Transpose", "nhwc", [x], perm=[0, 2, 3, 1])
    m.node("Slice", "back", [x, m.integers("b_s", [-1, 5]), m.integers("b_e", [-(2 ** 31), 1]),
                             m.integers("b_a", [3, -2]), m.integers("b_t", [-3, -1])])
    m.node("Split", "split", [x, m.integers("parts", [1, 3])], ["split_a", "split_b"], axis=1)
    m.node("Split", "equal", [x], ["equal_a", "equal_b"], axis=2)
    grown = m.node("Unsqueeze", "grow", [x, m.integers("g_a", [0, -1])])
    m.node("Squeeze", "shrink", [grown, m.integers("s_a", [-1, 0])])
    m.node("Gather", "pick", [x, m.integers("p_i", [0, 1, 2])], axis=-2)
    m.node("Expand", "expand", [x, m.integers("e_s", [3, 1, 4, 1, 8])])
    m.node("Tile", "tile", [x, m.integers("t_r", [1, 2, 1, 3])])
    m.node("Pad", "pad", [x, m.integers("p_p", [0, 0, 1, 2, 0, 0, 3, -1])])
    m.node("Resize", "by_scale", [x, "", m.numbers("scales", [1, 1, 2, 1.5])], mode="nearest")
    m.node("Resize", "by_size", [x, "", "", m.integers("sizes", [1, 4, 9, 5])], mode="nearest")
    m.node("DepthToSpace", "deep", [x], blocksize=2)
    m.node("SpaceToDepth", "flat", [x], blocksize=2)
    m.node("Concat", "join", [x, x, "split_b"], axis=1)
    m.node("ReduceMean", "mean", [x], axes=[1, -1], keepdims=0)
    m.node("ReduceMax", "max_all", [x], keepdims=1)
    m.node("ArgMax", "arg", [x], axis=2, keepdims=0)
    m.node("TopK", "top", [x, m.integers("k", [3])], ["top_values", "top_indices"], axis=-1)
    m.node("Cast", "cast", [x], to=TensorProto.FLOAT16)
    mask = m.node("Greater", "mask", [x, m.scalar("nought", 0.0)])
    m.node("Where", "where", [mask, x, m.weight("w", [8])])
    m.node("Add", "stretch", [m.node("Unsqueeze", "five", [x, m.integers("f_a", [2])]), m.weight("v", [5, 1, 1])])
    fill = m.node("ConstantOfShape", "fill", [m.node("Concat", "fill_s", [first, m.integers("fs", [4, 1, 8])], axis=0)])
    m.node("Mul", "filled", [x, fill])
    m.node("CumSum", "cumulative", [x, m.integers("c_a", [1])])
    m.node("Identity", "same", [x])
    m.node("Erf", "erf", [x])
    m.save(path, "to_rows_out")


def products(path):
    m = Small()
    x, y = m.input("x", ["n", 3, 4, 5]), m.input("y", ["n", 1, 5, 6])
    m.node("MatMul", "stacked", [x, y])
    m.node("MatMul", "vector", [x, m.weight("v", [5])])
    biased = m.node("Add", "bias", [m.weight("b", [7]), m.node("MatMul", "dense", [x, m.weight("w", [5, 7])])])
    m.node("Tanh", "tanh", [biased])
    flat = m.node("Flatten", "flatten", [x])
    m.node("Sigmoid", "sigmoid", [m.gemm("fc", flat, 60, 10)])
    m.node("Gemm", "turned", [flat, m.weight("tw", [1, 9])], transA=1)
    m.save(path, "tanh_out")


def recurrent(path, batch="n"):
    m = Small()
    x = m.input("x", [7, batch, 5])
    for kind, gates in ("LSTM", 4), ("GRU", 3), ("RNN", 1):
        for directions in 1, 2:
            name = f"{kind.lower()}{directions}"
            weights = [m.weight(f"{name}_{part}", [directions, gates * 6, size]) for part, size in (("W", 5), ("R", 6))]
            outputs = [name, name + "_h"] + ([name + "_c"] if kind == "LSTM" else [])
            m.node(kind, name, [x] + weights, outputs, hidden_size=6,
                   direction="bidirectional" if directions == 2 else "forward")
    m.save(path, "lstm1")


def transformer(path):
    m = Small(opset=17)
    x = m.input("x", ["n", 6, 16])
    x = encoder_block(m, "block", x, 6, 4, 16)
    m.save(path, x)


def residual(path, batch="n"):
    m = Small()
    x = m.input("image", [batch, 3, 12, 12])
    x = m.relu("relu1", m.batch_norm("bn1", m.conv("conv1", x, 3, 4, 3), 4))
    y = m.relu("relu2", m.conv("conv2", x, 4, 4, 3, bias=True))
    x = m.relu("relu3", m.node("Add", "add", [x, y]))
    x = m.node("GlobalAveragePool", "pool", [x])
    m.save(path, m.gemm("fc", m.node("Flatten", "flatten", [x]), 4, 10))


def sums(path):
    m = Small()
    x, wide = m.input("x", ["n", 4, 6, 6]), m.input("wide", ["n", 4, 6, 8])
    square = m.batch_norm("square", x, 4)
    m.batch_norm("oblong", wide, 4)
    m.relu("twice_read", square)
    two = m.node("Add", "two", [x, square])
    m.node("Sum", "pair", [square, two])
    m.node("Sum", "three", [x, square, two])
    m.node("Add", "itself", [two, two])
    m.node("Add", "spread", [two, m.node("GlobalAveragePool", "mean", [x])])
    m.save(path, "itself_out")


def pairs(path):
    """Operations of two tensors: constants, parameters, activations, repeated or not."""
    m = Small(opset=17)
    x, tokens = m.input("x", ["n", 6, 4, 8]), m.input("tokens", ["n", 6, 32])
    m.node("Mul", "half", [x, m.scalar("a_half", 0.5)])
    m.node("Add", "places", [tokens, m.weight("table", [1, 6, 32])])
    m.node("Add", "places_again", ["table", tokens])
    m.relu("relu", m.node("Add", "row", [tokens, m.weight("row_w", [32])]))
    m.node("Mul", "channels", [x, m.weight("channels_w", [6, 1, 1])])
    mean = m.node("GlobalAveragePool", "mean", [x])
    m.node("Mul", "squeezed", [x, mean])
    m.node("Sub", "centred", [x, m.node("ReduceMean", "means", [x], axes=[-1])])
    m.node("Sub", "reversed", [m.scalar("one", 1.0), x])
    m.node("Add", "masked", [x, m.input("mask", ["n", 1, 1, 8])])
    m.node("Div", "quotient", [x, m.input("other", ["n", 6, 4, 8])])
    m.node("Div", "inverse", ["one", x])
    m.node("Add", "middle", [x, m.weight("middle_w", [6, 1, 8])])
    m.save(path, m.node("Add", "swapped", [mean, x]))


def reductions(path):
    """Along one axis, several that lie together, axes apart, over the samples; pools that are not square."""
    m = Small(opset=13)
    x = m.input("x", ["n", 6, 4, 8])
    m.node("ReduceMean", "rows", [x], axes=[-1])
    m.node("ReduceMean", "images", [x], axes=[2, 3], keepdims=0)
    m.node("ReduceMax", "columns", [x], axes=[1], keepdims=0)
    m.node("ReduceMin", "all", [x], axes=[1, 2, 3])
    m.node("ReduceL2", "norms", [x], axes=[2])
    m.node("ReduceSum", "sums", [x, m.integers("axes", [3])])
    m.node("GlobalAveragePool", "pool", [x])
    m.node("ReduceMax", "apart", [x], axes=[1, 3])
    m.node("ReduceMean", "samples", [x], axes=[0])
    m.save(path, m.node("GlobalMaxPool", "square", [m.input("image", ["n", 3, 8, 8])]))


def functions(path):
    """Activations that follow no layer, bounds that are computed, a slope per channel."""
    m = Small(opset=22)
    x = m.input("x", ["n", 4, 6, 6])
    for operator in ("Celu", "Elu", "Exp", "Gelu", "HardSwish", "LeakyRelu", "Mish", "Relu", "Selu", "Sigmoid",
                     "Softplus", "Tanh", "Erf"):
        m.node(operator, operator.lower(), [x])
    m.node("Gelu", "gelu_tanh", [x], approximate="tanh")
    m.relu6("clip", x)
    m.node("Clip", "clip_below", [x, m.scalar("low", 0.0)])
    m.node("Clip", "clip_computed", [x, m.node("ReduceMin", "least", [x], keepdims=0)])
    m.node("PRelu", "prelu", [x, m.weight("slopes", [4, 1, 1])])
    m.node("Relu", "one_sample", [m.weight("w", [2, 3])])
    m.save(path, m.node("Relu", "last", [m.node("Tanh", "before", [x])]))


def unsorted(path):
    residual(path)
    model = onnx.load(path)
    nodes = list(model.graph.node)[::-1]
    del model.graph.node[:]
    model.graph.node.extend(nodes)
    onnx.save(model, path)


def unknown(path):
    m = Small()
    x = m.input("x", ["n", 3, 8, 8])
    x = m.relu("relu", m.conv("conv", x, 3, 4, 3))
    x = m.node("NonMaxSuppression", "boxes", [x])
    m.nodes[-1].domain = "com.example"
    m.info.append(helper.make_tensor_value_info(x, TensorProto.FLOAT, ["n", 20]))
    m.save(path, m.gemm("fc", x, 20, 10))


def constants(path):
    """Weights in Constant nodes: of one convolution, of two that share them, of a product of both kinds."""
    m = Small()
    x = m.input("x", ["n", 8, 6, 6])

    def constant(name, shape):
        return m.node("Constant", name, [], value=helper.make_tensor(name, TensorProto.FLOAT, shape,
                                                                     numpy.zeros(shape).ravel()))

    own, shared = constant("own", [8, 1, 3, 3]), constant("shared", [8, 1, 5, 5])
    m.node("Conv", "one", [x, own], group=8)
    m.node("Conv", "two", [x, shared], group=8)
    m.node("Conv", "three", [x, shared], group=8)
    m.node("Mul", "half", [x, m.scalar("a_half", 0.5)])
    m.save(path, m.node("MatMul", "fc", [m.node("Flatten", "flat", [x]), constant("fc_w", [288, 4])]))


def external(path):
    m = Model()
    x = m.input("x", ["n", 16])
    m.save(path, m.gemm("fc", m.relu("relu", x), 16, 4))
    folder, stem = os.path.split(os.path.splitext(path)[0])
    os.makedirs(os.path.join(folder, "data"), exist_ok=True)
    os.replace(os.path.join(folder, stem + ".bin"), os.path.join(folder, "data", stem + ".bin"))
    edit(path, lambda model: relocate(model, f"data/{stem}.bin"))


SMALL = {"convolutions": convolutions, "moves": moves, "products": products, "recurrent": recurrent,
         "transformer": transformer, "residual": residual, "sums": sums, "functions": functions, "pairs": pairs, "reductions": reductions,
         "unsorted": unsorted, "unknown": unknown, "constants": constants,
         "fixed_images": lambda path: residual(path, 8), "fixed_steps": lambda path: recurrent(path, 3)}

# ---- open dimensions beside the batch ----


def attention(path):
    """Its reshapes take the sequence from the input's shape."""
    m = Small(opset=17)
    x, mask = m.input("x", ["n", "sequence", 16]), m.input("mask", ["n", 1, 1, "sequence"])
    length = m.node("Gather", "length", [m.node("Shape", "shape", [x]), m.integers("one", [1])])
    heads = m.node("Concat", "heads", [m.integers("zero", [0]), length, m.integers("four", [4, 4])], axis=0)

    def split(name, order):
        y = m.node("Reshape", name + "_heads", [m.linear(name, x, 16, 16), heads])
        return m.node("Transpose", name + "_turned", [y], perm=order)

    scores = m.node("MatMul", "scores", [split("query", [0, 2, 1, 3]), split("key", [0, 2, 3, 1])])
    scores = m.node("Softmax", "softmax", [m.node("Add", "masked", [scores, mask])], axis=-1)
    m.save(path, m.node("MatMul", "context", [scores, split("value", [0, 2, 1, 3])]))


def linear_on(shape):
    def build(path):
        m = Small()
        m.save(path, m.linear("fc", m.input("x", shape), 16, 4))
    return build


def steps_of(shape):
    def build(path):
        m = Small()
        weights = [m.weight("W", [1, 24, 5]), m.weight("R", [1, 24, 6])]
        m.node("LSTM", "lstm", [m.input("x", shape)] + weights, ["y", "h"], hidden_size=6)
        m.save(path, "y")
    return build


def position_first(path):
    m = Small()
    place = m.node("Gather", "place", [m.weight("table", [512, 16]), m.input("ids", ["sequence"], TensorProto.INT64)])
    m.save(path, m.linear("fc", m.node("Add", "add", [place, m.input("x", ["n", "sequence", 16])]), 16, 4))


OPEN = {"open_sequence": attention, "open_unnamed": linear_on([None, None, 16]), "open_fixed": linear_on([8, "sequence", 16]),
        "open_steps": steps_of(["sequence", "n", 5]), "open_steps_alone": steps_of(["sequence", 8, 5]),
        "open_position": position_first, "open_hostile": linear_on(["n", "a\x1b[31m\n" + 90 * "x", 16]),
        "open_many": linear_on(["n"] + [f"dimension_{i}_" + 50 * "x" for i in range(6)] + [16])}

# ---- damaged ones ----


def edit(path, change):
    model = onnx.load(path, load_external_data=False)
    change(model)
    onnx.save(model, path)


def relocate(model, location, key="location"):
    for tensor in model.graph.initializer:
        for entry in tensor.external_data:
            if entry.key == key:
                entry.value = location


def rename_input(model):
    model.graph.node[1].input[0] = "nowhere"


def close_cycle(model):
    conv = next(node for node in model.graph.node if node.name == "conv2")
    conv.input[0] = "relu3_out"


def set_dimension(axis, value):
    def change(model):
        model.graph.input[0].type.tensor_type.shape.dim[axis].dim_value = value
    return change


def name_dimension(model):
    model.graph.input[0].type.tensor_type.shape.dim[2].dim_param = "height"


def drop_shape(model):
    model.graph.input[0].type.tensor_type.ClearField("shape")


def all_unknown(model):
    for node in model.graph.node:
        node.op_type = "Mystery"


def set_dims(values):
    def change(model):
        model.graph.initializer[0].dims[:] = values
    return change


def attribute(name, attribute_name, values):
    def change(model):
        for node in model.graph.node:
            if node.name == name:
                kept = [a for a in node.attribute if a.name != attribute_name]
                del node.attribute[:]
                node.attribute.extend(kept + [helper.make_attribute(attribute_name, values)])
    return change


def twice(model):
    model.graph.node[1].output[0] = model.graph.node[0].output[0]


def two_tensors(model):
    model.graph.initializer[1].name = model.graph.initializer[0].name


def old_opset(model):
    model.opset_import[0].version = 6


def no_nodes(model):
    del model.graph.node[:]


def no_operator(model):
    model.graph.node[0].op_type = ""


def drop_info(model):
    del model.graph.value_info[:]


def no_weights(model):
    del model.graph.node[0].input[1]


def constant_only(model):
    for node in model.graph.node:
        for i, name in enumerate(node.input):
            if name == "image":
                node.input[i] = "conv1.weight"
    del model.graph.node[1:]
    model.graph.node[0].op_type = "Relu"
    del model.graph.node[0].input[1:]
    del model.graph.node[0].attribute[:]


BAD = {
    "cycle": (unsorted, close_cycle), "nowhere": (residual, rename_input), "zero_dimension": (residual, set_dimension(2, 0)),
    "negative_dimension": (residual, set_dimension(2, -3)), "huge_dimension": (residual, set_dimension(2, 2 ** 40)),
    "overflow": (residual, lambda m: [set_dimension(i, 2 ** 31 - 1)(m) for i in (1, 2, 3)]),
    "open_dimension": (residual, name_dimension), "no_shape": (residual, drop_shape), "all_unknown": (residual, all_unknown),
    "short_weights": (residual, set_dims([4, 3, 9, 3])), "many_dims": (residual, set_dims([1] * 9)),
    "negative_weights": (residual, set_dims([-4, 3, 3, 3])), "stride": (residual, attribute("conv1", "strides", [0, 1])),
    "pads": (residual, attribute("conv1", "pads", [-1, 1, 1, 1])), "strides": (residual, attribute("conv1", "strides", [1])),
    "group": (residual, attribute("conv1", "group", 7)), "dilation": (residual, attribute("conv1", "dilations", [99, 1])),
    "output_twice": (residual, twice), "tensor_twice": (residual, two_tensors), "old_opset": (residual, old_opset),
    "no_nodes": (residual, no_nodes), "no_operator": (residual, no_operator), "unknown_shape": (unknown, drop_info),
    "no_weights": (residual, no_weights), "axis": (moves, attribute("join", "axis", 9)),
    "perm": (moves, attribute("nhwc", "perm", [0, 1, 1, 2])), "constant_only": (residual, constant_only),
    "external_missing": (external, lambda m: relocate(m, "data/none.bin")),
    "external_outside": (external, lambda m: relocate(m, "../" * 20 + "etc/passwd")),
    "external_absolute": (external, lambda m: relocate(m, "/etc/passwd")),
    "external_link": (external, lambda m: relocate(m, "data/link.bin")),
    "external_folder": (external, lambda m: relocate(m, "data")),
    "external_short": (external, lambda m: relocate(m, "100000", "offset")),
    "external_length": (external, lambda m: relocate(m, "1", "length")),
}


def write_shapes(path):
    model = shape_inference.infer_shapes(onnx.load(path, load_external_data=False), data_prop=True)
    with open(os.path.splitext(path)[0] + ".shapes", "w") as file:
        for info in list(model.graph.value_info) + list(model.graph.output):
            dims = info.type.tensor_type.shape.dim
            symbols = {d.dim_param for d in dims if not d.HasField("dim_value")}
            if info.type.tensor_type.HasField("shape") and symbols <= {"n", "batch"}:
                print(info.name, *(d.dim_value if d.HasField("dim_value") else 1 for d in dims), file=file)


def main(folder, extent):
    for name, build in {**SMALL, **OPEN}.items():
        build(os.path.join(folder, name + ".onnx"))
    if extent == "small":
        return
    external(os.path.join(folder, "external.onnx"))
    os.symlink("/etc/passwd", os.path.join(folder, "data", "link.bin"))
    for name, build in onnx_networks.NETWORKS.items():
        build(os.path.join(folder, name + ".onnx"))
    for name in [*SMALL, *onnx_networks.NETWORKS, "external"]:
        if name == "unknown":
            continue
        write_shapes(os.path.join(folder, name + ".onnx"))
    for name, (build, damage) in BAD.items():
        path = os.path.join(folder, f"bad_{name}.onnx")
        build(path)
        edit(path, damage)


if len(sys.argv) != 3 or sys.argv[2] not in ("small", "all"):
    sys.exit(__doc__)
main(sys.argv[1], sys.argv[2])
