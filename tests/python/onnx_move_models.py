#!/usr/bin/python3
"""ONNX models of normalisations, transpositions, concatenations and resized images, for tests/test_onnx_moves.c.

usage: onnx_move_models.py FOLDER small|all

writes FOLDER/*.onnx. Exit code 77: no python3-onnx.
"""
import os
import sys

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
    m.node("SkipLayerNormalization", "skip", [rows, "rms_out", m.weight("sk", [16]), b16], domain="com.microsoft")
    y = m.node("SkipSimplifiedLayerNormalization", "skip_rms",
               ["skip_out", rows, m.weight("sr", [16]), m.weight("br", [16])],
               ["skip_rms_out", "", "", "skip_rms_sum"], domain="com.microsoft")
    m.node("Relu", "reads_sum", ["skip_rms_sum"])
    m.node("Relu", "reads_norm", [y])
    m.write(path, domains=["com.microsoft"])


def main(folder):
    for build in (norms,):
        build(os.path.join(folder, build.__name__ + ".onnx"))


if __name__ == "__main__":
    if len(sys.argv) != 3 or sys.argv[2] not in ("small", "all"):
        sys.exit(__doc__)
    main(sys.argv[1])
