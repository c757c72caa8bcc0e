#!/usr/bin/python3
"""ONNX models of operators that exporters write as several nodes, for tests/test_onnx_patterns.c and the fuzz target.

usage: onnx_pattern_models.py FOLDER small|all

writes FOLDER/*.onnx: `patterns`, `patterns_10`, `patterns_18` by operator set, whose nodes are all part of a pattern,
and `no_patterns`, which differ from one in a detail; each ends in a node with the name of its function here. `tables`
has constants that are no parameters.
Exit code 77: no python3-onnx.
"""
import os
import sys

try:
    import onnx  # noqa: F401
    from onnx import TensorProto
    import numpy
except ImportError as missing:
    print(f"skipped: {missing}")
    sys.exit(77)

from onnx_operator_models import Small

ROWS, WIDTH = 6, 16


class Writer:
    """One pattern: every call adds a node, numbers become constants."""

    def __init__(self, model, name):
        self.model, self.name, self.count = model, name, 0

    def constant(self, values, dtype=numpy.float32):
        self.count += 1
        return self.model.constant(f"{self.name}_c{self.count}", values, dtype)

    def number(self, value):
        self.count += 1
        return self.model.scalar(f"{self.name}_n{self.count}", value) if self.count % 2 else self.constant([value])

    def __call__(self, operator, *inputs, **attributes):
        inputs = [self.number(x) if isinstance(x, (int, float)) else x for x in inputs]
        self.count += 1
        return self.model.node(operator, f"{self.name}_{self.count}", inputs, **attributes)

    def mean(self, x, axis=-1):
        if self.model.opset >= 18:
            return self("ReduceMean", x, self.constant([axis], numpy.int64))
        return self("ReduceMean", x, axes=[axis])

    def weights(self, *shape):
        return self.constant(numpy.ones(shape or [WIDTH]))

    def end(self):
        self.model.nodes[-1].name = self.name


# ---- layer norm ----

def layer_norm_torch(w, x):
    d = w("Sub", x, w.mean(x))
    deviation = w("Sqrt", w("Add", w.mean(w("Pow", d, 2.0)), 1e-5))
    w("Add", w("Mul", w("Div", d, deviation), w.weights()), w.weights())


def layer_norm_two_differences(w, x):
    m = w.mean(x)
    deviation = w("Sqrt", w("Add", w.mean(w("Pow", w("Sub", x, m), 2.0)), 1e-5))
    w("Add", w.weights(), w("Mul", w.weights(), w("Div", w("Sub", x, m), deviation)))


def layer_norm_tensorflow(w, x):
    m = w.mean(x)
    d = w("Sub", x, m)
    scale = w("Mul", w("Reciprocal", w("Sqrt", w("Add", w.mean(w("Mul", d, d)), 1e-3))), w.weights())
    w("Add", w("Mul", x, scale), w("Sub", w.weights(), w("Mul", m, scale)))


def layer_norm_by_power(w, x):
    d = w("Sub", x, w.mean(x, 2))
    deviation = w("Pow", w("Add", 1e-5, w.mean(w("Mul", d, d), 2)), -0.5)
    w("Add", w("Mul", w("Mul", deviation, d), w.weights()), w.weights())


def layer_norm_scale(w, x):
    d = w("Sub", x, w.mean(x))
    w("Mul", w("Div", d, w("Sqrt", w("Add", w.mean(w("Pow", d, 2.0)), 1e-5))), w.weights(1, WIDTH))


def layer_norm_plain(w, x):
    d = w("Sub", x, w.mean(x))
    w("Div", d, w("Sqrt", w("Add", w.mean(w("Pow", d, 2.0)), 1e-5)))


def layer_norm_casts(w, x):
    """In 32 bits between 16."""
    y = w("Cast", x, to=TensorProto.FLOAT)
    d = w("Sub", y, w.mean(y))
    y = w("Cast", w("Div", d, w("Sqrt", w("Add", w.mean(w("Pow", d, 2.0)), 1e-5))), to=TensorProto.FLOAT16)
    w("Add", w("Mul", y, w.weights()), w.weights())


# ---- RMS norm ----

def rms_norm_reciprocal(w, x):
    y = w("Reciprocal", w("Sqrt", w("Add", w.mean(w("Pow", x, 2.0)), 1e-6)))
    w("Mul", w.weights(), w("Mul", x, y))


def rms_norm_one_over(w, x):
    y = w("Div", 1.0, w("Sqrt", w("Add", w.mean(w("Mul", x, x)), 1e-6)))
    w("Mul", w("Mul", x, y), w.weights())


def rms_norm_divided(w, x):
    w("Mul", w.weights(), w("Div", x, w("Sqrt", w("Add", w.mean(w("Pow", x, 2.0)), 1e-6))))


def rms_norm_casts(w, x):
    y = w("Cast", x, to=TensorProto.FLOAT)
    y = w("Mul", y, w("Reciprocal", w("Sqrt", w("Add", w.mean(w("Pow", y, 2.0)), 1e-6))))
    w("Mul", w.weights(), w("Cast", y, to=TensorProto.FLOAT16))


