#!/usr/bin/python3
"""ONNX models of normalisations, transpositions, concatenations and resized images, for tests/test_onnx_moves.c.

usage: onnx_move_models.py FOLDER small|all

writes FOLDER/*.onnx. Exit code 77: no python3-onnx.
"""
import os
import sys

import numpy

from onnx_operator_models import Small


def norms(path):
    m = Small(opset=23)
    images, rows = m.input("images", ["n", 12, 5, 7]), m.input("rows", ["n", 9, 16])
    s12, b12, s16, b16 = m.weight("s12", [12]), m.weight("b12", [12]), m.weight("s16", [16]), m.weight("b16", [16])
    m.node("GroupNormalization", "groups", [images, s12, b12], num_groups=4)
    m.node("GroupNormalization", "uneven", [images, m.weight("s4", [4]), m.weight("b4", [4])], num_groups=4)
    m.node("InstanceNormalization", "instances", [images, m.weight("si", [12]), m.weight("bi", [12])])
    m.node("RMSNormalization", "rms", [rows, s16])
    m.node("RMSNormalization", "rms_two", [images, m.weight("s35", [5, 7])], axis=2)
    m.node("SimplifiedLayerNormalization", "simplified", [rows, m.weight("ss", [16])], domain="com.microsoft")
    m.node("SimplifiedLayerNormalization", "outside", [rows, "ss"], domain="com.microsoft", axis=-10000000)
    m.node("SkipLayerNormalization", "skip", [rows, "rms_out", m.weight("sk", [16]), b16], domain="com.microsoft")
    y = m.node("SkipSimplifiedLayerNormalization", "skip_rms",
               ["skip_out", rows, m.weight("sr", [16]), m.weight("br", [16])],
               ["skip_rms_out", "", "", "skip_rms_sum"], domain="com.microsoft")
    m.node("Relu", "reads_sum", ["skip_rms_sum"])
    m.node("Relu", "reads_norm", [y])
    m.write(path, domains=["com.microsoft"])


def transposes(path):
    """Each takes the network's input of its shape."""
    m = Small(opset=17)
    x, rows = m.input("x", ["n", 3, 5, 7]), m.input("rows", ["n", 9, 4, 6])
    m.node("Transpose", "last", [x], perm=[0, 2, 3, 1])
    m.node("Transpose", "first", [x], perm=[0, 3, 1, 2])
    m.node("Transpose", "matrices", [x], perm=[0, 1, 3, 2])
    m.node("Transpose", "heads", [rows], perm=[0, 2, 1, 3])
    m.node("Transpose", "three", [x], perm=[0, 3, 2, 1])
    m.node("Transpose", "samples", [x], perm=[1, 0, 2, 3])
    wide = m.node("Unsqueeze", "wide", [rows, m.constant("a2", [2])])
    view = m.node("Transpose", "view", [wide], perm=[0, 2, 1, 3, 4])
    m.node("Relu", "reads_view", [view])
    m.node("Transpose", "over_one", [wide], perm=[0, 3, 2, 1, 4])
    m.node("Split", "parts", [rows, m.constant("sizes", [4, 5])], ["part_a", "part_b"], axis=1)
    m.node("Relu", "reads_part", ["part_b"])
    cut = m.node("Slice", "cut", [rows, m.constant("from", [1]), m.constant("to", [8]), m.constant("axes", [1])])
    m.node("Relu", "reads_cut", [cut])
    m.node("Slice", "back", [rows, m.constant("end", [8]), m.constant("start", [0]), "axes", m.constant("minus", [-1])])
    m.write(path)


def concats(path):
    m = Small(opset=17)
    x, y, z = m.input("x", ["n", 3, 5, 7]), m.input("y", ["n", 2, 5, 7]), m.input("z", ["n", 4, 5, 7])
    wide = m.input("wide", ["n", 3, 5, 2])
    m.node("Concat", "two", [x, y], axis=1)
    m.node("Concat", "dense", [x, y, y, y, y], axis=1)
    m.node("Concat", "inception", [x, y, z, y, y], axis=-3)
    m.node("Concat", "uneven", [x, y, z, y, z], axis=1)
    m.node("Concat", "inner", [x, wide], axis=3)
    m.node("Concat", "constants", [x, m.weight("c", [1, 1, 5, 7])], axis=1)
    m.write(path)


def resizes(path):
    m = Small(opset=17)
    x, line = m.input("x", ["n", 3, 6, 6]), m.input("line", ["n", 3, 10])
    scales = m.constant("scales", [1, 1, 2, 2], numpy.float32)
    m.node("Resize", "nearest", [x, "", scales], mode="nearest")
    m.node("Resize", "linear", [x, "", "", m.constant("sizes", [1, 3, 9, 4])], mode="linear")
    m.node("Resize", "cubic", [x, "", scales], mode="cubic")
    m.node("Resize", "channels", [x, "", m.constant("grow", [1, 2, 2, 2], numpy.float32)], mode="nearest")
    m.node("Resize", "one_axis", [line, "", m.constant("twice", [1, 1, 2], numpy.float32)], mode="linear")
    m.write(path)


def main(folder):
    for build in (norms, transposes, concats, resizes):
        build(os.path.join(folder, build.__name__ + ".onnx"))


if __name__ == "__main__":
    if len(sys.argv) != 3 or sys.argv[2] not in ("small", "all"):
        sys.exit(__doc__)
    main(sys.argv[1])
