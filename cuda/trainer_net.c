#include "trainer_net.h"

#include "cuda_check.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const size_t alignment_bytes = 256;

/* Takes `bytes` from the arena; with memory == NULL it only counts them. */
static void *take(unsigned char *memory, size_t *used, size_t bytes)
{
    void *taken = memory ? memory + *used : NULL;
    *used += (bytes + alignment_bytes - 1) / alignment_bytes * alignment_bytes;
    return taken;
}

static float *take_floats(unsigned char *memory, size_t *used, size_t count)
{
    return take(memory, used, count * sizeof(float));
}

static enum status allocate(void **memory, size_t bytes, const char *what, struct error *error)
{
    cudaError_t code = cudaMalloc(memory, bytes > 0 ? bytes : 1);
    if (code == cudaErrorMemoryAllocation) {
        cudaGetLastError();
        FAIL(error, STATUS_OUT_OF_MEMORY, "CUDA: %zu bytes for the %s do not fit the device", bytes,
             what);
        return error_hint(error, "train with --engine host, or free memory on the device"),
               STATUS_OUT_OF_MEMORY;
    }
    return cuda_check(code, "cudaMalloc", __FILE__, __LINE__, error);
}

/* ---- data ---- */

static size_t place_data(struct cuda_train_data *data, unsigned char *memory)
{
    const struct train_data *source = data->source;
    size_t used = 0, width = (size_t)source->inputs;
    data->train_inputs = take_floats(memory, &used, source->train_rows * width);
    data->train_targets = take_floats(memory, &used, source->train_rows);
    data->test_inputs = take_floats(memory, &used, source->test_rows * width);
    data->test_targets = take_floats(memory, &used, source->test_rows);
    return used;
}

static enum status upload(float *to, const float *from, size_t count, struct error *error)
{
    if (count > 0)
        CUDA_TRY(error, cudaMemcpy(to, from, count * sizeof *to, cudaMemcpyHostToDevice));
    return STATUS_OK;
}

static enum status upload_data(struct cuda_train_data *data, struct error *error)
{
    const struct train_data *source = data->source;
    size_t width = (size_t)source->inputs;
    TRY(upload(data->train_inputs, source->train_inputs, source->train_rows * width, error));
    TRY(upload(data->train_targets, source->train_targets, source->train_rows, error));
    TRY(upload(data->test_inputs, source->test_inputs, source->test_rows * width, error));
    return upload(data->test_targets, source->test_targets, source->test_rows, error);
}

enum status cuda_train_data_create(struct cuda_train_data *data, const struct train_data *source,
                                   struct error *error)
{
    *data = (struct cuda_train_data){.source = source};
    enum status status = allocate(&data->memory, place_data(data, NULL), "training data", error);
    if (status == STATUS_OK) {
        place_data(data, data->memory);
        status = upload_data(data, error);
    }
    if (status != STATUS_OK)
        cuda_train_data_free(data);
    return status;
}

void cuda_train_data_free(struct cuda_train_data *data)
{
    if (data->memory)
        cudaFree(data->memory);
    *data = (struct cuda_train_data){0};
}

/* ---- net ---- */

static size_t place(struct cuda_net *net, unsigned char *memory)
{
    const struct mlp_shape *shape = &net->job->shape;
    size_t used = 0, batch = (size_t)net->batch_rows;
    size_t rows = batch > EVALUATION_ROWS ? batch : EVALUATION_ROWS;
    float **flat[] = {&net->parameters, &net->best, &net->m, &net->v};
    for (size_t i = 0; i < sizeof flat / sizeof *flat; i++)
        *flat[i] = take_floats(memory, &used, net->parameter_count);
    net->gradients = take_floats(memory, &used, (size_t)net->slice_count * net->parameter_count);
    net->inputs = take_floats(memory, &used, batch * (size_t)shape->widths[0]);
    net->targets = take_floats(memory, &used, batch);
    net->delta = take_floats(memory, &used, batch);
    for (int layer = 0; layer < shape->layer_count - 1; layer++) {
        size_t width = (size_t)shape->widths[layer + 1];
        net->activations[layer] = take_floats(memory, &used, rows * width);
        net->hidden_deltas[layer] = take_floats(memory, &used, batch * width);
        if (shape->activation == MLP_ACTIVATION_SILU)
            net->slopes[layer] = take_floats(memory, &used, batch * width);
    }
    net->rates = take(memory, &used, net->epoch_steps * sizeof *net->rates);
    net->state = take(memory, &used, sizeof *net->state);
    net->train_error = take(memory, &used, OUTPUT_SLOTS * sizeof *net->train_error);
    net->test_error = take(memory, &used, OUTPUT_SLOTS * sizeof *net->test_error);
    net->norms = take(memory, &used, NORM_SLOTS * sizeof *net->norms);
    net->positive = take(memory, &used, OUTPUT_SLOTS * sizeof *net->positive);
    net->test_positive = take(memory, &used, OUTPUT_SLOTS * sizeof *net->test_positive);
    return used;
}

