/* Which nodes the layer kinds describe: convolution, its transpose, pooling, dense layers,
 * normalisation and softmax; recurrent layers: onnx_recurrent.c. What a reader refuses stays an
 * operator.
 */
#include "network/onnx_product.h"

#include <math.h>
#include <string.h>

/* ---- conv2d ---- */

/* An axis more, of one pixel, before those of a 1-D window. */
static void make_flat(struct onnx_window *window)
{
    int64_t *const lists[] = {window->image,    window->kernel, window->stride, window->output,
                              window->dilation, window->before, window->after};
    for (size_t i = 0; i < sizeof lists / sizeof *lists; i++) {
        const bool is_zeros = lists[i] == window->before || lists[i] == window->after;
        lists[i][1] = lists[i][0];
        lists[i][0] = !is_zeros;
    }
    window->axes = 2;
}

/* One stride and one dilation, or two where one of them has nothing to say: along an image of one
 * pixel, between the cells of a kernel of one. */
static bool is_even(struct onnx_window *window)
{
    for (int axis = 0; axis < 2; axis++) {
        if (window->image[axis] == 1 && window->output[axis] == 1)
            window->stride[axis] = window->stride[!axis];
        if (window->kernel[axis] == 1)
            window->dilation[axis] = window->dilation[!axis];
    }
    if (window->kernel[0] == 1 && window->kernel[1] == 1)
        window->dilation[0] = window->dilation[1] = 1;
    return window->stride[0] == window->stride[1] && window->dilation[0] == window->dilation[1];
}

static bool has_zeros(const struct onnx_window *window)
{
    return window->before[0] || window->before[1] || window->after[0] || window->after[1];
}

/* Whether the padding gives the window's output along an axis. */
static bool gives_output(const struct onnx_window *window, int axis, int32_t padding)
{
    const int64_t span = (window->kernel[axis] - 1) * window->dilation[axis] + 1;
    if (padding == PADDING_VALID && (has_zeros(window) || span > window->image[axis]))
        return false;
    return window_of((int32_t)window->image[axis], (int32_t)span, (int32_t)window->stride[axis],
                     padding)
               .output_size == window->output[axis];
}

enum { SIDE_LIMIT = 65536 }; /* above every bound of the kinds, far below what int32_t holds */

/* The padding with which the kinds' windows give the same output, -1: none does. Where the zeros
 * lie (PyTorch's 3 and 3 around an image for 2 and 3) changes neither size nor work. */
static int32_t padding_of(const struct onnx_window *window)
{
    for (int axis = 0; axis < 2; axis++)
        if (window->image[axis] > SIDE_LIMIT || window->stride[axis] > SIDE_LIMIT ||
            window->kernel[axis] * window->dilation[axis] > SIDE_LIMIT)
            return -1;
    for (int32_t padding = PADDING_VALID; padding <= PADDING_SAME; padding++)
        if (gives_output(window, 0, padding) && gives_output(window, 1, padding))
            return padding;
    return -1;
}

/* 0 where it is the height. */
static int32_t width_beside(const int64_t *sizes)
{
    return sizes[1] == sizes[0] ? 0 : (int32_t)sizes[1];
}

static bool read_conv(struct onnx_match *match, const struct onnx_call *call)
{
    const struct onnx_value *x = onnx_input(call, 0);
    struct onnx_value *w = onnx_input(call, 1), *bias = onnx_input(call, 2);
    struct onnx_window window;
    if (onnx_window_read(call, &window) != STATUS_OK || window.axes > 2 || !w->is_constant)
        return false;
    if (window.axes == 1)
        make_flat(&window);
    const int32_t padding = is_even(&window) ? padding_of(&window) : -1;
    if (padding < 0)
        return false;
    *match = (struct onnx_match){
        .rows = (double)x->dims[0], .parameters = {w, bias}, .config.kind = LAYER_CONV2D};
    match->config.as.conv2d = (struct conv2d){.image_size = (int32_t)window.image[0],
                                              .kernel_size = (int32_t)window.kernel[0],
                                              .channels_in = (int32_t)x->dims[1],
                                              .channels_out = (int32_t)w->dims[0],
                                              .stride = (int32_t)window.stride[0],
                                              .padding = padding,
                                              .use_bias = bias ? SWITCH_YES : SWITCH_NO,
                                              .image_width = width_beside(window.image),
                                              .kernel_width = width_beside(window.kernel),
                                              .groups = (int32_t)onnx_integer(call, "group", 1),
                                              .dilation = (int32_t)window.dilation[0]};
    return true;
}

