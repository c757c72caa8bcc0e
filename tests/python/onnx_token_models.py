#!/usr/bin/python3
"""An ONNX model of embeddings and losses, for tests/test_onnx_tokens.c.

usage: onnx_token_models.py FOLDER small|all

writes FOLDER/*.onnx. Exit code 77: no python3-onnx.
"""
import os
import sys

from onnx import TensorProto
from onnx_operator_models import Small


def tokens(path):
    m = Small(opset=17)
    ids, scores = m.input("ids", ["n", 6], TensorProto.INT64), m.input("scores", ["n", 21, 4, 5])
    labels = m.input("labels", ["n", 4, 5], TensorProto.INT64)
    m.node("Gather", "words", [m.weight("table", [50, 8]), ids])
    m.node("Gather", "from_behind", [m.weight("other", [30, 7]), ids], axis=-2)
    m.node("Gather", "columns", [m.weight("turned", [8, 50]), ids], axis=1)
    m.node("Gather", "numbers", [m.weight("vector", [50]), ids])
    m.node("SoftmaxCrossEntropyLoss", "mean", [scores, labels])
    m.node("SoftmaxCrossEntropyLoss", "sum", [scores, labels], reduction="sum", ignore_index=3)
    m.node("SoftmaxCrossEntropyLoss", "each", [scores, labels], reduction="none")
    m.node("SoftmaxCrossEntropyLoss", "weighted", [scores, labels, m.weight("class_weights", [21])])
    m.node("SoftmaxCrossEntropyLoss", "both", [scores, labels], ["both_loss", "both_shares"])
    m.write(path)


def main(folder):
    for build in (tokens,):
        build(os.path.join(folder, build.__name__ + ".onnx"))


if __name__ == "__main__":
    if len(sys.argv) != 3 or sys.argv[2] not in ("small", "all"):
        sys.exit(__doc__)
    main(sys.argv[1])