static void size_batches(struct cuda_net *net)
{
    const struct train_data *data = net->job->data;
    size_t batch = (size_t)net->job->options.batch_size;
    if (batch > data->train_rows)
        batch = data->train_rows;
    size_t slice = (batch + SLICE_LIMIT - 1) / SLICE_LIMIT;
    slice = slice < SLICE_ROWS_MINIMUM ? SLICE_ROWS_MINIMUM : slice;
    net->batch_rows = (int32_t)batch;
    net->slice_rows = (int32_t)slice;
    net->slice_count = (int32_t)((batch + slice - 1) / slice);
    net->epoch_steps = (uint32_t)((data->train_rows + batch - 1) / batch);
}

enum status cuda_net_create(struct cuda_net *net, const struct train_job *job,
                            const struct cuda_train_data *data, cudaStream_t stream,
                            struct error *error)
{
    int device;
    *net = (struct cuda_net){.job = job, .data = data, .stream = stream};
    CUDA_TRY(error, cudaGetDevice(&device));
    CUDA_TRY(error,
             cudaDeviceGetAttribute(&net->multiprocessors, cudaDevAttrMultiProcessorCount, device));
    net->parameter_count = mlp_parameter_count(&job->shape);
    size_batches(net);
    TRY(allocate(&net->memory, place(net, NULL), "net", error));
    place(net, net->memory);
    return STATUS_OK;
}

void cuda_net_free(struct cuda_net *net)
{
    if (net->memory)
        cudaFree(net->memory);
    *net = (struct cuda_net){0};
}

/* ---- one step ---- */

static int32_t rows_of(const struct cuda_net *net, uint32_t index)
{
    size_t left = net->job->data->train_rows - (size_t)index * (size_t)net->batch_rows;
    return left < (size_t)net->batch_rows ? (int32_t)left : net->batch_rows;
}

static int32_t slices_of(const struct cuda_net *net, int32_t rows)
{
    return (rows + net->slice_rows - 1) / net->slice_rows;
}

static struct gather gather_of(const struct cuda_net *net, uint32_t index, uint32_t epoch_ahead)
{
    return (struct gather){
        .train_inputs = net->data->train_inputs,
        .train_targets = net->data->train_targets,
        .inputs = net->inputs,
        .targets = net->targets,
        .width = net->job->shape.widths[0],
        .rows = rows_of(net, index),
        .train_rows = (uint32_t)net->job->data->train_rows,
        .first = index * (uint32_t)net->batch_rows,
        .epoch_ahead = epoch_ahead,
        .seed = net->job->seed,
        .state = net->state,
    };
}

static enum status upload_start(struct cuda_net *net, uint64_t seed, struct error *error)
{
    struct train_state state = {.best_score = INFINITY};
    size_t bytes = net->parameter_count * sizeof(float);
    void *initial;
    TRY(error_allocate(&initial, net->parameter_count, sizeof(float), "initial weights", error));
    if (net->job->initial)
        memcpy(initial, net->job->initial, bytes);
    else
        mlp_initialise(initial, &net->job->shape, seed);
    cudaError_t code = cudaMemcpy(net->parameters, initial, bytes, cudaMemcpyHostToDevice);
    free(initial);
    CUDA_TRY(error, code);
    CUDA_TRY(error, cudaMemcpy(net->state, &state, sizeof state, cudaMemcpyHostToDevice));
    return STATUS_OK;
}

