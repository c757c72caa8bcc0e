"""Networks of recurrent layers and of transformers."""
from onnx import TensorProto

from onnx_image_networks import images
from onnx_model import Model


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
    y = model.gelu(name + "_gelu", model.linear(name + "_ffn1", x, width, 4 * width))
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


def distilbert(path, length=128):
    model = Model(opset=17)
    width = 768
    ids = model.input("input_ids", ["batch", length], TensorProto.INT64)
    word = model.node("Gather", "word_embedding", [model.weight("word.weight", [30522, width]), ids])
    numbers = model.integers("position_ids", list(range(length)))
    place = model.node("Gather", "position_embedding", [model.weight("position.weight", [512, width]), numbers])
    x = model.layer_norm("embedding_norm", model.node("Add", "embedding_add", [word, place]), width)
    for layer in range(6):
        x = encoder_block(model, f"layer{layer}", x, length, 12, width)
    model.save(path, x)


# ---- transformers that normalise first ----


def pre_norm_block(model, name, x, length, count, width):
    """Of ViT: one product for queries, keys and values."""
    y = model.linear(name + "_qkv", model.layer_norm(name + "_norm1", x, width), width, 3 * width)
    parts = [f"{name}_{part}" for part in "qkv"]
    model.node("Split", name + "_split", [y], parts, axis=-1)
    y = attention(model, name, *parts, length, count, width, None)
    x = model.node("Add", name + "_residual1", [x, model.linear(name + "_proj", y, width, width)])
    y = model.linear(name + "_fc1", model.layer_norm(name + "_norm2", x, width), width, 4 * width)
    y = model.linear(name + "_fc2", model.gelu(name + "_gelu", y), 4 * width, width)
    return model.node("Add", name + "_residual2", [x, y])


def vit_b16(path):
    model, x = images()
    model.opset, width, patches = 17, 768, 14 * 14
    x = model.conv("patches", x, 3, width, 16, 16, pads=[0] * 4, bias=True)
    batch = model.node("Slice", "batch", [model.node("Shape", "shape", [x]), model.integers("from", [0]),
                                          model.integers("to", [1])])
    x = model.node("Reshape", "rows", [x, model.integers("rows_shape", [0, width, patches])])
    x = model.node("Transpose", "rows_turn", [x], perm=[0, 2, 1])
    sizes = model.node("Concat", "class_shape", [batch, model.integers("one_row", [1, width])], axis=0)
    first = model.node("Expand", "class", [model.weight("class.weight", [1, 1, width]), sizes])
    x = model.node("Concat", "with_class", [first, x], axis=1)
    x = model.node("Add", "positions", [x, model.weight("position.weight", [1, patches + 1, width])])
    for layer in range(12):
        x = pre_norm_block(model, f"layer{layer}", x, patches + 1, 12, width)
    x = model.layer_norm("norm", x, width)
    first = model.node("Gather", "first_token", [x, model.integers("zero", [0])], axis=1)
    model.save(path, model.gemm("head", model.node("Flatten", "flatten", [first], axis=1), width, 1000))


def whisper_tiny_encoder(path, frames=3000):
    model = Model(opset=17)
    width, length = 384, frames // 2
    x = model.input("mel", ["batch", 80, frames])
    x = model.gelu("gelu1", model.conv("conv1", x, 80, width, [3], bias=True))
    x = model.gelu("gelu2", model.conv("conv2", x, width, width, [3], 2, bias=True))
    x = model.node("Transpose", "rows", [x], perm=[0, 2, 1])
    x = model.node("Add", "positions", [x, model.weight("position.weight", [length, width])])
    for layer in range(4):
        name = f"layer{layer}"
        y = model.layer_norm(name + "_norm1", x, width)
        q, v = (model.linear(f"{name}_{part}", y, width, width) for part in ("query", "value"))
        k = model.product(name + "_key", y, width, width)
        y = attention(model, name, q, k, v, length, 6, width, None)
        x = model.node("Add", name + "_residual1", [x, model.linear(name + "_output", y, width, width)])
        y = model.linear(name + "_fc1", model.layer_norm(name + "_norm2", x, width), width, 4 * width)
        y = model.linear(name + "_fc2", model.gelu(name + "_gelu", y), 4 * width, width)
        x = model.node("Add", name + "_residual2", [x, y])
    model.save(path, model.layer_norm("norm", x, width))