# ---- norms of groups of channels ----

def group_norm_torch(w, x, groups=3, scale=1):
    """Of 6 channels."""
    rows = w("Reshape", x, w.constant([0, groups, -1], numpy.int64))
    ones, zeros = (w.constant(numpy.full(groups, value)) for value in (scale, 0))
    y = w("Reshape", w("InstanceNormalization", rows, ones, zeros, epsilon=1e-5), w("Shape", x))
    w("Add", w("Mul", y, w.weights(ROWS, 1)), w.weights(ROWS, 1))


# ---- heads ----

def repeat_heads(w, x):
    """Of 2 heads of 3 rows each for 4 heads of queries."""
    x = w("Reshape", x, w.constant([0, 2, 3, WIDTH], numpy.int64))
    y = w("Expand", w("Unsqueeze", x, w.constant([2], numpy.int64)), w.constant([1, 2, 2, 3, WIDTH], numpy.int64))
    w("Reshape", y, w.constant([0, 4, 3, WIDTH], numpy.int64))


# ---- activations ----

def gelu_torch(w, x):
    w("Mul", w("Mul", x, w("Add", w("Erf", w("Div", x, 2 ** 0.5)), 1.0)), 0.5)


def gelu_tensorflow(w, x):
    w("Mul", w("Mul", 0.5, x), w("Add", 1.0, w("Erf", w("Div", x, 2 ** 0.5))))


def gelu_onnxruntime(w, x):
    w("Mul", x, w("Mul", 0.5, w("Add", w("Erf", w("Mul", x, 0.5 ** 0.5)), 1.0)))


def gelu_halved(w, x):
    w("Div", w("Mul", x, w("Add", w("Erf", w("Div", x, 2 ** 0.5)), 1.0)), 2.0)


def gelu_tanh_new(w, x):
    y = w("Mul", 0.7978845608, w("Add", x, w("Mul", 0.044715, w("Pow", x, 3.0))))
    w("Mul", w("Mul", 0.5, x), w("Add", 1.0, w("Tanh", y)))


def gelu_tanh_cube(w, x):
    y = w("Mul", w("Add", x, w("Mul", w("Mul", w("Mul", x, x), x), 0.044715)), 0.7979)
    w("Mul", x, w("Mul", w("Add", w("Tanh", y), 1.0), 0.5))


def gelu_tanh_fast(w, x):
    y = w("Mul", w("Mul", x, 0.7978845608), w("Add", 1.0, w("Mul", w("Mul", x, 0.044715), x)))
    w("Mul", w("Mul", x, 0.5), w("Add", 1.0, w("Tanh", y)))


def quick_gelu(w, x):
    w("Mul", x, w("Sigmoid", w("Mul", x, 1.702)))


def silu(w, x):
    w("Mul", x, w("Sigmoid", x))


def silu_turned(w, x):
    w("Mul", w("Sigmoid", x), x)


def hard_swish_gate(w, x):
    w("Mul", x, w("HardSigmoid", x, alpha=1 / 6, beta=0.5))


def hard_swish_torch(w, x):
    w("Div", w("Mul", x, w("Clip", w("Add", x, 3.0), 0.0, 6.0)), 6.0)


def hard_swish_tensorflow(w, x):
    w("Mul", w("Mul", w("Clip", w("Add", x, 3.0), 0.0, 6.0), 1 / 6), x)


def hard_swish_min(w, x):
    w("Mul", w("Mul", x, w("Min", w("Relu", w("Add", 3.0, x)), 6.0)), 1 / 6)


def hard_swish_old(w, x):
    w("Mul", x, w("Div", w("Clip", w("Add", x, 3.0), min=0.0, max=6.0), 6.0))


def hard_sigmoid(w, x):
    w("Div", w("Clip", w("Add", x, 3.0), 0.0, 6.0), 6.0)


def mish(w, x):
    w("Mul", x, w("Tanh", w("Softplus", x)))


# ---- none of them ----

def read_inside(w, x):
    gate = w("Add", w("Erf", w("Div", x, 2 ** 0.5)), 1.0)
    w("Neg", gate)
    w("Mul", w("Mul", x, gate), 0.5)


def other_axis(w, x):
    d = w("Sub", x, w.mean(x, 1))
    w("Div", d, w("Sqrt", w("Add", w.mean(w("Pow", d, 2.0), 1), 1e-5)))


def two_axes(w, x):
    w("Mul", w("Div", x, w("Sqrt", w("Add", w("ReduceMean", w("Pow", x, 2.0), axes=[1, 2]), 1e-5))), w.weights())


def two_means(w, x):
    """The mean of another axis than the variance's."""
    d = w("Sub", x, w.mean(x, 1))
    w("Div", d, w("Sqrt", w("Add", w.mean(w("Pow", d, 2.0)), 1e-5)))


def other_power(w, x):
    w("Mul", w("Div", x, w("Sqrt", w("Add", w.mean(w("Pow", x, 3.0)), 1e-5))), w.weights())


def large_epsilon(w, x):
    w("Mul", w("Div", x, w("Sqrt", w("Add", w.mean(w("Pow", x, 2.0)), 0.5))), w.weights())