enum status cuda_net_start(struct cuda_net *net, uint64_t seed, struct error *error)
{
    const struct {
        void *memory;
        size_t bytes;
    } zeroed[] = {
        {net->m, net->parameter_count * sizeof *net->m},
        {net->v, net->parameter_count * sizeof *net->v},
        {net->gradients, (size_t)net->slice_count * net->parameter_count * sizeof *net->gradients},
        {net->train_error, OUTPUT_SLOTS * sizeof *net->train_error},
        {net->test_error, OUTPUT_SLOTS * sizeof *net->test_error},
        {net->positive, OUTPUT_SLOTS * sizeof *net->positive},
        {net->test_positive, OUTPUT_SLOTS * sizeof *net->test_positive},
    };
    TRY(upload_start(net, seed, error));
    for (size_t i = 0; i < sizeof zeroed / sizeof *zeroed; i++)
        CUDA_TRY(error, cudaMemsetAsync(zeroed[i].memory, 0, zeroed[i].bytes, net->stream));
    struct gather first = gather_of(net, 0, 0);
    CUDA_TRY(error, launch_gather(&first, net->stream));
    return STATUS_OK;
}

enum status cuda_net_schedule(struct cuda_net *net, uint32_t first, uint32_t count,
                              struct error *error)
{
    CUDA_TRY(error, launch_schedule(net->rates + first, &net->job->options, first, count,
                                    net->epoch_steps, net->state, net->stream));
    return STATUS_OK;
}

static struct products products_of(const struct cuda_net *net, const struct train_state *state)
{
    return (struct products){
        .state = state, .epoch_steps = net->epoch_steps, .seed = net->job->seed};
}

/* a = relu or silu (inputs W + b) */
static struct product forward_product(const struct cuda_net *net, const float *parameters,
                                      int layer, const float *inputs, int32_t rows)
{
    const struct mlp_shape *shape = &net->job->shape;
    int32_t inner = shape->widths[layer], columns = shape->widths[layer + 1];
    return (struct product){
        .rows = rows,
        .columns = columns,
        .depth = inner,
        .a = inputs,
        .b = parameters + mlp_weight_offset(shape, layer),
        .a_row_stride = inner,
        .a_depth_stride = 1,
        .b_column_stride = 1,
        .b_depth_stride = columns,
        .ones_row = -1,
        .slice_depth = inner,
        .slice_count = 1,
        .c = net->activations[layer],
        .c_stride = columns,
        .epilogue = shape->activation == MLP_ACTIVATION_SILU ? EPILOGUE_SILU : EPILOGUE_RELU,
        .bias = parameters + mlp_bias_offset(shape, layer),
    };
}

static struct output_layer output_of(const struct cuda_net *net, const float *parameters,
                                     const float *inputs, const float *targets, int32_t rows)
{
    const struct mlp_shape *shape = &net->job->shape;
    int last = shape->layer_count - 1;
    return (struct output_layer){
        .inputs = last ? net->activations[last - 1] : inputs,
        .weights = parameters + mlp_weight_offset(shape, last),
        .bias = parameters + mlp_bias_offset(shape, last),
        .targets = targets,
        .rows = rows,
        .width = shape->widths[last],
        .batch_rows = rows,
        .output = shape->output,
        .dropout_scale = 1.0f / (1.0f - net->job->options.dropout),
        .loss = net->job->options.loss,
        .loss_scale = net->job->options.loss_scale,
        .squared_error = net->test_error,
        .positive = net->test_positive,
    };
}