/* ---- conv_transpose2d ---- */

/* Whether the padding gives the window's output along an axis. */
static bool gives_transposed(const struct onnx_window *window, int axis, int32_t padding)
{
    const int64_t image = window->image[axis], stride = window->stride[axis];
    return window->output[axis] ==
           (padding == PADDING_SAME ? image * stride : (image - 1) * stride + window->kernel[axis]);
}

static bool read_conv_transpose(struct onnx_match *match, const struct onnx_call *call)
{
    const struct onnx_value *x = onnx_input(call, 0);
    struct onnx_value *w = onnx_input(call, 1), *bias = onnx_input(call, 2);
    struct onnx_window window;
    if (onnx_window_read_transposed(call, &window) != STATUS_OK || window.axes > 2 ||
        !w->is_constant || onnx_integer(call, "group", 1) != 1)
        return false;
    if (window.axes == 1)
        make_flat(&window);
    if (!is_even(&window) || window.dilation[0] != 1 || window.image[0] > SIDE_LIMIT ||
        window.image[1] > SIDE_LIMIT || window.kernel[0] > SIDE_LIMIT ||
        window.kernel[1] > SIDE_LIMIT || window.stride[0] > SIDE_LIMIT)
        return false;
    int32_t padding = PADDING_SAME;
    const bool is_flat = window.image[0] == 1 && window.kernel[0] == 1 && window.output[0] == 1;
    if (!(is_flat || gives_transposed(&window, 0, padding)) ||
        !gives_transposed(&window, 1, padding))
        padding = PADDING_VALID;
    if (!(is_flat || gives_transposed(&window, 0, padding)) ||
        !gives_transposed(&window, 1, padding))
        return false;
    *match = (struct onnx_match){
        .rows = (double)x->dims[0], .parameters = {w, bias}, .config.kind = LAYER_CONV_TRANSPOSE2D};
    match->config.as.conv_transpose2d = (struct conv_transpose2d){
        .image_size = (int32_t)window.image[0],
        .kernel_size = (int32_t)window.kernel[0],
        .channels_in = (int32_t)x->dims[1],
        .channels_out = (int32_t)w->dims[1],
        .stride = (int32_t)window.stride[0],
        .padding = padding,
        .use_bias = bias ? SWITCH_YES : SWITCH_NO,
        .image_width = width_beside(window.image),
        .kernel_width = width_beside(window.kernel)};
    return true;
}

/* ---- pool2d ---- */

static bool is_square(const struct onnx_window *window)
{
    const int64_t *const pairs[] = {window->image, window->kernel, window->stride, window->output};
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++)
        if (window->axes != 2 || pairs[i][0] != pairs[i][1] || pairs[i][0] > SIDE_LIMIT)
            return false;
    return window->dilation[0] == 1 && window->dilation[1] == 1;
}

/* The padding of a window that the kind knows, -1: it does not know it. */
static int32_t square_padding(const struct onnx_call *call, struct onnx_window *window)
{
    if (onnx_window_read(call, window) != STATUS_OK || !is_square(window))
        return -1;
    return padding_of(window);
}

static bool read_pool(struct onnx_match *match, const struct onnx_call *call,
                      const struct onnx_window *window, int32_t padding)
{
    const struct onnx_value *x = onnx_input(call, 0);
    const bool is_max = strstr(call->node->known->name, "max") != NULL;
    if (padding < 0)
        return false;
    *match = (struct onnx_match){.rows = (double)x->dims[0], .config.kind = LAYER_POOL2D};
    match->config.as.pool2d = (struct pool2d){.image_size = (int32_t)window->image[0],
                                              .kernel_size = (int32_t)window->kernel[0],
                                              .channels = (int32_t)x->dims[1],
                                              .stride = (int32_t)window->stride[0],
                                              .padding = padding,
                                              .pooling = is_max ? POOLING_MAX : POOLING_AVERAGE};
    return true;
}

static bool read_window_pool(struct onnx_match *match, const struct onnx_call *call)
{
    struct onnx_window window;
    const int32_t padding = square_padding(call, &window);
    return read_pool(match, call, &window, padding);
}

