"""An ONNX model that grows node by node: for the networks and the small models of tests."""
import os

import onnx
from onnx import TensorProto, helper


class Model:
    """A graph that grows node by node; every method returns the name of its output."""

    def __init__(self, opset=13):
        self.opset = opset
        self.nodes, self.initializers, self.inputs, self.info = [], [], [], []
        self.offset = 0
        self.consumed = 0

    def input(self, name, shape, type=TensorProto.FLOAT):
        self.inputs.append(helper.make_tensor_value_info(name, type, shape))
        return name

    def weight(self, name, shape, type=TensorProto.FLOAT):
        tensor = TensorProto(name=name, data_type=type, dims=shape)
        size = {TensorProto.FLOAT: 4, TensorProto.BOOL: 1, TensorProto.INT64: 8}[type]
        for dimension in shape:
            size *= dimension
        tensor.data_location = TensorProto.EXTERNAL
        for key, value in ("location", "@.bin"), ("offset", str(self.offset)), ("length", str(size)):
            tensor.external_data.add(key=key, value=value)
        self.offset += size
        self.initializers.append(tensor)
        return name

    def integers(self, name, values):
        self.initializers.append(helper.make_tensor(name, TensorProto.INT64, [len(values)], values))
        return name

    def scalar(self, name, value):
        tensor = helper.make_tensor(name, TensorProto.FLOAT, [], [value])
        self.nodes.append(helper.make_node("Constant", [], [name], name=name, value=tensor))
        return name

    def node(self, operator, name, inputs, outputs=None, **attributes):
        outputs = outputs or [name + "_out"]
        self.nodes.append(helper.make_node(operator, inputs, outputs, name=name, **attributes))
        return outputs[0]

    # ---- layers ----

    def conv(self, name, x, channels_in, channels_out, kernel, stride=1, pads=None, group=1, bias=False, dilation=1):
        kernel = [kernel, kernel] if isinstance(kernel, int) else kernel
        pads = [k // 2 * dilation for k in kernel] * 2 if pads is None else pads
        inputs = [x, self.weight(name + ".weight", [channels_out, channels_in // group, *kernel])]
        if bias:
            inputs.append(self.weight(name + ".bias", [channels_out]))
        return self.node("Conv", name, inputs, kernel_shape=kernel, strides=[stride] * len(kernel), pads=pads,
                         group=group, dilations=[dilation] * len(kernel))

    def batch_norm(self, name, x, channels):
        inputs = [x] + [self.weight(f"{name}.{part}", [channels]) for part in ("scale", "bias", "mean", "var")]
        return self.node("BatchNormalization", name, inputs)

    def relu(self, name, x):
        return self.node("Relu", name, [x])

    def relu6(self, name, x):
        low, high = self.scalar(name + "_low", 0.0), self.scalar(name + "_high", 6.0)
        return self.node("Clip", name, [x, low, high])

    def silu(self, name, x):
        return self.node("Mul", name + "_mul", [x, self.node("Sigmoid", name + "_sigmoid", [x])])

    def gelu(self, name, x):
        """By the error function, as PyTorch exports it."""
        y = self.node("Div", name + "_div", [x, self.scalar(name + "_root", 2 ** 0.5)])
        y = self.node("Add", name + "_add", [self.node("Erf", name + "_erf", [y]), self.scalar(name + "_one", 1.0)])
        y = self.node("Mul", name + "_mul", [x, y])
        return self.node("Mul", name + "_half", [y, self.scalar(name + "_point5", 0.5)])

    def pool(self, name, x, kind, kernel, stride, pad=0, ceil_mode=0):
        extra = {"ceil_mode": ceil_mode} if ceil_mode else {}
        return self.node(kind, name, [x], kernel_shape=[kernel] * 2, strides=[stride] * 2, pads=[pad] * 4, **extra)

    def gemm(self, name, x, inputs, outputs):
        weights = [self.weight(name + ".weight", [outputs, inputs]), self.weight(name + ".bias", [outputs])]
        return self.node("Gemm", name, [x] + weights, transB=1)

    def product(self, name, x, inputs, outputs):
        return self.node("MatMul", name, [x, self.weight(name + ".weight", [inputs, outputs])])

    def linear(self, name, x, inputs, outputs):
        """As PyTorch exports a dense layer on sequences."""
        product = self.product(name, x, inputs, outputs)
        return self.node("Add", name + "_bias", [product, self.weight(name + ".bias", [outputs])])

    def layer_norm(self, name, x, width):
        inputs = [x, self.weight(name + ".weight", [width]), self.weight(name + ".bias", [width])]
        return self.node("LayerNormalization", name, inputs, axis=-1)

    def rms_norm(self, name, x, width):
        """As transformers' models compute it."""
        y = self.node("ReduceMean", name + "_mean", [self.node("Pow", name + "_pow", [x, self.scalar(name + "_two", 2.0)])],
                      axes=[-1])
        y = self.node("Add", name + "_add", [y, self.scalar(name + "_epsilon", 1e-6)])
        y = self.node("Reciprocal", name + "_reciprocal", [self.node("Sqrt", name + "_sqrt", [y])])
        return self.node("Mul", name, [self.weight(name + ".weight", [width]), self.node("Mul", name + "_mul", [x, y])])

    def save(self, path, *outputs):
        stem = os.path.splitext(os.path.basename(path))[0]
        for tensor in self.initializers:
            for entry in tensor.external_data:
                entry.value = entry.value.replace("@", stem)
        shapeless = [onnx.ValueInfoProto(name=output) for output in outputs]
        for info in shapeless:
            info.type.tensor_type.elem_type = TensorProto.FLOAT
        graph = helper.make_graph(self.nodes, stem, self.inputs, shapeless, self.initializers, value_info=self.info)
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", self.opset)], producer_name="epochcast")
        model.ir_version = 8
        onnx.save(model, path)
        if self.offset:
            with open(os.path.join(os.path.dirname(path), stem + ".bin"), "wb") as file:
                file.truncate(self.offset)