static enum status forward(struct cuda_net *net, uint32_t index, int32_t rows, struct error *error)
{
    int last = net->job->shape.layer_count - 1;
    const float *inputs = net->inputs;
    for (int layer = 0; layer < last; layer++) {
        struct products products = products_of(net, net->state);
        struct product *product = &products.product[products.count++];
        *product = forward_product(net, net->parameters, layer, inputs, rows);
        product->dropout = layer == last - 1 ? net->job->options.dropout : 0;
        product->step = index;
        product->slopes = net->slopes[layer];
        CUDA_TRY(error, launch_products(&products, net->multiprocessors, net->stream));
        inputs = net->activations[layer];
    }
    struct output_layer output = output_of(net, net->parameters, net->inputs, net->targets, rows);
    output.delta = net->delta;
    output.hidden_delta = last ? net->hidden_deltas[last - 1] : NULL;
    output.slopes = last ? net->slopes[last - 1] : NULL;
    output.squared_error = net->train_error;
    output.positive = net->positive;
    output.state = net->state;
    CUDA_TRY(error, launch_output_layer(&output, net->stream));
    return STATUS_OK;
}

/* Gradient of W and b of `layer`: (inputs, a last row of ones)^T delta, by slices of the batch. An
 * output without bias leaves the ones out; its gradient stays 0. */
static struct product weight_product(const struct cuda_net *net, int layer, int32_t rows)
{
    const struct mlp_shape *shape = &net->job->shape;
    bool last = layer == shape->layer_count - 1;
    int32_t inner = shape->widths[layer], columns = shape->widths[layer + 1];
    bool with_bias = !last || shape->output_bias;
    return (struct product){
        .rows = inner + with_bias,
        .columns = columns,
        .depth = rows,
        .a = layer ? net->activations[layer - 1] : net->inputs,
        .b = last ? net->delta : net->hidden_deltas[layer],
        .a_row_stride = 1,
        .a_depth_stride = inner,
        .b_column_stride = 1,
        .b_depth_stride = columns,
        .ones_row = with_bias ? inner : -1,
        .slice_depth = net->slice_rows,
        .slice_count = slices_of(net, rows),
        .c = net->gradients + mlp_weight_offset(shape, layer),
        .c_stride = columns,
        .c_slice_stride = net->parameter_count,
        .epilogue = EPILOGUE_STORE,
    };
}

/* Gradient of the input of hidden layer `layer`, through the activation of the layer before.
 */
static struct product input_product(const struct cuda_net *net, int layer, int32_t rows)
{
    const struct mlp_shape *shape = &net->job->shape;
    int32_t inner = shape->widths[layer], columns = shape->widths[layer + 1];
    return (struct product){
        .rows = rows,
        .columns = inner,
        .depth = columns,
        .a = net->hidden_deltas[layer],
        .b = net->parameters + mlp_weight_offset(shape, layer),
        .a_row_stride = columns,
        .a_depth_stride = 1,
        .b_column_stride = columns,
        .b_depth_stride = 1,
        .ones_row = -1,
        .slice_depth = columns,
        .slice_count = 1,
        .c = net->hidden_deltas[layer - 1],
        .c_stride = inner,
        .epilogue = net->slopes[layer - 1] ? EPILOGUE_SLOPE : EPILOGUE_MASK,
        .mask = net->slopes[layer - 1] ? net->slopes[layer - 1] : net->activations[layer - 1],
    };
}

static enum status backward(struct cuda_net *net, int32_t rows, struct error *error)
{
    int last = net->job->shape.layer_count - 1;
    for (int layer = last > 0 ? last - 1 : 0; layer >= 0; layer--) {
        struct products products = products_of(net, net->state);
        products.product[products.count++] = weight_product(net, layer, rows);
        if (layer > 0)
            products.product[products.count++] = input_product(net, layer, rows);
        if (layer == last - 1)
            products.product[products.count++] = weight_product(net, last, rows);
        CUDA_TRY(error, launch_products(&products, net->multiprocessors, net->stream));
    }
    return STATUS_OK;
}

enum status cuda_net_gradient(struct cuda_net *net, uint32_t index, struct error *error)
{
    int32_t rows = rows_of(net, index);
    TRY(forward(net, index, rows, error));
    return backward(net, rows, error);
}

static struct flat_layout layout_of(const struct mlp_shape *shape)
{
    struct flat_layout layout = {.layer_count = shape->layer_count};
    for (int layer = 0; layer <= shape->layer_count; layer++)
        layout.weight_offset[layer] = (uint32_t)mlp_weight_offset(shape, layer);
    for (int layer = 0; layer < shape->layer_count; layer++)
        layout.bias_offset[layer] = (uint32_t)mlp_bias_offset(shape, layer);
    return layout;
}

