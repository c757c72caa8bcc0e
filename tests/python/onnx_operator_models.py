#!/usr/bin/python3
"""Small ONNX models of single operators and of control flow, for tests/test_onnx_operators.c and the fuzz target.

usage: onnx_operator_models.py FOLDER small|all

writes FOLDER/*.onnx; all: also folders with links. Exit code 77: no python3-onnx.
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

from onnx_model import Model


class Small(Model):
    """Weights in the file; every tensor that nothing reads is an output."""

    def constant(self, name, values, dtype=numpy.int64):
        self.initializers.append(numpy_helper.from_array(numpy.array(values, dtype), name))
        return name

    def weight(self, name, shape):
        return self.constant(name, numpy.zeros(shape), numpy.float32)

    def leaves(self):
        read = {name for node in self.nodes for name in node.input}
        return [name for node in self.nodes for name in node.output if name and name not in read]

    def write(self, path, outputs=None, functions=(), domains=()):
        results = [helper.make_tensor_value_info(name, TensorProto.FLOAT, None) for name in outputs or self.leaves()]
        graph = helper.make_graph(self.nodes, "g", self.inputs, results, self.initializers, value_info=self.info)
        imports = [helper.make_opsetid("", self.opset)] + [helper.make_opsetid(name, 1) for name in domains]
        model = helper.make_model(graph, opset_imports=imports, functions=functions, ir_version=8)
        onnx.save(model, path)


# ---- operators ----

def shapes(path):
    m = Small(opset=23)
    x, ids = m.input("x", ["n", 4, 6, 8]), m.input("ids", ["n", 6], TensorProto.INT64)
    m.node("GatherND", "pick", [x, m.constant("pick_i", [[[0, 1], [2, 3], [1, 1]]])], batch_dims=1)
    m.node("GatherND", "pick_all", [x, m.constant("pick_all_i", [[0, 1, 2, 3]])])
    m.node("OneHot", "hot", [ids, m.constant("depth", 10), m.constant("hot_v", [0, 1], numpy.float32)])
    m.node("OneHot", "hot_front", [ids, "depth", "hot_v"], axis=0)
    m.node("Attention", "heads", [x, x, x])
    flat = m.input("flat", ["n", 5, 24])
    m.node("Attention", "grouped", [flat, m.input("keys", ["n", 7, 12]), m.input("values", ["n", 7, 18])],
           ["grouped_out", "present_keys", "present_values"], q_num_heads=4, kv_num_heads=2)
    m.node("Einsum", "scores", [x, x], equation="bhid,bhjd->bhij")
    m.node("Einsum", "implied", [x, m.weight("einsum_w", [8, 5])], equation="...d,de")
    m.node("Einsum", "diagonal", [x], equation="abcd->dba")
    m.node("Einsum", "chain", [flat, m.weight("chain_a", [24, 3]), m.weight("chain_b", [3, 9])],
           equation="bnd, dk, kc -> bnc")
    m.node("STFT", "stft", [m.input("sound", ["n", 1600, 1]), m.constant("step", 160), "",
                            m.constant("length", 400)])
    m.node("DFT", "dft", [m.input("wave", ["n", 64, 1]), "", m.constant("dft_axis", 1)], onesided=1)
    m.node("GridSample", "sampled", [x, m.input("grid", ["n", 3, 5, 2])])
    m.node("RoiAlign", "rois", [x, m.constant("boxes", numpy.zeros([7, 4]), numpy.float32),
                                m.constant("rois_b", [0] * 7)], output_height=3, output_width=2)
    m.node("DeformConv", "deformed", [x, m.weight("deform_w", [10, 4, 3, 3]), m.input("off", ["n", 18, 6, 8])],
           pads=[1] * 4)
    m.node("Pad", "padded", [x, m.constant("pads", [1, 2, 3, 4]), "", m.constant("pad_axes", [-1, 2])])
    m.node("Resize", "grown", [x, "", m.constant("grow", [2, 3], numpy.float32)], axes=[2, 3])
    m.node("Resize", "fitted", [x, "", "", m.constant("fit", [12, 12])], axes=[2, 3],
           keep_aspect_ratio_policy="not_larger")
    m.node("Resize", "filled", [x, "", "", "fit"], axes=[3, 2], keep_aspect_ratio_policy="not_smaller")
    m.node("CenterCropPad", "cropped", [x, m.constant("crop", [5, 5])], axes=[2, 3])
    m.node("Col2Im", "image", [m.input("columns", ["n", 20, 12]), m.constant("image_s", [4, 5]),
                               m.constant("block_s", [2, 2])])
    m.node("MaxUnpool", "unpooled", [x, m.constant("places", numpy.zeros([1, 4, 6, 8]))], kernel_shape=[2, 2],
           strides=[2, 2])
    m.node("LayerNormalization", "norm", [x, m.weight("norm_s", [8])], ["norm_out", "norm_mean", "norm_deviation"])
    m.node("RMSNormalization", "rms", [x, m.weight("rms_s", [6, 8])], axis=2)
    m.node("Shape", "tail", [x], start=-2)
    m.node("Shape", "beyond", [x], start=1, end=99)
    m.node("Shape", "none", [x], start=3, end=1)
    m.node("NonZero", "places_of", [x])
    m.node("NonMaxSuppression", "kept", [m.input("b", ["n", 50, 4]), m.input("s", ["n", 3, 50]),
                                         m.constant("most", 20)])
    m.node("Compress", "some", [x, m.constant("which", [True, False, True, False], bool)], axis=1)
    m.node("Slice", "nothing", [x, m.constant("s2", [2]), m.constant("e2", [2]), m.constant("a3", [3])])
    m.node("Concat", "nothing_more", ["nothing_out", x], axis=3)
    m.node("Split", "uneven", [x], ["uneven_a", "uneven_b", "uneven_c"], axis=3, num_outputs=3)
    m.node("CastLike", "like", [m.constant("half", 0.5, numpy.float64), x])
    m.node("Mul", "scaled", [x, "like_out"])
    m.node("Constant", "word", [], value_string=b"hello")
    m.node("Hardmax", "hard", [x])
    m.node("IsNaN", "nan", [x])
    m.node("RandomNormalLike", "noise", [x])
    m.node("ScatterND", "placed", [x, m.constant("placed_i", [[0, 0]]), m.weight("placed_u", [1, 6, 8])])
    m.node("Det", "determinant", ["scores_out"])
    m.write(path)


def folds(path):
    """Each value is made a shape by ConstantOfShape; x is (1, 12, 16)."""
    m = Small(opset=17)
    x = m.input("x", ["n", 12, 16])
    shape = m.node("Shape", "shape", [x])
    last = m.node("Gather", "last", [shape, m.constant("i2", [2])])
    two, ten = m.constant("two", [2]), m.constant("ten", [10])

    def show(name, value):
        m.node("ConstantOfShape", name, [value])

    def whole(name, value):
        return m.node("Cast", name, [value], to=TensorProto.INT64)

    number = m.node("Cast", "number", [last], to=TensorProto.FLOAT)
    show("power", whole("power_i", m.node("Pow", "power_f", [number, m.constant("h", .5, numpy.float32)])))
    clipped = m.node("Clip", "clipped", [number, "", m.constant("most", 7.5, numpy.float32)])
    show("rounded", whole("rounded_i", m.node("Round", "rounded_f", [clipped])))
    m.node("Split", "parts", [shape], ["part_a", "part_b", "part_c"], axis=0)
    show("part", "part_b")
    above = m.node("And", "above", [m.node("Greater", "gt", [last, ten]), m.node("Not", "no", [m.node("Less", "lt", [last, ten])])])
    show("where", m.node("Where", "where_v", [above, two, ten]))
    show("column", m.node("Gather", "column_v", [m.constant("table", [[1, 2], [3, 4]]), m.constant("i1", 1)], axis=1))
    show("far", m.node("Gather", "far_v", [m.constant("long", list(range(1000))), m.constant("i900", [90])]))
    both = m.node("Concat", "both", [m.constant("row", [[5, 6]]), m.constant("rows", [[7, 8], [9, 1]])], axis=0)
    show("largest", m.node("ReduceMax", "largest_v", [both], axes=[0], keepdims=0))
    show("sums", m.node("ReduceSum", "sums_v", [both, m.constant("a1", [1])], keepdims=0))
    show("tiled", m.node("Tile", "tiled_v", [two, m.constant("three", [3])]))
    show("padded", m.node("Pad", "padded_v", [two, m.constant("p", [1, 2]), m.constant("fill", 3)]))
    show("scattered", m.node("ScatterND", "scattered_v", [m.constant("base", [4, 4, 4]), m.constant("at", [[1]]), last]))
    show("halves", whole("halves_i", m.node("Mul", "halves_f", [m.constant("h16", [1.5, 0.5], numpy.float16),
                                                               m.constant("h4", [4], numpy.float16)])))
    spread = m.node("Add", "spread", [m.constant("down", [[1], [2]]), m.constant("across", [[1, 2, 3]])])
    show("spread_row", m.node("Gather", "spread_v", [spread, m.constant("r1", 1)], axis=0))
    show("found", m.node("Squeeze", "found_s", [m.node("NonZero", "found_v", [m.constant("mask", [0, 1, 0, 1, 1])]),
                                                m.constant("a0", [0])]))
    m.node("Relu", "relu", [x])
    m.write(path)


def huge(shape_of):
    def build(path):
        m = Small(opset=17)
        x = m.input("x", ["n", 4])
        shape_of(m, x, m.constant("huge", [2 ** 20, 2 ** 20, 4]))
        m.write(path)
    return build


HUGE = {
    "expand": lambda m, x, s: m.node("Expand", "big", [x, s]),
    "constant_of_shape": lambda m, x, s: m.node("Add", "add", [x, m.node("ConstantOfShape", "big", [s])]),
    "tile": lambda m, x, s: m.node("Tile", "big", [x, m.constant("r", [2 ** 20, 2 ** 20])]),
    "tile_row": lambda m, x, s: m.node("Tile", "big", [x, m.constant("r", [1, 2 ** 38])]),
    "tile_less": lambda m, x, s: m.node("Tile", "big", [x, m.constant("r", [1, -1])]),
    "pad": lambda m, x, s: m.node("Pad", "big", [x, m.constant("p", [0, 0, 2 ** 20, 2 ** 20])]),
    "resize": lambda m, x, s: m.node("Resize", "big", [x, "", "", m.constant("z", [2 ** 20, 2 ** 20])]),
    "random": lambda m, x, s: m.node("Add", "add", [x, m.node("RandomNormal", "big", [], shape=[2 ** 20, 2 ** 20])]),
    "one_hot": lambda m, x, s: m.node("OneHot", "big", [m.constant("i", numpy.zeros([64, 64])), m.constant("d", 2 ** 30),
                                                        m.constant("v", [0, 1])]),
    "range": lambda m, x, s: m.node("Add", "add", [x, m.node("Range", "big", [
        m.constant("a", 0), m.constant("b", 2 ** 40), m.constant("c", 1)])]),
    "outer": lambda m, x, s: m.node("Mul", "big", [m.node("Reshape", "up", [m.input("y", [2 ** 20, 1]), m.constant(
        "u", [2 ** 20, 1])]), m.input("z", [1, 2 ** 20])]),
    "window": lambda m, x, s: m.node("ConvTranspose", "big", [m.input("i", ["n", 1, 1024, 1024]), m.weight(
        "w", [1, 1, 1, 1])], strides=[4096, 4096]),
    "center_crop": lambda m, x, s: m.node("CenterCropPad", "big", [x, m.constant("c", [2 ** 20, 2 ** 20])]),
}


def uneven(node_of):
    def build(path):
        m = Small(opset=23)
        node_of(m)
        m.write(path, domains=["com.microsoft"])
    return build


def image(m):
    return m.input("i", ["n", 4, 8, 8])


def rows(m, width):
    return m.input(f"x{width}", ["n", 5, width])


def recurrent_parts(m, gates, hidden):
    return [rows(m, 8), m.weight("w", [1, gates, 8]), m.weight("r", [1, gates, hidden])]


UNEVEN = {
    "attention": lambda m: m.node("Attention", "odd", [rows(m, 21)] * 3, q_num_heads=7, kv_num_heads=3),
    "attention_4d": lambda m: m.node("Attention", "odd", [m.input("q", ["n", 4, 5, 8])] + [m.input("k", ["n", 3, 5, 8])] * 2),
    "packed": lambda m: m.node("Attention", "odd", [rows(m, 8), m.weight("w", [8, 24]), m.weight("b", [24])],
                               num_heads=5, domain="com.microsoft"),
    "packed_none": lambda m: m.node("Attention", "odd", [rows(m, 8), m.weight("w", [8, 24]), m.weight("b", [24])],
                                    num_heads=0, domain="com.microsoft"),
    "three": lambda m: m.node("MultiHeadAttention", "odd", [rows(m, 8)] * 3, num_heads=3, domain="com.microsoft"),
    "grouped": lambda m: m.node("GroupQueryAttention", "odd", [rows(m, 24), rows(m, 18), rows(m, 18)], num_heads=4,
                                kv_num_heads=3, domain="com.microsoft"),
    "deconvolution": lambda m: m.node("ConvTranspose", "odd", [image(m), m.weight("w", [4, 2, 3, 3])], group=3),
    "deconvolution_none": lambda m: m.node("ConvTranspose", "odd", [image(m), m.weight("w", [4, 2, 3, 3])], group=0),
    "norm": lambda m: m.node("GroupNormalization", "odd", [image(m), m.weight("s", [4]), m.weight("b", [4])], num_groups=3),
    "norm_none": lambda m: m.node("GroupNormalization", "odd", [image(m), m.weight("s", [4]), m.weight("b", [4])], num_groups=0),
    "lstm": lambda m: m.node("LSTM", "odd", recurrent_parts(m, 7, 3), hidden_size=3),
    "stateless": lambda m: m.node("LSTM", "odd", recurrent_parts(m, 0, 0), hidden_size=0),
}

# ---- control flow, functions, sequences ----

def info(name, shape=None, type=TensorProto.FLOAT):
    return helper.make_tensor_value_info(name, type, shape)


def tensor(name, shape):
    return numpy_helper.from_array(numpy.zeros(shape, numpy.float32), name)


def body(nodes, inputs, outputs, weights=()):
    return helper.make_graph(nodes, "body", [info(name) for name in inputs], [info(name) for name in outputs], weights)


def dense(name, x, w, y):
    return helper.make_node("MatMul", [x, w], [y], name=name)


def branches(path):
    """Inputs that branches alone read; a condition that is known, and one that depends on the data."""
    m = Small(opset=17)
    m.input("x", ["n", 16]), m.input("flag", [], TensorProto.BOOL)
    m.constant("no", False, bool)
    large = body([dense("wide", "x", "W1", "a"), dense("narrow", "a", "W2", "b")], [], ["b"],
                 [tensor("W1", [16, 64]), tensor("W2", [64, 16])])
    small = body([dense("small", "x", "W3", "c")], [], ["c"], [tensor("W3", [16, 16])])
    # fewer products than `steps`, but larger ones
    wide = body([dense("one", "x", "W4", "d"), dense("back", "d", "W5", "e")], [], ["e"],
                [tensor("W4", [16, 64]), tensor("W5", [64, 16])])
    steps = body([dense("step1", "x", "W6", "f"), dense("step2", "f", "W6", "g"), dense("step3", "g", "W6", "h")], [], ["h"],
                 [tensor("W6", [16, 16])])
    m.node("If", "fewer", ["flag"], then_branch=steps, else_branch=wide)
    # one that cannot be read
    mystery = body([helper.make_node("Mystery", ["x"], ["i"])], [], ["i"])
    m.node("If", "half", ["flag"], then_branch=mystery, else_branch=small)
    m.node("If", "known", ["no"], then_branch=large, else_branch=small)
    m.node("If", "open", ["flag"], then_branch=small, else_branch=large)
    m.write(path)


def loop_of(m, name, trips, condition, weights, x="x", keep="keep_in"):
    inner = body([helper.make_node("Identity", [keep], ["keep"]), dense(name + "_fc", "h", "W", "g"),
                  helper.make_node("Relu", ["g"], ["r"], name=name + "_relu")], ["trip", "keep_in", "h"],
                 ["keep", "g", "r"], weights)
    return m.node("Loop", name, [trips, condition, x], [name + "_last", name + "_all"], body=inner)


def loops(path):
    m = Small(opset=17)
    m.input("x", ["n", 16])
    m.constant("yes", True, bool)
    loop_of(m, "three", m.constant("i3", 3), "yes", [tensor("W", [16, 16])])
    loop_of(m, "none", m.constant("i0", 0), "yes", [tensor("W", [16, 16])])
    # as long as trip < 4, with a constant inside
    count = body([helper.make_node("Constant", [], ["four"], value_int=4), helper.make_node("Less", ["trip", "four"], ["keep"]),
                  dense("while_fc", "h", "V", "g")], ["trip", "keep_in", "h"], ["keep", "g"], [tensor("V", [16, 16])])
    m.node("Loop", "while", ["", "yes", "x"], body=count)
    # a loop in a loop
    inner = body([helper.make_node("Identity", ["k2"], ["k3"]), dense("inner_fc", "h2", "U", "g2")], ["t2", "k2", "h2"],
                 ["k3", "g2"], [tensor("U", [16, 16])])
    outer = body([helper.make_node("Identity", ["k"], ["k1"]),
                  helper.make_node("Loop", ["i3", "yes", "h1"], ["g1"], name="inner", body=inner)], ["t", "k", "h1"],
                 ["k1", "g1"])
    m.node("Loop", "outer", [m.constant("i2", 2), "yes", "x"], body=outer)
    m.write(path)


def loop_open(path):
    m = Small(opset=17)
    m.input("x", ["n", 16])
    m.input("trips", [], TensorProto.INT64)
    loop_of(m, "decode", "trips", m.constant("yes", True, bool), [tensor("W", [16, 16])])
    m.write(path)


def loop_bomb(path):
    """Nested loops of 10^9 runs in a few hundred bytes."""
    m = Small(opset=17)
    m.input("x", ["n", 16])
    m.constant("yes", True, bool)
    m.constant("many", 10 ** 9)
    inner = body([helper.make_node("Identity", ["k2"], ["k3"]), helper.make_node("Relu", ["h2"], ["g2"])],
                 ["t2", "k2", "h2"], ["k3", "g2"])
    outer = body([helper.make_node("Identity", ["k"], ["k1"]),
                  helper.make_node("Loop", ["many", "yes", "h1"], ["g1"], body=inner)], ["t", "k", "h1"], ["k1", "g1"])
    m.node("Loop", "bomb", ["many", "yes", "x"], body=outer)
    m.write(path)


def scan(path):
    m = Small(opset=17)
    x, state = m.input("x", [5, "n", 8]), m.input("h0", ["n", 16])
    cell = body([dense("scan_x", "xi", "W", "a"), dense("scan_h", "hi", "R", "b"),
                 helper.make_node("Add", ["a", "b"], ["ho"], name="scan_add"), helper.make_node("Identity", ["ho"], ["yo"])],
                ["hi", "xi"], ["ho", "yo"], [tensor("W", [8, 16]), tensor("R", [16, 16])])
    m.node("Scan", "steps", [state, x], ["steps_last", "steps_all"], body=cell, num_scan_inputs=1)
    m.write(path)


def scan_outputs(path, count):
    """The body has one."""
    m = Small(opset=17)
    cell = body([helper.make_node("Relu", ["xi"], ["yo"])], ["xi"], ["yo"])
    m.node("Scan", "wide", [m.input("x", [5, 4, 8])], [f"y{i}" for i in range(count)], body=cell, num_scan_inputs=1)
    m.write(path)


def functions(path):
    """Called twice with weights of their own; an attribute of the call, and one by default."""
    m = Small(opset=17)
    x = m.input("x", ["n", 6, 16])
    reduced = helper.make_node("ReduceSum", ["g", "axes"], ["y"], name="sum")
    reference = reduced.attribute.add()
    reference.name, reference.ref_attr_name, reference.type = "keepdims", "keep", onnx.AttributeProto.INT
    block = helper.make_function("local", "Block", ["x", "w"], ["y"], [
        helper.make_node("MatMul", ["x", "w"], ["g"], name="block_fc"),
        helper.make_node("Constant", [], ["axes"], value_ints=[1]), reduced], [helper.make_opsetid("", 17)], ["keep"])
    m.node("Block", "first", [x, m.weight("w1", [16, 4])], domain="local", keep=1)
    m.node("Block", "second", [x, m.weight("w2", [16, 9])], domain="local", keep=0)
    m.write(path, functions=[block], domains=["local"])


def recursion(path):
    m = Small(opset=17)
    again = helper.make_function("local", "Again", ["x"], ["y"], [
        helper.make_node("Relu", ["x"], ["r"]), helper.make_node("Again", ["r"], ["y"], domain="local")],
        [helper.make_opsetid("", 17), helper.make_opsetid("local", 1)])
    m.node("Again", "again", [m.input("x", ["n", 6])], domain="local")
    m.write(path, functions=[again], domains=["local"])


def sequences(path):
    m = Small(opset=17)
    x = m.input("x", ["n", 10, 8])
    m.node("SplitToSequence", "split", [x, m.constant("four", 4)], axis=1)
    m.node("SequenceAt", "last", ["split_out", m.constant("minus", -1)])
    m.node("SplitToSequence", "rows", [x], axis=1, keepdims=0)
    m.node("SequenceAt", "row", ["rows_out", m.constant("i3", 3)])
    m.node("SequenceInsert", "longer", ["rows_out", "row_out", m.constant("i0", 0)])
    m.node("ConcatFromSequence", "stacked", ["longer_out"], axis=1, new_axis=1)
    m.node("SequenceErase", "shorter", ["split_out", "i0"])
    m.node("ConcatFromSequence", "joined", ["shorter_out"], axis=1)
    m.node("ConstantOfShape", "length", [m.node("Unsqueeze", "length_list", [
        m.node("SequenceLength", "length_of", ["longer_out"]), m.constant("a0", [0])])])
    m.node("SequenceEmpty", "empty", [])
    grown = body([helper.make_node("Identity", ["k"], ["k1"]), helper.make_node("SequenceInsert", ["s", "row_out"], ["s1"])],
                 ["t", "k", "s"], ["k1", "s1"])
    m.node("Loop", "grow", [m.constant("i5", 5), m.constant("yes", True, bool), "empty_out"], body=grown)
    m.node("ConcatFromSequence", "grown", ["grow_out"], axis=0)
    m.write(path)


def dead(path):
    m = Small(opset=17)
    x = m.input("x", ["n", 10])
    m.node("MatMul", "fc", [x, m.weight("w", [10, 5])])
    m.node("Relu", "relu", ["fc_out"])
    m.node("Mystery", "unread", ["fc_out"])
    m.node("MatMul", "beside", [x, m.weight("u", [10, 1000])])
    m.write(path, ["relu_out"])


def placeholders(path):
    m = Small(opset=17)
    m.node("Conv", "conv", [m.input("x", ["?", 3, "?", "?"]), m.weight("w", [8, 3, 3, 3])], pads=[1] * 4)
    m.write(path)


def commas(path):
    m = Small(opset=17)
    m.node("Conv", "conv", [m.input("x", ["n", 3, "Max(1, s0)", "s1"]), m.weight("w", [8, 3, 3, 3])], pads=[1] * 4)
    m.write(path)


def hub(path):
    """As the caches of model hubs: links into a folder of blobs."""
    folder = os.path.dirname(path)
    os.makedirs(os.path.join(folder, "blobs"))
    os.makedirs(os.path.join(folder, "snapshot"))
    m = Model()
    m.save(os.path.join(folder, "blobs", "model.onnx"), m.linear("fc", m.input("x", ["n", 16]), 16, 4))
    os.rename(os.path.join(folder, "blobs", "model.onnx"), os.path.join(folder, "blobs", "1111"))
    os.rename(os.path.join(folder, "blobs", "model.bin"), os.path.join(folder, "blobs", "2222"))
    os.symlink("../blobs/1111", os.path.join(folder, "snapshot", "model.onnx"))
    os.symlink("../blobs/2222", os.path.join(folder, "snapshot", "model.bin"))


def pointer(path):
    with open(path, "w") as file:
        file.write("version https://git-lfs.github.com/spec/v1\noid sha256:" + 64 * "0" + "\nsize 232589\n")


def classifier(path):
    m = Small(opset=17)
    m.nodes.append(helper.make_node("LinearClassifier", [m.input("x", ["n", 4])], ["l", "p"], domain="ai.onnx.ml",
                                    coefficients=[1.0] * 12, intercepts=[0.0] * 3))
    m.write(path, ["p"])
    model = onnx.load(path)
    model.opset_import[0].domain = "ai.onnx.ml"
    onnx.save(model, path)


CONTROL = {"branches": branches, "loops": loops, "loop_open": loop_open, "loop_bomb": loop_bomb,
           "scan": scan, "scan_short": lambda path: scan_outputs(path, 2),
           "scan_wide": lambda path: scan_outputs(path, 300), "functions": functions, "recursion": recursion,
           "sequences": sequences, "dead": dead, "placeholders": placeholders, "commas": commas, "hub": hub,
           "pointer": pointer, "classifier": classifier}
FOLDERS = ["hub"]  # more than a model each: not for the fuzz target

MODELS = {**CONTROL, "shapes": shapes, "folds": folds, **{f"huge_{name}": huge(build) for name, build in HUGE.items()},
          **{f"uneven_{name}": uneven(build) for name, build in UNEVEN.items()}}


def main(folder, extent):
    for name, build in MODELS.items():
        if extent == "all" or name not in FOLDERS:
            build(os.path.join(folder, name + ".onnx"))


if __name__ == "__main__":
    if len(sys.argv) != 3 or sys.argv[2] not in ("small", "all"):
        sys.exit(__doc__)
    main(sys.argv[1], sys.argv[2])
