/* Memory of a net in training. */
#include "trainer/trainer_host.h"

#include <stdlib.h>

enum { ALIGNMENT_FLOATS = 16 }; /* a cache line */

/* Takes `count` floats from the arena; with memory == NULL it only counts them. */
static float *take(float *memory, size_t *used, size_t count)
{
    float *taken = memory ? memory + *used : NULL;
    *used += (count + ALIGNMENT_FLOATS - 1) / ALIGNMENT_FLOATS * ALIGNMENT_FLOATS;
    return taken;
}

/* Places all arrays in memory and returns how many floats they need. */
static size_t place(struct host_net *net, float *memory)
{
    const struct mlp_shape *shape = &net->job->shape;
    size_t used = 0, rows = net->chunk_rows, widest = 1;
    float **flat[] = {&net->parameters, &net->transposed, &net->best, &net->m, &net->v, &net->mean};
    for (size_t i = 0; i < sizeof flat / sizeof *flat; i++)
        *flat[i] = take(memory, &used, net->parameter_count);
    for (int i = 1; i <= shape->layer_count; i++)
        if ((size_t)shape->widths[i] > widest)
            widest = (size_t)shape->widths[i];
    for (int c = 0; c < net->chunk_count; c++) {
        struct host_scratch *scratch = &net->scratches[c];
        scratch->inputs = take(memory, &used, rows * (size_t)shape->widths[0]);
        scratch->targets = take(memory, &used, rows);
        if (shape->output == MLP_OUTPUT_SUM)
            scratch->offsets = take(memory, &used, rows * (size_t)mlp_head_count(shape));
        for (int i = 0; i < shape->layer_count; i++)
            scratch->activations[i] = take(memory, &used, rows * (size_t)shape->widths[i + 1]);
        for (int i = 0; i < shape->layer_count - 1 && shape->activation == MLP_ACTIVATION_SILU; i++)
            scratch->slopes[i] = take(memory, &used, rows * (size_t)shape->widths[i + 1]);
        for (int i = 0; i < 2; i++)
            scratch->deltas[i] = take(memory, &used, rows * widest);
        net->chunks[c].gradient = c > 0 ? take(memory, &used, net->parameter_count) : net->mean;
    }
    return used;
}

enum status host_net_create(struct host_net *net, const struct train_job *job, int threads,
                            struct error *error)
{
    size_t batch = (size_t)job->options.batch_size;
    if (batch > job->data->train_rows)
        batch = job->data->train_rows;
    size_t chunk_rows = batch / 2 < CHUNK_ROWS_ENOUGH ? batch / 2 : CHUNK_ROWS_ENOUGH;
    if (chunk_rows < CHUNK_ROWS_MINIMUM)
        chunk_rows = CHUNK_ROWS_MINIMUM;
    if (chunk_rows * CHUNK_LIMIT < batch)
        chunk_rows = (batch + CHUNK_LIMIT - 1) / CHUNK_LIMIT;
    *net = (struct host_net){
        .job = job,
        .parameter_count = mlp_parameter_count(&job->shape),
        .chunk_rows = chunk_rows,
        .chunk_count = (int)((batch + chunk_rows - 1) / chunk_rows),
        .epoch_steps = (job->data->train_rows + batch - 1) / batch,
    };
    size_t floats = place(net, NULL) + ALIGNMENT_FLOATS;
    TRY(error_allocate(&net->memory, floats, sizeof(float), "trainer", error));
    uintptr_t start = (uintptr_t)net->memory, line = ALIGNMENT_FLOATS * sizeof(float);
    place(net, (float *)net->memory + (line - start % line) % line / sizeof(float));
    crew_begin(&net->crew, threads < net->chunk_count ? threads : net->chunk_count);
    return STATUS_OK;
}

void host_net_free(struct host_net *net)
{
    if (!net->memory)
        return;
    crew_end(&net->crew);
    free(net->memory);
    *net = (struct host_net){0};
}