# ---- transformers with RMS norms ----


def split_heads(model, name, x, length, count, size):
    x = model.node("Reshape", name + "_split", [x, model.integers(name + "_shape", [0, length, count, size])])
    return model.node("Transpose", name + "_turn", [x], perm=[0, 2, 1, 3])


def scores_and_mix(model, name, q, k, v, length, width, root=None, bias=None):
    """softmax(q k' / root + bias) v of (batch, heads, length, size) tensors, joined again."""
    scores = model.node("MatMul", name + "_scores", [q, model.node("Transpose", name + "_key", [k], perm=[0, 1, 3, 2])])
    if root:
        scores = model.node("Div", name + "_scale", [scores, model.scalar(name + "_root", root)])
    if bias:
        scores = model.node("Add", name + "_bias", [scores, bias])
    mixed = model.node("MatMul", name + "_mix", [model.node("Softmax", name + "_softmax", [scores], axis=-1), v])
    x = model.node("Transpose", name + "_back", [mixed], perm=[0, 2, 1, 3])
    return model.node("Reshape", name + "_join", [x, model.integers(name + "_joined", [0, length, width])])


def causal_mask(model, length):
    """0 where a position may look, else a large negative number; no parameter."""
    allowed = model.weight("allowed", [length, length], TensorProto.BOOL)
    return model.node("Where", "mask", [allowed, model.scalar("mask_0", 0.0), model.scalar("mask_low", -1e9)])


def t5_small(path, length=128):
    """Encoder and decoder; what they read has the same length."""
    model = Model(opset=17)
    width, count, size, inner, words = 512, 8, 64, 2048, 32128
    table = model.weight("shared.weight", [words, width])

    def position_bias(name):
        buckets = model.weight(name + ".buckets", [length, length], TensorProto.INT64)
        x = model.node("Gather", name, [model.weight(name + ".weight", [32, count]), buckets])
        x = model.node("Transpose", name + "_turn", [x], perm=[2, 0, 1])
        return model.node("Unsqueeze", name + "_four", [x, model.integers(name + "_axis", [0])])

    def attend(name, x, memory, bias):
        y = model.rms_norm(name + "_norm", x, width)
        parts = zip("qkv", (y, memory or y, memory or y))
        q, k, v = (split_heads(model, f"{name}_{part}", model.product(f"{name}_{part}", source, width, width), length,
                               count, size) for part, source in parts)
        y = scores_and_mix(model, name, q, k, v, length, width, bias=bias)
        return model.node("Add", name + "_residual", [x, model.product(name + "_o", y, width, width)])

    def feed(name, x):
        y = model.relu(name + "_relu", model.product(name + "_wi", model.rms_norm(name + "_norm", x, width), width, inner))
        return model.node("Add", name + "_residual", [x, model.product(name + "_wo", y, inner, width)])

    def stack(name, ids, memory):
        x = model.node("Gather", name + "_embedding", [table, model.input(ids, ["batch", length], TensorProto.INT64)])
        bias = position_bias(name + "_bias")
        if memory:
            bias = model.node("Add", "causal_bias", [bias, causal_mask(model, length)])
        for layer in range(6):
            x = attend(f"{name}{layer}_self", x, None, bias)
            if memory:
                x = attend(f"{name}{layer}_cross", x, memory, None)
            x = feed(f"{name}{layer}_feed", x)
        return model.rms_norm(name + "_norm", x, width)

    x = stack("decoder", "decoder_input_ids", stack("encoder", "input_ids", None))
    x = model.node("Mul", "lm_head_scale", [x, model.scalar("lm_head_root", width ** -0.5)])
    turned = model.node("Transpose", "lm_head_turn", [table], perm=[1, 0])
    model.save(path, model.node("MatMul", "lm_head", [x, turned]))


