/* Memory of nets side by side: what they take, how they start, what is read back. */
#include "trainer_nets.h"

#include "cuda_check.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- what fits one another ---- */

struct net_plan net_plan_of(const struct train_job *job)
{
    const struct train_data *data = job->data;
    size_t batch = (size_t)job->options.batch_size;
    if (batch > data->train_rows)
        batch = data->train_rows;
    size_t slice = (batch + SLICE_LIMIT - 1) / SLICE_LIMIT;
    slice = slice < SLICE_ROWS_MINIMUM ? SLICE_ROWS_MINIMUM : slice;
    return (struct net_plan){
        .shape = job->shape,
        .parameter_count = mlp_parameter_count(&job->shape),
        .batch_rows = (int32_t)batch,
        .slice_rows = (int32_t)slice,
        .slice_count = (int32_t)((batch + slice - 1) / slice),
        .epoch_steps = (uint32_t)((data->train_rows + batch - 1) / batch),
        .train_rows = data->train_rows,
        .test_rows = data->test_rows,
    };
}

static bool same_shape(const struct mlp_shape *a, const struct mlp_shape *b)
{
    return a->layer_count == b->layer_count && a->output == b->output &&
           a->activation == b->activation && a->output_bias == b->output_bias &&
           memcmp(a->widths, b->widths, (size_t)(a->layer_count + 1) * sizeof *a->widths) == 0;
}

/* A net with a shorter epoch waits at the end of each for the longest: by a quarter at most. */
bool net_plans_fit(const struct net_plan *a, const struct net_plan *b)
{
    uint32_t longer = a->epoch_steps > b->epoch_steps ? a->epoch_steps : b->epoch_steps;
    uint32_t shorter = a->epoch_steps + b->epoch_steps - longer;
    return a->batch_rows == b->batch_rows && same_shape(&a->shape, &b->shape) &&
           longer - shorter <= shorter / 4;
}

/* ---- memory ---- */

static float *take_floats(unsigned char *memory, size_t *used, size_t count)
{
    return arena_take(memory, used, count * sizeof(float));
}

static int32_t tiles_of(const struct mlp_shape *shape, int layer)
{
    return (shape->widths[layer] + 1 + NORM_ROWS - 1) / NORM_ROWS *
           ((shape->widths[layer + 1] + NORM_COLUMNS - 1) / NORM_COLUMNS);
}

static int32_t count_tiles(const struct mlp_shape *shape)
{
    int32_t count = 0;
    for (int layer = 0; layer < shape->layer_count; layer++)
        count += tiles_of(shape, layer);
    return count;
}

static void place_norms(struct net_arrays *net, const struct mlp_shape *shape, double *squares,
                        uint32_t *arrived)
{
    size_t tile = 0;
    for (int layer = 0; layer < shape->layer_count && squares; layer++) {
        net->norms[layer] = (struct norm_tiles){
            .squares = squares + tile,
            .arrived = arrived + tile,
            .weights = net->parameters + mlp_weight_offset(shape, layer),
        };
        tile += (size_t)tiles_of(shape, layer);
    }
}

/* Bytes from m on that a start clears; *net gets its arrays where memory is not NULL. */
static size_t place_cleared(struct net_arrays *net, const struct net_plan *plan,
                            unsigned char *memory, size_t *used)
{
    const size_t first = *used, tiles = (size_t)count_tiles(&plan->shape);
    net->m = take_floats(memory, used, plan->parameter_count);
    net->v = take_floats(memory, used, plan->parameter_count);
    net->gradients = take_floats(memory, used, (size_t)plan->slice_count * plan->parameter_count);
    net->train_error = arena_take(memory, used, OUTPUT_SLOTS * sizeof *net->train_error);
    net->test_error = arena_take(memory, used, OUTPUT_SLOTS * sizeof *net->test_error);
    net->positive = arena_take(memory, used, OUTPUT_SLOTS * sizeof *net->positive);
    net->test_positive = arena_take(memory, used, OUTPUT_SLOTS * sizeof *net->test_positive);
    double *squares = arena_take(memory, used, tiles * sizeof *squares);
    uint32_t *arrived = arena_take(memory, used, tiles * sizeof *arrived);
    place_norms(net, &plan->shape, squares, arrived);
    return *used - first;
}

