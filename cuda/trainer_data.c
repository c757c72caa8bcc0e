#include "trainer_data.h"

#include "cuda_check.h"

static const size_t alignment_bytes = 256;

void *arena_take(unsigned char *memory, size_t *used, size_t bytes)
{
    void *taken = memory ? memory + *used : NULL;
    *used += (bytes + alignment_bytes - 1) / alignment_bytes * alignment_bytes;
    return taken;
}

enum status arena_allocate(void **memory, size_t bytes, const char *what, struct error *error)
{
    cudaError_t code = cudaMalloc(memory, bytes > 0 ? bytes : 1);
    if (code == cudaErrorMemoryAllocation) {
        cudaGetLastError();
        FAIL(error, STATUS_OUT_OF_MEMORY, "CUDA: %zu bytes for the %s do not fit the device", bytes,
             what);
        return HINT(error, STATUS_OUT_OF_MEMORY,
                    "train with --engine host, or free memory on the device");
    }
    return cuda_check(code, "cudaMalloc", __FILE__, __LINE__, error);
}

static float *take_floats(unsigned char *memory, size_t *used, size_t count)
{
    return arena_take(memory, used, count * sizeof(float));
}

static size_t place_data(struct cuda_train_data *data, unsigned char *memory)
{
    const struct train_data *source = data->source;
    size_t used = 0, width = (size_t)source->inputs, heads = (size_t)data->heads;
    data->train_inputs = take_floats(memory, &used, source->train_rows * width);
    data->train_targets = take_floats(memory, &used, source->train_rows);
    data->test_inputs = take_floats(memory, &used, source->test_rows * width);
    data->test_targets = take_floats(memory, &used, source->test_rows);
    if (source->train_offsets)
        data->train_offsets = take_floats(memory, &used, source->train_rows * heads);
    if (source->test_offsets)
        data->test_offsets = take_floats(memory, &used, source->test_rows * heads);
    return used;
}

static enum status upload(float *to, const float *from, size_t count, cudaStream_t stream,
                          struct error *error)
{
    if (count > 0)
        CUDA_TRY(error,
                 cudaMemcpyAsync(to, from, count * sizeof *to, cudaMemcpyHostToDevice, stream));
    return STATUS_OK;
}

static enum status upload_data(struct cuda_train_data *data, cudaStream_t stream,
                               struct error *error)
{
    const struct train_data *source = data->source;
    size_t train_rows = source->train_rows, test_rows = source->test_rows;
    size_t width = (size_t)source->inputs, heads = (size_t)data->heads;
    if (source->train_offsets)
        TRY(upload(data->train_offsets, source->train_offsets, train_rows * heads, stream, error));
    if (source->test_offsets)
        TRY(upload(data->test_offsets, source->test_offsets, test_rows * heads, stream, error));
    TRY(upload(data->train_inputs, source->train_inputs, train_rows * width, stream, error));
    TRY(upload(data->train_targets, source->train_targets, train_rows, stream, error));
    TRY(upload(data->test_inputs, source->test_inputs, test_rows * width, stream, error));
    return upload(data->test_targets, source->test_targets, test_rows, stream, error);
}

enum status cuda_train_data_create(struct cuda_train_data *data, const struct train_data *source,
                                   int32_t heads, cudaStream_t stream, struct error *error)
{
    *data = (struct cuda_train_data){.source = source, .heads = heads};
    enum status status = arena_allocate(&data->memory, place_data(data, NULL), "training data",
                                        error);
    if (status == STATUS_OK) {
        place_data(data, data->memory);
        status = upload_data(data, stream, error);
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