enum status cuda_net_update(struct cuda_net *net, uint32_t index, struct error *error)
{
    const struct train_options *options = &net->job->options;
    uint32_t next = (index + 1) % net->epoch_steps;
    struct update update = {
        .parameters = net->parameters,
        .m = net->m,
        .v = net->v,
        .gradients = net->gradients,
        .count = (uint32_t)net->parameter_count,
        .slice_count = slices_of(net, rows_of(net, index)),
        .layout = layout_of(&net->job->shape),
        .beta1 = options->beta1,
        .beta2 = options->beta2,
        .epsilon = options->epsilon,
        .l2 = options->l2,
        .gradient_clip = options->gradient_clip,
        .rate = net->rates + index,
        .norms = net->norms,
        .next = gather_of(net, next, next == 0),
    };
    CUDA_TRY(error, launch_update(&update, net->stream));
    return STATUS_OK;
}

/* ---- evaluation and the end of an epoch ---- */

/* Adds the squared errors of the rows to the test slots. */
static enum status evaluate(struct cuda_net *net, const float *parameters, const float *inputs,
                            const float *targets, size_t rows, const struct train_state *state,
                            struct error *error)
{
    const struct mlp_shape *shape = &net->job->shape;
    for (size_t first = 0; first < rows; first += EVALUATION_ROWS) {
        size_t left = rows - first;
        int32_t count = (int32_t)(left < EVALUATION_ROWS ? left : EVALUATION_ROWS);
        const float *layer_inputs = inputs + first * (size_t)shape->widths[0];
        struct output_layer output = output_of(net, parameters, layer_inputs, targets + first,
                                               count);
        output.state = state;
        for (int layer = 0; layer < shape->layer_count - 1; layer++) {
            struct products products = products_of(net, state);
            products.product[products.count++] = forward_product(net, parameters, layer,
                                                                 layer_inputs, count);
            CUDA_TRY(error, launch_products(&products, net->multiprocessors, net->stream));
            layer_inputs = net->activations[layer];
        }
        CUDA_TRY(error, launch_output_layer(&output, net->stream));
    }
    return STATUS_OK;
}

enum status cuda_net_epoch_end(struct cuda_net *net, struct error *error)
{
    const struct train_data *data = net->job->data;
    TRY(evaluate(net, net->parameters, net->data->test_inputs, net->data->test_targets,
                 data->test_rows, net->state, error));
    struct epoch_end end = {
        .state = net->state,
        .train_error = net->train_error,
        .test_error = net->test_error,
        .positive = net->positive,
        .train_rows = (double)data->train_rows,
        .test_rows = (double)data->test_rows,
        .relu_output = net->job->shape.output == MLP_OUTPUT_RELU,
        .epochs = net->job->options.epochs,
        .patience = net->job->options.patience,
        .keep_best = net->job->options.keep_best,
        .parameters = net->parameters,
        .best = net->best,
        .count = (uint32_t)net->parameter_count,
    };
    CUDA_TRY(error, launch_epoch_end(&end, net->stream));
    return STATUS_OK;
}

enum status cuda_net_rmsle(double *rmsle, struct cuda_net *net, const float *parameters,
                           const float *inputs, const float *targets, size_t rows,
                           struct error *error)
{
    double slots[OUTPUT_SLOTS], sum = 0;
    CUDA_TRY(error, cudaMemsetAsync(net->test_error, 0, sizeof slots, net->stream));
    TRY(evaluate(net, parameters, inputs, targets, rows, NULL, error));
    CUDA_TRY(error, cudaStreamSynchronize(net->stream));
    CUDA_TRY(error, cudaMemcpy(slots, net->test_error, sizeof slots, cudaMemcpyDeviceToHost));
    for (int i = 0; i < OUTPUT_SLOTS; i++)
        sum += slots[i];
    *rmsle = rows > 0 ? sqrt(sum / (double)rows) : NAN;
    return STATUS_OK;
}