/* A global pool, or a mean over both axes of an image, is a window over all of it. */
static bool global_window(const struct onnx_call *call, struct onnx_window *window)
{
    const struct onnx_value *x = onnx_input(call, 0), *y = onnx_output(call, 0);
    *window = (struct onnx_window){.axes = x->rank - 2};
    if (x->rank != 4 || !y || y->count != (double)x->dims[0] * (double)x->dims[1] ||
        y->dims[0] != x->dims[0] || y->rank < 2 || y->dims[1] != x->dims[1])
        return false;
    for (int axis = 0; axis < 2; axis++) {
        window->image[axis] = window->kernel[axis] = x->dims[2 + axis];
        window->stride[axis] = window->dilation[axis] = window->output[axis] = 1;
    }
    return true;
}

static bool read_global_pool(struct onnx_match *match, const struct onnx_call *call)
{
    struct onnx_window window;
    const int32_t largest = layer_feature_find(LAYER_POOL2D, "kernel_size")->maximum;
    return (global_window(call, &window) && is_square(&window) && window.kernel[0] <= largest &&
            read_pool(match, call, &window, padding_of(&window))) ||
           onnx_read_reduction(match, call);
}

/* ---- dense ---- */

/* Rows of activations times a matrix of weights. */
static bool read_dense(struct onnx_match *match, const struct onnx_call *call, double inner,
                       double columns, struct onnx_value *bias)
{
    const struct onnx_value *a = onnx_input(call, 0);
    struct onnx_value *b = onnx_input(call, 1);
    if (a->is_constant || !b->is_constant || b->rank != 2 || a->rank < 2 || inner > INT32_MAX ||
        columns > INT32_MAX)
        return false;
    *match = (struct onnx_match){.rows = a->count / inner,
                                 .parameters = {b, bias},
                                 .bias_count = bias ? 0 : columns,
                                 .config.kind = LAYER_DENSE};
    match->config.as.dense = (struct dense){.inputs = (int32_t)inner,
                                            .outputs = (int32_t)columns,
                                            .use_bias = bias ? SWITCH_YES : SWITCH_NO};
    return true;
}

static bool read_gemm(struct onnx_match *match, const struct onnx_call *call)
{
    const struct onnx_value *a = onnx_input(call, 0), *b = onnx_input(call, 1);
    struct onnx_value *bias = onnx_input(call, 2);
    const bool turned_b = onnx_integer(call, "transB", 0);
    const double columns = (double)b->dims[!turned_b];
    if (onnx_integer(call, "transA", 0) || (bias && (!bias->is_constant || bias->count != columns)))
        return false;
    return read_dense(match, call, (double)a->dims[1], columns, bias);
}

static bool read_matmul(struct onnx_match *match, const struct onnx_call *call)
{
    const struct onnx_value *a = onnx_input(call, 0), *b = onnx_input(call, 1);
    const double inner = (double)a->dims[a->rank - 1], columns = (double)b->dims[b->rank - 1];
    return read_dense(match, call, inner, columns, NULL) || onnx_read_product(match, call);
}

/* ---- batch_norm ---- */

/* Square images, scales and shifts of constants, one output. */
static bool read_batch_norm(struct onnx_match *match, const struct onnx_call *call)
{
    const struct onnx_value *x = onnx_input(call, 0);
    struct onnx_value *scale = onnx_input(call, 1), *shift = onnx_input(call, 2);
    if (x->is_constant || x->rank != 4 || x->dims[2] != x->dims[3] || x->dims[1] > INT32_MAX ||
        x->dims[2] > INT32_MAX || !scale->is_constant || !shift->is_constant ||
        onnx_integer(call, "spatial", 1) != 1)
        return false;
    for (int i = 1; i < call->node->output_count; i++)
        if (onnx_output(call, i))
            return false;
    *match = (struct onnx_match){
        .rows = (double)x->dims[0], .parameters = {scale, shift}, .config.kind = LAYER_BATCH_NORM};
    match->config.as.batch_norm = (struct batch_norm){.image_size = (int32_t)x->dims[2],
                                                      .channels = (int32_t)x->dims[1]};
    return true;
}

/* ---- softmax ---- */

