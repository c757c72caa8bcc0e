#!/usr/bin/python3
"""Known networks as ONNX models, as frameworks export them: weights are holes in a sparse file beside the
model, so that a network of a gigabyte takes a few kilobytes.

usage: onnx_networks.py FOLDER [NAME...]

writes FOLDER/NAME.onnx and FOLDER/NAME.bin of every known network, or of the named ones.
"""
import os
import sys

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
        size = {TensorProto.FLOAT: 4, TensorProto.BOOL: 1}[type]
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

    def conv(self, name, x, channels_in, channels_out, kernel, stride=1, pads=None, group=1, bias=False):
        kernel = [kernel, kernel] if isinstance(kernel, int) else kernel
        pads = [k // 2 for k in kernel] * 2 if pads is None else pads
        inputs = [x, self.weight(name + ".weight", [channels_out, channels_in // group, *kernel])]
        if bias:
            inputs.append(self.weight(name + ".bias", [channels_out]))
        return self.node("Conv", name, inputs, kernel_shape=kernel, strides=[stride] * 2, pads=pads, group=group,
                         dilations=[1, 1])

    def batch_norm(self, name, x, channels):
        inputs = [x] + [self.weight(f"{name}.{part}", [channels]) for part in ("scale", "bias", "mean", "var")]
        return self.node("BatchNormalization", name, inputs)

    def relu(self, name, x):
        return self.node("Relu", name, [x])

    def relu6(self, name, x):
        low, high = self.scalar(name + "_low", 0.0), self.scalar(name + "_high", 6.0)
        return self.node("Clip", name, [x, low, high])

    def pool(self, name, x, kind, kernel, stride, pad=0, ceil_mode=0):
        extra = {"ceil_mode": ceil_mode} if ceil_mode else {}
        return self.node(kind, name, [x], kernel_shape=[kernel] * 2, strides=[stride] * 2, pads=[pad] * 4, **extra)

    def gemm(self, name, x, inputs, outputs):
        weights = [self.weight(name + ".weight", [outputs, inputs]), self.weight(name + ".bias", [outputs])]
        return self.node("Gemm", name, [x] + weights, transB=1)

    def linear(self, name, x, inputs, outputs):
        """As PyTorch exports a dense layer on sequences."""
        product = self.node("MatMul", name, [x, self.weight(name + ".weight", [inputs, outputs])])
        return self.node("Add", name + "_bias", [product, self.weight(name + ".bias", [outputs])])

    def layer_norm(self, name, x, width):
        inputs = [x, self.weight(name + ".weight", [width]), self.weight(name + ".bias", [width])]
        return self.node("LayerNormalization", name, inputs, axis=-1)

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


# ---- convolutional networks, as in torchvision ----


def images(size=224):
    model = Model()
    return model, model.input("image", ["batch", 3, size, size])


def classify(model, x, channels, path, dense="fc", pooled=True):
    if pooled:
        x = model.node("GlobalAveragePool", "avgpool", [x])
    x = model.node("Flatten", "flatten", [x], axis=1)
    model.save(path, model.gemm(dense, x, channels, 1000))


def vgg16(path):
    model, x = images()
    channels_in = 3
    for block, (count, channels) in enumerate([(2, 64), (2, 128), (3, 256), (3, 512), (3, 512)], 1):
        for i in range(1, count + 1):
            x = model.conv(f"conv{block}_{i}", x, channels_in, channels, 3, bias=True)
            x = model.relu(f"relu{block}_{i}", x)
            channels_in = channels
        x = model.pool(f"pool{block}", x, "MaxPool", 2, 2)
    x = model.node("Flatten", "flatten", [x], axis=1)
    x = model.relu("relu6", model.gemm("fc6", x, 25088, 4096))
    x = model.node("Dropout", "drop6", [x])
    x = model.relu("relu7", model.gemm("fc7", x, 4096, 4096))
    model.save(path, model.gemm("fc8", x, 4096, 1000))


def resnet(path, blocks, bottleneck):
    model, x = images()

    def step(name, x, channels_in, channels, kernel, stride=1, relu=True):
        x = model.conv(f"{name}", x, channels_in, channels, kernel, stride)
        x = model.batch_norm(f"{name}_bn", x, channels)
        return model.relu(f"{name}_relu", x) if relu else x

    x = step("conv1", x, 3, 64, 7, 2)
    x = model.pool("pool1", x, "MaxPool", 3, 2, 1)
    channels_in = 64
    for stage, count in enumerate(blocks):
        inner = 64 << stage
        outer = 4 * inner if bottleneck else inner
        for block in range(count):
            name = f"conv{stage + 2}_{block + 1}"
            stride = 2 if stage > 0 and block == 0 else 1
            shortcut = x
            if bottleneck:
                x = step(name + "_a", x, channels_in, inner, 1)
                x = step(name + "_b", x, inner, inner, 3, stride)
                x = step(name + "_c", x, inner, outer, 1, relu=False)
            else:
                x = step(name + "_a", x, channels_in, inner, 3, stride)
                x = step(name + "_b", x, inner, inner, 3, relu=False)
            if stride > 1 or channels_in != outer:
                shortcut = step(name + "_shortcut", shortcut, channels_in, outer, 1, stride, relu=False)
            x = model.relu(name + "_relu", model.node("Add", name + "_add", [x, shortcut]))
            channels_in = outer
    classify(model, x, channels_in, path)


def squeezenet(path):
    """Version 1.0."""
    model, x = images()

    def fire(name, x, channels_in, squeeze, expand):
        x = model.relu(name + "_squeeze_relu", model.conv(name + "_squeeze", x, channels_in, squeeze, 1, bias=True))
        one = model.relu(name + "_e1_relu", model.conv(name + "_expand1", x, squeeze, expand, 1, bias=True))
        three = model.relu(name + "_e3_relu", model.conv(name + "_expand3", x, squeeze, expand, 3, bias=True))
        return model.node("Concat", name + "_concat", [one, three], axis=1)

    x = model.relu("relu1", model.conv("conv1", x, 3, 96, 7, 2, pads=[0] * 4, bias=True))
    x = model.pool("pool1", x, "MaxPool", 3, 2, ceil_mode=1)
    x = fire("fire2", x, 96, 16, 64)
    x = fire("fire3", x, 128, 16, 64)
    x = fire("fire4", x, 128, 32, 128)
    x = model.pool("pool4", x, "MaxPool", 3, 2, ceil_mode=1)
    x = fire("fire5", x, 256, 32, 128)
    x = fire("fire6", x, 256, 48, 192)
    x = fire("fire7", x, 384, 48, 192)
    x = fire("fire8", x, 384, 64, 256)
    x = model.pool("pool8", x, "MaxPool", 3, 2, ceil_mode=1)
    x = fire("fire9", x, 512, 64, 256)
    x = model.relu("relu10", model.conv("conv10", x, 512, 1000, 1, bias=True))
    x = model.node("GlobalAveragePool", "avgpool", [x])
    model.save(path, model.node("Flatten", "flatten", [x], axis=1))


def mobilenet_v2(path):
    model, x = images()

    def step(name, x, channels_in, channels, kernel, stride=1, group=1, relu=True):
        x = model.conv(name, x, channels_in, channels, kernel, stride, group=group)
        x = model.batch_norm(name + "_bn", x, channels)
        return model.relu6(name + "_relu6", x) if relu else x

    x = step("conv1", x, 3, 32, 3, 2)
    channels_in, number = 32, 0
    for expansion, channels, count, first_stride in [(1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2),
                                                     (6, 96, 3, 1), (6, 160, 3, 2), (6, 320, 1, 1)]:
        for block in range(count):
            number += 1
            name, stride, hidden = f"block{number}", first_stride if block == 0 else 1, channels_in * expansion
            shortcut = x
            if expansion > 1:
                x = step(name + "_expand", x, channels_in, hidden, 1)
            x = step(name + "_depthwise", x, hidden, hidden, 3, stride, group=hidden)
            x = step(name + "_project", x, hidden, channels, 1, relu=False)
            if stride == 1 and channels_in == channels:
                x = model.node("Add", name + "_add", [x, shortcut])
            channels_in = channels
    x = step("conv_last", x, 320, 1280, 1)
    classify(model, x, 1280, path)


def densenet121(path):
    model, x = images()

    def before(name, x, channels):
        return model.relu(name + "_relu", model.batch_norm(name + "_bn", x, channels))

    x = model.conv("conv0", x, 3, 64, 7, 2)
    x = model.pool("pool0", before("conv0", x, 64), "MaxPool", 3, 2, 1)
    channels, growth = 64, 32
    for block, count in enumerate([6, 12, 24, 16], 1):
        features = [x]
        for i in range(1, count + 1):
            name = f"dense{block}_{i}"
            x = model.node("Concat", name + "_concat", features, axis=1) if len(features) > 1 else features[0]
            x = model.conv(name + "_a", before(name + "_a", x, channels), channels, 4 * growth, 1)
            x = model.conv(name + "_b", before(name + "_b", x, 4 * growth), 4 * growth, growth, 3)
            features.append(x)
            channels += growth
        x = model.node("Concat", f"dense{block}_concat", features, axis=1)
        if block < 4:
            x = model.conv(f"transition{block}", before(f"transition{block}", x, channels), channels, channels // 2, 1)
            x = model.pool(f"transition{block}_pool", x, "AveragePool", 2, 2)
            channels //= 2
    classify(model, before("last", x, channels), channels, path)


def inception_v3(path):
    """Without the auxiliary classifier."""
    model, x = images(299)

    def step(name, x, channels_in, channels, kernel, stride=1, padded=True):
        pads = None if padded else [0] * 4
        x = model.conv(name, x, channels_in, channels, kernel, stride, pads)
        return model.relu(name + "_relu", model.batch_norm(name + "_bn", x, channels))

    def join(name, *parts):
        return model.node("Concat", name + "_concat", list(parts), axis=1)

    def a(name, x, channels, pooled):
        one = step(name + "_1x1", x, channels, 64, 1)
        five = step(name + "_5x5_b", step(name + "_5x5_a", x, channels, 48, 1), 48, 64, 5)
        three = step(name + "_3x3_b", step(name + "_3x3_a", x, channels, 64, 1), 64, 96, 3)
        three = step(name + "_3x3_c", three, 96, 96, 3)
        pool = step(name + "_pool_proj", model.pool(name + "_pool", x, "AveragePool", 3, 1, 1), channels, pooled, 1)
        return join(name, one, five, three, pool)

    def b(name, x, channels):
        three = step(name + "_3x3", x, channels, 384, 3, 2, False)
        double = step(name + "_dbl_b", step(name + "_dbl_a", x, channels, 64, 1), 64, 96, 3)
        double = step(name + "_dbl_c", double, 96, 96, 3, 2, False)
        return join(name, three, double, model.pool(name + "_pool", x, "MaxPool", 3, 2))

    def c(name, x, c7):
        one = step(name + "_1x1", x, 768, 192, 1)
        seven = step(name + "_7_b", step(name + "_7_a", x, 768, c7, 1), c7, c7, [1, 7])
        seven = step(name + "_7_c", seven, c7, 192, [7, 1])
        double = step(name + "_dbl_b", step(name + "_dbl_a", x, 768, c7, 1), c7, c7, [7, 1])
        double = step(name + "_dbl_d", step(name + "_dbl_c", double, c7, c7, [1, 7]), c7, c7, [7, 1])
        double = step(name + "_dbl_e", double, c7, 192, [1, 7])
        pool = step(name + "_pool_proj", model.pool(name + "_pool", x, "AveragePool", 3, 1, 1), 768, 192, 1)
        return join(name, one, seven, double, pool)

    def d(name, x):
        three = step(name + "_3x3_b", step(name + "_3x3_a", x, 768, 192, 1), 192, 320, 3, 2, False)
        seven = step(name + "_7_b", step(name + "_7_a", x, 768, 192, 1), 192, 192, [1, 7])
        seven = step(name + "_7_d", step(name + "_7_c", seven, 192, 192, [7, 1]), 192, 192, 3, 2, False)
        return join(name, three, seven, model.pool(name + "_pool", x, "MaxPool", 3, 2))

    def e(name, x, channels):
        one = step(name + "_1x1", x, channels, 320, 1)
        three = step(name + "_3x3_a", x, channels, 384, 1)
        three = join(name + "_3x3", step(name + "_3x3_b", three, 384, 384, [1, 3]),
                     step(name + "_3x3_c", three, 384, 384, [3, 1]))
        double = step(name + "_dbl_b", step(name + "_dbl_a", x, channels, 448, 1), 448, 384, 3)
        double = join(name + "_dbl", step(name + "_dbl_c", double, 384, 384, [1, 3]),
                      step(name + "_dbl_d", double, 384, 384, [3, 1]))
        pool = step(name + "_pool_proj", model.pool(name + "_pool", x, "AveragePool", 3, 1, 1), channels, 192, 1)
        return join(name, one, three, double, pool)

    x = step("conv1a", x, 3, 32, 3, 2, False)
    x = step("conv2b", step("conv2a", x, 32, 32, 3, 1, False), 32, 64, 3)
    x = step("conv3b", model.pool("pool1", x, "MaxPool", 3, 2), 64, 80, 1)
    x = model.pool("pool2", step("conv4a", x, 80, 192, 3, 1, False), "MaxPool", 3, 2)
    x = a("mixed5d", a("mixed5c", a("mixed5b", x, 192, 32), 256, 64), 288, 64)
    x = b("mixed6a", x, 288)
    for name, c7 in ("mixed6b", 128), ("mixed6c", 160), ("mixed6d", 160), ("mixed6e", 192):
        x = c(name, x, c7)
    x = e("mixed7c", e("mixed7b", d("mixed7a", x), 1280), 2048)
    classify(model, x, 2048, path)


# ---- sequences ----


def lstm_lm(path):
    """Zaremba et al. 2014, the medium model: 35 words, 2 layers of 650."""
    model = Model()
    words, width, steps = 10000, 650, 35
    x = model.input("words", [steps, "batch"], TensorProto.INT64)
    x = model.node("Gather", "embedding", [model.weight("embedding.weight", [words, width]), x])
    for layer in "lstm1", "lstm2":
        weights = [model.weight(layer + ".W", [1, 4 * width, width]), model.weight(layer + ".R", [1, 4 * width, width]),
                   model.weight(layer + ".B", [1, 8 * width])]
        x = model.node("LSTM", layer, [x] + weights, hidden_size=width)
        x = model.node("Squeeze", layer + "_squeeze", [x, model.integers(layer + "_axes", [1])])
    x = model.linear("decoder", x, width, words)
    model.save(path, model.node("Softmax", "softmax", [x], axis=-1))


def heads(model, name, x, length, count, width, transposed=False):
    x = model.node("Reshape", name + "_split", [x, model.integers(name + "_shape", [0, length, count, width // count])])
    return model.node("Transpose", name + "_turn", [x], perm=[0, 2, 3, 1] if transposed else [0, 2, 1, 3])


def attention(model, name, q, k, v, length, count, width, masked):
    q = heads(model, name + "_q", q, length, count, width)
    k = heads(model, name + "_k", k, length, count, width, transposed=True)
    v = heads(model, name + "_v", v, length, count, width)
    scores = model.node("MatMul", name + "_scores", [q, k])
    scores = model.node("Div", name + "_scale", [scores, model.scalar(name + "_root", (width / count) ** 0.5)])
    if masked:
        scores = model.node("Where", name + "_mask", [masked, scores, model.scalar(name + "_low", -1e9)])
    scores = model.node("Softmax", name + "_softmax", [scores], axis=-1)
    x = model.node("Transpose", name + "_back", [model.node("MatMul", name + "_mix", [scores, v])], perm=[0, 2, 1, 3])
    return model.node("Reshape", name + "_join", [x, model.integers(name + "_joined", [0, length, width])])


def gelu_erf(model, name, x):
    y = model.node("Div", name + "_div", [x, model.scalar(name + "_root", 2 ** 0.5)])
    y = model.node("Add", name + "_add", [model.node("Erf", name + "_erf", [y]), model.scalar(name + "_one", 1.0)])
    y = model.node("Mul", name + "_mul", [x, y])
    return model.node("Mul", name + "_half", [y, model.scalar(name + "_point5", 0.5)])


def gelu_tanh(model, name, x):
    y = model.node("Pow", name + "_pow", [x, model.scalar(name + "_three", 3.0)])
    y = model.node("Mul", name + "_mul1", [y, model.scalar(name + "_c1", 0.044715)])
    y = model.node("Mul", name + "_mul2", [model.node("Add", name + "_add1", [x, y]), model.scalar(name + "_c2", 0.7979)])
    y = model.node("Add", name + "_add2", [model.node("Tanh", name + "_tanh", [y]), model.scalar(name + "_one", 1.0)])
    return model.node("Mul", name + "_mul4", [model.node("Mul", name + "_mul3", [x, y]), model.scalar(name + "_h", 0.5)])


def encoder_block(model, name, x, length, count, width):
    q, k, v = (model.linear(f"{name}_{part}", x, width, width) for part in ("query", "key", "value"))
    y = attention(model, name, q, k, v, length, count, width, None)
    y = model.linear(name + "_output", y, width, width)
    x = model.layer_norm(name + "_norm1", model.node("Add", name + "_residual1", [x, y]), width)
    y = gelu_erf(model, name + "_gelu", model.linear(name + "_ffn1", x, width, 4 * width))
    y = model.linear(name + "_ffn2", y, 4 * width, width)
    return model.layer_norm(name + "_norm2", model.node("Add", name + "_residual2", [x, y]), width)


def bert_base(path, length=128):
    model = Model(opset=17)
    width = 768
    words = model.input("input_ids", ["batch", length], TensorProto.INT64)
    types = model.input("token_type_ids", ["batch", length], TensorProto.INT64)
    word = model.node("Gather", "word_embedding", [model.weight("word.weight", [30522, width]), words])
    kind = model.node("Gather", "type_embedding", [model.weight("type.weight", [2, width]), types])
    numbers = model.integers("position_ids", list(range(length)))
    place = model.node("Gather", "position_embedding", [model.weight("position.weight", [512, width]), numbers])
    x = model.node("Add", "embedding_add1", [word, kind])
    x = model.layer_norm("embedding_norm", model.node("Add", "embedding_add2", [x, place]), width)
    for layer in range(12):
        x = encoder_block(model, f"layer{layer}", x, length, 12, width)
    first = model.node("Gather", "first_token", [x, model.integers("zero", [0])], axis=1)
    first = model.node("Squeeze", "first_squeeze", [first, model.integers("one", [1])])
    model.save(path, model.node("Tanh", "pooler_tanh", [model.gemm("pooler", first, width, width)]))


def gpt2(path, length=1024):
    model = Model(opset=17)
    width, words = 768, 50257
    ids = model.input("input_ids", ["batch", length], TensorProto.INT64)
    table = model.weight("wte.weight", [words, width])
    x = model.node("Gather", "wte", [table, ids])
    x = model.node("Add", "wpe", [x, model.weight("wpe.weight", [length, width])])
    mask = model.weight("mask", [length, length], TensorProto.BOOL)
    for layer in range(12):
        name = f"h{layer}"
        y = model.linear(name + "_attn", model.layer_norm(name + "_norm1", x, width), width, 3 * width)
        parts = [f"{name}_{part}" for part in "qkv"]
        model.node("Split", name + "_split", [y], parts, axis=-1)
        y = attention(model, name, *parts, length, 12, width, mask)
        x = model.node("Add", name + "_residual1", [x, model.linear(name + "_proj", y, width, width)])
        y = model.linear(name + "_fc", model.layer_norm(name + "_norm2", x, width), width, 4 * width)
        y = model.linear(name + "_out", gelu_tanh(model, name + "_gelu", y), 4 * width, width)
        x = model.node("Add", name + "_residual2", [x, y])
    x = model.layer_norm("norm", x, width)
    turned = model.node("Transpose", "lm_head_turn", [table], perm=[1, 0])
    model.save(path, model.node("MatMul", "lm_head", [x, turned]))


NETWORKS = {
    "vgg16": vgg16,
    "resnet18": lambda path: resnet(path, [2, 2, 2, 2], False),
    "resnet34": lambda path: resnet(path, [3, 4, 6, 3], False),
    "resnet50": lambda path: resnet(path, [3, 4, 6, 3], True),
    "resnet101": lambda path: resnet(path, [3, 4, 23, 3], True),
    "resnet152": lambda path: resnet(path, [3, 8, 36, 3], True),
    "squeezenet": squeezenet,
    "mobilenet_v2": mobilenet_v2,
    "densenet121": densenet121,
    "inception_v3": inception_v3,
    "lstm_lm": lstm_lm,
    "bert_base": bert_base,
    "gpt2": gpt2,
}

if __name__ == "__main__":
    if len(sys.argv) < 2 or not set(sys.argv[2:]) <= set(NETWORKS):
        sys.exit(__doc__ + "\nknown: " + " ".join(NETWORKS))
    for wanted in sys.argv[2:] or NETWORKS:
        NETWORKS[wanted](os.path.join(sys.argv[1], wanted + ".onnx"))
