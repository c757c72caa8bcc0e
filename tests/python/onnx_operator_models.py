#!/usr/bin/python3
"""Small ONNX models of single operators and of control flow, for tests/test_onnx_operators.c and the fuzz target.

usage: onnx_operator_models.py FOLDER [all]

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

from onnx_networks import Model


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

MODELS = {"shapes": shapes, "folds": folds, **{f"huge_{name}": huge(build) for name, build in HUGE.items()}}


def main(folder):
    for name, build in MODELS.items():
        build(os.path.join(folder, name + ".onnx"))


if len(sys.argv) not in (2, 3):
    sys.exit(__doc__)
main(sys.argv[1])