/* Over the last axes from `axis` on, or over one behind which nothing stands: rows. */
static bool read_softmax(struct onnx_match *match, const struct onnx_call *call)
{
    const struct onnx_value *x = onnx_input(call, 0);
    const bool is_flattened = call->graph->opset < 13;
    const int64_t said = onnx_integer(call, "axis", is_flattened ? 1 : -1);
    const int64_t axis = said < 0 ? said + x->rank : said;
    double width = 1, behind = 1;
    if (x->is_constant || axis < 0 || axis >= x->rank)
        return false;
    for (int i = (int)axis; i < x->rank; i++)
        *(is_flattened || i == axis ? &width : &behind) *= (double)x->dims[i];
    const double samples = onnx_samples(call->graph, onnx_output(call, 0));
    const double positions = x->count / width / samples;
    if (behind != 1 || !(positions >= 1 && positions <= INT32_MAX && width <= INT32_MAX) ||
        floor(positions) != positions)
        return false;
    *match = (struct onnx_match){.rows = samples, .config.kind = LAYER_SOFTMAX};
    match->config.as.softmax = (struct softmax){.positions = (int32_t)positions,
                                                .width = (int32_t)width};
    return true;
}

/* ---- the operators of kinds ---- */

static const struct reader {
    const char *op_type;
    onnx_read_function *read;
} readers[] = {
    {"Add", onnx_read_binary},
    {"Attention", onnx_read_attention},
    {"AveragePool", read_window_pool},
    {"BatchNormalization", read_batch_norm},
    {"Celu", onnx_read_activation},
    {"Clip", onnx_read_activation},
    {"Concat", onnx_read_concat},
    {"Conv", read_conv},
    {"ConvTranspose", read_conv_transpose},
    {"Div", onnx_read_binary},
    {"Einsum", onnx_read_product},
    {"Elu", onnx_read_activation},
    {"Exp", onnx_read_activation},
    {"FastGelu", onnx_read_activation},
    {"FusedConv", read_conv},
    {"FusedGemm", read_gemm},
    {"FusedMatMul", onnx_read_product},
    {"GRU", onnx_read_recurrent},
    {"Gather", onnx_read_embedding},
    {"Gelu", onnx_read_activation},
    {"Gemm", read_gemm},
    {"GlobalAveragePool", read_global_pool},
    {"GlobalMaxPool", read_global_pool},
    {"GroupNormalization", onnx_read_group_norm},
    {"GroupQueryAttention", onnx_read_attention_of_three},
    {"HardSwish", onnx_read_activation},
    {"InstanceNormalization", onnx_read_group_norm},
    {"LSTM", onnx_read_recurrent},
    {"LayerNormalization", onnx_read_layer_norm},
    {"LeakyRelu", onnx_read_activation},
    {"LogSoftmax", read_softmax},
    {"MatMul", read_matmul},
    {"MaxPool", read_window_pool},
    {"Mish", onnx_read_activation},
    {"Mul", onnx_read_binary},
    {"MultiHeadAttention", onnx_read_attention_of_three},
    {"QuickGelu", onnx_read_activation},
    {"RMSNormalization", onnx_read_layer_norm},
    {"RNN", onnx_read_recurrent},
    {"ReduceL2", onnx_read_reduction},
    {"ReduceMax", onnx_read_reduction},
    {"ReduceMean", read_global_pool},
    {"ReduceMin", onnx_read_reduction},
    {"ReduceSum", onnx_read_reduction},
    {"Relu", onnx_read_activation},
    {"Resize", onnx_read_resize},
    {"Selu", onnx_read_activation},
    {"Sigmoid", onnx_read_activation},
    {"SimplifiedLayerNormalization", onnx_read_layer_norm},
    {"Softmax", read_softmax},
    {"SoftmaxCrossEntropyLoss", onnx_read_loss},
    {"Softplus", onnx_read_activation},
    {"Sub", onnx_read_binary},
    {"Sum", onnx_read_binary},
    {"Swish", onnx_read_activation},
    {"Tanh", onnx_read_activation},
    {"Transpose", onnx_read_transpose},
    {"TransposeMatMul", onnx_read_product},
    {"Upsample", onnx_read_resize},
};

onnx_read_function *onnx_reader_find(const struct onnx_operator *known)
{
    for (size_t i = 0; known && i < sizeof readers / sizeof *readers; i++)
        if (strcmp(readers[i].op_type, known->op_type) == 0)
            return readers[i].read;
    return NULL;
}
