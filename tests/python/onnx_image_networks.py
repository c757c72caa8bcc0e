"""Networks for images, as torchvision has them."""
from onnx_model import Model


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


def resnet_features(model, x, blocks, bottleneck, groups=1, width=1, dilated=False):
    """The stages; `dilated`: the last two keep the size of the image, with dilations of 2 and 4 in place of strides.
    Returns the tensor and its channels."""

    def step(name, x, channels_in, channels, kernel, stride=1, relu=True, group=1, dilation=1):
        x = model.conv(f"{name}", x, channels_in, channels, kernel, stride, group=group, dilation=dilation)
        x = model.batch_norm(f"{name}_bn", x, channels)
        return model.relu(f"{name}_relu", x) if relu else x

    x = step("conv1", x, 3, 64, 7, 2)
    x = model.pool("pool1", x, "MaxPool", 3, 2, 1)
    channels_in, dilation = 64, 1
    for stage, count in enumerate(blocks):
        outer = (256 if bottleneck else 64) << stage
        inner = width * (64 << stage)
        for block in range(count):
            name = f"conv{stage + 2}_{block + 1}"
            stride = 2 if stage > 0 and block == 0 else 1
            before = dilation
            if dilated and stage > 1 and block == 0:
                stride, dilation = 1, 2 * dilation
            shortcut = x
            if bottleneck:
                x = step(name + "_a", x, channels_in, inner, 1)
                x = step(name + "_b", x, inner, inner, 3, stride, group=groups, dilation=before)
                x = step(name + "_c", x, inner, outer, 1, relu=False)
            else:
                x = step(name + "_a", x, channels_in, inner, 3, stride)
                x = step(name + "_b", x, inner, inner, 3, relu=False)
            if stride > 1 or channels_in != outer:
                shortcut = step(name + "_shortcut", shortcut, channels_in, outer, 1, stride, relu=False)
            x = model.relu(name + "_relu", model.node("Add", name + "_add", [x, shortcut]))
            channels_in = outer
    return x, channels_in


def resnet(path, blocks, bottleneck, groups=1, width=1):
    model, x = images()
    x, channels = resnet_features(model, x, blocks, bottleneck, groups, width)
    classify(model, x, channels, path)


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


# ---- after 2015 ----


