#!/usr/bin/python3
"""Attention and products of activations as exporters leave them, for tests/test_onnx_attention.c and the fuzz target.

usage: onnx_attention_models.py FOLDER small|all

writes FOLDER/attention_*.onnx. Exit code 77: no python3-onnx.
"""
import os
import sys

try:
    import onnx
    from onnx import TensorProto, helper
except ImportError as missing:
    print(f"skipped: {missing}")
    sys.exit(77)

from onnx_model import Model

HEADS, QUERIES, KEYS, SIZE = 4, 6, 10, 8


class Heads(Model):
    """Queries, keys and values of four heads; `outputs` are the model's."""

    def __init__(self, keys=KEYS):
        super().__init__(opset=17)
        self.q = self.input("q", ["n", HEADS, QUERIES, SIZE])
        self.k, self.v = (self.input(name, ["n", HEADS, keys, SIZE]) for name in "kv")
        self.outputs = []

    def one(self, kind, name, *inputs, **attributes):
        return self.node(kind, name, list(inputs), **attributes)

    def constant(self, name, shape, type=TensorProto.FLOAT):
        return self.weight(name, shape, type)

    def turned(self, name, k):
        return self.one("Transpose", name, k, perm=[0, 1, 3, 2])

    def write(self, path, domain=None):
        self.save(path, *self.outputs)
        if domain:
            model = onnx.load(path, load_external_data=False)
            model.opset_import.append(helper.make_opsetid(domain, 1))
            onnx.save(model, path)


def eager(m):
    """Scores over a root, a mask that is computed, dropout."""
    y = m.one("MatMul", "scores", m.q, m.turned("turn", m.k))
    y = m.one("Div", "scale", y, m.scalar("root", SIZE ** 0.5))
    y = m.one("Add", "masked", y, m.input("mask", ["n", 1, 1, KEYS]))
    y = m.one("Dropout", "dropout", m.one("Softmax", "softmax", y, axis=-1))
    m.outputs.append(m.one("MatMul", "context", y, m.v))


def fused_by_hand(m):
    """PyTorch's scaled_dot_product_attention: both sides scaled, a guard of rows that are masked whole."""
    root = m.scalar("root", SIZE ** -0.25)
    q, k = m.one("Mul", "scaled_q", m.q, root), m.one("Mul", "scaled_k", m.turned("turn", m.k), root)
    y = m.one("Add", "masked", m.one("MatMul", "scores", q, k), m.constant("causal", [QUERIES, KEYS]))
    y = m.one("Softmax", "softmax", y, axis=3)
    y = m.one("Where", "guard", m.one("IsNaN", "is_nan", y), m.scalar("zero", 0.0), y)
    m.outputs.append(m.one("MatMul", "context", y, m.v))


def batched(m):
    """PyTorch's bmm: heads and samples in one axis but for the mask."""
    q, k, v = (m.one("Reshape", f"flat_{x}", x, m.integers(f"shape_{x}", [-1, length, SIZE]))
               for x, length in (("q", QUERIES), ("k", KEYS), ("v", KEYS)))
    y = m.one("MatMul", "scores", q, m.one("Transpose", "turn", k, perm=[0, 2, 1]))
    y = m.one("Reshape", "whole", y, m.integers("whole_shape", [-1, HEADS, QUERIES, KEYS]))
    y = m.one("Where", "masked", m.constant("seen", [1, 1, QUERIES, KEYS], TensorProto.BOOL), y, m.scalar("low", -1e9))
    y = m.one("Reshape", "again", y, m.integers("again_shape", [-1, QUERIES, KEYS]))
    m.outputs.append(m.one("MatMul", "context", m.one("Softmax", "softmax", y, axis=-1), v))


def shared(m):
    """Two heads of keys and values for four of queries: repeated, as LLaMA's are."""
    few_k, few_v = (m.input("few_" + name, ["n", 2, KEYS, SIZE]) for name in "kv")

    def repeat(x):
        y = m.one("Unsqueeze", x + "_apart", x, m.integers(x + "_axis", [2]))
        y = m.one("Expand", x + "_repeat", y, m.integers(x + "_shape", [1, 2, 2, KEYS, SIZE]))
        return m.one("Reshape", x + "_joined", y, m.integers(x + "_all", [0, HEADS, KEYS, SIZE]))

    y = m.one("MatMul", "scores", m.q, m.turned("turn", repeat(few_k)))
    y = m.one("Softmax", "softmax", m.one("Div", "scale", y, m.scalar("root", SIZE ** 0.5)), axis=-1)
    m.outputs.append(m.one("MatMul", "context", y, repeat(few_v)))


