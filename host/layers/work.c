#include "layers/work.h"

#include <assert.h>
#include <stddef.h>

void work_begin(struct layer_work *work)
{
    work->tensor_count = work->operation_count = 0;
    work->activation = ACTIVATION_NONE;
    work->in_place = IN_PLACE_NEVER;
    work->family = FAMILY_STREAM;
}

void work_add_tensor(struct layer_work *work, struct layer_tensor tensor)
{
    assert(work->tensor_count < WORK_TENSOR_LIMIT);
    if (tensor.count > 0 || tensor.role == TENSOR_INPUT)
        work->tensors[work->tensor_count++] = tensor;
}

void work_tensor(struct layer_work *work, enum tensor_role role, const char *name, double count)
{
    work_add_tensor(work, (struct layer_tensor){.name = name, .role = role, .count = count});
}

static void add_operation(struct layer_work *work, const struct work_operation *operation)
{
    assert(work->operation_count < WORK_OPERATION_LIMIT);
    work->operations[work->operation_count++] = *operation;
}

void work_product(struct layer_work *work, enum work_phase phase, struct work_operation operation)
{
    operation.phase = phase;
    operation.type = OPERATION_PRODUCT;
    if (work->family == FAMILY_STREAM)
        work->family = FAMILY_PRODUCT;
    if (operation.batch == 0)
        operation.batch = 1;
    if (operation.flops == 0)
        operation.flops = 2 * operation.batch * operation.rows * operation.depth *
                          operation.columns;
    add_operation(work, &operation);
}

void work_stream(struct layer_work *work, enum work_phase phase, struct work_operation operation)
{
    operation.phase = phase;
    operation.type = OPERATION_STREAM;
    add_operation(work, &operation);
}

double work_elements(const struct layer_work *work, enum tensor_role role)
{
    double sum = 0;
    for (int i = 0; i < work->tensor_count; i++)
        sum += work->tensors[i].role == role ? work->tensors[i].count : 0;
    return sum;
}

int work_tensor_count(const struct layer_work *work, enum tensor_role role)
{
    int count = 0;
    for (int i = 0; i < work->tensor_count; i++)
        count += work->tensors[i].role == role;
    return count;
}

const struct layer_tensor *work_find(const struct layer_work *work, enum tensor_role role,
                                     int index)
{
    for (int i = 0; i < work->tensor_count; i++)
        if (work->tensors[i].role == role && index-- == 0)
            return &work->tensors[i];
    return NULL;
}

bool work_fits(const struct layer_work *work, const char **reason)
{
    static const double element_limit = 2147483647;
    static const char *const reasons[TENSOR_ROLE_COUNT] = {
        [TENSOR_INPUT] = "the input would have more than 2^31 - 1 elements",
        [TENSOR_OUTPUT] = "the output would have more than 2^31 - 1 elements",
        [TENSOR_WEIGHTS] = "the weights would have more than 2^31 - 1 elements",
        [TENSOR_BIAS] = "the bias would have more than 2^31 - 1 elements",
        [TENSOR_KEPT] = "the tensors of the backward pass would have more than 2^31 - 1 elements",
    };
    for (int i = 0; i < work->tensor_count; i++)
        if (work->tensors[i].count > element_limit) {
            *reason = reasons[work->tensors[i].role];
            return false;
        }
    return true;
}