def scale_of_rows(w, x):
    w("Mul", w("Div", x, w("Sqrt", w("Add", w.mean(w("Pow", x, 2.0)), 1e-5))), w.weights(ROWS, 1))


def group_norm_scaled(w, x):
    group_norm_torch(w, x, scale=2)


def repeat_rows(w, x):
    x = w("Reshape", x, w.constant([0, 2, 3, WIDTH], numpy.int64))
    y = w("Expand", w("Unsqueeze", x, w.constant([3], numpy.int64)), w.constant([1, 2, 3, 2, WIDTH], numpy.int64))
    w("Reshape", y, w.constant([0, 2, 6, WIDTH], numpy.int64))


def other_divisor(w, x):
    w("Mul", w("Mul", x, w("Add", w("Erf", w("Div", x, 1.6)), 1.0)), 0.5)


def other_half(w, x):
    w("Mul", w("Mul", x, w("Add", w("Erf", w("Div", x, 2 ** 0.5)), 1.0)), 0.4)


def divided_by_x(w, x):
    w("Mul", w("Mul", x, w("Add", w("Erf", w("Div", 2 ** 0.5, x)), 1.0)), 0.5)


def gate_of_another(w, x):
    w("Mul", x, w("Sigmoid", w("Neg", x)))


def other_bound(w, x):
    w("Div", w("Mul", x, w("Clip", w("Add", x, 3.0), 0.0, 5.0)), 6.0)


def other_slope(w, x):
    w("Mul", x, w("HardSigmoid", x, alpha=0.2, beta=0.5))


def other_offset(w, x):
    w("Mul", x, w("HardSigmoid", x, alpha=1 / 6, beta=0.4))


def grown(w, x):
    """The result has another shape than what it is said to be of."""
    y = w("Sigmoid", x)
    w("Mul", y, w("Sigmoid", w("Unsqueeze", y, w.constant([2], numpy.int64))))


LAYER_NORMS = [layer_norm_torch, layer_norm_two_differences, layer_norm_tensorflow, layer_norm_by_power, layer_norm_scale,
               layer_norm_plain, layer_norm_casts]
RMS_NORMS = [rms_norm_reciprocal, rms_norm_one_over, rms_norm_divided, rms_norm_casts]
GELUS = [gelu_torch, gelu_tensorflow, gelu_onnxruntime, gelu_halved, gelu_tanh_new, gelu_tanh_cube, gelu_tanh_fast]
OTHERS = [quick_gelu, silu, silu_turned, hard_swish_gate, hard_swish_torch, hard_swish_tensorflow, hard_swish_min,
          hard_sigmoid, mish]
NONE = [read_inside, other_axis, two_axes, two_means, other_power, large_epsilon, scale_of_rows, group_norm_scaled,
        repeat_rows, other_divisor, other_half, divided_by_x, gate_of_another, other_bound, other_slope, other_offset, grown]
MODELS = {
    "patterns": (17, LAYER_NORMS + RMS_NORMS + [group_norm_torch, repeat_heads] + GELUS + OTHERS),
    "patterns_10": (10, [layer_norm_torch, gelu_torch, hard_swish_old]),
    "patterns_18": (18, LAYER_NORMS + RMS_NORMS),
    "no_patterns": (17, NONE),
}


def tables(path):
    """Cosines that the graph computes, also of stored frequencies, are no parameters; weights that it picks by more indices are."""
    m = Small(opset=17)
    x, w = m.input("x", ["n", ROWS, WIDTH]), Writer(m, "table")

    def numbers(*ends):
        return w("Cast", w("Range", *(w.constant(end, numpy.int64) for end in ends)), to=TensorProto.FLOAT)

    frequency = w("Reciprocal", w("Pow", 10000.0, w("Div", numbers(0, WIDTH, 2), float(WIDTH))))
    angle = w("Mul", w("Unsqueeze", numbers(0, ROWS, 1), w.constant([1], numpy.int64)), frequency)
    w("Mul", x, w("Cos", w("Concat", angle, angle, axis=-1)))
    m.nodes[-1].name = "cosines"
    w("Mul", x, w("Sin", w("Mul", w("Unsqueeze", numbers(0, ROWS, 1), w.constant([1], numpy.int64)), w.weights(WIDTH))))
    m.nodes[-1].name = "stored"
    picked = w("Gather", w.weights(2, 1), w.constant(numpy.zeros([ROWS, WIDTH]), numpy.int64))
    w("Add", x, w("Squeeze", picked, w.constant([2], numpy.int64)))
    m.nodes[-1].name = "picked"
    m.write(path)


def main(folder):
    tables(os.path.join(folder, "tables.onnx"))
    for name, (opset, functions) in MODELS.items():
        model = Small(opset=opset)
        x = model.input("x", ["n", ROWS, WIDTH])
        for function in functions:
            writer = Writer(model, function.__name__)
            function(writer, x)
            writer.end()
        model.write(os.path.join(folder, name + ".onnx"))


if len(sys.argv) != 3 or sys.argv[2] not in ("small", "all"):
    sys.exit(__doc__)
main(sys.argv[1])