def rotary_tables(model, length, size):
    """Cosines and sines (length, size), computed by the graph: no parameters."""
    def numbers(name, *ends):
        ends = [model.node("Constant", f"{name}_{i}", [], value_int=end) for i, end in enumerate(ends)]
        return model.node("Cast", name, [model.node("Range", name + "_whole", ends)], to=TensorProto.FLOAT)

    power = model.node("Div", "rotary_power", [numbers("rotary_even", 0, size, 2), model.scalar("rotary_size", size)])
    power = model.node("Pow", "rotary_base", [model.scalar("rotary_theta", 10000.0), power])
    place = model.node("Unsqueeze", "rotary_rows", [numbers("rotary_place", 0, length, 1), model.integers("rotary_axis", [1])])
    angle = model.node("Mul", "rotary_angle", [place, model.node("Reciprocal", "rotary_frequency", [power])])
    angle = model.node("Concat", "rotary_twice", [angle, angle], axis=-1)
    return model.node("Cos", "rotary_cos", [angle]), model.node("Sin", "rotary_sin", [angle])


def rotate(model, name, x, tables, size):
    """x cos + (-second half, first half) sin, as transformers' models do it."""
    def half(part, start, end):
        values = [model.integers(f"{name}_{part}_{i}", [number]) for i, number in enumerate((start, end, -1))]
        return model.node("Slice", f"{name}_{part}", [x, *values])

    turned = [model.node("Neg", name + "_neg", [half("second", size // 2, 2 ** 63 - 1)]), half("first", 0, size // 2)]
    turned = model.node("Concat", name + "_turned", turned, axis=-1)
    kept = model.node("Mul", name + "_cos", [x, tables[0]])
    return model.node("Add", name + "_rotated", [kept, model.node("Mul", name + "_sin", [turned, tables[1]])])


def repeat(model, name, x, length, kv_count, times, size):
    """Each head of keys or values for `times` heads of queries."""
    x = model.node("Unsqueeze", name + "_five", [x, model.integers(name + "_axis", [2])])
    x = model.node("Expand", name + "_repeat", [x, model.integers(name + "_times", [1, 1, times, 1, 1])])
    return model.node("Reshape", name + "_all", [x, model.integers(name + "_heads", [0, kv_count * times, length, size])])


def llama(path, layers, width, count, kv_count, inner, is_tied, length=512, words=32000):
    """As transformers' LlamaForCausalLM."""
    model = Model(opset=17)
    size = width // count
    tables, mask = rotary_tables(model, length, size), causal_mask(model, length)
    table = model.weight("embed.weight", [words, width])
    x = model.node("Gather", "embed", [table, model.input("input_ids", ["batch", length], TensorProto.INT64)])
    for layer in range(layers):
        name = f"layer{layer}"
        y = model.rms_norm(name + "_norm1", x, width)
        heads_of = {"q": count, "k": kv_count, "v": kv_count}
        q, k, v = (split_heads(model, f"{name}_{part}", model.product(f"{name}_{part}", y, width, heads * size), length,
                               heads, size) for part, heads in heads_of.items())
        q, k = (rotate(model, f"{name}_{part}", part_x, tables, size) for part, part_x in (("q", q), ("k", k)))
        if count > kv_count:
            k, v = (repeat(model, f"{name}_{part}", part_x, length, kv_count, count // kv_count, size)
                    for part, part_x in (("k", k), ("v", v)))
        y = scores_and_mix(model, name, q, k, v, length, width, size ** 0.5, mask)
        x = model.node("Add", name + "_residual1", [x, model.product(name + "_o", y, width, width)])
        y = model.rms_norm(name + "_norm2", x, width)
        gate = model.silu(name + "_silu", model.product(name + "_gate", y, width, inner))
        y = model.node("Mul", name + "_gated", [gate, model.product(name + "_up", y, width, inner)])
        x = model.node("Add", name + "_residual2", [x, model.product(name + "_down", y, inner, width)])
    x = model.rms_norm("norm", x, width)
    if is_tied:
        turned = model.node("Transpose", "lm_head_turn", [table], perm=[1, 0])
        model.save(path, model.node("MatMul", "lm_head", [x, turned]))
    else:
        model.save(path, model.product("lm_head", x, width, words))


SEQUENCE_NETWORKS = {
    "lstm_lm": lstm_lm,
    "bert_base": bert_base,
    "distilbert": distilbert,
    "gpt2": gpt2,
    "vit_b16": vit_b16,
    "whisper_tiny_encoder": whisper_tiny_encoder,
    "t5_small": t5_small,
    "mobilellm_125m": lambda path: llama(path, 30, 576, 9, 3, 1536, True),
    "tinyllama_1b": lambda path: llama(path, 22, 2048, 32, 4, 5632, False),
}