def efficientnet_b0(path):
    model, x = images()

    def step(name, x, channels_in, channels, kernel, stride=1, group=1, silu=True):
        x = model.conv(name, x, channels_in, channels, kernel, stride, group=group)
        x = model.batch_norm(name + "_bn", x, channels)
        return model.silu(name + "_silu", x) if silu else x

    def excite(name, x, channels, squeezed):
        y = model.node("GlobalAveragePool", name + "_pool", [x])
        y = model.silu(name + "_silu", model.conv(name + "_squeeze", y, channels, squeezed, 1, bias=True))
        y = model.node("Sigmoid", name + "_gate", [model.conv(name + "_excite", y, squeezed, channels, 1, bias=True)])
        return model.node("Mul", name + "_scale", [y, x])

    x = step("conv_stem", x, 3, 32, 3, 2)
    channels_in, number = 32, 0
    for expansion, kernel, first_stride, channels, count in [(1, 3, 1, 16, 1), (6, 3, 2, 24, 2), (6, 5, 2, 40, 2),
                                                             (6, 3, 2, 80, 3), (6, 5, 1, 112, 3), (6, 5, 2, 192, 4),
                                                             (6, 3, 1, 320, 1)]:
        for block in range(count):
            number += 1
            name, stride, hidden = f"block{number}", first_stride if block == 0 else 1, channels_in * expansion
            shortcut = x
            if expansion > 1:
                x = step(name + "_expand", x, channels_in, hidden, 1)
            x = step(name + "_depthwise", x, hidden, hidden, kernel, stride, group=hidden)
            x = excite(name + "_se", x, hidden, channels_in // 4)
            x = step(name + "_project", x, hidden, channels, 1, silu=False)
            if stride == 1 and channels_in == channels:
                x = model.node("Add", name + "_add", [x, shortcut])
            channels_in = channels
    x = step("conv_head", x, 320, 1280, 1)
    classify(model, x, 1280, path)


def convnext_tiny(path):
    model, x = images()
    model.opset = 17

    def norm2d(name, x, channels):
        x = model.node("Transpose", name + "_last", [x], perm=[0, 2, 3, 1])
        return model.node("Transpose", name + "_first", [model.layer_norm(name, x, channels)], perm=[0, 3, 1, 2])

    def block(name, x, channels):
        y = model.conv(name + "_depthwise", x, channels, channels, 7, group=channels, bias=True)
        y = model.node("Transpose", name + "_last", [y], perm=[0, 2, 3, 1])
        y = model.linear(name + "_up", model.layer_norm(name + "_norm", y, channels), channels, 4 * channels)
        y = model.linear(name + "_down", model.gelu(name + "_gelu", y), 4 * channels, channels)
        y = model.node("Transpose", name + "_first", [y], perm=[0, 3, 1, 2])
        y = model.node("Mul", name + "_scale", [model.weight(name + ".layer_scale", [channels, 1, 1]), y])
        return model.node("Add", name + "_add", [y, x])

    x = norm2d("stem_norm", model.conv("stem", x, 3, 96, 4, 4, pads=[0] * 4, bias=True), 96)
    for stage, count in enumerate([3, 3, 9, 3]):
        channels = 96 << stage
        if stage > 0:
            x = norm2d(f"down{stage}_norm", x, channels // 2)
            x = model.conv(f"down{stage}", x, channels // 2, channels, 2, 2, pads=[0] * 4, bias=True)
        for i in range(1, count + 1):
            x = block(f"stage{stage + 1}_{i}", x, channels)
    x = norm2d("head_norm", model.node("GlobalAveragePool", "avgpool", [x]), 768)
    classify(model, x, 768, path, pooled=False)


def unet(path):
    """With padded convolutions and batch normalisation, as most code has it; 3 channels in, 2 classes out."""
    model, x = images(256)

    def double(name, x, channels_in, channels):
        for part in "ab":
            x = model.conv(f"{name}_{part}", x, channels_in, channels, 3)
            x = model.relu(f"{name}_{part}_relu", model.batch_norm(f"{name}_{part}_bn", x, channels))
            channels_in = channels
        return x

    levels = [64, 128, 256, 512]
    kept, channels_in = [], 3
    for level, channels in enumerate(levels, 1):
        x = double(f"down{level}", x, channels_in, channels)
        kept.append(x)
        x = model.pool(f"pool{level}", x, "MaxPool", 2, 2)
        channels_in = channels
    x = double("bottom", x, 512, 1024)
    for level, channels in reversed(list(enumerate(levels, 1))):
        weights = [model.weight(f"up{level}.weight", [2 * channels, channels, 2, 2]),
                   model.weight(f"up{level}.bias", [channels])]
        x = model.node("ConvTranspose", f"up{level}", [x] + weights, kernel_shape=[2, 2], strides=[2, 2])
        x = model.node("Concat", f"join{level}", [kept.pop(), x], axis=1)
        x = double(f"up{level}", x, 2 * channels, channels)
    model.save(path, model.conv("classes", x, 64, 2, 1, bias=True))


def deeplabv3(path, size=520, classes=21):
    """ResNet-50 behind it, without the auxiliary classifier."""
    model, image = images(size)
    x, channels = resnet_features(model, image, [3, 4, 6, 3], True, dilated=True)

    def step(name, x, channels_in, kernel, dilation=1):
        x = model.conv(name, x, channels_in, 256, kernel, dilation=dilation)
        return model.relu(name + "_relu", model.batch_norm(name + "_bn", x, 256))

    def grow(name, x, side):
        sizes = model.node("Concat", name + "_sizes", [
            model.node("Slice", name + "_kept", [model.node("Shape", name + "_shape", [x]),
                                                 model.integers(name + "_0", [0]), model.integers(name + "_2", [2])]),
            model.integers(name + "_side", [side, side])], axis=0)
        return model.node("Resize", name, [x, "", "", sizes], mode="linear", coordinate_transformation_mode="half_pixel")

    parts = [step("aspp_1", x, channels, 1)]
    parts += [step(f"aspp_{rate}", x, channels, 3, rate) for rate in (12, 24, 36)]
    pooled = step("aspp_pool", model.node("GlobalAveragePool", "aspp_mean", [x]), channels, 1)
    parts.append(grow("aspp_grow", pooled, size // 8))
    x = step("aspp_project", model.node("Concat", "aspp_concat", parts, axis=1), 5 * 256, 1)
    x = model.conv("classes", step("head", x, 256, 3), 256, classes, 1, bias=True)
    model.save(path, grow("grow", x, size))


IMAGE_NETWORKS = {
    "vgg16": vgg16,
    "resnet18": lambda path: resnet(path, [2, 2, 2, 2], False),
    "resnet34": lambda path: resnet(path, [3, 4, 6, 3], False),
    "resnet50": lambda path: resnet(path, [3, 4, 6, 3], True),
    "resnet101": lambda path: resnet(path, [3, 4, 23, 3], True),
    "resnet152": lambda path: resnet(path, [3, 8, 36, 3], True),
    "resnext50": lambda path: resnet(path, [3, 4, 6, 3], True, groups=32, width=2),
    "squeezenet": squeezenet,
    "mobilenet_v2": mobilenet_v2,
    "densenet121": densenet121,
    "inception_v3": inception_v3,
    "efficientnet_b0": efficientnet_b0,
    "convnext_tiny": convnext_tiny,
    "unet": unet,
    "deeplabv3": deeplabv3,
}