/* Bytes of a net. */
static size_t place(struct net_arrays *net, size_t *cleared_bytes, const struct net_plan *plan,
                    unsigned char *memory)
{
    const struct mlp_shape *shape = &plan->shape;
    size_t used = 0, batch = (size_t)plan->batch_rows, heads = (size_t)mlp_head_count(shape);
    size_t rows = batch > EVALUATION_ROWS ? batch : EVALUATION_ROWS;
    net->parameters = take_floats(memory, &used, plan->parameter_count);
    net->best = take_floats(memory, &used, plan->parameter_count);
    *cleared_bytes = place_cleared(net, plan, memory, &used);
    net->inputs = take_floats(memory, &used, batch * (size_t)shape->widths[0]);
    net->targets = take_floats(memory, &used, batch);
    if (shape->output == MLP_OUTPUT_SUM)
        net->offsets = take_floats(memory, &used, batch * heads);
    net->delta = take_floats(memory, &used, batch * heads);
    for (int layer = 0; layer < shape->layer_count - 1; layer++) {
        size_t width = (size_t)shape->widths[layer + 1];
        net->activations[layer] = take_floats(memory, &used, rows * width);
        net->hidden_deltas[layer] = take_floats(memory, &used, batch * width);
        if (shape->activation == MLP_ACTIVATION_SILU)
            net->slopes[layer] = take_floats(memory, &used, batch * width);
    }
    net->rates = arena_take(memory, &used, plan->epoch_steps * sizeof *net->rates);
    return used;
}

size_t cuda_nets_bytes_each(const struct net_plan *plan)
{
    struct net_arrays net = {0};
    size_t cleared_bytes;
    return place(&net, &cleared_bytes, plan, NULL);
}

/* What kernels write, nets and states, and apart from it what they only read. */
static enum status allocate(struct cuda_nets *nets, struct error *error)
{
    const size_t count = (size_t)nets->count, bytes_each = cuda_nets_bytes_each(&nets->plan);
    const size_t states_bytes = count * sizeof *nets->nets.states;
    size_t used = count * bytes_each;
    TRY(arena_allocate(&nets->memory, used + states_bytes, "nets", error));
    TRY(arena_allocate(&nets->job_memory, count * sizeof *nets->nets.jobs, "nets", error));
    nets->nets = (struct nets){.jobs = nets->job_memory,
                               .states = arena_take(nets->memory, &used, states_bytes),
                               .stride_bytes = bytes_each,
                               .count = nets->count};
    place(&nets->first, &nets->cleared_bytes, &nets->plan, nets->memory);
    return STATUS_OK;
}

static struct net_job device_job(const struct train_job *job, const struct cuda_train_data *data)
{
    return (struct net_job){
        .options = job->options,
        .seed = job->seed,
        .train_inputs = data->train_inputs,
        .train_targets = data->train_targets,
        .test_inputs = data->test_inputs,
        .test_targets = data->test_targets,
        .train_offsets = data->train_offsets,
        .test_offsets = data->test_offsets,
        .train_rows = (uint32_t)job->data->train_rows,
        .test_rows = (uint32_t)job->data->test_rows,
        .epoch_steps = net_plan_of(job).epoch_steps,
    };
}

static enum status upload_jobs(struct cuda_nets *nets, const struct cuda_train_data *const *data,
                               struct error *error)
{
    const size_t count = (size_t)nets->count;
    void *memory;
    TRY(error_allocate(&memory, count, sizeof(struct net_job), "training jobs", error));
    struct net_job *jobs = memory;
    for (size_t i = 0; i < count; i++)
        jobs[i] = device_job(nets->jobs[i], data[i]);
    cudaError_t code = cudaMemcpyAsync(nets->job_memory, jobs, count * sizeof *jobs,
                                       cudaMemcpyHostToDevice, nets->launch.stream);
    cudaError_t waited = cudaStreamSynchronize(nets->launch.stream); /* before jobs goes */
    free(memory);
    CUDA_TRY(error, code);
    CUDA_TRY(error, waited);
    return STATUS_OK;
}

/* Graphs keep overlapping launches from driver 12.3 on; kernels compiled for Hopper or later await
 * their predecessors, others do not. */
static enum status look_at_device(struct launch *launch, struct error *error)
{
    int device, architecture, driver;
    CUDA_TRY(error, cudaGetDevice(&device));
    CUDA_TRY(error, cudaDeviceGetAttribute(&launch->multiprocessors, cudaDevAttrMultiProcessorCount,
                                           device));
    CUDA_TRY(error, trainer_architecture(&architecture));
    CUDA_TRY(error, cudaDriverGetVersion(&driver));
    launch->overlaps = architecture >= 90 && driver >= 12030;
    return STATUS_OK;
}

enum status cuda_nets_create(struct cuda_nets *nets, const struct train_job *const *jobs,
                             const struct cuda_train_data *const *data, int count,
                             cudaStream_t stream, struct error *error)
{
    *nets = (struct cuda_nets){
        .jobs = jobs, .count = count, .plan = net_plan_of(jobs[0]), .launch.stream = stream};
    struct net_plan *plan = &nets->plan;
    for (int i = 1; i < count; i++) {
        const struct net_plan own = net_plan_of(jobs[i]);
        plan->epoch_steps = own.epoch_steps > plan->epoch_steps ? own.epoch_steps
                                                                : plan->epoch_steps;
        plan->train_rows = own.train_rows > plan->train_rows ? own.train_rows : plan->train_rows;
        plan->test_rows = own.test_rows > plan->test_rows ? own.test_rows : plan->test_rows;
    }
    nets->norm_count = count_tiles(&plan->shape);
    TRY(look_at_device(&nets->launch, error));
    TRY(allocate(nets, error));
    return upload_jobs(nets, data, error);
}