def shown(m):
    """The probabilities are an output: three layers."""
    y = m.one("Softmax", "softmax", m.one("MatMul", "scores", m.q, m.turned("turn", m.k)), axis=-1)
    m.outputs += [y, m.one("MatMul", "context", y, m.v)]


def chained(m):
    """A softmax of an attention's output is not another attention's."""
    y = m.one("Softmax", "softmax", m.one("MatMul", "scores", m.q, m.turned("turn", m.k)), axis=-1)
    y = m.one("Softmax", "again", m.one("MatMul", "context", y, m.v), axis=-1)
    m.outputs.append(m.one("MatMul", "last", y, m.input("w", ["n", HEADS, SIZE, 5])))


def other_axis(m):
    """Over the queries: a softmax that is no kind's."""
    y = m.one("Softmax", "softmax", m.one("MatMul", "scores", m.q, m.turned("turn", m.k)), axis=2)
    m.outputs.append(m.one("MatMul", "context", y, m.v))


def products(m):
    m.outputs += [m.one("Einsum", "rows_apart", m.q, m.k, equation="bhid,bhjd->bhij"),
                  m.one("Einsum", "plain", m.one("Einsum", "turned", m.q, m.k, equation="bhid,bhjd->bihj"), m.v,
                        equation="bihj,bhjd->bihd"),
                  m.one("Einsum", "summed", m.q, m.k, equation="bhid,bhjd->bij"),
                  m.one("FusedMatMul", "fused", m.q, m.k, transB=1, alpha=0.5, domain="com.microsoft"),
                  m.one("FusedMatMul", "left_turned", m.q, m.q, transA=1, domain="com.microsoft"),
                  m.one("MatMul", "shared", m.q, m.input("one", [SIZE, 3])),
                  m.one("LogSoftmax", "log", m.v, axis=-1), m.one("Softmax", "columns", m.k, axis=2)]


def operators(m):
    flat_q, flat_k = m.input("flat_q", ["n", QUERIES, 32]), m.input("flat_k", ["n", KEYS, 32])
    few = m.input("few", ["n", KEYS, 16])
    past = [m.input(name, ["n", 2, 5, 8]) for name in ("past_k", "past_v")]

    def fused(kind, name, inputs, outputs=1, **attributes):
        names = [name + "_out"] + [f"{name}_{i}" for i in range(1, outputs)]
        m.outputs.append(m.node(kind, name, inputs, names, domain="com.microsoft", **attributes))

    fused("MultiHeadAttention", "three", [flat_q, flat_k, flat_k], num_heads=HEADS)
    fused("MultiHeadAttention", "with_bias", [flat_q, flat_k, flat_k, m.weight("b", [96])], num_heads=HEADS)
    fused("GroupQueryAttention", "grouped", [flat_k, few, few], num_heads=4, kv_num_heads=2)
    fused("GroupQueryAttention", "cached", [flat_q, m.input("new_k", ["n", QUERIES, 16]),
                                            m.input("new_v", ["n", QUERIES, 16])] + past, 3, num_heads=4, kv_num_heads=2)
    fused("Attention", "packed", [flat_q, m.weight("w", [32, 96]), m.weight("wb", [96])], num_heads=HEADS,
          unidirectional=1)


MODELS = {"eager": eager, "fused_by_hand": fused_by_hand, "batched": batched, "shared": shared, "shown": shown, "chained": chained,
          "other_axis": other_axis, "products": products, "operators": operators}


def main(folder):
    for name, build in MODELS.items():
        model = Heads()
        build(model)
        is_fused = name in ("products", "operators")
        model.write(os.path.join(folder, f"attention_{name}.onnx"), "com.microsoft" if is_fused else None)


if len(sys.argv) != 3 or sys.argv[2] not in ("small", "all"):
    sys.exit(__doc__)
main(sys.argv[1])