void cuda_nets_free(struct cuda_nets *nets)
{
    if (nets->memory)
        cudaFree(nets->memory);
    if (nets->job_memory)
        cudaFree(nets->job_memory);
    *nets = (struct cuda_nets){0};
}

/* ---- start ---- */

struct gather cuda_nets_gather(const struct cuda_nets *nets)
{
    return (struct gather){.inputs = nets->first.inputs,
                           .targets = nets->first.targets,
                           .offsets = nets->first.offsets,
                           .width = nets->plan.shape.widths[0],
                           .heads = mlp_head_count(&nets->plan.shape),
                           .batch_rows = (uint32_t)nets->plan.batch_rows,
                           .nets = nets->nets};
}

static void *own(const struct cuda_nets *nets, int net, const void *first)
{
    return (unsigned char *)(uintptr_t)first + (size_t)net * nets->nets.stride_bytes;
}

static enum status upload_start(struct cuda_nets *nets, int net, float *initial,
                                const struct train_state *state, int restart, struct error *error)
{
    const struct train_job *job = nets->jobs[net];
    cudaStream_t stream = nets->launch.stream;
    size_t bytes = nets->plan.parameter_count * sizeof *initial;
    if (job->initial)
        memcpy(initial, job->initial, bytes);
    else
        mlp_initialise(initial, &job->shape, job->seed + (uint64_t)restart);
    CUDA_TRY(error, cudaMemcpyAsync(own(nets, net, nets->first.parameters), initial, bytes,
                                    cudaMemcpyHostToDevice, stream));
    CUDA_TRY(error, cudaMemcpyAsync(&nets->nets.states[net], state, sizeof *state,
                                    cudaMemcpyHostToDevice, stream));
    CUDA_TRY(error, cudaMemsetAsync(own(nets, net, nets->first.m), 0, nets->cleared_bytes, stream));
    return STATUS_OK;
}

static enum status upload_starts(struct cuda_nets *nets, const int *restarts, struct error *error)
{
    const struct train_state state = {.best_score = INFINITY};
    void *memory;
    TRY(error_allocate(&memory, (unsigned long)nets->count,
                       nets->plan.parameter_count * sizeof(float), "initial weights", error));
    float *initial = memory;
    enum status status = STATUS_OK;
    for (int net = 0; net < nets->count && status == STATUS_OK; net++)
        status = upload_start(nets, net, initial + (size_t)net * nets->plan.parameter_count, &state,
                              restarts[net], error);
    cudaError_t waited = cudaStreamSynchronize(nets->launch.stream); /* before those go */
    free(memory);
    TRY(status);
    CUDA_TRY(error, waited);
    return STATUS_OK;
}

enum status cuda_nets_start(struct cuda_nets *nets, const int *restarts, struct error *error)
{
    const struct gather gather = cuda_nets_gather(nets);
    TRY(upload_starts(nets, restarts, error));
    CUDA_TRY(error, launch_gather(&gather, &nets->launch));
    return STATUS_OK;
}

/* ---- results ---- */

enum status cuda_nets_download(void *values, const struct cuda_nets *nets, int net,
                               const void *first, size_t bytes, struct error *error)
{
    CUDA_TRY(error, cudaMemcpyAsync(values, own(nets, net, first), bytes, cudaMemcpyDeviceToHost,
                                    nets->launch.stream));
    CUDA_TRY(error, cudaStreamSynchronize(nets->launch.stream));
    return STATUS_OK;
}

enum status cuda_nets_rmsle(double *rmsles, struct cuda_nets *nets, int32_t split,
                            struct error *error)
{
    double slots[OUTPUT_SLOTS];
    for (int net = 0; net < nets->count; net++)
        CUDA_TRY(error, cudaMemsetAsync(own(nets, net, nets->first.test_error), 0, sizeof slots,
                                        nets->launch.stream));
    TRY(cuda_nets_evaluate(nets, nets->first.best, split, error));
    for (int net = 0; net < nets->count; net++) {
        const struct train_data *data = nets->jobs[net]->data;
        const size_t rows = split == ROWS_TEST ? data->test_rows : data->train_rows;
        double sum = 0;
        TRY(cuda_nets_download(slots, nets, net, nets->first.test_error, sizeof slots, error));
        for (int i = 0; i < OUTPUT_SLOTS; i++)
            sum += slots[i];
        rmsles[net] = rows > 0 ? sqrt(sum / (double)rows) : NAN;
    }
    return STATUS_OK;
}
